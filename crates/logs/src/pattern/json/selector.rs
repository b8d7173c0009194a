//! `$.a.b[0]`: the way to values in a JSON object.

use std::fmt;

use super::super::cursor::{Cursor, is_bare};
use super::super::error::{PatternError, PatternProblem};

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// As it was written: what it extracts is called so.
    text: String,
    /// The way, from the outermost object on; at least one step.
    pub(in crate::pattern) steps: Vec<Step>,
}

/// A step inwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pattern) enum Step {
    /// To the property of that name.
    Property(String),
    /// To every property.
    AnyProperty,
    /// To the element at that place, from 0.
    Element(usize),
    /// To every element.
    AnyElement,
}

impl Selector {
    /// Reads a selector that takes all of `text`.
    pub fn parse_text(text: &str) -> Result<Self, PatternError> {
        let mut cursor = Cursor::new(text);
        let selector = Self::parse(&mut cursor)?;
        match cursor.peek() {
            None => Ok(selector),
            Some(_) => Err(cursor.expected("the end of the selector")),
        }
    }

    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let start = cursor.offset();
        cursor.expect("$", "a selector (`$.name`)")?;
        let mut steps = Vec::new();
        while let Some(step) = Step::parse(cursor)? {
            steps.push(step);
        }
        if steps.is_empty() {
            return Err(cursor.expected("`.` or `[`"));
        }
        let is_wildcard = |step: &&Step| matches!(step, Step::AnyProperty | Step::AnyElement);
        if steps.iter().filter(is_wildcard).count() > 1 {
            return Err(cursor.error(PatternProblem::WildcardsTooMany, start..cursor.offset()));
        }
        Ok(Self { text: cursor.since(start).to_owned(), steps })
    }

    /// The selector as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Step {
    /// The step that is here; `None` where the selector ends.
    fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Self>, PatternError> {
        if cursor.take(".") {
            return match cursor.peek() {
                Some('*') => {
                    cursor.advance('*');
                    Ok(Some(Self::AnyProperty))
                }
                // `$.['a.b']`, as the guide writes it.
                Some('[') => {
                    cursor.advance('[');
                    Self::in_brackets(cursor).map(Some)
                }
                _ => match cursor.take_while(is_name) {
                    "" => Err(cursor.expected("a property's name")),
                    name => Ok(Some(Self::Property(name.to_owned()))),
                },
            };
        }
        if cursor.take("[") { Self::in_brackets(cursor).map(Some) } else { Ok(None) }
    }

    fn in_brackets(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let step = match cursor.peek() {
            Some('*') => {
                cursor.advance('*');
                Self::AnyElement
            }
            Some('"') => Self::Property(cursor.quoted()?),
            Some('\'') => {
                cursor.advance('\'');
                let name = cursor.take_while(|next| next != '\'').to_owned();
                cursor.expect("'", "`'`")?;
                Self::Property(name)
            }
            _ => {
                let start = cursor.offset();
                let index = cursor.take_while(|next| next.is_ascii_digit()).parse();
                let problem = PatternProblem::Expected("an index, `*` or a quoted name");
                Self::Element(index.map_err(|_| cursor.error(problem, start..cursor.offset()))?)
            }
        };
        cursor.expect("]", "`]`")?;
        Ok(step)
    }
}

/// What a name may hold without quotes. A point begins the next step.
fn is_name(character: char) -> bool {
    (is_bare(character) && character != '.') || matches!(character, '@' | '#')
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

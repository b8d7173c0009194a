//! `substituteString`: what matches an expression is replaced, with references as in Java (`$1`, `${name}`,
//! `\$`).

use groundwatch_api::logs;
use regex::{Captures, Regex, RegexBuilder};
use serde_json::Value;

use crate::event::{Event, EventError, OUTPUT_BYTES_MAX};
use crate::path::Path;
use crate::pipeline::{Cause, Process};

const REGEX_BYTES_MAX: usize = 1 << 20;

pub(crate) struct SubstituteString {
    entries: Vec<Entry>,
}

struct Entry {
    source: Path,
    from: Regex,
    to: Vec<Part>,
}

/// A piece of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

impl SubstituteString {
    pub(crate) fn new(config: &logs::SubstituteString) -> Result<Self, Cause> {
        let entry = |entry: &logs::SubstituteStringEntry| {
            let from = entry.from.as_deref().unwrap_or_default();
            let from = RegexBuilder::new(from).size_limit(REGEX_BYTES_MAX).build().map_err(|_| {
                let reason = "it is no regular expression, or has back references or looks around, which are \
                              not supported";
                Cause::member("from", reason)
            })?;
            Ok(Entry {
                source: Path::parse(entry.source.as_deref().unwrap_or_default())?,
                to: replacement(entry.to.as_deref().unwrap_or_default(), &from)?,
                from,
            })
        };
        let entries = config.entries.iter().flatten().map(entry).collect::<Result<_, Cause>>()?;
        Ok(Self { entries })
    }
}

impl Process for SubstituteString {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for entry in &self.entries {
            if let Some(Value::String(text)) = entry.source.get_mut(&mut event.fields) {
                *text = entry.replaced(text)?;
            }
        }
        Ok(())
    }
}

impl Entry {
    fn replaced(&self, text: &str) -> Result<String, EventError> {
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for found in self.from.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            replaced.push_str(&text[end..whole.start()]);
            self.push(&found, &mut replaced);
            end = whole.end();
            if replaced.len() > OUTPUT_BYTES_MAX {
                return Err(EventError::TooLarge);
            }
        }
        replaced.push_str(&text[end..]);
        Ok(replaced)
    }

    fn push(&self, found: &Captures<'_>, replaced: &mut String) {
        for part in &self.to {
            match part {
                Part::Text(text) => replaced.push_str(text),
                Part::Group(group) => replaced.push_str(found.get(*group).map_or("", |group| group.as_str())),
            }
        }
    }
}

/// Reads a replacement as Java does: of `$12` as much is the number as there are groups; `\` takes the next
/// character as it is.
fn replacement(text: &str, from: &Regex) -> Result<Vec<Part>, Cause> {
    let wrong = |reason: String| Err(Cause::member("to", reason));
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped) => plain.push(escaped),
                None => return wrong("it ends in a backslash".into()),
            },
            '$' => {
                let group = if characters.next_if_eq(&'{').is_some() {
                    let name: String = characters.by_ref().take_while(|next| *next != '}').collect();
                    match from.capture_names().position(|known| known == Some(name.as_str())) {
                        Some(group) => group,
                        None => return wrong(format!("there is no group called '{name}'")),
                    }
                } else {
                    match group_number(&mut characters, from.captures_len()) {
                        Some(group) => group,
                        None => return wrong("`$` is followed by no group".into()),
                    }
                };
                parts.push(Part::Text(std::mem::take(&mut plain)));
                parts.push(Part::Group(group));
            }
            other => plain.push(other),
        }
    }
    parts.push(Part::Text(plain));
    parts.retain(|part| *part != Part::Text(String::new()));
    Ok(parts)
}

/// The longest number of a group at hand.
fn group_number(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, groups: usize) -> Option<usize> {
    let digit = |character: &char| character.to_digit(10).map(|digit| digit as usize);
    let mut number = characters.peek().and_then(digit).filter(|number| *number < groups)?;
    characters.next();
    while let Some(longer) = characters.peek().and_then(digit).map(|digit| number * 10 + digit) {
        if longer >= groups {
            break;
        }
        number = longer;
        characters.next();
    }
    Some(number)
}

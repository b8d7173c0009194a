//! The plain form: words, phrases and regular expressions that must, may or must not occur.

use std::fmt;

use memchr::memmem::Finder;

use super::comparison::write_quoted;
use super::cursor::{Cursor, is_bare};
use super::error::{PatternError, PatternProblem};
use super::regexp::Regexp;

/// Terms in the order written. None at all matches every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TermPattern {
    /// The terms.
    pub terms: Vec<Term>,
}

/// What is looked for anywhere in a message, case-sensitively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What its occurrence means.
    pub sign: Sign,
    /// What is looked for.
    pub sought: Sought,
}

/// What a term looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A text.
    Text(String),
    /// A regular expression.
    Regex(Regexp),
}

/// What the occurrence of a term means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It must occur.
    Required,
    /// `?`: one of these must occur, if there are only such terms. Beside any other term AWS ignores it.
    Optional,
    /// `-`: it must not occur.
    Excluded,
}

impl TermPattern {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let mut terms = Vec::new();
        loop {
            cursor.skip_blanks();
            if cursor.peek().is_none() {
                return Ok(Self { terms });
            }
            terms.push(Term::parse(cursor)?);
        }
    }
}

impl Term {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PatternError> {
        let start = cursor.offset();
        let sign = match cursor.peek() {
            Some('-') => Sign::Excluded,
            Some('?') => Sign::Optional,
            _ => Sign::Required,
        };
        let sign_text = if sign == Sign::Excluded { '-' } else { '?' };
        if sign != Sign::Required {
            cursor.advance(sign_text);
        }
        let sought = match cursor.peek() {
            Some('"') => Sought::Text(cursor.quoted()?),
            Some('%') => Sought::Regex(cursor.regexp()?),
            Some(next) if !next.is_whitespace() => Sought::Text(bare(cursor)?),
            _ => {
                let problem = PatternProblem::SignWithoutTerm(sign_text);
                return Err(cursor.error(problem, start..cursor.offset()));
            }
        };
        if cursor.peek().is_some_and(|next| !next.is_whitespace()) {
            return Err(cursor.error_here(PatternProblem::BlankAfterTerm));
        }
        let term = Self { sign, sought };
        if sign == Sign::Excluded && term.is_blank() {
            return Err(cursor.error(PatternProblem::BlankExcluded, start..cursor.offset()));
        }
        Ok(term)
    }

    /// Whether it is a phrase of blanks, or an empty one: those are found in every message.
    pub fn is_blank(&self) -> bool {
        matches!(&self.sought, Sought::Text(text) if text.trim().is_empty())
    }
}

/// A term without quotes, up to the next blank.
fn bare(cursor: &mut Cursor<'_>) -> Result<String, PatternError> {
    let text = cursor.take_while(is_bare);
    match cursor.peek() {
        Some(next) if !next.is_whitespace() => Err(cursor.error_here(PatternProblem::NeedsQuotes(next))),
        _ => Ok(text.to_owned()),
    }
}

impl fmt::Display for TermPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            write!(f, "{}{term}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.sign {
            Sign::Required => "",
            Sign::Optional => "?",
            Sign::Excluded => "-",
        })?;
        match &self.sought {
            Sought::Regex(regexp) => regexp.fmt(f),
            // A bare `-a` that is required would read as an exclusion.
            Sought::Text(text) if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_bare) => {
                f.write_str(text)
            }
            Sought::Text(text) => write_quoted(f, text),
        }
    }
}

/// All of `required` and none of `excluded`; and one of `any` unless that is empty.
#[derive(Clone, Debug)]
pub(super) struct TermMatcher {
    required: Vec<Searcher>,
    excluded: Vec<Searcher>,
    any: Vec<Searcher>,
}

impl TermPattern {
    /// Expressions of which all must occur in messages that match.
    pub(super) fn required_expressions(&self) -> Vec<String> {
        let of = |sign: Sign| self.terms.iter().filter(move |term| term.sign == sign).map(Term::expression);
        if self.terms.iter().all(|term| term.sign == Sign::Optional) {
            let all: Vec<String> = of(Sign::Optional).collect();
            return if all.is_empty() { Vec::new() } else { vec![all.join("|")] };
        }
        of(Sign::Required).collect()
    }
}

impl Term {
    fn expression(&self) -> String {
        match &self.sought {
            Sought::Text(_) if self.is_blank() => String::new(),
            Sought::Text(text) => regex::escape(text),
            Sought::Regex(regexp) => format!("(?:{})", regexp.translated()),
        }
    }
}

#[derive(Clone, Debug)]
enum Searcher {
    Text(Box<Finder<'static>>),
    Regex(Regexp),
}

impl TermMatcher {
    pub(super) fn new(pattern: &TermPattern) -> Self {
        let searchers = |sign: Sign| -> Vec<Searcher> {
            let terms = pattern.terms.iter().filter(|term| term.sign == sign && !term.is_blank());
            terms.map(|term| Searcher::new(&term.sought)).collect()
        };
        // `?` counts only where every term has it, and a blank one among them is found everywhere.
        let any_counts = pattern.terms.iter().all(|term| term.sign == Sign::Optional && !term.is_blank());
        Self {
            required: searchers(Sign::Required),
            excluded: searchers(Sign::Excluded),
            any: if any_counts { searchers(Sign::Optional) } else { Vec::new() },
        }
    }

    pub(super) fn matches_all(&self) -> bool {
        self.required.is_empty() && self.excluded.is_empty() && self.any.is_empty()
    }

    pub(super) fn matches(&self, message: &[u8]) -> bool {
        let occurs = |searcher: &Searcher| searcher.occurs_in(message);
        self.required.iter().all(occurs)
            && !self.excluded.iter().any(occurs)
            && (self.any.is_empty() || self.any.iter().any(occurs))
    }
}

impl Searcher {
    fn new(sought: &Sought) -> Self {
        match sought {
            Sought::Text(text) => Self::Text(Box::new(Finder::new(text.as_bytes()).into_owned())),
            Sought::Regex(regexp) => Self::Regex(regexp.clone()),
        }
    }

    fn occurs_in(&self, message: &[u8]) -> bool {
        match self {
            Self::Text(finder) => finder.find(message).is_some(),
            Self::Regex(regexp) => regexp.occurs_in(message),
        }
    }
}

//! The plain form: words and phrases that must, may or must not occur.

use std::fmt;

use super::lexer::is_bare;

/// Terms in the order written. None at all matches every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TermPattern {
    /// The terms.
    pub terms: Vec<Term>,
}

/// A text that is looked for anywhere in a message, case-sensitively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What its occurrence means.
    pub sign: Sign,
    /// What is looked for.
    pub text: String,
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

impl Term {
    /// Whether it is a phrase of blanks, or an empty one: those are found in every message.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
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
        // A bare `-a` that is required would read as an exclusion.
        if !self.text.is_empty() && !self.text.starts_with('-') && self.text.chars().all(is_bare) {
            return f.write_str(&self.text);
        }
        write!(f, "\"{}\"", self.text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

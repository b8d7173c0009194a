//! Reads a pattern from left to right, and knows where it is. What all three forms write alike is read here:
//! blanks, quoted texts and regular expressions.

use std::ops::Range;

use super::REGEXES_MAX;
use super::error::{PatternError, PatternProblem};
use super::regexp::Regexp;

/// A place in a pattern.
pub(super) struct Cursor<'a> {
    pattern: &'a str,
    offset: usize,
    regexes: usize,
}

impl<'a> Cursor<'a> {
    /// The start of `pattern`.
    pub(super) fn new(pattern: &'a str) -> Self {
        Self { pattern, offset: 0, regexes: 0 }
    }

    /// How many regular expressions there were before this place.
    pub(super) fn regexes(&self) -> usize {
        self.regexes
    }

    /// How many bytes lie before this place.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// Steps back to a place that was passed.
    pub(super) fn go_back_to(&mut self, offset: usize) {
        self.offset = offset;
    }

    /// The character here.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What was read since `start`.
    pub(super) fn since(&self, start: usize) -> &'a str {
        &self.pattern[start..self.offset]
    }

    /// Steps over the character that is here.
    pub(super) fn advance(&mut self, over: char) {
        self.offset += over.len_utf8();
    }

    /// Steps over `text` if that is here.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let is_here = self.rest().starts_with(text);
        if is_here {
            self.offset += text.len();
        }
        is_here
    }

    /// Steps over `text`, which must be here; `called` is what to say if it is not.
    pub(super) fn expect(&mut self, text: &str, called: &'static str) -> Result<(), PatternError> {
        if self.take(text) { Ok(()) } else { Err(self.expected(called)) }
    }

    /// Reads as long as `wanted`.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.offset;
        while let Some(next) = self.peek().filter(|next| wanted(*next)) {
            self.advance(next);
        }
        self.since(start)
    }

    /// Steps over blanks.
    pub(super) fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Reads `"…"`, in which `\"` is a quote and `\\` a backslash; any other backslash stands for itself.
    pub(super) fn quoted(&mut self) -> Result<String, PatternError> {
        let start = self.offset;
        self.expect("\"", "`\"`")?;
        let mut text = String::new();
        loop {
            let Some(next) = self.peek() else {
                return Err(self.error(PatternProblem::Unclosed, start..self.offset));
            };
            self.advance(next);
            match (next, self.peek()) {
                ('"', _) => return Ok(text),
                ('\\', Some(escaped @ ('"' | '\\'))) => {
                    self.advance(escaped);
                    text.push(escaped);
                }
                _ => text.push(next),
            }
        }
    }

    /// Reads `%…%`, in which `\%` is a percent sign.
    pub(super) fn regexp(&mut self) -> Result<Regexp, PatternError> {
        let start = self.offset;
        self.expect("%", "`%`")?;
        let inner = self.offset;
        loop {
            match self.peek() {
                None => return Err(self.error(PatternProblem::RegexUnclosed, start..self.offset)),
                Some('%') => break,
                Some('\\') => {
                    self.advance('\\');
                    if let Some(escaped) = self.peek() {
                        self.advance(escaped);
                    }
                }
                Some(next) => self.advance(next),
            }
        }
        let source = self.since(inner);
        self.advance('%');
        let regexp = Regexp::parse(source)
            .map_err(|(problem, at)| self.error(problem, inner + at.start..inner + at.end))?;
        self.regexes += 1;
        if self.regexes > REGEXES_MAX {
            return Err(self.error(PatternProblem::RegexesTooMany, start..self.offset));
        }
        Ok(regexp)
    }

    /// The error that something else should be here.
    pub(super) fn expected(&self, called: &'static str) -> PatternError {
        self.error_here(PatternProblem::Expected(called))
    }

    /// An error about the character here.
    pub(super) fn error_here(&self, problem: PatternProblem) -> PatternError {
        let length = self.peek().map_or(0, char::len_utf8);
        self.error(problem, self.offset..self.offset + length)
    }

    /// An error about a part of the pattern.
    pub(super) fn error(&self, problem: PatternProblem, span: Range<usize>) -> PatternError {
        PatternError::new(problem, self.pattern, span)
    }

    fn rest(&self) -> &'a str {
        &self.pattern[self.offset..]
    }
}

/// What may stand without quotes. AWS's guide says alphanumerics and underscore; the other four are what
/// names of classes, paths, times and ids are made of, and are taken as well.
pub(super) fn is_bare(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '/' | ':' | '-')
}

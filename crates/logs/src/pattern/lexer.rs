//! Text to words with spans. Knows quotes and signs, not what they mean.

use std::ops::Range;

use super::error::{PatternError, PatternProblem};
use super::terms::Sign;

/// A term as it was written: its sign, and its text with quotes and escapes removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) sign: Sign,
    pub(super) text: String,
    /// The bytes that it takes in the pattern, sign and quotes included.
    pub(super) span: Range<usize>,
}

/// Cuts a pattern into words, from left to right.
pub(super) struct Lexer<'a> {
    pattern: &'a str,
    /// Where the rest begins.
    offset: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(pattern: &'a str) -> Self {
        Self { pattern, offset: 0 }
    }

    /// The next word; `None` at the end.
    pub(super) fn next_word(&mut self) -> Result<Option<Word>, PatternError> {
        self.skip_blanks();
        let start = self.offset;
        let Some(first) = self.peek() else { return Ok(None) };
        let sign = match first {
            '-' => Sign::Excluded,
            '?' => Sign::Optional,
            _ => Sign::Required,
        };
        if sign != Sign::Required {
            self.advance(first);
        }
        let text = match self.peek() {
            Some('"') => self.phrase()?,
            Some('%') => {
                return Err(self.error(PatternProblem::RegexUnsupported, self.offset..self.offset + 1));
            }
            Some(next) if !next.is_whitespace() => self.bare()?,
            _ => return Err(self.error(PatternProblem::SignWithoutTerm(first), start..self.offset)),
        };
        Ok(Some(Word { sign, text, span: start..self.offset }))
    }

    /// `"…"`, in which `\"` is a quote and `\\` a backslash; any other backslash stands for itself.
    fn phrase(&mut self) -> Result<String, PatternError> {
        let start = self.offset;
        self.advance('"');
        let mut text = String::new();
        loop {
            let Some(next) = self.peek() else {
                return Err(self.error(PatternProblem::Unclosed, start..self.offset));
            };
            self.advance(next);
            match (next, self.peek()) {
                ('"', None) => return Ok(text),
                ('"', Some(after)) if after.is_whitespace() => return Ok(text),
                ('"', Some(after)) => {
                    let span = self.offset..self.offset + after.len_utf8();
                    return Err(self.error(PatternProblem::BlankAfterPhrase, span));
                }
                ('\\', Some(escaped @ ('"' | '\\'))) => {
                    self.advance(escaped);
                    text.push(escaped);
                }
                _ => text.push(next),
            }
        }
    }

    /// A term without quotes, up to the next blank.
    fn bare(&mut self) -> Result<String, PatternError> {
        let start = self.offset;
        while let Some(next) = self.peek().filter(|next| !next.is_whitespace()) {
            if !is_bare(next) {
                let span = self.offset..self.offset + next.len_utf8();
                return Err(self.error(PatternProblem::NeedsQuotes(next), span));
            }
            self.advance(next);
        }
        Ok(self.pattern[start..self.offset].to_owned())
    }

    fn skip_blanks(&mut self) {
        while let Some(blank) = self.peek().filter(|next| next.is_whitespace()) {
            self.advance(blank);
        }
    }

    fn peek(&self) -> Option<char> {
        self.pattern[self.offset..].chars().next()
    }

    fn advance(&mut self, over: char) {
        self.offset += over.len_utf8();
    }

    fn error(&self, problem: PatternProblem, span: Range<usize>) -> PatternError {
        PatternError::new(problem, self.pattern, span)
    }
}

/// What a term may hold without quotes. AWS's guide says alphanumerics and underscore; the other four are what names of
/// classes, paths, times and ids are made of, and are taken as well.
pub(super) fn is_bare(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '/' | ':' | '-')
}

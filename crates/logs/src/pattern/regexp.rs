//! The regular expressions of filter patterns: a small part of what regular expressions usually are.

use std::fmt;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::error::PatternProblem;

/// What one compiled expression, and its lazily built automaton, may take in memory.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// `%…%`, found anywhere in a text.
#[derive(Clone)]
pub struct Regexp {
    source: String,
    compiled: Regex,
}

impl Regexp {
    /// Reads what stands between the percent signs. An error comes with the part of `source` that it is
    /// about.
    pub(super) fn parse(source: &str) -> Result<Self, (PatternProblem, Range<usize>)> {
        let whole = || 0..source.len();
        if source.is_empty() {
            return Err((PatternProblem::RegexInvalid("it is empty".to_owned()), whole()));
        }
        let translated = translate(source)?;
        let compiled = RegexBuilder::new(&translated)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(COMPILED_BYTES_MAX)
            .build()
            .map_err(|error| (PatternProblem::RegexInvalid(reason(&error)), whole()))?;
        Ok(Self { source: source.to_owned(), compiled })
    }

    /// What it consists of.
    pub(super) fn parsed(&self) -> Option<Hir> {
        // As the library reads it that matches bytes.
        ParserBuilder::new().utf8(false).build().parse(self.compiled.as_str()).ok()
    }

    /// As the library writes it.
    pub(super) fn translated(&self) -> &str {
        self.compiled.as_str()
    }

    /// Whether it occurs in `text`.
    pub fn occurs_in(&self, text: &[u8]) -> bool {
        self.compiled.is_match(text)
    }
}

/// Refuses what AWS refuses, and makes the classes mean what they mean there: `\d`, `\w` and `\s` are about
/// ASCII.
fn translate(source: &str) -> Result<String, (PatternProblem, Range<usize>)> {
    let mut translated = String::with_capacity(source.len());
    let mut characters = source.char_indices();
    while let Some((at, character)) = characters.next() {
        let refused =
            |at: usize, what: char| (PatternProblem::RegexCharacter(what), at..at + what.len_utf8());
        if character != '\\' {
            if !(character.is_ascii_alphanumeric() || " :_#=@/;,-^$?[]{}|*+.".contains(character)) {
                return Err(refused(at, character));
            }
            translated.push(character);
            continue;
        }
        match characters.next() {
            Some((_, 'd')) => translated.push_str("[0-9]"),
            Some((_, 'D')) => translated.push_str("[^0-9]"),
            Some((_, 'w')) => translated.push_str("[0-9A-Za-z_]"),
            Some((_, 'W')) => translated.push_str("[^0-9A-Za-z_]"),
            Some((_, 's')) => translated.push_str("[ \\t\\n\\x0B\\x0C\\r]"),
            Some((_, 'S')) => translated.push_str("[^ \\t\\n\\x0B\\x0C\\r]"),
            Some((_, 'x')) => translated.push_str("\\x"),
            Some((_, escaped)) if escaped.is_ascii_punctuation() => {
                translated.push('\\');
                translated.push(escaped);
            }
            Some((at, other)) => return Err(refused(at, other)),
            None => return Err(refused(at, '\\')),
        }
    }
    Ok(translated)
}

/// The last line of the library's message: the others draw the expression as we translated it.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too complex".to_owned(),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

impl PartialEq for Regexp {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Regexp {}

impl fmt::Debug for Regexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Regexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}%", self.source)
    }
}

//! A rule's text as tokens with spans. Knows no word of the language: whether `OK` is a state or the name of
//! an alarm depends on where it stands.

use std::borrow::Cow;

use super::error::{RuleError, RuleErrorKind, Span};

/// The smallest part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    Comma,
    /// Anything without blanks, parentheses, commas and quotes.
    Word(&'a str),
    /// What stood between quotes, without the backslashes that escape.
    Quoted(Cow<'a, str>),
    /// The end of the text.
    End,
}

impl Token<'_> {
    /// How it is written, if there is one way.
    pub(super) fn symbol(&self) -> Option<&'static str> {
        match self {
            Self::Open => Some("("),
            Self::Close => Some(")"),
            Self::Comma => Some(","),
            Self::Word(_) | Self::Quoted(_) | Self::End => None,
        }
    }
}

/// Splits `text`. The last token is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Span)>, RuleError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '"' => quoted(text, at)?,
            blank if blank.is_whitespace() => {
                at += blank.len_utf8();
                continue;
            }
            _ => {
                let word = text[at..].split(ends_word).next().unwrap_or_default();
                (Token::Word(word), word.len())
            }
        };
        tokens.push((token, Span { start: at, end: at + length }));
        at += length;
    }
    tokens.push((Token::End, Span { start: text.len(), end: text.len() }));
    Ok(tokens)
}

/// Whether a letter cannot stand in a word.
pub(super) fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | '"')
}

/// The quoted text that begins at `start`, and how many bytes it takes with its quotes.
///
/// A backslash escapes a quote or another backslash; before anything else it stands for itself.
fn quoted(text: &str, start: usize) -> Result<(Token<'_>, usize), RuleError> {
    let inner = &text[start + 1..];
    let mut letters = inner.char_indices().peekable();
    let mut unescaped: Option<String> = None;
    while let Some((index, letter)) = letters.next() {
        match letter {
            '"' => {
                let name = unescaped.map_or(Cow::Borrowed(&inner[..index]), Cow::Owned);
                return Ok((Token::Quoted(name), index + 2));
            }
            '\\' if letters.peek().is_some_and(|(_, next)| matches!(next, '"' | '\\')) => {
                let name = unescaped.get_or_insert_with(|| inner[..index].to_owned());
                name.extend(letters.next().map(|(_, escaped)| escaped));
            }
            letter => {
                if let Some(name) = &mut unescaped {
                    name.push(letter);
                }
            }
        }
    }
    Err(RuleError { kind: RuleErrorKind::UnclosedQuote, span: Span { start, end: text.len() } })
}

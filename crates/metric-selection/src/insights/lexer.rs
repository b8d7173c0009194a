//! Text to tokens with spans. Knows quotes and escapes; keywords are the parser's.

use std::ops::Range;

use super::error::{InsightsError, InsightsProblem};

/// A token as the parser sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters, digits and `_`: a keyword, a name or a number.
    Word(&'a str),
    /// `"name"`, with quotes and escapes removed; not empty.
    Name(String),
    /// `'value'`, likewise; may be empty.
    Value(String),
    NotEqual,
    /// Any other character that is no blank.
    Symbol(char),
    End,
}

/// A token, and the bytes that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spanned<'a> {
    pub(super) token: Token<'a>,
    pub(super) span: Range<usize>,
}

/// All tokens of a query; the last is [`Token::End`].
pub(super) fn tokens(query: &str) -> Result<Vec<Spanned<'_>>, InsightsError> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    loop {
        let start = query.len() - query[offset..].trim_start().len();
        let (token, length) = token(&query[start..])
            .map_err(|problem| InsightsError::new(problem, query, start..query.len()))?;
        offset = start + length;
        let ended = token == Token::End;
        tokens.push(Spanned { token, span: start..offset });
        if ended {
            return Ok(tokens);
        }
    }
}

/// The token at the start of `rest`, and its length.
fn token(rest: &str) -> Result<(Token<'_>, usize), InsightsProblem> {
    let Some(first) = rest.chars().next() else { return Ok((Token::End, 0)) };
    let word = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
    Ok(match first {
        '"' => match quoted(rest, '"')? {
            (name, _) if name.is_empty() => return Err(InsightsProblem::NothingQuoted),
            (name, length) => (Token::Name(name), length),
        },
        '\'' => {
            let (value, length) = quoted(rest, '\'')?;
            (Token::Value(value), length)
        }
        '!' if rest.starts_with("!=") => (Token::NotEqual, 2),
        _ if word > 0 => (Token::Word(&rest[..word]), word),
        other => (Token::Symbol(other), other.len_utf8()),
    })
}

/// What a quote holds, and its length. A backslash escapes quotes of both kinds (the guide) and itself;
/// before anything else it stands for itself.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), InsightsProblem> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Ok((text, at + 1));
        }
        let escaped = if character == '\\' {
            characters.next_if(|(_, next)| matches!(next, '"' | '\'' | '\\'))
        } else {
            None
        };
        text.push(escaped.map_or(character, |(_, escaped)| escaped));
    }
    Err(InsightsProblem::Unclosed)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

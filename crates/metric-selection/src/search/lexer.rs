//! Text to tokens with spans. Braces have rules of their own, in which a comma separates names; elsewhere it
//! is part of a term, like all that is no letter.

use std::ops::Range;

use super::error::{SearchError, SearchProblem};

/// A token as the parser sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Bare(&'a str),
    /// With quotes and escapes removed; not empty.
    Quoted(String),
    And,
    Or,
    Not,
    Open,
    Close,
    Equals,
    /// `{`, `}` and, between them, `,`.
    Brace(char),
    End,
}

/// A token, and the bytes that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spanned<'a> {
    pub(super) token: Token<'a>,
    pub(super) span: Range<usize>,
}

/// Cuts a search into tokens, from left to right.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    search: &'a str,
    /// Where the rest begins.
    offset: usize,
    in_braces: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(search: &'a str) -> Self {
        Self { search, offset: 0, in_braces: false }
    }

    /// The next token; [`Token::End`] again and again at the end.
    pub(super) fn next_token(&mut self) -> Result<Spanned<'a>, SearchError> {
        self.offset = self.search.len() - self.rest().trim_start().len();
        let start = self.offset;
        let token = match self.rest().chars().next() {
            None => Token::End,
            Some('"') => Token::Quoted(self.quoted()?),
            Some('(') => self.symbol('(', Token::Open),
            Some(')') => self.symbol(')', Token::Close),
            Some('=') => self.symbol('=', Token::Equals),
            Some(brace @ ('{' | '}')) => {
                self.in_braces = brace == '{';
                self.symbol(brace, Token::Brace(brace))
            }
            Some(',') if self.in_braces => self.symbol(',', Token::Brace(',')),
            Some(_) => self.bare(),
        };
        Ok(Spanned { token, span: start..self.offset })
    }

    /// Passes the comma that AWS's examples have behind a schema, as in `{AWS/ECS, ClusterName},
    /// CPUUtilization`.
    pub(super) fn skip_comma(&mut self) {
        let rest = self.rest().trim_start();
        if let Some(behind) = rest.strip_prefix(',') {
            self.offset = self.search.len() - behind.len();
        }
    }

    fn symbol(&mut self, character: char, token: Token<'a>) -> Token<'a> {
        self.offset += character.len_utf8();
        token
    }

    /// `"…"`. The guide wants `"`, `\`, `(` and `)` escaped; parentheses are clear without it. An apostrophe
    /// is escaped by clients because the search stands in single quotes. Any other backslash stands for
    /// itself.
    fn quoted(&mut self) -> Result<String, SearchError> {
        let start = self.offset;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' if text.is_empty() => {
                    return Err(self.error(SearchProblem::NothingQuoted, start..start + at + 1));
                }
                '"' => {
                    self.offset += at + 1;
                    return Ok(text);
                }
                '\\' => {
                    let escaped =
                        characters.next_if(|(_, next)| matches!(next, '"' | '\\' | '(' | ')' | '\''));
                    text.push(escaped.map_or('\\', |(_, escaped)| escaped));
                }
                _ => text.push(character),
            }
        }
        Err(self.error(SearchProblem::Unclosed, start..self.search.len()))
    }

    fn bare(&mut self) -> Token<'a> {
        let rest = self.rest();
        let ends = |character| !is_bare(character) || self.in_braces && character == ',';
        let (word, _) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.offset += word.len();
        match word {
            "AND" if !self.in_braces => Token::And,
            "OR" if !self.in_braces => Token::Or,
            "NOT" if !self.in_braces => Token::Not,
            _ => Token::Bare(word),
        }
    }

    fn rest(&self) -> &'a str {
        &self.search[self.offset..]
    }

    pub(super) fn error(&self, problem: SearchProblem, span: Range<usize>) -> SearchError {
        SearchError::new(problem, self.search, span)
    }
}

/// What a term may hold without quotes: "any non-alphanumeric characters" (the guide), but for those with a
/// meaning.
pub(super) fn is_bare(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, '"' | '(' | ')' | '=' | '{' | '}')
}

/// Operators are upper-case; `and`, `or` and `not` are terms.
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(word, "AND" | "OR" | "NOT")
}

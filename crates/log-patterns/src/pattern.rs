//! A pattern: the tokens that messages of one kind share.

use std::fmt;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use crate::token::{Piece, Token, VariableKind, pieces};

/// What a varying token is written as.
const VARIABLE: &str = "<*>";

/// The shape of messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern {
    tokens: Vec<Token>,
}

/// Names a pattern by what it says: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatternId(pub String);

impl Pattern {
    /// The pattern of one message: what looks as if it varied does.
    pub fn of(message: &str) -> Self {
        Self::of_pieces(&pieces(message))
    }

    /// The pattern of one text alone, in which nothing varies.
    pub fn of_fixed(text: &str) -> Self {
        Self { tokens: vec![Token::Fixed(text.to_owned())] }
    }

    pub(crate) fn of_pieces(pieces: &[Piece<'_>]) -> Self {
        let token = |piece: &Piece<'_>| match piece.kind {
            Some(kind) => Token::Variable(kind),
            None => Token::Fixed(piece.text.to_owned()),
        };
        Self { tokens: pieces.iter().map(token).collect() }
    }

    /// Its tokens.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Its name.
    pub fn id(&self) -> PatternId {
        PatternId(hex::encode(Md5::digest(self.to_string())))
    }

    /// The regular expression of its messages.
    pub fn regex(&self) -> String {
        let mut regex = String::new();
        for token in &self.tokens {
            match token {
                Token::Fixed(text) => {
                    for character in text.chars() {
                        if r"\.+*?()|[]{}^$".contains(character) {
                            regex.push('\\');
                        }
                        regex.push(character);
                    }
                }
                Token::Variable(_) => regex.push_str(".*"),
            }
        }
        regex
    }

    /// What the varying tokens say in a message of this pattern, in order.
    pub fn values<'m>(&self, message: &'m str) -> Vec<&'m str> {
        let pieces = pieces(message);
        let varying =
            self.tokens.iter().zip(&pieces).filter(|(token, _)| matches!(token, Token::Variable(_)));
        varying.map(|(_, piece)| piece.text).collect()
    }

    /// How many tokens say the same as the message; `None` if the message is of another length, or begins
    /// otherwise.
    pub(crate) fn likeness(&self, pieces: &[Piece<'_>]) -> Option<usize> {
        if self.tokens.len() != pieces.len() {
            return None;
        }
        let alike = |(token, piece): (&Token, &Piece<'_>)| match token {
            Token::Fixed(text) => text == piece.text,
            Token::Variable(VariableKind::Word) => true,
            Token::Variable(_) => piece.kind.is_some(),
        };
        let first_word =
            |token: &Token| !matches!(token, Token::Fixed(text) if !text.starts_with(char::is_alphanumeric));
        if let Some(first) = self.tokens.iter().position(first_word)
            && !alike((&self.tokens[first], &pieces[first]))
        {
            return None;
        }
        Some(self.tokens.iter().zip(pieces).filter(|(token, piece)| alike((token, piece))).count())
    }

    /// The pattern of the messages of this one and of this message, which has as many tokens.
    pub(crate) fn with(&self, pieces: &[Piece<'_>]) -> Self {
        let token = |(token, piece): (&Token, &Piece<'_>)| match token {
            Token::Fixed(text) if text == piece.text => token.clone(),
            Token::Variable(kind) if Some(*kind) == piece.kind => token.clone(),
            // Two kinds of what varies by its look are identifiers of some form.
            Token::Variable(kind) if piece.kind.is_some() && *kind != VariableKind::Word => {
                Token::Variable(VariableKind::Id)
            }
            _ => Token::Variable(VariableKind::Word),
        };
        Self { tokens: self.tokens.iter().zip(pieces).map(token).collect() }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            formatter.write_str(match token {
                Token::Fixed(text) => text,
                Token::Variable(_) => VARIABLE,
            })?;
        }
        Ok(())
    }
}

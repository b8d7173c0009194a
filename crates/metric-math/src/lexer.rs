//! Text to tokens with spans. Knows no function and no id.

use crate::ast::Quote;
use crate::error::{MathError, Problem, Span};
use crate::operator::Operator;

/// The smallest piece of an expression that means something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Number(f64),
    /// An id, a function, or a word such as REPEAT: letters, digits and underscores, a letter first.
    Name(&'a str),
    Text {
        value: String,
        quote: Quote,
    },
    Operator(Operator),
    LeftParenthesis,
    RightParenthesis,
    LeftBracket,
    RightBracket,
    Comma,
    End,
}

/// Cuts a text into tokens, from left to right.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    /// Where the rest begins.
    offset: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, offset: 0 }
    }

    /// The next token and where it stands; [`Token::End`] from the end on.
    pub(crate) fn next_token(&mut self) -> Result<(Token<'a>, Span), MathError> {
        self.take_while(char::is_whitespace);
        let start = self.offset;
        let token = match self.peek() {
            None => Token::End,
            Some(first) if first.is_ascii_alphabetic() => self.name(),
            Some(first) if first.is_ascii_digit() || first == '.' => self.number()?,
            Some('\'') => self.quoted(Quote::Single)?,
            Some('"') => self.quoted(Quote::Double)?,
            Some(first) => self.sign(first)?,
        };
        Ok((token, start..self.offset))
    }

    fn name(&mut self) -> Token<'a> {
        match self.take_while(is_name) {
            "AND" => Token::Operator(Operator::And),
            "OR" => Token::Operator(Operator::Or),
            name => Token::Name(name),
        }
    }

    /// `2`, `50.25`, `.5`, `1e6`. A minus before it is an operator.
    fn number(&mut self) -> Result<Token<'a>, MathError> {
        let start = self.offset;
        self.take_while(|c| c.is_ascii_digit() || c == '.');
        if self.peek().is_some_and(|c| matches!(c, 'e' | 'E')) {
            self.advance('e');
            if self.peek().is_some_and(|c| matches!(c, '+' | '-')) {
                self.advance('+');
            }
        }
        self.take_while(|c| is_name(c) || c == '.');
        let written = &self.text[start..self.offset];
        match written.parse::<f64>() {
            Ok(number) if number.is_finite() && !written.ends_with('.') => Ok(Token::Number(number)),
            _ => Err(self.error(format!("`{written}` is not a number"), start..self.offset)),
        }
    }

    /// A quote within is written with a backslash before it. Any other backslash is left as it is, with the
    /// character after it: in SEARCH they mean something.
    fn quoted(&mut self, quote: Quote) -> Result<Token<'a>, MathError> {
        let start = self.offset;
        self.advance(quote.character());
        let mut value = String::new();
        while let Some(next) = self.peek() {
            self.advance(next);
            match (next, self.peek()) {
                ('\\', Some(escaped)) => {
                    self.advance(escaped);
                    if escaped != quote.character() {
                        value.push('\\');
                    }
                    value.push(escaped);
                }
                _ if next == quote.character() => return Ok(Token::Text { value, quote }),
                _ => value.push(next),
            }
        }
        Err(self.error("the text has no closing quote".to_owned(), start..self.offset))
    }

    fn sign(&mut self, first: char) -> Result<Token<'a>, MathError> {
        let rest = &self.text[self.offset..];
        let found = SIGNS.iter().find(|(written, _)| rest.starts_with(written));
        let Some((written, token)) = found else {
            let span = self.offset..self.offset + first.len_utf8();
            return Err(self.error(format!("unexpected `{first}`"), span));
        };
        self.offset += written.len();
        Ok(token.clone())
    }

    fn take_while(&mut self, taken: impl Fn(char) -> bool) -> &'a str {
        let start = self.offset;
        while let Some(next) = self.peek().filter(|next| taken(*next)) {
            self.advance(next);
        }
        &self.text[start..self.offset]
    }

    fn peek(&self) -> Option<char> {
        self.text[self.offset..].chars().next()
    }

    fn advance(&mut self, over: char) {
        self.offset += over.len_utf8();
    }

    fn error(&self, what: String, span: Span) -> MathError {
        MathError::new(Problem::Syntax(what), self.text, span)
    }
}

/// Longer ones before those that they begin with.
const SIGNS: &[(&str, Token<'static>)] = &[
    ("==", Token::Operator(Operator::Equal)),
    ("!=", Token::Operator(Operator::NotEqual)),
    ("<=", Token::Operator(Operator::LessOrEqual)),
    (">=", Token::Operator(Operator::GreaterOrEqual)),
    ("&&", Token::Operator(Operator::And)),
    ("||", Token::Operator(Operator::Or)),
    ("<", Token::Operator(Operator::Less)),
    (">", Token::Operator(Operator::Greater)),
    ("+", Token::Operator(Operator::Add)),
    ("-", Token::Operator(Operator::Subtract)),
    ("*", Token::Operator(Operator::Multiply)),
    ("/", Token::Operator(Operator::Divide)),
    ("^", Token::Operator(Operator::Power)),
    ("(", Token::LeftParenthesis),
    (")", Token::RightParenthesis),
    ("[", Token::LeftBracket),
    ("]", Token::RightBracket),
    (",", Token::Comma),
];

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

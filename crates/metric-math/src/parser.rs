//! Tokens to a tree. Knows operators and brackets; which functions exist and what they take is `check`'s to
//! say.

use crate::ast::{Expr, Node};
use crate::bounds::DEPTH_MAX;
use crate::error::{MathError, Problem, Span};
use crate::lexer::{Lexer, Token};
use crate::operator::{Level, Operator};

/// Parses a whole text, of any length.
pub(crate) fn parse(text: &str) -> Result<Expr, MathError> {
    let mut lexer = Lexer::new(text);
    let (token, span) = lexer.next_token()?;
    let mut parser = Parser { text, lexer, token, span, consumed: 0, depth: 0 };
    let root = parser.operation(Level::Or)?;
    match parser.token {
        Token::End => Ok(root),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The token that is looked at, and where it stands.
    token: Token<'a>,
    span: Span,
    /// Where the token before it ended.
    consumed: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Operands joined by operators that bind at least as tightly as `loosest`.
    fn operation(&mut self, loosest: Level) -> Result<Expr, MathError> {
        let start = self.span.start;
        let mut left = self.signed()?;
        while let Some(level) = self.operator().map(Operator::level).filter(|level| *level >= loosest) {
            let mut rest = Vec::new();
            while let Some(operator) = self.operator().filter(|operator| operator.level() == level) {
                self.advance()?;
                rest.push((operator, self.operation(level.tighter())?));
            }
            left = self.spanned(start, Node::Chain { first: Box::new(left), rest });
        }
        Ok(left)
    }

    /// `-` as often as it stands there, then a power: `-2 ^ 2` is −4.
    fn signed(&mut self) -> Result<Expr, MathError> {
        if self.token != Token::Operator(Operator::Subtract) {
            return self.power();
        }
        let start = self.span.start;
        self.advance()?;
        let operand = self.nested(Self::signed)?;
        Ok(self.spanned(start, Node::Negate(Box::new(operand))))
    }

    /// `a ^ b`, which joins to the right and takes a sign there: `2 ^ -1`.
    fn power(&mut self) -> Result<Expr, MathError> {
        let start = self.span.start;
        let base = self.primary()?;
        if self.token != Token::Operator(Operator::Power) {
            return Ok(base);
        }
        self.advance()?;
        let exponent = self.nested(Self::signed)?;
        Ok(self
            .spanned(start, Node::Chain { first: Box::new(base), rest: vec![(Operator::Power, exponent)] }))
    }

    fn primary(&mut self) -> Result<Expr, MathError> {
        let start = self.span.start;
        let node = match self.advance()? {
            Token::Number(number) => Node::Number(number),
            Token::Text { value, quote } => Node::Text { value, quote },
            Token::Name(name) if self.token == Token::LeftParenthesis => {
                self.advance()?;
                let arguments = self.list(&Token::RightParenthesis, "`)`")?;
                Node::Call { function: name.to_owned(), arguments }
            }
            Token::Name(name) if name.starts_with(|c: char| c.is_ascii_lowercase()) => {
                Node::Id(name.to_owned())
            }
            Token::Name(name) => Node::Word(name.to_owned()),
            Token::LeftParenthesis => {
                let inner = self.nested(|parser| parser.operation(Level::Or))?;
                self.expect(&Token::RightParenthesis, "`)`")?;
                return Ok(inner);
            }
            Token::LeftBracket => {
                let elements = self.list(&Token::RightBracket, "`]`")?;
                if elements.is_empty() {
                    let problem = Problem::syntax("an array needs an element");
                    return Err(MathError::new(problem, self.text, start..self.consumed));
                }
                Node::Array(elements)
            }
            Token::End => {
                let problem = Problem::syntax("the expression ends where an operand is expected");
                return Err(MathError::new(problem, self.text, start..start));
            }
            _ => {
                let found = &self.text[start..self.consumed];
                let problem = Problem::syntax(format!("expected an operand, not `{found}`"));
                return Err(MathError::new(problem, self.text, start..self.consumed));
            }
        };
        Ok(self.spanned(start, node))
    }

    /// Expressions separated by commas, and the `close` after them.
    fn list(&mut self, close: &Token<'static>, name: &str) -> Result<Vec<Expr>, MathError> {
        let mut parts = Vec::new();
        while self.token != *close {
            if !parts.is_empty() {
                self.expect(&Token::Comma, &format!("`,` or {name}"))?;
            }
            parts.push(self.nested(|parser| parser.operation(Level::Or))?);
        }
        self.advance()?;
        Ok(parts)
    }

    /// One level deeper. Bounds the depth of the tree, and so all recursion over it.
    fn nested(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<Expr, MathError>,
    ) -> Result<Expr, MathError> {
        if self.depth == DEPTH_MAX {
            return Err(MathError::new(Problem::TooDeep, self.text, self.span.clone()));
        }
        self.depth += 1;
        let inner = parse(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    fn operator(&self) -> Option<Operator> {
        match self.token {
            Token::Operator(operator) => Some(operator),
            _ => None,
        }
    }

    fn expect(&mut self, token: &Token<'static>, name: &str) -> Result<(), MathError> {
        if self.token != *token {
            return Err(self.unexpected(name));
        }
        self.advance()?;
        Ok(())
    }

    /// Moves on, and gives the token that was looked at.
    fn advance(&mut self) -> Result<Token<'a>, MathError> {
        self.consumed = self.span.end;
        let (next, span) = self.lexer.next_token()?;
        self.span = span;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// A part that began at `start` and has just ended.
    fn spanned(&self, start: usize, node: Node) -> Expr {
        Expr { node, span: start..self.consumed }
    }

    fn unexpected(&self, expected: &str) -> MathError {
        let found = match &self.text[self.span.clone()] {
            "" => "the end".to_owned(),
            found => format!("`{found}`"),
        };
        let problem = Problem::syntax(format!("expected {expected}, not {found}"));
        MathError::new(problem, self.text, self.span.clone())
    }
}

//! The grammar, one function a rule:
//!
//! ```text
//! search    = [ schema [","] ] [ any ]
//! schema    = "{" name { "," name } "}"
//! any       = all { "OR" all }
//! all       = one { [ "AND" ] one }
//! one       = "NOT" one | "(" any ")" | property "=" ( term | "(" any ")" ) | term
//! ```
//!
//! That `AND` binds tighter than `OR`, as everywhere, is not in AWS's guide.

use super::ast::{Condition, Property, Query, Schema, Term};
use super::error::{SearchError, SearchProblem};
use super::lexer::{Lexer, Spanned, Token};
use super::tokens::without_outer_separators;
use super::{MAX_CHARACTERS, MAX_DEPTH};

pub(super) fn parse(search: &str) -> Result<Query, SearchError> {
    if let Some((over, _)) = search.char_indices().nth(MAX_CHARACTERS) {
        return Err(SearchError::new(SearchProblem::TooLong, search, over..search.len()));
    }
    let mut lexer = Lexer::new(search);
    let next = lexer.next_token()?;
    let mut parser = Parser { lexer, next, depth: 0, within: false };
    let schema = if parser.next.token == Token::Brace('{') { Some(parser.schema()?) } else { None };
    let condition = if parser.next.token == Token::End { None } else { Some(parser.any()?) };
    match parser.next.token {
        Token::End if schema.is_none() && condition.is_none() => Err(parser.error(SearchProblem::Empty)),
        Token::End => Ok(Query { schema, condition }),
        _ => Err(parser.expected("a search term or the end")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Spanned<'a>,
    depth: usize,
    /// Whether this is within the parentheses of a property.
    within: bool,
}

impl<'a> Parser<'a> {
    fn schema(&mut self) -> Result<Schema, SearchError> {
        self.advance()?;
        let namespace = self.name("a namespace")?;
        let mut dimensions = Vec::new();
        while self.next.token == Token::Brace(',') {
            self.advance()?;
            dimensions.push(self.name("a dimension name")?);
        }
        if self.next.token != Token::Brace('}') {
            // Two words in a row are a name with a blank in it.
            return Err(self.expected("`,` or `}` (a name with special characters stands in double quotes)"));
        }
        self.lexer.skip_comma();
        self.advance()?;
        Ok(Schema { namespace, dimensions })
    }

    fn name(&mut self, expected: &'static str) -> Result<String, SearchError> {
        match self.next.token.clone() {
            Token::Bare(name) => self.then(name.to_owned()),
            Token::Quoted(name) => self.then(name),
            _ => Err(self.expected(expected)),
        }
    }

    fn any(&mut self) -> Result<Condition, SearchError> {
        let mut parts = vec![self.all()?];
        while self.next.token == Token::Or {
            self.advance()?;
            parts.push(self.all()?);
        }
        Ok(single_or(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, SearchError> {
        let mut parts = vec![self.one()?];
        loop {
            match self.next.token {
                Token::And => self.advance()?,
                Token::Bare(_) | Token::Quoted(_) | Token::Not | Token::Open => {}
                _ => return Ok(single_or(parts, Condition::All)),
            }
            parts.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Condition, SearchError> {
        match self.next.token {
            Token::Not => {
                self.deeper()?;
                self.advance()?;
                let inner = self.one()?;
                self.depth -= 1;
                Ok(Condition::Not(Box::new(inner)))
            }
            Token::Open => self.group(),
            Token::Bare(_) | Token::Quoted(_) => self.term_or_property(),
            Token::Brace('{') => Err(self.expected("a search term (a schema comes first, and once)")),
            _ => Err(self.expected("a search term")),
        }
    }

    fn group(&mut self) -> Result<Condition, SearchError> {
        self.deeper()?;
        self.advance()?;
        let inner = self.any()?;
        if self.next.token != Token::Close {
            return Err(self.expected("a search term or `)`"));
        }
        self.advance()?;
        self.depth -= 1;
        Ok(inner)
    }

    fn term_or_property(&mut self) -> Result<Condition, SearchError> {
        let first = self.next.clone();
        self.advance()?;
        if self.next.token != Token::Equals {
            return self.term(first).map(Condition::Term);
        }
        let property = self.property(first)?;
        self.advance()?;
        let inner = match self.next.token {
            Token::Open => {
                self.within = true;
                let inner = self.group()?;
                self.within = false;
                inner
            }
            Token::Bare(_) | Token::Quoted(_) => {
                let value = self.next.clone();
                self.advance()?;
                Condition::Term(self.term(value)?)
            }
            _ => return Err(self.expected("a value, or values in parentheses")),
        };
        Ok(Condition::Within(property, Box::new(inner)))
    }

    fn property(&self, Spanned { token, span }: Spanned<'a>) -> Result<Property, SearchError> {
        let property = match token {
            Token::Bare("Namespace") => Property::Namespace,
            Token::Bare("MetricName") => Property::MetricName,
            // AWS's own properties begin with a colon, no dimension's name does.
            Token::Bare(name) if name.starts_with(':') => {
                return Err(self.lexer.error(SearchProblem::OtherAccounts(name.to_owned()), span));
            }
            Token::Bare(name) => Property::Dimension(name.to_owned()),
            Token::Quoted(name) => Property::Dimension(name),
            _ => return Err(self.expected("a property")),
        };
        if self.within {
            return Err(self.lexer.error(SearchProblem::NestedProperty(property.to_string()), span));
        }
        Ok(property)
    }

    fn term(&self, Spanned { token, span }: Spanned<'a>) -> Result<Term, SearchError> {
        match token {
            Token::Quoted(text) => Ok(Term::Exact(text)),
            Token::Bare(word) => match without_outer_separators(word) {
                "" => Err(self.lexer.error(SearchProblem::NoToken(word.to_owned()), span)),
                term => Ok(Term::Partial(term.to_owned())),
            },
            _ => Err(self.expected("a search term")),
        }
    }

    fn deeper(&mut self) -> Result<(), SearchError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.error(SearchProblem::TooDeep)) } else { Ok(()) }
    }

    fn advance(&mut self) -> Result<(), SearchError> {
        self.next = self.lexer.next_token()?;
        Ok(())
    }

    fn then<T>(&mut self, value: T) -> Result<T, SearchError> {
        self.advance()?;
        Ok(value)
    }

    fn expected(&self, expected: &'static str) -> SearchError {
        let found = match &self.next.token {
            Token::End => "the end".to_owned(),
            Token::Bare(word) => format!("`{word}`"),
            Token::Quoted(text) => format!("`\"{text}\"`"),
            Token::And => "`AND`".to_owned(),
            Token::Or => "`OR`".to_owned(),
            Token::Not => "`NOT`".to_owned(),
            Token::Open => "`(`".to_owned(),
            Token::Close => "`)`".to_owned(),
            Token::Equals => "`=`".to_owned(),
            Token::Brace(brace) => format!("`{brace}`"),
        };
        self.error(SearchProblem::Expected { expected, found })
    }

    fn error(&self, problem: SearchProblem) -> SearchError {
        self.lexer.error(problem, self.next.span.clone())
    }
}

fn single_or(mut parts: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}

//! The grammar, by recursive descent: one function a level of binding. Bounds what a rule may hold.

use std::collections::BTreeSet;

use super::ast::{Expression, Quorum, Reference, StateTest};
use super::error::{RuleError, RuleErrorKind, Span};
use super::lexer::{Token, tokens};
use crate::alarm::StateValue;

/// AWS's limit: how many different alarms a rule may name.
const CHILDREN_MAX: usize = 100;

/// AWS's limit: mentions of alarms, `TRUE`s, `FALSE`s and parentheses together.
const ELEMENTS_MAX: usize = 500;

/// How deep a rule may be nested. AWS's limit on elements bounds parentheses; this one bounds `NOT NOT NOT …`
/// too.
const DEPTH_MAX: usize = 500;

/// How much of a token an error shows.
const FOUND_CHARS_MAX: usize = 64;

/// Reads a whole rule.
pub(super) fn parse(text: &str) -> Result<Expression, RuleError> {
    let mut parser =
        Parser { text, tokens: tokens(text)?, at: 0, depth: 0, elements: 0, children: BTreeSet::new() };
    let expression = parser.or()?;
    parser.expect(&Token::End, "AND, OR or the end of the rule")?;
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token<'a>, Span)>,
    at: usize,
    depth: usize,
    elements: usize,
    children: BTreeSet<String>,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Expression, RuleError> {
        self.chain("OR", Self::and, Expression::Or)
    }

    fn and(&mut self) -> Result<Expression, RuleError> {
        self.chain("AND", Self::operand, Expression::And)
    }

    /// One or more of the next tighter level with `operator` between them.
    fn chain(
        &mut self,
        operator: &str,
        tighter: impl Fn(&mut Self) -> Result<Expression, RuleError>,
        combine: impl Fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, RuleError> {
        let first = tighter(self)?;
        let mut parts = vec![first];
        while self.take_word(operator) {
            parts.push(tighter(self)?);
        }
        let single = parts.len() == 1;
        Ok(if single { parts.remove(0) } else { combine(parts) })
    }

    fn operand(&mut self) -> Result<Expression, RuleError> {
        let (token, span) = self.peek().clone();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_many("levels of nesting", DEPTH_MAX, span));
        }
        let expression = match token {
            Token::Open => {
                self.open()?;
                let inner = self.or()?;
                self.close()?;
                inner
            }
            Token::Word(word) => self.word(word, span)?,
            _ => return Err(self.unexpected("a condition")),
        };
        self.depth -= 1;
        Ok(expression)
    }

    /// What begins with a word: NOT, TRUE, FALSE, a state or AT_LEAST.
    fn word(&mut self, word: &str, span: Span) -> Result<Expression, RuleError> {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if is("NOT") {
            self.at += 1;
            return Ok(Expression::Not(Box::new(self.operand()?)));
        }
        if is("TRUE") || is("FALSE") {
            self.at += 1;
            self.count_element(span)?;
            return Ok(Expression::Constant(is("TRUE")));
        }
        if is("AT_LEAST") {
            self.at += 1;
            return self.at_least();
        }
        let Some(state) = state(word) else { return Err(self.unexpected("a condition")) };
        self.at += 1;
        self.open()?;
        let alarm = self.reference()?;
        self.close()?;
        Ok(Expression::Is(state, alarm))
    }

    fn at_least(&mut self) -> Result<Expression, RuleError> {
        self.open()?;
        let (token, span) = self.peek().clone();
        let Some(quorum) = quorum(&token) else { return Err(self.unexpected("a number or a percentage")) };
        self.at += 1;
        self.comma()?;
        let negated = self.take_word("NOT");
        let state = match self.peek() {
            (Token::Word(word), _) => state(word),
            _ => None,
        };
        let Some(state) = state else { return Err(self.unexpected("OK, ALARM or INSUFFICIENT_DATA")) };
        self.at += 1;
        self.comma()?;
        self.open()?;
        let mut alarms = vec![self.reference()?];
        while self.peek().0 == Token::Comma {
            self.at += 1;
            alarms.push(self.reference()?);
        }
        self.close()?;
        self.close()?;
        let possible = match quorum {
            Quorum::Count(count) => (1..=alarms.len()).contains(&count),
            Quorum::Percent(percent) => (1..=100).contains(&percent),
        };
        if !possible {
            return Err(RuleError { kind: RuleErrorKind::Quorum { alarms: alarms.len() }, span });
        }
        Ok(Expression::AtLeast { quorum, test: StateTest { state, negated }, alarms })
    }

    fn reference(&mut self) -> Result<Reference, RuleError> {
        let (token, span) = self.peek().clone();
        let text = match token {
            Token::Word(word) => word.to_owned(),
            Token::Quoted(name) if !name.is_empty() => name.into_owned(),
            _ => return Err(self.unexpected("the name or ARN of an alarm")),
        };
        self.at += 1;
        self.count_element(span)?;
        let reference = Reference(text);
        self.children.insert(reference.name().to_owned());
        if self.children.len() > CHILDREN_MAX {
            return Err(too_many("different alarms", CHILDREN_MAX, span));
        }
        Ok(reference)
    }

    fn open(&mut self) -> Result<(), RuleError> {
        let span = self.expect(&Token::Open, "'('")?;
        self.count_element(span)
    }

    fn close(&mut self) -> Result<(), RuleError> {
        let span = self.expect(&Token::Close, "')'")?;
        self.count_element(span)
    }

    fn comma(&mut self) -> Result<(), RuleError> {
        self.expect(&Token::Comma, "','").map(|_| ())
    }

    fn count_element(&mut self, span: Span) -> Result<(), RuleError> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(too_many("elements", ELEMENTS_MAX, span));
        }
        Ok(())
    }

    fn peek(&self) -> &(Token<'a>, Span) {
        // The last token is `End`, and nothing steps over it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek().0, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token<'_>, expected: &'static str) -> Result<Span, RuleError> {
        let (found, span) = self.peek();
        if found != token {
            return Err(self.instead_of(token.symbol(), expected));
        }
        let span = *span;
        self.at += 1;
        Ok(span)
    }

    fn unexpected(&self, expected: &'static str) -> RuleError {
        self.instead_of(None, expected)
    }

    /// The next token stands where `expected` should; `must_be` is that if it is one token.
    fn instead_of(&self, must_be: Option<&'static str>, expected: &'static str) -> RuleError {
        let (found, span) = self.peek();
        let kind = match found {
            Token::End => RuleErrorKind::End { expected },
            _ => {
                let found = self.text[span.start..span.end].chars().take(FOUND_CHARS_MAX).collect();
                RuleErrorKind::Token { found, must_be }
            }
        };
        RuleError { kind, span: *span }
    }
}

fn state(word: &str) -> Option<StateValue> {
    StateValue::from_name(&word.to_ascii_uppercase())
}

fn quorum(token: &Token<'_>) -> Option<Quorum> {
    let Token::Word(word) = token else { return None };
    let (digits, quorum): (_, fn(usize) -> Quorum) = match word.strip_suffix('%') {
        Some(digits) => (digits, Quorum::Percent),
        None => (*word, Quorum::Count),
    };
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits).map(quorum)
}

fn too_many(what: &'static str, limit: usize, span: Span) -> RuleError {
    RuleError { kind: RuleErrorKind::TooMany { what, limit }, span }
}

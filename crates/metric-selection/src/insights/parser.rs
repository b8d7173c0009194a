//! The grammar, one function a clause. Keywords in any case; names and values as they are written:
//!
//! ```text
//! query     = "SELECT" function "(" name ")" "FROM" source
//!             [ "WHERE" condition { "AND" condition } ] [ "GROUP" "BY" label { "," label } ]
//!             [ "ORDER" "BY" function "(" ")" [ "ASC" | "DESC" ] ] [ "LIMIT" number ] [ ";" ]
//! source    = name | "SCHEMA" "(" name { "," name } ")"
//! condition = label ( "=" | "!=" ) ( 'value' | "CURRENT_ACCOUNT_ID" "(" ")" )
//! label     = name | "AWS" "." "AccountId" | "tag" "." name
//! ```
//!
//! The semicolon is not in AWS's grammar but in the examples of its page on alarms.

use std::ops::Range;

use super::ast::{Condition, Function, Label, Located, Order, Query, Source, Value};
use super::error::{InsightsError, InsightsProblem};
use super::lexer::{Spanned, Token, tokens};
use super::reserved::is_reserved;
use super::unsupported::{self, Clause};
use super::{MAX_CHARACTERS, MAX_GROUPS};

pub(super) fn parse(query: &str) -> Result<Query, InsightsError> {
    if let Some((over, _)) = query.char_indices().nth(MAX_CHARACTERS) {
        return Err(InsightsError::new(InsightsProblem::TooLong, query, over..query.len()));
    }
    let parser = Parser { query, tokens: &tokens(query)?, clause: Clause::Select };
    parser.query()
}

struct Parser<'a> {
    query: &'a str,
    /// What is left; never empty, as [`Token::End`] is never passed.
    tokens: &'a [Spanned<'a>],
    clause: Clause,
}

impl<'a> Parser<'a> {
    fn query(mut self) -> Result<Query, InsightsError> {
        let (function, metric) = self.select()?;
        let from = self.from()?;
        let conditions = self.conditions()?;
        let group_by = self.group_by()?;
        let order_by = self.order_by()?;
        let limit = self.limit()?;
        if self.take_symbol(';') && self.next().token != Token::End {
            return Err(self.error(unsupported::second_query()));
        }
        match self.next().token {
            Token::End => Ok(Query { function, metric, from, conditions, group_by, order_by, limit }),
            _ => Err(self.expected(self.what_can_follow())),
        }
    }

    fn select(&mut self) -> Result<(Function, String), InsightsError> {
        if !self.take_keyword("SELECT") {
            return Err(self.expected("SELECT"));
        }
        let function = self.function("AVG, COUNT, MAX, MIN or SUM")?;
        self.symbol('(', "`(`")?;
        let metric = self.name("a metric's name")?;
        self.symbol(')', "`)`")?;
        self.clause = Clause::Selected;
        Ok((function, metric))
    }

    fn from(&mut self) -> Result<Source, InsightsError> {
        if !self.take_keyword("FROM") {
            return Err(self.expected("FROM"));
        }
        self.clause = Clause::From;
        if !self.take_keyword("SCHEMA") {
            return Ok(Source::Namespace(self.name("a namespace or SCHEMA")?));
        }
        self.symbol('(', "`(`")?;
        let namespace = self.name("a namespace")?;
        let mut dimensions: Vec<String> = Vec::new();
        while self.take_symbol(',') {
            let span = self.next().span.clone();
            let name = self.name("a dimension's name")?;
            if dimensions.contains(&name) {
                return Err(self.error_at(InsightsProblem::Repeated(name), span));
            }
            dimensions.push(name);
        }
        self.symbol(')', "`,` or `)`")?;
        Ok(Source::Schema { namespace, dimensions })
    }

    fn conditions(&mut self) -> Result<Vec<Condition>, InsightsError> {
        let mut conditions = Vec::new();
        if self.take_keyword("WHERE") {
            self.clause = Clause::Where;
            conditions.push(self.condition()?);
            while self.take_keyword("AND") {
                conditions.push(self.condition()?);
            }
        }
        Ok(conditions)
    }

    fn condition(&mut self) -> Result<Condition, InsightsError> {
        let label = self.label()?;
        let equal = self.take_symbol('=');
        if !equal && !self.take(|token| *token == Token::NotEqual) {
            return Err(self.expected("`=` or `!=`"));
        }
        let value = self.value(&label.node)?;
        Ok(Condition { label, equal, value })
    }

    fn value(&mut self, label: &Label) -> Result<Value, InsightsError> {
        let problem = match &self.next().token {
            Token::Value(text) => {
                let value = Value::Text(text.clone());
                self.advance();
                return Ok(value);
            }
            Token::Word(word) if word.eq_ignore_ascii_case("CURRENT_ACCOUNT_ID") => {
                if *label != Label::AccountId {
                    return Err(self.error(InsightsProblem::NotAnAccount));
                }
                self.advance();
                self.symbol('(', "`(`")?;
                self.symbol(')', "`)`")?;
                return Ok(Value::CurrentAccount);
            }
            Token::Word(_) | Token::Name(_) => InsightsProblem::ValueNeedsQuotes(self.found()),
            _ => return Err(self.expected("a value in single quotes")),
        };
        Err(self.error(problem))
    }

    fn group_by(&mut self) -> Result<Vec<Located<Label>>, InsightsError> {
        let mut labels: Vec<Located<Label>> = Vec::new();
        if !self.take_keywords("GROUP", "BY")? {
            return Ok(labels);
        }
        self.clause = Clause::GroupBy;
        loop {
            let label = self.label()?;
            if labels.contains(&label) {
                return Err(self.error_at(InsightsProblem::Repeated(label.node.to_string()), label.span));
            }
            labels.push(label);
            if !self.take_symbol(',') {
                return Ok(labels);
            }
        }
    }

    fn order_by(&mut self) -> Result<Option<Order>, InsightsError> {
        if !self.take_keywords("ORDER", "BY")? {
            return Ok(None);
        }
        self.clause = Clause::OrderBy;
        let function = self.function("AVG(), COUNT(), MAX(), MIN() or SUM()")?;
        self.symbol('(', "`(`")?;
        if !self.take_symbol(')') {
            return Err(self.error(unsupported::order_argument()));
        }
        let descending = self.take_keyword("DESC");
        if !descending {
            self.take_keyword("ASC");
        }
        Ok(Some(Order { function, descending }))
    }

    fn limit(&mut self) -> Result<Option<usize>, InsightsError> {
        if !self.take_keyword("LIMIT") {
            return Ok(None);
        }
        self.clause = Clause::Limit;
        let Token::Word(word) = self.next().token else { return Err(self.expected("a number")) };
        if !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.expected("a number"));
        }
        match word.parse() {
            Ok(limit) if (1..=MAX_GROUPS).contains(&limit) => {
                self.advance();
                Ok(Some(limit))
            }
            _ => Err(self.error(InsightsProblem::LimitOutOfRange(shortened(word)))),
        }
    }

    fn function(&mut self, expected: &'static str) -> Result<Function, InsightsError> {
        let Token::Word(word) = self.next().token else { return Err(self.expected(expected)) };
        match Function::named(&word.to_ascii_uppercase()) {
            Some(function) => {
                self.advance();
                Ok(function)
            }
            None if self.second().token == Token::Symbol('(') => {
                Err(self.error(unsupported::function(&shortened(word))))
            }
            None => Err(self.expected(expected)),
        }
    }

    /// A label. `AWS.AccountId` means the same in quotes, as Grafana writes it: no dimension is called so.
    /// Other names in quotes are dimensions, `"tag.env"` too.
    fn label(&mut self) -> Result<Located<Label>, InsightsError> {
        let start = self.next().span.clone();
        let first = self.next().token.clone();
        let dotted = self.second().token == Token::Symbol('.');
        let label = match first {
            Token::Word("AWS") if dotted && self.third().token == Token::Word("AccountId") => {
                (0..3).for_each(|_| self.advance());
                Label::AccountId
            }
            Token::Word("tag") if dotted => {
                (0..2).for_each(|_| self.advance());
                Label::Tag(self.name("a tag's key")?)
            }
            Token::Name(name) if name == "AWS.AccountId" => {
                self.advance();
                Label::AccountId
            }
            _ => Label::Dimension(self.name("a label")?),
        };
        let before_next = self.query[..self.next().span.start].trim_end().len();
        let span = start.start..before_next;
        let position = self.query[..span.start].chars().count() + 1;
        Ok(Located { node: label, span, position })
    }

    /// A namespace, a metric's name, a dimension's name or a tag's key.
    fn name(&mut self, expected: &'static str) -> Result<String, InsightsError> {
        let name = match &self.next().token {
            Token::Name(name) => name.clone(),
            Token::Word(word) => {
                if let Some(problem) = self.problem_with_bare(word) {
                    return Err(problem);
                }
                (*word).to_owned()
            }
            _ => return Err(self.expected(expected)),
        };
        self.advance();
        Ok(name)
    }

    fn problem_with_bare(&self, word: &str) -> Option<InsightsError> {
        let (word_span, next) = (&self.next().span, self.second());
        if let Token::Symbol(symbol) = next.token
            && next.span.start == word_span.end
            && !matches!(symbol, '(' | ')' | ',' | '=' | ';' | '<' | '>' | '!')
        {
            let span = word_span.start..next.span.end;
            return Some(self.error_at(InsightsProblem::NeedsQuotes(symbol), span));
        }
        if !is_reserved(word) {
            return None;
        }
        // Where a name is wanted, `WHERE NOT a = 'b'` is rather SQL than a dimension called NOT.
        let sql = unsupported::word(word).filter(|_| matches!(next.token, Token::Word(_) | Token::Name(_)));
        Some(self.error(sql.unwrap_or_else(|| InsightsProblem::Reserved(word.to_owned()))))
    }

    fn what_can_follow(&self) -> &'static str {
        match self.clause {
            Clause::Select | Clause::Selected | Clause::From => "WHERE, GROUP BY, ORDER BY, LIMIT or the end",
            Clause::Where => "AND, GROUP BY, ORDER BY, LIMIT or the end",
            Clause::GroupBy => "`,`, ORDER BY, LIMIT or the end",
            Clause::OrderBy => "ASC, DESC, LIMIT or the end",
            Clause::Limit => "the end",
        }
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        self.take(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword)))
    }

    fn take_keywords(&mut self, first: &str, by: &'static str) -> Result<bool, InsightsError> {
        match self.take_keyword(first) {
            true if self.take_keyword(by) => Ok(true),
            true => Err(self.expected(by)),
            false => Ok(false),
        }
    }

    fn take_symbol(&mut self, symbol: char) -> bool {
        self.take(|token| *token == Token::Symbol(symbol))
    }

    fn symbol(&mut self, symbol: char, expected: &'static str) -> Result<(), InsightsError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn take(&mut self, wanted: impl Fn(&Token<'_>) -> bool) -> bool {
        let taken = wanted(&self.next().token);
        if taken {
            self.advance();
        }
        taken
    }

    fn advance(&mut self) {
        if let [_, rest @ ..] = self.tokens
            && !rest.is_empty()
        {
            self.tokens = rest;
        }
    }

    fn next(&self) -> &'a Spanned<'a> {
        &self.tokens[0]
    }

    fn second(&self) -> &'a Spanned<'a> {
        self.tokens.get(1).unwrap_or(&self.tokens[0])
    }

    fn third(&self) -> &'a Spanned<'a> {
        self.tokens.get(2).unwrap_or(&self.tokens[0])
    }

    /// What is wrong with the next token, where `expected` could have stood.
    fn expected(&self, expected: &'static str) -> InsightsError {
        let known = match self.next().token {
            Token::Word(word) => unsupported::word(word),
            Token::Symbol(symbol) => unsupported::symbol(self.clause, symbol),
            _ => None,
        };
        self.error(known.unwrap_or_else(|| InsightsProblem::Expected { expected, found: self.found() }))
    }

    fn found(&self) -> String {
        let span = self.next().span.clone();
        if span.is_empty() { "the end".to_owned() } else { format!("`{}`", shortened(&self.query[span])) }
    }

    fn error(&self, problem: InsightsProblem) -> InsightsError {
        self.error_at(problem, self.next().span.clone())
    }

    fn error_at(&self, problem: InsightsProblem, span: Range<usize>) -> InsightsError {
        InsightsError::new(problem, self.query, span)
    }
}

/// As much of a token as a message can hold.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

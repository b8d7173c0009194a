//! An expression as it was written: parsed, but not yet related to other entries.

use std::collections::HashSet;
use std::fmt;

use crate::ast::{Expr, Node};
use crate::bounds::EXPRESSION_CHARS_MAX;
use crate::error::{MathError, Problem, Span};
use crate::functions::METRICS;
use crate::parser;

/// A parsed expression. Prints itself in a uniform way.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    root: Expr,
}

/// An id that an expression uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The id.
    pub id: &'a str,
    /// Where it is used first.
    pub span: Span,
}

impl Expression {
    /// Parses a text. That functions exist and get what they take is for [`check`](Self::check) to say.
    pub fn parse(text: &str) -> Result<Self, MathError> {
        if text.chars().nth(EXPRESSION_CHARS_MAX).is_some() {
            return Err(MathError::new(Problem::TooLong, text, 0..text.len()));
        }
        Ok(Self { text: text.to_owned(), root: parser::parse(text)? })
    }

    /// The text that was parsed; spans are about it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree.
    pub fn root(&self) -> &Expr {
        &self.root
    }

    /// The ids that it uses, each once, in the order of their first use. METRICS() is not among them.
    pub fn references(&self) -> Vec<Reference<'_>> {
        let mut seen = HashSet::new();
        let mut references = Vec::new();
        self.root.visit(&mut |expr| {
            if let Node::Id(id) = &expr.node
                && seen.insert(id.as_str())
            {
                references.push(Reference { id, span: expr.span.clone() });
            }
        });
        references
    }

    /// Whether it asks for METRICS(), and so depends on all entries that are metrics.
    pub fn uses_metrics(&self) -> bool {
        self.calls(METRICS)
    }

    /// Whether it calls a function, such as SEARCH, which alarms do not allow.
    pub fn calls(&self, name: &str) -> bool {
        let mut called = false;
        self.root.visit(&mut |expr| {
            called |= matches!(&expr.node, Node::Call { function, .. } if function == name);
        });
        called
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

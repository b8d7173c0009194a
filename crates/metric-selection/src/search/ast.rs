//! A search as a tree, which prints itself as the text that parses to it.

use std::fmt::{self, Display as _};

use super::lexer::{is_bare, is_keyword};

/// What stands inside `SEARCH('…')`: a schema, a condition, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// `{Namespace, Dim1, Dim2}`.
    pub schema: Option<Schema>,
    /// The terms.
    pub condition: Option<Condition>,
}

/// Which namespace, and which set of dimension names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Exactly this namespace.
    pub namespace: String,
    /// Exactly these dimension names, in any order; with none, any dimensions.
    pub dimensions: Vec<String>,
}

/// What must hold for a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// One of the series' strings is as the term says.
    Term(Term),
    /// The condition holds if only this property is looked at: `InstanceType=micro`, `InstanceId=("a" OR
    /// "b")`.
    Within(Property, Box<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// All hold; two or more.
    All(Vec<Condition>),
    /// One holds; two or more.
    Any(Vec<Condition>),
}

/// What a string is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The string is this, to the letter. Never empty.
    Exact(String),
    /// Its tokens occur in the string. One word as it can be written without quotes, from a letter or digit
    /// to another.
    Partial(String),
}

/// A string, or some strings, of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// `Namespace=`
    Namespace,
    /// `MetricName=`
    MetricName,
    /// The value of the dimension with exactly this name.
    Dimension(String),
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            schema.fmt(f)?;
        }
        if self.schema.is_some() && self.condition.is_some() {
            f.write_str(" ")?;
        }
        self.condition.as_ref().map_or(Ok(()), |condition| condition.fmt(f))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        write_name(f, &self.namespace)?;
        for name in &self.dimensions {
            f.write_str(",")?;
            write_name(f, name)?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term(term) => term.fmt(f),
            Self::Within(property, inner) => {
                write!(f, "{property}=")?;
                write_grouped(f, inner, matches!(**inner, Self::Term(_)))
            }
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                write_grouped(f, inner, !matches!(**inner, Self::All(_) | Self::Any(_)))
            }
            Self::All(parts) => {
                write_joined(f, parts, " AND ", |part| !matches!(part, Self::All(_) | Self::Any(_)))
            }
            Self::Any(parts) => write_joined(f, parts, " OR ", |part| !matches!(part, Self::Any(_))),
        }
    }
}

fn write_joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Condition],
    operator: &str,
    stands_alone: impl Fn(&Condition) -> bool,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(operator)?;
        }
        write_grouped(f, part, stands_alone(part))?;
    }
    Ok(())
}

fn write_grouped(f: &mut fmt::Formatter<'_>, condition: &Condition, stands_alone: bool) -> fmt::Result {
    if stands_alone { condition.fmt(f) } else { write!(f, "({condition})") }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => write_quoted(f, text),
            // A separator changes nothing about a term, but for that it is none of the operators.
            Self::Partial(text) if is_keyword(text) => write!(f, "-{text}"),
            Self::Partial(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace => f.write_str("Namespace"),
            Self::MetricName => f.write_str("MetricName"),
            // In quotes, `"MetricName"` is a dimension of that name.
            Self::Dimension(name) if matches!(name.as_str(), "Namespace" | "MetricName") => {
                write_quoted(f, name)
            }
            Self::Dimension(name) => write_name(f, name),
        }
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    // A name that begins with `:` would be one of AWS's own, such as `:aws.AccountId`.
    let plain = !name.is_empty() && name.chars().all(|c| is_bare(c) && c != ',') && !name.starts_with(':');
    if plain && !is_keyword(name) { f.write_str(name) } else { write_quoted(f, name) }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '(' | ')') {
            f.write_str("\\")?;
        }
        write!(f, "{character}")?;
    }
    f.write_str("\"")
}

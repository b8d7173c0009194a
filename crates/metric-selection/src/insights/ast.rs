//! A query as a tree, which prints itself as the text that parses to it.

use std::fmt;
use std::ops::Range;

use super::reserved::is_reserved;
use crate::SystemLabel;

/// `SELECT function(metric) FROM source [WHERE …] [GROUP BY …] [ORDER BY …] [LIMIT …]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// How observations are aggregated.
    pub function: Function,
    /// The metric's name.
    pub metric: String,
    /// Whose metric it is.
    pub from: Source,
    /// What must hold of a series' labels, all of it.
    pub conditions: Vec<Condition>,
    /// One result for each distinct set of these labels' values; none twice.
    pub group_by: Vec<Located<Label>>,
    /// The order of results; by their labels if not given.
    pub order_by: Option<Order>,
    /// How many results there are at most, 1 to [`MAX_GROUPS`](super::MAX_GROUPS).
    pub limit: Option<usize>,
}

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The mean.
    Avg,
    /// How many.
    Count,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The total.
    Sum,
}

/// What follows `FROM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `"AWS/EC2"`: series of the namespace, whatever their dimensions.
    Namespace(String),
    /// `SCHEMA("AWS/EC2", InstanceId)`: only those with exactly these dimensions.
    Schema {
        /// The namespace.
        namespace: String,
        /// Names of dimensions, none twice, in any order; none for series without dimensions.
        dimensions: Vec<String>,
    },
}

/// What a series is told apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// A dimension's name.
    Dimension(String),
    /// `AWS.AccountId`.
    AccountId,
    /// `tag.<key>`.
    Tag(String),
}

/// `label = 'value'`, or `!=`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is compared.
    pub label: Located<Label>,
    /// Whether it must be equal, or must not.
    pub equal: bool,
    /// With what.
    pub value: Value,
}

/// What a label is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `'text'`
    Text(String),
    /// `CURRENT_ACCOUNT_ID()`, of `AWS.AccountId` only.
    CurrentAccount,
}

/// `ORDER BY function() direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Makes one value of a result's points.
    pub function: Function,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// A part of a query and where it stands, which is no part of what it is.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The part.
    pub node: T,
    /// Its bytes in the query.
    pub span: Range<usize>,
    /// Where it begins, in characters from 1.
    pub position: usize,
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Function {
    /// The function of that name, which is in capitals.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "AVG" => Self::Avg,
            "COUNT" => Self::Count,
            "MAX" => Self::Max,
            "MIN" => Self::Min,
            "SUM" => Self::Sum,
            _ => return None,
        })
    }
}

impl Label {
    /// The label as a catalog knows it, if it is no dimension.
    pub fn as_system_label(&self) -> Option<SystemLabel<'_>> {
        match self {
            Self::Dimension(_) => None,
            Self::AccountId => Some(SystemLabel::AccountId),
            Self::Tag(key) => Some(SystemLabel::Tag(key)),
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SELECT {}({}) FROM {}", self.function, Name(&self.metric), self.from)?;
        for (at, condition) in self.conditions.iter().enumerate() {
            write!(f, " {} {condition}", if at == 0 { "WHERE" } else { "AND" })?;
        }
        for (at, label) in self.group_by.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { " GROUP BY " } else { ", " }, label.node)?;
        }
        if let Some(order) = self.order_by {
            write!(f, " ORDER BY {}() {}", order.function, if order.descending { "DESC" } else { "ASC" })?;
        }
        self.limit.map_or(Ok(()), |limit| write!(f, " LIMIT {limit}"))
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avg => "AVG",
            Self::Count => "COUNT",
            Self::Max => "MAX",
            Self::Min => "MIN",
            Self::Sum => "SUM",
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(namespace) => Name(namespace).fmt(f),
            Self::Schema { namespace, dimensions } => {
                write!(f, "SCHEMA({}", Name(namespace))?;
                dimensions.iter().try_for_each(|name| write!(f, ", {}", Name(name)))?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.label.node, if self.equal { "=" } else { "!=" }, self.value)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension(name) => Name(name).fmt(f),
            Self::AccountId => f.write_str("AWS.AccountId"),
            Self::Tag(key) => write!(f, "tag.{}", Name(key)),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_quoted(f, '\'', text),
            Self::CurrentAccount => f.write_str("CURRENT_ACCOUNT_ID()"),
        }
    }
}

/// A name, in quotes if it needs them.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = !self.0.is_empty() && self.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain && !is_reserved(self.0) { f.write_str(self.0) } else { write_quoted(f, '"', self.0) }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, quote: char, text: &str) -> fmt::Result {
    write!(f, "{quote}")?;
    for character in text.chars() {
        if character == quote || character == '\\' {
            f.write_str("\\")?;
        }
        write!(f, "{character}")?;
    }
    write!(f, "{quote}")
}

//! Rules for JSON as tables, worded as the JSON-schema validator words them whose messages AWS passes on.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use crate::DashboardError;

/// How many findings of a kind are told; the rest is counted only.
const TOLD_MAX: usize = 100;

/// A rule that a body breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A JSON pointer from the body's root.
    #[serde(rename = "dataPath")]
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Findings {
    errors: Vec<Finding>,
    errors_count: usize,
    warnings: Vec<Finding>,
}

impl Findings {
    /// Notes something that keeps the body from being accepted.
    pub(crate) fn error(&mut self, at: &Node<'_>, message: impl Into<String>) {
        self.errors_count += 1;
        if self.errors.len() < TOLD_MAX {
            self.errors.push(Finding { path: at.path.clone(), message: message.into() });
        }
    }

    /// Notes something that is accepted, and may not show.
    pub(crate) fn warning(&mut self, at: &Node<'_>, message: impl Into<String>) {
        if self.warnings.len() < TOLD_MAX {
            self.warnings.push(Finding { path: at.path.clone(), message: message.into() });
        }
    }

    /// The warnings, if there are no errors.
    pub(crate) fn into_outcome(self) -> Result<Vec<Finding>, DashboardError> {
        if self.errors_count > 0 {
            return Err(DashboardError::Body { count: self.errors_count, errors: self.errors });
        }
        Ok(self.warnings)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) path: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// The member of that name; `None` also if this is not an object.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name)?;
        Some(Self { value, path: format!("{}/{}", self.path, escaped(name)) })
    }

    /// The text of that member, if there is one.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.value.get(name)?.as_str()
    }

    /// The items of a list; none if this is not a list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let path = self.path.clone();
        let items = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(move |(index, value)| Self { value, path: format!("{path}/{index}") })
    }
}

/// A name as JSON pointers have it, cut to a bound: it is the client's.
fn escaped(name: &str) -> Cow<'_, str> {
    let name = &name[..name.floor_char_boundary(128)];
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1").into() } else { name.into() }
}

/// What is demanded of a value.
pub(crate) enum Rule {
    /// Nothing.
    Any,
    Bool,
    Number,
    /// A whole number within these, both included.
    Integer {
        min: i64,
        max: i64,
    },
    /// A text of at most that many characters.
    Text {
        max: usize,
    },
    OneOf(&'static [&'static str]),
    /// A text of which the function approves; the second part tells how it reads as a regular expression.
    Pattern(fn(&str) -> bool, &'static str),
    List {
        min: usize,
        max: usize,
        of: &'static Rule,
    },
    Object(&'static Schema),
    /// Whatever the function demands.
    Check(fn(&Node<'_>, &mut Findings)),
}

/// What is demanded of an object.
pub(crate) struct Schema {
    pub(crate) properties: &'static [Property],
}

/// What is demanded of one member of an object.
pub(crate) struct Property {
    name: &'static str,
    is_required: bool,
    rule: Rule,
}

impl Property {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

/// A member that must be there.
pub(crate) const fn required(name: &'static str, rule: Rule) -> Property {
    Property { name, is_required: true, rule }
}

/// A member that may be there.
pub(crate) const fn optional(name: &'static str, rule: Rule) -> Property {
    Property { name, is_required: false, rule }
}

impl Schema {
    /// Checks an object. Members that no rule is about are worth a warning: AWS keeps adding members.
    pub(crate) fn check(&self, node: &Node<'_>, found: &mut Findings) {
        let Some(members) = node.value.as_object() else {
            found.error(node, "Should be object");
            return;
        };
        for property in self.properties {
            match node.member(property.name) {
                Some(member) => property.rule.check(&member, found),
                None if property.is_required => {
                    found.error(node, format!("Should have required property '{}'", property.name));
                }
                None => {}
            }
        }
        for name in members.keys() {
            if !self.properties.iter().any(|property| property.name == name) {
                let name = &name[..name.floor_char_boundary(128)];
                found.warning(node, format!("Should NOT have additional property '{name}'"));
            }
        }
    }
}

impl Rule {
    pub(crate) fn check(&self, node: &Node<'_>, found: &mut Findings) {
        let value = node.value;
        match self {
            Self::Any => {}
            Self::Bool => demand(value.is_boolean(), node, found, "Should be boolean"),
            Self::Number => demand(value.is_number(), node, found, "Should be number"),
            Self::Integer { min, max } => check_integer(node, *min, *max, found),
            Self::Text { max } => match value.as_str() {
                Some(text) if text.chars().count() > *max => {
                    found.error(node, format!("Should NOT be longer than {max} characters"));
                }
                Some(_) => {}
                None => found.error(node, "Should be string"),
            },
            Self::OneOf(allowed) => {
                let is_allowed = value.as_str().is_some_and(|text| allowed.contains(&text));
                demand(is_allowed, node, found, "Should be equal to one of the allowed values");
            }
            Self::Pattern(approves, pattern) => match value.as_str() {
                Some(text) if !approves(text) => {
                    found.error(node, format!("Should match pattern \"{pattern}\""));
                }
                Some(_) => {}
                None => found.error(node, "Should be string"),
            },
            Self::List { min, max, of } => check_list(node, *min, *max, of, found),
            Self::Object(schema) => schema.check(node, found),
            Self::Check(check) => check(node, found),
        }
    }
}

fn demand(holds: bool, node: &Node<'_>, found: &mut Findings, message: &str) {
    if !holds {
        found.error(node, message);
    }
}

fn check_integer(node: &Node<'_>, min: i64, max: i64, found: &mut Findings) {
    // `6.0` is a whole number too.
    let whole = node.value.as_f64().filter(|number| number.fract() == 0.0);
    match whole {
        None => found.error(node, "Should be integer"),
        Some(number) if number < min as f64 => found.error(node, format!("Should be >= {min}")),
        Some(number) if number > max as f64 => found.error(node, format!("Should be <= {max}")),
        Some(_) => {}
    }
}

fn check_list(node: &Node<'_>, min: usize, max: usize, of: &Rule, found: &mut Findings) {
    let Some(items) = node.value.as_array() else {
        found.error(node, "Should be array");
        return;
    };
    if items.len() < min {
        found.error(node, format!("Should NOT have fewer than {min} items"));
    }
    if items.len() > max {
        found.error(node, format!("Should NOT have more than {max} items"));
    }
    // What is too much is not looked at.
    for item in node.items().take(max) {
        of.check(&item, found);
    }
}

//! Whether a message is one that a policy asks for.

use serde_json::Value;

use super::condition::{Condition, Scalar};
use super::policy::{Filter, FilterScope, Rule, Rules};
use crate::attributes::{AttributeValue, MessageAttribute, MessageAttributes};

/// Why a message is not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwanted {
    /// Its attributes are not those that the policy asks for.
    Attributes,
    /// It has none.
    NoAttributes,
    /// They are not, and one of them that should be a list is none.
    InvalidAttributes,
    /// Its body is not what the policy asks for.
    Body,
    /// Its body is not a JSON object.
    InvalidBody,
}

impl Filter<'_> {
    /// Whether a message with these attributes and this body is wanted. A body that is not JSON never is,
    /// unless nothing is asked of it.
    pub(crate) fn check_message(&self, attributes: &MessageAttributes, body: &str) -> Result<(), Unwanted> {
        let rules = &self.policy.rules;
        match self.scope {
            FilterScope::MessageAttributes if holds_of_attributes(rules, attributes) => Ok(()),
            FilterScope::MessageAttributes => Err(why_unwanted(attributes)),
            FilterScope::MessageBody if *rules == Rules::default() => Ok(()),
            FilterScope::MessageBody => match serde_json::from_str(body) {
                Ok(body @ Value::Object(_)) if holds_of_body(rules, "", &body) => Ok(()),
                Ok(Value::Object(_)) => Err(Unwanted::Body),
                _ => Err(Unwanted::InvalidBody),
            },
        }
    }
}

/// What to say of attributes that a policy does not want.
fn why_unwanted(attributes: &MessageAttributes) -> Unwanted {
    let is_broken_list = |attribute: &MessageAttribute| match &attribute.value {
        AttributeValue::Text(text) if attribute.data_type == "String.Array" => {
            serde_json::from_str::<Vec<Value>>(text).is_err()
        }
        _ => false,
    };
    if attributes.is_empty() {
        Unwanted::NoAttributes
    } else if attributes.values().any(is_broken_list) {
        Unwanted::InvalidAttributes
    } else {
        Unwanted::Attributes
    }
}

fn holds_of_attributes(rules: &Rules, attributes: &MessageAttributes) -> bool {
    let property = |(name, rule): &(String, Rule)| match rule {
        Rule::AnyOf(conditions) => match attributes.get(name).and_then(scalars) {
            Some(scalars) => any_holds(conditions, &scalars),
            None => conditions.iter().any(Condition::holds_of_absence),
        },
        // Refused when the policy was set.
        Rule::Nested(_) => false,
    };
    rules.properties.iter().all(property)
        && rules
            .alternatives
            .iter()
            .all(|objects| objects.iter().any(|rules| holds_of_attributes(rules, attributes)))
}

/// The values of an attribute, of an array one for each element; `None` for binary ones, which policies do
/// not see.
fn scalars(attribute: &MessageAttribute) -> Option<Vec<Scalar>> {
    let AttributeValue::Text(text) = &attribute.value else { return None };
    let scalars = match attribute.data_type.as_str() {
        "String.Array" => match serde_json::from_str(text) {
            Ok(Value::Array(list)) => list.iter().filter_map(scalar).collect(),
            // AWS takes an array's text that is no array for its only element.
            Ok(value) => scalar(&value).into_iter().collect(),
            Err(_) => vec![Scalar::Text(text.clone())],
        },
        data_type if data_type == "Number" || data_type.starts_with("Number.") => {
            vec![Scalar::Number(text.parse().ok()?)]
        }
        _ => vec![Scalar::Text(text.clone())],
    };
    Some(scalars)
}

/// `path` is where the rules look, with a dot at its end unless it is empty. Recorded: a dot in a name and a
/// step into an object are the same, in the policy and in the body.
fn holds_of_body(rules: &Rules, path: &str, body: &Value) -> bool {
    let property = |(name, rule): &(String, Rule)| match rule {
        Rule::Nested(rules) => holds_of_body(rules, &format!("{path}{name}."), body),
        Rule::AnyOf(conditions) => {
            let mut found = Vec::new();
            find(body, &format!("{path}{name}"), &mut found);
            let scalars: Vec<Scalar> = found.into_iter().filter_map(scalar).collect();
            if scalars.is_empty() {
                conditions.iter().any(Condition::holds_of_absence)
            } else {
                any_holds(conditions, &scalars)
            }
        }
    };
    let alternative = |objects: &Vec<Rules>| objects.iter().any(|rules| holds_of_body(rules, path, body));
    rules.properties.iter().all(property) && rules.alternatives.iter().all(alternative)
}

/// The values at a path. AWS sees through lists on the way, and each element of one at the end counts.
fn find<'v>(value: &'v Value, path: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|element| find(element, path, found)),
        Value::Object(members) => {
            found.extend(members.get(path).into_iter().flat_map(flattened));
            for (dot, _) in path.match_indices('.') {
                if let Some(inner) = members.get(&path[..dot]) {
                    find(inner, &path[dot + 1..], found);
                }
            }
        }
        _ => {}
    }
}

/// A list's elements, those of lists in it too; any other value is its own only element.
fn flattened(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(flattened).collect(),
        other => vec![other],
    }
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Number(number) => number.as_f64().map(Scalar::Number),
        Value::Bool(boolean) => Some(Scalar::Boolean(*boolean)),
        Value::Null => Some(Scalar::Null),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn any_holds(conditions: &[Condition], scalars: &[Scalar]) -> bool {
    conditions.iter().any(|condition| match condition {
        // AWS: anything-but matches values that do not include any of the policy's, so each element counts.
        Condition::AnythingBut(_) => scalars.iter().all(|scalar| condition.holds_of(scalar)),
        _ => scalars.iter().any(|scalar| condition.holds_of(scalar)),
    })
}

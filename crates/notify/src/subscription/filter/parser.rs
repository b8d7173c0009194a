//! Reads filter policies, and refuses what AWS refuses in its words.

use serde_json::{Map, Value};

use super::condition::{Bound, Condition, Excluded, Network, Range, Scalar, TextTest};
use super::policy::{Rule, Rules};

/// The longest policy, in bytes.
const POLICY_BYTES_MAX: usize = 256 << 10;

/// How deep a policy may be nested. AWS names no bound; its bound of combinations allows little more.
const DEPTH_MAX: usize = 32;

/// AWS's bound of numbers, in both directions.
const NUMBER_MAX: f64 = 1e9;

/// The key of alternatives.
const OR: &str = "$or";

/// What is wrong with a filter policy, worded as AWS does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterPolicyError {
    /// It is not JSON.
    #[error("failed to parse JSON. {0}")]
    Json(String),
    /// It is longer than 256 KiB.
    #[error("Filter policy is too long")]
    TooLong,
    /// It is not an object.
    #[error("Filter is not an object")]
    NotAnObject,
    /// A property's rule is neither a list nor an object.
    #[error("\"{0}\" must be an object or an array")]
    Rule(String),
    /// A property's list is empty.
    #[error("Empty arrays are not allowed")]
    EmptyList,
    /// A property's object is empty.
    #[error("Empty objects are not allowed")]
    EmptyObject,
    /// A list within a list.
    #[error("Match value must be String, number, true, false, or null")]
    Value,
    /// An object in a list that does not hold exactly one operator.
    #[error("Only one key allowed in match expression")]
    OneOperator,
    /// No such operator.
    #[error("Unrecognized match type {0}")]
    Operator(String),
    /// `exists` of something else than a truth value.
    #[error("exists match pattern must be either true or false.")]
    Exists,
    /// An operator whose operand must be a text that is not empty.
    #[error("{0} match pattern must be a string")]
    Text(&'static str),
    /// `cidr` of something else than a network.
    #[error("Malformed CIDR, one '/' required")]
    Cidr,
    /// `cidr` whose number of bits is none.
    #[error("Malformed CIDR, mask bits must be an integer")]
    CidrMask,
    /// `cidr` of something else than an address.
    #[error("Nonstandard IP address: {0}")]
    CidrAddress(String),
    /// `cidr` with more bits than an address has.
    #[error("IPv{version} mask bits must be < {bits}")]
    CidrBits {
        /// Of the Internet Protocol.
        version: u8,
        /// How many bits an address has.
        bits: u8,
    },
    /// `anything-but` of something that it cannot exclude.
    #[error("Value of anything-but must be an array or single string/number value.")]
    AnythingBut,
    /// `anything-but` of values of several types.
    #[error("Inside anything but list, either all values are number or string, mixed type is not supported")]
    AnythingButMixed,
    /// `anything-but` of another test than `prefix`.
    #[error("Unsupported anything-but pattern: {0}")]
    AnythingButTest(String),
    /// `numeric` of something else than operators and numbers.
    #[error("Invalid member in numeric match: {0}")]
    NumericMember(String),
    /// `numeric` with an operator that there is not.
    #[error("Unrecognized numeric range operator: {0}")]
    NumericOperator(String),
    /// `numeric` with an operator whose number is missing.
    #[error("Value of {0} must be numeric")]
    NumericValue(String),
    /// `numeric` with more than a bottom and a top, in this order.
    #[error("Too many elements in numeric expression")]
    NumericTooMany,
    /// `numeric` with a second operator that does not bound the other side.
    #[error("Bad numeric range operator: {0}")]
    NumericBadOperator(String),
    /// `numeric` with something else than an operator for its second bound.
    #[error("Bad value in numeric range: {0}")]
    NumericBadValue(String),
    /// `numeric` with more behind its second bound.
    #[error("Too many terms in numeric range expression")]
    NumericTooManyTerms,
    /// `numeric` with nothing between its bounds.
    #[error("Bottom must be less than top")]
    NumericEmpty,
    /// A number beyond AWS's bound.
    #[error("Numeric values must be between -1.0E9 and 1.0E9, inclusive")]
    Number,
    /// Nested deeper than anybody needs.
    #[error("Filter policy is nested too deep")]
    Depth,
    /// Nested, for attributes, which are flat.
    #[error("Filter policy scope MessageAttributes does not support nested filter policy")]
    Nested,
    /// More than five keys.
    #[error("Filter policy can not have more than 5 keys")]
    TooManyKeys,
    /// More than 150 combinations of values.
    #[error("Filter policy is too complex")]
    TooComplex,
}

use FilterPolicyError as Error;

/// The rules of the policy in `text`.
pub(super) fn parse(text: &str) -> Result<Rules, Error> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(Error::TooLong);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| Error::Json(error.to_string()))?;
    let Value::Object(object) = value else { return Err(Error::NotAnObject) };
    rules(&object, DEPTH_MAX)
}

fn rules(object: &Map<String, Value>, depth_left: usize) -> Result<Rules, Error> {
    let depth_left = depth_left.checked_sub(1).ok_or(Error::Depth)?;
    let mut rules = Rules::default();
    for (name, value) in object {
        match (name.as_str(), alternatives(value)) {
            (OR, Some(objects)) => {
                let parsed = objects.into_iter().map(|object| self::rules(object, depth_left));
                rules.alternatives.push(parsed.collect::<Result<_, _>>()?);
            }
            _ => rules.properties.push((name.clone(), rule(name, value, depth_left)?)),
        }
    }
    Ok(rules)
}

/// The objects of an `$or`. With fewer than two objects, or with operators in it, `$or` is a property's name.
fn alternatives(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let list = value.as_array().filter(|list| list.len() >= 2)?;
    let objects: Option<Vec<_>> = list.iter().map(Value::as_object).collect();
    objects.filter(|objects| objects.iter().all(|object| !object.is_empty()))
}

fn rule(name: &str, value: &Value, depth_left: usize) -> Result<Rule, Error> {
    match value {
        Value::Array(list) if list.is_empty() => Err(Error::EmptyList),
        Value::Array(list) => Ok(Rule::AnyOf(list.iter().map(condition).collect::<Result<_, _>>()?)),
        Value::Object(object) if object.is_empty() => Err(Error::EmptyObject),
        Value::Object(object) => Ok(Rule::Nested(rules(object, depth_left)?)),
        _ => Err(Error::Rule(name.to_owned())),
    }
}

fn condition(value: &Value) -> Result<Condition, Error> {
    match value {
        Value::Object(object) => {
            let mut members = object.iter();
            match (members.next(), members.next()) {
                (Some((operator, operand)), None) => operation(operator, operand),
                _ => Err(Error::OneOperator),
            }
        }
        _ => Ok(Condition::Equals(scalar(value)?)),
    }
}

fn scalar(value: &Value) -> Result<Scalar, Error> {
    match value {
        Value::String(text) => Ok(Scalar::Text(text.clone())),
        Value::Number(_) => number(value).ok_or(Error::Number).map(Scalar::Number),
        Value::Bool(boolean) => Ok(Scalar::Boolean(*boolean)),
        Value::Null => Ok(Scalar::Null),
        Value::Array(_) | Value::Object(_) => Err(Error::Value),
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.abs() <= NUMBER_MAX)
}

fn operation(operator: &str, operand: &Value) -> Result<Condition, Error> {
    match operator {
        "exists" => operand.as_bool().map(Condition::Exists).ok_or(Error::Exists),
        "numeric" => match operand {
            Value::Array(list) => numeric(list).map(Condition::Numeric),
            _ => Err(Error::Value),
        },
        "cidr" => match operand.as_str() {
            Some(text) => Network::parse(text).map(Condition::Cidr),
            // recorded: AWS names the wrong operator.
            None => Err(Error::Text("prefix")),
        },
        "anything-but" => anything_but(operand).map(Condition::AnythingBut),
        _ => match text_test(operator, operand)? {
            Some(test) => Ok(Condition::Text(test)),
            None => Err(Error::Operator(operator.to_owned())),
        },
    }
}

/// The test of texts that `operator` names, if it does.
fn text_test(operator: &str, operand: &Value) -> Result<Option<TextTest>, Error> {
    let text = |operator: &'static str| match operand.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Error::Text(operator)),
    };
    Ok(Some(match operator {
        "prefix" => TextTest::Prefix(text("prefix")?),
        "suffix" => TextTest::Suffix(text("suffix")?),
        "equals-ignore-case" => TextTest::EqualsIgnoreCase(text("equals-ignore-case")?.to_lowercase()),
        _ => return Ok(None),
    }))
}

fn anything_but(operand: &Value) -> Result<Vec<Excluded>, Error> {
    let values = match operand {
        Value::Array(list) if !list.is_empty() => list.iter().map(scalar).collect::<Result<Vec<_>, _>>()?,
        Value::String(_) | Value::Number(_) => vec![scalar(operand)?],
        Value::Object(object) => return anything_but_prefix(object),
        _ => return Err(Error::AnythingBut),
    };
    let texts = values.iter().filter(|value| matches!(value, Scalar::Text(_))).count();
    let numbers = values.iter().filter(|value| matches!(value, Scalar::Number(_))).count();
    if texts + numbers < values.len() {
        return Err(Error::AnythingBut);
    }
    if texts > 0 && numbers > 0 {
        return Err(Error::AnythingButMixed);
    }
    Ok(values.into_iter().map(Excluded::Value).collect())
}

/// `anything-but` a prefix, the one test that AWS negates.
fn anything_but_prefix(object: &Map<String, Value>) -> Result<Vec<Excluded>, Error> {
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some((operator, Value::String(prefix))), None) if operator == "prefix" && !prefix.is_empty() => {
            Ok(vec![Excluded::Prefix(prefix.clone())])
        }
        (Some((operator, _)), None) if operator == "prefix" => Err(Error::Text("prefix")),
        (Some((operator, _)), None) => Err(Error::AnythingButTest(operator.clone())),
        _ => Err(Error::OneOperator),
    }
}

/// `numeric`: `=` with a number, a bound, or a bottom and a top.
fn numeric(list: &[Value]) -> Result<Range, Error> {
    let mut elements = list.iter();
    let operator = match elements.next() {
        Some(Value::String(operator)) => operator.as_str(),
        Some(other) => return Err(Error::NumericMember(other.to_string())),
        None => return Err(Error::NumericMember("]".to_owned())),
    };
    if !matches!(operator, "=" | "<" | "<=" | ">" | ">=") {
        return Err(Error::NumericOperator(operator.to_owned()));
    }
    let value = operand(operator, elements.next())?;
    let bound = |inclusive| Some(Bound { value, inclusive });
    let bottom = match operator {
        "=" => Range { bottom: bound(true), top: bound(true) },
        "<" => Range { bottom: None, top: bound(false) },
        "<=" => Range { bottom: None, top: bound(true) },
        ">" => Range { bottom: bound(false), top: None },
        ">=" => Range { bottom: bound(true), top: None },
        other => return Err(Error::NumericOperator(other.to_owned())),
    };
    if elements.len() == 0 {
        return Ok(bottom);
    }
    // Only what has a bottom and no top yet can go on.
    if bottom.top.is_some() {
        return Err(Error::NumericTooMany);
    }
    let operator = match elements.next() {
        Some(Value::String(operator)) => operator.as_str(),
        Some(other) => return Err(Error::NumericBadValue(other.to_string())),
        None => return Ok(bottom),
    };
    let inclusive = match operator {
        "<" => false,
        "<=" => true,
        other => return Err(Error::NumericBadOperator(other.to_owned())),
    };
    let top = operand(operator, elements.next())?;
    if top <= value {
        return Err(Error::NumericEmpty);
    }
    if elements.len() > 0 {
        return Err(Error::NumericTooManyTerms);
    }
    Ok(Range { top: Some(Bound { value: top, inclusive }), ..bottom })
}

/// The number behind an operator.
fn operand(operator: &str, value: Option<&Value>) -> Result<f64, Error> {
    match value.filter(|value| value.is_number()) {
        Some(value) => number(value).ok_or(Error::Number),
        // recorded: this one is spelt out.
        None if operator == "=" => Err(Error::NumericValue("equals".to_owned())),
        None => Err(Error::NumericValue(operator.to_owned())),
    }
}

//! Filters of a rule: what must hold for a field of an event.

use serde_json::{Map, Value};

use crate::InsightError;
use crate::occurrence::Found;

const TEXTS_MAX: usize = 10;

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    In(Vec<String>),
    NotIn(Vec<String>),
    StartsWith(Vec<String>),
    GreaterThan(f64),
    LessThan(f64),
    EqualTo(f64),
    NotEqualTo(f64),
    IsPresent(bool),
}

impl Filter {
    /// Reads `{"Match": field, operator: operand}`: the field's name, and the filter.
    pub(crate) fn parse(mut written: Map<String, Value>) -> Result<(String, Self), InsightError> {
        let wrong = |problem: String| InsightError::Definition(format!("Contribution.Filters: {problem}"));
        let field = written.remove("Match");
        let Some(Value::String(field)) = field else { return Err(wrong("Match must be a field".to_owned())) };
        let mut operators = written.into_iter();
        let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
            return Err(wrong(format!("{field} needs one operator")));
        };
        let texts = |operand: Value| match operand {
            Value::Array(texts) if texts.len() <= TEXTS_MAX => texts
                .into_iter()
                .map(|text| match text {
                    Value::String(text) => Ok(text),
                    other => Err(wrong(format!("{other} must be a text"))),
                })
                .collect(),
            _ => Err(wrong(format!("{operator} must be a list of at most {TEXTS_MAX} texts"))),
        };
        let number =
            |operand: Value| operand.as_f64().ok_or_else(|| wrong(format!("{operator} must be a number")));
        let filter = match operator.as_str() {
            "In" => Self::In(texts(operand)?),
            "NotIn" => Self::NotIn(texts(operand)?),
            "StartsWith" => Self::StartsWith(texts(operand)?),
            "GreaterThan" => Self::GreaterThan(number(operand)?),
            "LessThan" => Self::LessThan(number(operand)?),
            "EqualTo" => Self::EqualTo(number(operand)?),
            "NotEqualTo" => Self::NotEqualTo(number(operand)?),
            "IsPresent" => {
                let present = operand.as_bool();
                Self::IsPresent(present.ok_or_else(|| wrong("IsPresent must be true or false".to_owned()))?)
            }
            _ => return Err(wrong(format!("there is no operator {operator}"))),
        };
        Ok((field, filter))
    }

    /// Whether it holds for what was found of its field. Only `IsPresent: false` and `NotIn` hold for what is
    /// not there.
    pub(crate) fn holds(&self, found: Option<&Found>) -> bool {
        let text = || found.map(Found::text);
        let compare = |holds: fn(f64, f64) -> bool, with: f64| {
            found.and_then(Found::number).is_some_and(|number| holds(number, with))
        };
        match self {
            Self::In(texts) => text().is_some_and(|text| texts.iter().any(|one| *one == text)),
            Self::NotIn(texts) => text().is_none_or(|text| texts.iter().all(|one| *one != text)),
            Self::StartsWith(texts) => {
                text().is_some_and(|text| texts.iter().any(|start| text.starts_with(start.as_str())))
            }
            Self::GreaterThan(with) => compare(|number, with| number > with, *with),
            Self::LessThan(with) => compare(|number, with| number < with, *with),
            Self::EqualTo(with) => compare(|number, with| number == with, *with),
            Self::NotEqualTo(with) => compare(|number, with| number != with, *with),
            Self::IsPresent(present) => found.is_some() == *present,
        }
    }
}

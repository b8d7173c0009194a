//! An event as a rule sees it: whose it is, and how much it counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::InsightError;
use crate::definition::{Definition, LogFormat};

/// How deep a field may lie.
const STEPS_MAX: usize = 32;

/// Where a field of an event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// `$.a.b[0]`
    Json(Vec<Step>),
    /// The field of that number, from 1, of a line in Common Log Format.
    CommonLog(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Member(String),
    Element(usize),
}

/// What a field of an event holds: no list and no object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    Text(String),
    Number(f64),
    Truth(bool),
}

impl Found {
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Truth(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        }
    }

    /// A text that is written as a number counts as one: fields of lines have no types.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Truth(_) => None,
        }
    }
}

impl Field {
    /// A field of an event in JSON: `$.a.b[0]`, also `$.['a b']`.
    pub(crate) fn of_json(name: &str) -> Result<Self, InsightError> {
        let wrong = |problem: &str| InsightError::Definition(format!("{name} {problem}"));
        let mut rest = name.strip_prefix("$.").ok_or_else(|| wrong("must begin with $."))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if steps.len() == STEPS_MAX {
                return Err(wrong("lies too deep"));
            }
            if let Some(quoted) = rest.strip_prefix("['") {
                let (member, behind) = quoted.split_once("']").ok_or_else(|| wrong("has no closing ']"))?;
                steps.push(Step::Member(member.to_owned()));
                rest = behind;
            } else if let Some(index) = rest.strip_prefix('[') {
                let (index, behind) = index.split_once(']').ok_or_else(|| wrong("has no closing ]"))?;
                let index = index.parse().map_err(|_| wrong("has an index that is not a number"))?;
                steps.push(Step::Element(index));
                rest = behind;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (member, behind) = rest.split_at(end);
                if member.is_empty() {
                    return Err(wrong("has an empty part"));
                }
                steps.push(Step::Member(member.to_owned()));
                rest = behind;
            }
            if let Some(behind) = rest.strip_prefix('.') {
                if behind.is_empty() {
                    return Err(wrong("has an empty part"));
                }
                rest = behind;
            }
        }
        if steps.is_empty() { Err(wrong("names no field")) } else { Ok(Self::Json(steps)) }
    }

    /// A field of a line: an alias of `Fields`, or a number.
    pub(crate) fn of_common_log(name: &str, aliases: &BTreeMap<&str, usize>) -> Result<Self, InsightError> {
        let number = aliases.get(name).copied().or_else(|| name.parse().ok());
        let number = number.filter(|number| *number > 0);
        let unknown =
            || InsightError::Definition(format!("{name} is neither one of Fields nor a number from 1"));
        Ok(Self::CommonLog(number.ok_or_else(unknown)?))
    }
}

/// An event, read as far as its format goes.
enum Event<'a> {
    Json(Value),
    CommonLog(Vec<&'a str>),
}

impl Event<'_> {
    fn find(&self, field: &Field) -> Option<Found> {
        match (self, field) {
            (Self::Json(event), Field::Json(steps)) => {
                let found = steps.iter().try_fold(event, |value, step| match step {
                    Step::Member(name) => value.get(name),
                    Step::Element(index) => value.get(index),
                })?;
                match found {
                    Value::String(text) => Some(Found::Text(text.clone())),
                    Value::Number(number) => number.as_f64().map(Found::Number),
                    Value::Bool(truth) => Some(Found::Truth(*truth)),
                    Value::Null | Value::Array(_) | Value::Object(_) => None,
                }
            }
            (Self::CommonLog(fields), Field::CommonLog(number)) => {
                Some(Found::Text((*fields.get(number - 1)?).to_owned()))
            }
            _ => None,
        }
    }
}

impl Definition {
    /// Whose the event is, and how much it counts; `None` if the rule is not about it: a filter does not
    /// hold, or a key or the value is not there.
    pub(crate) fn occurrence(&self, message: &str) -> Option<(Vec<String>, f64)> {
        let event = match self.format {
            LogFormat::Json => Event::Json(serde_json::from_str(message).ok()?),
            LogFormat::CommonLog => Event::CommonLog(common_log_fields(message)),
        };
        if !self.filters.iter().all(|(field, filter)| filter.holds(event.find(field).as_ref())) {
            return None;
        }
        let keys = self.keys.iter().map(|field| Some(event.find(field)?.text().into_owned()));
        let keys = keys.collect::<Option<Vec<String>>>()?;
        let value = match &self.value {
            None => 1.0,
            Some(field) => event.find(field)?.number()?,
        };
        Some((keys, value))
    }
}

/// The fields of a line: words, and what stands between quotes or brackets.
fn common_log_fields(line: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        let closing = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let (field, behind) = match closing.and_then(|closing| rest[1..].split_once(closing)) {
            Some(parts) => parts,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        fields.push(field);
        rest = behind.trim_start();
    }
    fields
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Scope;
    use serde_json::json;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases are written where they are passed")]
    fn check(format: &str, contribution: Value, message: &str, expected: Option<(&[&str], f64)>) {
        let sum = contribution.get("ValueOf").is_some();
        let definition = json!({
            "Schema": { "Name": "CloudWatchLogRule", "Version": 1 }, "LogGroupNames": ["g"], "LogFormat": format,
            "Fields": if format == "CLF" { json!({ "1": "host", "9": "bytes" }) } else { json!({}) },
            "Contribution": contribution, "AggregateOn": if sum { "Sum" } else { "Count" },
        });
        let definition = Definition::parse(&definition.to_string(), &Scope::default()).expect("valid");
        let expected =
            expected.map(|(keys, value)| (keys.iter().map(|key| (*key).to_owned()).collect(), value));
        assert_eq!(definition.occurrence(message), expected, "{message}");
    }

    #[test]
    fn keys_and_values_are_found_in_json() {
        let event = r#"{"ip":"10.0.0.1","user":{"id":7,"tags":["a","b"]},"bytes":512,"ok":true,"a b":"c","none":null}"#;
        check("JSON", json!({ "Keys": ["$.ip"] }), event, Some((&["10.0.0.1"], 1.0)));
        check("JSON", json!({ "Keys": ["$.ip", "$.user.id"] }), event, Some((&["10.0.0.1", "7"], 1.0)));
        check("JSON", json!({ "Keys": ["$.user.tags[1]"] }), event, Some((&["b"], 1.0)));
        check("JSON", json!({ "Keys": ["$.['a b']"] }), event, Some((&["c"], 1.0)));
        check("JSON", json!({ "Keys": ["$.ok"], "ValueOf": "$.bytes" }), event, Some((&["true"], 512.0)));
        check("JSON", json!({ "Keys": ["$.ip"], "ValueOf": "$.ok" }), event, None);
        for missing in ["$.missing", "$.user", "$.user.tags", "$.user.tags[2]", "$.none"] {
            check("JSON", json!({ "Keys": [missing] }), event, None);
        }
        check("JSON", json!({ "Keys": ["$.ip"] }), "not JSON", None);
    }

    #[test]
    fn filters_decide_which_events_count() {
        let event = r#"{"ip":"10.0.0.1","status":503,"path":"/a/b"}"#;
        for (filter, holds) in [
            (json!({ "Match": "$.ip", "In": ["10.0.0.1", "x"] }), true),
            (json!({ "Match": "$.ip", "In": ["x"] }), false),
            (json!({ "Match": "$.ip", "NotIn": ["x"] }), true),
            (json!({ "Match": "$.ip", "NotIn": ["10.0.0.1"] }), false),
            (json!({ "Match": "$.path", "StartsWith": ["/a", "/z"] }), true),
            (json!({ "Match": "$.path", "StartsWith": ["/z"] }), false),
            (json!({ "Match": "$.status", "GreaterThan": 499 }), true),
            (json!({ "Match": "$.status", "GreaterThan": 503 }), false),
            (json!({ "Match": "$.status", "LessThan": 504 }), true),
            (json!({ "Match": "$.status", "EqualTo": 503 }), true),
            (json!({ "Match": "$.status", "NotEqualTo": 503 }), false),
            (json!({ "Match": "$.status", "In": ["503"] }), true),
            (json!({ "Match": "$.missing", "IsPresent": false }), true),
            (json!({ "Match": "$.status", "IsPresent": true }), true),
            (json!({ "Match": "$.missing", "GreaterThan": 0 }), false),
        ] {
            let expected: Option<(&[&str], f64)> = holds.then_some((&["/a/b"], 1.0));
            check("JSON", json!({ "Keys": ["$.path"], "Filters": [filter] }), event, expected);
        }
    }

    #[test]
    fn lines_have_words_and_what_stands_in_quotes_or_brackets() {
        let line = r#"10.0.0.1 - frank [10/Oct/2025:13:55:36 -0700] "GET /a HTTP/1.0" 200 x y 2326"#;
        check("CLF", json!({ "Keys": ["host"] }), line, Some((&["10.0.0.1"], 1.0)));
        check(
            "CLF",
            json!({ "Keys": ["5"], "ValueOf": "bytes" }),
            line,
            Some((&["GET /a HTTP/1.0"], 2326.0)),
        );
        check("CLF", json!({ "Keys": ["4"] }), line, Some((&["10/Oct/2025:13:55:36 -0700"], 1.0)));
        check("CLF", json!({ "Keys": ["10"] }), line, None);
        check("CLF", json!({ "Keys": ["1"] }), "\"never closed", Some((&["\"never"], 1.0)));
    }
}

//! The language of rules: JSON, as AWS's guide "Contributor Insights rule syntax" has it.

use std::collections::BTreeMap;

use groundwatch_core::{Arn, Scope};
use serde::Deserialize;

use crate::InsightError;
use crate::filter::Filter;
use crate::occurrence::Field;

const KEYS_MAX: usize = 4;
const FILTERS_MAX: usize = 4;

/// What a rule says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    /// Which groups it reads.
    pub(crate) groups: Vec<GroupPattern>,
    /// How their events are written.
    pub(crate) format: LogFormat,
    /// As the user named them: labels of reports.
    pub(crate) key_labels: Vec<String>,
    pub(crate) keys: Vec<Field>,
    /// All hold.
    pub(crate) filters: Vec<(Field, Filter)>,
    /// What is added up; `None` if events are counted.
    pub(crate) value: Option<Field>,
}

/// Which groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupPattern {
    /// Of that name.
    Exactly(String),
    /// Of all names that begin so: a `*` at the end.
    Prefix(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum LogFormat {
    #[serde(rename = "JSON")]
    Json,
    #[serde(rename = "CLF")]
    CommonLog,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    schema: Schema,
    log_group_names: Option<Vec<String>>,
    #[serde(rename = "LogGroupARNs")]
    log_group_arns: Option<Vec<String>>,
    log_format: LogFormat,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    contribution: Contribution,
    aggregate_on: Option<AggregateOn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Schema {
    name: String,
    version: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Contribution {
    keys: Vec<String>,
    value_of: Option<String>,
    #[serde(default)]
    filters: Vec<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum AggregateOn {
    Count,
    Sum,
}

impl Definition {
    /// Reads a definition for a rule of `scope`.
    pub(crate) fn parse(text: &str, scope: &Scope) -> Result<Self, InsightError> {
        let wrong = |problem: &str| InsightError::Definition(problem.to_owned());
        let written: Written =
            serde_json::from_str(text).map_err(|error| InsightError::Definition(error.to_string()))?;
        if written.schema.name != "CloudWatchLogRule" || written.schema.version != 1 {
            return Err(wrong("Schema must be CloudWatchLogRule, Version 1"));
        }
        let groups = groups(written.log_group_names, written.log_group_arns, scope)?;
        let Contribution { keys, value_of, filters } = written.contribution;
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(wrong("Contribution.Keys must have 1 to 4 members"));
        }
        if filters.len() > FILTERS_MAX {
            return Err(wrong("Contribution.Filters must have at most 4 members"));
        }
        let aliases = aliases(&written.fields)?;
        let field = |name: &str| match written.log_format {
            LogFormat::Json => Field::of_json(name),
            LogFormat::CommonLog => Field::of_common_log(name, &aliases),
        };
        let value = match (written.aggregate_on.unwrap_or(AggregateOn::Count), value_of) {
            (AggregateOn::Count, _) => None,
            (AggregateOn::Sum, Some(name)) => Some(field(&name)?),
            (AggregateOn::Sum, None) => return Err(wrong("AggregateOn Sum needs Contribution.ValueOf")),
        };
        let filter = |written: serde_json::Map<String, serde_json::Value>| {
            let (name, filter) = Filter::parse(written)?;
            Ok((field(&name)?, filter))
        };
        Ok(Self {
            groups,
            format: written.log_format,
            keys: keys.iter().map(|name| field(name)).collect::<Result<_, InsightError>>()?,
            key_labels: keys,
            filters: filters.into_iter().map(filter).collect::<Result<_, InsightError>>()?,
            value,
        })
    }
}

/// The groups that a definition names, in one of two ways.
fn groups(
    names: Option<Vec<String>>,
    arns: Option<Vec<String>>,
    scope: &Scope,
) -> Result<Vec<GroupPattern>, InsightError> {
    let names = match (names, arns) {
        (Some(names), None) => names,
        (None, Some(arns)) => arns.iter().map(|arn| name_of_arn(arn, scope)).collect::<Result<_, _>>()?,
        _ => {
            return Err(InsightError::Definition(
                "either LogGroupNames or LogGroupARNs is required".to_owned(),
            ));
        }
    };
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(InsightError::Definition("a log group has no name".to_owned()));
    }
    let pattern = |name: String| match name.strip_suffix('*') {
        Some(prefix) => GroupPattern::Prefix(prefix.to_owned()),
        None => GroupPattern::Exactly(name),
    };
    Ok(names.into_iter().map(pattern).collect())
}

fn name_of_arn(arn: &str, scope: &Scope) -> Result<String, InsightError> {
    let wrong = |problem: &str| InsightError::Definition(format!("LogGroupARNs: {arn} {problem}"));
    let parsed = Arn::parse(arn).map_err(|_| wrong("is not an ARN"))?;
    if parsed.account != scope.account.to_string() || parsed.region != scope.region.as_str() {
        return Err(wrong("is of another account or region, which is not supported"));
    }
    let name = parsed.resource.strip_prefix("log-group:").ok_or_else(|| wrong("is not of a log group"))?;
    Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
}

/// `Fields`: the numbers of a line's fields, from 1, by their aliases.
fn aliases(fields: &BTreeMap<String, String>) -> Result<BTreeMap<&str, usize>, InsightError> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| (1..=100).contains(number));
    let mut aliases = BTreeMap::new();
    for (text, alias) in fields {
        let number = number(text);
        let number = number
            .ok_or_else(|| InsightError::Definition(format!("Fields: {text} is not a number from 1")))?;
        aliases.insert(alias.as_str(), number);
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn valid() -> Value {
        json!({
            "Schema": { "Name": "CloudWatchLogRule", "Version": 1 },
            "LogGroupNames": ["api", "web/*"],
            "LogFormat": "JSON",
            "Contribution": { "Keys": ["$.ip"], "ValueOf": "$.bytes",
                "Filters": [{ "Match": "$.status", "GreaterThan": 499 }] },
            "AggregateOn": "Sum",
        })
    }

    #[test]
    fn a_definition_is_read() {
        let read = Definition::parse(&valid().to_string(), &Scope::default()).expect("valid");
        assert_eq!(
            read.groups,
            [GroupPattern::Exactly("api".to_owned()), GroupPattern::Prefix("web/".to_owned())]
        );
        assert_eq!((read.key_labels, read.keys.len(), read.filters.len()), (vec!["$.ip".to_owned()], 1, 1));
        assert!(read.value.is_some());
    }

    #[test]
    fn what_breaks_the_syntax_is_refused() {
        let check = |pointer: &str, value: Value, expected: &str| {
            let mut definition = valid();
            let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
            definition.pointer_mut(parent).expect("there")[member] = value;
            let error = Definition::parse(&definition.to_string(), &Scope::default()).expect_err(pointer);
            assert!(error.to_string().contains(expected), "{pointer}: {error}");
        };
        check("/Schema/Name", json!("Other"), "Schema must be");
        check("/Schema/Version", json!(2), "Schema must be");
        check("/LogFormat", json!("XML"), "unknown variant `XML`");
        check("/LogGroupNames", json!([]), "a log group has no name");
        check("/LogGroupNames", Value::Null, "either LogGroupNames or LogGroupARNs");
        check(
            "/LogGroupARNs",
            json!(["arn:aws:logs:us-east-1:000000000000:log-group:a"]),
            "either LogGroupNames",
        );
        check("/Contribution/Keys", json!([]), "1 to 4");
        check("/Contribution/Keys", json!(["$.a", "$.b", "$.c", "$.d", "$.e"]), "1 to 4");
        check("/Contribution/Keys", json!(["ip"]), "must begin with $.");
        check("/Contribution/ValueOf", Value::Null, "AggregateOn Sum needs");
        check("/Contribution/Filters", json!([{ "Match": "$.a" }]), "needs one operator");
        check(
            "/Contribution/Filters",
            json!([{ "Match": "$.a", "In": [], "NotIn": [] }]),
            "needs one operator",
        );
        check("/Contribution/Filters", json!([{ "Match": "$.a", "Near": 1 }]), "Near");
        check("/Contribution/Filters", json!([{ "Match": "$.a", "GreaterThan": "1" }]), "a number");
        check("/AggregateOn", json!("Median"), "unknown variant `Median`");
        check("/Unknown", json!(1), "unknown field `Unknown`");
    }
}

//! Golden tables: policies, and the messages that they want.

use serde_json::Value;

use super::{Filter, FilterPolicy, FilterScope};
use crate::attributes::{AttributeValue, MessageAttribute, MessageAttributes};

/// The rows of a table: cells divided by `|`; lines that begin with `#` are comments.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split(" | ").map(str::trim).collect())
}

fn scope(name: &str) -> FilterScope {
    if name == "body" { FilterScope::MessageBody } else { FilterScope::MessageAttributes }
}

/// Attributes from JSON: a text, a number and a list have the types that these have in SNS; `{"b": …}` is
/// binary.
fn attributes(json: &str) -> MessageAttributes {
    let members: serde_json::Map<String, Value> = serde_json::from_str(json).expect("an object");
    let attribute = |value: Value| {
        let (data_type, value) = match value {
            Value::String(text) => ("String", AttributeValue::Text(text)),
            Value::Number(number) => ("Number", AttributeValue::Text(number.to_string())),
            Value::Object(_) => ("Binary", AttributeValue::Binary(vec![1])),
            list => ("String.Array", AttributeValue::Text(list.to_string())),
        };
        MessageAttribute { data_type: data_type.to_owned(), value }
    };
    members.into_iter().map(|(name, value)| (name, attribute(value))).collect()
}

#[test]
fn policies_want_what_the_table_says() {
    for row in rows(include_str!("../../../tests/golden/filter_matches.txt")) {
        let [scope_name, policy, message, expected] = row[..] else { panic!("four cells: {row:?}") };
        let policy = FilterPolicy::parse(policy).unwrap_or_else(|error| panic!("{policy}: {error}"));
        let filter = Filter::new(&policy, scope(scope_name));
        filter.check().unwrap_or_else(|error| panic!("{}: {error}", policy.text()));
        let wanted = match filter.scope {
            FilterScope::MessageAttributes => filter.check_message(&attributes(message), "text"),
            FilterScope::MessageBody => filter.check_message(&MessageAttributes::new(), message),
        };
        assert_eq!(wanted.is_ok(), expected == "yes", "{row:?}");
    }
}

#[test]
fn policies_are_refused_as_the_table_says() {
    for row in rows(include_str!("../../../tests/golden/filter_errors.txt")) {
        let [scope_name, policy, expected] = row[..] else { panic!("three cells: {row:?}") };
        let error = FilterPolicy::parse(policy)
            .and_then(|policy| Filter::new(&policy, scope(scope_name)).check())
            .expect_err(policy);
        assert!(error.to_string().starts_with(expected), "{row:?}: {error}");
    }
}

#[test]
fn depth_is_bounded() {
    let deep = format!("{}[1]{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    let error = FilterPolicy::parse(&deep).expect_err("too deep");
    assert_eq!(error.to_string(), "Filter policy is nested too deep");
    let deeper = format!("{}[1]{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    assert!(FilterPolicy::parse(&deeper).is_err());
}

#[test]
fn a_policy_is_kept_as_it_was_written() {
    let text = r#"{ "b": [1.0],  "a": ["x"] }"#;
    let policy = FilterPolicy::parse(text).expect("well formed");
    let kept = serde_json::to_string(&policy).expect("JSON");
    let read: FilterPolicy = serde_json::from_str(&kept).expect("read again");
    assert_eq!(read.text(), text);
    assert_eq!(read, policy);
}

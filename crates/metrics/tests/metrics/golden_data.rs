//! `golden/get_metric_data.txt`: queries, and what GetMetricData answers.

use groundwatch_api::cloudwatch::{GetMetricDataOutput, MetricDataResult, StatusCode};
use serde_json::{Map, Value, json};

use crate::kit::{World, moment};

const TABLE: &str = include_str!("../golden/get_metric_data.txt");
const START: &str = "2026-01-02T11:00:00Z";

#[tokio::test]
async fn every_case_of_the_get_metric_data_table_holds() {
    let mut world = World::new().await;
    let (mut checked, mut failed) = (0, Vec::new());
    for block in TABLE.split("\n\n").map(|block| block.trim_matches('\n')).filter(|block| !block.is_empty()) {
        let lines: Vec<&str> = block.lines().collect();
        if lines[0].starts_with('#') {
            world = World::new().await;
        } else if lines[0].starts_with("data ") {
            for line in lines {
                put(&world, line).await;
            }
        } else {
            failed.extend(check(&world, &lines).await);
            checked += 1;
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(checked >= 110, "the table has shrunk to {checked} cases");
}

/// `data Namespace Name Dimension=value … [Unit] : 1 2 - 4`: a value a minute.
async fn put(world: &World, line: &str) {
    let (names, values) = line.split_once(':').unwrap_or_else(|| panic!("not data: {line}"));
    let mut words = names.split_whitespace().skip(1);
    let (namespace, name) = (words.next().expect("a namespace"), words.next().expect("a name"));
    let (mut dimensions, mut unit) = (Vec::new(), "None");
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => dimensions.push(json!({ "Name": name, "Value": value })),
            None => unit = word,
        }
    }
    let data: Vec<Value> = values
        .split_whitespace()
        .enumerate()
        .filter(|(_, value)| *value != "-")
        .map(|(minute, value)| {
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
            let timestamp = moment(START).as_secs() + minute as i64 * 60;
            json!({ "MetricName": name, "Dimensions": dimensions, "Unit": unit, "Value": value, "Timestamp": timestamp })
        })
        .collect();
    let put = world.put(json!({ "Namespace": namespace, "MetricData": data })).await;
    put.unwrap_or_else(|fault| panic!("{line}: refused: {fault}"));
}

/// Queries, then behind `=>` each result, or the error. Answers with what is found instead.
async fn check(world: &World, lines: &[&str]) -> Option<String> {
    let case = lines.join("\n");
    let (mut minutes, mut members) = (4, Map::new());
    let (mut queries, mut expected) = (Vec::new(), Vec::new());
    for line in lines {
        if let Some(result) = line.strip_prefix("=> ") {
            expected.push(result.to_owned());
        } else if let Some(count) = line.strip_prefix("minutes ") {
            minutes = count.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
        } else if let Some(option) = line.strip_prefix("with ") {
            let option: Value = serde_json::from_str(option).unwrap_or_else(|_| panic!("not JSON: {line}"));
            members.extend(option.as_object().expect("an object").clone());
        } else {
            queries.push(query(line));
        }
    }
    let (start, end) = (moment(START).as_secs(), moment(START).as_secs() + minutes * 60);
    let mut request = json!({
        "MetricDataQueries": queries, "StartTime": start, "EndTime": end, "ScanBy": "TimestampAscending",
    });
    request.as_object_mut().expect("an object").extend(members);
    let found = match world.data(request).await {
        Ok(answer) => show(&answer, start, end),
        Err(fault) => vec![format!("{}: {}", fault.shape.code, fault.message.unwrap_or_default())],
    };
    if expected == ["nothing"] {
        expected.clear();
    }
    (found != expected).then(|| format!("{case}\nfound\n{}", found.join("\n")))
}

/// `m1 Sum 60 Namespace Name Dimension=value …` or `e1 = expression`, then `| label …`, `| hidden`, `| unit
/// …`, `| period …`.
fn query(line: &str) -> Value {
    let mut parts = line.split(" | ");
    let first = parts.next().expect("the first part");
    let (id, rest) = first.split_once(' ').unwrap_or_else(|| panic!("not a query: {line}"));
    let mut query = json!({ "Id": id });
    if let Some(expression) = rest.strip_prefix("= ") {
        query["Expression"] = json!(expression);
    } else {
        let words: Vec<&str> = rest.split(' ').collect();
        let &[stat, period, namespace, name, ref dimensions @ ..] = words.as_slice() else {
            panic!("not a metric: {line}");
        };
        let dimensions: Vec<Value> = dimensions
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        let period: i32 = period.parse().unwrap_or_else(|_| panic!("not a period: {line}"));
        let metric = json!({ "Namespace": namespace, "MetricName": name, "Dimensions": dimensions });
        query["MetricStat"] = json!({ "Metric": metric, "Stat": stat, "Period": period });
    }
    for option in parts {
        match option.split_once(' ') {
            None => query["ReturnData"] = json!(false),
            Some(("label", label)) => query["Label"] = json!(label),
            Some(("unit", unit)) => query["MetricStat"]["Unit"] = json!(unit),
            Some(("period", period)) => query["Period"] = json!(period.parse::<i32>().expect("seconds")),
            Some(_) => panic!("unknown option `{option}`: {line}"),
        }
    }
    query
}

/// `id [label] 1 2 - 4`, a value a minute of the range, and what else there is to say.
fn show(answer: &GetMetricDataOutput, start: i64, end: i64) -> Vec<String> {
    let results = answer.metric_data_results.iter().flatten().map(|result| show_result(result, start, end));
    let messages =
        answer.messages.iter().flatten().map(|message| {
            format!("message {}: {}", text(message.code.as_ref()), text(message.value.as_ref()))
        });
    let token = answer.next_token.as_ref().map(|_| "token".to_owned());
    results.chain(messages).chain(token).collect()
}

fn show_result(result: &MetricDataResult, start: i64, end: i64) -> String {
    let timestamps = result.timestamps.as_deref().unwrap_or_default();
    let values = result.values.as_deref().unwrap_or_default();
    assert_eq!(timestamps.len(), values.len());
    let mut shown = format!("{} [{}]", text(result.id.as_ref()), text(result.label.as_ref()));
    for minute in (start..end).step_by(60) {
        let at = timestamps.iter().position(|timestamp| timestamp.0.as_secs() == minute);
        shown.push(' ');
        shown.push_str(&at.map_or_else(|| "-".to_owned(), |at| values[at].to_string()));
    }
    let outside = |timestamp: i64| timestamp < start || timestamp >= end || timestamp % 60 != 0;
    for (timestamp, value) in timestamps.iter().zip(values) {
        if outside(timestamp.0.as_secs()) {
            shown.push_str(&format!(" {}={value}", timestamp.0));
        }
    }
    if result.status_code != Some(StatusCode::Complete) {
        shown.push_str(&format!(" {}", result.status_code.as_ref().map_or("?", StatusCode::as_str)));
    }
    for message in result.messages.iter().flatten() {
        shown.push_str(&format!(" {}: {}", text(message.code.as_ref()), text(message.value.as_ref())));
    }
    shown
}

fn text(text: Option<&String>) -> &str {
    text.map_or("?", String::as_str)
}

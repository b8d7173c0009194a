//! `golden/periods.txt`: which points a range has. Every case runs twice: with the data in memory, and
//! flushed and restarted.

use serde_json::{Value, json};

use crate::kit::World;

const TABLE: &str = include_str!("../golden/periods.txt");

#[tokio::test]
async fn every_line_of_the_periods_table_holds_in_memory() {
    check_table(false).await;
}

#[tokio::test]
async fn every_line_of_the_periods_table_holds_in_blocks() {
    check_table(true).await;
}

async fn check_table(in_blocks: bool) {
    let mut world = World::new().await;
    let (mut case, mut is_flushed, mut checked) = (0, false, 0);
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[0] {
            "#" => (case, is_flushed) = (case + 1, false),
            "now" => world.set_clock(&full_time(words[1])),
            "put" => world.put_data(datum(case, &words[1..])).await,
            _ => {
                if in_blocks && !is_flushed {
                    world.store.flush().await.expect("a flush");
                    world = world.restart().await;
                    is_flushed = true;
                }
                check(&world, case, line).await;
                checked += 1;
            }
        }
    }
    assert!(checked > 55, "the table has shrunk to {checked} lines");
}

fn datum(case: usize, words: &[&str]) -> Value {
    let unit = words[2..].iter().find(|word| **word != "1s");
    json!([{
        "MetricName": format!("metric{case}"),
        "Timestamp": full_time(words[0]),
        "Value": words[1].parse::<f64>().expect("a value"),
        "Unit": unit,
        "StorageResolution": if words[2..].contains(&"1s") { 1 } else { 60 },
    }])
}

async fn check(world: &World, case: usize, line: &str) {
    let (question, expected) =
        line.split_once(" = ").unwrap_or_else(|| panic!("not a line of the table: {line}"));
    let words: Vec<&str> = question.split(' ').collect();
    let &[operation, start, end, period, statistic, ref unit @ ..] = words.as_slice() else {
        panic!("not a line of the table: {line}")
    };
    let ask = Question {
        metric: format!("metric{case}"),
        start: full_time(start),
        end: full_time(end),
        period: period.parse().expect("a period"),
        statistic,
        unit: unit.first().copied(),
    };
    let found = match operation {
        "statistics" => statistics(world, &ask).await,
        "data" => data(world, &ask).await,
        other => panic!("`{other}` is not an operation: {line}"),
    };
    let expected: Vec<String> = if expected == "-" { Vec::new() } else { points(expected) };
    assert_eq!(found, expected, "{line}");
}

struct Question<'a> {
    metric: String,
    start: String,
    end: String,
    period: u32,
    statistic: &'a str,
    unit: Option<&'a str>,
}

/// `time value unit` of each point, ascending.
async fn statistics(world: &World, ask: &Question<'_>) -> Vec<String> {
    let answer = world.statistics(json!({
        "Namespace": "Test", "MetricName": ask.metric, "StartTime": ask.start, "EndTime": ask.end,
        "Period": ask.period, "Statistics": [ask.statistic], "Unit": ask.unit,
    }));
    let points = answer.await.expect("an answer").datapoints.expect("always there");
    let show = |point: groundwatch_api::cloudwatch::Datapoint| {
        let value = point.sum.or(point.average).or(point.sample_count).expect("a statistic");
        let time = point.timestamp.expect("always there").0;
        format!("{time} {value} {}", point.unit.expect("always there"))
    };
    points.into_iter().map(show).collect()
}

/// `time value` of each point, then `| message` if there is one.
async fn data(world: &World, ask: &Question<'_>) -> Vec<String> {
    let metric = json!({ "Namespace": "Test", "MetricName": ask.metric });
    let stat = json!({ "Metric": metric, "Period": ask.period, "Stat": ask.statistic, "Unit": ask.unit });
    let answer = world.data(json!({
        "StartTime": ask.start, "EndTime": ask.end, "MetricDataQueries": [{ "Id": "q", "MetricStat": stat }],
    }));
    let mut results = answer.await.expect("an answer").metric_data_results.expect("always there");
    let result = results.pop().expect("one query");
    let (times, values) = (result.timestamps.expect("always there"), result.values.expect("always there"));
    let points = times.iter().zip(values).map(|(time, value)| format!("{} {value}", time.0));
    let messages =
        result.messages.into_iter().flatten().map(|message| format!("| {}", message.value.expect("a text")));
    points.chain(messages).collect()
}

/// The expected points as the answers are shown.
fn points(expected: &str) -> Vec<String> {
    let (points, message) = match expected.split_once(" | ") {
        None => (expected, None),
        Some((points, message)) => (points, Some(format!("| {message}"))),
    };
    let shown = points.split(", ").map(|point| {
        let (time, rest) = point.split_once(' ').expect("time and value");
        format!("{} {rest}", full_time(time))
    });
    shown.chain(message).collect()
}

fn full_time(text: &str) -> String {
    let (date, time) = text.split_once('T').unwrap_or(("2026-01-02", text));
    let seconds = if time.matches(':').count() == 1 { ":00" } else { "" };
    format!("{date}T{time}{seconds}Z")
}

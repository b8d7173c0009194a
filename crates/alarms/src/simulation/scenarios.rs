//! Runs the table of scenarios in `scenarios.txt`, each in a world of its own.

use std::time::Duration;

use groundwatch_api::cloudwatch::{self as api, PutMetricAlarmInput};
use groundwatch_core::{Clock as _, Timestamp};

use super::math::{expression, metric_of};
use super::{World, alarm, at};

const TABLE: &str = include_str!("scenarios.txt");

/// How many scenarios there are at least; those of `evaluation` come on top.
const SCENARIOS_MIN: usize = 90;

#[tokio::test]
async fn scenarios_go_as_they_were_worked_out() {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut count, mut wrong) = (0, Vec::new());
    for line in lines {
        let [alarm, script, expected] = line.splitn(3, '|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}")
        };
        count += 1;
        let found = run(alarm, script).await;
        if found != expected {
            wrong.push(format!("{alarm} | {script}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= SCENARIOS_MIN, "{count} scenarios");
}

/// What an alarm goes through, as the last column has it.
async fn run(alarm: &str, script: &str) -> String {
    let mut world = World::new();
    world.put(definition(alarm)).await;
    let mut stays = false;
    // What is known at noon is known before the first evaluation.
    for word in script.split_whitespace() {
        if let Some(time) = word.strip_prefix('@') {
            world.advance_to(moment(time)).await;
        } else if let Some(time) = word.strip_prefix('!') {
            world.settle().await;
            world.jump_to(moment(time)).await;
        } else if word == "restart" {
            world = world.restart();
        } else if let Some(state) = word.strip_prefix("set=") {
            world.set_state("alarm", state).await;
        } else if word == "." {
            stays = true;
        } else {
            add(&world, word);
        }
    }
    if !stays {
        world.advance_to(world.clock.now() + Duration::from_secs(2 * 3600)).await;
    }
    transitions(&world).await
}

/// `Average 60 > 1 2/3 missing`.
fn definition(text: &str) -> PutMetricAlarmInput {
    let (math, text) = match text.strip_prefix("math(").and_then(|text| text.rsplit_once(") ")) {
        Some((math, rest)) => (Some(math), format!("math {rest}")),
        None => (None, text.to_owned()),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let [statistic, period, comparison, threshold, counts, treatment, ..] = words[..] else {
        panic!("an alarm: {text}")
    };
    let (needed, periods) = counts.split_once('/').expect("M/N");
    let number = |text: &str| text.parse::<i32>().expect("a number");
    let comparison = match comparison {
        ">" => "GreaterThanThreshold",
        ">=" => "GreaterThanOrEqualToThreshold",
        "<" => "LessThanThreshold",
        _ => "LessThanOrEqualToThreshold",
    };
    let low = words.contains(&"ignoreLow").then(|| "ignore".to_owned());
    let mut input = PutMetricAlarmInput {
        metric_name: Some("m".to_owned()),
        period: Some(number(period)),
        evaluation_periods: Some(number(periods)),
        datapoints_to_alarm: Some(number(needed)),
        threshold: Some(threshold.parse().expect("a threshold")),
        comparison_operator: Some(comparison.into()),
        treat_missing_data: Some(treatment.to_owned()),
        evaluate_low_sample_count_percentile: low,
        ..alarm("alarm")
    };
    match math {
        Some(math) => {
            let metric = |id| {
                let mut entry = metric_of(id, id);
                entry.metric_stat.as_mut().expect("a metric").period = input.period;
                entry
            };
            input.metrics = Some(vec![expression("e", math), metric("a"), metric("b")]);
            (input.namespace, input.metric_name, input.period, input.statistic) = (None, None, None, None);
        }
        None if statistic.starts_with('p') => {
            (input.statistic, input.extended_statistic) = (None, Some(statistic.to_owned()));
        }
        None => input.statistic = Some(api::Statistic::from(statistic)),
    }
    input
}

/// `1:30=9`, `0..5=9`, `0:00x100=9`, each perhaps with `a.` before it.
fn add(world: &World, word: &str) {
    let (metric, sample) = match word.split_at_checked(2) {
        Some(("a.", sample)) => ("a", sample),
        Some(("b.", sample)) => ("b", sample),
        _ => ("m", word),
    };
    let (time, value) = sample.split_once('=').expect("a sample");
    let value: f64 = value.parse().expect("a value");
    if let Some((first, last)) = time.split_once("..") {
        let minute = |text: &str| text.parse::<i64>().expect("a minute");
        for minute in minute(first)..=minute(last) {
            world.metrics.add(metric, moment(&format!("{minute}:00")), value);
        }
        return;
    }
    let (time, count) = time.split_once('x').unwrap_or((time, "1"));
    let begin = moment(time);
    for index in 0..count.parse::<i64>().expect("a count") {
        world.metrics.add(metric, Timestamp::from_millis(begin.as_millis() + 50 * index), value);
    }
}

/// Minutes and seconds after noon; before it with a minus.
fn moment(text: &str) -> Timestamp {
    let (minutes, seconds) = text.split_once(':').expect("minutes and seconds");
    let (minutes, seconds): (i64, i64) =
        (minutes.parse().expect("minutes"), seconds.parse().expect("seconds"));
    Timestamp::from_secs(at("12:00:00").as_secs() + 60 * minutes + seconds)
}

/// `1:00 ALARM, 4:00 OK`, by time.
async fn transitions(world: &World) -> String {
    let noon = at("12:00:00").as_secs();
    let mut found = Vec::new();
    for item in world.history_items().await {
        let summary = item.history_summary.expect("always there");
        let Some((_, state)) = summary.split_once(" to ") else { continue };
        let secs = item.timestamp.expect("always there").0.as_secs() - noon;
        found.push(format!("{}:{:02} {state}", secs.div_euclid(60), secs.rem_euclid(60)));
    }
    if found.is_empty() { "-".to_owned() } else { found.join(", ") }
}

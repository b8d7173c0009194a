//! Why an alarm is in its state, and what an alarm would have done: the endpoints, and the command.

use std::process::Command;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricDatum, Statistic};
use serde_json::json;

use crate::harness::{ACCOUNT, Server, binary};

/// Ten minutes of a metric that is too high in the fifth and sixth, watched by the alarm `hot / cpu`.
async fn ten_minutes() -> Server {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    client
        .put_metric_alarm()
        .alarm_name("hot / cpu")
        .namespace("Hosts")
        .metric_name("Cpu")
        .statistic(Statistic::Average)
        .period(60)
        .evaluation_periods(2)
        .threshold(80.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .expect("accepted");
    for minute in 0..10 {
        let value = if (4..6).contains(&minute) { 90.0 } else { 10.0 };
        let datum = MetricDatum::builder().metric_name("Cpu").value(value).build();
        client.put_metric_data().namespace("Hosts").metric_data(datum).send().await.expect("accepted");
        server.advance("PT1M").await;
    }
    server
}

#[tokio::test]
async fn an_alarm_tells_why() {
    let server = ten_minutes().await;
    let endpoint = |query: &str| {
        format!("/_groundwatch/alarms/hot%20%2F%20cpu/why?region=eu-central-1&account={ACCOUNT}{query}")
    };
    let why = server.request("GET", &endpoint(""), &[], b"").await.json();
    assert_eq!((&why["alarm"], &why["state"]), (&"hot / cpu".into(), &"OK".into()), "{why}");
    let evaluations = why["evaluations"].as_array().expect("a list");
    let alarming = evaluations.iter().find(|it| it["after"] == "ALARM").expect("it was in ALARM");
    assert_eq!(
        alarming["tally"],
        json!({"real": 2, "breaching": 2, "filled": 0, "filledAs": "missing", "needed": 2, "outOf": 2})
    );
    assert_eq!(alarming["read"][0]["value"], 90.0, "{alarming}");
    assert_eq!(alarming["at"], "2026-01-01T00:06:00Z");

    let then = server.request("GET", &endpoint("&at=2026-01-01T00:03:00Z"), &[], b"").await.json();
    assert_eq!(then["recomputed"], true);
    assert_eq!(then["evaluations"][0]["verdict"], "OK", "{then}");
    let unknown = server.request("GET", "/_groundwatch/alarms/nobody/why", &[], b"").await;
    assert_eq!(unknown.status, 404, "{}", unknown.text());
}

#[tokio::test]
async fn history_is_tried_by_name_and_by_definition() {
    let server = ten_minutes().await;
    let scope = json!({"region": "eu-central-1", "account": ACCOUNT});
    let ask = async |more: serde_json::Value| {
        let mut request = scope.clone();
        let members = request.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        server.post("/_groundwatch/alarms/backtest", &[], request.to_string().as_bytes()).await
    };
    let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z");
    let tried = ask(json!({"name": "hot / cpu", "from": from, "to": to})).await.json();
    let states: Vec<_> =
        tried["transitions"].as_array().expect("a list").iter().map(|it| &it["to"]).collect();
    assert_eq!(states, ["OK", "ALARM", "OK"], "{tried}");
    assert_eq!(tried["alarmSeconds"], 60, "{tried}");

    let definition = json!({
        "Namespace": "Hosts", "MetricName": "Cpu", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 80, "ComparisonOperator": "GreaterThanThreshold",
    });
    let tried = ask(json!({"alarm": definition, "from": from, "to": to})).await.json();
    assert_eq!(tried["transitions"][1]["at"], "2026-01-01T00:05:00Z", "{tried}");
    let refused = ask(json!({"alarm": {"Period": 7}, "from": from, "to": to})).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[tokio::test]
async fn the_command_prints_what_would_have_happened() {
    let server = ten_minutes().await;
    let run = |alarm: &str| {
        let times = ["--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T00:10:00Z"];
        Command::new(binary())
            .args(["backtest", "--alarm", alarm, "--endpoint", &server.url, "--account", ACCOUNT])
            .args(["--region", "eu-central-1"])
            .args(times)
            .output()
            .expect("the command runs")
    };
    let output = run("hot / cpu");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("2026-01-01T00:06:00Z  OK -> ALARM"), "{text}");
    assert!(text.ends_with("3 changes of state, 60 s in ALARM\n"), "{text}");
    let unknown = run("nobody");
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no alarm `nobody`"));
}

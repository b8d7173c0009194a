//! From a transition to those who are to know of it, through SIGKILLs in between: nobody misses one.
//!
//! `GROUNDWATCH_KILLS` sets how often each test kills the server (default 10, and 2 with boto3, by the real
//! clock).

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use serde_json::Value;

use crate::harness::{ACCOUNT, Server, binary};

fn kills(default: usize) -> usize {
    std::env::var("GROUNDWATCH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What is sent keeps failing until the file `gate` is there, so that each kill comes between transition and
/// delivery.
fn config(directory: &Path) -> String {
    let directory = directory.display();
    let script = format!("test -e {directory}/gate && cat > {directory}/out/$GROUNDWATCH_DELIVERY_ID");
    format!("[[target]]\narn = 'arn:aws:lambda:*'\ncommand = ['sh', '-c', '{script}']\n")
}

/// The reasons of all transitions that arrived.
fn reasons(directory: &Path) -> Vec<String> {
    let files = std::fs::read_dir(directory.join("out")).expect("a directory");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.expect("listed").path()).expect("readable");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        event["alarmData"]["state"]["reason"].as_str().expect("a reason").to_owned()
    };
    files.map(read).collect()
}

#[tokio::test]
async fn no_transition_is_lost_between_state_and_delivery() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    std::fs::create_dir(directory.join("out")).expect("made");
    std::fs::write(directory.join("groundwatch.toml"), config(directory)).expect("written");
    let (data, file) = (directory.join("data"), directory.join("groundwatch.toml").display().to_string());
    let flags = ["--clock", "manual", "--config", &file];
    let mut server = Server::start_in(&data, &flags);
    server
        .cloudwatch()
        .put_metric_alarm()
        .alarm_name("drill")
        .namespace("Nothing")
        .metric_name("Nothing")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(0.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .treat_missing_data("ignore")
        .alarm_actions(format!("arn:aws:lambda:eu-central-1:{ACCOUNT}:function:page"))
        .send()
        .await
        .expect("accepted");
    let kills = kills(10);
    for kill in 0..kills {
        let client = server.cloudwatch();
        for (state, reason) in [(StateValue::Ok, "calm"), (StateValue::Alarm, &*format!("drill {kill}"))] {
            let set = client.set_alarm_state().alarm_name("drill").state_value(state).state_reason(reason);
            set.send().await.expect("accepted");
        }
        server.kill();
        std::fs::write(directory.join("gate"), "").expect("opened");
        server = Server::start_in(&data, &flags);
        server.advance("PT2M").await;
        std::fs::remove_file(directory.join("gate")).expect("closed");
    }
    let arrived = reasons(directory);
    let different: BTreeSet<_> = arrived.iter().collect();
    assert_eq!(different.len(), kills, "{arrived:?}");
    assert_eq!(arrived.len(), kills, "a repeat has the id of the first");
    println!("{kills} kills between transition and delivery, {} transitions arrived", different.len());
}

#[test]
fn boto3_sees_alarms_arrive_everywhere() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/end_to_end");
    let output =
        Command::new(script).arg(binary()).arg(kills(2).to_string()).output().expect("the script runs");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "somebody was not told; see the output above");
}

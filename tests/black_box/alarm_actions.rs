//! Alarm actions that are no topics, and events, through targets of a configuration file.

use std::path::Path;

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use serde_json::Value;

use crate::harness::{ACCOUNT, Server};

/// The JSON files below a folder, by the ARN's directory, oldest event first.
fn delivered(folder: &Path, directory: &str) -> Vec<Value> {
    let Ok(files) = std::fs::read_dir(folder.join(directory)) else { return Vec::new() };
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.expect("listed").path()).expect("readable");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let mut documents: Vec<_> = files.map(read).collect();
    documents.sort_by_key(|document| document["time"].as_str().unwrap_or_default().to_owned());
    documents
}

#[tokio::test]
async fn functions_and_the_bus_are_reached_by_targets() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, folder) = (directory.path().join("data"), directory.path().join("out"));
    let config = directory.path().join("groundwatch.toml");
    let targets = format!(
        "[[target]]\narn = 'arn:aws:lambda:*'\nfolder = '{0}'\n\
         [[target]]\narn = 'arn:aws:events:*:event-bus/default'\nfolder = '{0}'\n\
         [[target]]\narn = 'arn:aws:automate:*'\ncommand = ['sh', '-c', 'echo no such host >&2; exit 1']\n",
        folder.display()
    );
    std::fs::write(&config, targets).expect("written");
    let config = config.display().to_string();
    let server = Server::start_in(&data, &["--clock", "manual", "--config", &config]);
    server.set_clock("2026-01-01T00:00:00Z").await;
    let function = format!("arn:aws:lambda:eu-central-1:{ACCOUNT}:function:heal");
    let policy = format!(
        "arn:aws:autoscaling:eu-central-1:{ACCOUNT}:scalingPolicy:1:autoScalingGroupName/g:policyName/p"
    );
    let reboot = "arn:aws:automate:eu-central-1:ec2:reboot";
    let client = server.cloudwatch();
    client
        .put_metric_alarm()
        .alarm_name("sick")
        .namespace("AWS/EC2")
        .metric_name("StatusCheckFailed")
        .dimensions(aws_sdk_cloudwatch::types::Dimension::builder().name("InstanceId").value("i-1").build())
        .statistic(Statistic::Maximum)
        .period(60)
        .evaluation_periods(1)
        .threshold(0.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .treat_missing_data("ignore")
        .set_alarm_actions(Some(vec![function.clone(), policy.clone(), reboot.to_owned()]))
        .send()
        .await
        .expect("accepted");
    let set =
        client.set_alarm_state().alarm_name("sick").state_value(StateValue::Alarm).state_reason("drill");
    set.send().await.expect("accepted");
    server.advance("PT2H").await;

    let invoked =
        delivered(&folder, &format!("arn%3Aaws%3Alambda%3Aeu-central-1%3A{ACCOUNT}%3Afunction%3Aheal"));
    let [event] = &invoked[..] else { panic!("{invoked:?}") };
    assert_eq!(event["alarmData"]["state"]["value"], "ALARM");
    assert_eq!(event["alarmData"]["previousState"]["value"], "INSUFFICIENT_DATA");
    let events =
        delivered(&folder, &format!("arn%3Aaws%3Aevents%3Aeu-central-1%3A{ACCOUNT}%3Aevent-bus%2Fdefault"));
    let mut types: Vec<_> = events.iter().filter_map(|event| event["detail-type"].as_str()).collect();
    types.sort_unstable();
    assert_eq!(types, ["CloudWatch Alarm Configuration Change", "CloudWatch Alarm State Change"]);

    let history = client.describe_alarm_history().alarm_name("sick").send().await.expect("answered");
    let summaries: Vec<_> =
        history.alarm_history_items().iter().filter_map(|item| item.history_summary()).collect();
    for expected in [
        format!("Successfully executed action {function}"),
        format!(
            "Failed to execute action {policy}. Received error: \"no target is configured for {policy}\""
        ),
        format!(
            "Failed to execute action {reboot}. Received error: \"the command ended with exit status: 1: no such host\""
        ),
    ] {
        assert!(summaries.contains(&expected.as_str()), "{expected}: {summaries:?}");
    }
}

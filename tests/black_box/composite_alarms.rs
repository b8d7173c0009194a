//! Composite alarms, mute rules, alarms on math and switched actions through the SDK, by the manual clock.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatch::types::{
    ActionsSuppressedBy, AlarmMuteRuleStatus, AlarmType, ComparisonOperator, CompositeAlarm, HistoryItemType,
    Metric, MetricDataQuery, MetricDatum, MetricStat, MuteTargets, Rule, Schedule, StateValue, Statistic,
};

use crate::harness::{ACCOUNT, Server};

fn topic() -> String {
    format!("arn:aws:sns:eu-central-1:{ACCOUNT}:ops")
}

async fn put_alarm(client: &Client, name: &str) {
    client
        .put_metric_alarm()
        .alarm_name(name)
        .namespace("App")
        .metric_name(name)
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(5.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .treat_missing_data("ignore")
        .alarm_actions(topic())
        .send()
        .await
        .expect("accepted");
}

async fn put_value(client: &Client, metric: &str, value: f64) {
    client
        .put_metric_data()
        .namespace("App")
        .metric_data(MetricDatum::builder().metric_name(metric).value(value).build())
        .send()
        .await
        .expect("accepted");
}

async fn composite(client: &Client, name: &str) -> CompositeAlarm {
    let output = client
        .describe_alarms()
        .alarm_names(name)
        .alarm_types(AlarmType::CompositeAlarm)
        .send()
        .await
        .expect("answered");
    output.composite_alarms().first().expect("the alarm exists").clone()
}

#[tokio::test]
async fn a_composite_alarm_follows_its_children() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors").await;
    put_alarm(&client, "latency").await;
    let rule = format!(
        "AT_LEAST(1, ALARM, (errors, \"arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:latency\")) AND NOT FALSE"
    );
    client.put_composite_alarm().alarm_name("any").alarm_rule(&rule).send().await.expect("accepted");
    server.advance("PT1M").await;
    let alarm = composite(&client, "any").await;
    assert_eq!((alarm.state_value(), alarm.alarm_rule()), (Some(&StateValue::Ok), Some(rule.as_str())));

    put_value(&client, "errors", 10.0).await;
    server.advance("PT1M").await;
    let alarm = composite(&client, "any").await;
    assert_eq!(alarm.state_value(), Some(&StateValue::Alarm));
    let reason = alarm.state_reason().expect("a reason");
    let prefix = format!("arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:errors transitioned to ALARM at ");
    assert!(reason.starts_with(&prefix), "{reason}");
    assert!(alarm.state_reason_data().expect("data").starts_with("{\"triggeringAlarms\":[{\"arn\":"));

    let children = client.describe_alarms().children_of_alarm_name("any").send().await.expect("answered");
    let names: Vec<_> = children.metric_alarms().iter().filter_map(|alarm| alarm.alarm_name()).collect();
    assert_eq!(names, ["errors", "latency"]);
    let error = client.delete_alarms().alarm_names("errors").send().await.expect_err("refused");
    let refusal = "Cannot delete errors as there are composite alarm(s) depending on it.";
    assert_eq!(error.message(), Some(refusal));

    let history = client
        .describe_alarm_history()
        .alarm_name("any")
        .alarm_types(AlarmType::CompositeAlarm)
        .history_item_type(HistoryItemType::StateUpdate)
        .send()
        .await
        .expect("answered");
    let summaries: Vec<_> =
        history.alarm_history_items().iter().filter_map(|item| item.history_summary()).collect();
    assert_eq!(summaries, ["Alarm updated from OK to ALARM", "Alarm updated from INSUFFICIENT_DATA to OK"]);
}

#[tokio::test]
async fn a_suppressor_withholds_the_actions_of_a_composite_alarm() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors").await;
    put_alarm(&client, "deployment").await;
    client
        .put_composite_alarm()
        .alarm_name("any")
        .alarm_rule("ALARM(errors)")
        .actions_suppressor("deployment")
        .actions_suppressor_wait_period(120)
        .actions_suppressor_extension_period(60)
        .send()
        .await
        .expect("accepted");
    server.advance("PT10M").await;
    let set = async |name: &str, state: StateValue| {
        let call = client.set_alarm_state().alarm_name(name).state_value(state).state_reason("test");
        call.send().await.expect("accepted");
        server.advance("PT1S").await;
        composite(&client, "any").await.actions_suppressed_by().cloned()
    };
    assert_eq!(set("errors", StateValue::Alarm).await, Some(ActionsSuppressedBy::WaitPeriod));
    assert_eq!(set("deployment", StateValue::Alarm).await, Some(ActionsSuppressedBy::Alarm));
    assert_eq!(set("deployment", StateValue::Ok).await, Some(ActionsSuppressedBy::ExtensionPeriod));
    server.advance("PT1M").await;
    assert_eq!(composite(&client, "any").await.actions_suppressed_by(), None);
}

#[tokio::test]
async fn a_mute_rule_withholds_actions_until_it_is_gone() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors").await;
    let put_rule = async |expression: &str| {
        let schedule = Schedule::builder().expression(expression).duration("PT1H").timezone("Europe/Berlin");
        let rule = Rule::builder().schedule(schedule.build()).build();
        let targets = MuteTargets::builder().alarm_names("errors").build();
        let call = client.put_alarm_mute_rule().name("works").rule(rule).mute_targets(targets);
        call.send().await.expect("accepted");
        let rule = client.get_alarm_mute_rule().alarm_mute_rule_name("works").send().await.expect("answered");
        rule.status().cloned()
    };
    assert_eq!(put_rule("at(2000-01-01T00:00)").await, Some(AlarmMuteRuleStatus::Expired));
    assert_eq!(put_rule("cron(* * * * *)").await, Some(AlarmMuteRuleStatus::Active));
    let listed = client.list_alarm_mute_rules().alarm_name("errors").send().await.expect("answered");
    assert_eq!(listed.alarm_mute_rule_summaries().len(), 1);

    put_value(&client, "errors", 10.0).await;
    server.advance("PT3H").await;
    let actions = async || {
        let history = client.describe_alarm_history().alarm_name("errors");
        let history = history.history_item_type(HistoryItemType::Action).send().await.expect("answered");
        let summaries = history.alarm_history_items().iter().filter_map(|item| item.history_summary());
        let before_arn = |summary: &str| summary.split(" arn:").next().unwrap_or_default().to_owned();
        summaries.map(before_arn).collect::<Vec<_>>()
    };
    assert_eq!(actions().await, ["Actions muted by alarm mute rule works"]);
    for _ in 0..2 {
        let call = client.delete_alarm_mute_rule().alarm_mute_rule_name("works");
        call.send().await.expect("accepted, also when it is gone");
    }
    server.advance("PT1S").await;
    // The topic does not exist: that it was tried is what counts here.
    assert_eq!(actions().await, ["Failed to execute action", "Actions muted by alarm mute rule works"]);
}

#[tokio::test]
async fn alarms_of_a_metric_are_found_and_switched() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    put_alarm(&client, "errors").await;
    put_alarm(&client, "latency").await;
    let of_errors = async |statistic: Statistic| {
        let call = client.describe_alarms_for_metric().namespace("App").metric_name("errors");
        call.statistic(statistic).send().await.expect("answered").metric_alarms().to_vec()
    };
    assert!(of_errors(Statistic::Average).await.is_empty());
    let found = of_errors(Statistic::Sum).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].alarm_name(), Some("errors"));

    client.disable_alarm_actions().alarm_names("errors").alarm_names("gone").send().await.expect("accepted");
    assert_eq!(of_errors(Statistic::Sum).await[0].actions_enabled(), Some(false));
    client.enable_alarm_actions().alarm_names("errors").send().await.expect("accepted");
    assert_eq!(of_errors(Statistic::Sum).await[0].actions_enabled(), Some(true));
}

#[tokio::test]
async fn an_alarm_watches_an_expression() {
    let server = Server::start_with_manual_clock().await;
    let client = server.cloudwatch();
    let metric = |name: &str| {
        let metric = Metric::builder().namespace("App").metric_name(name).build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
        MetricDataQuery::builder().id(name).metric_stat(stat).return_data(false).build()
    };
    client
        .put_metric_alarm()
        .alarm_name("rate")
        .metrics(
            MetricDataQuery::builder().id("rate").expression("errors / requests").return_data(true).build(),
        )
        .metrics(metric("errors"))
        .metrics(metric("requests"))
        .evaluation_periods(1)
        .threshold(0.5)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .expect("accepted");
    put_value(&client, "errors", 8.0).await;
    put_value(&client, "requests", 10.0).await;
    server.advance("PT1M").await;
    let output = client.describe_alarms().alarm_names("rate").send().await.expect("answered");
    let alarm = &output.metric_alarms()[0];
    assert_eq!((alarm.state_value(), alarm.metrics().len()), (Some(&StateValue::Alarm), 3));
    let reason = alarm.state_reason().expect("a reason");
    assert!(reason.starts_with("Threshold Crossed: 1 datapoint [0.8 ("), "{reason}");
}

//! What changes of state send, and what becomes of it.

use std::sync::atomic::Ordering;

use groundwatch_api::cloudwatch::{
    self as api, ActionConfiguration, AlarmTagsPropagation, PutMetricAlarmInput,
};
use groundwatch_core::Clock;

use super::{World, alarm, at};
use crate::effects::delivery::NotifyError;

fn topic(name: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:{name}")
}

fn noisy(name: &str) -> PutMetricAlarmInput {
    PutMetricAlarmInput {
        ok_actions: Some(vec![topic("calm")]),
        alarm_actions: Some(vec![topic("page"), topic("chat")]),
        insufficient_data_actions: Some(vec![topic("lost")]),
        ..alarm(name)
    }
}

/// One minute of breach among fine ones, then nothing.
async fn breach_for_a_minute(world: &World, name: &str) {
    for (minute, value) in [("12:00:30", 0.0), ("12:01:30", 9.0), ("12:02:30", 0.0)] {
        world.metrics.add(name, at(minute), value);
    }
    world.advance_to(at("12:10:00")).await;
}

#[tokio::test]
async fn actions_run_once_a_transition_and_in_order() {
    let world = World::new();
    world.put(noisy("cpu")).await;
    breach_for_a_minute(&world, "cpu").await;
    assert_eq!(
        *world.topics.published.lock(),
        [
            // A new alarm that turns out to be OK runs its OK actions too.
            "calm OK: \"cpu\"",
            "page ALARM: \"cpu\"",
            "chat ALARM: \"cpu\"",
            "calm OK: \"cpu\"",
            "lost INSUFFICIENT_DATA: \"cpu\"",
        ]
    );
    assert_eq!(
        world.history().await[..6],
        [
            "12:00:00 cpu: Alarm \"cpu\" created",
            "12:01:00 cpu: Alarm updated from INSUFFICIENT_DATA to OK",
            "12:01:00 cpu: Successfully executed action arn:aws:sns:us-east-1:000000000000:calm",
            "12:02:00 cpu: Alarm updated from OK to ALARM",
            "12:02:00 cpu: Successfully executed action arn:aws:sns:us-east-1:000000000000:page",
            "12:02:00 cpu: Successfully executed action arn:aws:sns:us-east-1:000000000000:chat",
        ]
    );
}

#[tokio::test]
async fn disabled_actions_do_not_run_but_events_are_sent() {
    let world = World::new();
    world.put(PutMetricAlarmInput { actions_enabled: Some(false), ..noisy("cpu") }).await;
    breach_for_a_minute(&world, "cpu").await;
    assert!(world.topics.published.lock().is_empty());
    let changes = world.bus.state_changes();
    let times: Vec<String> = changes.iter().map(|event| event.time.strftime("%H:%M")).collect();
    assert_eq!(times, ["12:01", "12:02", "12:03", "12:06"]);
}

#[tokio::test]
async fn setting_the_same_state_runs_nothing() {
    let world = World::new();
    world.put(noisy("cpu")).await;
    world.settle().await;
    world.set_state("cpu", "ALARM").await;
    world.advance_to(at("12:00:10")).await;
    world.set_state("cpu", "ALARM").await;
    world.advance_to(at("12:00:20")).await;
    assert_eq!(*world.topics.published.lock(), ["page ALARM: \"cpu\"", "chat ALARM: \"cpu\""]);
    let alarm = world.describe("cpu").await.expect("an alarm");
    assert_eq!(alarm.state_updated_timestamp.expect("always there").0, at("12:00:10"));
    assert_eq!(alarm.state_transitioned_timestamp.expect("always there").0, at("12:00:00"));
}

#[tokio::test]
async fn actions_survive_a_restart_before_they_ran() {
    let world = World::new();
    world.put(noisy("cpu")).await;
    world.settle().await;
    world.set_state("cpu", "ALARM").await;
    let world = world.restart();
    assert!(world.topics.published.lock().is_empty());
    world.settle().await;
    assert_eq!(*world.topics.published.lock(), ["page ALARM: \"cpu\"", "chat ALARM: \"cpu\""]);
    let world = world.restart();
    world.settle().await;
    assert_eq!(world.topics.published.lock().len(), 2, "and do not run again");
}

#[tokio::test]
async fn a_refused_action_fails_at_once_and_says_why() {
    let world = World::new();
    world.put(noisy("cpu")).await;
    world.settle().await;
    *world.topics.refusal.lock() = Some(NotifyError::Permanent("Topic does not exist".to_owned()));
    world.set_state("cpu", "OK").await;
    world.settle().await;
    let history = world.history().await;
    assert_eq!(
        history.last().expect("an item"),
        "12:00:00 cpu: Failed to execute action arn:aws:sns:us-east-1:000000000000:calm. Received error: \
         \"Topic does not exist\""
    );
}

#[tokio::test]
async fn a_failing_action_is_tried_again_until_it_succeeds() {
    let world = World::new();
    let ignoring = PutMetricAlarmInput { treat_missing_data: Some("ignore".to_owned()), ..noisy("cpu") };
    world.put(ignoring).await;
    *world.topics.refusal.lock() = Some(NotifyError::Temporary("the disk is full".to_owned()));
    world.set_state("cpu", "OK").await;
    world.advance_to(at("12:00:05")).await;
    // A restart in the middle does not start over.
    let world = world.restart();
    *world.topics.refusal.lock() = None;
    world.advance_to(at("12:00:30")).await;
    assert_eq!(*world.topics.published.lock(), ["calm OK: \"cpu\""]);
    let history = world.history().await;
    // Attempts at 0, 1, 3 and 7 seconds.
    assert_eq!(
        history.last().expect("an item"),
        "12:00:10 cpu: Successfully executed action arn:aws:sns:us-east-1:000000000000:calm"
    );
}

#[tokio::test]
async fn an_action_that_fails_for_an_hour_has_failed() {
    let world = World::new();
    let ignoring = PutMetricAlarmInput { treat_missing_data: Some("ignore".to_owned()), ..noisy("cpu") };
    world.put(ignoring).await;
    *world.topics.refusal.lock() = Some(NotifyError::Temporary("the disk is full".to_owned()));
    world.set_state("cpu", "OK").await;
    world.advance_to(at("14:00:00")).await;
    let history = world.history().await;
    let failed = history.iter().filter(|line| line.contains("Failed to execute")).count();
    assert_eq!(failed, 1, "{history:#?}");
}

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:heal";
const INCIDENT: &str = "arn:aws:ssm-incidents::1:responseplan/n";
const POLICY: &str = "arn:aws:autoscaling:us-east-1:1:scalingPolicy:id:autoScalingGroupName/g:policyName/p";

fn acting(name: &str, actions: &[&str]) -> PutMetricAlarmInput {
    let actions = actions.iter().map(|arn| (*arn).to_owned()).collect();
    PutMetricAlarmInput {
        alarm_actions: Some(actions),
        treat_missing_data: Some("ignore".to_owned()),
        ..alarm(name)
    }
}

#[tokio::test]
async fn an_action_without_a_target_fails_by_name() {
    let world = World::new();
    world.put(acting("cpu", &[INCIDENT])).await;
    world.set_state("cpu", "ALARM").await;
    world.settle().await;
    let items = world.history_items().await;
    let action = items
        .iter()
        .find(|item| item.history_item_type == Some(api::HistoryItemType::Action))
        .expect("an action");
    let data = action.history_data.as_deref().expect("always there");
    assert!(data.contains("\"actionState\":\"Failed\""), "{data}");
    assert!(data.contains(&format!("no target is configured for {INCIDENT}")), "{data}");
}

#[tokio::test]
async fn functions_are_invoked_through_restarts_and_failures() {
    let world = World::new();
    world.put(acting("cpu", &[FUNCTION])).await;
    *world.topics.refusal.lock() = Some(NotifyError::Temporary("the line is cut".to_owned()));
    world.set_state("cpu", "ALARM").await;
    world.advance_to(at("12:00:05")).await;
    let world = world.restart();
    assert!(world.topics.ordered.lock().is_empty());
    *world.topics.refusal.lock() = None;
    world.advance_to(at("12:00:30")).await;
    let ordered = world.topics.ordered.lock().clone();
    assert_eq!(ordered.len(), 1, "{ordered:?}");
    assert!(ordered[0].starts_with("{\"source\":\"aws.cloudwatch\",\"alarmArn\":"), "{ordered:?}");
    let history = world.history().await;
    assert_eq!(
        history.last().expect("an item"),
        &format!("12:00:10 cpu: Successfully executed action {FUNCTION}")
    );
}

#[tokio::test]
async fn functions_and_events_are_told_of_tags_where_asked() {
    let world = World::new();
    let propagation = AlarmTagsPropagation { enabled: Some(true), ..AlarmTagsPropagation::default() };
    let team = api::Tag { key: Some("team".to_owned()), value: Some("web".to_owned()) };
    world
        .put(PutMetricAlarmInput {
            action_configuration: Some(ActionConfiguration { alarm_tags_propagation: Some(propagation) }),
            tags: Some(vec![team]),
            ..acting("cpu", &[FUNCTION, POLICY])
        })
        .await;
    world.set_state("cpu", "ALARM").await;
    world.settle().await;
    let told = "\"alarmTags\":{\"team\":\"web\"},\"alarmTagsStatus\":\"SUCCESS\"";
    let tells: Vec<bool> = world.topics.ordered.lock().iter().map(|body| body.contains(told)).collect();
    assert_eq!(tells, [true, false], "policies are not told");
    assert!(world.bus.state_changes()[0].detail.ends_with(&format!("{told}}}")));
}

/// The datapoints that the policy was told, in order.
fn metric_values(world: &World) -> Vec<f64> {
    let ordered = world.topics.ordered.lock();
    let read = |body: &String| -> serde_json::Value { serde_json::from_str(body).expect("JSON") };
    ordered.iter().map(|body| read(body)["metricValue"].as_f64().expect("a number")).collect()
}

#[tokio::test]
async fn scaling_policies_are_executed_every_minute_of_the_state() {
    let world = World::new();
    world.put(acting("cpu", &[POLICY])).await;
    for (minute, value) in [(0, 5.0), (1, 6.0), (2, 7.0), (3, 8.0), (4, 0.0)] {
        let start = at("12:00:00") + std::time::Duration::from_secs(60 * minute);
        world.advance_to(start + std::time::Duration::from_secs(30)).await;
        world.metrics.add("cpu", start, value);
    }
    world.advance_to(at("12:10:00")).await;
    assert_eq!(metric_values(&world), [5.0, 6.0, 7.0, 8.0]);
    assert_eq!(world.state("cpu").await, "OK");
}

#[tokio::test]
async fn scaling_policies_go_on_after_a_restart_until_actions_are_disabled() {
    let world = World::new();
    world.put(acting("cpu", &[POLICY])).await;
    world.set_state("cpu", "ALARM").await;
    world.advance_to(at("12:01:30")).await;
    let world = world.restart();
    world.advance_to(at("12:02:30")).await;
    assert_eq!(world.topics.ordered.lock().len(), 3);
    let names = api::DisableAlarmActionsInput { alarm_names: Some(vec!["cpu".to_owned()]) };
    world.call::<api::DisableAlarmActions>(names).await.expect("disabled");
    world.advance_to(at("12:10:00")).await;
    assert_eq!(world.topics.ordered.lock().len(), 3);
}

#[tokio::test]
async fn definitions_are_events_too() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.put(alarm("cpu")).await;
    world.delete(&["cpu"]).await.expect("deleted");
    world.settle().await;
    let events = world.bus.events.lock();
    let operations: Vec<_> = events
        .iter()
        .filter_map(|event| event.detail.split("\"operation\":\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(operations, ["create", "update", "delete"]);
}

#[tokio::test]
async fn a_long_stop_is_caught_up_without_a_storm() {
    let world = World::new();
    world.put(noisy("cpu")).await;
    for minute in 0..600 {
        let time = at("12:00:30") + std::time::Duration::from_secs(60 * minute);
        world.metrics.add("cpu", time, if minute % 2 == 0 { 9.0 } else { 0.0 });
    }
    let world = world.restart();
    world.jump_to(at("22:00:00")).await;
    assert_eq!(*world.topics.published.lock(), ["calm OK: \"cpu\""], "of 600 changes the last state");
}

#[tokio::test]
async fn a_mistake_with_one_alarm_or_action_harms_no_other() {
    let world = World::new();
    world.put(alarm("mistake")).await;
    let actions = Some(vec![topic("mistake"), topic("page")]);
    world.put(PutMetricAlarmInput { alarm_actions: actions, ..alarm("cpu") }).await;
    world.metrics.add("cpu", at("12:00:30"), 9.0);
    world.advance_to(at("12:01:00")).await;
    assert_eq!(*world.topics.published.lock(), ["page ALARM: \"cpu\""]);
    let due = world.alarms.activities().iter().filter_map(|activity| activity.next_due()).min();
    assert!(due.is_some_and(|due| due <= at("12:01:10")), "what failed is tried again");
}

#[tokio::test]
async fn a_target_that_does_not_answer_holds_up_no_notification() {
    let world = World::new();
    world.topics.hangs.store(true, Ordering::Relaxed);
    let function = Some(vec!["arn:aws:lambda:us-east-1:000000000000:function:heal".to_owned()]);
    world.put(PutMetricAlarmInput { alarm_actions: function, ..alarm("slow") }).await;
    world.put(PutMetricAlarmInput { alarm_actions: Some(vec![topic("page")]), ..alarm("cpu") }).await;
    world.set_state("slow", "ALARM").await;
    let outbox = world.alarms.activities().into_iter().find(|activity| activity.name() == "alarm-actions");
    let outbox = outbox.expect("there is one");
    let later = async {
        world.set_state("cpu", "ALARM").await;
        world.topics.told.notified().await;
    };
    tokio::select! {
        biased;
        () = outbox.run(world.clock.now()) => panic!("it waits for the target"),
        () = later => {}
    }
    assert_eq!(*world.topics.published.lock(), ["page ALARM: \"cpu\""]);
}

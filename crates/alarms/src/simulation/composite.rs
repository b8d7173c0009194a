//! Composite alarms over time: children that change, hands that interfere, suppressors, cycles, restarts.

use groundwatch_api::Fault;
use groundwatch_api::cloudwatch::{self as api, DescribeAlarmsInput, PutCompositeAlarmInput};

use super::{World, alarm, at, composite};

/// A world with metric alarms of these names, all OK.
async fn world_with(names: &[&str]) -> World {
    let world = World::new();
    for name in names {
        world
            .put(api::PutMetricAlarmInput { treat_missing_data: Some("ignore".to_owned()), ..alarm(name) })
            .await;
        world.set_state(name, "OK").await;
    }
    world.settle().await;
    world
}

async fn state(world: &World, name: &str) -> String {
    let alarm = world.describe_composite(name).await.expect("a composite alarm of that name");
    alarm.state_value.expect("always there").as_str().to_owned()
}

async fn suppressed_by(world: &World, name: &str) -> Option<String> {
    let alarm = world.describe_composite(name).await.expect("a composite alarm of that name");
    alarm.actions_suppressed_by.map(|by| by.as_str().to_owned())
}

async fn set(world: &World, name: &str, state: &str) {
    world.set_state(name, state).await;
    world.settle().await;
}

fn published(world: &World) -> Vec<String> {
    world.topics.published.lock().clone()
}

#[tokio::test]
async fn a_composite_alarm_follows_its_children_at_once() {
    let world = world_with(&["a", "b"]).await;
    world.put_rule("all", "ALARM(a) AND ALARM(b)").await;
    let new = world.describe_composite("all").await.expect("an alarm");
    assert_eq!(new.state_value, Some(api::StateValue::InsufficientData));
    assert_eq!(new.state_reason.as_deref(), Some("Unchecked: Initial alarm creation"));
    world.settle().await;
    assert_eq!(state(&world, "all").await, "OK");
    set(&world, "a", "ALARM").await;
    assert_eq!(state(&world, "all").await, "OK");
    set(&world, "b", "ALARM").await;
    let alarm = world.describe_composite("all").await.expect("an alarm");
    assert_eq!(alarm.state_value, Some(api::StateValue::Alarm));
    assert_eq!(
        alarm.state_reason.as_deref(),
        Some(
            "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a transitioned to ALARM at \
             Friday 02 January, 2026 12:00:00 UTC"
        )
    );
    assert_eq!(published(&world), ["ok OK: \"all\"", "alarm ALARM: \"all\""]);
}

#[tokio::test]
async fn evaluations_of_datapoints_move_composite_alarms() {
    let world = World::new();
    world.put(alarm("a")).await;
    world.put_rule("any", "ALARM(a)").await;
    world.metrics.add("a", at("12:00:30"), 9.0);
    world.metrics.add("a", at("12:01:30"), 0.0);
    world.advance_to(at("12:03:00")).await;
    let lines: Vec<_> =
        world.history().await.into_iter().filter(|line| line.contains("updated from")).collect();
    assert_eq!(
        lines,
        [
            "12:00:00 any: Alarm updated from INSUFFICIENT_DATA to OK",
            "12:01:00 a: Alarm updated from INSUFFICIENT_DATA to ALARM",
            "12:01:00 any: Alarm updated from OK to ALARM",
            "12:02:00 a: Alarm updated from ALARM to OK",
            "12:02:00 any: Alarm updated from ALARM to OK",
        ]
    );
}

/// Evaluated in another order, `top` would be in ALARM for a moment.
#[tokio::test]
async fn no_state_comes_from_half_a_change() {
    let world = world_with(&["a"]).await;
    world.put_rule("z-not", "NOT ALARM(a)").await;
    world.put_rule("both", "ALARM(a) AND ALARM(z-not)").await;
    world.settle().await;
    set(&world, "a", "ALARM").await;
    set(&world, "a", "OK").await;
    let lines = world.history().await;
    assert_eq!(lines.iter().filter(|line| line.contains("both: Alarm updated from")).count(), 1, "{lines:?}");
}

#[tokio::test]
async fn a_state_set_by_hand_sticks_until_a_child_changes() {
    let world = world_with(&["a"]).await;
    world.put_rule("any", "ALARM(a)").await;
    world.settle().await;
    set(&world, "any", "ALARM").await;
    world.advance_to(at("13:00:00")).await;
    assert_eq!(state(&world, "any").await, "ALARM");
    let world = world.restart();
    world.advance_to(at("14:00:00")).await;
    assert_eq!(state(&world, "any").await, "ALARM", "also over a restart");
    set(&world, "a", "INSUFFICIENT_DATA").await;
    assert_eq!(state(&world, "any").await, "OK");
}

#[tokio::test]
async fn changing_the_rule_evaluates_it() {
    let world = world_with(&["a"]).await;
    world.put_rule("any", "ALARM(a)").await;
    world.settle().await;
    world.advance_to(at("12:01:00")).await;
    world.put_rule("any", "OK(a)").await;
    world.settle().await;
    let alarm = world.describe_composite("any").await.expect("an alarm");
    assert_eq!(alarm.state_value, Some(api::StateValue::Alarm));
    let reason = alarm.state_reason.expect("always there");
    assert!(reason.ends_with(":alarm:any was updated and its alarm rule evaluates to ALARM"), "{reason}");
}

#[tokio::test]
async fn what_a_child_became_while_the_server_was_down_is_seen() {
    let world = world_with(&["a"]).await;
    world.put_rule("any", "ALARM(a)").await;
    world.settle().await;
    // The composite alarm is not followed up before the server stops.
    world.set_state("a", "ALARM").await;
    let world = world.restart();
    assert_eq!(state(&world, "any").await, "OK");
    world.settle().await;
    assert_eq!(state(&world, "any").await, "ALARM");
}

#[tokio::test]
async fn cycles_are_created_but_not_evaluated() {
    let world = world_with(&["m"]).await;
    world.put_rule("a", "ALARM(m)").await;
    world.put_rule("b", "ALARM(a)").await;
    world.put_rule("above", "ALARM(b)").await;
    world.settle().await;
    world.put_rule("a", "ALARM(b) OR ALARM(m)").await;
    set(&world, "m", "ALARM").await;
    assert_eq!([state(&world, "a").await, state(&world, "b").await, state(&world, "above").await], ["OK"; 3]);
    let refusal = "Cannot delete a as there are composite alarm(s) depending on it.";
    assert_eq!(world.delete(&["a"]).await, Err(refusal.to_owned()));
    // AWS's way out of it.
    world.put_rule("b", "FALSE").await;
    world.settle().await;
    assert_eq!(state(&world, "a").await, "ALARM");
}

#[tokio::test]
async fn a_suppressor_withholds_actions_in_time() {
    let world = world_with(&["a", "quiet"]).await;
    let suppressed = PutCompositeAlarmInput {
        actions_suppressor: Some("quiet".to_owned()),
        actions_suppressor_wait_period: Some(60),
        actions_suppressor_extension_period: Some(120),
        ..composite("any", "ALARM(a)")
    };
    world.call::<api::PutCompositeAlarm>(suppressed).await.expect("a good definition");
    world.advance_to(at("12:10:00")).await;
    // Its first state has waited for the suppressor in vain.
    assert_eq!(published(&world), ["ok OK: \"any\""]);

    set(&world, "a", "ALARM").await;
    assert_eq!(suppressed_by(&world, "any").await.as_deref(), Some("WaitPeriod"));
    world.advance_to(at("12:10:30")).await;
    set(&world, "quiet", "ALARM").await;
    assert_eq!(suppressed_by(&world, "any").await.as_deref(), Some("Alarm"));
    world.advance_to(at("12:20:00")).await;
    assert_eq!(published(&world).len(), 1);
    set(&world, "quiet", "OK").await;
    assert_eq!(suppressed_by(&world, "any").await.as_deref(), Some("ExtensionPeriod"));
    // Periods survive a restart.
    let world = world.restart();
    world.advance_to(at("12:21:59")).await;
    assert_eq!(published(&world).len(), 1);
    world.advance_to(at("12:22:00")).await;
    assert_eq!(published(&world), ["ok OK: \"any\"", "alarm ALARM: \"any\""]);
    assert_eq!(suppressed_by(&world, "any").await, None);
    world.advance_to(at("13:00:00")).await;
    assert_eq!(published(&world).len(), 2, "once only");
}

#[tokio::test]
async fn deletions_leave_no_rule_without_its_alarms() {
    let world = world_with(&["a", "b", "c"]).await;
    world.put_rule("any", "ALARM(a) OR ALARM(b)").await;
    world.put_rule("other", "ALARM(c)").await;
    for (names, refusal) in [
        (&["a"][..], "Cannot delete a as there are composite alarm(s) depending on it."),
        (&["a", "c", "b"], "Cannot delete a,b,c as there are composite alarm(s) depending on them."),
        (&["any", "other"], "Only one composite alarm can be deleted at a time."),
    ] {
        assert_eq!(world.delete(names).await, Err(refusal.to_owned()));
    }
    assert_eq!(world.delete(&["a", "b", "any", "never-there"]).await, Ok(()));
    assert_eq!(world.delete(&["c"]).await.map_err(|_| ()), Err(()));
    assert!(world.describe_composite("any").await.is_none());
    assert!(world.describe("a").await.is_none());
}

#[tokio::test]
async fn relatives_are_found_both_ways() {
    let world = world_with(&["a", "b"]).await;
    world.put_rule("below", "ALARM(b)").await;
    world.put_rule("top", "ALARM(a) OR ALARM(below)").await;
    let ask = async |input: DescribeAlarmsInput| {
        let output = world.call::<api::DescribeAlarms>(input).await.expect("a good question");
        let composites = output.composite_alarms.expect("always there");
        let metrics = output.metric_alarms.expect("always there");
        let composites = composites.into_iter().map(|alarm| (alarm.alarm_name, alarm.state_value.is_some()));
        let metrics = metrics.into_iter().map(|alarm| (alarm.alarm_name, alarm.state_value.is_some()));
        composites.chain(metrics).map(|(name, state)| (name.expect("a name"), state)).collect::<Vec<_>>()
    };
    let children = DescribeAlarmsInput {
        children_of_alarm_name: Some("top".to_owned()),
        ..DescribeAlarmsInput::default()
    };
    assert_eq!(ask(children).await, [("below".to_owned(), true), ("a".to_owned(), true)]);
    let parents = |name: &str| DescribeAlarmsInput {
        parents_of_alarm_name: Some(name.to_owned()),
        ..DescribeAlarmsInput::default()
    };
    assert_eq!(ask(parents("b")).await, [("below".to_owned(), false)]);
    assert_eq!(ask(parents("top")).await, []);
}

#[tokio::test]
async fn pages_hold_composite_alarms_before_metric_alarms() {
    let world = world_with(&["a", "c"]).await;
    world.put_rule("b", "TRUE").await;
    world.put_rule("d", "TRUE").await;
    let mut pages = Vec::new();
    let mut next_token = None;
    loop {
        let input = DescribeAlarmsInput {
            alarm_types: Some(vec![api::AlarmType::MetricAlarm, api::AlarmType::CompositeAlarm]),
            max_records: Some(3),
            next_token,
            ..DescribeAlarmsInput::default()
        };
        let page = world.call::<api::DescribeAlarms>(input).await.expect("a good question");
        let composites = page.composite_alarms.into_iter().flatten().filter_map(|alarm| alarm.alarm_name);
        let metrics = page.metric_alarms.into_iter().flatten().filter_map(|alarm| alarm.alarm_name);
        pages.push(composites.chain(metrics).collect::<Vec<_>>().join(" "));
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["b d a", "c"]);
}

#[tokio::test]
async fn definitions_that_cannot_be_evaluated_are_refused() {
    let world = world_with(&["a"]).await;
    let check = async |input: PutCompositeAlarmInput, code: &str, message: &str| {
        let fault: Fault = world.call::<api::PutCompositeAlarm>(input).await.expect_err(message);
        let told = (fault.shape.code, fault.message.as_deref().unwrap_or_default());
        assert_eq!(told, (code, message));
    };
    let with = |change: fn(&mut PutCompositeAlarmInput)| {
        let mut input = composite("all", "ALARM(a)");
        change(&mut input);
        input
    };
    check(
        composite("all", "ALARM(a) OR ALARM(x) OR OK(y)"),
        "ValidationError",
        "Could not save the composite alarm as alarms [x, y] in the alarm rule do not exist",
    )
    .await;
    check(
        composite("all", "ALARM(a) ORR"),
        "ValidationError",
        "Error in AlarmRule [Unsupported token 'ORR' at char 9]",
    )
    .await;
    check(
        composite("all", "ALARM(a)\n"),
        "ValidationError",
        "AlarmRule must not contain leading or trailing whitespace or be null",
    )
    .await;
    check(
        composite("all", "ALARM(arn:aws:cloudwatch:eu-west-1:000000000000:alarm:a)"),
        "ValidationError",
        "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:a must be an alarm of the same account and region.",
    )
    .await;
    check(
        with(|input| input.actions_suppressor = Some("a".to_owned())),
        "InvalidParameterCombination",
        "The parameters ActionsSuppressor, ActionsSuppressorWaitPeriod and \
         ActionsSuppressorExtensionPeriod must be specified together.",
    )
    .await;
    check(
        with(|input| {
            input.actions_suppressor = Some("gone".to_owned());
            input.actions_suppressor_wait_period = Some(1);
            input.actions_suppressor_extension_period = Some(1);
        }),
        "ValidationError",
        "Could not save the composite alarm as the actions suppressor gone does not exist",
    )
    .await;
    check(
        with(|input| input.alarm_actions = Some(vec!["arn:aws:automate:us-east-1:ec2:stop".to_owned()])),
        "ValidationError",
        "Composite alarms do not support EC2 actions.",
    )
    .await;
    check(
        composite("a", "TRUE"),
        "ValidationError",
        "The alarm a exists and has another type; the type of an alarm cannot be changed.",
    )
    .await;
}

//! Mute rules over time, and actions that are switched off.

use groundwatch_api::cloudwatch::{
    self as api, DeleteAlarmMuteRuleInput, DisableAlarmActionsInput, EnableAlarmActionsInput,
    GetAlarmMuteRuleInput, ListAlarmMuteRulesInput, MuteTargets, PutAlarmMuteRuleInput, PutMetricAlarmInput,
    Rule, Schedule,
};

use super::{World, alarm, at};

/// An alarm that keeps its state without data, and publishes every state.
async fn world_with_alarm(name: &str) -> World {
    let world = World::new();
    let topic = |name| Some(vec![format!("arn:aws:sns:us-east-1:000000000000:{name}")]);
    let input = PutMetricAlarmInput {
        treat_missing_data: Some("ignore".to_owned()),
        ok_actions: topic("ok"),
        alarm_actions: topic("alarm"),
        ..alarm(name)
    };
    world.put(input).await;
    world.settle().await;
    world
}

fn rule(name: &str, expression: &str, duration: &str, targets: &[&str]) -> PutAlarmMuteRuleInput {
    PutAlarmMuteRuleInput {
        name: Some(name.to_owned()),
        rule: Some(Rule {
            schedule: Some(Schedule {
                expression: Some(expression.to_owned()),
                duration: Some(duration.to_owned()),
                timezone: None,
            }),
        }),
        mute_targets: Some(MuteTargets {
            alarm_names: Some(targets.iter().map(|name| (*name).to_owned()).collect()),
        }),
        ..PutAlarmMuteRuleInput::default()
    }
}

async fn mute(world: &World, input: PutAlarmMuteRuleInput) {
    world.call::<api::PutAlarmMuteRule>(input).await.expect("a good rule");
}

async fn set(world: &World, name: &str, state: &str) {
    world.set_state(name, state).await;
    world.settle().await;
}

fn published(world: &World) -> Vec<String> {
    world.topics.published.lock().clone()
}

async fn status(world: &World, name: &str) -> String {
    let input = GetAlarmMuteRuleInput { alarm_mute_rule_name: Some(name.to_owned()) };
    let rule = world.call::<api::GetAlarmMuteRule>(input).await.expect("a rule of that name");
    rule.status.expect("always there").as_str().to_owned()
}

#[tokio::test]
async fn actions_are_withheld_in_the_window_and_run_at_its_end() {
    let world = world_with_alarm("cpu").await;
    mute(&world, rule("lunch", "cron(30 12 * * *)", "PT1H", &["cpu"])).await;
    assert_eq!(status(&world, "lunch").await, "SCHEDULED");
    world.advance_to(at("12:30:00")).await;
    assert_eq!(status(&world, "lunch").await, "ACTIVE");
    set(&world, "cpu", "ALARM").await;
    // It survives a restart.
    let world = world.restart();
    world.advance_to(at("13:29:59")).await;
    assert!(published(&world).is_empty());
    world.advance_to(at("13:30:00")).await;
    assert_eq!(published(&world), ["alarm ALARM: \"cpu\""]);
    assert_eq!(status(&world, "lunch").await, "SCHEDULED");
    assert_eq!(
        world.history().await[1..],
        [
            "12:30:00 cpu: Alarm updated from INSUFFICIENT_DATA to ALARM",
            "12:30:00 cpu: Actions muted by alarm mute rule lunch",
            "13:30:00 cpu: Successfully executed action arn:aws:sns:us-east-1:000000000000:alarm",
        ]
    );
    let events = world.bus.state_changes();
    assert!(
        events[0]
            .detail
            .contains("\"mutedByArn\":\"arn:aws:cloudwatch:us-east-1:000000000000:alarm-mute-rule:lunch\"")
    );
}

#[tokio::test]
async fn what_was_muted_runs_for_the_state_at_the_end() {
    let world = world_with_alarm("cpu").await;
    mute(&world, rule("now", "at(2026-01-02T12:00)", "PT1H", &["cpu"])).await;
    set(&world, "cpu", "ALARM").await;
    world.advance_to(at("12:10:00")).await;
    set(&world, "cpu", "OK").await;
    world.advance_to(at("14:00:00")).await;
    assert_eq!(published(&world), ["ok OK: \"cpu\""]);
    assert_eq!(status(&world, "now").await, "EXPIRED");
}

#[tokio::test]
async fn deleting_or_changing_the_rule_ends_the_mute() {
    let world = world_with_alarm("cpu").await;
    let forever = || rule("always", "cron(* * * * *)", "P1D", &["cpu"]);
    mute(&world, forever()).await;
    set(&world, "cpu", "ALARM").await;
    world.advance_to(at("12:10:00")).await;
    assert!(published(&world).is_empty());
    for _ in 0..2 {
        let input = DeleteAlarmMuteRuleInput { alarm_mute_rule_name: Some("always".to_owned()) };
        world.call::<api::DeleteAlarmMuteRule>(input).await.expect("idempotent");
        world.settle().await;
        assert_eq!(published(&world), ["alarm ALARM: \"cpu\""]);
    }
    mute(&world, forever()).await;
    set(&world, "cpu", "OK").await;
    mute(&world, rule("always", "cron(* * * * *)", "P1D", &[])).await;
    world.settle().await;
    assert_eq!(published(&world).len(), 2);
}

#[tokio::test]
async fn as_long_as_one_of_several_rules_mutes_nothing_runs() {
    let world = world_with_alarm("cpu").await;
    mute(&world, rule("long", "at(2026-01-02T12:00)", "PT2H", &["cpu"])).await;
    world.advance_to(at("12:01:00")).await;
    mute(&world, rule("a-short-one", "at(2026-01-02T12:00)", "PT1H", &["cpu"])).await;
    set(&world, "cpu", "ALARM").await;
    let lines = world.history().await;
    let expected = "12:01:00 cpu: Actions muted by alarm mute rule a-short-one and 1 other";
    assert!(lines.iter().any(|line| line == expected), "the youngest is named: {lines:?}");
    world.advance_to(at("13:59:00")).await;
    assert!(published(&world).is_empty());
    world.advance_to(at("14:00:00")).await;
    assert_eq!(published(&world).len(), 1);
}

#[tokio::test]
async fn enabling_actions_does_not_unmute() {
    let world = world_with_alarm("cpu").await;
    mute(&world, rule("now", "at(2026-01-02T12:00)", "PT1H", &["cpu"])).await;
    let names = || Some(vec!["cpu".to_owned(), "never-there".to_owned()]);
    let disable = DisableAlarmActionsInput { alarm_names: names() };
    world.call::<api::DisableAlarmActions>(disable).await.expect("accepted");
    assert_eq!(world.describe("cpu").await.expect("an alarm").actions_enabled, Some(false));
    let enable = EnableAlarmActionsInput { alarm_names: names() };
    world.call::<api::EnableAlarmActions>(enable).await.expect("accepted");
    assert_eq!(world.describe("cpu").await.expect("an alarm").actions_enabled, Some(true));
    set(&world, "cpu", "ALARM").await;
    assert!(published(&world).is_empty());
}

#[tokio::test]
async fn disabled_actions_run_again_only_after_being_enabled() {
    let world = world_with_alarm("cpu").await;
    let names = || Some(vec!["cpu".to_owned()]);
    let disable = DisableAlarmActionsInput { alarm_names: names() };
    world.call::<api::DisableAlarmActions>(disable).await.expect("accepted");
    set(&world, "cpu", "ALARM").await;
    let enable = EnableAlarmActionsInput { alarm_names: names() };
    world.call::<api::EnableAlarmActions>(enable).await.expect("accepted");
    world.settle().await;
    assert!(published(&world).is_empty());
    set(&world, "cpu", "OK").await;
    assert_eq!(published(&world), ["ok OK: \"cpu\""]);
}

#[tokio::test]
async fn rules_are_listed_by_alarm_and_status() {
    let world = world_with_alarm("cpu").await;
    world.put(alarm("disk")).await;
    mute(&world, rule("a", "cron(30 12 * * *)", "PT1H", &["cpu"])).await;
    mute(&world, rule("b", "at(2026-01-01T12:00)", "PT1H", &["cpu", "disk"])).await;
    mute(&world, rule("c", "cron(0 12 * * *)", "PT1H", &["disk"])).await;
    let list = async |input: ListAlarmMuteRulesInput| {
        let output = world.call::<api::ListAlarmMuteRules>(input).await.expect("a good question");
        let names = output.alarm_mute_rule_summaries.into_iter().flatten().map(|rule| {
            let arn = rule.alarm_mute_rule_arn.expect("always there");
            format!(
                "{} {}",
                arn.rsplit(':').next().unwrap_or_default(),
                rule.status.expect("always there").as_str()
            )
        });
        (names.collect::<Vec<_>>(), output.next_token)
    };
    let all = ListAlarmMuteRulesInput { max_records: Some(2), ..ListAlarmMuteRulesInput::default() };
    let (names, next_token) = list(all.clone()).await;
    assert_eq!(names, ["a SCHEDULED", "b EXPIRED"]);
    assert_eq!(
        list(ListAlarmMuteRulesInput { next_token, ..all }).await,
        (vec!["c ACTIVE".to_owned()], None)
    );
    let of_disk = ListAlarmMuteRulesInput {
        alarm_name: Some("disk".to_owned()),
        statuses: Some(vec![api::AlarmMuteRuleStatus::Active]),
        ..ListAlarmMuteRulesInput::default()
    };
    assert_eq!(list(of_disk).await.0, ["c ACTIVE"]);
}

#[tokio::test]
async fn rules_that_cannot_mute_are_refused() {
    let world = world_with_alarm("cpu").await;
    for (input, message) in [
        (
            rule("r", "cron(0 2 * * ? *)", "PT1H", &["cpu"]),
            "The schedule is not valid: `cron(0 2 * * ? *)` is not a schedule expression.",
        ),
        (rule("r", "cron(0 2 * * *)", "PT1H", &["gone"]), "The alarm gone in MuteTargets does not exist."),
        (
            PutAlarmMuteRuleInput {
                start_date: Some(at("13:00:00").into()),
                expire_date: Some(at("13:00:00").into()),
                ..rule("r", "cron(0 2 * * *)", "PT1H", &["cpu"])
            },
            "ExpireDate must be after StartDate.",
        ),
    ] {
        let fault = world.call::<api::PutAlarmMuteRule>(input).await.expect_err(message);
        assert_eq!(fault.message.as_deref(), Some(message));
    }
    let input = GetAlarmMuteRuleInput { alarm_mute_rule_name: Some("r".to_owned()) };
    let fault = world.call::<api::GetAlarmMuteRule>(input).await.expect_err("not there");
    assert_eq!(fault.message.as_deref(), Some("Alarm mute rule r does not exist."));
}

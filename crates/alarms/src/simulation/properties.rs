//! What holds whatever happens: random changes of children, with and without restarts between them.

use std::time::Duration;

use groundwatch_api::cloudwatch::{
    self as api, MuteTargets, PutAlarmMuteRuleInput, PutCompositeAlarmInput, Rule, Schedule,
};
use groundwatch_core::Clock as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{World, alarm, composite};
use crate::composite::rule;

const CHILDREN: [&str; 3] = ["a", "b", "c"];
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];
const RULES: [(&str, &str); 3] = [
    ("low", "ALARM(a) OR ALARM(b)"),
    ("mid", "NOT ALARM(low) AND OK(c)"),
    ("top", "AT_LEAST(2, ALARM, (low, mid, a))"),
];

/// After so many seconds a child is set to a state: both by index.
type Step = (u64, usize, usize);

/// What a run leaves behind: its history, and what was published.
type Trace = (Vec<String>, Vec<String>);

/// Three levels of composite alarms; the top one is suppressed by `c`, the lowest one is muted in every fifth
/// minute.
async fn world() -> World {
    let world = World::new();
    for name in CHILDREN {
        let input = api::PutMetricAlarmInput { treat_missing_data: Some("ignore".to_owned()), ..alarm(name) };
        world.put(input).await;
    }
    for (name, rule) in RULES {
        let suppressed = name == "top";
        let input = PutCompositeAlarmInput {
            actions_suppressor: suppressed.then(|| "c".to_owned()),
            actions_suppressor_wait_period: suppressed.then_some(90),
            actions_suppressor_extension_period: suppressed.then_some(60),
            ..composite(name, rule)
        };
        world.call::<api::PutCompositeAlarm>(input).await.expect("a good rule");
    }
    let schedule = Schedule {
        expression: Some("cron(0,5,10,15,20,25,30,35,40,45,50,55 * * * *)".to_owned()),
        duration: Some("PT1M".to_owned()),
        timezone: None,
    };
    let input = PutAlarmMuteRuleInput {
        name: Some("fifth".to_owned()),
        rule: Some(Rule { schedule: Some(schedule) }),
        mute_targets: Some(MuteTargets { alarm_names: Some(vec!["low".to_owned()]) }),
        ..PutAlarmMuteRuleInput::default()
    };
    world.call::<api::PutAlarmMuteRule>(input).await.expect("a good rule");
    world.settle().await;
    world
}

async fn run(steps: &[Step], restarts: bool) -> Trace {
    let mut world = world().await;
    for (pause_secs, child, state) in steps {
        world.advance_to(world.clock.now() + Duration::from_secs(*pause_secs)).await;
        world.set_state(CHILDREN[*child], STATES[*state]).await;
        if restarts {
            world = world.restart();
        }
        world.settle().await;
        check_rules(&world).await;
    }
    world.advance_to(world.clock.now() + Duration::from_secs(600)).await;
    let published = world.topics.published.lock().clone();
    (world.history().await, published)
}

/// Every composite alarm is what its rule says.
async fn check_rules(world: &World) {
    let mut states = std::collections::BTreeMap::new();
    for name in CHILDREN {
        states.insert(name, crate::alarm::StateValue::from_name(&world.state(name).await));
    }
    for (name, rule) in RULES {
        let alarm = world.describe_composite(name).await.expect("it exists");
        let state = alarm.state_value.expect("always there");
        let rule = rule::Rule::parse(rule).expect("a rule");
        let holds = rule.expression().holds(&|name| states.get(name).copied().flatten());
        assert_eq!(state.as_str(), if holds { "ALARM" } else { "OK" }, "{name} with {states:?}");
        states.insert(name, crate::alarm::StateValue::from_name(state.as_str()));
    }
}

#[test]
fn composite_alarms_follow_their_rules_and_restarts_change_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: 5, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec((0..200_u64, 0..CHILDREN.len(), 0..STATES.len()), 1..16);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        let once = runtime.block_on(run(&steps, false));
        prop_assert_eq!(&once, &runtime.block_on(run(&steps, false)), "the same again");
        prop_assert_eq!(&once, &runtime.block_on(run(&steps, true)), "with restarts");
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

//! Why an alarm is in its state, and what it would have done.

use groundwatch_api::cloudwatch::PutMetricAlarmInput;
use groundwatch_core::Scope;
use proptest::prelude::*;

use super::{World, alarm, at};
use crate::alarm::StateValue;
use crate::explain::backtest::{Backtest, BacktestError, Subject};
use crate::explain::why::{Explanation, Grounds, Why};

async fn why(world: &World, name: &str, moment: Option<&str>) -> Why {
    let why = world.alarms.why(&Scope::default(), name, moment.map(at)).await.expect("readable");
    why.expect("an alarm of that name")
}

fn evaluations(why: Why) -> (Vec<Explanation>, bool) {
    match why.grounds {
        Grounds::Metric { evaluations, recomputed } => (evaluations, recomputed),
        Grounds::Composite { .. } => panic!("a metric alarm"),
    }
}

async fn backtest(world: &World, subject: Subject, from: &str, to: &str) -> Result<Backtest, BacktestError> {
    world.alarms.backtest(&Scope::default(), subject, at(from), at(to)).await
}

/// The transitions as the history's lines have them.
fn lines(backtest: &Backtest) -> Vec<String> {
    let line =
        |it: &crate::explain::backtest::Transition| format!("{} {} to {}", &it.at[11..19], it.from, it.to);
    backtest.transitions.iter().map(line).collect()
}

#[tokio::test]
async fn an_evaluation_tells_what_it_read_filled_in_and_counted() {
    let world = World::new();
    let two_of_three = PutMetricAlarmInput {
        evaluation_periods: Some(3),
        datapoints_to_alarm: Some(2),
        treat_missing_data: Some("breaching".to_owned()),
        ..alarm("cpu")
    };
    world.metrics.add("cpu", at("11:58:30"), 0.0);
    world.metrics.add("cpu", at("11:59:30"), 9.0);
    world.put(two_of_three).await;
    world.settle().await;
    let (evaluations, recomputed) = evaluations(why(&world, "cpu", None).await);
    assert!(!recomputed);
    let [evaluation] = &evaluations[..] else { panic!("{evaluations:?}") };
    let json = serde_json::to_string_pretty(evaluation).expect("JSON");
    assert_eq!((evaluation.before, evaluation.after), (StateValue::InsufficientData, StateValue::Alarm));
    assert_eq!((evaluation.tally.real, evaluation.tally.breaching), (2, 1), "{json}");
    assert_eq!((evaluation.tally.filled, evaluation.tally.filled_as), (1, "breaching"), "{json}");
    let values: Vec<_> = evaluation.read.iter().map(|reading| (reading.value, reading.counted)).collect();
    assert_eq!(
        values,
        [(Some(9.0), true), (Some(0.0), true), (None, false), (None, false), (None, false)],
        "{json}"
    );
}

#[tokio::test]
async fn another_time_is_computed_from_what_is_stored() {
    let world = World::new();
    world.metrics.add("cpu", at("11:00:30"), 9.0);
    world.put(alarm("cpu")).await;
    world.settle().await;
    let (evaluations, recomputed) = evaluations(why(&world, "cpu", Some("11:01:00")).await);
    assert!(recomputed);
    assert_eq!(evaluations[0].verdict, Some(StateValue::Alarm));
    assert_eq!(evaluations[0].next.as_deref().map(|next| &next[11..19]), Some("11:02:00"));
}

#[tokio::test]
async fn evaluations_of_a_deleted_alarm_are_not_those_of_its_namesake() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.advance_to(at("12:05:00")).await;
    world.delete(&["cpu"]).await.expect("deleted");
    world.put(alarm("cpu")).await;
    world.settle().await;
    let (evaluations, _) = evaluations(why(&world, "cpu", None).await);
    assert_eq!(evaluations.len(), 1, "{evaluations:?}");
}

#[tokio::test]
async fn a_composite_alarm_is_explained_by_its_children() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.put_rule("all", "ALARM(cpu)").await;
    world.settle().await;
    let Grounds::Composite { rule, children } = why(&world, "all", None).await.grounds else {
        panic!("a composite alarm")
    };
    assert_eq!((rule.as_str(), children[0].alarm.as_str()), ("ALARM(cpu)", "cpu"));
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.put_rule("all", "ALARM(cpu)").await;
    let check = async |name: &str, from: &str, to: &str, expected: &str| {
        let error = backtest(&world, Subject::Alarm(name.to_owned()), from, to).await.expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("disk", "10:00:00", "11:00:00", "no alarm `disk`").await;
    check("all", "10:00:00", "11:00:00", "composite").await;
    check("cpu", "11:00:00", "10:00:00", "there are 0 evaluations").await;
    let (scope, cpu) = (Scope::default(), Subject::Alarm("cpu".to_owned()));
    let years = world.alarms.backtest(&scope, cpu, groundwatch_core::Timestamp::EPOCH, at("12:00:00"));
    let error = years.await.expect_err("too many");
    assert!(error.to_string().contains("there must be 1 to 100000"), "{error}");
    let wrong = PutMetricAlarmInput { threshold: None, ..alarm("cpu") };
    let wrong = backtest(&world, Subject::Definition(Box::new(wrong)), "10:00:00", "11:00:00").await;
    assert!(matches!(wrong, Err(BacktestError::Definition(_))), "{wrong:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// An alarm that was there all the time, and the same definition tried afterwards, tell the same story.
    #[test]
    fn a_backtest_does_what_the_alarm_did(
        values in proptest::collection::vec(proptest::option::weighted(0.7, 0..4_u8), 60),
        (period, periods, needed) in (prop::sample::select(vec![60, 120, 300]), 1..4_i32, 1..4_i32),
        treatment in prop::sample::select(vec!["missing", "ignore", "breaching", "notBreaching"]),
    ) {
        let definition = PutMetricAlarmInput {
            period: Some(period),
            evaluation_periods: Some(periods),
            datapoints_to_alarm: Some(needed.min(periods)),
            treat_missing_data: Some(treatment.to_owned()),
            alarm_actions: Some(vec!["arn:aws:sns:us-east-1:000000000000:page".to_owned()]),
            ..alarm("cpu")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new();
            for (minute, value) in (0..).zip(&values) {
                let Some(value) = value else { continue };
                let moment = at("12:00:10") + std::time::Duration::from_secs(60 * minute);
                world.metrics.add("cpu", moment, f64::from(*value));
            }
            world.put(definition.clone()).await;
            world.advance_to(at("13:10:00")).await;
            let subject = Subject::Definition(Box::new(definition));
            let tried = backtest(&world, subject, "12:00:00", "13:10:00").await.expect("tried");
            assert_eq!(lines(&tried), world.transitions().await);
            let pages = tried.transitions.iter().filter(|it| !it.actions.is_empty()).count();
            let published = world.topics.published.lock().len();
            assert_eq!(pages, published);
        });
    }
}

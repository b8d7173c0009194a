//! Alarms over time: which state they are in after each minute.

use groundwatch_api::cloudwatch::{self as api, PutMetricAlarmInput};
use groundwatch_core::{Clock as _, Timestamp};

use super::{World, alarm, at};

/// An alarm, a minute's sample a symbol (`0` fine, `X` breaching, `-` none), and the state after each of
/// these minutes (`O`, `A`, `I`).
type Case = (u32, u32, &'static str, &'static str);

/// Runs all `cases` side by side in one world.
async fn check(treatment: &str, cases: &[Case]) {
    let world = World::new();
    let name = |index: usize| format!("case-{index:03}");
    for (index, (needed, out_of, picture, _)) in cases.iter().enumerate() {
        world.put(m_of_n(&name(index), *needed, *out_of, treatment)).await;
        for (minute, symbol) in picture.split(' ').enumerate() {
            let time = at("12:00:30") + minutes(minute as u64);
            match symbol {
                "0" => world.metrics.add(&name(index), time, 0.0),
                "X" => world.metrics.add(&name(index), time, 9.0),
                _ => {}
            }
        }
    }
    let length = cases.iter().map(|(_, _, picture, _)| picture.split(' ').count()).max().expect("cases");
    let mut states = vec![String::new(); cases.len()];
    for minute in 1..=length {
        world.advance_to(at("12:00:00") + minutes(minute as u64)).await;
        for (index, states) in states.iter_mut().enumerate() {
            if !states.is_empty() {
                states.push(' ');
            }
            states.push_str(&world.state(&name(index)).await[..1]);
        }
    }
    for ((needed, out_of, picture, expected), states) in cases.iter().zip(&states) {
        assert_eq!(&&states[..expected.len()], expected, "{picture}, {needed} of {out_of}, {treatment}");
    }
}

fn minutes(count: u64) -> std::time::Duration {
    std::time::Duration::from_secs(60 * count)
}

fn m_of_n(name: &str, needed: u32, out_of: u32, treatment: &str) -> PutMetricAlarmInput {
    PutMetricAlarmInput {
        evaluation_periods: Some(i32::try_from(out_of).expect("few")),
        datapoints_to_alarm: Some(i32::try_from(needed).expect("few")),
        treat_missing_data: Some(treatment.to_owned()),
        ..alarm(name)
    }
}

#[tokio::test]
async fn missing_data_are_neither_good_nor_bad() {
    check(
        "missing",
        &[
            (1, 1, "0", "O"),
            (1, 1, "X", "A"),
            (1, 1, "- - -", "I I I"),
            (1, 1, "0 X 0 X X 0", "O A O A A O"),
            // The last datapoint counts for as long as it is in the range of three.
            (1, 1, "X - - - -", "A A A I I"),
            (1, 1, "0 - - - -", "O O O I I"),
            (1, 1, "X - 0 - X", "A A O O A"),
            (1, 1, "- - X - - - 0", "I I A A A I O"),
            (2, 2, "X X", "I A"),
            (2, 2, "X 0 X X 0", "I O O A O"),
            (2, 2, "X - - - -", "I A A A I"),
            (2, 2, "0 - X - -", "O O O O A"),
            (3, 3, "X X X", "I I A"),
            (3, 3, "0 X X X 0", "O O O A O"),
            // Breaches that are too few move the alarm once they are old enough: "premature" no more.
            (3, 3, "X - - - - - - -", "I I A A A I I I"),
            (3, 3, "X X X - - - - -", "I I A A A A A I"),
            (3, 3, "X X - X", "I I A A"),
            (3, 3, "X - - 0 - - -", "I I A O O O O"),
            (2, 3, "X 0 X 0 0 0", "I O A O O O"),
            (2, 3, "X - - - - - -", "I A A A A I I"),
            (2, 3, "0 X - X 0", "O O O A A"),
            (2, 3, "0 0 0 X 0 X 0 0", "O O O O O A O O"),
            (1, 3, "X 0 0 0", "A A A O"),
            (1, 3, "- X - - - - -", "I A A A A A I"),
            (3, 5, "X 0 X 0 X 0 0", "I O O O A O O"),
            (3, 5, "0 0 X X X 0 0 0", "O O O O A A A O"),
            (5, 5, "X X X X X X 0", "I I I I A A O"),
            (5, 5, "X X X X 0 X X X X X", "I I I I O O O O O A"),
            (1, 5, "0 0 0 0 X 0 0 0 0 0", "O O O O A A A A A O"),
        ],
    )
    .await;
}

#[tokio::test]
async fn ignored_missing_data_keep_the_state() {
    check(
        "ignore",
        &[
            (1, 1, "- - 0 - X", "I I O O A"),
            (1, 1, "X - - - - - -", "A A A A A A A"),
            (1, 1, "0 - - - - X - - - -", "O O O O O A A A A A"),
            (2, 2, "X - - - - -", "I I I I I I"),
            (2, 2, "X X - - - - 0", "I A A A A A O"),
            (3, 3, "X - - - - -", "I I I I I I"),
            (3, 3, "0 - - - - - X X", "O O O O O O O O"),
            (3, 3, "X X X - - - - - -", "I I A A A A A A A"),
            (2, 3, "0 - X - - - - -", "O O O O O O O O"),
            (2, 3, "X - X - - - - 0", "I I A A A A A O"),
            (1, 3, "- - X - - - - - -", "I I A A A A A A A"),
        ],
    )
    .await;
}

#[tokio::test]
async fn missing_data_can_breach() {
    check(
        "breaching",
        &[
            (1, 1, "- - -", "A A A"),
            (1, 1, "0 - - - -", "O O O A A"),
            (1, 1, "- 0 X 0", "A O A O"),
            (2, 2, "0 - - - - -", "O O O O A A"),
            (2, 2, "0 0 - - - - -", "O O O O O A A"),
            (3, 3, "0 - - - - -", "O O O O O A"),
            (3, 3, "- - - 0", "A A A O"),
            (2, 3, "0 - - - - -", "A A A A A A"),
            (2, 3, "0 0 - - -", "A O O O O"),
            (3, 5, "0 0 0 - -", "A A O O O"),
            (1, 3, "0 0 0 - - -", "A A O O O A"),
        ],
    )
    .await;
}

#[tokio::test]
async fn missing_data_can_be_fine() {
    check(
        "notBreaching",
        &[
            (1, 1, "- - -", "O O O"),
            (1, 1, "X - - - 0", "A A A O O"),
            (1, 1, "X X - - -", "A A A A O"),
            (2, 2, "X - X X - - -", "O O A A A A O"),
            (3, 3, "X X X - - -", "O O A A A O"),
            (3, 3, "X X - - X", "O O O O A"),
            (2, 3, "X - - X", "O O O A"),
            (2, 3, "X X - - - -", "O A A A A O"),
            (3, 5, "X X - X - -", "O O O A A A"),
            (1, 3, "X - - - - -", "A A A A A O"),
        ],
    )
    .await;
}

/// Three at 12:04:30 and three at 12:05:30 lie in different periods of the clock, but in one of the window.
#[tokio::test]
async fn windows_slide_by_the_minute() {
    let world = World::new();
    let sum = PutMetricAlarmInput {
        statistic: Some(api::Statistic::Sum),
        period: Some(300),
        threshold: Some(5.0),
        treat_missing_data: Some("notBreaching".to_owned()),
        ..alarm("orders")
    };
    world.put(sum).await;
    for minute in 0..60 {
        world.metrics.add("orders", at("12:00:00") + minutes(minute), 0.0);
    }
    world.metrics.add("orders", at("12:04:30"), 3.0);
    world.metrics.add("orders", at("12:05:30"), 3.0);
    world.advance_to(at("13:00:00")).await;
    assert_eq!(
        world.transitions().await,
        ["12:00:00 INSUFFICIENT_DATA to OK", "12:06:00 OK to ALARM", "12:10:00 ALARM to OK"]
    );
}

#[tokio::test]
async fn a_high_resolution_alarm_needs_one_period() {
    let world = World::new();
    let fast =
        PutMetricAlarmInput { period: Some(10), statistic: Some(api::Statistic::Maximum), ..alarm("cpu") };
    world.put(fast).await;
    for second in 0..100 {
        let value = if (41..70).contains(&second) { 9.0 } else { 0.0 };
        world.metrics.add("cpu", at("12:00:00") + std::time::Duration::from_secs(second), value);
    }
    world.advance_to(at("12:01:40")).await;
    assert_eq!(
        world.transitions().await,
        ["12:00:10 INSUFFICIENT_DATA to OK", "12:00:50 OK to ALARM", "12:01:20 ALARM to OK"]
    );
}

#[tokio::test]
async fn a_long_look_back_is_evaluated_by_the_hour() {
    let world = World::new();
    let slow = PutMetricAlarmInput { period: Some(3600), evaluation_periods: Some(25), ..alarm("cpu") };
    world.put(PutMetricAlarmInput { datapoints_to_alarm: Some(1), ..slow }).await;
    world.metrics.add("cpu", at("12:10:00"), 9.0);
    world.advance_to(at("12:59:00")).await;
    assert_eq!(world.state("cpu").await, "INSUFFICIENT_DATA");
    world.advance_to(at("13:00:00")).await;
    assert_eq!(world.state("cpu").await, "ALARM");
    // At noon when it was put, and at 13:00.
    assert_eq!(*world.metrics.reads.lock(), 2);
}

#[tokio::test]
async fn data_from_before_the_alarm_count() {
    let world = World::new();
    world.metrics.add("cpu", at("11:59:30"), 9.0);
    world.put(alarm("cpu")).await;
    world.settle().await;
    assert_eq!(world.transitions().await, ["12:00:00 INSUFFICIENT_DATA to ALARM"]);
}

#[tokio::test]
async fn late_data_are_seen_while_they_are_in_the_range() {
    let world = World::new();
    world.put(m_of_n("cpu", 2, 2, "missing")).await;
    world.metrics.add("cpu", at("12:00:30"), 0.0);
    world.metrics.add("cpu", at("12:02:30"), 9.0);
    world.advance_to(at("12:03:00")).await;
    assert_eq!(world.state("cpu").await, "OK");
    // The sample of 12:01 comes two minutes late.
    world.metrics.add("cpu", at("12:01:30"), 9.0);
    world.advance_to(at("12:04:00")).await;
    assert_eq!(world.transitions().await, ["12:01:00 INSUFFICIENT_DATA to OK", "12:04:00 OK to ALARM"]);
}

#[tokio::test]
async fn a_replaced_alarm_keeps_its_state_and_is_evaluated_at_once() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.metrics.add("cpu", at("12:00:30"), 9.0);
    world.advance_to(at("12:01:10")).await;
    assert_eq!(world.state("cpu").await, "ALARM");
    world.put(PutMetricAlarmInput { threshold: Some(10.0), ..alarm("cpu") }).await;
    assert_eq!(world.state("cpu").await, "ALARM");
    world.settle().await;
    assert_eq!(world.transitions().await, ["12:01:00 INSUFFICIENT_DATA to ALARM", "12:01:10 ALARM to OK"]);
}

#[tokio::test]
async fn a_state_set_by_hand_lasts_until_the_next_evaluation() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    for minute in 0..10 {
        world.metrics.add("cpu", at("12:00:30") + minutes(minute), 0.0);
    }
    world.advance_to(at("12:02:20")).await;
    world.set_state("cpu", "ALARM").await;
    world.advance_to(at("12:02:59")).await;
    assert_eq!(world.state("cpu").await, "ALARM");
    world.advance_to(at("12:03:00")).await;
    assert_eq!(
        world.transitions().await,
        ["12:01:00 INSUFFICIENT_DATA to OK", "12:02:20 OK to ALARM", "12:03:00 ALARM to OK"]
    );
}

#[tokio::test]
async fn an_alarm_that_stays_in_its_state_writes_nothing() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    for minute in 0..60 {
        world.metrics.add("cpu", at("12:00:30") + minutes(minute), 0.0);
    }
    world.advance_to(at("12:01:00")).await;
    let first = world.describe("cpu").await;
    world.advance_to(at("13:00:00")).await;
    assert_eq!(world.describe("cpu").await, first, "reason and times are those of the transition");
}

/// A metric that breaches now and then, and has gaps.
fn restless(world: &World, name: &str) {
    for minute in 0..120_u64 {
        let symbol = minute * minute % 7;
        if symbol != 4 && !(50..60).contains(&minute) {
            world.metrics.add(name, at("12:00:30") + minutes(minute), if symbol < 2 { 9.0 } else { 0.0 });
        }
    }
}

async fn put_restless(world: &World) {
    for (index, treatment) in ["missing", "ignore", "breaching", "notBreaching"].into_iter().enumerate() {
        for needed in 1..=3 {
            let name = format!("{treatment}-{needed}");
            restless(world, &name);
            world.put(m_of_n(&name, needed, needed + index as u32, treatment)).await;
        }
    }
}

#[tokio::test]
async fn restarts_between_evaluations_change_no_history() {
    let steady = World::new();
    put_restless(&steady).await;
    steady.advance_to(at("14:00:00")).await;

    let mut restarted = World::new();
    put_restless(&restarted).await;
    for step in 1..=90 {
        restarted.advance_to(at("12:00:00") + std::time::Duration::from_secs(80 * step)).await;
        restarted = restarted.restart();
    }
    let (steady, restarted) = (steady.history().await, restarted.history().await);
    assert!(steady.len() > 200, "{} items", steady.len());
    assert_eq!(steady, restarted);
}

#[tokio::test]
async fn two_runs_leave_the_same_history() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::new();
        put_restless(&world).await;
        world.advance_to(at("14:00:00")).await;
        runs.push(world.history_items().await);
    }
    assert!(runs[0] == runs[1], "histories differ");
}

#[tokio::test]
async fn a_jump_ahead_is_caught_up_by_one_evaluation() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    for minute in 0..600 {
        world.metrics.add("cpu", at("12:00:30") + minutes(minute), if minute % 2 == 0 { 9.0 } else { 0.0 });
    }
    world.advance_to(at("12:01:00")).await;
    let reads = *world.metrics.reads.lock();
    world.jump_to(at("18:00:00")).await;
    assert_eq!(*world.metrics.reads.lock(), reads + 1);
    assert_eq!(world.transitions().await, ["12:01:00 INSUFFICIENT_DATA to ALARM", "18:00:00 ALARM to OK"]);
}

#[tokio::test]
async fn after_a_jump_back_evaluation_goes_on_from_there() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    for minute in 0..20 {
        world.metrics.add("cpu", at("09:00:30") + minutes(minute), if minute < 5 { 0.0 } else { 9.0 });
    }
    world.metrics.add("cpu", at("11:59:30"), 9.0);
    world.advance_to(at("12:10:00")).await;
    world.jump_to(at("09:01:00")).await;
    assert_eq!(world.state("cpu").await, "OK");
    world.advance_to(at("09:10:00")).await;
    assert_eq!(
        world.transitions().await,
        [
            "09:01:00 INSUFFICIENT_DATA to OK",
            "09:06:00 OK to ALARM",
            "12:00:00 INSUFFICIENT_DATA to ALARM",
            "12:03:00 ALARM to INSUFFICIENT_DATA",
        ]
    );
}

#[tokio::test]
async fn while_metrics_cannot_be_read_the_state_stays() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.metrics.add("cpu", at("12:00:30"), 9.0);
    world.metrics.add("cpu", at("12:01:30"), 9.0);
    *world.metrics.broken.lock() = true;
    world.advance_to(at("12:01:35")).await;
    assert_eq!(world.state("cpu").await, "INSUFFICIENT_DATA");
    *world.metrics.broken.lock() = false;
    // It is tried again before its next turn.
    world.advance_to(at("12:01:45")).await;
    assert_eq!(world.state("cpu").await, "ALARM");
}

#[tokio::test]
async fn an_evaluation_leaves_nothing_due() {
    let world = World::new();
    world.put(alarm("cpu")).await;
    world.settle().await;
    for activity in world.alarms.activities() {
        assert!(
            activity.next_due().is_none_or(|due: Timestamp| due > world.clock.now()),
            "{}",
            activity.name()
        );
    }
}

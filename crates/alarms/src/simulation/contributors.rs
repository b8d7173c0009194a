//! Alarms on Metrics Insights queries over time: one series, and several.

use groundwatch_api::cloudwatch::{self as api, DescribeAlarmContributorsInput, PutMetricAlarmInput};

use super::math::expression;
use super::{World, alarm, at};

/// An alarm on a query that is breached above 1 in one period of a minute.
fn on_query(sql: &str) -> PutMetricAlarmInput {
    let topic = |name| Some(vec![format!("arn:aws:sns:us-east-1:000000000000:{name}")]);
    let mut entry = expression("q", sql);
    entry.period = Some(60);
    PutMetricAlarmInput {
        metrics: Some(vec![entry]),
        metric_name: None,
        namespace: None,
        period: None,
        statistic: None,
        ok_actions: topic("ok"),
        alarm_actions: topic("alarm"),
        insufficient_data_actions: topic("nodata"),
        ..alarm("fleet")
    }
}

const GROUPED: &str = "SELECT AVG(cpu) FROM SCHEMA(Shop, Host) GROUP BY Host ORDER BY AVG() DESC";

async fn contributors(world: &World) -> Vec<String> {
    let input = DescribeAlarmContributorsInput { alarm_name: Some("fleet".to_owned()), next_token: None };
    let output = world.call::<api::DescribeAlarmContributors>(input).await.expect("an alarm of that name");
    let found = output.alarm_contributors.expect("always there").into_iter();
    found
        .map(|contributor| {
            assert_eq!(contributor.contributor_id.expect("always there").len(), 16);
            let attributes = contributor.contributor_attributes.expect("always there");
            format!("{attributes:?} {}", contributor.state_reason.expect("always there"))
        })
        .collect()
}

#[tokio::test]
async fn a_query_without_groups_is_one_series() {
    let world = World::new();
    world.put(on_query("SELECT AVG(cpu) FROM SCHEMA(Shop, Host)")).await;
    world.metrics.add("cpu", at("12:00:30"), 9.0);
    world.advance_to(at("12:10:00")).await;
    assert_eq!(
        world.transitions().await,
        ["12:01:00 INSUFFICIENT_DATA to ALARM", "12:04:00 ALARM to INSUFFICIENT_DATA"]
    );
    assert_eq!(
        *world.topics.published.lock(),
        ["alarm ALARM: \"fleet\"", "nodata INSUFFICIENT_DATA: \"fleet\""]
    );
}

#[tokio::test]
async fn each_series_is_in_alarm_by_itself() {
    let world = World::new();
    world.put(on_query(GROUPED)).await;
    for minute in 0..6 {
        let time = at("12:00:10") + std::time::Duration::from_secs(60 * minute);
        world.metrics.add("a", time, if minute < 2 { 9.0 } else { 0.0 });
        world.metrics.add("b", time, if (1..4).contains(&minute) { 9.0 } else { 0.0 });
        world.metrics.add("c", time, 0.0);
    }
    world.advance_to(at("12:01:00")).await;
    let alarm = world.describe("fleet").await.expect("it exists");
    assert_eq!(alarm.state_reason.as_deref(), Some("1 out of 3 time series evaluated to ALARM"));
    assert_eq!(
        contributors(&world).await,
        ["{\"Host\": \"a\"} Threshold Crossed: 1 datapoint was greater than the threshold (1.0). The most \
          recent datapoint which crossed the threshold: [9.0 (02/01/26 12:00:00)]."]
    );
    world.advance_to(at("12:02:00")).await;
    assert_eq!(contributors(&world).await.len(), 2);
    world.advance_to(at("12:06:00")).await;
    assert!(contributors(&world).await.is_empty());
    assert_eq!(
        world.transitions().await,
        [
            "12:01:00 INSUFFICIENT_DATA to ALARM",
            "12:01:00 OK to ALARM",
            "12:02:00 OK to ALARM",
            "12:03:00 ALARM to OK",
            "12:05:00 ALARM to OK",
            "12:05:00 ALARM to OK"
        ]
    );
    // A notification for each series, none for the alarm.
    let alarm = "alarm ALARM: \"fleet\"";
    let ok = "ok OK: \"fleet\"";
    assert_eq!(*world.topics.published.lock(), [alarm, alarm, ok, ok]);
    let kinds = world.history_items().await.into_iter().filter_map(|item| {
        let id = item.alarm_contributor_id?;
        assert!(item.alarm_contributor_attributes.is_some_and(|attributes| attributes.contains_key("Host")));
        Some((item.history_item_type.expect("always there").as_str().to_owned(), id))
    });
    let kinds: Vec<_> = kinds.collect();
    assert_eq!(kinds.iter().filter(|(kind, _)| kind == "AlarmContributorStateUpdate").count(), 4);
    assert_eq!(kinds.iter().filter(|(kind, _)| kind == "AlarmContributorAction").count(), 4);
    let events = world.bus.events.lock();
    let contributor_events =
        events.iter().filter(|event| event.detail_type == "CloudWatch Alarm Contributor State Change");
    assert_eq!(contributor_events.count(), 4);
    assert!(events.iter().any(|event| event.detail.contains("\"alarmContributor\":{\"id\":")));
}

#[tokio::test]
async fn a_series_that_vanishes_is_fine_again_and_none_at_all_are_no_data() {
    let world = World::new();
    world
        .put(PutMetricAlarmInput { treat_missing_data: Some("breaching".to_owned()), ..on_query(GROUPED) })
        .await;
    for minute in 0..10 {
        let time = at("12:00:10") + std::time::Duration::from_secs(60 * minute);
        if minute < 1 {
            world.metrics.add("a", time, 9.0);
        }
        if minute < 5 {
            world.metrics.add("b", time, 0.0);
        }
    }
    world.advance_to(at("12:15:00")).await;
    assert_eq!(
        world.transitions().await,
        [
            "12:01:00 INSUFFICIENT_DATA to ALARM",
            "12:01:00 OK to ALARM",
            "12:04:00 ALARM to OK",
            "12:04:00 ALARM to OK",
            "12:08:00 OK to INSUFFICIENT_DATA"
        ]
    );
}

#[tokio::test]
async fn a_restart_keeps_the_series_that_are_in_alarm() {
    let world = World::new();
    world.put(on_query(GROUPED)).await;
    for minute in 0..5 {
        world.metrics.add("a", at("12:00:10") + std::time::Duration::from_secs(60 * minute), 9.0);
    }
    world.advance_to(at("12:02:30")).await;
    let world = world.restart();
    assert_eq!(contributors(&world).await.len(), 1);
    world.advance_to(at("12:05:00")).await;
    assert_eq!(world.transitions().await, ["12:01:00 INSUFFICIENT_DATA to ALARM", "12:01:00 OK to ALARM"]);
}

#[tokio::test]
async fn what_cannot_be_a_query_is_refused_where_it_is_wrong() {
    let world = World::new();
    for (sql, expected) in [
        ("SELECT AVG(cpu) FROM", "found the end at character 21"),
        ("SELECT MEDIAN(cpu) FROM Shop", "MEDIAN"),
    ] {
        let refused = world.call::<api::PutMetricAlarm>(on_query(sql)).await.expect_err(sql);
        let message = refused.message.unwrap_or_default();
        assert!(message.contains(expected), "{message}");
    }
}

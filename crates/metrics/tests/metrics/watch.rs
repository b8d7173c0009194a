//! What alarms build on: being told of samples, and where these lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use groundwatch_metrics::{MetricId, MetricWatch, Outlook, Period, Statistic};
use serde_json::json;

use crate::kit::{World, moment};

fn metric(name: &str) -> MetricId {
    MetricId { namespace: "Test".to_owned(), name: name.to_owned(), dimensions: Vec::new() }
}

/// A watch on a metric, and how often it was called.
fn watch(world: &World, name: &str) -> (Arc<AtomicUsize>, MetricWatch) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let now = moment(crate::kit::NOW);
    let watch = world.store.watch(&world.scope, &metric(name), move |at| {
        assert_eq!(at, now);
        counter.fetch_add(1, Ordering::SeqCst);
    });
    (calls, watch.expect("a metric can have that name"))
}

async fn put(world: &World, name: &str, at: &str, unit: &str) {
    world.put_data(json!([{ "MetricName": name, "Value": 3.0, "Timestamp": at, "Unit": unit }])).await;
}

#[tokio::test]
async fn a_watch_is_called_from_before_the_first_sample_until_it_is_dropped() {
    let world = World::new().await;
    let (calls, first) = watch(&world, "m");
    let (others, _other) = watch(&world, "n");
    let put = async || put(&world, "m", "2026-01-02T11:30:00Z", "Count").await;
    put().await;
    put().await;
    let (later_calls, second) = watch(&world, "m");
    put().await;
    assert_eq!((calls.load(Ordering::SeqCst), later_calls.load(Ordering::SeqCst)), (3, 1));
    drop(first);
    put().await;
    assert_eq!((calls.load(Ordering::SeqCst), later_calls.load(Ordering::SeqCst)), (3, 2));
    drop(second);
    put().await;
    assert_eq!((later_calls.load(Ordering::SeqCst), others.load(Ordering::SeqCst)), (2, 0));
}

async fn outlook(world: &World, from: &str, to: &str) -> Option<Outlook> {
    let range = (moment(from), moment(to));
    let period = Period::from_secs(300).expect("a period");
    let (_, watch) = watch(world, "m");
    watch.outlook(&Statistic::Sum, period, None, range).await.expect("readable")
}

#[tokio::test]
async fn an_outlook_tells_where_samples_lie_and_whether_more_follow() {
    let world = World::new().await;
    let from = "2026-01-02T11:01:00Z";
    assert_eq!(
        outlook(&world, from, "2026-01-02T11:11:00Z").await,
        Some(Outlook { periods: Vec::new(), is_last: true })
    );
    for at in ["2026-01-02T11:06:00Z", "2026-01-02T11:02:00Z", "2026-01-02T11:05:00Z"] {
        put(&world, "m", at, "Count").await;
    }
    let first = outlook(&world, from, "2026-01-02T11:06:00Z").await.expect("one unit");
    let [period] = first.periods[..] else { panic!("one period: {first:?}") };
    assert_eq!((period.timestamp, period.value, period.sample_count), (moment(from), Some(6.0), 2.0));
    assert_eq!(
        (period.oldest, period.newest),
        (moment("2026-01-02T11:02:00Z"), moment("2026-01-02T11:05:00Z"))
    );
    assert!(!first.is_last, "there is a sample at the end of the range");
    let all = outlook(&world, from, "2026-01-02T11:11:00Z").await.expect("one unit");
    assert!(all.is_last && all.periods.len() == 2, "{all:?}");
}

#[tokio::test]
async fn there_is_no_outlook_on_several_units() {
    let world = World::new().await;
    put(&world, "m", "2026-01-02T11:06:00Z", "Count").await;
    put(&world, "m", "2026-01-02T11:09:00Z", "Bytes").await;
    assert_eq!(outlook(&world, "2026-01-02T11:01:00Z", "2026-01-02T11:11:00Z").await, None);
}

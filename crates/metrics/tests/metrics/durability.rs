//! What is acknowledged survives, and damage is noticed and confined.

use std::time::Duration;

use groundwatch_core::{Activity, Clock};
use groundwatch_metrics::{MetricFlush, MetricId, MetricOptions, Period, Point, Statistic};
use groundwatch_storage::simulation::SimulatedDisk;
use serde_json::{Value, json};

use crate::kit::{NOW, World, blocks, is_damage, moment, refused};

fn datum(host: usize, value: f64) -> Value {
    let dimensions = json!([{ "Name": "Host", "Value": format!("host-{host:05}") }]);
    json!({ "MetricName": "load", "Dimensions": dimensions, "Value": value, "Timestamp": moment(NOW).as_secs() - 60 })
}

async fn put_hosts(world: &World, hosts: std::ops::Range<usize>) {
    for start in hosts.clone().step_by(1000) {
        let data: Vec<Value> =
            (start..hosts.end.min(start + 1000)).map(|host| datum(host, host as f64 + 0.1)).collect();
        world.put_data(Value::from(data)).await;
    }
}

async fn read(world: &World, host: usize) -> Result<Vec<Point>, groundwatch_metrics::MetricError> {
    let dimensions = vec![("Host".to_owned(), format!("host-{host:05}"))];
    let metric = MetricId { namespace: "Test".to_owned(), name: "load".to_owned(), dimensions };
    let range = (moment("2026-01-02T11:00:00Z"), moment("2026-01-02T13:00:00Z"));
    let minute = Period::from_secs(60).expect("a period");
    world.store.read_points(&world.scope, &metric, &Statistic::Sum, minute, None, range).await
}

async fn sum(world: &World, host: usize) -> Option<f64> {
    let points = read(world, host).await.expect("readable");
    assert!(points.len() <= 1);
    points.first().map(|point| point.value)
}

#[tokio::test]
async fn acknowledged_data_survive_restarts_before_and_after_a_flush() {
    let mut world = World::new().await;
    put_hosts(&world, 0..100).await;
    world = world.restart().await;
    put_hosts(&world, 50..150).await;
    world.store.flush().await.expect("a flush");
    put_hosts(&world, 100..150).await;
    for _ in 0..2 {
        world = world.restart().await;
        assert_eq!(world.store.series_count(), 150);
        assert_eq!(sum(&world, 10).await, Some(10.1));
        assert_eq!(sum(&world, 70).await, Some(140.2));
        assert_eq!(sum(&world, 120).await, Some(240.2));
        assert_eq!(sum(&world, 150).await, None);
    }
}

#[tokio::test]
async fn a_flush_releases_the_journal() {
    let world = World::new().await;
    put_hosts(&world, 0..10).await;
    world.store.flush().await.expect("a flush");
    put_hosts(&world, 10..20).await;
    let world = world.restart().await;
    assert_eq!(world.recovered, 1, "only what came after the flush");
    assert_eq!((sum(&world, 5).await, sum(&world, 15).await), (Some(5.1), Some(15.1)));
}

#[tokio::test]
async fn two_flushes_at_once_write_one_block() {
    let world = World::new().await;
    put_hosts(&world, 0..10).await;
    let (one, other) = tokio::join!(world.store.flush(), world.store.flush());
    one.and(other).expect("flushes");
    assert_eq!(blocks(world.path()).len(), 1);
    assert_eq!(sum(&world, 5).await, Some(5.1));
}

#[tokio::test]
async fn the_activity_flushes_when_the_head_is_old() {
    let world = World::new().await;
    let flush = MetricFlush::new(world.store.clone());
    assert_eq!(flush.next_due(), None);
    put_hosts(&world, 0..10).await;
    let due = flush.next_due().expect("there is something to flush");
    assert_eq!(due, moment(NOW) + MetricOptions::default().head_age_max);
    flush.run(moment(NOW)).await;
    assert_eq!(blocks(world.path()).len(), 0, "not due yet");
    world.clock.set(due);
    flush.run(world.clock.now()).await;
    assert_eq!(blocks(world.path()).len(), 1);
    assert_eq!(flush.next_due(), None);
    assert_eq!(sum(&world, 5).await, Some(5.1));
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_no_flush_off() {
    let world = World::new().await;
    put_hosts(&world, 0..10).await;
    world.clock.set(moment(NOW) - std::time::Duration::from_secs(365 * 86_400));
    assert_eq!(MetricFlush::new(world.store.clone()).next_due(), Some(world.clock.now()));
}

#[tokio::test]
async fn a_full_head_is_due_at_once_and_beyond_its_budget_refuses() {
    let options = MetricOptions { head_bytes_flush: 1000, head_bytes_max: 4000, ..MetricOptions::default() };
    let world = World::with(options).await;
    let flush = MetricFlush::new(world.store.clone());
    put_hosts(&world, 0..500).await;
    assert_eq!(flush.next_due(), Some(moment(NOW)));
    let more = || world.put(json!({ "Namespace": "Test", "MetricData": [datum(0, 1.0)] }));
    assert_eq!(refused(more().await).0, "Throttling");
    flush.run(world.clock.now()).await;
    more().await.expect("there is room again");
    assert_eq!(sum(&world, 0).await, Some(1.1));
}

#[tokio::test]
async fn a_flush_that_fails_loses_nothing_and_is_tried_again() {
    let world = World::new().await;
    let flush = MetricFlush::new(world.store.clone());
    put_hosts(&world, 0..10).await;
    // A file where the directory of blocks should be.
    let segments = world.path().join("segments/metrics");
    std::fs::write(&segments, "in the way").expect("writable");
    let due = flush.next_due().expect("due");
    world.clock.set(due);
    flush.run(due).await;
    assert_eq!(sum(&world, 5).await, Some(5.1), "frozen, and still readable");
    put_hosts(&world, 5..6).await;
    assert_eq!(sum(&world, 5).await, Some(10.2), "frozen and new together");
    std::fs::remove_file(&segments).expect("removable");
    let again = flush.next_due().expect("to be tried again");
    assert!(again > due && again <= due + Duration::from_secs(60));
    flush.run(again).await;
    assert_eq!(blocks(world.path()).len(), 1);
    assert_eq!(sum(&world, 5).await, Some(10.2));
    drop(flush);
    let world = world.restart().await;
    assert_eq!(sum(&world, 5).await, Some(10.2));
}

#[tokio::test]
async fn series_beyond_the_limit_are_refused_and_known_ones_are_not() {
    let world = World::with(MetricOptions { series_max: 100, ..MetricOptions::default() }).await;
    put_hosts(&world, 0..100).await;
    let (code, message) = refused(
        world.put(json!({ "Namespace": "Test", "MetricData": [datum(0, 1.0), datum(100, 1.0)] })).await,
    );
    assert_eq!(code, "LimitExceeded");
    assert!(message.contains("100 series"), "{message}");
    assert_eq!(sum(&world, 0).await, Some(0.1), "refused as a whole");
    put_hosts(&world, 0..100).await;
    assert_eq!(sum(&world, 99).await, Some(198.2));
}

#[tokio::test]
async fn series_count_towards_the_memory_budget() {
    let world = World::with(MetricOptions { series_bytes_max: 64 << 10, ..MetricOptions::default() }).await;
    put_hosts(&world, 0..50).await;
    let many = || (0..1000).map(|host| datum(host, 1.0)).collect::<Value>();
    let (code, _) = refused(world.put(json!({ "Namespace": "Test", "MetricData": many() })).await);
    assert_eq!((code, world.store.series_count()), ("LimitExceeded", 50));
    put_hosts(&world, 0..50).await;
}

#[tokio::test]
async fn a_flipped_bit_in_a_block_is_noticed_and_confined_to_it() {
    let world = World::new().await;
    put_hosts(&world, 0..20_000).await;
    world.store.flush().await.expect("a flush");
    put_hosts(&world, 20_000..20_010).await;
    let block = blocks(world.path()).pop().expect("a block");
    let mut bytes = std::fs::read(&block).expect("readable");
    bytes[100] ^= 1;
    std::fs::write(&block, bytes).expect("writable");
    let error = read(&world, 0).await.expect_err("the first page is damaged");
    assert!(is_damage(&error) && error.to_string().contains("segments/"), "{error}");
    assert_eq!(sum(&world, 20_005).await, Some(20_005.1), "in memory");
    let fault = refused(
        world
            .statistics(json!({
                "Namespace": "Test", "MetricName": "load", "Dimensions": [{ "Name": "Host", "Value": "host-00000" }],
                "StartTime": "2026-01-02T11:00:00Z", "EndTime": "2026-01-02T12:00:00Z", "Period": 60, "Statistics": ["Sum"],
            }))
            .await,
    );
    assert_eq!(fault.0, "InternalServiceError");
}

#[tokio::test]
async fn after_a_power_loss_at_any_moment_what_was_acknowledged_is_there_once() {
    const HOSTS: usize = 12;
    for calls in 0..36 {
        let disk = SimulatedDisk::new(calls);
        let world = World::on_disk(&disk).await;
        disk.halt_after(calls);
        let mut acknowledged = Vec::new();
        for host in 0..HOSTS {
            let value = host as f64 + 0.1;
            let put = json!({ "Namespace": "Test", "MetricData": [datum(host, value)] });
            if world.put(put).await.is_ok() {
                acknowledged.push(host);
            }
            if host % 4 == 3 {
                // It may fail when the journal does.
                let _ = world.store.flush().await;
            }
        }
        let left = disk.crash();
        let world = world.restart_on(Some(&left)).await;
        for host in 0..HOSTS {
            let found = sum(&world, host).await;
            let value = host as f64 + 0.1;
            assert!(found.is_none_or(|found| found == value), "{calls}: host {host} has {found:?}");
            assert!(found.is_some() || !acknowledged.contains(&host), "{calls}: host {host} is lost");
        }
    }
}

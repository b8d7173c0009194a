//! Compaction and retention: fewer blocks, coarser samples and less disk, with the same statistics.

use std::time::Duration;

use groundwatch_core::{Activity, Clock};
use groundwatch_metrics::{
    ListFilter, MetricCompaction, MetricId, MetricOptions, Period, Point, Retention, Statistic,
};
use serde_json::{Value, json};

use crate::kit::{NOW, World, blocks, is_damage, moment};

const HOSTS: usize = 20;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn datum(host: usize, second: i64, value: f64) -> Value {
    let dimensions = json!([{ "Name": "Host", "Value": format!("host-{host:02}") }]);
    json!({ "MetricName": "load", "Dimensions": dimensions, "Value": value, "Timestamp": second })
}

/// One value a minute of each host for so many minutes from now on; the clock follows.
async fn put_minutes(world: &World, minutes: usize) {
    let start = world.clock.now();
    for minute in 0..minutes {
        let second = start.as_secs() + 60 * minute as i64;
        let value = |host: usize| (host * 1000 + minute * 7 % 61) as f64 + 0.5;
        world.clock.set(start + Duration::from_secs(60 * minute as u64));
        world.put_data((0..HOSTS).map(|host| datum(host, second, value(host))).collect()).await;
    }
    world.clock.set(start + Duration::from_secs(60 * minutes as u64));
}

fn metric(host: usize) -> MetricId {
    let dimensions = vec![("Host".to_owned(), format!("host-{host:02}"))];
    MetricId { namespace: "Test".to_owned(), name: "load".to_owned(), dimensions }
}

/// All points of one host.
async fn points(
    world: &World,
    host: usize,
    statistic: &Statistic,
    period_secs: i64,
) -> Result<Vec<Point>, groundwatch_metrics::MetricError> {
    let range = (moment("2026-01-01T00:00:00Z"), moment("2026-01-06T00:00:00Z"));
    let period = Period::from_secs(period_secs).expect("a period");
    world.store.read_points(&world.scope, &metric(host), statistic, period, None, range).await
}

async fn all(world: &World, period_secs: i64) -> Vec<Vec<Point>> {
    let mut all = Vec::new();
    for statistic in [Statistic::Sum, Statistic::Maximum, Statistic::Percentile(90.0)] {
        for host in 0..HOSTS {
            all.push(points(world, host, &statistic, period_secs).await.expect("readable"));
        }
    }
    all
}

/// Six blocks, and some late data in a seventh.
async fn world_with_blocks(options: MetricOptions) -> World {
    let world = World::with(options).await;
    for _ in 0..6 {
        put_minutes(&world, 20).await;
        world.store.flush().await.expect("a flush");
    }
    world.put_data((0..HOSTS).map(|host| datum(host, moment(NOW).as_secs() + 90, 7.25)).collect()).await;
    world.store.flush().await.expect("a flush");
    world
}

#[tokio::test]
async fn blocks_of_a_day_become_one_and_answer_the_same() {
    let mut world = world_with_blocks(MetricOptions::default()).await;
    let before = all(&world, 60).await;
    assert_eq!(blocks(world.path()).len(), 7);
    let compaction = MetricCompaction::new(world.store.clone());
    let due = compaction.next_due().expect("there are blocks to merge");
    assert!(due <= world.clock.now());
    compaction.run(world.clock.now()).await;
    assert!(blocks(world.path()).len() < 7);
    world.set_clock("2026-01-03T02:00:00Z");
    compaction.run(world.clock.now()).await;
    assert!(blocks(world.path()).len() <= 2, "one, and perhaps the late one");
    assert_eq!(compaction.next_due(), None);
    assert_eq!(all(&world, 60).await, before);
    drop(compaction);
    world = world.restart().await;
    assert_eq!(all(&world, 60).await, before);
    assert_eq!(world.store.series_count(), HOSTS);
}

#[tokio::test]
async fn what_a_crash_left_before_the_swap_does_not_count() {
    let world = world_with_blocks(MetricOptions::default()).await;
    let before = all(&world, 60).await;
    let block = blocks(world.path()).pop().expect("a block");
    let orphan = block.with_file_name("0123456789abcdef0123456789abcdef");
    std::fs::copy(&block, &orphan).expect("writable");
    let world = world.restart().await;
    assert!(!orphan.exists());
    assert_eq!(all(&world, 60).await, before);
}

#[tokio::test]
async fn a_damaged_block_is_left_alone_and_the_rest_is_compacted_and_read() {
    let world = world_with_blocks(MetricOptions::default()).await;
    world
        .put_data((0..HOSTS).map(|host| datum(host, moment("2026-01-01T12:00:00Z").as_secs(), 1.0)).collect())
        .await;
    world.store.flush().await.expect("a flush");
    let damaged = blocks(world.path())[0].clone();
    let world = world.restart().await;
    let mut bytes = std::fs::read(&damaged).expect("readable");
    bytes[20] ^= 4;
    std::fs::write(&damaged, bytes).expect("writable");
    world.set_clock("2026-01-03T02:00:00Z");
    world.store.compact(world.clock.now()).await.expect("the damaged block is no reason to fail");
    assert!(damaged.exists(), "the evidence stays");
    assert!(blocks(world.path()).len() <= 4);
    let error = points(&world, 0, &Statistic::Sum, 60).await.expect_err("never a wrong answer");
    assert!(is_damage(&error), "{error}");
}

#[tokio::test]
async fn a_block_whose_footer_is_damaged_fails_its_day_only() {
    let world = world_with_blocks(MetricOptions::default()).await;
    world.set_clock("2026-01-03T02:00:00Z");
    world.store.compact(world.clock.now()).await.expect("a compaction");
    for block in blocks(world.path()) {
        let mut bytes = std::fs::read(&block).expect("readable");
        let at = bytes.len() - 30;
        bytes[at] ^= 1;
        std::fs::write(&block, bytes).expect("writable");
    }
    let world = world.restart().await;
    world.set_clock("2026-01-03T02:00:00Z");
    put_minutes(&world, 5).await;
    let error = points(&world, 0, &Statistic::Sum, 60).await.expect_err("its day");
    assert!(is_damage(&error), "{error}");
    let range = (moment("2026-01-03T00:00:00Z"), moment("2026-01-04T00:00:00Z"));
    let minute = Period::from_secs(60).expect("a period");
    let sum = Statistic::Sum;
    let found = world.store.read_points(&world.scope, &metric(0), &sum, minute, None, range).await;
    assert_eq!(found.expect("another day").len(), 5);
}

#[tokio::test]
async fn what_is_rolled_up_says_the_same_of_longer_periods() {
    let options = MetricOptions { retention: Retention::Aws, ..MetricOptions::default() };
    let world = world_with_blocks(options).await;
    let (five_minutes, hours) = (all(&world, 300).await, all(&world, 3600).await);
    let disk = disk_of(&world);
    world.clock.set(moment(NOW) + DAY * 20);
    world.store.compact(world.clock.now()).await.expect("a compaction");
    assert_eq!(all(&world, 300).await, five_minutes);
    assert_eq!(all(&world, 60).await, vec![Vec::new(); five_minutes.len()], "no longer offered");
    world.clock.set(moment(NOW) + DAY * 70);
    world.store.compact(world.clock.now()).await.expect("a compaction");
    assert_eq!(all(&world, 3600).await, hours);
    assert!(disk_of(&world) < disk);
}

#[tokio::test]
async fn what_is_too_old_frees_disk_and_leaves_the_index() {
    let options = MetricOptions { retention: Retention::Aws, ..MetricOptions::default() };
    let world = world_with_blocks(options).await;
    world.clock.set(moment(NOW) + DAY * 400);
    let second = world.clock.now().as_secs();
    world.put_data(json!([datum(0, second, 1.0)])).await;
    let compaction = MetricCompaction::new(world.store.clone());
    while let Some(due) = compaction.next_due().filter(|due| *due < moment(NOW) + DAY * 460) {
        world.clock.set(due.max(world.clock.now()));
        compaction.run(world.clock.now()).await;
    }
    assert_eq!(blocks(world.path()).len(), 0);
    let listed = world.store.list(&world.scope, &ListFilter::default(), None, 500);
    assert_eq!(listed.metrics, [metric(0)]);
    put_minutes(&world, 1).await;
    assert_eq!(world.store.series_count(), HOSTS, "a forgotten series can come again");
}

fn disk_of(world: &World) -> u64 {
    blocks(world.path()).iter().map(|block| block.metadata().expect("readable").len()).sum()
}

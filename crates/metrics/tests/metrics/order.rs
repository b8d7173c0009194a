//! A statistic depends on the samples alone: not on when they came, nor on where they are kept.

use groundwatch_metrics::{MetricId, Period, Statistic};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kit::{World, moment};

const STATISTICS: [&str; 8] =
    ["SampleCount", "Average", "Sum", "Minimum", "Maximum", "p90", "TM(10%:90%)", "WM(5%:95%)"];

/// A datum of up to three values, some minutes before the present; now and then a statistic set, alone or
/// described.
fn datum() -> impl Strategy<Value = Value> {
    let value = prop_oneof![(0..1000i32).prop_map(f64::from), 0.0..1e6f64, Just(0.1)];
    (0..90u32, prop::collection::vec((value, 0.5..4f64), 1..4), 0..8u8).prop_map(|(minutes, list, kind)| {
        let (values, counts): (Vec<f64>, Vec<f64>) = list.into_iter().unzip();
        let timestamp = moment("2026-01-02T12:00:00Z").as_secs() - i64::from(minutes) * 60;
        let set = json!({ "SampleCount": 3.0, "Sum": 17.7, "Minimum": 1.0, "Maximum": 11.0 });
        match kind {
            0 => json!({ "MetricName": "m", "Timestamp": timestamp, "StatisticValues": set }),
            1 => json!({ "MetricName": "m", "Timestamp": timestamp, "StatisticValues": set, "Values": values, "Counts": counts }),
            _ => json!({ "MetricName": "m", "Timestamp": timestamp, "Values": values, "Counts": counts }),
        }
    })
}

/// All statistics of all periods, to the last bit.
async fn answers(world: &World) -> Vec<(String, i64, u64)> {
    let metric = MetricId { namespace: "Test".to_owned(), name: "m".to_owned(), dimensions: Vec::new() };
    let range = (moment("2026-01-02T10:00:00Z"), moment("2026-01-02T13:00:00Z"));
    let mut answers = Vec::new();
    for (text, period_secs) in STATISTICS.iter().flat_map(|text| [60, 300, 3600].map(|period| (text, period)))
    {
        let statistic: Statistic = text.parse().expect("a statistic");
        let period = Period::from_secs(period_secs).expect("a period");
        let points = world.store.read_points(&world.scope, &metric, &statistic, period, None, range).await;
        for point in points.expect("readable") {
            answers.push(((*text).to_owned(), point.timestamp.as_secs(), point.value.to_bits()));
        }
    }
    answers
}

async fn in_this_order(data: &[Value], flush_after: Option<usize>, restart: bool) -> Vec<(String, i64, u64)> {
    let mut world = World::new().await;
    for (index, datum) in data.iter().enumerate() {
        world.put_data(json!([datum])).await;
        if flush_after == Some(index) {
            world.store.flush().await.expect("a flush");
        }
    }
    if restart {
        world = world.restart().await;
    }
    answers(&world).await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn order_flush_and_restart_change_no_bit_of_any_statistic(
        data in prop::collection::vec(datum(), 1..25),
        repeated in any::<prop::sample::Index>(),
        flush_after in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let mut data = data;
        data.push(data[repeated.index(data.len())].clone());
        let mut shuffled = data.clone();
        let mut state = seed;
        for last in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(last, (state >> 33) as usize % (last + 1));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let expected = in_this_order(&data, None, false).await;
            assert!(!expected.is_empty());
            assert_eq!(in_this_order(&shuffled, None, true).await, expected, "shuffled and restarted");
            let flush_after = Some(flush_after.index(shuffled.len()));
            assert_eq!(in_this_order(&shuffled, flush_after, false).await, expected, "flushed in between");
            assert_eq!(in_this_order(&data, flush_after, true).await, expected, "flushed and restarted");
        });
    }
}

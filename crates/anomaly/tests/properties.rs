//! Whatever points there are: no panic, finite bounds, and the lower is not above the upper.

use groundwatch_anomaly::{AdaptationSpeed, Configuration, Model, Observation, OutlierFiltering, time_zone};
use proptest::prelude::*;

fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => 1_700_000_000..1_701_209_600_i64,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MAX, 0]),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![10 => -100.0..100.0_f64, 2 => Just(0.0), 2 => any::<f64>(), 1 => Just(f64::MAX), 1 => Just(f64::MIN)]
}

fn points() -> impl Strategy<Value = Vec<Observation>> {
    let scattered = prop::collection::vec((moment(), value()), 0..400);
    let dense = prop::collection::vec(value(), 0..1500).prop_map(|values| {
        values.into_iter().zip(0..).map(|(value, index)| (1_700_000_000 + index * 300, value)).collect()
    });
    let both = prop_oneof![scattered, dense];
    both.prop_map(|points: Vec<(i64, f64)>| {
        points.into_iter().map(|(at_secs, value)| Observation { at_secs, value }).collect()
    })
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let zone = prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]);
    let speed =
        prop::sample::select(vec![AdaptationSpeed::Fast, AdaptationSpeed::Normal, AdaptationSpeed::Slow]);
    let filtering = prop::sample::select(vec![
        OutlierFiltering::Minimal,
        OutlierFiltering::Moderate,
        OutlierFiltering::Strict,
    ]);
    let excluded = prop::collection::vec((moment(), moment()), 0..4);
    (zone, speed, filtering, any::<bool>(), excluded).prop_map(
        |(zone, adaptation, outlier_filtering, periodic_spikes, excluded)| Configuration {
            excluded_secs: excluded.into_iter().map(|(from, to)| from..to).collect(),
            time_zone: time_zone(zone).expect("known"),
            adaptation,
            outlier_filtering,
            periodic_spikes,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn bounds_are_finite_and_in_order(
        points in points(),
        period in prop::sample::select(vec![1_u32, 60, 300, 420, 3600, 86_400, 604_800, u32::MAX]),
        configuration in configuration(),
        moments in prop::collection::vec(moment(), 20),
        deviations in prop_oneof![0.1..10.0_f64, any::<f64>()],
    ) {
        let model = Model::train(&points, period, &configuration);
        for at in moments {
            if let Some(band) = model.band(at, deviations) {
                prop_assert!(band.lower.is_finite() && band.upper.is_finite(), "{band:?}");
                prop_assert!(band.lower <= band.upper, "{band:?}");
            }
        }
    }
}

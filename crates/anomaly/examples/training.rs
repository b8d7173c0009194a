//! How long training takes: two weeks of five-minute and of one-minute points.
//! `cargo run --release -p groundwatch-anomaly --example training`

use std::time::Instant;

use groundwatch_anomaly::{Configuration, Model, Observation};

fn main() {
    for period in [300, 60] {
        let points: Vec<Observation> = (0..14 * 86_400 / period)
            .map(|index| Observation {
                at_secs: 1_767_571_200 + index * period,
                value: 50.0
                    + ((index * period % 86_400) as f64 / 10_000.0).sin()
                    + (index * 7919 % 101) as f64 / 50.0,
            })
            .collect();
        let runs = 20;
        let begun = Instant::now();
        for _ in 0..runs {
            assert!(Model::train(&points, period as u32, &Configuration::default()).band(0, 2.0).is_some());
        }
        eprintln!("{} points: {:?} a training", points.len(), begun.elapsed() / runs);
    }
}

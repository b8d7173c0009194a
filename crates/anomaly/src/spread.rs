//! How far points usually are from what is expected: as standard deviations, for each hour of the day.

use crate::Configuration;
use crate::slots::{NORMAL_MAD, median, quantile};

/// 95 % of normal deviations are within so many standard deviations.
const NORMAL_95: f64 = 1.96;
/// An hour's own spread counts as much as that of all hours if it has so many points.
const HOUR_POINTS: f64 = 24.0;

/// The standard deviation, by the hour of the day.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread {
    by_hour: [f64; 24],
}

impl Spread {
    /// Of deviations, each with its hour. `least` is the least spread there is: rounding errors are not anomalies.
    pub(crate) fn learn(deviations: &[(i64, f64)], configuration: &Configuration, least: f64) -> Self {
        let mut all: Vec<f64> = deviations.iter().map(|(_, deviation)| deviation.abs()).collect();
        let overall = of(&mut all, configuration);
        let mut hours = vec![Vec::new(); 24];
        for (hour, deviation) in deviations {
            hours[hour.rem_euclid(24) as usize].push(deviation.abs());
        }
        let mut by_hour = [overall; 24];
        for (spread, own) in by_hour.iter_mut().zip(&mut hours) {
            let (points, own) = (own.len() as f64, of(own, configuration));
            let variance = (points * own * own + HOUR_POINTS * overall * overall) / (points + HOUR_POINTS);
            *spread = variance.sqrt().max(least);
        }
        Self { by_hour }
    }

    /// At an hour, counted from the epoch.
    pub(crate) fn at(&self, hour: i64) -> f64 {
        self.by_hour[hour.rem_euclid(24) as usize]
    }

    /// Every hour's spread times `factor`.
    pub(crate) fn widened(self, factor: f64) -> Self {
        Self { by_hour: self.by_hour.map(|spread| spread * factor) }
    }
}

/// The standard deviation of absolute deviations: robust, but wide enough that two of it hold 95 % of what are not outliers,
/// whatever their distribution.
fn of(deviations: &mut Vec<f64>, configuration: &Configuration) -> f64 {
    let robust = median(deviations).unwrap_or(0.0) * NORMAL_MAD;
    // More than half of the points exactly as expected says nothing about where outliers begin.
    if robust > 0.0 && !configuration.periodic_spikes {
        let cutoff = configuration.outlier_filtering.cutoff() * robust;
        deviations.retain(|deviation| *deviation <= cutoff);
    }
    robust.max(quantile(deviations, 0.95).unwrap_or(0.0) / NORMAL_95)
}

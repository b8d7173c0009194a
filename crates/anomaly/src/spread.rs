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
        let cutoff = cutoff(&mut all, configuration);
        let usual = |deviation: &f64| *deviation <= cutoff;
        all.retain(usual);
        let overall = of(&mut all);
        let mut hours = vec![Vec::new(); 24];
        for (hour, deviation) in deviations {
            hours[hour.rem_euclid(24) as usize].extend(Some(deviation.abs()).filter(usual));
        }
        let mut by_hour = [overall; 24];
        for (spread, own) in by_hour.iter_mut().zip(&mut hours) {
            let (points, own) = (own.len() as f64, of(own));
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

/// Absolute deviations beyond this are outliers.
fn cutoff(deviations: &mut [f64], configuration: &Configuration) -> f64 {
    let robust = median(deviations).unwrap_or(0.0) * NORMAL_MAD;
    // More than half of the points exactly as expected says nothing about where outliers begin.
    if robust == 0.0 || configuration.periodic_spikes {
        return f64::INFINITY;
    }
    let filtering = configuration.outlier_filtering;
    let usual = quantile(deviations, 1.0 - filtering.part_max()).unwrap_or(0.0);
    usual.max(filtering.cutoff() * robust)
}

/// The standard deviation of absolute deviations: robust, but wide enough that two of it hold 95 % of them, whatever their
/// distribution.
fn of(deviations: &mut [f64]) -> f64 {
    let robust = median(deviations).unwrap_or(0.0) * NORMAL_MAD;
    robust.max(quantile(deviations, 0.95).unwrap_or(0.0) / NORMAL_95)
}

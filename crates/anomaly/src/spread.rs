//! How far points usually are from what is expected: as standard deviations, for each hour of the day.

use crate::Configuration;
use crate::slots::{NORMAL_MAD, median, quantile};

/// 95 % of normal deviations are within so many standard deviations.
pub(crate) const NORMAL_95: f64 = 1.96;
/// The logarithm of a spread that was learnt from `n` points has a variance of so many `n`ths.
const LEARNT_FROM_ONE: f64 = 1.0;

/// The standard deviation, by the hour of the day.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread {
    by_hour: [f64; 24],
}

impl Spread {
    /// Of deviations, each with its hour. `least` is the least spread there is: rounding errors are not
    /// anomalies.
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
        let own: Vec<(f64, f64)> = hours.iter_mut().map(|hour| (hour.len() as f64, of(hour))).collect();
        let differ = difference(&own);
        let spread = |(points, own): &(f64, f64)| {
            let trusted = if *points > 0.0 { differ / (differ + LEARNT_FROM_ONE / points) } else { 0.0 };
            (trusted * own * own + (1.0 - trusted) * overall * overall).sqrt().max(least)
        };
        let mut by_hour = [overall; 24];
        by_hour.iter_mut().zip(&own).for_each(|(known, own)| *known = spread(own));
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

/// By how much the spreads of hours really differ: the variance of their logarithms, less what chance makes
/// it. Each hour has so many points, and that spread. As far as hours differ by chance only, the spread of
/// all hours is the better guess for each (empirical Bayes).
fn difference(hours: &[(f64, f64)]) -> f64 {
    let known: Vec<(f64, f64)> =
        hours.iter().copied().filter(|(points, own)| *points > 0.0 && *own > 0.0).collect();
    let count = known.len() as f64;
    if known.len() < 2 {
        return 0.0;
    }
    let mean = known.iter().map(|(_, own)| own.ln()).sum::<f64>() / count;
    let variance = known.iter().map(|(_, own)| (own.ln() - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let by_chance = known.iter().map(|(points, _)| LEARNT_FROM_ONE / points).sum::<f64>() / count;
    (variance - by_chance).max(0.0)
}

/// Absolute deviations beyond this are outliers.
pub(crate) fn cutoff(deviations: &mut [f64], configuration: &Configuration) -> f64 {
    let robust = median(deviations).unwrap_or(0.0) * NORMAL_MAD;
    // More than half of the points exactly as expected says nothing about where outliers begin.
    if robust == 0.0 || configuration.periodic_spikes {
        return f64::INFINITY;
    }
    let filtering = configuration.outlier_filtering;
    let usual = quantile(deviations, 1.0 - filtering.part_max()).unwrap_or(0.0);
    usual.max(filtering.cutoff() * robust)
}

/// The standard deviation of absolute deviations: robust, but wide enough that two of it hold 95 % of them,
/// whatever their distribution.
fn of(deviations: &mut [f64]) -> f64 {
    let robust = median(deviations).unwrap_or(0.0) * NORMAL_MAD;
    robust.max(quantile(deviations, 0.95).unwrap_or(0.0) / NORMAL_95)
}

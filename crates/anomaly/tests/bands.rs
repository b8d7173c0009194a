//! Bands around metrics whose seasons are known.

use groundwatch_anomaly::{
    AdaptationSpeed, Band, Configuration, Maturity, Model, Observation, OutlierFiltering, time_zone,
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// 2026-01-05, a Monday.
const START: i64 = 1_767_571_200;

/// Noise that is the same in every run: a congruential generator, and sums of twelve for a normal
/// distribution.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// A metric with a point a period, from `START` on.
fn series(period: i64, days: i64, value: impl Fn(i64) -> f64, noise: f64) -> Vec<Observation> {
    let mut random = Noise(42);
    (0..days * DAY / period)
        .map(|index| START + index * period)
        .map(|at_secs| Observation { at_secs, value: value(at_secs) + noise * random.normal() })
        .collect()
}

fn daily(at: i64) -> f64 {
    50.0 + 30.0 * ((at % DAY) as f64 / DAY as f64 * std::f64::consts::TAU).sin()
}

/// Busy from eight to six on working days, by UTC.
fn office(at: i64) -> f64 {
    let (hour, day) = (at.rem_euclid(DAY) / HOUR, (at - START).div_euclid(DAY).rem_euclid(7));
    if (8..18).contains(&hour) && day < 5 { 200.0 } else { 40.0 }
}

/// A job at the beginning of every hour.
fn hourly(at: i64) -> f64 {
    if at % HOUR < 600 { 90.0 } else { 10.0 }
}

/// Trains on all days but the last, and answers the parts of the points learnt from and of the last day that
/// are in the band.
fn covered(
    points: &[Observation],
    period: i64,
    configuration: &Configuration,
    deviations: f64,
) -> (f64, f64) {
    let cut = points.len() - (DAY / period) as usize;
    let (past, future) = points.split_at(cut);
    let model = Model::train(past, period as u32, configuration);
    let part = |points: &[Observation]| {
        let inside =
            points.iter().filter(|point| holds(band(&model, point.at_secs, deviations), point.value));
        inside.count() as f64 / points.len() as f64
    };
    (part(past), part(future))
}

fn holds(band: Band, value: f64) -> bool {
    (band.lower..=band.upper).contains(&value)
}

fn band(model: &Model, at_secs: i64, deviations: f64) -> Band {
    model.band(at_secs, deviations).expect("trained")
}

fn utc() -> Configuration {
    Configuration::default()
}

#[test]
fn clean_points_are_in_the_band() {
    #[track_caller]
    fn check(period: i64, days: i64, value: impl Fn(i64) -> f64, noise: f64) {
        let points = series(period, days, value, noise);
        for (deviations, past_min, future_min) in [(2.0, 0.95, 0.91), (3.0, 0.99, 0.98)] {
            let (past, future) = covered(&points, period, &utc(), deviations);
            // A day has 24 points of an hour: of so few, four may be outside by chance, where one is
            // expected.
            let future_min = if period == 3600 { future_min - 0.1 } else { future_min };
            assert!(past >= past_min && future >= future_min, "{deviations}: {past} {future}");
        }
    }
    check(300, 15, daily, 2.0);
    check(60, 15, daily, 2.0);
    check(3600, 15, daily, 2.0);
    check(300, 15, office, 5.0);
    check(3600, 15, office, 5.0);
    check(300, 15, hourly, 1.0);
    check(300, 4, daily, 2.0);
    // Growth of one a day, which the level follows but does not foresee.
    check(300, 15, |at| daily(at) + (at - START) as f64 / DAY as f64, 2.0);
    check(300, 15, |_| 7.0, 1.0);
}

/// Points of an hour, of which there are few, and a level that is elsewhere tomorrow: what was learnt from is
/// nearer to the model than what is to come, which the width has to allow for.
#[test]
fn days_to_come_are_in_the_band_as_often_as_those_before() {
    #[track_caller]
    fn check(period: i64, days: i64, wander: f64, part_min: f64) {
        let of_metric = |seed: u64| {
            let (mut random, mut level) = (Noise(seed * 7919), 0.0);
            let points: Vec<Observation> = (0..days * DAY / period)
                .map(|index| START + index * period)
                .map(|at_secs| {
                    level += wander * (period as f64 / DAY as f64).sqrt() * random.normal();
                    Observation { at_secs, value: daily(at_secs) + level + 2.0 * random.normal() }
                })
                .collect();
            covered(&points, period, &utc(), 2.0).1
        };
        let part = (1..=30).map(of_metric).sum::<f64>() / 30.0;
        assert!((part_min..0.99).contains(&part), "{period} {days} {wander}: {part}");
    }
    check(3600, 15, 0.0, 0.94);
    check(3600, 5, 0.0, 0.94);
    check(3600, 15, 2.0, 0.92);
}

#[test]
fn the_band_is_as_narrow_as_the_noise() {
    for (value, noise) in [(daily as fn(i64) -> f64, 2.0), (office, 5.0), (hourly, 1.0)] {
        let points = series(300, 14, value, noise);
        let model = Model::train(&points, 300, &utc());
        let mut widths: Vec<f64> = (0..288)
            .map(|slot| band(&model, START + 14 * DAY + slot * 300, 2.0))
            .map(|band| band.upper - band.lower)
            .collect();
        widths.sort_by(f64::total_cmp);
        // Two deviations to both sides are four; the model's own uncertainty adds less than half.
        assert!(widths[144] > 3.0 * noise && widths[144] < 6.0 * noise, "{} {noise}", widths[144]);
    }
}

#[test]
fn spikes_are_outside_also_when_they_were_learnt_from() {
    let mut points = series(300, 14, daily, 2.0);
    for (index, spike) in [(1000, 60.0), (2000, -60.0), (4000, 25.0)] {
        points[index].value += spike;
    }
    let model = Model::train(&points, 300, &utc());
    for index in [1000, 2000, 4000] {
        let Observation { at_secs, value } = points[index];
        assert!(!holds(band(&model, at_secs, 3.0), value), "{index}");
    }
    let tomorrow = START + 14 * DAY + 10 * HOUR;
    assert!(holds(band(&model, tomorrow, 3.0), daily(tomorrow)));
    assert!(!holds(band(&model, tomorrow, 3.0), daily(tomorrow) + 20.0));
    assert!(!holds(band(&model, tomorrow, 3.0), daily(tomorrow) - 20.0));
}

#[test]
fn weekends_are_not_working_days() {
    let model = Model::train(&series(300, 14, office, 5.0), 300, &utc());
    let noon = |day: i64| START + (14 + day) * DAY + 12 * HOUR;
    for (day, usual, unusual) in [(0, 200.0, 40.0), (4, 200.0, 40.0), (5, 40.0, 200.0), (6, 40.0, 200.0)] {
        let band = band(&model, noon(day), 3.0);
        assert!(holds(band, usual) && !holds(band, unusual), "day {day}: {band:?}");
    }
}

#[test]
fn an_incident_of_one_week_is_not_a_season() {
    let mut points = series(300, 14, office, 5.0);
    // A Tuesday without work.
    for point in &mut points {
        if (START + 8 * DAY..START + 9 * DAY).contains(&point.at_secs) {
            point.value = 40.0;
        }
    }
    let model = Model::train(&points, 300, &utc());
    let tuesday = band(&model, START + 15 * DAY + 12 * HOUR, 3.0);
    assert!(holds(tuesday, 200.0), "{tuesday:?}");
}

#[test]
fn half_of_the_points_suffice() {
    let points: Vec<Observation> = series(300, 14, daily, 2.0)
        .into_iter()
        .enumerate()
        // A day is missing as a whole, and of the rest every second stretch of fifty minutes.
        .filter(|(index, _)| (index / 10) % 2 == 0 && !(1152..1440).contains(index))
        .map(|(_, point)| point)
        .collect();
    let model = Model::train(&points, 300, &utc());
    let inside = points.iter().filter(|point| holds(band(&model, point.at_secs, 3.0), point.value));
    assert!(inside.count() as f64 >= 0.99 * points.len() as f64);
    let tomorrow = START + 14 * DAY + 6 * HOUR;
    assert!(holds(band(&model, tomorrow, 3.0), 80.0) && !holds(band(&model, tomorrow, 3.0), 50.0));
}

#[test]
fn short_histories_are_told() {
    let check = |points: &[Observation], maturity: Maturity, has_band: bool| {
        let model = Model::train(points, 300, &utc());
        assert_eq!(
            (model.maturity(), model.band(START, 2.0).is_some()),
            (maturity, has_band),
            "{}",
            points.len()
        );
    };
    let points = series(300, 14, daily, 2.0);
    check(&[], Maturity::InsufficientData, false);
    check(&points[..11], Maturity::InsufficientData, false);
    check(&points[..12], Maturity::InsufficientData, true);
    check(&points[..575], Maturity::InsufficientData, true);
    check(&points[..576], Maturity::Trained, true);
    check(&points, Maturity::Trained, true);
}

#[test]
fn an_hour_repeats_before_a_day_does() {
    let model = Model::train(&series(300, 1, hourly, 1.0), 300, &utc());
    assert_eq!(model.maturity(), Maturity::InsufficientData);
    let next_hour = START + DAY;
    assert!(holds(band(&model, next_hour, 3.0), 90.0) && !holds(band(&model, next_hour, 3.0), 10.0));
    assert!(
        holds(band(&model, next_hour + 1800, 3.0), 10.0) && !holds(band(&model, next_hour + 1800, 3.0), 90.0)
    );
}

#[test]
fn a_constant_is_expected_to_stay() {
    let model = Model::train(&series(300, 14, |_| 5.0, 0.0), 300, &utc());
    let next = band(&model, START + 15 * DAY, 2.0);
    assert!(holds(next, 5.0) && !holds(next, 5.01) && !holds(next, 4.99), "{next:?}");
}

#[test]
fn excluded_ranges_teach_nothing() {
    let mut points = series(300, 3, daily, 2.0);
    let incident = START + 2 * DAY..START + 3 * DAY;
    points
        .iter_mut()
        .filter(|point| incident.contains(&point.at_secs))
        .for_each(|point| point.value += 500.0);
    let noon = START + 3 * DAY + 12 * HOUR;
    let excluding = Configuration { excluded_secs: vec![incident], ..utc() };
    let model = Model::train(&points, 300, &excluding);
    assert!(holds(band(&model, noon, 3.0), daily(noon)));
    let model = Model::train(&points, 300, &utc());
    assert!(!holds(band(&model, noon, 3.0), daily(noon)));
}

#[test]
fn seasons_follow_the_clocks_of_their_time_zone() {
    let berlin = time_zone("Europe/Berlin").expect("known");
    let local = |at: i64| {
        // Summer time from 2026-03-29T01:00:00Z.
        at + if at < 1_774_746_000 { HOUR } else { 2 * HOUR }
    };
    let monday = 1_773_619_200; // 2026-03-16
    let value = |at: i64| if (8..18).contains(&(local(at).rem_euclid(DAY) / HOUR)) { 100.0 } else { 10.0 };
    let points: Vec<Observation> = series(300, 13, |_| 0.0, 1.0)
        .into_iter()
        .map(|point| point.at_secs - START + monday)
        .map(|at_secs| Observation { at_secs, value: value(at_secs) })
        .collect();
    let model = Model::train(&points, 300, &Configuration { time_zone: berlin, ..utc() });
    // 06:30 UTC is half past eight in summer.
    let morning = monday + 14 * DAY + 6 * HOUR + 1800;
    assert!(holds(band(&model, morning, 3.0), 100.0), "{:?}", model.band(morning, 3.0));
    let model = Model::train(&points, 300, &utc());
    assert!(!holds(band(&model, morning, 3.0), 100.0));
}

#[test]
fn a_new_level_is_learnt_sooner_if_adaptation_is_fast() {
    // Fifty higher for the last day.
    let points = series(300, 14, |at| daily(at) + if at >= START + 13 * DAY { 50.0 } else { 0.0 }, 2.0);
    let expected = |adaptation| {
        let model = Model::train(&points, 300, &Configuration { adaptation, ..utc() });
        let band = band(&model, START + 14 * DAY + 6 * HOUR, 2.0);
        f64::midpoint(band.lower, band.upper) - 80.0
    };
    let (fast, slow) = (expected(AdaptationSpeed::Fast), expected(AdaptationSpeed::Slow));
    assert!(fast > 35.0 && slow < 15.0, "{fast} {slow}");
}

#[test]
fn spikes_that_recur_are_usual_if_the_user_says_so() {
    // Every day a spike, at five minutes that differ.
    let spiky = |at: i64| {
        let day = (at - START) / DAY;
        if (at % DAY) / 300 == 150 + day * 37 % 11 { 300.0 } else { 10.0 }
    };
    let points = series(300, 14, spiky, 1.0);
    let width = |configuration: &Configuration| {
        let band = band(&Model::train(&points, 300, configuration), START + 14 * DAY + 12 * HOUR + 1800, 2.0);
        band.upper - band.lower
    };
    let filtered = width(&utc());
    let learnt = width(&Configuration { periodic_spikes: true, ..utc() });
    assert!(learnt > 3.0 * filtered, "{learnt} {filtered}");
}

#[test]
fn strict_filtering_makes_a_tighter_band() {
    let mut points = series(300, 14, daily, 2.0);
    // One point of twenty-five is some deviations away.
    points.iter_mut().step_by(25).for_each(|point| point.value += 10.0);
    points.iter_mut().skip(7).step_by(25).for_each(|point| point.value -= 10.0);
    let width = |outlier_filtering| {
        let model = Model::train(&points, 300, &Configuration { outlier_filtering, ..utc() });
        let band = band(&model, START + 14 * DAY, 2.0);
        band.upper - band.lower
    };
    let (strict, minimal) = (width(OutlierFiltering::Strict), width(OutlierFiltering::Minimal));
    assert!(strict < 0.8 * minimal, "{strict} {minimal}");
}

#[test]
fn the_order_of_points_does_not_matter() {
    let points = series(300, 14, daily, 2.0);
    let reversed: Vec<Observation> = points.iter().rev().copied().collect();
    let bands = |points: &[Observation]| -> Vec<Option<Band>> {
        let model = Model::train(points, 300, &utc());
        (0..5000).map(|slot| model.band(START + slot * 300, 2.0)).collect()
    };
    assert_eq!(bands(&points), bands(&reversed));
}

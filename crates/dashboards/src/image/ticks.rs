//! Scales: which values and moments get a mark, and how they read.

use groundwatch_core::Timestamp;

/// Beyond it values are not told apart: far from where arithmetic on spans would overflow.
const MAGNITUDE_MAX: f64 = 1e100;

/// A vertical scale.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueScale {
    /// The value at the bottom.
    pub min: f64,
    /// The value at the top; greater than `min`.
    pub max: f64,
    /// Marked values, ascending.
    pub ticks: Vec<f64>,
    step: f64,
}

impl ValueScale {
    /// A scale for values between `low` and `high` with about `wanted` marks. `fixed` ends are kept; free
    /// ends move to a mark, and the lower one to zero if that is near.
    pub(super) fn new((low, high): (f64, f64), fixed: (Option<f64>, Option<f64>), wanted: usize) -> Self {
        let bounded = |value: f64| value.clamp(-MAGNITUDE_MAX, MAGNITUDE_MAX);
        let (mut min, mut max) = (bounded(fixed.0.unwrap_or(low)), bounded(fixed.1.unwrap_or(high)));
        let is_near_zero = min > 0.0 && min <= max * 0.5;
        if fixed.0.is_none() && is_near_zero {
            min = 0.0;
        }
        if max <= min || max - min <= max.abs().max(min.abs()) * 1e-9 {
            // One value only, or fixed ends the wrong way around.
            let margin = if min == 0.0 { 1.0 } else { min.abs() * 0.1 };
            max = min + margin;
            if fixed.0.is_none() && fixed.1.is_none() && min != 0.0 {
                min -= margin;
            }
        }
        let step = nice_step((max - min) / wanted.max(1) as f64);
        if fixed.0.is_none() {
            min = (min / step + 1e-9).floor() * step;
        }
        if fixed.1.is_none() {
            max = (max / step - 1e-9).ceil() * step;
        }
        let first = (min / step - 1e-9).ceil();
        // More marks than wanted are possible only for ends that were fixed; never many.
        let count = ((max / step + 1e-9).floor() - first).clamp(0.0, 100.0) as usize;
        // `+ 0.0` turns a negative zero into zero.
        let ticks = (0..=count).map(|index| (first + index as f64) * step + 0.0).collect();
        Self { min, max, ticks, step }
    }

    /// Where `value` lies: 0 at the bottom, 1 at the top, beyond them outside.
    pub(super) fn position(&self, value: f64) -> f64 {
        (value.clamp(-MAGNITUDE_MAX, MAGNITUDE_MAX) - self.min) / (self.max - self.min)
    }

    /// How a mark reads.
    pub(super) fn label(&self, tick: f64) -> String {
        let largest = self.max.abs().max(self.min.abs());
        if tick == 0.0 {
            return "0".to_owned();
        }
        let (factor, suffix) = magnitude(largest);
        if largest < 1e-4 || suffix.is_none() {
            return format!("{tick:.1e}");
        }
        let step = self.step / factor;
        // As many digits as tell one mark from the next: 2.5 needs one more than 2.
        let digits = (0..6).find(|digits| is_whole(step * 10f64.powi(*digits))).unwrap_or(6);
        format!("{:.*}{}", digits.unsigned_abs() as usize, tick / factor, suffix.unwrap_or_default())
    }
}

fn is_whole(number: f64) -> bool {
    (number - number.round()).abs() < 1e-6 * number.abs().max(1.0) && number.round() != 0.0
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is not below `step`.
fn nice_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 2.5, 5.0].into_iter().find(|nice| nice * power >= step * (1.0 - 1e-9)).unwrap_or(10.0) * power
}

/// By what numbers of that size are divided, and what then stands behind them; `None`: too large for a
/// letter.
fn magnitude(largest: f64) -> (f64, Option<&'static str>) {
    match largest {
        size if size < 1e4 => (1.0, Some("")),
        size if size < 1e6 => (1e3, Some("k")),
        size if size < 1e9 => (1e6, Some("M")),
        size if size < 1e12 => (1e9, Some("G")),
        size if size < 1e15 => (1e12, Some("T")),
        size if size < 1e18 => (1e15, Some("P")),
        _ => (1.0, None),
    }
}

/// A value by itself: three digits that count, or all of them if `is_precise`.
pub(super) fn number(value: f64, is_precise: bool) -> String {
    if is_precise {
        return format!("{value}");
    }
    let size = value.abs();
    if size != 0.0 && size < 1e-4 {
        return format!("{value:.2e}");
    }
    let (factor, Some(suffix)) = magnitude(size) else { return format!("{value:.2e}") };
    let scaled = value / factor;
    let digits = match scaled.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 || size == 0.0 => 2,
        size => ((-size.log10()).ceil() as usize + 2).min(6),
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{suffix}")
}

/// A mark on the time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeTick {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// How it reads, in the widget's time zone.
    pub label: String,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// Seconds from mark to mark that people find natural.
const STEPS: &[i64] = &[
    1,
    5,
    10,
    15,
    30,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];

/// Marks from `from` to `to` (milliseconds), about `wanted` of them, in a time zone that is `offset_secs`
/// ahead of UTC.
pub(super) fn time_ticks(from: i64, to: i64, offset_secs: i32, wanted: usize) -> Vec<TimeTick> {
    let wanted = i64::try_from(wanted.clamp(1, 100)).unwrap_or(100);
    let step_min = (to - from) / 1000 / wanted;
    match STEPS.iter().find(|step| **step >= step_min) {
        Some(step) => even_ticks(from, to, i64::from(offset_secs), *step),
        None => month_ticks(from, to, i64::from(offset_secs), step_min / (30 * DAY) + 1),
    }
}

fn even_ticks(from: i64, to: i64, offset: i64, step: i64) -> Vec<TimeTick> {
    let (from_local, to_local) = (from + offset * 1000, to + offset * 1000);
    // Weeks begin on Monday; the epoch was a Thursday.
    let origin = if step >= 7 * DAY { 4 * DAY } else { 0 };
    let first = (from_local - origin * 1000 + step * 1000 - 1).div_euclid(step * 1000);
    let locals = (first..).map(|index| (index * step + origin) * 1000).take_while(|local| *local <= to_local);
    let format = |local: i64| match step {
        step if step < MINUTE => "%H:%M:%S",
        step if step < DAY && local.rem_euclid(DAY * 1000) != 0 => "%H:%M",
        _ => "%m/%d",
    };
    let tick = |local: i64| TimeTick {
        at: local - offset * 1000,
        label: Timestamp::from_millis(local).strftime(format(local)),
    };
    locals.map(tick).collect()
}

/// Marks at the first days of months.
fn month_ticks(from: i64, to: i64, offset: i64, step_months: i64) -> Vec<TimeTick> {
    // Steps that divide a year keep January marked.
    let step = [1, 2, 3, 4, 6, 12]
        .into_iter()
        .find(|nice| *nice >= step_months)
        .unwrap_or((step_months + 11) / 12 * 12);
    let start = Timestamp::from_millis(from + offset * 1000);
    let year: i64 = start.strftime("%Y").parse().unwrap_or(1970);
    let months = (0..).step_by(usize::try_from(step).unwrap_or(12)).map(|month: i64| {
        let (year, month) = (year + month / 12, month % 12 + 1);
        Timestamp::parse_iso8601(&format!("{year:04}-{month:02}-01T00:00:00Z")).ok()
    });
    let locals = months.map_while(|moment| moment.map(Timestamp::as_millis));
    let in_range = locals
        .skip_while(|local| *local < from + offset * 1000)
        .take_while(|local| *local <= to + offset * 1000);
    let tick = |local: i64| TimeTick {
        at: local - offset * 1000,
        label: Timestamp::from_millis(local).strftime("%b %Y"),
    };
    in_range.take(100).map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_scales_have_round_marks() {
        let check = |range, fixed, wanted, labels: &[&str]| {
            let scale = ValueScale::new(range, fixed, wanted);
            let shown: Vec<_> = scale.ticks.iter().map(|tick| scale.label(*tick)).collect();
            assert_eq!(shown, labels, "{range:?} {fixed:?}");
        };
        let free = (None, None);
        check((0.0, 100.0), free, 5, &["0", "20", "40", "60", "80", "100"]);
        check((3.0, 97.0), free, 5, &["0", "20", "40", "60", "80", "100"]);
        check((60.0, 97.0), free, 4, &["60", "70", "80", "90", "100"]);
        check(
            (0.0, 9.0),
            free,
            4,
            &["0.0", "2.5", "5.0", "7.5", "10.0"].map(|text| if text == "0.0" { "0" } else { text }),
        );
        check((0.0, 0.9), free, 5, &["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check((-40.0, 55.0), free, 4, &["-50", "-25", "0", "25", "50", "75"]);
        check((0.0, 48_000.0), free, 5, &["0", "10k", "20k", "30k", "40k", "50k"]);
        check((0.0, 2.4e6), free, 5, &["0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"]);
        check((0.0, 7e9), free, 4, &["0", "2G", "4G", "6G", "8G"]);
        check((5.0, 5.0), free, 4, &["4.50", "4.75", "5.00", "5.25", "5.50"]);
        check((0.0, 0.0), free, 4, &["0", "0.25", "0.50", "0.75", "1.00"]);
        check((12.0, 88.0), (Some(0.0), Some(50.0)), 5, &["0", "10", "20", "30", "40", "50"]);
        check((12.0, 88.0), (Some(5.0), None), 4, &["25", "50", "75", "100"]);
        check((0.0, 3e20), free, 3, &["0", "1.0e20", "2.0e20", "3.0e20"]);
        check((0.0, 3e-6), free, 3, &["0", "1.0e-6", "2.0e-6", "3.0e-6"]);
    }

    #[test]
    fn any_ends_make_a_scale() {
        for (low, high) in [(f64::MIN, f64::MAX), (1e300, -1e300), (1.0, 1.0 + f64::EPSILON), (-5.0, -5.0)] {
            for fixed in [(None, None), (Some(7.0), Some(3.0)), (Some(1e308), None)] {
                let scale = ValueScale::new((low, high), fixed, 5);
                assert!(
                    scale.max > scale.min && scale.ticks.len() <= 101,
                    "{low} {high} {fixed:?} {scale:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (42.0, "42"),
            (3.456_7, "3.46"),
            (0.012_34, "0.0123"),
            (1234.0, "1234"),
            (12_345.0, "12.3k"),
            (-9.87e9, "-9.87G"),
            (0.000_012_3, "1.23e-5"),
        ] {
            assert_eq!(number(value, false), text);
        }
        assert_eq!(number(12_345.678, true), "12345.678");
    }

    /// 2026-01-02T03:04:00Z.
    const START: i64 = 1_767_323_040_000;

    #[test]
    fn time_marks_are_natural_moments_of_the_zone() {
        let check = |hours: i64, offset: i32, wanted, labels: &[&str]| {
            let ticks = time_ticks(START, START + hours * 3_600_000, offset, wanted);
            let shown: Vec<_> = ticks.iter().map(|tick| tick.label.as_str()).collect();
            assert_eq!(shown, labels, "{hours} h");
        };
        check(3, 0, 6, &["03:30", "04:00", "04:30", "05:00", "05:30", "06:00"]);
        check(3, 5400, 6, &["05:00", "05:30", "06:00", "06:30", "07:00", "07:30"]);
        check(24, 0, 8, &["06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "01/03", "03:00"]);
        check(24 * 7, 0, 8, &["01/03", "01/04", "01/05", "01/06", "01/07", "01/08", "01/09"]);
        check(24 * 60, 0, 8, &["01/05", "01/19", "02/02", "02/16", "03/02"]);
        check(24 * 400, 0, 8, &["Mar 2026", "May 2026", "Jul 2026", "Sep 2026", "Nov 2026", "Jan 2027"]);
    }
}

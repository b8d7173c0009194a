//! A range of time made of whole periods, and the samples of each of them.

use groundwatch_core::Timestamp;

use super::{Period, round_start};
use crate::Second;
use crate::sample::Samples;
use crate::statistics::PeriodSamples;

/// A period's last sample is first looked for among so many.
const NEARBY: usize = 8;

/// The periods that a request asks for: whole ones, aligned to multiples of their length since the epoch; or
/// those that an alarm looks at, which begin where its window does.
///
/// A point describes its whole period, so the period that `StartTime` lies in belongs to the window with all
/// of its data, and so does the one that `EndTime` cuts: `EndTime` is exclusive for the beginnings of
/// periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The beginning of the first period.
    pub from: Second,
    /// The end of the last period, exclusive. Not after [`Second::MAX`].
    pub until: Second,
    /// The length of each.
    pub period: Period,
}

impl Window {
    /// The window of a request at `now` for `start` (rounded by its age) to `end`.
    pub fn of_request(start: Timestamp, end: Timestamp, period: Period, now: Timestamp) -> Self {
        Self::exact(round_start(start, now, period), end, period)
    }

    /// The periods that touch `start` (inclusive) to `end` (exclusive).
    pub fn exact(start: Timestamp, end: Timestamp, period: Period) -> Self {
        let from = Second::nearest(start).floor_to(period.as_secs());
        let until = Second::nearest(end.ceil_to(period.as_secs()));
        Self { from, until: until.max(from), period }
    }

    /// The periods that begin at `start`, wherever that lies, and after it every `period`, before `end`
    /// (exclusive).
    pub fn sliding(start: Timestamp, end: Timestamp, period: Period) -> Self {
        let from = Second::nearest(start);
        Self { from, until: Second::nearest(end).max(from), period }
    }

    /// The periods of this window that `first` to `last` touch: seconds that need not lie in it.
    pub(crate) fn cut_to(self, first: Second, last: Second) -> Self {
        let period_secs = self.period.as_secs();
        let first = first.clamp(self.from, self.until);
        let from = Second(first.0 - (first.0 - self.from.0) % period_secs);
        let beyond = last.0.saturating_add(1).clamp(from.0, self.until.0);
        let until = from.0.saturating_add((beyond - from.0).next_multiple_of(period_secs));
        Self { from, until: Second(until.min(self.until.0)), ..self }
    }

    /// How many periods it has.
    pub fn periods(self) -> u64 {
        u64::from((self.until.0 - self.from.0).div_ceil(self.period.as_secs()))
    }

    /// Divides the window at period boundaries into `parts`, or fewer if it has fewer periods.
    pub fn split(self, parts: u32) -> impl Iterator<Item = Self> {
        let period_secs = self.period.as_secs();
        let periods = (self.until.0 - self.from.0).div_ceil(period_secs);
        let step_secs = u64::from(periods.div_ceil(parts.max(1)).max(1)) * u64::from(period_secs);
        let mut from = self.from;
        std::iter::from_fn(move || {
            let until = u64::from(from.0).saturating_add(step_secs).min(u64::from(self.until.0)) as u32;
            let part = Self { from, until: Second(until), ..self };
            from = part.until;
            (part.from < part.until).then_some(part)
        })
    }
}

/// The periods of `window` that have samples, ascending. `samples` are sorted, and lie in the window.
pub fn periods(samples: &Samples, window: Window) -> impl Iterator<Item = (Second, PeriodSamples<'_>)> {
    let period_secs = window.period.as_secs();
    let (mut plain, mut shapes, mut sets) = (&samples.plain[..], &samples.shapes[..], &samples.sets[..]);
    std::iter::from_fn(move || {
        let firsts = [
            plain.first().map(|seen| seen.second),
            shapes.first().map(|seen| seen.second),
            sets.first().map(|sample| sample.second),
        ];
        let first = firsts.into_iter().flatten().min()?;
        debug_assert!(first >= window.from, "samples lie in the window");
        let start = Second(first.0 - (first.0 - window.from.0) % period_secs);
        let within = |second: Second| second.0 - start.0 < period_secs;
        let part = PeriodSamples {
            plain: take_while(&mut plain, |seen| within(seen.second)),
            shapes: take_while(&mut shapes, |seen| within(seen.second)),
            sets: take_while(&mut sets, |sample| within(sample.second)),
        };
        Some((start, part))
    })
}

/// Takes what a period has from the beginning of `rest`. That is little beside all that is left, so its end
/// is looked for nearby first.
fn take_while<'a, T>(rest: &mut &'a [T], within: impl Fn(&T) -> bool) -> &'a [T] {
    let mut bound = NEARBY;
    while rest.get(bound - 1).is_some_and(&within) {
        bound *= 2;
    }
    let end = rest[..bound.min(rest.len())].partition_point(within);
    let (taken, left) = rest.split_at(end);
    *rest = left;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Observation;

    fn moment(text: &str) -> Timestamp {
        Timestamp::parse_iso8601(text).expect("a timestamp")
    }

    #[track_caller]
    fn check(start: &str, end: &str, period_secs: i64, from: &str, until: &str) {
        let period = Period::from_secs(period_secs).expect("a period");
        let window = Window::of_request(moment(start), moment(end), period, moment("2026-01-02T12:00:00Z"));
        assert_eq!((window.from.timestamp(), window.until.timestamp()), (moment(from), moment(until)));
    }

    #[test]
    fn windows_are_whole_periods() {
        check(
            "2026-01-02T10:00:00Z",
            "2026-01-02T11:00:00Z",
            60,
            "2026-01-02T10:00:00Z",
            "2026-01-02T11:00:00Z",
        );
        check(
            "2026-01-02T10:00:30Z",
            "2026-01-02T10:59:30Z",
            60,
            "2026-01-02T10:00:00Z",
            "2026-01-02T11:00:00Z",
        );
        check(
            "2026-01-02T10:07:00Z",
            "2026-01-02T10:12:00Z",
            300,
            "2026-01-02T10:05:00Z",
            "2026-01-02T10:15:00Z",
        );
        check(
            "2026-01-02T10:07:00Z",
            "2026-01-02T10:10:00Z",
            300,
            "2026-01-02T10:05:00Z",
            "2026-01-02T10:10:00Z",
        );
        check(
            "2026-01-02T10:07:00Z",
            "2026-01-02T10:08:00Z",
            3600,
            "2026-01-02T10:00:00Z",
            "2026-01-02T11:00:00Z",
        );
        check(
            "2026-01-02T10:07:00Z",
            "2026-01-02T10:08:00Z",
            86_400,
            "2026-01-02T00:00:00Z",
            "2026-01-03T00:00:00Z",
        );
        check(
            "2026-01-02T10:00:07Z",
            "2026-01-02T10:00:21Z",
            10,
            "2026-01-02T10:00:00Z",
            "2026-01-02T10:00:30Z",
        );
        check(
            "2026-01-02T10:00:07.5Z",
            "2026-01-02T10:00:08.1Z",
            1,
            "2026-01-02T10:00:07Z",
            "2026-01-02T10:00:09Z",
        );
    }

    #[test]
    fn week_long_periods_begin_on_thursdays() {
        check(
            "2026-01-02T10:00:00Z",
            "2026-01-02T11:00:00Z",
            604_800,
            "2026-01-01T00:00:00Z",
            "2026-01-08T00:00:00Z",
        );
    }

    #[test]
    fn far_ranges_are_cut_to_what_can_be_stored() {
        let period = Period::from_secs(60).expect("a period");
        let window = Window::exact(Timestamp::MIN, Timestamp::MAX, period);
        assert_eq!(window.from, Second::MIN);
        assert!(window.until.0 > u32::MAX - 60);
    }

    #[test]
    fn parts_cover_the_window_at_period_boundaries() {
        let period = Period::from_secs(300).expect("a period");
        let window = Window { from: Second(600), until: Second(3000), period };
        let parts: Vec<_> = window.split(3).map(|part| (part.from.0, part.until.0)).collect();
        assert_eq!(parts, [(600, 1500), (1500, 2400), (2400, 3000)]);
        assert_eq!(window.split(100).count(), 8);
        assert_eq!(Window { until: Second(600), ..window }.split(3).count(), 0);
    }

    #[test]
    fn a_sample_belongs_to_the_period_that_begins_at_or_before_it() {
        let seen = |second| Observation { second: Second(second), value: 1.0, weight: 1.0 };
        let samples = Samples { plain: [59, 60, 119, 120, 600].map(seen).to_vec(), ..Samples::default() };
        let period = Period::from_secs(60).expect("a period");
        let found = |from| -> Vec<_> {
            let window = Window { from: Second(from), until: Second(660), period };
            periods(&samples, window).map(|(start, part)| (start.0, part.plain.len())).collect()
        };
        assert_eq!(found(0), [(0, 1), (60, 2), (120, 1), (600, 1)]);
        // A window that begins elsewhere has its periods there.
        assert_eq!(found(50), [(50, 2), (110, 2), (590, 1)]);
    }

    #[test]
    fn a_period_has_all_of_its_samples_however_many() {
        let seen = |second| Observation { second: Second(second), value: 1.0, weight: 1.0 };
        let period = Period::from_secs(60).expect("a period");
        let window = Window { from: Second(0), until: Second(180), period };
        for count in 0..5 * NEARBY {
            let middle = vec![60; count];
            let seconds = [0].into_iter().chain(middle).chain([120, 179]);
            let samples = Samples { plain: seconds.map(seen).collect(), ..Samples::default() };
            let found = periods(&samples, window).map(|(_, part)| part.plain.len());
            let expected = [1, count, 2].into_iter().filter(|count| *count > 0);
            assert!(found.eq(expected), "{count} samples");
        }
    }

    #[test]
    fn a_sliding_window_begins_where_it_is_told() {
        let period = Period::from_secs(300).expect("a period");
        let (start, end) = (moment("2026-01-02T12:01:00Z"), moment("2026-01-02T12:16:00Z"));
        let window = Window::sliding(start, end, period);
        assert_eq!((window.from.timestamp(), window.until.timestamp()), (start, end));
    }
}

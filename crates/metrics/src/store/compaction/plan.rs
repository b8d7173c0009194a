//! What compaction does next: a pure function of the runs that there are, the retention, and the time.
//!
//! Days are compacted each for itself, so that whole blocks grow old. Within a day runs of about the same
//! size are merged: four of them while the day goes on, so that a sample is rewritten about once for each
//! fourfold growth; two once the day is over, which leaves one run, and beside it at most small ones of late
//! data.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_core::Timestamp;

use super::super::flush::DAY_SECS;
use crate::Retention;

const DAY: Duration = Duration::from_secs(DAY_SECS as u64);
/// A day is over when the samples that come in time have come.
const OVER_AFTER: Duration = Duration::from_secs(2 * 60 * 60);

/// How many runs are merged at least, and how much larger than the smaller ones together the next may be.
#[derive(Clone, Copy)]
struct Rule {
    runs_min: usize,
    growth_max: u64,
}

const GOING_ON: Rule = Rule { runs_min: 4, growth_max: 1 };
const OVER: Rule = Rule { runs_min: 2, growth_max: 4 };

/// Blocks that were written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunOfBlocks {
    /// The last moment in them.
    pub(super) to: Timestamp,
    pub(super) resolution_secs: u32,
    pub(super) bytes: u64,
    /// Their numbers, in the order of their keys.
    pub(super) blocks: Vec<u64>,
}

/// One step, done in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// These blocks have only samples that are too old.
    Expire(Vec<u64>),
    /// These runs become one, rolled up to that resolution.
    Merge { runs: Vec<Vec<u64>>, resolution_secs: u32 },
}

/// What is to be done at `now`.
pub(super) fn next_job(runs: &[RunOfBlocks], retention: Retention, now: Timestamp) -> Option<Job> {
    expiry(runs, retention, now).or_else(|| {
        let mut days: BTreeMap<Timestamp, Vec<&RunOfBlocks>> = BTreeMap::new();
        runs.iter().for_each(|run| days.entry(day(run)).or_default().push(run));
        days.into_iter().find_map(|(start, runs)| job_of_day(start, runs, retention, now))
    })
}

/// When there may be something to do next, without anything being flushed meanwhile.
pub(super) fn next_due(runs: &[RunOfBlocks], retention: Retention, now: Timestamp) -> Option<Timestamp> {
    if next_job(runs, retention, now).is_some() {
        return Some(now);
    }
    let mut moments: Vec<Timestamp> = Vec::new();
    for run in runs {
        let over = day(run) + DAY;
        moments.push(over + OVER_AFTER);
        moments.extend(retention.roll_ups().map(|(age, _)| over + age));
        // The first moment at which the age is beyond, not at, what is kept.
        moments.extend(retention.keeps().map(|age| run.to + age + Duration::from_millis(1)));
    }
    moments.retain(|moment| *moment > now);
    moments.sort_unstable();
    moments.dedup();
    moments.into_iter().find(|moment| next_job(runs, retention, *moment).is_some())
}

fn day(run: &RunOfBlocks) -> Timestamp {
    run.to.floor_to(DAY_SECS)
}

fn expiry(runs: &[RunOfBlocks], retention: Retention, now: Timestamp) -> Option<Job> {
    let age_max = retention.keeps()?;
    let expired = runs.iter().filter(|run| now.since(run.to) > age_max);
    let blocks: Vec<u64> = expired.flat_map(|run| run.blocks.iter().copied()).collect();
    (!blocks.is_empty()).then_some(Job::Expire(blocks))
}

fn job_of_day(
    start: Timestamp,
    mut runs: Vec<&RunOfBlocks>,
    retention: Retention,
    now: Timestamp,
) -> Option<Job> {
    let age = now.since(start + DAY);
    let due = retention.roll_ups().filter(|(from_age, _)| age >= *from_age && now > start + DAY);
    let resolution_secs = due.map(|(_, resolution_secs)| resolution_secs).max().unwrap_or(1);
    let merge = |runs: &[&RunOfBlocks]| Job::Merge {
        runs: runs.iter().map(|run| run.blocks.clone()).collect(),
        resolution_secs: runs.iter().map(|run| run.resolution_secs).fold(resolution_secs, u32::max),
    };
    let finer: Vec<_> = runs.iter().copied().filter(|run| run.resolution_secs < resolution_secs).collect();
    if !finer.is_empty() {
        return Some(merge(&finer));
    }
    let rule = if now >= start + DAY + OVER_AFTER { OVER } else { GOING_ON };
    runs.sort_by_key(|run| run.bytes);
    (0..runs.len())
        .map(|smallest| &runs[smallest..][..alike(&runs[smallest..], rule)])
        .find(|alike| alike.len() >= rule.runs_min)
        .map(merge)
}

/// How many of `runs`, which ascend by size, are of about the same size.
fn alike(runs: &[&RunOfBlocks], rule: Rule) -> usize {
    let mut together = 0_u64;
    let fits = |run: &&&RunOfBlocks| {
        let fits = together == 0 || run.bytes <= together.saturating_mul(rule.growth_max);
        together += run.bytes;
        fits
    };
    runs.iter().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of the day that all runs are of.
    const START: Timestamp = Timestamp::from_secs(20_000 * DAY_SECS as i64);

    fn runs(bytes: &[u64]) -> Vec<RunOfBlocks> {
        let run = |(number, bytes): (usize, &u64)| RunOfBlocks {
            to: START + DAY / 2,
            resolution_secs: 1,
            bytes: *bytes,
            blocks: vec![number as u64],
        };
        bytes.iter().enumerate().map(run).collect()
    }

    /// Which runs are merged `age` after the end of their day.
    #[track_caller]
    fn check(bytes: &[u64], is_over: bool, merged: &[u64]) {
        let now = if is_over { START + DAY + OVER_AFTER } else { START + DAY };
        let job = next_job(&runs(bytes), Retention::Forever, now);
        let found: Vec<u64> = match job {
            Some(Job::Merge { runs, resolution_secs: 1 }) => runs.into_iter().flatten().collect(),
            None => Vec::new(),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, merged, "{bytes:?}");
    }

    #[test]
    fn runs_of_about_the_same_size_are_merged() {
        check(&[1, 1, 1], false, &[]);
        check(&[1, 1, 1, 1], false, &[0, 1, 2, 3]);
        check(&[9, 1, 1, 1, 1], false, &[1, 2, 3, 4]);
        check(&[4, 1, 1, 1, 1], false, &[1, 2, 3, 4, 0]);
        check(&[1, 30, 30, 30, 30], false, &[1, 2, 3, 4]);
    }

    #[test]
    fn a_day_that_is_over_becomes_one_run_and_small_late_ones() {
        check(&[4, 2], true, &[1, 0]);
        check(&[100, 1], true, &[]);
        check(&[100, 1, 1, 30], true, &[1, 2]);
        check(&[7], true, &[]);
    }

    #[test]
    fn days_are_not_mixed() {
        let mut runs = runs(&[1, 1, 1, 1]);
        runs[0].to = START + DAY;
        assert_eq!(next_job(&runs, Retention::Forever, START + DAY), None);
    }

    #[test]
    fn what_is_finer_than_its_age_allows_is_rolled_up() {
        let mut both = runs(&[100, 1]);
        both[0].resolution_secs = 300;
        let merge = |resolution_secs| Some(Job::Merge { runs: vec![vec![0]], resolution_secs });
        let after = |days: u32| START + DAY + DAY * days;
        assert_eq!(next_job(&runs(&[1]), Retention::Aws, after(0)), None);
        assert_eq!(next_job(&runs(&[1]), Retention::Aws, after(1)), merge(60));
        assert_eq!(next_job(&runs(&[1]), Retention::Aws, after(15)), merge(300));
        assert_eq!(next_job(&runs(&[1]), Retention::Aws, after(63)), merge(3600));
        assert_eq!(next_job(&runs(&[1]), Retention::Forever, after(63)), None);
        let late = Some(Job::Merge { runs: vec![vec![1]], resolution_secs: 300 });
        assert_eq!(next_job(&both, Retention::Aws, after(15)), late, "the large run is as it should be");
    }

    #[test]
    fn what_is_too_old_expires() {
        let to = START + DAY / 2;
        assert_eq!(next_job(&runs(&[1]), Retention::Aws, to + DAY * 456), Some(Job::Expire(vec![0])));
        let mut hourly = runs(&[1]);
        hourly[0].resolution_secs = 3600;
        assert_eq!(next_job(&hourly, Retention::Aws, to + DAY * 455), None);
        assert_eq!(
            next_due(&hourly, Retention::Aws, to + DAY * 455),
            Some(to + DAY * 455 + Duration::from_millis(1))
        );
    }

    #[test]
    fn the_next_moment_is_that_of_the_next_change() {
        let due = |runs: &[RunOfBlocks], retention| next_due(runs, retention, START + DAY);
        assert_eq!(due(&[], Retention::Aws), None);
        assert_eq!(due(&runs(&[1]), Retention::Forever), None);
        assert_eq!(due(&runs(&[1]), Retention::Aws), Some(START + DAY + Duration::from_secs(3 * 3600)));
        assert_eq!(due(&runs(&[1, 1]), Retention::Forever), Some(START + DAY + OVER_AFTER));
        assert_eq!(due(&runs(&[1, 1, 1, 1]), Retention::Forever), Some(START + DAY));
    }
}

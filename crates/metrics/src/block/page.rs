//! A page: columns of rows, compressed with pco where numbers vary, and by their rule where they follow one.

use std::ops::Range;

use super::column::{Effort, FLAG_BARE, column, put_column};
use super::values::{FLAG_DECIMAL, FLAG_NARROW, FLAG_RATIO, put_values, read_values};
use crate::Second;
use crate::codec::{Damaged, Reader, put_signed, put_varint};
use crate::sample::{Observation, Samples, SetSample, StatisticSet};

/// All rows are single values of weight 1.
const FLAG_ONLY_ONES: u8 = 1;
/// Steps are written as runs.
const FLAG_RUNS: u8 = 2;
const FLAGS: u8 = FLAG_ONLY_ONES | FLAG_RUNS | FLAG_DECIMAL | FLAG_RATIO | FLAG_NARROW | FLAG_BARE;
/// Steps are written as runs if there are at most this many, besides one for every so many rows.
const RUNS_MAX: usize = 4;
const ROWS_PER_RUN: usize = 64;
/// More rows than any page has; guards allocation while reading.
const ROWS_MAX: usize = super::PAGE_ROWS + super::ENTRY_ROWS_MAX;

const KIND_PLAIN: u16 = 0;
const KIND_SHAPE: u16 = 1;
const KIND_SET: u16 = 2;
const KIND_DESCRIBED_SET: u16 = 3;

/// The columns of a page, uncompressed.
#[derive(Debug, Default)]
pub(crate) struct Page {
    seconds: Vec<u32>,
    values: Vec<f64>,
    /// Empty, as `weights`, if the page was read and has single values of weight 1 only.
    kinds: Vec<u16>,
    weights: Vec<f64>,
    minima: Vec<f64>,
    maxima: Vec<f64>,
}

impl Page {
    pub(crate) fn rows(&self) -> usize {
        self.seconds.len()
    }

    /// Memory that the columns take, in bytes.
    pub(crate) fn memory(&self) -> usize {
        4 * self.seconds.len()
            + 2 * self.kinds.len()
            + 8 * (self.values.len() + self.weights.len() + self.minima.len() + self.maxima.len())
    }

    /// Appends rows for `samples`.
    pub(crate) fn push(&mut self, samples: &Samples) {
        for observation in &samples.plain {
            self.push_row(observation.second, KIND_PLAIN, observation.value, observation.weight);
        }
        for observation in &samples.shapes {
            self.push_row(observation.second, KIND_SHAPE, observation.value, observation.weight);
        }
        for SetSample { second, set, described } in &samples.sets {
            let kind = if *described { KIND_DESCRIBED_SET } else { KIND_SET };
            self.push_row(*second, kind, set.sum, set.sample_count);
            self.minima.push(set.minimum);
            self.maxima.push(set.maximum);
        }
    }

    fn push_row(&mut self, second: Second, kind: u16, value: f64, weight: f64) {
        self.seconds.push(second.0);
        self.kinds.push(kind);
        self.values.push(value);
        self.weights.push(weight);
    }

    /// Adds the samples in `rows` from `from` on and before `until` to `samples`.
    pub(crate) fn read(
        &self,
        rows: Range<usize>,
        from: Second,
        until: Second,
        samples: &mut Samples,
    ) -> Result<(), Damaged> {
        if rows.start > rows.end || rows.end > self.rows() {
            return Err(Damaged("a page has fewer rows than its footer says"));
        }
        if self.kinds.is_empty() {
            self.read_ones(rows, from, until, samples);
            return Ok(());
        }
        let mut set = self.kinds[..rows.start].iter().filter(|kind| **kind >= KIND_SET).count();
        for row in rows {
            let (second, value, weight) = (Second(self.seconds[row]), self.values[row], self.weights[row]);
            let wanted = from <= second && second < until;
            match self.kinds[row] {
                KIND_PLAIN if wanted => samples.plain.push(Observation { second, value, weight }),
                KIND_SHAPE if wanted => samples.shapes.push(Observation { second, value, weight }),
                KIND_PLAIN | KIND_SHAPE => {}
                kind => {
                    let (Some(minimum), Some(maximum)) = (self.minima.get(set), self.maxima.get(set)) else {
                        return Err(Damaged("a page has fewer sets than rows of their kind"));
                    };
                    set += 1;
                    if wanted {
                        let (minimum, maximum) = (*minimum, *maximum);
                        let set = StatisticSet { sample_count: weight, sum: value, minimum, maximum };
                        samples.sets.push(SetSample { second, set, described: kind == KIND_DESCRIBED_SET });
                    }
                }
            }
        }
        Ok(())
    }

    /// Single values of weight 1: they are sorted, so the wanted ones lie together.
    fn read_ones(&self, rows: Range<usize>, from: Second, until: Second, samples: &mut Samples) {
        let (seconds, values) = (&self.seconds[rows.clone()], &self.values[rows]);
        let start = seconds.partition_point(|second| *second < from.0);
        let end = seconds.partition_point(|second| *second < until.0).max(start);
        let wanted = seconds[start..end].iter().zip(&values[start..end]);
        let observation = |(second, value): (&u32, &f64)| Observation {
            second: Second(*second),
            value: *value,
            weight: 1.0,
        };
        samples.plain.extend(wanted.map(observation));
    }

    /// The page's bytes. `starts` are the rows at which series begin, ascending.
    pub(crate) fn encode(&self, base: Second, starts: &[usize]) -> Vec<u8> {
        let only_ones = self.kinds.iter().all(|kind| *kind == KIND_PLAIN)
            && self.weights.iter().all(|weight| *weight == 1.0);
        let runs = self.runs(base, starts);
        // A series that has a page for itself has been compacted.
        let is_long = starts.len() == 1 && self.rows() >= super::OWN_PAGE_ROWS;
        let effort = if is_long { Effort::Thorough } else { Effort::Quick };
        let mut values = Vec::new();
        let mut flags = FLAG_BARE | put_values(&mut values, &self.values, effort);
        flags |= if only_ones { FLAG_ONLY_ONES } else { 0 };
        flags |= if runs.is_some() { FLAG_RUNS } else { 0 };
        let mut out = vec![flags];
        put_varint(&mut out, self.rows() as u64);
        put_varint(&mut out, self.minima.len() as u64);
        match runs {
            Some(runs) => put_runs(&mut out, &runs),
            None => put_column(&mut out, &self.steps(base, starts).collect::<Vec<i32>>(), effort),
        }
        out.append(&mut values);
        if !only_ones {
            put_column(&mut out, &self.kinds, effort);
            put_column(&mut out, &self.weights, effort);
        }
        if !self.minima.is_empty() {
            put_column(&mut out, &self.minima, effort);
            put_column(&mut out, &self.maxima, effort);
        }
        out
    }

    /// Reads what [`Self::encode`] wrote, with the same `base` and `starts`.
    pub(crate) fn decode(
        bytes: &[u8],
        base: Second,
        starts: impl Iterator<Item = usize>,
    ) -> Result<Self, Damaged> {
        let mut reader = Reader::new(bytes);
        let flags = reader.byte()?;
        if flags & !FLAGS != 0 {
            return Err(Damaged("a page has a form that this release does not know"));
        }
        let (rows, sets) = (reader.index()?, reader.index()?);
        if rows > ROWS_MAX || sets > rows {
            return Err(Damaged("a page has too many rows"));
        }
        let steps: Vec<i32> = if flags & FLAG_RUNS != 0 {
            steps_of_runs(&mut reader, rows)?
        } else {
            column(&mut reader, flags, rows)?
        };
        let values = read_values(&mut reader, flags, rows)?;
        let (kinds, weights) = if flags & FLAG_ONLY_ONES != 0 {
            Default::default()
        } else {
            (column(&mut reader, flags, rows)?, column(&mut reader, flags, rows)?)
        };
        let (minima, maxima) = if sets == 0 {
            Default::default()
        } else {
            (column(&mut reader, flags, sets)?, column(&mut reader, flags, sets)?)
        };
        let mut seconds = Vec::with_capacity(rows);
        let mut starts = starts.peekable();
        let mut second = base;
        for (row, step) in steps.into_iter().enumerate() {
            if starts.next_if_eq(&row).is_some() {
                second = base;
            }
            second = Second(second.0.wrapping_add_signed(step));
            seconds.push(second.0);
        }
        Ok(Self { seconds, values, kinds, weights, minima, maxima })
    }

    /// The seconds as differences, each series counted from `base`.
    fn steps(&self, base: Second, starts: &[usize]) -> impl Iterator<Item = i32> {
        let mut starts = starts.iter().peekable();
        let mut before = base.0;
        self.seconds.iter().enumerate().map(move |(row, second)| {
            if starts.next_if_eq(&&row).is_some() {
                before = base.0;
            }
            let step = second.wrapping_sub(before) as i32;
            before = *second;
            step
        })
    }

    /// The steps as (step, how often in a row), if that is short.
    fn runs(&self, base: Second, starts: &[usize]) -> Option<Vec<(i32, u64)>> {
        let runs_max = RUNS_MAX + self.rows() / ROWS_PER_RUN;
        let mut runs: Vec<(i32, u64)> = Vec::new();
        for step in self.steps(base, starts) {
            if let Some((_, count)) = runs.last_mut().filter(|(repeated, _)| *repeated == step) {
                *count += 1;
            } else if runs.len() == runs_max {
                return None;
            } else {
                runs.push((step, 1));
            }
        }
        Some(runs)
    }
}

fn put_runs(out: &mut Vec<u8>, runs: &[(i32, u64)]) {
    for (step, count) in runs {
        put_signed(out, i64::from(*step));
        put_varint(out, *count);
    }
}

fn steps_of_runs(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<i32>, Damaged> {
    let mut steps = Vec::with_capacity(rows);
    while steps.len() < rows {
        let step = i32::try_from(reader.signed()?).map_err(|_| Damaged("a step is out of range"))?;
        let count = reader.index()?;
        if count == 0 || count > rows - steps.len() {
            return Err(Damaged("a run has another number of rows"));
        }
        steps.resize(steps.len() + count, step);
    }
    Ok(steps)
}

//! A page: columns of rows, compressed with pco.

use std::ops::Range;

use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress};

use crate::Second;
use crate::codec::{Damaged, Reader, put_varint};
use crate::sample::{Observation, Samples, SetSample, StatisticSet};

const FLAG_ONLY_ONES: u8 = 1;

const KIND_PLAIN: u16 = 0;
const KIND_SHAPE: u16 = 1;
const KIND_SET: u16 = 2;
const KIND_DESCRIBED_SET: u16 = 3;

/// The columns of a page, uncompressed.
#[derive(Debug, Default)]
pub(crate) struct Page {
    seconds: Vec<u32>,
    values: Vec<f64>,
    kinds: Vec<u16>,
    weights: Vec<f64>,
    minima: Vec<f64>,
    maxima: Vec<f64>,
}

impl Page {
    pub(crate) fn rows(&self) -> usize {
        self.seconds.len()
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

    /// The page's bytes. `starts` are the rows at which series begin, ascending.
    pub(crate) fn encode(&self, base: Second, starts: &[usize]) -> Vec<u8> {
        let only_ones = self.kinds.iter().all(|kind| *kind == KIND_PLAIN)
            && self.weights.iter().all(|weight| *weight == 1.0);
        let mut out = vec![if only_ones { FLAG_ONLY_ONES } else { 0 }];
        put_varint(&mut out, self.rows() as u64);
        put_varint(&mut out, self.minima.len() as u64);
        put_column(&mut out, &self.steps(base, starts));
        put_column(&mut out, &self.values);
        if !only_ones {
            put_column(&mut out, &self.kinds);
            put_column(&mut out, &self.weights);
        }
        if !self.minima.is_empty() {
            put_column(&mut out, &self.minima);
            put_column(&mut out, &self.maxima);
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
        let only_ones = reader.byte()? & FLAG_ONLY_ONES != 0;
        let (rows, sets) = (reader.index()?, reader.index()?);
        let steps: Vec<i32> = column(&mut reader, rows)?;
        let values = column(&mut reader, rows)?;
        let (kinds, weights) = if only_ones {
            (vec![KIND_PLAIN; rows], vec![1.0; rows])
        } else {
            (column(&mut reader, rows)?, column(&mut reader, rows)?)
        };
        let (minima, maxima) = if sets == 0 {
            Default::default()
        } else {
            (column(&mut reader, sets)?, column(&mut reader, sets)?)
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
    fn steps(&self, base: Second, starts: &[usize]) -> Vec<i32> {
        let mut starts = starts.iter().peekable();
        let mut before = base.0;
        let step = |(row, second): (usize, &u32)| {
            if starts.next_if_eq(&&row).is_some() {
                before = base.0;
            }
            let step = second.wrapping_sub(before) as i32;
            before = *second;
            step
        };
        self.seconds.iter().enumerate().map(step).collect()
    }
}

fn put_column<T: Number>(out: &mut Vec<u8>, numbers: &[T]) {
    let compressed =
        simple_compress(numbers, &ChunkConfig::default()).expect("the default configuration is valid");
    put_varint(out, compressed.len() as u64);
    out.extend_from_slice(&compressed);
}

fn column<T: Number>(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<T>, Damaged> {
    let length = reader.index()?;
    let numbers: Vec<T> =
        simple_decompress(reader.bytes(length)?).map_err(|_| Damaged("a column does not decompress"))?;
    if numbers.len() == rows { Ok(numbers) } else { Err(Damaged("a column has another number of rows")) }
}

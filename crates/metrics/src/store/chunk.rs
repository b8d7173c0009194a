//! A series' recent samples of one unit, in the order of arrival, in about ten bytes each.
//!
//! The head holds millions of these, most with a handful of samples; what they cost is what the head costs. A
//! sample is a head byte (kind, how its second follows the one before, how many bytes its value has) and then
//! only what is needed: at a steady interval of one second or one minute a value that needs all its bits
//! takes nine bytes, a small whole number three or four. Decoding is one pass of about five nanoseconds a
//! sample, so nothing finer is indexed.

use crate::codec::{Damaged, Reader, float_bytes, put_float, put_signed};
use crate::record::Points;
use crate::sample::{Observation, Samples, SetSample, StatisticSet};
use crate::{Second, Unit};

/// How the head byte is divided: value length in the low four bits, then kind, then step.
const KIND_SHIFT: u8 = 4;
const STEP_SHIFT: u8 = 6;

const KIND_ONE: u8 = 0;
const KIND_WEIGHTED: u8 = 1;
const KIND_SHAPE: u8 = 2;
const KIND_SET: u8 = 3;

const STEP_SAME: u8 = 0;
const STEP_SECOND: u8 = 1;
const STEP_MINUTE: u8 = 2;
const STEP_OTHER: u8 = 3;

/// Samples of one unit.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    /// Of the newest sample, by arrival.
    last: Second,
    earliest: Second,
    latest: Second,
    unit: Unit,
}

impl Default for Chunk {
    fn default() -> Self {
        Self::new(Unit::default())
    }
}

impl Chunk {
    /// A chunk without samples.
    pub(crate) fn new(unit: Unit) -> Self {
        Self { bytes: Vec::new(), last: Second::default(), earliest: Second::MAX, latest: Second::MIN, unit }
    }

    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The seconds of the earliest and the latest sample.
    pub(crate) fn span(&self) -> (Second, Second) {
        (self.earliest, self.latest)
    }

    /// About how many samples there are: steady ones take three to nine bytes.
    pub(crate) fn estimated_samples(&self) -> u64 {
        self.bytes.len() as u64 / 4 + 1
    }

    /// Memory that the samples take, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends a datum's points.
    pub(crate) fn push(&mut self, second: Second, points: &Points<'_>) {
        match points {
            Points::One(value) => self.push_value(second, KIND_ONE, *value),
            Points::List(list) => {
                for (value, weight) in *list {
                    if *weight == 1.0 {
                        self.push_value(second, KIND_ONE, *value);
                    } else {
                        self.push_value(second, KIND_WEIGHTED, *value);
                        put_float(&mut self.bytes, *weight);
                    }
                }
            }
            Points::Set(set) => self.push_set(second, set, false),
            Points::Described(set, list) => {
                self.push_set(second, set, true);
                for (value, weight) in *list {
                    self.push_value(second, KIND_SHAPE, *value);
                    put_float(&mut self.bytes, *weight);
                }
            }
        }
    }

    /// Adds the samples from `from` on and before `until` to `samples`.
    ///
    /// Fails only if memory is not what was written into it.
    pub(crate) fn read(&self, from: Second, until: Second, samples: &mut Samples) -> Result<(), Damaged> {
        let mut reader = Reader::new(&self.bytes);
        let mut second = Second::default();
        while !reader.is_empty() {
            let head = reader.byte()?;
            second = match head >> STEP_SHIFT {
                STEP_SAME => second,
                STEP_SECOND => Second(second.0.wrapping_add(1)),
                STEP_MINUTE => Second(second.0.wrapping_add(60)),
                _ => Second(second.0.wrapping_add(reader.signed()? as u32)),
            };
            let value = reader.float_of(head & 0xf)?;
            let wanted = from <= second && second < until;
            let kind = head >> KIND_SHIFT & 3;
            let weight = if kind == KIND_ONE { 1.0 } else { reader.float()? };
            if kind == KIND_SET {
                let set = StatisticSet {
                    sample_count: weight,
                    sum: value,
                    minimum: reader.float()?,
                    maximum: reader.float()?,
                };
                let described = reader.byte()? != 0;
                if wanted {
                    samples.sets.push(SetSample { second, set, described });
                }
            } else if wanted {
                let target = if kind == KIND_SHAPE { &mut samples.shapes } else { &mut samples.plain };
                target.push(Observation { second, value, weight });
            }
        }
        Ok(())
    }

    fn push_value(&mut self, second: Second, kind: u8, value: f64) {
        let (value_bytes, length) = float_bytes(value);
        let step = match second.0.wrapping_sub(self.last.0) {
            0 => STEP_SAME,
            1 => STEP_SECOND,
            60 => STEP_MINUTE,
            _ => STEP_OTHER,
        };
        self.bytes.push(step << STEP_SHIFT | kind << KIND_SHIFT | length);
        if step == STEP_OTHER {
            put_signed(&mut self.bytes, i64::from(second.0) - i64::from(self.last.0));
        }
        self.bytes.extend_from_slice(&value_bytes[..usize::from(length)]);
        self.last = second;
        self.earliest = self.earliest.min(second);
        self.latest = self.latest.max(second);
    }

    fn push_set(&mut self, second: Second, set: &StatisticSet, described: bool) {
        self.push_value(second, KIND_SET, set.sum);
        put_float(&mut self.bytes, set.sample_count);
        put_float(&mut self.bytes, set.minimum);
        put_float(&mut self.bytes, set.maximum);
        self.bytes.push(u8::from(described));
    }
}

/// The recent samples of one series. Nearly every series has one unit only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks {
    first: Chunk,
    others: Vec<Chunk>,
}

impl Chunks {
    /// Appends a datum's points, and returns by how many bytes memory grew.
    pub(crate) fn push(&mut self, unit: Unit, second: Second, points: &Points<'_>) -> usize {
        if self.first.is_empty() {
            self.first.unit = unit;
        }
        let chunk = if self.first.unit == unit {
            &mut self.first
        } else if let Some(index) = self.others.iter().position(|chunk| chunk.unit == unit) {
            &mut self.others[index]
        } else {
            self.others.push(Chunk::new(unit));
            let newest = self.others.len() - 1;
            &mut self.others[newest]
        };
        let before = chunk.capacity();
        chunk.push(second, points);
        chunk.capacity() - before
    }

    /// The chunks that hold anything, one a unit.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chunk> {
        std::iter::once(&self.first).chain(&self.others).filter(|chunk| !chunk.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn read(chunk: &Chunk, from: u32, until: u32) -> Samples {
        let mut samples = Samples::default();
        chunk.read(Second(from), Second(until), &mut samples).expect("undamaged");
        samples
    }

    #[test]
    fn steady_samples_take_their_value_and_one_byte() {
        let mut chunk = Chunk::new(Unit::None);
        chunk.push(Second(1_767_323_040), &Points::One(0.1));
        let before = chunk.bytes.len();
        chunk.push(Second(1_767_323_100), &Points::One(0.1));
        assert_eq!(chunk.bytes.len() - before, 9);
        chunk.push(Second(1_767_323_160), &Points::One(7.0));
        assert_eq!(chunk.bytes.len() - before, 9 + 3);
    }

    #[test]
    fn units_are_kept_apart() {
        let mut chunks = Chunks::default();
        chunks.push(Unit::Seconds, Second(60), &Points::One(1.0));
        chunks.push(Unit::Count, Second(60), &Points::One(2.0));
        chunks.push(Unit::Seconds, Second(0), &Points::One(3.0));
        let found: Vec<_> = chunks.iter().map(|chunk| (chunk.unit(), read(chunk, 0, 100).len())).collect();
        assert_eq!(found, [(Unit::Seconds, 2), (Unit::Count, 1)]);
    }

    proptest! {
        #[test]
        fn what_is_pushed_in_any_order_is_read(
            data in vec((any::<u32>(), 0..4u8, -1e9..1e9f64, 0.25..9f64), 0..50),
            from: u32,
        ) {
            let mut chunk = Chunk::new(Unit::None);
            let mut expected = Samples::default();
            for (second, kind, value, weight) in data {
                let second = Second(second);
                let set = StatisticSet { sample_count: weight, sum: value, minimum: 0.5, maximum: 1.5 };
                let wanted = second >= Second(from) && second < Second::MAX;
                let list = [(value, weight)];
                let points = match kind {
                    0 => Points::One(value),
                    1 => Points::List(&list),
                    2 => Points::Set(set),
                    _ => Points::Described(set, &list),
                };
                chunk.push(second, &points);
                let observation = Observation { second, value, weight: if kind == 0 { 1.0 } else { weight } };
                if wanted && kind < 2 {
                    expected.plain.push(observation);
                }
                if wanted && kind >= 2 {
                    expected.sets.push(SetSample { second, set, described: kind == 3 });
                }
                if wanted && kind == 3 {
                    expected.shapes.push(observation);
                }
            }
            prop_assert_eq!(read(&chunk, from, u32::MAX), expected);
        }
    }
}

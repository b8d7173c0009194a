//! How the values of a slot are best encoded, by a look at some of them.
//!
//! A few kilobytes are compressed in each manner that there is, which tells more than any rule about times,
//! identifiers and names. Only how often values recur is known of all of them.

use std::io;

use zstd::bulk::Compressor;

use super::sorter::{Recurrence, Texts};

/// How values are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    pub(crate) kind: Kind,
    /// zstd's.
    pub(crate) level: i32,
}

/// What values are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Values recur so often that their numbers in a dictionary take less.
    Repeating,
    /// Much of a value is what the one before it began with, as in times.
    Continuing,
    /// Neither.
    #[default]
    Varying,
}

impl Default for Manner {
    fn default() -> Self {
        Self { kind: Kind::default(), level: LEVEL }
    }
}

/// Most values gain nothing beyond this level.
const LEVEL: i32 = 1;
/// The level of values of which some are far from their like, and long enough to be found again.
const FAR_LEVEL: i32 = 3;
/// The level of dictionaries that take more than their keys: texts of many lines and the like.
const DICTIONARY_LEVEL: i32 = 9;
/// Fewer values are not looked at.
const VALUES_MIN: usize = 256;
/// How much is looked at.
const SAMPLE_BYTES: usize = 6 << 10;
const SAMPLE_VALUES_MIN: usize = 32;
const SAMPLE_VALUES_MAX: usize = 512;
/// How many numbers Parquet packs with one width.
const PACKED_TOGETHER: usize = 32;
/// Shorter values cost little when they are repeated.
const FAR_BYTES_MIN: f64 = 16.0;
/// Of values that recur less, repeating none is found.
const FAR_FRESH_MAX: f64 = 0.97;
/// What each entry of a dictionary takes besides its text: its length.
const ENTRY_BYTES: f64 = 0.5;

/// Looks at values.
pub(crate) struct Judge {
    zstd: Compressor<'static>,
}

impl Judge {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: Compressor::new(LEVEL)? })
    }

    /// The manner of these values, of which that is known how often they recur.
    pub(crate) fn manner(&mut self, texts: &Texts, recurrence: &Recurrence) -> io::Result<Manner> {
        let values = texts.ends.len();
        if values < VALUES_MIN {
            return Ok(Manner::default());
        }
        let sample = Sample::of(texts);
        let varying = self.bytes_a_value(&sample.whole, &[&sample.lengths])?;
        let continuing = if sample.continues() {
            self.bytes_a_value(&sample.rest, &[&sample.same, &sample.rest_lengths])?
        } else {
            f64::INFINITY
        };
        let (fresh, values) = (recurrence.fresh(), values as f64);
        let key = (fresh * values).max(1.0).log2() / 8.0;
        let repeating = key + fresh * (varying + ENTRY_BYTES);
        let length = texts.bytes.len() as f64 / values;
        Ok(if repeating < varying.min(continuing) {
            let level = if fresh * length > 2.0 * key { DICTIONARY_LEVEL } else { LEVEL };
            Manner { kind: Kind::Repeating, level }
        } else {
            let kind = if continuing < varying { Kind::Continuing } else { Kind::Varying };
            let is_far = fresh < FAR_FRESH_MAX && length >= FAR_BYTES_MIN;
            Manner { kind, level: if is_far { FAR_LEVEL } else { LEVEL } }
        })
    }

    fn bytes_a_value(&mut self, text: &[u8], lengths: &[&[i64]]) -> io::Result<f64> {
        let bits: u32 = lengths.iter().map(|lengths| packed_bits(lengths)).sum();
        let bytes = self.zstd.compress(text)?.len() as f64 + f64::from(bits) / 8.0;
        Ok(bytes / lengths.iter().map(|lengths| lengths.len()).max().unwrap_or_default().max(1) as f64)
    }
}

/// How many bits Parquet takes for numbers that it keeps by their differences, of which compression hardly
/// finds any to save.
fn packed_bits(numbers: &[i64]) -> u32 {
    let differences: Vec<i64> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let least = differences.iter().min().copied().unwrap_or_default();
    let of_chunk = |chunk: &[i64]| {
        let most = chunk.iter().max().map_or(0, |most| most - least);
        chunk.len() as u32 * (i64::BITS - most.leading_zeros())
    };
    differences.chunks(PACKED_TOGETHER).map(of_chunk).sum()
}

/// Some values, and what of each is not at the beginning of the one before it.
#[derive(Default)]
struct Sample {
    whole: Vec<u8>,
    lengths: Vec<i64>,
    rest: Vec<u8>,
    rest_lengths: Vec<i64>,
    /// How much each begins with of the one before it.
    same: Vec<i64>,
}

impl Sample {
    /// Whether values have more in common with those before them than it takes to say how much.
    fn continues(&self) -> bool {
        self.same.iter().sum::<i64>() * 4 > self.same.len() as i64
    }

    fn of(texts: &Texts) -> Self {
        let (mut sample, mut last) = (Self::default(), &[][..]);
        for index in 0..texts.ends.len().min(SAMPLE_VALUES_MAX) {
            let value = texts.get(index);
            let same = last.iter().zip(value).take_while(|(a, b)| a == b).count();
            sample.whole.extend_from_slice(value);
            sample.lengths.push(value.len() as i64);
            sample.rest.extend_from_slice(&value[same..]);
            sample.rest_lengths.push((value.len() - same) as i64);
            sample.same.push(same as i64);
            last = value;
            if sample.whole.len() >= SAMPLE_BYTES && index >= SAMPLE_VALUES_MIN {
                break;
            }
        }
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manner(value: impl Fn(u64) -> String) -> Manner {
        let (mut texts, mut recurrence) = (Texts::default(), Recurrence::default());
        for number in 0..4_000 {
            let value = value(number);
            texts.push(value.as_bytes());
            recurrence.add(twox_hash::XxHash3_64::oneshot(value.as_bytes()));
        }
        Judge::new().and_then(|mut judge| judge.manner(&texts, &recurrence)).expect("in memory")
    }

    fn check(expected: Kind, value: impl Fn(u64) -> String) {
        assert_eq!(manner(&value).kind, expected, "{}", value(1));
    }

    /// A number that looks random.
    fn mixed(number: u64) -> u64 {
        twox_hash::XxHash3_64::oneshot(&number.to_le_bytes())
    }

    #[test]
    fn values_are_encoded_as_suits_them() {
        check(Kind::Continuing, |n| {
            format!("2026-01-01T00:{:02}:{:02}.{:03}Z", n / 1200, n / 20 % 60, mixed(n) % 999)
        });
        check(Kind::Varying, |n| format!("{:016x}{:016x}", mixed(n), mixed(n + 5_000)));
        check(Kind::Varying, |n| (mixed(n) % 5_000).to_string());
        check(Kind::Repeating, |n| ["GET", "POST", "DELETE"][mixed(n) as usize % 3].to_owned());
        check(Kind::Repeating, |n| format!("eu-central-{}", mixed(n) % 40));
        check(Kind::Repeating, |n| format!("{:016x}", mixed(mixed(n) % 99)));
        check(Kind::Repeating, |_| "always".to_owned());
    }

    #[test]
    fn long_texts_that_recur_are_compressed_well() {
        let path =
            |n: u64| (0..40).map(|frame| format!("at x.y.Z{}\n", mixed(n % 50 + frame) % 90)).collect();
        assert_eq!(manner(path), Manner { kind: Kind::Repeating, level: DICTIONARY_LEVEL });
    }
}

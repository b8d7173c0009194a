//! Packs numbers as Parquet does: what [`super::bits`] reads.

use std::iter::repeat_n;

/// How many differences have a least one in common, and how many of these a width.
const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;
/// How many numbers of a hybrid encoding are packed together.
const GROUP: usize = 8;

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7F {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn signed_varint(number: i64, out: &mut Vec<u8>) {
    varint((number << 1 ^ number >> 63) as u64, out);
}

/// How many bits numbers up to `most` take.
pub(super) fn width(most: u64) -> u32 {
    u64::BITS - most.leading_zeros()
}

/// Appends the lowest `width` bits of each number, the first one in the lowest bits.
fn pack(numbers: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0_u128, 0);
    for number in numbers {
        bits |= u128::from(number) << count;
        count += width;
        if count >= u64::BITS {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= u64::BITS;
            count -= u64::BITS;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..count.div_ceil(8) as usize]);
}

/// Appends so many times the same to a hybrid encoding of that width.
pub(super) fn run(number: u32, count: usize, width: u32, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.extend_from_slice(&number.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Appends numbers of at most `width` bits in a hybrid encoding: what recurs many times as a run, the rest
/// packed.
pub(super) fn hybrid(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut at, mut packed) = (0_usize, 0);
    for same in numbers.chunk_by(|a, b| a == b) {
        // Groups are whole, so the first ones of a run fill up the last group before it.
        let in_group = (at - packed).next_multiple_of(GROUP) - (at - packed);
        if same.len() >= in_group + GROUP {
            groups(&numbers[packed..at + in_group], width, out);
            run(same[0], same.len() - in_group, width, out);
            packed = at + same.len();
        }
        at += same.len();
    }
    groups(&numbers[packed..], width, out);
}

/// Packs numbers; the last group is filled up with zeros.
fn groups(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let groups = numbers.len().div_ceil(GROUP);
    if groups > 0 {
        varint((groups as u64) << 1 | 1, out);
        let filled = repeat_n(0, groups * GROUP - numbers.len());
        pack(numbers.iter().copied().chain(filled).map(u64::from), width, out);
    }
}

/// Appends numbers by their differences. Those of a column of 32 bits are less than 2^31 apart from each
/// other, or other readers find other ones.
pub(super) fn delta(numbers: &[i64], out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / MINIBLOCK) as u64, out);
    varint(numbers.len() as u64, out);
    signed_varint(numbers.first().copied().unwrap_or(0), out);
    let mut differences = [0; BLOCK];
    for start in (1..numbers.len()).step_by(BLOCK) {
        let block = &numbers[start - 1..numbers.len().min(start + BLOCK)];
        let differences = &mut differences[..block.len() - 1];
        for (difference, pair) in differences.iter_mut().zip(block.windows(2)) {
            *difference = pair[1].wrapping_sub(pair[0]);
        }
        let least = differences.iter().min().copied().unwrap_or(0);
        signed_varint(least, out);
        let above = |difference: &i64| difference.wrapping_sub(least) as u64;
        let widths = out.len();
        out.extend_from_slice(&[0; BLOCK / MINIBLOCK]);
        for (place, miniblock) in differences.chunks(MINIBLOCK).enumerate() {
            let width = width(miniblock.iter().map(above).max().unwrap_or(0));
            out[widths + place] = width as u8;
            let filled = repeat_n(0, MINIBLOCK - miniblock.len());
            pack(miniblock.iter().map(above).chain(filled), width, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bits;
    use super::*;

    fn unpacked(bytes: &[u8], width: u32, count: usize) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        bits::hybrid(bytes, width, count, |run| {
            match run {
                bits::Run::Repeated { value, count } => found.extend(repeat_n(value as u32, count)),
                bits::Run::Packed { bytes, count } => {
                    bits::unpack(bytes, width, count, |value| found.push(value as u32))?;
                }
            }
            Some(())
        })?;
        Some(found)
    }

    #[test]
    fn what_recurs_takes_little() {
        let mut out = Vec::new();
        hybrid(&[[7; 4096].as_slice(), &[1, 2, 3], &[5; 1000]].concat(), 3, &mut out);
        assert_eq!(out.len(), 3 + 4 + 3);
        out.clear();
        delta(&(0..128).map(|n| n * 1000).collect::<Vec<_>>(), &mut out);
        assert_eq!(out.len(), 6 + 2 + 4);
    }

    proptest! {
        #[test]
        fn runs_and_groups_are_read_back(
            runs in proptest::collection::vec((0..9_u32, prop_oneof![1..3_usize, 1..40_usize]), 0..30),
        ) {
            let numbers: Vec<u32> = runs.iter().flat_map(|(number, count)| repeat_n(*number, *count)).collect();
            let width = width(numbers.iter().max().copied().unwrap_or(0).into());
            let mut out = Vec::new();
            hybrid(&numbers, width, &mut out);
            prop_assert_eq!(unpacked(&out, width, numbers.len()), Some(numbers));
        }

        #[test]
        fn differences_are_read_back(
            numbers in prop_oneof![
                proptest::collection::vec(any::<i64>(), 0..300),
                proptest::collection::vec(0..1000_i64, 0..300),
            ],
        ) {
            let mut out = Vec::new();
            delta(&numbers, &mut out);
            let (mut bytes, mut found) = (out.as_slice(), Vec::new());
            prop_assert!(bits::delta(&mut bytes, numbers.len(), |number| found.push(number)).is_some());
            prop_assert_eq!((found, bytes.len()), (numbers, 0));
        }
    }
}

//! How Parquet packs small numbers: runs of levels and dictionary keys, and lengths by their differences.
//!
//! `None` everywhere means that bytes are not what they should be.

/// Values of a hybrid encoding that come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run<'b> {
    /// So many times the same.
    Repeated { value: u64, count: usize },
    /// So many, packed.
    Packed { bytes: &'b [u8], count: usize },
}

/// Reads a number of seven bits a byte, the lowest first.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift += 7;
    }
}

/// Whose lowest bit is the sign.
fn signed_varint(bytes: &mut &[u8]) -> Option<i64> {
    let value = varint(bytes)?;
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// Gives `count` numbers of `width` bits each, the first one in the lowest bits.
pub(super) fn unpack(bytes: &[u8], width: u32, count: usize, mut each: impl FnMut(u64)) -> Option<()> {
    if width == 0 {
        (0..count).for_each(|_| each(0));
        return Some(());
    }
    if width > u64::BITS || bytes.len() < (count.checked_mul(width as usize)?).div_ceil(8) {
        return None;
    }
    let mask = u64::MAX >> (u64::BITS - width);
    let mut bit = 0;
    for _ in 0..count {
        let (from, shift) = (&bytes[bit / 8..], bit % 8);
        each(match from.first_chunk() {
            // A number begins in the first byte, and so ends in the eighth.
            Some(chunk) if width <= 57 => u64::from_le_bytes(*chunk) >> shift & mask,
            _ => {
                let word = from.iter().take(9).rev().fold(0, |word, byte| word << 8 | u128::from(*byte));
                (word >> shift) as u64 & mask
            }
        });
        bit += width as usize;
    }
    Some(())
}

/// Gives the runs of `count` numbers of `width` bits.
pub(super) fn hybrid<'b>(
    mut bytes: &'b [u8],
    width: u32,
    mut count: usize,
    mut each: impl FnMut(Run<'b>) -> Option<()>,
) -> Option<()> {
    let value_bytes = width.div_ceil(8) as usize;
    while count > 0 {
        let header = varint(&mut bytes)?;
        let length = usize::try_from(header >> 1).ok()?;
        if header & 1 == 0 {
            let value = bytes.get(..value_bytes)?;
            bytes = &bytes[value_bytes..];
            let value = value.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
            let length = length.min(count);
            each(Run::Repeated { value, count: length })?;
            count -= length;
        } else {
            // Groups of eight.
            let packed = bytes.get(..length.checked_mul(width as usize)?)?;
            bytes = &bytes[packed.len()..];
            let length = length.checked_mul(8)?.min(count);
            each(Run::Packed { bytes: packed, count: length })?;
            count -= length;
        }
        if length == 0 {
            return None;
        }
    }
    Some(())
}

/// Gives exactly `count` numbers that are kept by their differences, and leaves `bytes` behind them.
pub(super) fn delta(bytes: &mut &[u8], count: usize, mut each: impl FnMut(i64)) -> Option<()> {
    let (block, miniblocks) = (varint(bytes)?, varint(bytes)?);
    let (total, mut value) = (varint(bytes)?, signed_varint(bytes)?);
    let miniblock = usize::try_from(block.checked_div(miniblocks)?).ok()?;
    if total != count as u64 || miniblock == 0 || miniblock % 8 != 0 {
        return None;
    }
    if count == 0 {
        return Some(());
    }
    each(value);
    let mut left = count - 1;
    while left > 0 {
        let least = signed_varint(bytes)?;
        let (widths, rest) = bytes.split_at_checked(usize::try_from(miniblocks).ok()?)?;
        *bytes = rest;
        for width in widths {
            if left == 0 {
                break;
            }
            let packed = bytes.get(..(miniblock / 8).checked_mul(usize::from(*width))?)?;
            *bytes = &bytes[packed.len()..];
            let count = left.min(miniblock);
            unpack(packed, u32::from(*width), count, |difference| {
                value = value.wrapping_add(least).wrapping_add(difference as i64);
                each(value);
            })?;
            left -= count;
        }
    }
    Some(())
}

/// Leaves `bytes` behind exactly `count` numbers that are kept by their differences.
pub(super) fn skip_delta(bytes: &mut &[u8], count: usize) -> Option<()> {
    let (block, miniblocks) = (varint(bytes)?, varint(bytes)?);
    let (total, _) = (varint(bytes)?, signed_varint(bytes)?);
    let miniblock = usize::try_from(block.checked_div(miniblocks)?).ok()?;
    if total != count as u64 || miniblock == 0 || miniblock % 8 != 0 {
        return None;
    }
    let mut left = count.saturating_sub(1);
    while left > 0 {
        signed_varint(bytes)?;
        let (widths, rest) = bytes.split_at_checked(usize::try_from(miniblocks).ok()?)?;
        *bytes = rest;
        let used = left.div_ceil(miniblock).min(widths.len());
        let packed: usize = widths[..used].iter().map(|width| usize::from(*width)).sum();
        *bytes = bytes.get((miniblock / 8).checked_mul(packed)?..)?;
        left = left.saturating_sub(miniblock.checked_mul(used)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(values: &[u64], width: u32) -> Vec<u8> {
        let mut bytes = vec![0; (values.len() * width as usize).div_ceil(8)];
        for (index, value) in values.iter().enumerate() {
            for bit in 0..width as usize {
                let at = index * width as usize + bit;
                bytes[at / 8] |= ((value >> bit & 1) as u8) << (at % 8);
            }
        }
        bytes
    }

    #[test]
    fn runs_and_groups_alternate() {
        let mut found = Vec::new();
        // Three times 2, then a group of eight, of which five count.
        let packed = pack(&[1, 2, 3, 0, 1, 0, 0, 0], 2);
        let bytes = [&[3 << 1, 2, 1 << 1 | 1], packed.as_slice()].concat();
        hybrid(&bytes, 2, 8, |run| {
            match run {
                Run::Repeated { value, count } => found.extend(std::iter::repeat_n(value, count)),
                Run::Packed { bytes, count } => unpack(bytes, 2, count, |value| found.push(value))?,
            }
            Some(())
        })
        .expect("well formed");
        assert_eq!(found, [2, 2, 2, 1, 2, 3, 0, 1]);
        assert_eq!(hybrid(&bytes, 2, 20, |_| Some(())), None);
        assert_eq!(hybrid(&[0], 0, 1, |_| Some(())), None);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(width in 0_u32..=64, values in proptest::collection::vec(any::<u64>(), 0..40)) {
            let values: Vec<u64> = values.iter().map(|value| value & u64::MAX.checked_shr(64 - width).unwrap_or(0)).collect();
            let mut unpacked = Vec::new();
            unpack(&pack(&values, width), width, values.len(), |value| unpacked.push(value)).expect("well formed");
            prop_assert_eq!(unpacked, values);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60), count in 0_usize..99) {
            let (mut given, mut rest, mut skipped) = (0, bytes.as_slice(), bytes.as_slice());
            let is_read = delta(&mut rest, count, |_| given += 1).is_some();
            // Numbers that are too wide are passed over nevertheless.
            let is_skipped = skip_delta(&mut skipped, count).is_some();
            if is_read {
                prop_assert_eq!((given, is_skipped, skipped), (count, true, rest));
            }
            let _ = hybrid(&bytes, 9, count, |_| Some(()));
        }
    }
}

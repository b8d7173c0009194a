//! The column of values: whole numbers wherever that loses nothing, floats otherwise.
//!
//! What is measured is nearly always counted first. Where the count shows, as [decimals](super::decimal) or
//! as [ratios](super::ratio), it takes a fraction of the bits that the float made of it takes.

use super::column::{Effort, column, put_column};
use super::decimal;
use super::ratio::{Form, Ratios};
use crate::codec::{Damaged, Reader, put_signed, put_varint};

/// Values are written as whole numbers of a decimal place.
pub(super) const FLAG_DECIMAL: u8 = 4;
/// Values are written as ratios.
pub(super) const FLAG_RATIO: u8 = 8;
/// Whole numbers are written as 32 bits from the least of them.
pub(super) const FLAG_NARROW: u8 = 16;

/// Appends `values`, and returns the flags that say how.
pub(super) fn put_values(out: &mut Vec<u8>, values: &[f64], effort: Effort) -> u8 {
    if let Some((places, numbers)) = decimal::scale(values) {
        out.push(places);
        return FLAG_DECIMAL | put_numbers(out, &numbers, effort);
    }
    if let Some(ratios) = Ratios::of(values) {
        out.push(ratios.form as u8);
        put_varint(out, ratios.unit);
        put_varint(out, ratios.denominators.len() as u64);
        ratios.denominators.iter().for_each(|denominator| put_varint(out, *denominator));
        if ratios.denominators.len() > 1 {
            put_column(out, &ratios.which, effort);
        }
        return FLAG_RATIO | put_numbers(out, &ratios.numerators, effort);
    }
    put_column(out, values, effort);
    0
}

/// Reads what [`put_values`] wrote.
pub(super) fn read_values(reader: &mut Reader<'_>, flags: u8, rows: usize) -> Result<Vec<f64>, Damaged> {
    match flags & (FLAG_DECIMAL | FLAG_RATIO) {
        0 => column(reader, flags, rows),
        FLAG_DECIMAL => {
            let places = reader.byte()?;
            decimal::restore(places, &numbers(reader, flags, rows)?)
        }
        FLAG_RATIO => {
            let (form, unit, count) = (Form::of(reader.byte()?)?, reader.varint()?, reader.index()?);
            if count > rows {
                return Err(Damaged("ratios have too many denominators"));
            }
            let denominators = (0..count).map(|_| reader.varint()).collect::<Result<Vec<_>, _>>()?;
            let which = if count > 1 { column(reader, flags, rows)? } else { Vec::new() };
            let numerators = numbers(reader, flags, rows)?;
            Ratios { form, unit, denominators, which, numerators }.restore()
        }
        _ => Err(Damaged("values have two forms")),
    }
}

fn put_numbers(out: &mut Vec<u8>, numbers: &[i64], effort: Effort) -> u8 {
    let least = numbers.iter().copied().min().unwrap_or_default();
    let narrow = |number: &i64| u32::try_from(number.checked_sub(least)?).ok();
    match numbers.iter().map(narrow).collect::<Option<Vec<u32>>>() {
        Some(narrow) => {
            put_signed(out, least);
            put_column(out, &narrow, effort);
            FLAG_NARROW
        }
        None => {
            put_column(out, numbers, effort);
            0
        }
    }
}

fn numbers(reader: &mut Reader<'_>, flags: u8, rows: usize) -> Result<Vec<i64>, Damaged> {
    if flags & FLAG_NARROW == 0 {
        return column(reader, flags, rows);
    }
    let least = reader.signed()?;
    let narrow: Vec<u32> = column(reader, flags, rows)?;
    Ok(narrow.into_iter().map(|number| least.wrapping_add(i64::from(number))).collect())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::column::FLAG_BARE;
    use super::*;

    /// Writes and reads `values`; returns the flags and the bytes that a value takes.
    #[track_caller]
    fn check(values: &[f64]) -> (u8, f64) {
        let mut out = Vec::new();
        let flags = put_values(&mut out, values, Effort::Thorough);
        let mut reader = Reader::new(&out);
        let found = read_values(&mut reader, flags | FLAG_BARE, values.len()).expect("undamaged");
        assert!(reader.is_empty());
        assert!(found.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits()), "{values:?}");
        (flags, out.len() as f64 / values.len() as f64)
    }

    /// Whole numbers that wander up and down by up to eight.
    fn wandering(rows: u32) -> impl Iterator<Item = f64> {
        (0..rows).map(|row| f64::from(3000 + row.wrapping_mul(2_654_435_761) % 17))
    }

    #[test]
    fn shares_of_ticks_take_what_their_ticks_take() {
        let whole: Vec<f64> = wandering(1440).collect();
        let (_, ticks) = check(&whole);
        let shares: Vec<f64> = whole.iter().map(|busy| 100.0 * busy / 6000.0).collect();
        let (flags, share) = check(&shares);
        assert_eq!(flags, FLAG_RATIO | FLAG_NARROW);
        assert!(share < ticks + 0.02, "{share} bytes, the ticks {ticks}");
        let late = |(row, busy): (usize, &f64)| 100.0 * busy / if row % 7 == 0 { 6001.0 } else { 6000.0 };
        let (flags, late) = check(&whole.iter().enumerate().map(late).collect::<Vec<f64>>());
        assert_eq!(flags, FLAG_RATIO | FLAG_NARROW);
        assert!(late < ticks + 0.3, "{late} bytes, the ticks {ticks}");
    }

    #[test]
    fn shares_of_a_large_total_and_rates_are_ratios() {
        let ratio = |value: fn(f64) -> f64| check(&wandering(200).map(value).collect::<Vec<f64>>()).0;
        assert_eq!(ratio(|used| 100.0 * (used * 997.0) / 4_045_939.0), FLAG_RATIO | FLAG_NARROW);
        assert_eq!(ratio(|used| used * 4096.0 / 25_619_854.0 * 100.0), FLAG_RATIO | FLAG_NARROW);
        assert_eq!(ratio(|bytes| bytes * 4096.0 / 60.0), FLAG_RATIO | FLAG_NARROW);
        assert_eq!(ratio(|bytes| -bytes / 60.0), FLAG_RATIO | FLAG_NARROW);
        assert_eq!(ratio(|bytes| bytes * 1e12 + 1.0), FLAG_DECIMAL);
    }

    #[test]
    fn what_is_no_ratio_stays_a_float() {
        let floats: Vec<f64> = (1..200).map(|row| f64::from(row).sqrt()).collect();
        assert_eq!(check(&floats).0, 0);
        assert_eq!(check(&[0.1 + 0.2, f64::MAX, -0.0, 1e-300, 5e-324]).0, 0);
        assert_eq!(check(&[]).0, FLAG_DECIMAL | FLAG_NARROW);
    }

    proptest! {
        #[test]
        fn all_values_are_restored_to_the_last_bit(
            ratios in vec((any::<i32>(), prop_oneof![Just(60), 5990..6010u32, 1..1_000_000u32]), 0..60),
            floats in vec(any::<f64>().prop_filter("finite", |value| value.is_finite()), 0..3),
            form in 0..3u8,
        ) {
            let form = Form::of(form).expect("a form");
            let value = |(numerator, denominator): (i32, u32)| form.value(f64::from(numerator), f64::from(denominator));
            check(&ratios.into_iter().map(value).chain(floats).collect::<Vec<f64>>());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..100), flags: u8, rows in 0..50usize) {
            let _ = read_values(&mut Reader::new(&bytes), flags, rows);
        }
    }
}

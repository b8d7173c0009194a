//! Decimal numbers as whole ones: most of what is measured has a few decimal places, and 17.25 takes far
//! fewer bits as 1725 hundredths than as a binary fraction. Lossless to the last bit, or not done at all.

use crate::codec::Damaged;

/// Powers of ten that are looked for, by number of decimal places.
const SCALES: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
/// Whole numbers up to here are exact in a float.
const EXACT_MAX: f64 = (1_u64 << 53) as f64;

/// The fewest decimal places with which all of `values` can be written, and the values in units of the last
/// place. `None` if some value needs more places than are looked for, or is too large.
pub(super) fn scale(values: &[f64]) -> Option<(u8, Vec<i64>)> {
    let mut places = 0;
    for value in values {
        while scaled(*value, SCALES[places]).is_none() {
            places += 1;
            if places == SCALES.len() {
                return None;
            }
        }
    }
    // A value that had enough with fewer places may be too large for more.
    let numbers: Option<Vec<i64>> = values.iter().map(|value| scaled(*value, SCALES[places])).collect();
    Some((places as u8, numbers?))
}

/// What [`scale`] was given.
pub(super) fn restore(places: u8, numbers: &[i64]) -> Result<Vec<f64>, Damaged> {
    let scale = SCALES.get(usize::from(places)).ok_or(Damaged("values have too many decimal places"))?;
    Ok(numbers.iter().map(|number| *number as f64 / scale).collect())
}

/// `value` in units of 1 ÷ `scale`, if that leads back to the same bits. Minus zero does not.
fn scaled(value: f64, scale: f64) -> Option<i64> {
    let whole = (value * scale).round();
    let exact = whole.abs() <= EXACT_MAX && (whole as i64 as f64 / scale).to_bits() == value.to_bits();
    exact.then_some(whole as i64)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(values: &[f64], places: Option<u8>) {
        let scaled = scale(values);
        assert_eq!(scaled.as_ref().map(|(places, _)| *places), places, "{values:?}");
        if let Some((places, numbers)) = scaled {
            let restored = restore(places, &numbers).expect("known places");
            assert!(restored.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits()), "{restored:?}");
        }
    }

    #[test]
    fn decimals_become_whole_numbers_of_their_last_place() {
        check(&[], Some(0));
        check(&[3.0, -17.0, 0.0], Some(0));
        check(&[0.1, 0.2, 0.3, 99.9], Some(1));
        check(&[0.125, 7.0, 12_345.678], Some(3));
        check(&[1e-6], Some(6));
        check(&[9_007_199_254_740_992.0], Some(0));
    }

    #[test]
    fn what_would_lose_a_bit_stays_as_it_is() {
        check(&[0.1 + 0.2], None);
        check(&[-0.0], None);
        check(&[1.0 / 3.0], None);
        check(&[1e300], None);
        check(&[f64::MAX, f64::MIN_POSITIVE], None);
        check(&[9e15, 0.001], None);
    }

    proptest! {
        #[test]
        fn all_that_is_scaled_is_restored(
            numbers in vec(any::<i32>(), 1..50),
            places in 0..7usize,
            others in vec(any::<f64>(), 0..2),
        ) {
            let decimals = numbers.iter().map(|number| f64::from(*number) / SCALES[places]);
            let values: Vec<f64> = decimals.chain(others.iter().copied()).collect();
            match scale(&values) {
                Some((places, numbers)) => {
                    let restored = restore(places, &numbers).expect("known places");
                    prop_assert!(restored.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
                }
                None => prop_assert!(!others.is_empty()),
            }
        }
    }
}

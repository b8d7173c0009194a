//! Numbers that are ratios of whole ones: shares and rates, as agents derive them from counters. `100 × busy
//! ÷ all` fills every bit of a float, yet all that it says are two whole numbers, of which one hardly
//! changes. Lossless to the last bit, or not done at all.

use crate::codec::Damaged;

/// Values that are looked at before all are.
const PROBES: usize = 16;
/// Numerators and denominators are whole numbers of floats.
const EXACT_MAX: f64 = (1_u64 << 53) as f64;
/// A fraction is believed if numerator and denominator together have at most so many bits: near any float
/// there is some fraction of about 53.
const BITS_MAX: u32 = 51;
/// The total that all fractions can be brought to is believed if it is at most so many times the largest of
/// them.
const TOTAL_FACTOR_MAX: u64 = 32;
/// So many denominators that served are tried for the next values.
const SERVED_MAX: usize = 4;
/// At most one denominator for so many values.
const VALUES_PER_DENOMINATOR: usize = 16;

/// Values as ratios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ratios {
    pub(super) form: Form,
    /// All numerators are multiples of it.
    pub(super) unit: u64,
    /// The most frequent first.
    pub(super) denominators: Vec<u64>,
    /// For each value the number of its denominator; empty if there is but one.
    pub(super) which: Vec<u16>,
    /// In units.
    pub(super) numerators: Vec<i64>,
}

/// How a value came from its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// numerator ÷ denominator
    Plain = 0,
    /// 100 × numerator ÷ denominator
    PercentBefore = 1,
    /// numerator ÷ denominator × 100
    PercentAfter = 2,
}

impl Form {
    pub(super) fn of(code: u8) -> Result<Self, Damaged> {
        match code {
            0 => Ok(Self::Plain),
            1 => Ok(Self::PercentBefore),
            2 => Ok(Self::PercentAfter),
            _ => Err(Damaged("ratios have a form that this release does not know")),
        }
    }

    pub(super) fn value(self, numerator: f64, denominator: f64) -> f64 {
        match self {
            Self::Plain => numerator / denominator,
            Self::PercentBefore => 100.0 * numerator / denominator,
            Self::PercentAfter => numerator / denominator * 100.0,
        }
    }

    /// Fractions from which `values` come to the last bit, if all of them do. A denominator that served is
    /// tried again for the next values, which is quicker than to look for the simplest fraction of each.
    fn fractions<'a>(self, values: impl Iterator<Item = &'a f64>) -> Option<Vec<(i64, u64)>> {
        let mut served: Vec<u64> = Vec::with_capacity(SERVED_MAX + 1);
        let mut fractions = Vec::with_capacity(values.size_hint().0);
        for value in values {
            let known = served.iter().find_map(|denominator| self.over(*value, *denominator));
            let fraction = match known {
                Some(fraction) => fraction,
                None => {
                    let fraction = self.fraction(*value)?;
                    served.insert(0, fraction.1);
                    served.truncate(SERVED_MAX);
                    fraction
                }
            };
            fractions.push(fraction);
        }
        Some(fractions)
    }

    /// `value` over that denominator, if it comes from there to the last bit.
    fn over(self, value: f64, denominator: u64) -> Option<(i64, u64)> {
        let share = match self {
            Self::Plain => value,
            Self::PercentBefore | Self::PercentAfter => value / 100.0,
        };
        let numerator = (share * denominator as f64).round();
        let found = self.value(numerator, denominator as f64);
        let is_exact = numerator.abs() < EXACT_MAX && found.to_bits() == value.to_bits();
        is_exact.then_some((numerator as i64, denominator))
    }

    /// The simplest fraction from which `value` comes to the last bit.
    fn fraction(self, value: f64) -> Option<(i64, u64)> {
        if value == 0.0 && value.is_sign_positive() {
            return Some((0, 1));
        }
        let target = match self {
            Self::Plain => value.abs(),
            Self::PercentBefore | Self::PercentAfter => value.abs() / 100.0,
        };
        // Euclid's algorithm on the float as it is, mantissa over a power of two; the quotients are its
        // continued fraction, whose convergents are the best approximations for their size.
        let (mut above, mut below) = halves(target)?;
        let (mut numerator, mut numerator_before) = (1_u64, 0_u64);
        let (mut denominator, mut denominator_before) = (0_u64, 1_u64);
        while below != 0 {
            let whole = above / below;
            (above, below) = (below, above % below);
            let next = |this: u64, before: u64| whole.checked_mul(this)?.checked_add(before);
            (numerator, numerator_before) = (next(numerator, numerator_before)?, numerator);
            (denominator, denominator_before) = (next(denominator, denominator_before)?, denominator);
            if numerator.checked_mul(denominator)? >= 1 << BITS_MAX {
                return None;
            }
            let found = self.value(numerator as f64, denominator as f64);
            if found.to_bits() == value.abs().to_bits() {
                let numerator = i64::try_from(numerator).ok()?;
                return Some((if value < 0.0 { -numerator } else { numerator }, denominator));
            }
        }
        None
    }
}

/// A positive number as a fraction, unless its size is far from one.
fn halves(number: f64) -> Option<(u64, u64)> {
    let bits = number.to_bits();
    let (mantissa, exponent) = (bits & ((1 << 52) - 1) | 1 << 52, (bits >> 52) as i64 - 1075);
    let zeros = i64::from(mantissa.trailing_zeros());
    match exponent + zeros {
        power @ 0..=52 if number <= EXACT_MAX => Some(((mantissa >> zeros) << power, 1)),
        power @ -63..0 => Some((mantissa >> zeros, 1 << -power)),
        _ => None,
    }
}

impl Ratios {
    /// `values` as ratios, if all of them are: in the form that has the fewest denominators and then the
    /// smallest numerators.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let forms = [Form::Plain, Form::PercentBefore, Form::PercentAfter];
        let found = forms.into_iter().filter_map(|form| Self::in_form(form, values));
        found.min_by_key(|ratios| {
            let largest = ratios.numerators.iter().map(|numerator| numerator.unsigned_abs()).max();
            (ratios.denominators.len(), largest)
        })
    }

    fn in_form(form: Form, values: &[f64]) -> Option<Self> {
        let probes = values.iter().step_by(values.len().div_ceil(PROBES).max(1));
        form.fractions(probes)?;
        let fractions = form.fractions(values.iter())?;
        let denominators = denominators(&fractions, values.len() / VALUES_PER_DENOMINATOR + 1)?;
        let (mut which, mut numerators) = (Vec::new(), Vec::with_capacity(values.len()));
        for (value, (numerator, denominator)) in values.iter().zip(&fractions) {
            let fits = |common: &u64| {
                let scaled = numerator.checked_mul(i64::try_from(common / denominator).ok()?)?;
                let is_exact = (scaled.unsigned_abs() as f64) < EXACT_MAX;
                let found = form.value(scaled as f64, *common as f64);
                (common.is_multiple_of(*denominator) && is_exact && found.to_bits() == value.to_bits())
                    .then_some(scaled)
            };
            let (number, scaled) = denominators
                .iter()
                .enumerate()
                .find_map(|(number, common)| Some((u16::try_from(number).ok()?, fits(common)?)))?;
            which.push(number);
            numerators.push(scaled);
        }
        let unit =
            numerators.iter().fold(0, |unit, numerator| greatest_common(unit, numerator.unsigned_abs()));
        let unit = unit.max(1);
        numerators.iter_mut().for_each(|numerator| *numerator /= unit as i64);
        if denominators.len() == 1 {
            which.clear();
        }
        Some(Self { form, unit, denominators, which, numerators })
    }

    /// What [`Self::of`] was given.
    pub(super) fn restore(&self) -> Result<Vec<f64>, Damaged> {
        let denominators: Vec<f64> =
            self.denominators.iter().map(|denominator| *denominator as f64).collect();
        let unit = i64::try_from(self.unit).map_err(|_| Damaged("ratios have a unit that is too large"))?;
        let unknown = Damaged("a ratio has no denominator");
        let first = denominators.first().ok_or(unknown)?;
        let value = |numerator: &i64, denominator: f64| {
            self.form.value(numerator.wrapping_mul(unit) as f64, denominator)
        };
        if self.which.is_empty() {
            return Ok(self.numerators.iter().map(|numerator| value(numerator, *first)).collect());
        }
        let pairs = self.numerators.iter().zip(&self.which);
        pairs
            .map(|(numerator, which)| {
                Ok(value(numerator, *denominators.get(usize::from(*which)).ok_or(unknown)?))
            })
            .collect()
    }
}

/// Denominators that all fractions can be brought to, the most frequent first; `None` if more are needed than
/// `count_max`.
fn denominators(fractions: &[(i64, u64)], count_max: usize) -> Option<Vec<u64>> {
    let mut reduced: Vec<u64> = fractions.iter().map(|(_, denominator)| *denominator).collect();
    reduced.sort_unstable();
    let frequencies = reduced.chunk_by(|a, b| a == b).rev();
    let frequencies: Vec<(u64, usize)> = frequencies.map(|equal| (equal[0], equal.len())).collect();
    // One total for all: every reduced denominator divides it.
    let largest = frequencies.first().map_or(1, |(denominator, _)| *denominator);
    let total = frequencies.iter().try_fold(1_u64, |total, (denominator, _)| {
        let total = (total / greatest_common(total, *denominator)).checked_mul(*denominator)?;
        Some(total).filter(|total| total / largest <= TOTAL_FACTOR_MAX)
    });
    if let Some(total) = total {
        return Some(vec![total]);
    }
    // Several: each fraction goes to the largest that it can be brought to.
    let mut kept: Vec<(u64, usize)> = Vec::new();
    for (denominator, count) in frequencies {
        if let Some((_, frequency)) = kept.iter_mut().find(|(kept, _)| kept.is_multiple_of(denominator)) {
            *frequency += count;
        } else if kept.len() < count_max {
            kept.push((denominator, count));
        } else {
            return None;
        }
    }
    kept.sort_by_key(|(_, frequency)| std::cmp::Reverse(*frequency));
    Some(kept.into_iter().map(|(denominator, _)| denominator).collect())
}

fn greatest_common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

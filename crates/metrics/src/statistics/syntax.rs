//! The text of a statistic: `Average`, `p99.9`, `tm95`, `TM(10%:90%)`, `PR(:300)`, `IQM` …

use std::fmt;
use std::str::FromStr;

/// The longest text that is looked at, in bytes; the longest that AWS's pattern makes sense of is about 50.
const TEXT_LENGTH_MAX: usize = 100;
/// The most digits after a decimal point.
const DECIMALS_MAX: usize = 10;

/// A statistic, parsed. Case matters to AWS, so it does here.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "AWS's names say it all")]
pub enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// `pN`, N from 0 to 100.
    Percentile(f64),
    /// TM, TC, TS, WM and PR with their bounds; `tmN` and its like are `TM(:N%)`, and IQM is `TM(25%:75%)`.
    Bounded(Measure, Bounds),
}

/// What is taken of the samples within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// TM: their mean.
    TrimmedMean,
    /// TC: their number.
    TrimmedCount,
    /// TS: their sum.
    TrimmedSum,
    /// WM: the mean of all samples, with those outside moved to the nearer bound.
    WinsorizedMean,
    /// PR: which percentage of all samples they are.
    PercentileRank,
}

/// Which samples count. An absent bound is open; never are both absent, nor is `low` above `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// Between two percentiles, each from 0 to 100.
    Percent {
        /// The lower percentile.
        low: Option<f64>,
        /// The upper percentile.
        high: Option<f64>,
    },
    /// Values above `low`, up to and including `high`.
    Absolute {
        /// Exclusive.
        low: Option<f64>,
        /// Inclusive.
        high: Option<f64>,
    },
}

/// A text that is no statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a statistic")]
pub struct InvalidStatistic;

impl Statistic {
    /// The five that `Statistics` of GetMetricStatistics and `Statistic` of an alarm can name.
    pub const SIMPLE: [Self; 5] = [Self::SampleCount, Self::Average, Self::Sum, Self::Minimum, Self::Maximum];

    /// One of the five simple statistics.
    pub fn parse_simple(text: &str) -> Option<Self> {
        match text {
            "SampleCount" => Some(Self::SampleCount),
            "Average" => Some(Self::Average),
            "Sum" => Some(Self::Sum),
            "Minimum" => Some(Self::Minimum),
            "Maximum" => Some(Self::Maximum),
            _ => None,
        }
    }

    /// Whether it is none of the five simple ones: it then needs single values.
    pub fn is_extended(&self) -> bool {
        matches!(self, Self::Percentile(_) | Self::Bounded(..))
    }
}

impl FromStr for Statistic {
    type Err = InvalidStatistic;

    fn from_str(text: &str) -> Result<Self, InvalidStatistic> {
        if text.len() > TEXT_LENGTH_MAX || !text.is_ascii() {
            return Err(InvalidStatistic);
        }
        if let Some(simple) = Self::parse_simple(text) {
            return Ok(simple);
        }
        if text == "IQM" {
            let quartiles = Bounds::Percent { low: Some(25.0), high: Some(75.0) };
            return Ok(Self::Bounded(Measure::TrimmedMean, quartiles));
        }
        if let Some(inner) = text.strip_suffix(')') {
            let (name, bounds) = inner.split_once('(').ok_or(InvalidStatistic)?;
            return parse_bounded(name, bounds).ok_or(InvalidStatistic);
        }
        parse_lower_case(text).ok_or(InvalidStatistic)
    }
}

/// `p90`, and `tm90` as the short form of `TM(:90%)`.
fn parse_lower_case(text: &str) -> Option<Statistic> {
    let digits_at = text.find(|c: char| c.is_ascii_digit())?;
    let (name, number) = text.split_at(digits_at);
    // In the short forms AWS's pattern admits `100` but not `100.0`.
    let percent = parse_percent(number).filter(|percent| *percent < 100.0 || number == "100")?;
    if name == "p" {
        return Some(Statistic::Percentile(percent));
    }
    let measure = match name {
        "tm" => Measure::TrimmedMean,
        "tc" => Measure::TrimmedCount,
        "ts" => Measure::TrimmedSum,
        "wm" => Measure::WinsorizedMean,
        _ => return None,
    };
    Some(Statistic::Bounded(measure, Bounds::Percent { low: None, high: Some(percent) }))
}

fn parse_bounded(name: &str, bounds: &str) -> Option<Statistic> {
    let measure = match name {
        "TM" => Measure::TrimmedMean,
        "TC" => Measure::TrimmedCount,
        "TS" => Measure::TrimmedSum,
        "WM" => Measure::WinsorizedMean,
        "PR" => Measure::PercentileRank,
        _ => return None,
    };
    let (low, high) = bounds.split_once(':')?;
    let in_percent = |bound: &str| bound.is_empty() || bound.ends_with('%');
    let bounds = if in_percent(low) && in_percent(high) {
        let bound = |text: &str| parse_bound(text, |text| parse_percent(text.strip_suffix('%')?));
        Bounds::Percent { low: bound(low)?, high: bound(high)? }
    } else {
        Bounds::Absolute { low: parse_bound(low, parse_absolute)?, high: parse_bound(high, parse_absolute)? }
    };
    let (low, high) = match bounds {
        Bounds::Percent { .. } if measure == Measure::PercentileRank => return None,
        Bounds::Percent { low, high } | Bounds::Absolute { low, high } => (low, high),
    };
    let ordered = match (low, high) {
        (None, None) => false,
        (Some(low), Some(high)) => low <= high,
        _ => true,
    };
    ordered.then_some(Statistic::Bounded(measure, bounds))
}

/// An open bound, or what `parse` makes of it; `None` for a text that is neither.
fn parse_bound(text: &str, parse: impl Fn(&str) -> Option<f64>) -> Option<Option<f64>> {
    if text.is_empty() { Some(None) } else { parse(text).map(Some) }
}

/// 0 to 100: two digits and up to ten decimals, or 100.
fn parse_percent(text: &str) -> Option<f64> {
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    let number = parse_decimal(text)?;
    let in_range = whole.len() <= 2 || (whole == "100" && number == 100.0);
    in_range.then_some(number)
}

/// A number without a sign: digits, up to ten decimals, perhaps an exponent.
fn parse_absolute(text: &str) -> Option<f64> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return parse_decimal(text) };
    parse_decimal(mantissa)?;
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let well_formed =
        !exponent_digits.is_empty() && exponent_digits.bytes().all(|byte| byte.is_ascii_digit());
    if !well_formed {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn parse_decimal(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > DECIMALS_MAX {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleCount => f.write_str("SampleCount"),
            Self::Average => f.write_str("Average"),
            Self::Sum => f.write_str("Sum"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Maximum => f.write_str("Maximum"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
            Self::Bounded(measure, bounds) => write!(f, "{measure}({bounds})"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TrimmedMean => "TM",
            Self::TrimmedCount => "TC",
            Self::TrimmedSum => "TS",
            Self::WinsorizedMean => "WM",
            Self::PercentileRank => "PR",
        })
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high, sign) = match self {
            Self::Percent { low, high } => (low, high, "%"),
            Self::Absolute { low, high } => (low, high, ""),
        };
        if let Some(low) = low {
            write!(f, "{low}{sign}")?;
        }
        f.write_str(":")?;
        if let Some(high) = high {
            write!(f, "{high}{sign}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, canonical: &str) {
        let parsed = text.parse::<Statistic>().map(|statistic| statistic.to_string());
        assert_eq!(parsed.as_deref(), Ok(canonical), "{text}");
    }

    fn refuse(text: &str) {
        assert_eq!(text.parse::<Statistic>(), Err(InvalidStatistic), "{text}");
    }

    #[test]
    fn every_documented_form_is_read() {
        for simple in ["SampleCount", "Average", "Sum", "Minimum", "Maximum"] {
            check(simple, simple);
        }
        check("p0", "p0");
        check("p99.9", "p99.9");
        check("p5.", "p5");
        check("p99.9999999999", "p99.9999999999");
        check("p100", "p100");
        check("IQM", "TM(25%:75%)");
        check("tm90", "TM(:90%)");
        check("tc99.9", "TC(:99.9%)");
        check("ts0", "TS(:0%)");
        check("wm100", "WM(:100%)");
        check("TM(10%:90%)", "TM(10%:90%)");
        check("TM(10%:)", "TM(10%:)");
        check("TC(:0.005)", "TC(:0.005)");
        check("TS(80:)", "TS(80:)");
        check("WM(5%:100.0%)", "WM(5%:100%)");
        check("PR(:300)", "PR(:300)");
        check("PR(100:2000)", "PR(100:2000)");
        check("PR(1e3:2.5E+3)", "PR(1000:2500)");
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for text in [
            "",
            "average",
            "AVG",
            "p",
            "p101",
            "p100.0",
            "p-1",
            "P90",
            "p9 ",
            "p90%",
            "p1e1",
            "p123",
            "p1.00000000001",
        ] {
            refuse(text);
        }
        for text in ["tm", "TM90", "tm(10%:90%)", "iqm", "wm101", "pr(1:2)", "pr5", "xx5"] {
            refuse(text);
        }
        for text in [
            "TM()",
            "TM(:)",
            "TM(10%:90)",
            "TM(10:90%)",
            "PR(10%:90%)",
            "TM(10%:90%",
            "TM(-1:5)",
            "TM(a:b)",
            "TM(1:2:3)",
        ] {
            refuse(text);
        }
        for text in [
            "TM(90%:10%)",
            "PR(5:4)",
            "TM(101%:)",
            "PR(1e999:)",
            "PR(1e:)",
            "PR(.5:)",
            "PR(inf:)",
            "PR(NaN:)",
            "TM(%:5%)",
        ] {
            refuse(text);
        }
        refuse(&"p".repeat(200));
    }

    proptest! {
        #[test]
        fn a_printed_statistic_reads_the_same(name in "TM|TC|TS|WM|PR", low in proptest::option::of(0u32..500), high in 500u32..1000) {
            let low = low.map(|low| (f64::from(low) / 10.0).to_string()).unwrap_or_default();
            let text = format!("{name}({low}:{})", f64::from(high) / 8.0);
            let parsed: Statistic = text.parse().expect("well-formed");
            prop_assert_eq!(parsed.to_string().parse::<Statistic>(), Ok(parsed));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[A-Za-z0-9.%:()+-]{0,40}|\\PC{0,20}") {
            let _ = text.parse::<Statistic>();
        }
    }
}

//! Labels with dynamic parts: `${MAX}`, `${PROP('Dim.InstanceId')}` and the others of AWS's guide "Use
//! dynamic labels".
//!
//! What the guide leaves open (unverified): numbers are written as short as they are exact; moments as
//! `2026-01-02 03:04:05 UTC`, with `LabelOptions.Timezone` its offset in the place of `UTC`; spans of time as
//! `1d 2h 3m 4s`; and `--` stands where there is nothing to show.

use std::fmt;
use std::str::FromStr;

use groundwatch_core::Timestamp;
use groundwatch_metric_math::{Point, Series};

use super::EvaluationRange;

/// Dynamic parts of one label.
const DYNAMIC_PARTS_MAX: usize = 6;

/// What is shown where there is nothing to show.
const NOTHING: &str = "--";

/// A label as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Dynamic(Variable),
}

/// What `${…}` stands for.
#[derive(Clone, Debug, PartialEq)]
enum Variable {
    /// `LABEL`: the label that there would be otherwise.
    Label,
    /// `AVG`
    Average,
    /// `SUM`
    Sum,
    /// `DATAPOINT_COUNT`
    Count,
    /// `MAX`
    Value(Which),
    /// `MAX_TIME`
    Time(Which),
    /// `MAX_TIME_RELATIVE`: how long ago.
    TimeRelative(Which),
    /// `FIRST_LAST_RANGE`: from the first value to the second.
    Range(Which, Which),
    /// `FIRST_LAST_TIME_RANGE`: between the two moments.
    TimeRange(Which, Which),
    /// `PROP('MetricName')`
    Property(Property),
}

/// One of a series' points. Of several least or greatest the earliest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    First,
    Last,
    Least,
    Greatest,
}

/// What a series was read from.
#[derive(Clone, Debug, PartialEq)]
enum Property {
    AccountId,
    /// Accounts have no names here, so their ids stand for them, as they do in AWS for an account without
    /// one.
    AccountLabel,
    Dimension(String),
    MetricName,
    Namespace,
    Period,
    Region,
    Statistic,
}

/// Why a label is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelProblem {
    /// `${` without `}`.
    #[error("'${{' has no end at character {0}")]
    Unclosed(usize),
    /// No dynamic value of that name.
    #[error("unknown dynamic value '${{{name}}}' at character {position}")]
    Unknown {
        /// What stands in the braces.
        name: String,
        /// Where the `$` is, in characters from 1.
        position: usize,
    },
    /// Too many of them.
    #[error("a label can have at most {DYNAMIC_PARTS_MAX} dynamic values")]
    TooMany,
    /// `${LABEL}` twice.
    #[error("a label can have '${{LABEL}}' only once")]
    LabelTwice,
}

impl Label {
    /// Reads a label.
    pub(super) fn parse(text: &str) -> Result<Self, LabelProblem> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, dynamic)) = rest.split_once("${") {
            let position = text[..text.len() - dynamic.len() - 2].chars().count() + 1;
            let (name, behind) = dynamic.split_once('}').ok_or(LabelProblem::Unclosed(position))?;
            let variable = Variable::parse(name)
                .ok_or_else(|| LabelProblem::Unknown { name: name.to_owned(), position })?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Dynamic(variable));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let dynamic = || parts.iter().filter(|part| matches!(part, Part::Dynamic(_)));
        if dynamic().count() > DYNAMIC_PARTS_MAX {
            return Err(LabelProblem::TooMany);
        }
        if dynamic().filter(|part| **part == Part::Dynamic(Variable::Label)).count() > 1 {
            return Err(LabelProblem::LabelTwice);
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says the same of every series.
    pub(super) fn is_static(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The label of `series`, which would be called `default` otherwise.
    pub(super) fn render(&self, series: &Series, default: &str, range: &EvaluationRange) -> String {
        let mut label = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => label.push_str(text),
                Part::Dynamic(variable) => {
                    let shown = variable.show(series, default, range);
                    label.push_str(shown.as_deref().unwrap_or(NOTHING));
                }
            }
        }
        label
    }
}

impl Variable {
    /// The one of that name. Case matters.
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "LABEL" => Self::Label,
            "AVG" => Self::Average,
            "SUM" => Self::Sum,
            "DATAPOINT_COUNT" => Self::Count,
            "FIRST_LAST_RANGE" => Self::Range(Which::First, Which::Last),
            "MIN_MAX_RANGE" => Self::Range(Which::Least, Which::Greatest),
            "FIRST_LAST_TIME_RANGE" => Self::TimeRange(Which::First, Which::Last),
            "MIN_MAX_TIME_RANGE" => Self::TimeRange(Which::Least, Which::Greatest),
            _ => {
                if let Some(property) = name.strip_prefix("PROP('").and_then(|rest| rest.strip_suffix("')")) {
                    Self::Property(Property::parse(property)?)
                } else if let Some(which) = name.strip_suffix("_TIME_RELATIVE") {
                    Self::TimeRelative(Which::parse(which)?)
                } else if let Some(which) = name.strip_suffix("_TIME") {
                    Self::Time(Which::parse(which)?)
                } else {
                    Self::Value(Which::parse(name)?)
                }
            }
        })
    }

    /// What it shows of a series; `None` if there is nothing.
    fn show(&self, series: &Series, default: &str, range: &EvaluationRange) -> Option<String> {
        let points = series.points();
        let sum = || points.iter().map(|point| point.value).sum::<f64>();
        let some = !points.is_empty();
        match self {
            Self::Label => Some(default.to_owned()),
            Self::Average => some.then(|| (sum() / points.len() as f64).to_string()),
            Self::Sum => some.then(|| sum().to_string()),
            Self::Count => Some(points.len().to_string()),
            Self::Value(which) => Some(which.of(points)?.value.to_string()),
            Self::Time(which) => Some(range.utc_offset.show(which.of(points)?.timestamp_secs)),
            Self::TimeRelative(which) => {
                let secs = range.now.as_secs().abs_diff(which.of(points)?.timestamp_secs);
                Some(show_span(secs))
            }
            Self::Range(from, to) => Some((to.of(points)?.value - from.of(points)?.value).to_string()),
            Self::TimeRange(from, to) => {
                let secs = from.of(points)?.timestamp_secs.abs_diff(to.of(points)?.timestamp_secs);
                Some(show_span(secs))
            }
            Self::Property(property) => property.show(series),
        }
    }
}

impl Which {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "FIRST" => Self::First,
            "LAST" => Self::Last,
            "MIN" => Self::Least,
            "MAX" => Self::Greatest,
            _ => return None,
        })
    }

    fn of(self, points: &[Point]) -> Option<&Point> {
        match self {
            Self::First => points.first(),
            Self::Last => points.last(),
            Self::Least => points.iter().min_by(|a, b| a.value.total_cmp(&b.value)),
            // `max_by` answers with the last of equals.
            Self::Greatest => points.iter().rev().max_by(|a, b| a.value.total_cmp(&b.value)),
        }
    }
}

impl Property {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "AccountId" => Self::AccountId,
            "AccountLabel" => Self::AccountLabel,
            "MetricName" => Self::MetricName,
            "Namespace" => Self::Namespace,
            "Period" => Self::Period,
            "Region" => Self::Region,
            "Stat" => Self::Statistic,
            _ => Self::Dimension(name.strip_prefix("Dim.")?.to_owned()),
        })
    }

    fn show(&self, series: &Series) -> Option<String> {
        if *self == Self::Period {
            return Some(series.period_secs().to_string());
        }
        let origin = series.origin()?;
        let shown = match self {
            Self::AccountId | Self::AccountLabel => &origin.account_id,
            Self::Dimension(name) => &origin.dimensions.iter().find(|(known, _)| known == name)?.1,
            Self::MetricName => &origin.metric_name,
            Self::Namespace => &origin.namespace,
            Self::Region => &origin.region,
            Self::Statistic => &origin.stat,
            Self::Period => return None,
        };
        Some(shown.clone())
    }
}

/// `LabelOptions.Timezone`: how far a clock is ahead of UTC, written `+0130`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtcOffset {
    minutes: i32,
}

/// A text that is not a sign and four digits of hours and minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an offset from UTC such as +0130")]
pub struct InvalidUtcOffset;

impl FromStr for UtcOffset {
    type Err = InvalidUtcOffset;

    fn from_str(text: &str) -> Result<Self, InvalidUtcOffset> {
        let (sign, digits) = match text.as_bytes() {
            [b'+', digits @ ..] => (1, digits),
            [b'-', digits @ ..] => (-1, digits),
            _ => return Err(InvalidUtcOffset),
        };
        if digits.len() != 4 || !digits.iter().all(u8::is_ascii_digit) {
            return Err(InvalidUtcOffset);
        }
        let number = |tens: u8, ones: u8| i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
        let (hours, minutes) = (number(digits[0], digits[1]), number(digits[2], digits[3]));
        if hours > 23 || minutes > 59 {
            return Err(InvalidUtcOffset);
        }
        Ok(Self { minutes: sign * (hours * 60 + minutes) })
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.unsigned_abs();
        write!(f, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
    }
}

impl UtcOffset {
    /// A moment as this clock shows it.
    fn show(self, timestamp_secs: i64) -> String {
        let local = Timestamp::from_secs(timestamp_secs.saturating_add(i64::from(self.minutes) * 60));
        let local = local.strftime("%Y-%m-%d %H:%M:%S");
        if self.minutes == 0 { format!("{local} UTC") } else { format!("{local} {self}") }
    }
}

/// `1d 2h 3m 4s`, without what is zero.
fn show_span(secs: u64) -> String {
    let units = [(secs / 86_400, 'd'), (secs / 3600 % 24, 'h'), (secs / 60 % 60, 'm'), (secs % 60, 's')];
    let shown =
        units.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}"));
    let shown = shown.collect::<Vec<_>>().join(" ");
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

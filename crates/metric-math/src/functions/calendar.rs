//! MINUTE HOUR DAY DATE MONTH YEAR EPOCH: what a clock and a calendar say, in UTC, at each period of the
//! range.

use jiff::civil::Date;

use super::{Body, Call, Function, Parameter, Signature};
use crate::error::Problem;
use crate::series::Point;
use crate::value::{Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    calendar("MINUTE", |at| (at.second_of_day() % 3600 / 60) as f64),
    calendar("HOUR", |at| (at.second_of_day() / 3600) as f64),
    // Monday is 1, Sunday is 7.
    calendar("DAY", |at| f64::from(at.date.weekday().to_monday_one_offset())),
    calendar("DATE", |at| f64::from(at.date.day())),
    calendar("MONTH", |at| f64::from(at.date.month())),
    calendar("YEAR", |at| f64::from(at.date.year())),
    calendar("EPOCH", |at| at.secs as f64),
];

/// A moment and the day that it lies on, in UTC.
pub(crate) struct Moment {
    secs: i64,
    date: Date,
}

const DAY_SECS: i64 = 86_400;

impl Moment {
    fn second_of_day(&self) -> i64 {
        self.secs.rem_euclid(DAY_SECS)
    }
}

const fn calendar(name: &'static str, number: fn(&Moment) -> f64) -> Function {
    Function {
        name,
        signatures: &[Signature { required: &[Parameter::Series], optional: &[], result: Type::Series }],
        body: Body::Calendar(number),
    }
}

/// Takes the period of the series, and nothing else of it: there is a point whether the series has one or
/// not.
pub(super) fn run(
    number: fn(&Moment) -> f64,
    call: &Call<'_>,
    arguments: &[Value],
) -> Result<Value, Problem> {
    match arguments {
        [Value::Series(series)] => {
            let grid = call.environment.range().grid(series.period_secs())?;
            let mut day = Day::default();
            let points: Vec<Point> = grid
                .filter_map(|secs| {
                    let date = day.date_of(secs)?;
                    Some(Point { timestamp_secs: secs, value: number(&Moment { secs, date }) })
                })
                .collect();
            call.work.charge(points.len())?;
            Ok(Value::Series(series.derived(series.period_secs(), points)))
        }
        other => Err(call.misfit(other)),
    }
}

/// The date of moments one after the other: worked out once a day rather than once a moment.
#[derive(Default)]
struct Day {
    known: Option<(i64, Date)>,
}

impl Day {
    /// `None` beyond the years −9999 to 9999.
    fn date_of(&mut self, secs: i64) -> Option<Date> {
        let number = secs.div_euclid(DAY_SECS);
        if let Some((known, date)) = self.known
            && known == number
        {
            return Some(date);
        }
        let since_epoch = jiff::Span::new().try_days(number).ok()?;
        let date = Date::constant(1970, 1, 1).checked_add(since_epoch).ok()?;
        self.known = Some((number, date));
        Some(date)
    }
}

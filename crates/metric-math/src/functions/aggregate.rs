//! AVG MIN MAX SUM STDDEV: of a series a number, of an array a series.
//!
//! Over an array, a moment has a point if at least one series has one there. AVG divides by the number of all
//! series, as missing values count as 0 there; the others look at the values that exist. STDDEV is that of a
//! whole population.

use super::{AGGREGATE, Body, Call, Function};
use crate::error::Problem;
use crate::periods;
use crate::points::{fold_rows, moments};
use crate::series::{Point, Series};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    aggregate("AVG", Statistic::Average),
    aggregate("MIN", Statistic::Minimum),
    aggregate("MAX", Statistic::Maximum),
    aggregate("SUM", Statistic::Sum),
    aggregate("STDDEV", Statistic::Deviation),
    aggregate("DATAPOINT_COUNT", Statistic::Count),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statistic {
    Average,
    Minimum,
    Maximum,
    Sum,
    Deviation,
    Count,
}

const fn aggregate(name: &'static str, statistic: Statistic) -> Function {
    Function { name, signatures: AGGREGATE, body: Body::Aggregate(statistic) }
}

pub(super) fn run(statistic: Statistic, call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    match arguments {
        [Value::Series(series)] => Ok(Value::scalar(statistic.of_points(series.points()))),
        [Value::Array(array)] => across(statistic, call, array).map(Value::Series),
        other => Err(call.misfit(other)),
    }
}

/// Moment by moment across the series of an array.
fn across(statistic: Statistic, call: &Call<'_>, array: &[Series]) -> Result<Series, Problem> {
    let Some(period_secs) = periods::common(array.iter().map(Series::period_secs))? else {
        return Ok(call.empty_series());
    };
    let range = call.environment.range();
    let grids: Vec<_> = array.iter().map(|series| periods::on_grid(series, period_secs, range)).collect();
    let rows: Vec<&[Point]> = grids.iter().map(AsRef::as_ref).collect();
    let moments = moments(&rows);
    let values = statistic.of_rows(&moments, &rows);
    let points = moments.iter().zip(values).map(|(at, value)| Point { timestamp_secs: *at, value }).collect();
    Ok(Series::computed(period_secs, points))
}

impl Statistic {
    /// One number of a series; NaN if there is none, as for the average of no points.
    pub(super) fn of_points(self, points: &[Point]) -> f64 {
        let values = || points.iter().map(|point| point.value);
        let count = points.len() as f64;
        match self {
            Self::Average => values().sum::<f64>() / count,
            Self::Minimum => values().fold(f64::INFINITY, f64::min),
            Self::Maximum => values().fold(f64::NEG_INFINITY, f64::max),
            Self::Sum => values().sum(),
            Self::Count => count,
            Self::Deviation => {
                let mean = values().sum::<f64>() / count;
                (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
            }
        }
    }

    /// One number a moment.
    fn of_rows(self, moments: &[i64], rows: &[&[Point]]) -> Vec<f64> {
        let sums = || fold_rows(moments, rows, 0.0, |_, sum, value| sum + value);
        let counts = || fold_rows(moments, rows, 0.0, |_, count, _| count + 1.0);
        let divided = |sums: Vec<f64>, counts: &[f64]| -> Vec<f64> {
            sums.iter().zip(counts).map(|(sum, count)| sum / count).collect()
        };
        match self {
            Self::Average => sums().iter().map(|sum| sum / rows.len() as f64).collect(),
            Self::Minimum => fold_rows(moments, rows, f64::INFINITY, |_, least, value| value.min(least)),
            Self::Maximum => fold_rows(moments, rows, f64::NEG_INFINITY, |_, most, value| value.max(most)),
            Self::Sum => sums(),
            Self::Count => counts(),
            Self::Deviation => {
                let counts = counts();
                let means = divided(sums(), &counts);
                let squares =
                    fold_rows(moments, rows, 0.0, |row, sum, value| sum + (value - means[row]).powi(2));
                divided(squares, &counts).into_iter().map(f64::sqrt).collect()
            }
        }
    }
}

//! The functions, a family a file. Each family has a table: name → signatures → what it does.

mod aggregate;
mod arrays;
mod calendar;
mod conditional;
mod counts;
mod external;
mod fill;
mod sources;
mod transform;

use std::fmt;
use std::num::NonZeroU32;

use crate::ast::{Expr, Node};
use crate::environment::{Environment, ExternalData, ExternalRequest};
use crate::error::Problem;
use crate::series::{Point, Series};
use crate::value::{Type, Value};
use crate::work::Work;

pub(crate) use sources::METRICS;

/// One function of the language.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// What it takes; the first that fits counts.
    pub(crate) signatures: &'static [Signature],
    pub(crate) body: Body,
}

/// What a function does.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// The same for each series by itself.
    EachSeries(fn(&[Point]) -> Vec<Point>),
    /// One number of a series, or of the values that the series of an array have at one moment.
    Aggregate(aggregate::Statistic),
    /// A number for each period of the range, whether there is a point or not.
    Calendar(fn(&calendar::Moment) -> f64),
    /// Anything else. The arguments fit a signature.
    General(fn(&Call<'_>, &[Value]) -> Result<Value, Problem>),
    /// Data that the caller reads: says which, and what is made of them.
    External {
        request: fn(&[Expr]) -> Result<ExternalRequest, Problem>,
        take: fn(&Call<'_>, Vec<Series>, &[Value]) -> Value,
    },
    /// Known to AWS, and not supported.
    Refused,
}

/// Arguments that a function takes, and what it makes of them.
pub(crate) struct Signature {
    pub(crate) required: &'static [Parameter],
    pub(crate) optional: &'static [Parameter],
    pub(crate) result: Type,
}

/// What an argument may be.
#[derive(Clone, Copy)]
pub(crate) enum Parameter {
    Scalar,
    Series,
    Array,
    /// A scalar or a series.
    Number,
    /// The id of a metric.
    Metric,
    /// A text in quotes.
    Text,
    /// A number as such, since the caller must know it beforehand.
    Literal,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The circumstances of one call.
pub(crate) struct Call<'a> {
    pub(crate) function: &'static str,
    pub(crate) environment: &'a dyn Environment,
    pub(crate) work: &'a Work,
    /// What it needs from outside, if it is that kind of function.
    pub(crate) need: Option<&'a ExternalData>,
    /// The period of a series that comes from no other.
    pub(crate) own_period_secs: &'a dyn Fn(&'static str) -> Result<NonZeroU32, Problem>,
}

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FAMILIES.iter().copied().flatten().find(|function| function.name == name)
}

const FAMILIES: &[&[Function]] = &[
    aggregate::FUNCTIONS,
    arrays::FUNCTIONS,
    calendar::FUNCTIONS,
    conditional::FUNCTIONS,
    counts::FUNCTIONS,
    external::FUNCTIONS,
    fill::FUNCTIONS,
    sources::FUNCTIONS,
    transform::FUNCTIONS,
];

impl Function {
    /// Runs it on arguments that fit one of its signatures.
    pub(crate) fn run(&self, call: &Call<'_>, arguments: &[Value]) -> Result<Value, Problem> {
        call.work.charge(arguments.iter().map(Value::points).sum())?;
        match self.body {
            Body::EachSeries(change) => transform::run(change, call, arguments),
            Body::Aggregate(statistic) => aggregate::run(statistic, call, arguments),
            Body::Calendar(number) => calendar::run(number, call, arguments),
            Body::General(run) => run(call, arguments),
            Body::External { take, .. } => {
                let series = call.need.and_then(|need| call.environment.external(need));
                let series = series.ok_or(Problem::NoExternalData(self.name))?;
                let value = take(call, series, arguments);
                call.work.charge(value.points())?;
                Ok(value)
            }
            Body::Refused => Err(Problem::UnsupportedFunction(self.name.to_owned())),
        }
    }

    /// `FILL(TimeSeries, Number) or FILL(…)`, as it is told to who got it wrong.
    pub(crate) fn usage(&self) -> String {
        let usages: Vec<String> =
            self.signatures.iter().map(|signature| format!("{}({signature})", self.name)).collect();
        usages.join(" or ")
    }
}

impl Call<'_> {
    /// A series of nothing: what is left of an array without series. It has a period, in case that it is
    /// filled.
    pub(crate) fn empty_series(&self) -> Series {
        let period_secs = (self.own_period_secs)(self.function).unwrap_or(NonZeroU32::MIN);
        Series::computed(period_secs, Vec::new())
    }

    /// Arguments that fit no signature. The check has excluded it, unless the environment's values are of
    /// other types than it was told.
    pub(crate) fn misfit(&self, arguments: &[Value]) -> Problem {
        let given: Vec<String> = arguments.iter().map(|value| value.value_type().to_string()).collect();
        let usage = find(self.function).map(Function::usage).unwrap_or_default();
        Problem::Arguments { function: self.function, given: given.join(", "), usage }
    }
}

impl Signature {
    /// Whether it takes arguments of these forms and types. A word has no type; `is_metric` knows ids of
    /// metrics.
    pub(crate) fn fits(&self, arguments: &[(&Expr, Option<Type>)], is_metric: impl Fn(&str) -> bool) -> bool {
        let parameters = self.required.iter().chain(self.optional);
        (self.required.len()..=self.required.len() + self.optional.len()).contains(&arguments.len())
            && parameters.zip(arguments).all(|(parameter, (expr, found))| match (parameter, &expr.node) {
                (Parameter::Scalar, _) => *found == Some(Type::Scalar),
                (Parameter::Series, _) => *found == Some(Type::Series),
                (Parameter::Array, _) => *found == Some(Type::Array),
                (Parameter::Number, _) => matches!(found, Some(Type::Scalar | Type::Series)),
                (Parameter::Metric, Node::Id(id)) => is_metric(id),
                (Parameter::Text, Node::Text { .. }) | (Parameter::Literal, Node::Number(_)) => true,
                (Parameter::Word(words), Node::Word(word)) => words.contains(&word.as_str()),
                _ => false,
            })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, parameter) in self.required.iter().enumerate() {
            write!(f, "{}{parameter}", if index == 0 { "" } else { ", " })?;
        }
        for (index, parameter) in self.optional.iter().enumerate() {
            write!(f, "[{}{parameter}]", if index + self.required.len() == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar => f.write_str("Scalar"),
            Self::Series => f.write_str("TimeSeries"),
            Self::Array => f.write_str("TimeSeries[]"),
            Self::Number => f.write_str("Scalar|TimeSeries"),
            Self::Metric => f.write_str("id of a metric"),
            Self::Text => f.write_str("'text'"),
            Self::Literal => f.write_str("number"),
            Self::Word(words) => f.write_str(&words.join("|")),
        }
    }
}

/// One series in, one series out; or an array in, an array out.
const EACH_SERIES: &[Signature] = &[
    Signature { required: &[Parameter::Series], optional: &[], result: Type::Series },
    Signature { required: &[Parameter::Array], optional: &[], result: Type::Array },
];

/// One series to a number; or an array to a series.
const AGGREGATE: &[Signature] = &[
    Signature { required: &[Parameter::Series], optional: &[], result: Type::Scalar },
    Signature { required: &[Parameter::Array], optional: &[], result: Type::Series },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The function table of AWS's user guide, 2026.
    #[test]
    fn every_function_of_aws_is_there_once() {
        let guide = "ABS ANOMALY_DETECTION_BAND AVG CEIL DATAPOINT_COUNT DATE DAY DB_PERF_INSIGHTS DIFF DIFF_TIME EPOCH \
             FILL FIRST FLOOR HOUR IF INSIGHT_RULE_METRIC LAMBDA LAST LOG LOG10 MAX METRICS METRIC_COUNT MIN MINUTE \
             MONTH PERIOD RATE REMOVE_EMPTY RUNNING_SUM SEARCH SERVICE_QUOTA SLICE SORT STDDEV SUM TIME_SERIES YEAR";
        let mut names: Vec<&str> = FAMILIES.iter().copied().flatten().map(|function| function.name).collect();
        names.sort_unstable();
        assert_eq!(names, guide.split_whitespace().collect::<Vec<_>>());
    }
}

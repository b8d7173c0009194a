//! Every case of `tests/golden/*.math` and every example of `reference.md`: an expression, its inputs, what
//! it is worth.
//!
//! ```text
//! # A note. A blank line forgets all inputs and settings.
//! start 2024-01-01T00:00:00Z      the first moment; this one, a Monday, if not given
//! range 5                         minutes; as long as the longest input if not given
//! period 300                      the entry's Period
//! m1: 1 2 -                       a metric: a value a minute, `-` for none
//! m2 @300 Sum: 5 6                … with another period, and the statistic that it was read with
//! e1 = m1 + m2                    an expression that others refer to
//! elsewhere a: 1 2 | b: 3 -       what SEARCH and the like answer; `none` if they find nothing
//! m1 + m2 => 6 8 -                a case that yields a series
//! m1 + m2 => @300 6 8             … with this period
//! METRICS() => m1: 1 2 | m2: 5 6  a case that yields an array; `[]` is an empty one
//! 2 => error: message             a case that is refused
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use groundwatch_metric_math::{
    Environment, Expression, ExternalData, Point, RollUp, Series, Symbol, TimeRange, Value,
};

const MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("not 0");

#[test]
fn every_golden_case_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(root.join("tests/golden"))
        .expect("the directory is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    let mut cases = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("it can be read");
        cases += run(&text, &file.display().to_string());
    }
    assert!(cases >= 200, "there are only {cases} cases");
}

#[test]
fn every_example_of_the_reference_holds() {
    let text = include_str!("../reference.md");
    let examples = text.split("```math\n").skip(1).filter_map(|block| block.split("```").next());
    let cases: usize = examples.map(|block| run(block, "reference.md")).sum();
    assert!(cases >= 20, "there are only {cases} examples");
}

/// Runs all cases of a text, and says how many there were.
#[track_caller]
fn run(text: &str, file: &str) -> usize {
    let mut inputs = Inputs::default();
    let (mut cases, mut wrong) = (0, Vec::new());
    for (index, line) in text.lines().enumerate() {
        let place = format!("{file}, line {}: {line}", index + 1);
        if line.is_empty() {
            inputs = Inputs::default();
        } else if let Some((expression, expected)) = line.split_once(" => ") {
            let found = match inputs.evaluate(expression.trim()) {
                Ok(value) => inputs.print(&value),
                Err(error) => format!("error: {error}"),
            };
            if found != inputs.normal(expected.trim()) {
                wrong.push(format!("{place}\n    found {found}"));
            }
            cases += 1;
        } else if !line.starts_with('#') {
            inputs.define(line).unwrap_or_else(|| panic!("not understood: {place}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    cases
}

/// What the lines so far define.
#[derive(Default)]
struct Inputs {
    start_secs: Option<i64>,
    minutes: Option<i64>,
    period_secs: Option<NonZeroU32>,
    metric_ids: Vec<String>,
    values: BTreeMap<String, Value>,
    elsewhere: Option<Vec<Series>>,
}

impl Inputs {
    fn define(&mut self, line: &str) -> Option<()> {
        if let Some(start) = line.strip_prefix("start ") {
            self.start_secs = Some(start.parse::<jiff::Timestamp>().ok()?.as_second());
        } else if let Some(minutes) = line.strip_prefix("range ") {
            self.minutes = Some(minutes.parse().ok()?);
        } else if let Some(period) = line.strip_prefix("period ") {
            self.period_secs = Some(period.parse().ok()?);
        } else if let Some(series) = line.strip_prefix("elsewhere ") {
            self.elsewhere = Some(if series == "none" { Vec::new() } else { self.array(series)? });
        } else if let Some((id, expression)) = line.split_once(" = ") {
            let value = self.evaluate(expression).expect("an entry that can be evaluated");
            self.values.insert(id.to_owned(), value);
        } else {
            let (head, values) = line.split_once(':')?;
            let mut words = head.split(' ');
            let id = words.next()?.to_owned();
            let (mut period_secs, mut roll_up) = (MINUTE, RollUp::Average);
            for word in words {
                match word.strip_prefix('@') {
                    Some(period) => period_secs = period.parse().ok()?,
                    None => roll_up = RollUp::of_statistic(word),
                }
            }
            let series = self.series(&id, period_secs, values)?.with_roll_up(roll_up);
            self.metric_ids.push(id.clone());
            self.values.insert(id, Value::Series(series));
        }
        Some(())
    }

    fn evaluate(&self, expression: &str) -> Result<Value, String> {
        let evaluate = || {
            let expression = Expression::parse(expression)?;
            let checked = expression.check(|id| self.symbol(id))?;
            checked.require_series()?;
            let value = checked.evaluate(self)?;
            assert_eq!(value.value_type(), checked.result(), "{expression}: checked and found type");
            Ok(value)
        };
        evaluate().map_err(|error: groundwatch_metric_math::MathError| error.to_string())
    }

    fn symbol(&self, id: &str) -> Option<Symbol> {
        if self.metric_ids.iter().any(|metric| metric == id) {
            return Some(Symbol::Metric);
        }
        self.values.get(id).map(|value| Symbol::Expression(value.value_type()))
    }

    fn start(&self) -> i64 {
        self.start_secs.unwrap_or(1_704_067_200)
    }

    /// `label: 1 2 | label: 3 -`
    fn array(&self, text: &str) -> Option<Vec<Series>> {
        text.split(" | ")
            .map(|one| {
                let (label, values) = one.split_once(": ")?;
                self.series(label, MINUTE, values)
            })
            .collect()
    }

    /// `1 2 -`, or `@300 1 2 -` with a period of its own.
    fn series(&self, label: &str, period_secs: NonZeroU32, values: &str) -> Option<Series> {
        let (period_secs, values) = match values.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
            Some((period, values)) => (period.parse().ok()?, values),
            None => (period_secs, values),
        };
        let mut points = Vec::new();
        for (index, value) in values.split_whitespace().enumerate().filter(|(_, value)| *value != "-") {
            let timestamp_secs = self.start() + index as i64 * i64::from(period_secs.get());
            points.push(Point { timestamp_secs, value: value.parse().ok()? });
        }
        Some(Series::new(label, period_secs, points))
    }

    /// What `print` makes of what a case expects, so that `1.50` is `1.5` and a gap at the end does not
    /// matter.
    fn normal(&self, expected: &str) -> String {
        if expected.starts_with("error: ") || expected == "[]" {
            return expected.to_owned();
        }
        if expected.contains(": ") {
            let array = self.array(expected).expect("an array");
            return self.print(&Value::Array(array));
        }
        self.print(&Value::Series(self.series("", MINUTE, expected).expect("values")))
    }

    fn print(&self, value: &Value) -> String {
        match value {
            Value::Series(series) => self.print_series(series),
            Value::Array(array) if array.is_empty() => "[]".to_owned(),
            Value::Array(array) => {
                let each: Vec<String> = array
                    .iter()
                    .map(|series| format!("{}: {}", series.label(), self.print_series(series)))
                    .collect();
                each.join(" | ")
            }
            other => format!("{other:?}"),
        }
    }

    fn print_series(&self, series: &Series) -> String {
        let period_secs = i64::from(series.period_secs().get());
        let mut printed = if series.points().is_empty() { String::new() } else { format!("@{period_secs}") };
        let mut at = self.start();
        for point in series.points() {
            assert!(
                point.timestamp_secs >= at && (point.timestamp_secs - at) % period_secs == 0,
                "{series:?}"
            );
            printed += &" -".repeat(((point.timestamp_secs - at) / period_secs) as usize);
            // Nine significant digits: what was worked out by hand is not longer.
            let rounded: f64 = format!("{:.8e}", point.value).parse().expect("a number");
            printed += &format!(" {}", rounded + 0.0);
            at = point.timestamp_secs + period_secs;
        }
        printed
    }
}

impl Environment for Inputs {
    fn value(&self, id: &str) -> Option<Value> {
        self.values.get(id).cloned()
    }

    fn metric_ids(&self) -> Vec<&str> {
        self.metric_ids.iter().map(String::as_str).collect()
    }

    fn range(&self) -> TimeRange {
        let longest = self
            .values
            .values()
            .flat_map(|value| match value {
                Value::Series(series) => vec![series],
                Value::Array(array) => array.iter().collect(),
                _ => Vec::new(),
            })
            .filter_map(|series| {
                Some(series.points().last()?.timestamp_secs + i64::from(series.period_secs().get()))
            })
            .max();
        let end_secs = match self.minutes {
            Some(minutes) => self.start() + minutes * 60,
            None => longest.unwrap_or(self.start()),
        };
        TimeRange { start_secs: self.start(), end_secs, aligned_at_secs: 0 }
    }

    fn period_secs(&self) -> Option<NonZeroU32> {
        self.period_secs
    }

    fn external(&self, _: &ExternalData) -> Option<Vec<Series>> {
        self.elsewhere.clone()
    }
}

//! How long evaluation takes: `cargo run --release -p groundwatch-metric-math --example metric_math`.

use std::io::Write;
use std::num::NonZeroU32;
use std::time::Instant;

use groundwatch_metric_math::{Environment, Expression, Point, Series, Symbol, TimeRange, Value};

/// 500 metrics of a day in minutes, each with some gaps of its own.
struct Day {
    ids: Vec<String>,
    series: Vec<Series>,
}

const METRICS: usize = 500;
const POINTS: usize = 1440;

impl Day {
    fn new() -> Self {
        let ids = (0..METRICS).map(|index| format!("m{index}")).collect();
        let series = (0..METRICS).map(|index| {
            let points = (0..POINTS as i64)
                .filter(|at| (at * 31 + index as i64) % 97 != 0)
                .map(|at| Point { timestamp_secs: at * 60, value: (at * 7 % 100) as f64 })
                .collect();
            Series::new(format!("metric {index}"), NonZeroU32::new(60).expect("not 0"), points)
        });
        Self { ids, series: series.collect() }
    }
}

impl Environment for Day {
    fn value(&self, id: &str) -> Option<Value> {
        let index: usize = id.strip_prefix('m')?.parse().ok()?;
        self.series.get(index).cloned().map(Value::Series)
    }

    fn metric_ids(&self) -> Vec<&str> {
        self.ids.iter().map(String::as_str).collect()
    }

    fn range(&self) -> TimeRange {
        TimeRange { start_secs: 0, end_secs: POINTS as i64 * 60, aligned_at_secs: 0 }
    }
}

fn main() -> std::io::Result<()> {
    let day = Day::new();
    let mut out = std::io::stdout().lock();
    for text in [
        "m1 / (m1 + m2) * 100",
        "METRICS() * 2",
        "METRICS() / m1",
        "AVG(METRICS())",
        "STDDEV(METRICS())",
        "FILL(METRICS(), 0)",
        "RATE(METRICS())",
        "SORT(METRICS(), AVG, DESC, 10)",
        "IF(HOUR(m1) >= 9, m1, 0)",
    ] {
        let expression = Expression::parse(text).expect("an expression");
        let checked = expression.check(|_| Some(Symbol::Metric)).expect("right types");
        let best = (0..20).map(|_| {
            let begun = Instant::now();
            checked.evaluate(&day).map(|_| begun.elapsed()).expect("a value")
        });
        let best = best.min().expect("some rounds");
        writeln!(out, "{text:<32} {:>8.3} ms", best.as_secs_f64() * 1000.0)?;
    }
    Ok(())
}

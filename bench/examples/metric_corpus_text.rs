//! The corpus of metrics as lines of the Prometheus text format, for other stores:
//! `cargo run --release -p groundwatch-bench --example metric_corpus_text -- SERIES MINUTES START_SECS ms|s`.
//!
//! A line has a name, the dimensions as labels, the value, and its moment in milliseconds (VictoriaMetrics'
//! import) or seconds (OpenMetrics, with its `# EOF`). Minute by minute, as they would be published.

use std::io::{BufWriter, Write as _, stdout};

use anyhow::Context as _;
use groundwatch_bench::corpus::metrics::Fleet;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().with_context(|| format!("{what} is missing"));
    let (series, minutes): (usize, i64) = (next("SERIES")?.parse()?, next("MINUTES")?.parse()?);
    let (start, unit) = (next("START_SECS")?.parse::<i64>()?, next("ms or s")?);
    let in_millis = unit == "ms";
    let mut fleet = Fleet::new(1, series);
    let name = |series: &groundwatch_bench::corpus::metrics::Series| {
        let labels: Vec<String> =
            series.dimensions.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        format!("{}{{{}}}", series.metric_name, labels.join(","))
    };
    let names: Vec<String> = fleet.series().iter().map(name).collect();
    let mut out = BufWriter::with_capacity(1 << 20, stdout().lock());
    for minute in 0..minutes {
        let secs = start + 60 * minute;
        let moment = if in_millis { secs * 1000 } else { secs };
        for (index, name) in names.iter().enumerate() {
            writeln!(out, "{name} {} {moment}", fleet.sample(index))?;
        }
    }
    if !in_millis {
        writeln!(out, "# EOF")?;
    }
    out.flush().context("nobody reads what is written")
}

//! Draws one widget of each kind from invented data, says how long each took, and writes them as PNG files:
//! `cargo run -p groundwatch-dashboards --example gallery -- DIRECTORY`.

use std::path::PathBuf;
use std::time::Instant;

use groundwatch_core::{AccountId, Region, Scope, Timestamp};
use groundwatch_dashboards::image::{Widget, render};
use groundwatch_dashboards::{WidgetQuery, WidgetSeries};

/// Name, widget, and how many series each row yields.
const PICTURES: &[(&str, &str)] = &[
    (
        "lines",
        r##"{"title": "CPU utilization", "metrics": [["AWS/EC2", "CPUUtilization", "InstanceId", "web-1"], ["...", "web-2"],
            ["...", "web-3"]], "yAxis": {"left": {"label": "Percent", "min": 0}},
            "annotations": {"horizontal": [{"label": "Scale out", "value": 80, "fill": "above"}],
            "vertical": [{"label": "Deployment", "value": "2026-03-01T10:20:00Z"}]}}"##,
    ),
    (
        "dark",
        r##"{"title": "Requests and latency", "theme": "dark", "period": 60, "metrics": [["App", "Requests"],
            ["App", "Latency", {"yAxis": "right", "color": "#ffb000"}]], "yAxis": {"left": {"label": "Requests/s"},
            "right": {"label": "ms"}}, "annotations": {"vertical": [[{"label": "Maintenance", "value":
            "2026-03-01T10:00:00Z"}, {"value": "2026-03-01T10:40:00Z"}]]}, "timezone": "+0530"}"##,
    ),
    (
        "stacked",
        r##"{"title": "Bytes by service", "stacked": true, "start": "-P7D", "period": 3600, "legend": {"position": "right"},
            "metrics": [["Net", "Bytes", "Service", "checkout"], ["...", "catalog"], ["...", "search"],
            ["...", "recommendations-for-everyone"], ["...", "auth"]], "width": 900, "height": 360}"##,
    ),
    (
        "many",
        r##"{"title": "Forty hosts over four weeks", "start": "-P28D", "metrics": [["Fleet", "Load", "Host", "host-01"],
            MANY]}"##,
    ),
    (
        "bar",
        r##"{"title": "Queue length", "view": "bar", "metrics": [["Q", "L", "Queue", "orders"], ["...", "mails"], ["...", "reports"]]}"##,
    ),
    (
        "pie",
        r##"{"title": "Traffic by country", "view": "pie", "metrics": [["T", "R", "C", "DE"], ["...", "FR"], ["...", "IT"], ["...", "ES"]], "theme": "dark"}"##,
    ),
    (
        "numbers",
        r##"{"title": "Today", "view": "singleValue", "sparkline": true, "metrics": [["A", "Orders"], ["A", "Visitors"], ["A", "Errors"]], "height": 220}"##,
    ),
    (
        "gauge",
        r##"{"title": "Disk", "view": "gauge", "metrics": [["D", "Used", "Volume", "data"], ["...", "logs"]], "height": 260,
            "yAxis": {"left": {"min": 0, "max": 100}}, "annotations": {"horizontal": [{"value": 80}]}}"##,
    ),
    ("empty", r##"{"metrics": [["No", "Data"]], "width": 400, "height": 200}"##),
    ("small", r##"{"title": "Small", "metrics": [["A", "B"], ["A", "C"]], "width": 160, "height": 100}"##),
    (
        "large",
        r##"{"title": "Large", "metrics": [["A", "B"], MANY], "width": 2000, "height": 2000, "start": "-P28D", "period": 300}"##,
    ),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("which directory?")?);
    std::fs::create_dir_all(&directory)?;
    let scope = Scope { account: AccountId::DEFAULT, region: Region::new("eu-west-1") };
    let now = Timestamp::parse_iso8601("2026-03-01T12:00:00Z")?;
    let many: Vec<_> = (2..=40).map(|host| format!(r#"["...", {{"label": "host-{host:02}"}}]"#)).collect();
    for (name, text) in PICTURES {
        let widget = Widget::parse(&text.replace("MANY", &many.join(",")), &scope, now)?;
        let series: Vec<_> = widget
            .queries()
            .iter()
            .enumerate()
            .map(|(index, query)| invented(&widget, query, index))
            .collect();
        let points: usize = series.iter().map(|series| series.points.len()).sum();
        let begun = Instant::now();
        let image = render(&widget, if *name == "empty" { Vec::new() } else { series })?;
        let took = begun.elapsed();
        let path = directory.join(format!("{name}.png"));
        writeln(&format!("{name:10} {points:8} points {:8} bytes {took:8.1?}", image.len()));
        std::fs::write(path, image)?;
    }
    Ok(())
}

fn writeln(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A daily wave with noise, another for each row; the second row has a gap.
fn invented(widget: &Widget, query: &WidgetQuery, index: usize) -> WidgetSeries {
    let period_ms = i64::from(query.period_secs) * 1000;
    let (from, to) = (widget.from.as_millis(), widget.to.as_millis());
    let moments = (from / period_ms + 1..to / period_ms).map(|number| number * period_ms);
    let value = |at: i64| {
        let day = at as f64 / 86_400_000.0 * std::f64::consts::TAU;
        let noise = (at / period_ms * (index as i64 * 7 + 13)).wrapping_mul(2_654_435_761) % 1000;
        let level = 20.0 + 12.0 * (index % 7) as f64;
        (level + 15.0 * (day + index as f64).sin() + noise as f64 / 100.0).max(0.0)
            * if index % 2 == 1 && widget.queries().len() == 2 { 37.0 } else { 1.0 }
    };
    let is_missing = |at: i64| index == 1 && (0.5..0.6).contains(&((at - from) as f64 / (to - from) as f64));
    let points = moments.filter(|at| !is_missing(*at)).map(|at| (Timestamp::from_millis(at), value(at)));
    let label = query.label.clone().unwrap_or_else(|| match &query.source {
        groundwatch_dashboards::QuerySource::Metric { name, dimensions, .. } => {
            dimensions.last().map_or_else(|| name.clone(), |(_, value)| value.clone())
        }
        groundwatch_dashboards::QuerySource::Expression(text) => text.clone(),
    });
    WidgetSeries { id: query.id.clone(), label, points: points.collect() }
}

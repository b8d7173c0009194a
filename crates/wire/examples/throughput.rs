//! Measures decoding of the busiest requests: `cargo run -p groundwatch-wire --release --example throughput`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use groundwatch_api::cloudwatch::PutMetricData;
use groundwatch_api::cloudwatch::borrowed::{Dimension, MetricDatum, PutMetricDataInput};
use groundwatch_api::logs::PutLogEvents;
use groundwatch_api::{Protocol, WireTimestamp, validate};
use groundwatch_core::Timestamp;
use groundwatch_wire::{cbor, decode, json};

const DATA: usize = 1000;
const BATCH_BYTES: usize = 1 << 20;

fn main() {
    let data = data();
    let documents = [
        ("PutMetricData, 1,000 data, CBOR", Protocol::RpcV2Cbor, cbor::encode(&data).expect("encodes")),
        ("PutMetricData, 1,000 data, JSON", Protocol::Json10, json::encode(&data).expect("encodes")),
    ];
    for (name, protocol, document) in &documents {
        report(name, document.len(), Some(DATA), || {
            let input = decode::<PutMetricData>(*protocol, document).expect("decodes");
            validate::check::<PutMetricData>(&input).expect("is valid");
            black_box(&input);
        });
    }
    let form = form();
    report("PutMetricData, 1,000 data, query", form.len(), Some(DATA), || {
        black_box(decode::<PutMetricData>(Protocol::Query, form.as_bytes()).expect("decodes"));
    });
    for (name, document) in [
        ("PutLogEvents, 1 MiB, plain lines", batch("GET /index.html 200 ", false)),
        (
            "PutLogEvents, 1 MiB, JSON lines (escaped)",
            batch("{\"level\":\"info\",\"path\":\"/index.html\"} ", true),
        ),
    ] {
        report(name, document.len(), None, || {
            let input = decode::<PutLogEvents>(Protocol::Json11, document.as_bytes()).expect("decodes");
            validate::check::<PutLogEvents>(&input).expect("is valid");
            black_box(&input);
        });
    }
}

fn data() -> PutMetricDataInput<'static> {
    let dimension =
        |name: &'static str, value: String| Dimension { name: Some(name.into()), value: Some(value.into()) };
    let datum = |number: usize| MetricDatum {
        metric_name: Some(format!("RequestLatency{}", number % 50).into()),
        dimensions: Some(vec![
            dimension("InstanceId", format!("i-0123456789ab{number:05}")),
            dimension("Service", "checkout".to_owned()),
        ]),
        timestamp: Some(WireTimestamp(Timestamp::from_secs(1_767_322_853 + number as i64))),
        value: Some(number as f64 * 1.37),
        unit: Some("Milliseconds".into()),
        ..MetricDatum::default()
    };
    let metric_data = Some((0..DATA).map(datum).collect());
    PutMetricDataInput {
        namespace: Some("Shop/Frontend".into()),
        metric_data,
        ..PutMetricDataInput::default()
    }
}

fn form() -> String {
    let mut form = "Action=PutMetricData&Version=2010-08-01&Namespace=Shop%2FFrontend".to_owned();
    for number in 1..=DATA {
        let datum = format!("&MetricData.member.{number}.");
        // Writing to a `String` does not fail.
        let _ =
            write!(form, "{datum}MetricName=RequestLatency{datum}Value={number}.37{datum}Unit=Milliseconds");
        let _ = write!(
            form,
            "{datum}Dimensions.member.1.Name=InstanceId{datum}Dimensions.member.1.Value=i-{number:017}"
        );
        let _ = write!(form, "{datum}Timestamp=2026-01-02T03%3A04%3A05Z");
    }
    form
}

/// A batch of log lines of about 200 bytes, as an SDK sends it.
fn batch(line: &str, escape: bool) -> String {
    let line = line.repeat(200 / line.len());
    let line = if escape { line.replace('"', "\\\"") } else { line };
    let mut batch = "{\"logGroupName\":\"/app/web\",\"logStreamName\":\"web-1\",\"logEvents\":[".to_owned();
    let mut number = 0;
    while batch.len() < BATCH_BYTES {
        let comma = if number == 0 { "" } else { "," };
        let timestamp = 1_767_322_853_000_u64 + number;
        let _ = write!(batch, "{comma}{{\"timestamp\":{timestamp},\"message\":\"{number} {line}\"}}");
        number += 1;
    }
    batch + "]}"
}

/// Runs `once` for about a second and tells the best of ten rounds.
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn report(name: &str, bytes: usize, items: Option<usize>, once: impl Fn()) {
    let mut best = Duration::MAX;
    for _ in 0..10 {
        let (start, mut rounds) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(100) {
            once();
            rounds += 1;
        }
        best = best.min(start.elapsed() / rounds);
    }
    let per_item = items
        .map_or_else(String::new, |items| format!(", {:.0} ns each", best.as_nanos() as f64 / items as f64));
    let rate = bytes as f64 / best.as_secs_f64() / 1e9;
    println!("{name}: {bytes} bytes in {:.1} µs, {rate:.2} GB/s{per_item}", best.as_nanos() as f64 / 1e3);
}

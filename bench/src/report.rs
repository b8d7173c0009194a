//! What a load came to, for people and for programs.
//!
//! MB and GB are 10⁶ and 10⁹ bytes. Bytes are those of log messages or, for other work, of bodies without any
//! encoding around them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::load::Measurement;

/// The result of one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Which load, such as `put-log-events`.
    pub load: String,
    /// What it consisted of, in words.
    pub setting: String,
    /// What [`Self::items`] counts: `values`, `events` or `reads`.
    pub item: &'static str,
    /// Seconds in which it was measured.
    pub seconds: f64,
    /// Acknowledged requests in that time.
    pub requests: u64,
    /// Metric values, log events or reads in them.
    pub items: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Millions of bytes a second.
    pub megabytes_per_sec: f64,
    /// Acknowledged requests a second.
    pub requests_per_sec: f64,
    /// Items a second.
    pub items_per_sec: f64,
    /// From the start of sending to the whole answer.
    pub latency_ms: Latency,
    /// How often each error code was answered, warm-up included.
    pub errors: BTreeMap<String, u64>,
    /// What the server used, where it can be seen.
    pub server: Option<ServerUse>,
    /// CPU seconds that this client used.
    pub client_cpu_secs: f64,
    /// What was read back, unless that was not wanted or there was nothing to read back.
    pub checked: Option<Checked>,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the requests took no longer.
    pub p50: f64,
    /// 90 in 100 took no longer.
    pub p90: f64,
    /// 99 in 100 took no longer.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// What the server used while it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ServerUse {
    /// Its process id.
    pub pid: u32,
    /// User and system time.
    pub cpu_secs: f64,
    /// CPU time for each GB; none for reads, which are counted and not weighed.
    pub cpu_secs_per_gb: Option<f64>,
    /// CPU time for each million items.
    pub cpu_secs_per_million: f64,
    /// The most memory that was resident since it started.
    pub resident_mb_peak: f64,
}

/// What reading back came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// What was looked at, in words.
    pub what: String,
    /// Each thing that was not as acknowledged; empty if all was well.
    pub mismatches: Vec<String>,
}

impl Report {
    pub(crate) fn new(
        load: &str,
        setting: String,
        item: &'static str,
        measured: &Measurement,
        server_pid: Option<u32>,
    ) -> Self {
        let seconds = measured.elapsed.as_secs_f64();
        let (bytes, items) = (measured.amount.bytes, measured.amount.items);
        let millis = |micros: u64| micros as f64 / 1000.0;
        let latency = &measured.latency_us;
        let server = measured.server.zip(server_pid).map(|(usage, pid)| ServerUse {
            pid,
            cpu_secs: usage.cpu_secs,
            cpu_secs_per_gb: (bytes > 0).then(|| usage.cpu_secs / bytes as f64 * 1e9),
            cpu_secs_per_million: usage.cpu_secs / items as f64 * 1e6,
            resident_mb_peak: usage.resident_bytes_peak as f64 / 1e6,
        });
        Self {
            load: load.to_owned(),
            setting,
            item,
            seconds,
            requests: measured.requests,
            items,
            bytes,
            megabytes_per_sec: bytes as f64 / seconds / 1e6,
            requests_per_sec: measured.requests as f64 / seconds,
            items_per_sec: items as f64 / seconds,
            latency_ms: Latency {
                p50: millis(latency.value_at_quantile(0.50)),
                p90: millis(latency.value_at_quantile(0.90)),
                p99: millis(latency.value_at_quantile(0.99)),
                max: millis(latency.max()),
            },
            errors: measured.errors.clone(),
            server,
            client_cpu_secs: measured.client_cpu_secs,
            checked: None,
        }
    }

    fn throughput_in_words(&self) -> String {
        let rate = format!("{} {}/s", grouped(self.items_per_sec), self.item);
        match self.bytes {
            0 => rate,
            _ => format!(
                "{:.1} MB/s, {} requests/s, {rate}",
                self.megabytes_per_sec,
                grouped(self.requests_per_sec)
            ),
        }
    }

    /// Whether something that was acknowledged was not there.
    pub fn has_mismatches(&self) -> bool {
        self.checked.as_ref().is_some_and(|checked| !checked.mismatches.is_empty())
    }
}

impl ServerUse {
    fn in_words(&self, item: &str) -> String {
        let per_gb = self.cpu_secs_per_gb.map(|secs| format!("{secs:.2} CPU-s per GB, ")).unwrap_or_default();
        format!(
            "{per_gb}{:.2} CPU-s per million {item}, {:.2} CPU-s in all, peak resident {:.0} MB (pid {})",
            self.cpu_secs_per_million, self.cpu_secs, self.resident_mb_peak, self.pid
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.load, self.setting)?;
        writeln!(f, "  throughput  {}, over {:.1} s", self.throughput_in_words(), self.seconds)?;
        let Latency { p50, p90, p99, max } = self.latency_ms;
        writeln!(f, "  latency     p50 {p50:.2} ms, p90 {p90:.2} ms, p99 {p99:.2} ms, max {max:.2} ms")?;
        match &self.server {
            Some(server) => writeln!(f, "  server      {}", server.in_words(self.item))?,
            None => writeln!(f, "  server      its process cannot be seen from here")?,
        }
        writeln!(f, "  client      {:.2} CPU-s", self.client_cpu_secs)?;
        writeln!(f, "  errors      {}", errors_in_words(&self.errors))?;
        if let Some(checked) = &self.checked {
            writeln!(f, "  read back   {}", checked.what)?;
            for mismatch in &checked.mismatches {
                writeln!(f, "              MISMATCH {mismatch}")?;
            }
        }
        Ok(())
    }
}

fn errors_in_words(errors: &BTreeMap<String, u64>) -> String {
    if errors.is_empty() {
        return "none".to_owned();
    }
    errors.iter().map(|(code, count)| format!("{code} {count}")).collect::<Vec<_>>().join(", ")
}

/// `1,234,567` for large numbers, one digit behind the point for small ones.
fn grouped(number: f64) -> String {
    if number < 1_000.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.write_char(digit).expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hdrhistogram::Histogram;

    use super::*;
    use crate::load::Amount;
    use crate::process::Usage;

    fn report() -> Report {
        let mut latency_us = Histogram::new(3).expect("three digits are allowed");
        (1..=100_u64).for_each(|ms| latency_us.record(ms * 1_000).expect("it grows"));
        let measured = Measurement {
            elapsed: Duration::from_secs(10),
            requests: 100,
            amount: Amount { bytes: 2_000_000_000, items: 4_000_000 },
            latency_us,
            errors: BTreeMap::from([("ThrottlingException".to_owned(), 3)]),
            server: Some(Usage { cpu_secs: 6.0, resident_bytes_peak: 50_000_000 }),
            client_cpu_secs: 1.25,
        };
        Report::new("put-log-events", "a setting".into(), "events", &measured, Some(42))
    }

    #[test]
    fn rates_and_costs_are_of_what_was_measured() {
        let report = report();
        assert_eq!((report.megabytes_per_sec, report.items_per_sec), (200.0, 400_000.0));
        let server = report.server.expect("it was seen");
        assert_eq!((server.cpu_secs_per_gb, server.cpu_secs_per_million), (Some(3.0), 1.5));
        assert!((report.latency_ms.p90 - 90.0).abs() < 0.1, "{:?}", report.latency_ms);
        assert!((report.latency_ms.max - 100.0).abs() < 0.1, "{:?}", report.latency_ms);
    }

    #[test]
    fn text_shows_costs_errors_and_mismatches() {
        let mut report = report();
        report.checked = Some(Checked { what: "1 stream".into(), mismatches: vec!["lost 3 events".into()] });
        let text = report.to_string();
        for part in [
            "400,000 events/s",
            "3.00 CPU-s per GB",
            "1.50 CPU-s per million events",
            "ThrottlingException 3",
            "MISMATCH lost 3 events",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(report.has_mismatches());
    }

    #[test]
    fn reads_are_counted_and_not_weighed() {
        let mut report = report();
        report.bytes = 0;
        report.server = report.server.map(|server| ServerUse { cpu_secs_per_gb: None, ..server });
        let text = report.to_string();
        assert!(!text.contains("MB/s") && !text.contains("per GB"), "{text}");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([3.21, 999.94, 1_000.0, 1_234_567.0].map(grouped), ["3.2", "999.9", "1,000", "1,234,567"]);
    }
}

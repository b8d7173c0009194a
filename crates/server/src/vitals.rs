//! How the server itself is doing, as Prometheus scrapes it from `/metrics`: requests, background work, the
//! process.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use groundwatch_bench::Process;
use groundwatch_core::{Activity, BoxFuture, Timestamp};
use groundwatch_wire::{Answered, Observer};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::Notify;

/// What `/metrics` is served as.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What stands for service and operation of requests that were refused before these were known.
const UNKNOWN: &str = "unknown";

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Vitals {
    registry: Registry,
    requests: Family<Request, Counter>,
    request_seconds: Family<Operation, Histogram>,
    activations: Family<Activation, Counter>,
    activation_failures: Family<Activation, Counter>,
    activation_seconds: Family<Activation, Counter<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    service: &'static str,
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    service: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Activation {
    activity: &'static str,
}

impl Vitals {
    pub(crate) fn new() -> Self {
        let requests = Family::default();
        // From a quarter of a millisecond to four seconds: long polls are longer, by their own wish.
        let histogram = || Histogram::new(exponential_buckets(0.000_25, 4.0, 8));
        let request_seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let (activations, activation_failures) = (Family::default(), Family::default());
        let activation_seconds = Family::default();
        let mut registry = Registry::with_prefix("groundwatch");
        registry.register("requests", "Answered requests", requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from a request's head to its answer",
            Unit::Seconds,
            request_seconds.clone(),
        );
        registry.register("activations", "Runs of background activities", activations.clone());
        registry.register(
            "activation_failures",
            "Runs of background activities that ended badly",
            activation_failures.clone(),
        );
        registry.register_with_unit(
            "activation_duration",
            "Time that background activities ran",
            Unit::Seconds,
            activation_seconds.clone(),
        );
        registry.register_collector(Box::new(OwnProcess));
        Self { registry, requests, request_seconds, activations, activation_failures, activation_seconds }
    }

    /// The page that Prometheus reads.
    pub(crate) fn page(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &self.registry)?;
        Ok(page)
    }

    /// `activity`, with its runs counted.
    pub(crate) fn watch(self: &Arc<Self>, activity: Arc<dyn Activity>) -> Arc<dyn Activity> {
        Arc::new(Watched { activity, vitals: Arc::clone(self) })
    }
}

impl Observer for Vitals {
    fn answered(&self, answered: &Answered) {
        let (service, operation) = answered.operation.unwrap_or((UNKNOWN, UNKNOWN));
        let status = answered.status.as_u16();
        self.requests.get_or_create(&Request { service, operation, status }).inc();
        let seconds = answered.took.as_secs_f64();
        self.request_seconds.get_or_create(&Operation { service, operation }).observe(seconds);
    }
}

/// An activity whose runs are counted.
struct Watched {
    activity: Arc<dyn Activity>,
    vitals: Arc<Vitals>,
}

impl Activity for Watched {
    fn name(&self) -> &'static str {
        self.activity.name()
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.activity.next_due()
    }

    fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut run = Run { watched: self, begun: Instant::now(), finished: false };
            self.activity.run(now).await;
            run.finished = true;
        })
    }

    fn changed(&self) -> &Notify {
        self.activity.changed()
    }
}

/// A run under way: counted when it is over, which a panic makes it too.
struct Run<'a> {
    watched: &'a Watched,
    begun: Instant,
    finished: bool,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let vitals = &self.watched.vitals;
        let label = Activation { activity: self.watched.name() };
        vitals.activations.get_or_create(&label).inc();
        vitals.activation_seconds.get_or_create(&label).inc_by(self.begun.elapsed().as_secs_f64());
        if !self.finished {
            vitals.activation_failures.get_or_create(&label).inc();
        }
    }
}

/// What the operating system knows of this process, asked at each scrape.
#[derive(Debug)]
struct OwnProcess;

impl Collector for OwnProcess {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let process = Process::own();
        // Nothing is better than zeros where the system does not tell.
        let (Ok(usage), Ok(resident_bytes)) = (process.usage(), process.resident_bytes()) else {
            return Ok(());
        };
        let cpu = ConstCounter::new(usage.cpu_secs);
        let described = encoder.encode_descriptor(
            "process_cpu",
            "CPU time of this process, user and system",
            Some(&Unit::Seconds),
            cpu.metric_type(),
        )?;
        cpu.encode(described)?;
        let resident = ConstGauge::new(resident_bytes);
        let described = encoder.encode_descriptor(
            "process_resident_memory",
            "Resident memory of this process",
            Some(&Unit::Bytes),
            resident.metric_type(),
        )?;
        resident.encode(described)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    /// Panics at the epoch, and never again.
    #[derive(Default)]
    struct Fragile(Notify);

    impl Activity for Fragile {
        fn name(&self) -> &'static str {
            "fragile"
        }

        fn next_due(&self) -> Option<Timestamp> {
            None
        }

        fn run(&self, now: Timestamp) -> BoxFuture<'_, ()> {
            Box::pin(async move { assert!(now > Timestamp::EPOCH, "it is the epoch") })
        }

        fn changed(&self) -> &Notify {
            &self.0
        }
    }

    #[track_caller]
    fn check(vitals: &Vitals, line: &str) {
        let page = vitals.page().expect("encodes");
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }

    #[test]
    fn requests_are_counted_by_operation_and_status() {
        let vitals = Vitals::new();
        let answered = |operation, status| {
            vitals.answered(&Answered { operation, status, took: Duration::from_millis(2) });
        };
        answered(Some(("logs", "PutLogEvents")), StatusCode::OK);
        answered(Some(("logs", "PutLogEvents")), StatusCode::OK);
        answered(None, StatusCode::NOT_FOUND);
        let labels = "service=\"logs\",operation=\"PutLogEvents\"";
        check(&vitals, &format!("groundwatch_requests_total{{{labels},status=\"200\"}} 2"));
        check(&vitals, &format!("groundwatch_request_duration_seconds_bucket{{le=\"0.001\",{labels}}} 0"));
        check(&vitals, &format!("groundwatch_request_duration_seconds_bucket{{le=\"0.004\",{labels}}} 2"));
        let labels = "service=\"unknown\",operation=\"unknown\"";
        check(&vitals, &format!("groundwatch_requests_total{{{labels},status=\"404\"}} 1"));
    }

    #[tokio::test]
    async fn runs_of_activities_are_counted_also_if_they_panic() {
        let vitals = Arc::new(Vitals::new());
        let activity = vitals.watch(Arc::new(Fragile::default()));
        for second in [0, 1] {
            let activity = Arc::clone(&activity);
            let _ = tokio::spawn(async move { activity.run(Timestamp::from_secs(second)).await }).await;
        }
        check(&vitals, "groundwatch_activations_total{activity=\"fragile\"} 2");
        check(&vitals, "groundwatch_activation_failures_total{activity=\"fragile\"} 1");
    }
}

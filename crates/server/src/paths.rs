//! The doors beside AWS's: `/_groundwatch/health`, `/_groundwatch/clock`, `/_groundwatch/alarms/`, `/_groundwatch/explain/`, the
//! certificate of notifications, and OpenTelemetry's.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{BoxFuture, SharedClock};
use groundwatch_metrics::Metrics;
use groundwatch_notify::Notify;
use groundwatch_wire::{Body, EXPLANATIONS_PATH, Paths, Response};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::activities::ManualDriver;
use crate::alarm_doors::{self, AlarmDoors};
use crate::clock_request::ClockMove;
use crate::otlp::OtlpDoor;

/// What the doors need.
pub(crate) struct OwnPaths {
    pub(crate) clock: SharedClock,
    /// Present with a manual clock.
    pub(crate) manual: Option<Arc<ManualDriver>>,
    /// Explains alarms, and tries them on history.
    pub(crate) alarms: Option<AlarmDoors>,
    /// Has the certificate of signed notifications.
    pub(crate) notify: Option<Arc<Notify>>,
    /// Takes OpenTelemetry's logs.
    pub(crate) otlp: Option<OtlpDoor>,
    /// Has explanations of answers.
    pub(crate) metrics: Option<Arc<Metrics>>,
}

impl Paths for OwnPaths {
    fn owns(&self, path: &str) -> bool {
        path.starts_with("/_groundwatch/") || (self.otlp.is_some() && OtlpDoor::owns(path))
    }

    fn handle(&self, request: Request<Bytes>) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            if let Some(otlp) = self.otlp.as_ref().filter(|_| OtlpDoor::owns(request.uri().path())) {
                return otlp.handle(request).await;
            }
            match (request.method(), request.uri().path()) {
                (&Method::GET, "/_groundwatch/health") => health(),
                (&Method::GET, "/_groundwatch/clock") => self.show_clock(),
                (&Method::POST, "/_groundwatch/clock") => self.move_clock(request.body()).await,
                (_, "/_groundwatch/health" | "/_groundwatch/clock") => refuse(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "this path takes GET, and /_groundwatch/clock also POST",
                ),
                (_, path) if path.starts_with(alarm_doors::PREFIX) => self.ask_alarms(path, &request).await,
                (&Method::GET, path) if path.starts_with("/_groundwatch/sns/") => {
                    self.show_certificate(path).await
                }
                (&Method::GET, path) if path.starts_with(EXPLANATIONS_PATH) => self.show_explanation(path),
                (_, path) => refuse(
                    StatusCode::NOT_FOUND,
                    &format!("{path} does not exist; there are /_groundwatch/health and /_groundwatch/clock"),
                ),
            }
        })
    }
}

impl OwnPaths {
    async fn ask_alarms(&self, path: &str, request: &Request<Bytes>) -> Response {
        let rest = path.strip_prefix(alarm_doors::PREFIX).unwrap_or_default();
        match &self.alarms {
            Some(alarms) => {
                let (status, document) = alarms.answer(rest, request).await;
                answer(status, &document)
            }
            None => refuse(StatusCode::NOT_FOUND, "there are no alarms here"),
        }
    }

    async fn show_certificate(&self, path: &str) -> Response {
        let certificate = match &self.notify {
            Some(notify) => notify.certificate(path).await,
            None => None,
        };
        let Some(certificate) = certificate else {
            return refuse(StatusCode::NOT_FOUND, &format!("{path} is not the certificate of this server"));
        };
        let mut response = Response::new(Body::whole(certificate));
        let pem = http::HeaderValue::from_static("application/x-pem-file");
        response.headers_mut().insert(http::header::CONTENT_TYPE, pem);
        response
    }

    fn show_explanation(&self, path: &str) -> Response {
        let request_id = path.strip_prefix(EXPLANATIONS_PATH).unwrap_or_default();
        match self.metrics.as_ref().and_then(|metrics| metrics.explanation(request_id)) {
            Some(explanation) => {
                let mut response = Response::new(Body::whole(explanation));
                let json = http::HeaderValue::from_static("application/json");
                response.headers_mut().insert(http::header::CONTENT_TYPE, json);
                response
            }
            None => refuse(
                StatusCode::NOT_FOUND,
                "there is no explanation of that request: only GetMetricData and GetMetricStatistics that ask for one with \
                 `x-groundwatch-explain: true` leave one, and the last hundred are kept",
            ),
        }
    }

    fn show_clock(&self) -> Response {
        let kind = if self.manual.is_some() { "manual" } else { "real" };
        answer(StatusCode::OK, &json!({ "clock": kind, "now": self.clock.now().to_iso8601() }))
    }

    async fn move_clock(&self, body: &[u8]) -> Response {
        let Some(driver) = &self.manual else {
            return refuse(StatusCode::CONFLICT, "the clock is real; start with `--clock manual` to move it");
        };
        let go = match ClockMove::parse(body, driver.now()) {
            Ok(go) => go,
            Err(wrong) => return refuse(StatusCode::BAD_REQUEST, &wrong),
        };
        // In a task of its own: a client that gives up waiting must not leave the clock somewhere on the way.
        let driver = Arc::clone(driver);
        let moved = tokio::spawn(async move {
            match go {
                ClockMove::Advance(duration) => driver.advance(duration).await,
                ClockMove::Set(moment) => driver.move_to(moment).await,
            }
        });
        match moved.await {
            Ok(()) => self.show_clock(),
            Err(error) => {
                tracing::error!(%error, "the clock stopped on its way; this is a bug");
                refuse(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the clock stopped on its way; the server's log has more",
                )
            }
        }
    }
}

fn health() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

fn refuse(status: StatusCode, message: &str) -> Response {
    answer(status, &json!({ "message": message }))
}

fn answer(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::whole(format!("{value}\n")));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use groundwatch_core::{Activity, Clock, ManualClock, Timestamp};
    use tokio::sync::Notify as Wake;

    use super::*;

    /// Is due once, one second after the epoch, and takes until somebody opens the gate.
    #[derive(Default)]
    struct Slow {
        begun: AtomicBool,
        entered: Wake,
        gate: Wake,
        changed: Wake,
    }

    impl Activity for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }

        fn next_due(&self) -> Option<Timestamp> {
            (!self.begun.load(Ordering::SeqCst)).then_some(Timestamp::from_secs(1))
        }

        fn run(&self, _now: Timestamp) -> BoxFuture<'_, ()> {
            Box::pin(async {
                self.begun.store(true, Ordering::SeqCst);
                self.entered.notify_one();
                self.gate.notified().await;
            })
        }

        fn changed(&self) -> &Wake {
            &self.changed
        }
    }

    #[tokio::test]
    async fn the_clock_arrives_also_when_its_client_hangs_up() {
        let slow = Arc::new(Slow::default());
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let driver = Arc::new(ManualDriver::new(Arc::clone(&clock), vec![Arc::clone(&slow) as _]));
        let paths = OwnPaths {
            clock: Arc::clone(&clock) as _,
            manual: Some(Arc::clone(&driver)),
            alarms: None,
            notify: None,
            otlp: None,
            metrics: None,
        };
        tokio::select! {
            _ = paths.move_clock(br#"{"advance":"PT10S"}"#) => panic!("the gate is closed"),
            () = slow.entered.notified() => {}
        }
        slow.gate.notify_one();
        // The next move waits for its turn, which comes when the first has arrived.
        driver.advance(Duration::ZERO).await;
        assert_eq!(clock.now(), Timestamp::from_secs(10));
    }
}

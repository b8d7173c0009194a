//! The endpoints beside AWS's: `/_groundwatch/health`, `/_groundwatch/clock`, `/_groundwatch/alarms/`,
//! `/_groundwatch/explain/`, `/metrics`, the certificate of notifications, and OpenTelemetry's.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{BoxFuture, RequestId, SharedClock};
use groundwatch_metrics::Metrics;
use groundwatch_notify::Notify;
use groundwatch_wire::{Body, EXPLANATIONS_PATH, Paths, Response};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::activities::ManualDriver;
use crate::alarm_endpoints::{self, AlarmEndpoints};
use crate::clock_request::ClockMove;
use crate::otlp::OtlpEndpoint;
use crate::vitals::{self, Vitals};

/// What the endpoints need.
pub(crate) struct OwnPaths {
    pub(crate) clock: SharedClock,
    /// Present with a manual clock.
    pub(crate) manual: Option<Arc<ManualDriver>>,
    /// Explains alarms, and tries them on history.
    pub(crate) alarms: AlarmEndpoints,
    /// Has the certificate of signed notifications.
    pub(crate) notify: Arc<Notify>,
    /// Takes OpenTelemetry's logs.
    pub(crate) otlp: OtlpEndpoint,
    /// Has explanations of answers.
    pub(crate) metrics: Arc<Metrics>,
    /// Knows how this server is doing.
    pub(crate) vitals: Arc<Vitals>,
}

impl Paths for OwnPaths {
    fn owns(&self, path: &str) -> bool {
        path.starts_with("/_groundwatch/") || path == "/metrics" || OtlpEndpoint::owns(path)
    }

    fn handle<'a>(&'a self, request: Request<Bytes>, id: &'a RequestId) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            if OtlpEndpoint::owns(request.uri().path()) {
                return self.otlp.handle(request, id).await;
            }
            match (request.method(), request.uri().path()) {
                (&Method::GET, "/_groundwatch/health") => health(),
                (&Method::GET, "/_groundwatch/clock") => self.show_clock(),
                (&Method::POST, "/_groundwatch/clock") => self.move_clock(request.body()).await,
                (&Method::GET, "/metrics") => self.show_vitals(),
                (_, "/_groundwatch/health" | "/_groundwatch/clock" | "/metrics") => {
                    refuse(StatusCode::METHOD_NOT_ALLOWED, "this path takes GET, and the clock's also POST")
                }
                (_, path) if path.starts_with(alarm_endpoints::PREFIX) => {
                    self.ask_alarms(path, &request).await
                }
                (&Method::GET, path) if path.starts_with("/_groundwatch/sns/") => {
                    self.show_certificate(path).await
                }
                (&Method::GET, path) if path.starts_with(EXPLANATIONS_PATH) => self.show_explanation(path),
                (_, path) => refuse(
                    StatusCode::NOT_FOUND,
                    &format!(
                        "{path} does not exist; there are /_groundwatch/health, clock, alarms, explain and sns"
                    ),
                ),
            }
        })
    }
}

impl OwnPaths {
    async fn ask_alarms(&self, path: &str, request: &Request<Bytes>) -> Response {
        let rest = path.strip_prefix(alarm_endpoints::PREFIX).unwrap_or_default();
        let (status, document) = self.alarms.answer(rest, request).await;
        answer(status, &document)
    }

    async fn show_certificate(&self, path: &str) -> Response {
        let Some(certificate) = self.notify.certificate(path).await else {
            return refuse(StatusCode::NOT_FOUND, &format!("{path} is not the certificate of this server"));
        };
        document("application/x-pem-file", certificate)
    }

    fn show_explanation(&self, path: &str) -> Response {
        let request_id = path.strip_prefix(EXPLANATIONS_PATH).unwrap_or_default();
        match self.metrics.explanation(request_id) {
            Some(explanation) => document("application/json", explanation),
            None => refuse(
                StatusCode::NOT_FOUND,
                "there is no explanation of that request: only GetMetricData and GetMetricStatistics that ask for one with \
                 `x-groundwatch-explain: true` leave one, and the last hundred are kept",
            ),
        }
    }

    fn show_vitals(&self) -> Response {
        match self.vitals.page() {
            Ok(page) => document(vitals::CONTENT_TYPE, page),
            Err(error) => {
                tracing::error!(%error, "the page of metrics does not encode; this is a bug");
                refuse(StatusCode::INTERNAL_SERVER_ERROR, "the page does not encode")
            }
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
        match go {
            ClockMove::Advance(duration) => driver.advance(duration).await,
            ClockMove::Set(moment) => driver.move_to(moment).await,
        }
        self.show_clock()
    }
}

fn health() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

fn refuse(status: StatusCode, message: &str) -> Response {
    answer(status, &json!({ "message": message }))
}

fn answer(status: StatusCode, value: &Value) -> Response {
    let mut response = document("application/json", format!("{value}\n"));
    *response.status_mut() = status;
    response
}

fn document(content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::whole(body));
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

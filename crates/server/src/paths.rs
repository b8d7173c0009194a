//! The doors beside AWS's: `/_groundwatch/health` and `/_groundwatch/clock`.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{BoxFuture, SharedClock};
use groundwatch_wire::{Body, Paths, Response};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::activities::ManualDriver;
use crate::clock_request::ClockMove;

/// What the doors need.
pub(crate) struct OwnPaths {
    pub(crate) clock: SharedClock,
    /// Present with a manual clock.
    pub(crate) manual: Option<Arc<ManualDriver>>,
}

impl Paths for OwnPaths {
    fn owns(&self, path: &str) -> bool {
        path.starts_with("/_groundwatch/")
    }

    fn handle(&self, request: Request<Bytes>) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            match (request.method(), request.uri().path()) {
                (&Method::GET, "/_groundwatch/health") => health(),
                (&Method::GET, "/_groundwatch/clock") => self.show_clock(),
                (&Method::POST, "/_groundwatch/clock") => self.move_clock(request.body()).await,
                (_, "/_groundwatch/health" | "/_groundwatch/clock") => refuse(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "this path takes GET, and /_groundwatch/clock also POST",
                ),
                (_, path) => refuse(
                    StatusCode::NOT_FOUND,
                    &format!("{path} does not exist; there are /_groundwatch/health and /_groundwatch/clock"),
                ),
            }
        })
    }
}

impl OwnPaths {
    fn show_clock(&self) -> Response {
        let kind = if self.manual.is_some() { "manual" } else { "real" };
        answer(StatusCode::OK, &json!({ "clock": kind, "now": self.clock.now().to_iso8601() }))
    }

    async fn move_clock(&self, body: &[u8]) -> Response {
        let Some(driver) = &self.manual else {
            return refuse(StatusCode::CONFLICT, "the clock is real; start with `--clock manual` to move it");
        };
        match ClockMove::parse(body, driver.now()) {
            Ok(ClockMove::Advance(duration)) => driver.advance(duration).await,
            Ok(ClockMove::Set(moment)) => driver.move_to(moment).await,
            Err(wrong) => return refuse(StatusCode::BAD_REQUEST, &wrong),
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
    let mut response = Response::new(Body::whole(format!("{value}\n")));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

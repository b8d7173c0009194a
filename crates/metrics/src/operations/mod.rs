//! The API operations, one file each: a request becomes a question to the store, the answer a response.

mod anomaly_detectors;
mod explanations;
mod get_metric_data;
mod get_metric_statistics;
mod list_metrics;
mod put_metric_data;
mod shapes;

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::Call;

use self::explanations::Explanations;
use crate::evaluation::Explanation;
use crate::{MetricError, MetricStore, fault};

/// Answers the CloudWatch operations on metrics.
#[derive(Clone)]
pub struct Metrics {
    store: MetricStore,
    explanations: Arc<Explanations>,
}

impl Metrics {
    /// The operations on `store`.
    pub fn new(store: MetricStore) -> Self {
        Self { store, explanations: Arc::default() }
    }

    /// Why the answer to a request was as it was, in JSON; if that was asked for with the request, and
    /// lately.
    pub fn explanation(&self, request_id: &str) -> Option<Bytes> {
        self.explanations.get(request_id)
    }

    /// Keeps an explanation of a call. That none could be made is no reason to refuse the call.
    fn keep_explanation(&self, call: &Call, explanation: Result<Explanation, MetricError>) {
        match explanation {
            Ok(explanation) => self.explanations.put(&call.request_id.0, &explanation),
            Err(error) => drop(fault::of_store(&error)),
        }
    }
}

//! The API operations, one file each: a request becomes a question to the store, the answer a response.

mod anomaly_detectors;
mod get_metric_data;
mod get_metric_statistics;
mod list_metrics;
mod put_metric_data;
mod shapes;

use crate::MetricStore;

/// Answers the CloudWatch operations on metrics.
#[derive(Clone)]
pub struct Metrics {
    store: MetricStore,
}

impl Metrics {
    /// The operations on `store`.
    pub fn new(store: MetricStore) -> Self {
        Self { store }
    }
}

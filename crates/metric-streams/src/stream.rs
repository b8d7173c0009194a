//! The streams that are kept: which metrics belong to one, and how far it is.

use std::sync::Arc;

use groundwatch_api::cloudwatch::{
    MetricStreamFilter, MetricStreamOutputFormat, MetricStreamStatisticsConfiguration,
};
use groundwatch_core::{Scope, SharedClock, TagChange, Tags, Timestamp};
use groundwatch_storage::{
    Batch, Catalog, Document, Documents, Expect, Key, StorageError, despite_conflicts,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{MinuteSource, StreamError, StreamedMetric};

/// The length of what is sent at once.
pub(crate) const MINUTE_SECS: u32 = 60;

/// What is kept of a stream under its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) firehose_arn: String,
    pub(crate) role_arn: String,
    pub(crate) format: MetricStreamOutputFormat,
    pub(crate) include: Vec<MetricStreamFilter>,
    pub(crate) exclude: Vec<MetricStreamFilter>,
    pub(crate) statistics: Vec<MetricStreamStatisticsConfiguration>,
    pub(crate) linked_accounts: Option<bool>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The first minute that was not sent yet; `None` while it is stopped.
    pub(crate) next: Option<Timestamp>,
    #[serde(default)]
    pub(crate) tags: Tags,
}

impl Document for Stream {
    const KIND: &'static str = "metric-stream";
}

impl Stream {
    /// Whether a metric belongs to it.
    pub(crate) fn takes(&self, namespace: &str, name: &str) -> bool {
        let fits = |filter: &MetricStreamFilter| {
            filter.namespace.as_deref() == Some(namespace)
                && filter
                    .metric_names
                    .as_deref()
                    .is_none_or(|names| names.is_empty() || names.iter().any(|one| one == name))
        };
        match (self.include.is_empty(), self.exclude.is_empty()) {
            (false, _) => self.include.iter().any(fits),
            (true, false) => !self.exclude.iter().any(fits),
            (true, true) => true,
        }
    }

    /// The statistics of a metric besides the four that all have.
    pub(crate) fn statistics_of(&self, metric: &StreamedMetric) -> Vec<String> {
        let fits = |configuration: &&MetricStreamStatisticsConfiguration| {
            configuration.include_metrics.iter().flatten().any(|one| {
                one.namespace.as_deref() == Some(metric.namespace.as_str())
                    && one.metric_name.as_deref() == Some(metric.name.as_str())
            })
        };
        let mut statistics: Vec<String> = Vec::new();
        for statistic in
            self.statistics.iter().filter(fits).flat_map(|one| one.additional_statistics.iter().flatten())
        {
            if !statistics.contains(statistic) {
                statistics.push(statistic.clone());
            }
        }
        statistics
    }
}

/// CloudWatch's metric streams.
pub struct Streams {
    pub(crate) catalog: Catalog,
    pub(crate) streams: Documents<Stream>,
    pub(crate) clock: SharedClock,
    pub(crate) source: Arc<dyn MinuteSource>,
    /// Notified when a stream may have become due earlier.
    pub(crate) changed: Notify,
}

impl Streams {
    /// Opens the streams that `catalog` holds. They read `source`.
    pub fn open(
        catalog: &Catalog,
        clock: SharedClock,
        source: Arc<dyn MinuteSource>,
    ) -> Result<Self, StorageError> {
        let streams = Documents::open(catalog)?;
        Ok(Self { catalog: catalog.clone(), streams, clock, source, changed: Notify::new() })
    }

    /// The tags of the stream `name`; `None` if there is no such stream.
    pub fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
        Some(self.streams.get(&Key::new(scope, name))?.tags.clone())
    }

    /// Changes the tags of a stream. Answers whether there is such a stream.
    pub async fn change_tags(
        &self,
        scope: &Scope,
        name: &str,
        change: &TagChange,
    ) -> Result<bool, StreamError> {
        let changed = |stream: &Stream| Ok(Stream { tags: stream.tags.changed(change)?, ..stream.clone() });
        self.change(&Key::new(scope, name), changed).await
    }

    /// The minute that a stream begins with when it is started now: nothing is sent of the past.
    pub(crate) fn next_minute(&self) -> Timestamp {
        self.clock.now().ceil_to(MINUTE_SECS)
    }

    /// Changes a stream. Answers whether there is such a stream.
    pub(crate) async fn change(
        &self,
        key: &Key,
        change: impl Fn(&Stream) -> Result<Stream, StreamError>,
    ) -> Result<bool, StreamError> {
        despite_conflicts(|| async {
            let Some((version, stream)) = self.streams.get_versioned(key) else { return Ok(false) };
            let mut batch = Batch::new();
            self.streams.put(&mut batch, key.clone(), change(&stream)?, Expect::Version(version));
            self.catalog.commit(batch).await?;
            self.changed.notify_one();
            Ok(true)
        })
        .await
    }
}

#[cfg(test)]
pub(crate) fn stream() -> Stream {
    Stream {
        firehose_arn: "arn:aws:firehose:us-east-1:000000000000:deliverystream/metrics".to_owned(),
        role_arn: "arn:aws:iam::000000000000:role/r".to_owned(),
        format: MetricStreamOutputFormat::Json,
        include: Vec::new(),
        exclude: Vec::new(),
        statistics: Vec::new(),
        linked_accounts: None,
        created: Timestamp::EPOCH,
        updated: Timestamp::EPOCH,
        next: None,
        tags: Tags::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_include_or_exclude() {
        let filter = |namespace: &str, names: &[&str]| MetricStreamFilter {
            namespace: Some(namespace.to_owned()),
            metric_names: (!names.is_empty()).then(|| names.iter().map(|name| (*name).to_owned()).collect()),
        };
        let check = |include: &[MetricStreamFilter], exclude: &[MetricStreamFilter], expected: [bool; 3]| {
            let stream = Stream { include: include.to_vec(), exclude: exclude.to_vec(), ..stream() };
            let taken = [("Shop", "Orders"), ("Shop", "Returns"), ("Host", "Cpu")];
            assert_eq!(taken.map(|(namespace, name)| stream.takes(namespace, name)), expected);
        };
        check(&[], &[], [true, true, true]);
        check(&[filter("Shop", &[])], &[], [true, true, false]);
        check(&[filter("Shop", &["Orders"]), filter("Host", &[])], &[], [true, false, true]);
        check(&[], &[filter("Shop", &[])], [false, false, true]);
        check(&[], &[filter("Shop", &["Orders"])], [false, true, true]);
    }
}

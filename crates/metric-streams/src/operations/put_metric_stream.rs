//! `PutMetricStream`: creates a stream, which runs at once, or replaces the definition of one, which goes on
//! as it was.

use groundwatch_api::cloudwatch::{
    MetricStreamFilter, MetricStreamOutputFormat, MetricStreamStatisticsConfiguration, PutMetricStream,
    PutMetricStreamInput, PutMetricStreamOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Arn, Call, Tags};
use groundwatch_storage::{Batch, Expect, Key};

use super::streams::arn;
use crate::stream::Stream;
use crate::{StreamError, Streams};

/// AWS's limits.
const FILTERED_NAMES_MAX: usize = 1000;
const CONFIGURATIONS_MAX: usize = 100;
const CONFIGURED_METRICS_MAX: usize = 100;
const STATISTICS_MAX: usize = 20;
/// Streams of an account and region.
const STREAMS_MAX: usize = 500;

impl Handle<PutMetricStream> for Streams {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutMetricStreamInput,
    ) -> Result<PutMetricStreamOutput, Fault> {
        let name = input.name.clone().expect("validated: required");
        // Source: CloudWatch API reference, PutMetricStream.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(wrong("Name", "must consist of letters, digits, - and _").into());
        }
        let key = Key::new(call.scope(), name.as_str());
        let stream = self.read(input)?;
        let current = self.streams.get_versioned(&key);
        if current.is_none() && self.streams.list(call.scope(), "", None, STREAMS_MAX).len() == STREAMS_MAX {
            return Err(
                wrong("Name", format!("cannot be new: there are {STREAMS_MAX} metric streams")).into()
            );
        }
        let (stream, expect) = match current {
            None => (stream, Expect::Absent),
            // Tags are for new streams, and a stream that was stopped stays so.
            Some((version, current)) => (
                Stream { created: current.created, next: current.next, tags: current.tags.clone(), ..stream },
                Expect::Version(version),
            ),
        };
        let mut batch = Batch::new();
        self.streams.put(&mut batch, key, stream, expect);
        self.catalog.commit(batch).await.map_err(StreamError::from)?;
        self.changed.notify_one();
        Ok(PutMetricStreamOutput { arn: Some(arn(call.scope(), &name)) })
    }
}

impl Streams {
    /// The stream that a request asks for, as a new one.
    fn read(&self, input: PutMetricStreamInput) -> Result<Stream, StreamError> {
        let include = input.include_filters.unwrap_or_default();
        let exclude = input.exclude_filters.unwrap_or_default();
        if !include.is_empty() && !exclude.is_empty() {
            return Err(StreamError::BothFilters);
        }
        check_filters("IncludeFilters", &include)?;
        check_filters("ExcludeFilters", &exclude)?;
        if input.include_linked_accounts_metrics == Some(true) {
            return Err(wrong(
                "IncludeLinkedAccountsMetrics",
                "cannot be true: accounts are not linked here",
            ));
        }
        let format = input.output_format.expect("validated: required");
        if let MetricStreamOutputFormat::Unknown(_) = format {
            return Err(wrong("OutputFormat", "must be json, opentelemetry0.7 or opentelemetry1.0"));
        }
        let statistics = input.statistics_configurations.unwrap_or_default();
        self.check_statistics(&format, &statistics)?;
        let firehose_arn = input.firehose_arn.expect("validated: required");
        if !Arn::parse(&firehose_arn).is_ok_and(|arn| arn.service == "firehose") {
            return Err(wrong("FirehoseArn", "must be the ARN of a Firehose delivery stream"));
        }
        let pairs = input.tags.unwrap_or_default().into_iter();
        let tags = Tags::new(pairs.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())))?;
        let now = self.clock.now();
        Ok(Stream {
            firehose_arn,
            role_arn: input.role_arn.expect("validated: required"),
            format,
            include,
            exclude,
            statistics,
            linked_accounts: input.include_linked_accounts_metrics,
            created: now,
            updated: now,
            next: Some(self.next_minute()),
            tags,
        })
    }

    fn check_statistics(
        &self,
        format: &MetricStreamOutputFormat,
        configurations: &[MetricStreamStatisticsConfiguration],
    ) -> Result<(), StreamError> {
        let wrong = |rule: String| Err(wrong("StatisticsConfigurations", rule));
        if configurations.len() > CONFIGURATIONS_MAX {
            return wrong(format!("must have at most {CONFIGURATIONS_MAX} members"));
        }
        for configuration in configurations {
            let metrics = configuration.include_metrics.as_deref().unwrap_or_default();
            let statistics = configuration.additional_statistics.as_deref().unwrap_or_default();
            if metrics.len() > CONFIGURED_METRICS_MAX || statistics.len() > STATISTICS_MAX {
                return wrong(format!(
                    "must have at most {CONFIGURED_METRICS_MAX} metrics and {STATISTICS_MAX} statistics each"
                ));
            }
            for statistic in statistics {
                let is_percentile =
                    statistic.strip_prefix('p').is_some_and(|rest| rest.parse::<f64>().is_ok());
                if !self.source.supports(statistic) {
                    return wrong(format!("has the statistic {statistic}, which is not valid"));
                }
                if *format != MetricStreamOutputFormat::Json && !is_percentile {
                    return wrong(format!(
                        "has the statistic {statistic}: this OutputFormat takes percentiles only"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn check_filters(parameter: &'static str, filters: &[MetricStreamFilter]) -> Result<(), StreamError> {
    let names: usize =
        filters.iter().map(|filter| filter.metric_names.as_ref().map_or(1, Vec::len).max(1)).sum();
    if names > FILTERED_NAMES_MAX {
        return Err(wrong(parameter, format!("must name at most {FILTERED_NAMES_MAX} metrics")));
    }
    if filters.iter().any(|filter| filter.namespace.is_none()) {
        return Err(wrong(parameter, "must have a Namespace in each member"));
    }
    Ok(())
}

fn wrong(parameter: &'static str, rule: impl Into<String>) -> StreamError {
    StreamError::Parameter { parameter, rule: rule.into() }
}

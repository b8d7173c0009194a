//! `GetMetricStream`, `ListMetricStreams`, `DeleteMetricStream`, `StartMetricStreams` and
//! `StopMetricStreams`.

use groundwatch_api::cloudwatch::{
    DeleteMetricStream, DeleteMetricStreamInput, DeleteMetricStreamOutput, GetMetricStream,
    GetMetricStreamInput, GetMetricStreamOutput, ListMetricStreams, ListMetricStreamsInput,
    ListMetricStreamsOutput, MetricStreamEntry, StartMetricStreams, StartMetricStreamsInput,
    StartMetricStreamsOutput, StopMetricStreams, StopMetricStreamsInput, StopMetricStreamsOutput,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{Call, Scope, Timestamp, page_token};
use groundwatch_storage::{Batch, Expect, Key};

use crate::stream::Stream;
use crate::{StreamError, Streams};

/// AWS's greatest size of a page.
const PAGE_LENGTH: usize = 500;

/// The stream's ARN.
pub(super) fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("cloudwatch", &format!("metric-stream/{name}"))
}

fn state(stream: &Stream) -> Option<String> {
    Some(if stream.next.is_some() { "running" } else { "stopped" }.to_owned())
}

impl Handle<GetMetricStream> for Streams {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetMetricStreamInput,
    ) -> Result<GetMetricStreamOutput, Fault> {
        let name = input.name.expect("validated: required");
        let Some(stream) = self.streams.get(&Key::new(call.scope(), name.as_str())) else {
            return Err(StreamError::NotFound { name }.into());
        };
        Ok(GetMetricStreamOutput {
            arn: Some(arn(call.scope(), &name)),
            name: Some(name),
            include_filters: (!stream.include.is_empty()).then(|| stream.include.clone()),
            exclude_filters: (!stream.exclude.is_empty()).then(|| stream.exclude.clone()),
            firehose_arn: Some(stream.firehose_arn.clone()),
            role_arn: Some(stream.role_arn.clone()),
            state: state(&stream),
            creation_date: Some(stream.created.into()),
            last_update_date: Some(stream.updated.into()),
            output_format: Some(stream.format.clone()),
            statistics_configurations: (!stream.statistics.is_empty()).then(|| stream.statistics.clone()),
            include_linked_accounts_metrics: Some(stream.linked_accounts.unwrap_or(false)),
        })
    }
}

impl Handle<ListMetricStreams> for Streams {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListMetricStreamsInput,
    ) -> Result<ListMetricStreamsOutput, Fault> {
        let listing = ListMetricStreams::NAME;
        let after = match &input.next_token {
            Some(token) => Some(page_token::decode(listing, token).ok_or(StreamError::NextToken)?),
            None => None,
        };
        let length = input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_LENGTH);
        let mut found = self.streams.list(call.scope(), "", after.as_deref(), length + 1);
        let more = found.len() > length;
        found.truncate(length);
        let next_token = found.last().filter(|_| more).map(|(name, _)| page_token::encode(listing, name));
        let entries = found.into_iter().map(|(name, stream)| MetricStreamEntry {
            arn: Some(arn(call.scope(), &name)),
            creation_date: Some(stream.created.into()),
            last_update_date: Some(stream.updated.into()),
            name: Some(name),
            firehose_arn: Some(stream.firehose_arn.clone()),
            state: state(&stream),
            output_format: Some(stream.format.clone()),
        });
        Ok(ListMetricStreamsOutput { entries: Some(entries.collect()), next_token })
    }
}

impl Handle<DeleteMetricStream> for Streams {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteMetricStreamInput,
    ) -> Result<DeleteMetricStreamOutput, Fault> {
        let name = input.name.expect("validated: required");
        let mut batch = Batch::new();
        // AWS documents no error for a stream that does not exist.
        self.streams.remove(&mut batch, Key::new(call.scope(), name), Expect::Any);
        self.catalog.commit(batch).await.map_err(StreamError::from)?;
        Ok(DeleteMetricStreamOutput {})
    }
}

impl Handle<StartMetricStreams> for Streams {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: StartMetricStreamsInput,
    ) -> Result<StartMetricStreamsOutput, Fault> {
        let next = self.next_minute();
        self.set_next(call, input.names, |stream| stream.next.or(Some(next))).await?;
        Ok(StartMetricStreamsOutput {})
    }
}

impl Handle<StopMetricStreams> for Streams {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: StopMetricStreamsInput,
    ) -> Result<StopMetricStreamsOutput, Fault> {
        self.set_next(call, input.names, |_| None).await?;
        Ok(StopMetricStreamsOutput {})
    }
}

impl Streams {
    /// Starts or stops all streams of these names, or none if one of them does not exist.
    async fn set_next(
        &self,
        call: &Call,
        names: Option<Vec<String>>,
        next: impl Fn(&Stream) -> Option<Timestamp> + Send,
    ) -> Result<(), StreamError> {
        let mut batch = Batch::new();
        let mut names = names.expect("validated: required");
        names.sort_unstable();
        names.dedup();
        for name in names {
            let key = Key::new(call.scope(), name.as_str());
            let Some((version, stream)) = self.streams.get_versioned(&key) else {
                let rule = format!("names the metric stream {name}, which does not exist");
                return Err(StreamError::Parameter { parameter: "Names", rule });
            };
            let changed = Stream { next: next(&stream), updated: call.received, ..(*stream).clone() };
            self.streams.put(&mut batch, key, changed, Expect::Version(version));
        }
        self.catalog.commit(batch).await?;
        self.changed.notify_one();
        Ok(())
    }
}

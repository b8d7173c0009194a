//! `TestMetricFilter`: a pattern on messages that come with the request.

use groundwatch_api::logs::{
    MetricFilterMatchRecord, TestMetricFilter, TestMetricFilterInput, TestMetricFilterOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::error::LogsError;
use crate::logs::Logs;
use crate::pattern::{Matcher, Pattern};

impl Handle<TestMetricFilter> for Logs {
    async fn handle(
        &self,
        _call: &Call,
        input: TestMetricFilterInput,
    ) -> Result<TestMetricFilterOutput, Fault> {
        let pattern = input.filter_pattern.as_deref().expect("validated: required");
        let matcher = Matcher::new(&Pattern::parse(pattern).map_err(LogsError::from)?);
        let messages = input.log_event_messages.expect("validated: required");
        let record = |(number, message): (i64, String)| {
            let extracted = matcher.extracted(message.as_bytes())?;
            Some(MetricFilterMatchRecord {
                event_number: Some(number),
                event_message: Some(message),
                extracted_values: Some(extracted),
            })
        };
        let matches = (1..).zip(messages).filter_map(record).collect();
        Ok(TestMetricFilterOutput { matches: Some(matches) })
    }
}

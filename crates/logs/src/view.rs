//! How events that arrive look to those who are sent them or count them: masked where the group is protected, and
//! transformed where it has a transformer. What is sensitive is audited on the way.

use std::borrow::Cow;

use groundwatch_core::Timestamp;
use groundwatch_data_protection::mask;

use crate::audit;
use crate::group::LogGroup;
use crate::metric_sink::Samples;
use crate::store::StreamAddress;

/// Where what became of events is counted.
const OWN_NAMESPACE: &str = "AWS/Logs";
const MINUTE_SECS: u32 = 60;
/// How many events of one request are reported. Those beyond are masked and counted all the same.
const REPORTS_MAX: usize = 10_000;

/// The views of events of one stream that arrive together.
pub(crate) struct Views<'g> {
    group: &'g LogGroup,
    address: &'g StreamAddress,
    ingested: Timestamp,
    reports: Vec<String>,
    counts: Counts,
}

/// What became of events.
#[derive(Default)]
struct Counts {
    with_findings: u64,
    transformed: u64,
    transformed_bytes: u64,
    transformation_errors: u64,
}

impl<'g> Views<'g> {
    pub(crate) fn new(group: &'g LogGroup, address: &'g StreamAddress, ingested: Timestamp) -> Self {
        Self { group, address, ingested, reports: Vec::new(), counts: Counts::default() }
    }

    /// The event's text as it may be shown. Notes what is sensitive in it.
    pub(crate) fn masked<'e>(&mut self, message: &'e [u8]) -> Cow<'e, [u8]> {
        let Some(protection) = self.group.protection.at(self.ingested) else { return Cow::Borrowed(message) };
        let text = String::from_utf8_lossy(message);
        let findings = protection.find(&text);
        if findings.is_empty() {
            return Cow::Borrowed(message);
        }
        self.counts.with_findings += 1;
        if protection.findings_group().is_some() && self.reports.len() < REPORTS_MAX {
            self.reports.extend(audit::report(self.address, self.ingested, &text, &findings));
        }
        Cow::Owned(mask(&text, &findings).into_bytes())
    }

    /// What the group's transformer makes of an event, masked as the event is; the event as it is shown where there is no
    /// transformer, or it cannot do the event.
    pub(crate) fn transformed<'e>(&mut self, message: &[u8], shown: &'e [u8]) -> Cow<'e, [u8]> {
        let Some(transformer) = self.group.transformers.at(self.ingested) else {
            return Cow::Borrowed(shown);
        };
        let StreamAddress { scope, group, stream, .. } = self.address;
        match transformer.transform(scope, group, stream, self.ingested, message) {
            Ok(text) => {
                self.counts.transformed += 1;
                self.counts.transformed_bytes += text.len() as u64;
                Cow::Owned(self.group.masked(self.ingested, text.as_bytes()).into_owned())
            }
            Err(error) => {
                self.counts.transformation_errors += 1;
                tracing::debug!(group, stream, %error, "an event is not transformed");
                Cow::Borrowed(shown)
            }
        }
    }

    /// Adds what was counted, as AWS's own metrics, and returns the reports of what is sensitive.
    pub(crate) fn finish(self, samples: &mut Samples) -> Vec<String> {
        let at = self.ingested.floor_to(MINUTE_SECS);
        for (name, count) in [
            ("LogEventsWithFindings", self.counts.with_findings),
            ("TransformedLogEvents", self.counts.transformed),
            ("TransformedBytes", self.counts.transformed_bytes),
            ("TransformationErrors", self.counts.transformation_errors),
        ] {
            if count > 0 {
                let dimensions = vec![("LogGroupName".to_owned(), self.address.group.clone())];
                let _ = samples.add((OWN_NAMESPACE, name), dimensions, at, count as f64, None);
            }
        }
        self.reports
    }
}

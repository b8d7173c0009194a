//! How events that arrive look to those who are sent them or count them: masked where the group is protected,
//! and transformed where it has a transformer. What is sensitive is audited on the way.

use std::borrow::Cow;

use groundwatch_core::Timestamp;
use groundwatch_data_protection::mask;

use crate::audit;
use crate::metric_sink::Samples;
use crate::store::StreamAddress;
use crate::treatment::Treatment;

/// Where what became of events is counted.
const OWN_NAMESPACE: &str = "AWS/Logs";
const MINUTE_SECS: u32 = 60;
/// How many events of one request are reported. Those beyond are masked and counted all the same.
const REPORTS_MAX: usize = 10_000;

/// The views of events of one stream that arrive together.
pub(crate) struct Views<'g> {
    treatment: &'g Treatment,
    address: &'g StreamAddress,
    ingested: Timestamp,
    reports: Vec<Report>,
    counts: Counts,
}

/// A report of what is sensitive in an event, and the group that is told.
pub(crate) struct Report {
    pub group: String,
    pub text: String,
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
    pub(crate) fn new(treatment: &'g Treatment, address: &'g StreamAddress, ingested: Timestamp) -> Self {
        Self { treatment, address, ingested, reports: Vec::new(), counts: Counts::default() }
    }

    /// The event's text as it may be shown. Notes what is sensitive in it.
    pub(crate) fn masked<'e>(&mut self, message: &'e [u8]) -> Cow<'e, [u8]> {
        let mut protections = self.treatment.protections(self.ingested).peekable();
        if protections.peek().is_none() {
            return Cow::Borrowed(message);
        }
        let text = String::from_utf8_lossy(message);
        let mut findings = Vec::new();
        for protection in protections {
            let found = protection.find(&text);
            if let Some(group) = protection.findings_group()
                && self.reports.len() < REPORTS_MAX
            {
                let report = audit::report(self.address, self.ingested, &text, &found);
                self.reports.extend(report.map(|text| Report { group: group.to_owned(), text }));
            }
            findings.extend(found);
        }
        if findings.is_empty() {
            return Cow::Borrowed(message);
        }
        self.counts.with_findings += 1;
        Cow::Owned(mask(&text, &findings).into_bytes())
    }

    /// What the group's transformer makes of an event, masked as the event is; the event as it is shown where
    /// there is no transformer, or it cannot do the event.
    pub(crate) fn transformed<'e>(&mut self, message: &[u8], shown: &'e [u8]) -> Cow<'e, [u8]> {
        let Some(transformer) = self.treatment.transformer(self.ingested) else {
            return Cow::Borrowed(shown);
        };
        let StreamAddress { scope, group, stream, .. } = self.address;
        match transformer.transform(scope, group, stream, self.ingested, message) {
            Ok(text) => {
                self.counts.transformed += 1;
                self.counts.transformed_bytes += text.len() as u64;
                Cow::Owned(self.treatment.masked(self.ingested, text.as_bytes()).into_owned())
            }
            Err(error) => {
                self.counts.transformation_errors += 1;
                tracing::debug!(group, stream, %error, "an event is not transformed");
                Cow::Borrowed(shown)
            }
        }
    }

    /// Adds what was counted, as AWS's own metrics, and returns the reports of what is sensitive.
    pub(crate) fn finish(self, samples: &mut Samples) -> Vec<Report> {
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

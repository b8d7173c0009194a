//! Audit of sensitive data: what was found in events goes to a log group, one event for each that had
//! something.
//!
//! Source of the form: CloudWatch Logs user guide, "Audit findings reports". Positions count characters.

use std::collections::BTreeMap;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_data_protection::Finding;
use serde::Serialize;

use crate::error::LogsError;
use crate::group::group_arn;
use crate::incarnation::LogStreamId;
use crate::logs::Logs;
use crate::store::StreamAddress;
use crate::stream::LogStream;
use crate::view::Report;

/// How many places a report lists of one kind of data. The count tells them all.
const PLACES_MAX: usize = 100;
/// How much text of reports is written at once, in bytes.
const WRITE_BYTES_MAX: usize = 1 << 20;

/// The report of what was found in the text of one event; `None` if nothing was.
pub(crate) fn report(
    address: &StreamAddress,
    at: Timestamp,
    text: &str,
    findings: &[Finding<'_>],
) -> Option<String> {
    if findings.is_empty() {
        return None;
    }
    let mut kinds: BTreeMap<&str, Kind<'_>> = BTreeMap::new();
    // Findings of one kind come in order, so each place is counted on from the one before.
    let mut counted = (0, 0);
    for finding in findings {
        let name = finding.identifier;
        let kind = kinds.entry(name).or_insert_with(|| Kind { name, count: 0, detections: Vec::new() });
        kind.count += 1;
        if kind.detections.len() < PLACES_MAX {
            if counted.0 > finding.range.start {
                counted = (0, 0);
            }
            let start = counted.1 + text[counted.0..finding.range.start].chars().count();
            let end = start + text[finding.range.clone()].chars().count();
            counted = (finding.range.start, start);
            kind.detections.push(Place { start, end });
        }
    }
    let report = FindingsReport {
        audit_timestamp: at.to_string(),
        resource_arn: format!("{}:*", group_arn(&address.scope, &address.group)),
        data_identifiers: kinds.into_values().collect(),
    };
    Some(serde_json::to_string(&report).expect("text, numbers and lists always have a JSON form"))
}

/// What is written of one event. The order of members is that of AWS's guide.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingsReport<'f> {
    audit_timestamp: String,
    resource_arn: String,
    data_identifiers: Vec<Kind<'f>>,
}

/// What was found by one identifier.
#[derive(Serialize)]
struct Kind<'f> {
    name: &'f str,
    count: usize,
    detections: Vec<Place>,
}

/// Where, in characters; the end is exclusive.
#[derive(Serialize)]
struct Place {
    start: usize,
    end: usize,
}

impl Logs {
    /// Writes reports into the groups that are told, into a stream that is called as the audited group. What
    /// is written there is not audited again. Reports are lost, and the server's log says so, where the group
    /// is no more.
    pub(crate) async fn tell_findings(
        &self,
        scope: &Scope,
        audited: &str,
        at: Timestamp,
        reports: Vec<Report>,
    ) {
        let mut of_group: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Report { group, text } in reports {
            of_group.entry(group).or_default().push(text);
        }
        for (group, reports) in of_group {
            if let Err(error) = self.write_reports(scope, &group, audited, at, &reports).await {
                tracing::warn!(%error, group, audited, "findings of sensitive data are lost");
            }
        }
    }

    async fn write_reports(
        &self,
        scope: &Scope,
        group_name: &str,
        audited: &str,
        at: Timestamp,
        reports: &[String],
    ) -> Result<(), LogsError> {
        let group = self.directory.group(scope, group_name)?;
        let stream = match self.directory.stream(scope, group.id, audited) {
            Ok(stream) => stream,
            Err(_) => {
                let stream = LogStream { id: LogStreamId::random(), created: at, flushed: None };
                match self.directory.create_stream(scope, group.id, audited, stream).await {
                    Ok(()) | Err(LogsError::StreamExists) => {}
                    Err(error) => return Err(error),
                }
                self.directory.stream(scope, group.id, audited)?
            }
        };
        let address = StreamAddress {
            scope: scope.clone(),
            group: group_name.to_owned(),
            group_id: group.id,
            stream: audited.to_owned(),
            stream_id: stream.id,
        };
        let mut rest = reports;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take_while(|report| {
                bytes += report.len();
                bytes <= WRITE_BYTES_MAX
            });
            let (some, others) = rest.split_at(fitting.count().max(1));
            let events = some.iter().map(|report| (at.as_millis(), report.as_bytes()));
            let message_bytes = some.iter().map(String::len).sum();
            self.store.append(&address, at, events, message_bytes, None).await?;
            rest = others;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_report_tells_kinds_and_places_in_characters() {
        let address = StreamAddress {
            scope: Scope::default(),
            group: "app".into(),
            group_id: crate::incarnation::GroupId::random(),
            stream: "s".into(),
            stream_id: LogStreamId::random(),
        };
        let text = "ää a@b.co c@d.co";
        let findings = [
            Finding { identifier: "EmailAddress", range: 5..11 },
            Finding { identifier: "EmailAddress", range: 12..18 },
            Finding { identifier: "Umlauts", range: 0..4 },
        ];
        let report = report(&address, Timestamp::from_secs(1_767_225_600), text, &findings).expect("found");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["resourceArn"], "arn:aws:logs:us-east-1:000000000000:log-group:app:*");
        assert_eq!(
            report["dataIdentifiers"],
            json!([
                { "name": "EmailAddress", "count": 2, "detections": [{ "start": 3, "end": 9 }, { "start": 10, "end": 16 }] },
                { "name": "Umlauts", "count": 1, "detections": [{ "start": 0, "end": 2 }] }
            ])
        );
        assert_eq!(super::report(&address, Timestamp::EPOCH, text, &[]), None);
    }
}

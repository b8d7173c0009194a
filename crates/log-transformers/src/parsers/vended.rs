//! `parseVPC`, `parseRoute53`, `parseCloudfront` and `parsePostgres`: lines that AWS's services write in one
//! form.
//!
//! Names and types of fields are those of the examples in the CloudWatch Logs user guide, "Built-in
//! processors for AWS vended logs": encoded values are decoded, whole and decimal numbers are numbers, and
//! `-` stays what it is.

use percent_encoding::percent_decode_str;
use regex::Regex;
use serde_json::Value;

use crate::event::{Event, EventError};
use crate::pipeline::Process;

/// Flow logs of a VPC in the default form.
pub(crate) struct ParseVpc;
/// Queries that public zones of Route 53 were asked.
pub(crate) struct ParseRoute53;
/// Access logs of CloudFront.
pub(crate) struct ParseCloudfront;
/// Logs of PostgreSQL in RDS, with its default prefix.
pub(crate) struct ParsePostgres {
    line: Regex,
}

#[rustfmt::skip]
const VPC: [&str; 14] = [
    "version", "#accountId", "interfaceId", "srcAddr", "dstAddr", "srcPort", "dstPort", "protocol", "packets", "bytes",
    "start", "end", "action", "logStatus",
];

#[rustfmt::skip]
const ROUTE53: [&str; 10] = [
    "version", "queryTimestamp", "hostZoneId", "queryName", "queryType", "responseCode", "protocol", "edgeLocation",
    "resolverIp", "ednsClientSubnet",
];

#[rustfmt::skip]
const CLOUDFRONT: [&str; 33] = [
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
    "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
    "x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port",
    "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
    "sc-range-end",
];

impl Process for ParseVpc {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let values: Vec<&str> = event.message.split_ascii_whitespace().collect();
        columns(event, "parseVPC", &VPC, &values)
    }
}

impl Process for ParseRoute53 {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let values: Vec<&str> = event.message.split_ascii_whitespace().collect();
        columns(event, "parseRoute53", &ROUTE53, &values)
    }
}

impl Process for ParseCloudfront {
    /// Values are apart by tabs, and hold no blanks, so that a line with blanks in their place is read as
    /// well.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let values: Vec<&str> = event.message.split_ascii_whitespace().collect();
        columns(event, "parseCloudfront", &CLOUDFRONT, &values)
    }
}

/// Gives each value its name. `#` marks what looks like a number and is none.
fn columns(
    event: &mut Event<'_>,
    processor: &'static str,
    names: &[&str],
    values: &[&str],
) -> Result<(), EventError> {
    if values.len() != names.len() {
        let reason = format!("a line has {} values, not {}", names.len(), values.len());
        return Err(EventError::unreadable(processor, reason));
    }
    for (name, value) in names.iter().zip(values) {
        let (name, value) = match name.strip_prefix('#') {
            Some(name) => (name, Value::String((*value).to_owned())),
            None => (*name, typed(value)),
        };
        event.fields.insert(name.to_owned(), value);
    }
    Ok(())
}

/// A number if it is written as one, otherwise the decoded text.
fn typed(text: &str) -> Value {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if digits && text.starts_with(|first: char| first.is_ascii_digit()) {
        if let Ok(whole) = text.parse::<i64>() {
            return Value::from(whole);
        }
        if let Ok(decimal) = text.parse::<f64>() {
            return Value::from(decimal);
        }
    }
    Value::String(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

impl ParsePostgres {
    pub(crate) fn new() -> Self {
        let line = r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Za-z]+):([^:]*):([^@]*)@([^:]*):\[(\d+)\]:([A-Z0-9]+):";
        Self { line: Regex::new(line).expect("a constant expression") }
    }
}

impl Process for ParsePostgres {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let names = ["logTime", "srcIp", "userName", "dbName", "processId", "logLevel"];
        let found = self.line.captures(event.message).ok_or_else(|| {
            EventError::unreadable("parsePostgres", "the line does not begin with the default prefix of RDS")
        })?;
        for (name, value) in names.into_iter().zip(found.iter().skip(1).flatten()) {
            event.fields.insert(name.to_owned(), Value::String(value.as_str().to_owned()));
        }
        Ok(())
    }
}

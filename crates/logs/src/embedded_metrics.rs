//! Embedded Metric Format: log events that carry metrics.
//!
//! An event is one if it is a JSON object with `_aws.CloudWatchMetrics` at its root, or if its request
//! announces it. What is wrong with one is counted in the metrics `EMFParsingErrors` (the document or its
//! directive cannot be read) and `EMFValidationErrors` (a metric or dimension that it names is missing or of
//! the wrong type) of `AWS/Logs`, by group, and said in the server's log. The event is stored in any case.

use groundwatch_core::{Timestamp, intake};
use memchr::memmem;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::metric_sink::Samples;

const METRICS_MAX: usize = 100;
const VALUES_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 30;
const MINUTE_SECS: u32 = 60;
/// Where the errors are counted.
const OWN_NAMESPACE: &str = "AWS/Logs";

/// `_aws`.
#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    directives: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: String,
    dimensions: Vec<Vec<String>>,
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: String,
    unit: Option<String>,
    storage_resolution: Option<i64>,
}

/// Adds the metrics that `message` carries, if any: it must carry some if that was `announced`. `group` and
/// `ingested` are for counting errors.
pub(crate) fn collect(
    message: &[u8],
    announced: bool,
    group: &str,
    ingested: Timestamp,
    samples: &mut Samples,
) {
    let Some(errors) = carried(message, announced, ingested, samples) else { return };
    for (name, count) in [("EMFParsingErrors", errors.parsing), ("EMFValidationErrors", errors.validation)] {
        if count > 0 {
            tracing::warn!(group, reason = errors.reason, "an event's embedded metrics are wrong");
            let dimensions = vec![("LogGroupName".to_owned(), group.to_owned())];
            let at = ingested.floor_to(MINUTE_SECS);
            let _ = samples.add((OWN_NAMESPACE, name), dimensions, at, f64::from(count), None);
        }
    }
}

/// What was wrong.
#[derive(Debug, Default, PartialEq)]
struct Errors {
    parsing: u32,
    validation: u32,
    /// The last one, in words.
    reason: String,
}

impl Errors {
    fn parsing(reason: String) -> Self {
        Self { parsing: 1, validation: 0, reason }
    }

    fn validation(&mut self, reason: String) {
        self.validation += 1;
        self.reason = reason;
    }
}

/// Adds the metrics; `None` if the message is not of this format at all, and nobody said so.
fn carried(message: &[u8], announced: bool, ingested: Timestamp, samples: &mut Samples) -> Option<Errors> {
    if !announced && !looks_like_one(message) {
        return None;
    }
    let root: Map<String, Value> = match serde_json::from_slice(message) {
        Ok(root) => root,
        Err(error) => return announced.then(|| Errors::parsing(error.to_string())),
    };
    let metadata = root.get("_aws").filter(|metadata| metadata.get("CloudWatchMetrics").is_some());
    let Some(metadata) = metadata else {
        return announced.then(|| Errors::parsing("there is no `_aws.CloudWatchMetrics`".to_owned()));
    };
    let metadata = match Metadata::deserialize(metadata) {
        Ok(metadata) => metadata,
        Err(error) => return Some(Errors::parsing(error.to_string())),
    };
    let mut errors = Errors::default();
    let moment = Timestamp::from_millis(metadata.timestamp);
    if moment < ingested - intake::AGE_MAX || moment > ingested + intake::AHEAD_MAX {
        errors.validation(format!("the time {moment} is too far away"));
        return Some(errors);
    }
    for directive in &metadata.directives {
        directive.collect(&root, moment, samples, &mut errors);
    }
    Some(errors)
}

/// Whether it is worth reading the message to know.
fn looks_like_one(message: &[u8]) -> bool {
    message.trim_ascii_start().first() == Some(&b'{') && memmem::find(message, b"\"_aws\"").is_some()
}

impl Directive {
    /// Every set of dimensions with every metric makes a metric.
    fn collect(
        &self,
        root: &Map<String, Value>,
        moment: Timestamp,
        samples: &mut Samples,
        errors: &mut Errors,
    ) {
        if self.metrics.len() > METRICS_MAX {
            return errors.validation(format!("more than {METRICS_MAX} metrics"));
        }
        for names in &self.dimensions {
            let Some(dimensions) = dimensions(root, names) else {
                errors.validation(format!("one of the dimensions {names:?} is not a text"));
                continue;
            };
            for metric in &self.metrics {
                let Some(values) = values(root.get(&metric.name)) else {
                    errors.validation(format!("`{}` is neither a number nor a list of numbers", metric.name));
                    continue;
                };
                let resolution_secs = if metric.storage_resolution == Some(1) { 1 } else { MINUTE_SECS };
                let at = moment.floor_to(resolution_secs);
                for value in values {
                    let key = (self.namespace.as_str(), metric.name.as_str());
                    if !samples.add(key, dimensions.clone(), at, value, metric.unit.as_deref()) {
                        errors.validation(format!("`{}` is nothing that a metric can hold", metric.name));
                    }
                }
            }
        }
    }
}

fn dimensions(root: &Map<String, Value>, names: &[String]) -> Option<Vec<(String, String)>> {
    let dimension = |name: &String| Some((name.clone(), root.get(name)?.as_str()?.to_owned()));
    let mut dimensions: Vec<_> = names.iter().map(dimension).collect::<Option<_>>()?;
    dimensions.sort_unstable();
    dimensions.dedup();
    (dimensions.len() <= DIMENSIONS_MAX).then_some(dimensions)
}

fn values(target: Option<&Value>) -> Option<Vec<f64>> {
    match target? {
        Value::Array(values) if values.len() <= VALUES_MAX => values.iter().map(Value::as_f64).collect(),
        value => Some(vec![value.as_f64()?]),
    }
}

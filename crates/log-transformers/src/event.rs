//! A log event on its way through a pipeline.

use std::borrow::Cow;

use groundwatch_core::Timestamp;
use serde_json::{Map, Value};

use crate::path::{Path, PathError};

/// Longer events are not transformed. Source: CloudWatch Logs user guide, "Transform logs during ingestion".
pub const EVENT_BYTES_MAX: usize = 512 * 1024;
/// How many fields, lists counting as one, a transformed event has. Source: as above, "Create and manage log
/// transformers".
pub const FIELDS_MAX: usize = 200;
/// The longest text that a processor or a pipeline makes. Ours: the largest event that can be ingested.
pub const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// The name of the whole text of an event.
pub(crate) const MESSAGE: &str = "@message";

/// Where an event came from, and when.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The account, as twelve digits.
    pub account: &'a str,
    /// The region's name.
    pub region: &'a str,
    /// The group's name.
    pub group: &'a str,
    /// The stream's name.
    pub stream: &'a str,
    /// When it arrived: dates without a year are of this year.
    pub ingested: Timestamp,
}

/// Why an event is not transformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The event is longer than [`EVENT_BYTES_MAX`].
    #[error("the event has more than {EVENT_BYTES_MAX} bytes")]
    TooLong,
    /// A parser's source is not there, or no text.
    #[error("{processor}: there is no text to read")]
    NoSource {
        /// The parser.
        processor: &'static str,
    },
    /// A processor cannot read its source.
    #[error("{processor}: {reason}")]
    Unreadable {
        /// The processor.
        processor: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The event would have more than [`FIELDS_MAX`] fields.
    #[error("the transformed event has more than {FIELDS_MAX} fields")]
    TooManyFields,
    /// The event would be longer than [`OUTPUT_BYTES_MAX`].
    #[error("the transformed event has more than {OUTPUT_BYTES_MAX} bytes")]
    TooLarge,
}

impl EventError {
    pub(crate) fn unreadable(processor: &'static str, reason: impl Into<String>) -> Self {
        Self::Unreadable { processor, reason: reason.into() }
    }
}

/// A log event: its text, and the fields that parsers have found.
pub(crate) struct Event<'a> {
    pub(crate) message: &'a str,
    pub(crate) origin: Origin<'a>,
    pub(crate) fields: Map<String, Value>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(message: &'a str, origin: Origin<'a>) -> Self {
        Self { message, origin, fields: Map::new() }
    }

    /// The event as it leaves the pipeline.
    pub(crate) fn into_text(self) -> Result<String, EventError> {
        if count(&self.fields) > FIELDS_MAX {
            return Err(EventError::TooManyFields);
        }
        let text = Value::Object(self.fields).to_string();
        if text.len() > OUTPUT_BYTES_MAX { Err(EventError::TooLarge) } else { Ok(text) }
    }
}

/// The fields of an object; what is in lists does not count.
fn count(object: &Map<String, Value>) -> usize {
    object.values().map(|value| value.as_object().map_or(1, |inner| count(inner).max(1))).sum()
}

/// What a parser reads.
pub(crate) enum Source {
    Message,
    Field(Path),
}

impl Source {
    /// The whole text without a `source`.
    pub(crate) fn parse(source: Option<&str>) -> Result<Self, PathError> {
        match source {
            None | Some(MESSAGE) => Ok(Self::Message),
            Some(path) => Path::parse(path).map(Self::Field),
        }
    }

    /// The text that a parser reads: the whole text is borrowed, that of a field copied, for the parser
    /// changes fields.
    pub(crate) fn text<'a>(
        &self,
        event: &Event<'a>,
        processor: &'static str,
    ) -> Result<Cow<'a, str>, EventError> {
        match self {
            Self::Message => Ok(Cow::Borrowed(event.message)),
            Self::Field(path) => match path.get(&event.fields) {
                Some(Value::String(text)) => Ok(Cow::Owned(text.clone())),
                _ => Err(EventError::NoSource { processor }),
            },
        }
    }
}

/// Where a parser puts its fields.
pub(crate) struct Destination(Option<Path>);

impl Destination {
    /// The root without a `destination`.
    pub(crate) fn parse(destination: Option<&str>) -> Result<Self, PathError> {
        destination.map(Path::parse).transpose().map(Self)
    }

    /// The object to put fields into.
    pub(crate) fn object<'v>(
        &self,
        event: &'v mut Event<'_>,
        processor: &'static str,
    ) -> Result<&'v mut Map<String, Value>, EventError> {
        match &self.0 {
            None => Ok(&mut event.fields),
            Some(path) => path
                .object(&mut event.fields)
                .ok_or_else(|| EventError::unreadable(processor, "the destination is taken by a value")),
        }
    }
}

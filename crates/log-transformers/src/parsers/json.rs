//! `parseJSON`: text that is a JSON object.

use groundwatch_api::logs::ParseJSON;
use serde_json::{Map, Value};

use crate::event::{Destination, Event, EventError, Source};
use crate::path::put;
use crate::pipeline::{Cause, Process};

const NAME: &str = "parseJSON";

pub(crate) struct ParseJson {
    source: Source,
    destination: Destination,
}

impl ParseJson {
    pub(crate) fn new(config: &ParseJSON) -> Result<Self, Cause> {
        Ok(Self {
            source: Source::parse(config.source.as_deref())?,
            destination: Destination::parse(config.destination.as_deref())?,
        })
    }
}

impl Process for ParseJson {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let text = self.source.text(event, NAME)?;
        let parsed = object(&text, NAME)?;
        let into = self.destination.object(event, NAME)?;
        for (key, value) in parsed {
            put(into, key, value, true);
        }
        Ok(())
    }
}

/// Text that must be a JSON object.
pub(super) fn object(text: &str, processor: &'static str) -> Result<Map<String, Value>, EventError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(EventError::unreadable(processor, "the text is not a JSON object")),
        Err(error) => Err(EventError::unreadable(processor, format!("the text is not JSON: {error}"))),
    }
}

//! `parseKeyValue`: pairs with delimiters.

use groundwatch_api::logs;
use serde_json::Value;

use crate::event::{Destination, Event, EventError, Source};
use crate::path::put;
use crate::pipeline::{Cause, Process};

const NAME: &str = "parseKeyValue";

pub(crate) struct ParseKeyValue {
    source: Source,
    destination: Destination,
    field_delimiter: String,
    key_value_delimiter: String,
    key_prefix: String,
    non_match_value: Value,
    overwrite: bool,
}

impl ParseKeyValue {
    pub(crate) fn new(config: &logs::ParseKeyValue) -> Result<Self, Cause> {
        let or = |given: &Option<String>, default: &str| given.clone().unwrap_or_else(|| default.to_owned());
        Ok(Self {
            source: Source::parse(config.source.as_deref())?,
            destination: Destination::parse(config.destination.as_deref())?,
            field_delimiter: or(&config.field_delimiter, "&"),
            key_value_delimiter: or(&config.key_value_delimiter, "="),
            key_prefix: or(&config.key_prefix, ""),
            // What is no pair has a key all the same.
            non_match_value: config.non_match_value.clone().map_or(Value::Null, Value::String),
            overwrite: config.overwrite_if_exists.unwrap_or(false),
        })
    }
}

impl Process for ParseKeyValue {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let text = self.source.text(event, NAME)?;
        let into = self.destination.object(event, NAME)?;
        for field in text.split(self.field_delimiter.as_str()).filter(|field| !field.is_empty()) {
            let (key, value) = match field.split_once(self.key_value_delimiter.as_str()) {
                Some((key, value)) => (key, Value::String(value.to_owned())),
                None => (field, self.non_match_value.clone()),
            };
            put(into, format!("{}{key}", self.key_prefix), value, self.overwrite);
        }
        Ok(())
    }
}

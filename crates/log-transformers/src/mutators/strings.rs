//! `lowerCaseString`, `upperCaseString`, `trimString` and `splitString`: fields that are no texts stay as
//! they are.

use groundwatch_api::logs;
use serde_json::Value;

use super::keys::paths;
use crate::event::{Event, EventError, OUTPUT_BYTES_MAX};
use crate::path::{Path, PathError};
use crate::pipeline::{Cause, Process};

/// To lower or to upper case.
pub(crate) struct ChangeCase {
    keys: Vec<Path>,
    change: fn(&str) -> String,
}

impl ChangeCase {
    pub(crate) fn to_lower(config: &logs::LowerCaseString) -> Result<Self, Cause> {
        Ok(Self { keys: paths(config.with_keys.as_deref())?, change: str::to_lowercase })
    }

    pub(crate) fn to_upper(config: &logs::UpperCaseString) -> Result<Self, Cause> {
        Ok(Self { keys: paths(config.with_keys.as_deref())?, change: str::to_uppercase })
    }
}

impl Process for ChangeCase {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for key in &self.keys {
            if let Some(Value::String(text)) = key.get_mut(&mut event.fields) {
                *text = (self.change)(text);
                // A letter's other case can be longer.
                if text.len() > OUTPUT_BYTES_MAX {
                    return Err(EventError::TooLarge);
                }
            }
        }
        Ok(())
    }
}

pub(crate) struct TrimString {
    keys: Vec<Path>,
}

impl TrimString {
    pub(crate) fn new(config: &logs::TrimString) -> Result<Self, Cause> {
        Ok(Self { keys: paths(config.with_keys.as_deref())? })
    }
}

impl Process for TrimString {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for key in &self.keys {
            if let Some(Value::String(text)) = key.get_mut(&mut event.fields) {
                *text = text.trim().to_owned();
            }
        }
        Ok(())
    }
}

pub(crate) struct SplitString {
    entries: Vec<(Path, String)>,
}

impl SplitString {
    pub(crate) fn new(config: &logs::SplitString) -> Result<Self, Cause> {
        let entry = |entry: &logs::SplitStringEntry| {
            let source = Path::parse(entry.source.as_deref().unwrap_or_default())?;
            Ok((source, entry.delimiter.clone().unwrap_or_default()))
        };
        let entries = config.entries.iter().flatten().map(entry).collect::<Result<Vec<_>, PathError>>()?;
        if entries.iter().any(|(_, delimiter)| delimiter.is_empty()) {
            return Err(Cause::member("delimiter", "it must not be empty"));
        }
        Ok(Self { entries })
    }
}

impl Process for SplitString {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for (source, delimiter) in &self.entries {
            if let Some(value) = source.get_mut(&mut event.fields)
                && let Value::String(text) = value
            {
                let parts = text.split(delimiter.as_str()).map(|part| Value::String(part.to_owned()));
                *value = Value::Array(parts.collect());
            }
        }
        Ok(())
    }
}

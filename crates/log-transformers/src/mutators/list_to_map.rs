//! `listToMap`: a list of objects as one object, by the value that each has under a key.

use groundwatch_api::logs::{self, FlattenedElement};
use serde_json::{Map, Value};

use crate::event::{Event, EventError};
use crate::path::{Path, put};
use crate::pipeline::{Cause, Process};

pub(crate) struct ListToMap {
    source: Path,
    key: Path,
    value_key: Option<Path>,
    target: Option<Path>,
    keep: Keep,
}

/// Which of the objects with the same key are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// All, in a list.
    All,
    First,
    Last,
}

impl ListToMap {
    pub(crate) fn new(config: &logs::ListToMap) -> Result<Self, Cause> {
        let keep = match (config.flatten.unwrap_or(false), &config.flattened_element) {
            (false, _) => Keep::All,
            (true, Some(FlattenedElement::First)) => Keep::First,
            (true, Some(FlattenedElement::Last)) => Keep::Last,
            (true, Some(FlattenedElement::Unknown(_)) | None) => {
                return Err(Cause::member("flattenedElement", "it must be given if flatten is true"));
            }
        };
        let optional = |path: &Option<String>| path.as_deref().map(Path::parse).transpose();
        Ok(Self {
            source: Path::parse(config.source.as_deref().unwrap_or_default())?,
            key: Path::parse(config.key.as_deref().unwrap_or_default())?,
            value_key: optional(&config.value_key)?,
            target: optional(&config.target)?,
            keep,
        })
    }

    /// The key and the value that an element of the list makes.
    fn pair(&self, element: &Value) -> Option<(String, Value)> {
        let object = element.as_object()?;
        let key = match self.key.get(object)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => return None,
        };
        let value = match &self.value_key {
            Some(value_key) => value_key.get(object)?.clone(),
            None => element.clone(),
        };
        Some((key, value))
    }
}

impl Process for ListToMap {
    /// Elements without the key make nothing.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let Some(Value::Array(list)) = self.source.get(&event.fields) else { return Ok(()) };
        let mut made: Map<String, Value> = Map::new();
        for (key, value) in list.iter().filter_map(|element| self.pair(element)) {
            match self.keep {
                Keep::First => put(&mut made, key, value, false),
                Keep::Last => put(&mut made, key, value, true),
                Keep::All => {
                    if let Value::Array(values) = made.entry(key).or_insert_with(|| Value::Array(Vec::new()))
                    {
                        values.push(value);
                    }
                }
            }
        }
        match &self.target {
            Some(target) => target.set(&mut event.fields, Value::Object(made), true),
            None => event.fields.extend(made),
        }
        Ok(())
    }
}

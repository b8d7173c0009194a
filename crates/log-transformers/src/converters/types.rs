//! `typeConverter`: numbers, truth values and texts into each other.

use groundwatch_api::logs::{self, Type};
use serde_json::Value;

use crate::event::{Event, EventError};
use crate::path::Path;
use crate::pipeline::{Cause, Process};

const NAME: &str = "typeConverter";

pub(crate) struct TypeConverter {
    entries: Vec<(Path, Target)>,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    Integer,
    Double,
    Text,
    Boolean,
}

impl TypeConverter {
    pub(crate) fn new(config: &logs::TypeConverter) -> Result<Self, Cause> {
        let entry = |entry: &logs::TypeConverterEntry| {
            let target = match &entry.r#type {
                Some(Type::Integer) => Target::Integer,
                Some(Type::Double) => Target::Double,
                Some(Type::String) => Target::Text,
                Some(Type::Boolean) => Target::Boolean,
                Some(Type::Unknown(_)) | None => {
                    return Err(Cause::member("type", "it is integer, double, string or boolean"));
                }
            };
            Ok((Path::parse(entry.key.as_deref().unwrap_or_default())?, target))
        };
        Ok(Self { entries: config.entries.iter().flatten().map(entry).collect::<Result<_, Cause>>()? })
    }
}

impl Process for TypeConverter {
    /// A field that is not there or null stays so.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for (key, target) in &self.entries {
            let Some(value) = key.get_mut(&mut event.fields).filter(|value| !value.is_null()) else {
                continue;
            };
            *value = target.of(value).ok_or_else(|| {
                EventError::unreadable(NAME, format!("'{}' cannot be converted", key.key()))
            })?;
        }
        Ok(())
    }
}

impl Target {
    /// The value converted; `None` if it says nothing of this type.
    fn of(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Integer, Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
            (Self::Integer, Value::Number(number)) => {
                // Decimals are cut, as a cast in Java does.
                number.as_i64().or_else(|| number.as_f64().map(|decimal| decimal as i64)).map(Value::from)
            }
            (Self::Double, Value::String(text)) => {
                text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
            }
            (Self::Double, Value::Number(number)) => number.as_f64().map(Value::from),
            (Self::Boolean, Value::String(text)) => match text.trim() {
                text if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
                text if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
                _ => None,
            },
            (Self::Text, Value::String(_)) | (Self::Boolean, Value::Bool(_)) => Some(value.clone()),
            (Self::Text, Value::Number(number)) => Some(Value::String(number.to_string())),
            (Self::Text, Value::Bool(truth)) => Some(Value::String(truth.to_string())),
            _ => None,
        }
    }
}

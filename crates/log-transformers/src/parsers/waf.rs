//! `parseWAF`: records of AWS WAF, with lists of pairs as objects.

use serde_json::{Map, Value};

use super::json;
use crate::event::{Event, EventError};
use crate::pipeline::Process;

const NAME: &str = "parseWAF";

pub(crate) struct ParseWaf;

impl Process for ParseWaf {
    /// Headers become keys with values. Labels have no values but their names, so each is its own value, as
    /// in the example of AWS's guide.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let mut record = json::object(event.message, NAME)?;
        if let Some(headers) = record.get_mut("httpRequest").and_then(|request| request.get_mut("headers")) {
            object_of(headers, "value");
        }
        if let Some(labels) = record.get_mut("labels") {
            object_of(labels, "name");
        }
        event.fields.extend(record);
        Ok(())
    }
}

/// Turns a list of objects with a `name` into one object: from their names to their `value_key`. Anything
/// else stays.
fn object_of(list: &mut Value, value_key: &str) {
    let Some(items) = list.as_array() else { return };
    let pair = |item: &Value| Some((item.get("name")?.as_str()?.to_owned(), item.get(value_key)?.clone()));
    if let Some(object) = items.iter().map(pair).collect::<Option<Map<String, Value>>>() {
        *list = Value::Object(object);
    }
}

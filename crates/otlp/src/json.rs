//! Where OTLP's JSON is not plain: 64-bit integers may be texts, ids are hexadecimal, and lists may be null.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::messages::{AnyValue, ArrayValue, KeyValueList, Value};

/// A list that may be null.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A number, or a text that is one.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => number.as_u64().ok_or_else(|| D::Error::custom("not a whole number")),
        NumberOrText::Text(text) => text.parse().map_err(D::Error::custom),
    }
}

/// Bytes as hexadecimal digits, in either case.
pub(crate) fn hexadecimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    hex::decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(serde_json::Number),
    Text(String),
}

/// `AnyValue` as JSON has it: an object with one of these members, or none for null.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OneValue {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Int>,
    double_value: Option<f64>,
    array_value: Option<ArrayValue>,
    kvlist_value: Option<KeyValueList>,
    bytes_value: Option<Base64>,
}

impl From<OneValue> for AnyValue {
    fn from(one: OneValue) -> Self {
        let value = None
            .or(one.string_value.map(Value::String))
            .or(one.bool_value.map(Value::Bool))
            .or(one.int_value.map(|int| Value::Int(int.0)))
            .or(one.double_value.map(Value::Double))
            .or(one.array_value.map(Value::Array))
            .or(one.kvlist_value.map(Value::KeyValues))
            .or(one.bytes_value.map(|bytes| Value::Bytes(bytes.0)));
        Self { value }
    }
}

/// A signed number, or a text that is one.
struct Int(i64);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) => number.as_i64(),
            NumberOrText::Text(text) => text.parse().ok(),
        };
        number.map(Self).ok_or_else(|| D::Error::custom("not a whole number"))
    }
}

struct Base64(Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

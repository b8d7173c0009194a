//! Typed values beside a message. SNS and SQS have the same ones: what one has taken in, the other is given.

use serde::{Deserialize, Serialize};

/// One attribute. Its name is kept by whoever keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAttribute {
    /// `String`, `String.Array`, `Number` or `Binary`; behind a dot there may be a type of the sender's own.
    pub data_type: String,
    /// Its value.
    pub value: AttributeValue,
}

/// An attribute's value, as its type wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// Of texts, arrays (in JSON) and numbers (in decimal digits).
    Text(String),
    /// Of binary values.
    Binary(#[serde(with = "base64_or_bytes")] Vec<u8>),
}

impl MessageAttribute {
    /// How long it is without its name, in bytes, as AWS's limits of messages count it.
    pub fn size_bytes(&self) -> usize {
        self.data_type.len() + self.value.as_bytes().len()
    }
}

impl AttributeValue {
    /// The text or the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// Bytes as base64 in formats that people read.
mod base64_or_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.serialize_str(&STANDARD.encode(bytes)),
            false => bytes.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        match deserializer.is_human_readable() {
            true => STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom),
            false => Vec::deserialize(deserializer),
        }
    }
}

//! Message attributes: typed values beside a message, which filter policies read and subscribers get.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The attributes of one message, by name.
pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAttribute {
    /// `String`, `String.Array`, `Number` or `Binary`; behind a dot there may be a type of the publisher's own.
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
    Binary(Vec<u8>),
}

//! Message attributes: typed values beside a message, which filter policies read and subscribers get.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundwatch_api::sns::MessageAttributeValue;
pub use groundwatch_api::{AttributeValue, MessageAttribute};

/// The longest name of an attribute, in characters.
const NAME_LENGTH_MAX: usize = 256;

/// The attributes of one message, by name.
pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// What is wrong with a message attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttribute {
    /// Its name is empty, too long, or has characters or dots that names cannot have.
    #[error("attribute name `{0}` is malformed")]
    Name(String),
    /// Its type is none that messages have.
    #[error("attribute `{0}` has an unknown type")]
    Type(String),
    /// It has no value, or one that is empty.
    #[error("attribute `{name}` has no value of type {data_type}")]
    NoValue {
        /// The attribute's name.
        name: String,
        /// The type that it says to have.
        data_type: String,
    },
    /// It says to be a number and is not.
    #[error("attribute `{0}` is not a number")]
    Number(String),
}

/// A text of this server's own.
pub(crate) fn own_text(text: String) -> MessageAttribute {
    MessageAttribute { data_type: "String".to_owned(), value: AttributeValue::Text(text) }
}

/// A value as it stands in SNS's JSON: bytes in base64.
pub(crate) fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Binary(bytes) => STANDARD.encode(bytes),
    }
}

/// The attributes of a message, as its publisher gave them.
pub(crate) fn read(
    given: BTreeMap<String, MessageAttributeValue>,
) -> Result<MessageAttributes, InvalidAttribute> {
    given
        .into_iter()
        .map(|(name, value)| attribute(&name, value).map(|attribute| (name, attribute)))
        .collect()
}

/// The attribute called `name`, as a publisher gave it.
fn attribute(name: &str, given: MessageAttributeValue) -> Result<MessageAttribute, InvalidAttribute> {
    check_name(name)?;
    let data_type = given.data_type.unwrap_or_default();
    let no_value = || InvalidAttribute::NoValue { name: name.to_owned(), data_type: data_type.clone() };
    let text = given.string_value.filter(|text| !text.is_empty());
    let kind = data_type.split('.').next().unwrap_or_default();
    let value = match kind {
        "Binary" => {
            let bytes = given.binary_value.filter(|bytes| !bytes.0.is_empty()).ok_or_else(no_value)?;
            AttributeValue::Binary(bytes.0)
        }
        "Number" => {
            let text = text.ok_or_else(no_value)?;
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err(InvalidAttribute::Number(name.to_owned()));
            }
            AttributeValue::Text(text)
        }
        "String" => AttributeValue::Text(text.ok_or_else(no_value)?),
        _ => return Err(InvalidAttribute::Type(name.to_owned())),
    };
    Ok(MessageAttribute { data_type, value })
}

fn check_name(name: &str) -> Result<(), InvalidAttribute> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let length = (1..=NAME_LENGTH_MAX).contains(&name.len());
    if length && !dots && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(InvalidAttribute::Name(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_api::Blob;

    use super::*;

    fn text(data_type: &str, value: &str) -> MessageAttributeValue {
        MessageAttributeValue {
            data_type: Some(data_type.to_owned()),
            string_value: Some(value.to_owned()),
            binary_value: None,
        }
    }

    #[test]
    fn values_are_of_their_type() {
        let check = |given: MessageAttributeValue, allowed: bool| {
            assert_eq!(attribute("name", given.clone()).is_ok(), allowed, "{given:?}");
        };
        check(text("String", "x"), true);
        check(text("String.custom", "x"), true);
        check(text("String.Array", "[1]"), true);
        check(text("Number.java.lang.Long", "42"), true);
        check(text("Number", "-1.5e3"), true);
        check(text("Number", "error"), false);
        check(text("Number", "inf"), false);
        check(text("String", ""), false);
        check(text("", "x"), false);
        check(text("Boolean", "true"), false);
        check(text("Binary", "x"), false);
        let binary = |bytes: Vec<u8>| MessageAttributeValue {
            data_type: Some("Binary".to_owned()),
            string_value: None,
            binary_value: Some(Blob(bytes)),
        };
        check(binary(vec![2, 3, 4]), true);
        check(binary(vec![]), false);
    }

    #[test]
    fn names_have_no_stray_dots() {
        let check = |name: &str, allowed: bool| {
            assert_eq!(attribute(name, text("String", "x")).is_ok(), allowed, "{name}");
        };
        check("a.b-c_d9", true);
        check("", false);
        check(".a", false);
        check("a.", false);
        check("a..b", false);
        check("a b", false);
        check(&"a".repeat(257), false);
    }

    #[test]
    fn an_attribute_is_kept_as_json() {
        let attribute =
            MessageAttribute { data_type: "Binary".to_owned(), value: AttributeValue::Binary(vec![0, 255]) };
        let kept = serde_json::to_string(&attribute).expect("JSON");
        assert_eq!(kept, r#"{"data_type":"Binary","value":{"Binary":"AP8="}}"#);
        assert_eq!(serde_json::from_str::<MessageAttribute>(&kept).expect("read again"), attribute);
    }
}

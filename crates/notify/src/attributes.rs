//! Message attributes: typed values beside a message, which filter policies read and subscribers get.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundwatch_api::sns::MessageAttributeValue;
pub use groundwatch_api::{AttributeValue, MessageAttribute};

/// The longest name of an attribute, in characters.
pub(crate) const NAME_LENGTH_MAX: usize = 256;

/// The attributes of one message, by name.
pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// What is wrong with a message attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttribute {
    /// Its name is empty or too long.
    #[error("attribute name is empty or too long")]
    NameLength,
    /// Its name has a character that names cannot have.
    #[error("attribute name has the character `{0}`")]
    NameCharacter(char),
    /// Its name has a dot where none can be.
    #[error("attribute name has a dot at {0:?}")]
    NameDot(Dot),
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
    /// Its value is not where values of its type are.
    #[error("attribute `{name}` of type {data_type} has no {field} value")]
    Field {
        /// The attribute's name.
        name: String,
        /// The type that it says to have.
        data_type: String,
        /// Where the value belongs.
        field: &'static str,
    },
    /// It says to be a number and is not.
    #[error("attribute `{0}` is not a number")]
    Number(String),
}

/// Where a name has a dot that it cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dot {
    /// At its start.
    Start,
    /// At its end.
    End,
    /// Behind another.
    Successive,
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
    let text = given.string_value.filter(|text| !text.is_empty());
    let bytes = given.binary_value.map(|blob| blob.0).filter(|bytes| !bytes.is_empty());
    let kind = match data_type.split_once('.') {
        Some((_, "")) => "",
        Some((kind, _)) => kind,
        None => data_type.as_str(),
    };
    let field = match kind {
        "Binary" => "Binary",
        "String" | "Number" => "String",
        _ => return Err(InvalidAttribute::Type(name.to_owned())),
    };
    match (field, text, bytes) {
        ("Binary", _, Some(bytes)) => {
            Ok(MessageAttribute { data_type, value: AttributeValue::Binary(bytes) })
        }
        ("String", Some(text), _) if kind == "Number" && !text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Err(InvalidAttribute::Number(name.to_owned()))
        }
        ("String", Some(text), _) => Ok(MessageAttribute { data_type, value: AttributeValue::Text(text) }),
        (_, None, None) => Err(InvalidAttribute::NoValue { name: name.to_owned(), data_type }),
        _ => Err(InvalidAttribute::Field { name: name.to_owned(), data_type, field }),
    }
}

fn check_name(name: &str) -> Result<(), InvalidAttribute> {
    if !(1..=NAME_LENGTH_MAX).contains(&name.len()) {
        return Err(InvalidAttribute::NameLength);
    }
    if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"_-.".contains(*c)) {
        return Err(InvalidAttribute::NameCharacter(c));
    }
    match () {
        () if name.starts_with('.') => Err(InvalidAttribute::NameDot(Dot::Start)),
        () if name.ends_with('.') => Err(InvalidAttribute::NameDot(Dot::End)),
        () if name.contains("..") => Err(InvalidAttribute::NameDot(Dot::Successive)),
        () => Ok(()),
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
        check(text("String.", "x"), false);
        check(text("Stringy", "x"), false);
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
    fn what_is_wrong_with_a_name_is_told_apart() {
        let check = |name: &str, expected: Option<InvalidAttribute>| {
            assert_eq!(attribute(name, text("String", "x")).err(), expected, "{name}");
        };
        check("a.b-c_d9", None);
        check("", Some(InvalidAttribute::NameLength));
        check(&"a".repeat(257), Some(InvalidAttribute::NameLength));
        check(".a", Some(InvalidAttribute::NameDot(Dot::Start)));
        check("a.", Some(InvalidAttribute::NameDot(Dot::End)));
        check("a..b", Some(InvalidAttribute::NameDot(Dot::Successive)));
        check("a b", Some(InvalidAttribute::NameCharacter(' ')));
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

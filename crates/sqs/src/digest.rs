//! The digests that SQS's clients check: MD5 of bodies and attributes, SHA-256 of bodies.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::message::{AttributeValue, MessageAttribute};

/// MD5 of a text, in hexadecimal.
pub(crate) fn md5_of_text(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

/// MD5 of attributes as AWS's developer guide lays them out: by name, each part behind its length; `None` if
/// there are none.
pub(crate) fn md5_of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a str, &'a MessageAttribute)>,
) -> Option<String> {
    let mut md5 = Md5::new();
    let sorted: BTreeMap<_, _> = attributes.into_iter().collect();
    if sorted.is_empty() {
        return None;
    }
    for (name, attribute) in sorted {
        part(&mut md5, name.as_bytes());
        part(&mut md5, attribute.data_type.as_bytes());
        md5.update([match attribute.value {
            AttributeValue::Text(_) => 1,
            AttributeValue::Binary(_) => 2,
        }]);
        part(&mut md5, attribute.value.as_bytes());
    }
    Some(hex::encode(md5.finalize()))
}

fn part(md5: &mut Md5, bytes: &[u8]) {
    // A message has at most 1 MiB.
    md5.update((bytes.len() as u32).to_be_bytes());
    md5.update(bytes);
}

/// The deduplication id that content-based deduplication gives a body.
pub(crate) fn sha256_of_text(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_md5_of_its_text() {
        assert_eq!(md5_of_text("This is a test message"), "fafb00f5732ab283681e124bf8747ed1");
        assert_eq!(sha256_of_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    /// Laid out by hand: lengths in four bytes, then the transport type.
    #[test]
    fn attributes_are_digested_in_the_order_of_their_names() {
        let text = |value: &str| MessageAttribute {
            data_type: "String".to_owned(),
            value: AttributeValue::Text(value.to_owned()),
        };
        let binary =
            MessageAttribute { data_type: "Binary".to_owned(), value: AttributeValue::Binary(vec![7]) };
        let laid_out =
            b"\0\0\0\x01a\0\0\0\x06Binary\x02\0\0\0\x01\x07\0\0\0\x01b\0\0\0\x06String\x01\0\0\0\x02xy";
        let (b, a) = (text("xy"), binary);
        assert_eq!(md5_of_attributes([("b", &b), ("a", &a)]), Some(hex::encode(Md5::digest(laid_out))));
        assert_eq!(md5_of_attributes([]), None);
    }
}

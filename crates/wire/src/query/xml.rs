//! Shapes into the XML of AWS's query protocol, through `serde`.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundwatch_api::{Flattened, WireTimestamp};
use groundwatch_core::{JavaDouble, Timestamp};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};

use crate::Malformed;
use crate::unmodelled::refuse_unmodelled;

pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    flattened: &'static [Flattened],
) -> Result<String, Malformed> {
    let mut out = String::new();
    value.serialize(Content { out: &mut out, timestamp: false, flattened, names: None })?;
    Ok(out)
}

/// Text as it may stand between tags. XML 1.0 has no way at all to write most control characters (not even as
/// references, parsers refuse the document): they become U+FFFD.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\r') || is_unwritable(c);
    let Some(first) = text.find(special) else { return Cow::Borrowed(text) };
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(&text[..first]);
    for c in text[first..].chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Parsers turn a bare one into a line feed.
            '\r' => escaped.push_str("&#xD;"),
            c if is_unwritable(c) => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

fn is_unwritable(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Writes what stands inside an element; whoever holds it writes the tags.
struct Content<'o> {
    out: &'o mut String,
    /// Whether the value, a number of epoch seconds, is to be written as ISO 8601.
    timestamp: bool,
    flattened: &'static [Flattened],
    /// The names in the value, a list or map, if it is flattened.
    names: Option<&'static Flattened>,
}

impl Content<'_> {
    fn display(self, value: impl std::fmt::Display) -> Result<(), Malformed> {
        // Writing to a `String` does not fail.
        let _ = write!(self.out, "{value}");
        Ok(())
    }
}

/// Writes one element, as `<name/>` if there is nothing in it.
fn element<T: Serialize + ?Sized>(
    out: &mut String,
    name: &str,
    value: &T,
    flattened: &'static [Flattened],
) -> Result<(), Malformed> {
    let start = out.len();
    open(out, name);
    let inside = out.len();
    value.serialize(Content { out, timestamp: false, flattened, names: None })?;
    if out.len() > inside {
        close(out, name);
    } else {
        out.truncate(start);
        let _ = write!(out, "<{name}/>");
    }
    Ok(())
}

fn open(out: &mut String, name: &str) {
    let _ = write!(out, "<{name}>");
}

fn close(out: &mut String, name: &str) {
    let _ = write!(out, "</{name}>");
}

macro_rules! display {
    ($($method:ident($type:ty)),+) => {
        $(fn $method(self, value: $type) -> Result<(), Malformed> {
            self.display(value)
        })+
    };
}

impl<'o> serde::Serializer for Content<'o> {
    type Ok = ();
    type Error = Malformed;
    type SerializeSeq = Contents<'o>;
    type SerializeMap = Contents<'o>;
    type SerializeStruct = Members<'o>;

    refuse_unmodelled!();

    display! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_u8(u8),
        serialize_u16(u16), serialize_u32(u32), serialize_u64(u64)
    }

    fn serialize_i64(self, value: i64) -> Result<(), Malformed> {
        if self.timestamp { self.display(Timestamp::from_secs(value)) } else { self.display(value) }
    }

    fn serialize_f32(self, value: f32) -> Result<(), Malformed> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Malformed> {
        match Timestamp::from_secs_f64(value) {
            Some(timestamp) if self.timestamp => self.display(timestamp),
            _ => self.display(JavaDouble(value)),
        }
    }

    fn serialize_char(self, value: char) -> Result<(), Malformed> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Malformed> {
        self.out.push_str(&escape(value));
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Malformed> {
        STANDARD.encode_string(value, self.out);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Malformed> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Malformed> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Malformed> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Malformed> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Malformed> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Malformed> {
        value.serialize(Content { timestamp: name == WireTimestamp::NAME, ..self })
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Contents<'o>, Malformed> {
        Ok(Contents { out: self.out, flattened: self.flattened, names: self.names.unwrap_or(&LIST) })
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Contents<'o>, Malformed> {
        Ok(Contents { out: self.out, flattened: self.flattened, names: self.names.unwrap_or(&MAP) })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStruct, Malformed> {
        Ok(Members { out: self.out, flattened: self.flattened, structure: name })
    }
}

/// How a list calls its elements where nothing else is said.
static LIST: Flattened = Flattened { structure: "", member: "", element: "member", entry: ("", "") };
/// How a map calls its entries where nothing else is said.
static MAP: Flattened = Flattened { structure: "", member: "", element: "entry", entry: ("key", "value") };

/// The inside of a list or map.
struct Contents<'o> {
    out: &'o mut String,
    flattened: &'static [Flattened],
    names: &'static Flattened,
}

impl SerializeSeq for Contents<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        element(self.out, self.names.element, value, self.flattened)
    }

    fn end(self) -> Result<(), Malformed> {
        Ok(())
    }
}

impl SerializeMap for Contents<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Malformed> {
        open(self.out, self.names.element);
        element(self.out, self.names.entry.0, key, self.flattened)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        element(self.out, self.names.entry.1, value, self.flattened)?;
        close(self.out, self.names.element);
        Ok(())
    }

    fn end(self) -> Result<(), Malformed> {
        Ok(())
    }
}

/// The inside of a structure.
struct Members<'o> {
    out: &'o mut String,
    flattened: &'static [Flattened],
    structure: &'static str,
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Malformed> {
        let is_meant = |known: &&Flattened| known.structure == self.structure && known.member == key;
        match self.flattened.iter().find(is_meant) {
            Some(names) => {
                // Its elements only: an empty one leaves no trace.
                let flattened = self.flattened;
                value.serialize(Content { out: self.out, timestamp: false, flattened, names: Some(names) })
            }
            None => element(self.out, key, value, self.flattened),
        }
    }

    fn end(self) -> Result<(), Malformed> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use groundwatch_api::Blob;

    use super::*;

    #[derive(Default, Serialize)]
    struct Alarm {
        #[serde(rename = "AlarmName", skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(rename = "Threshold", skip_serializing_if = "Option::is_none")]
        threshold: Option<f64>,
        #[serde(rename = "Updated", skip_serializing_if = "Option::is_none")]
        updated: Option<WireTimestamp>,
        #[serde(rename = "Actions", skip_serializing_if = "Option::is_none")]
        actions: Option<Vec<String>>,
        #[serde(rename = "Attributes", skip_serializing_if = "Option::is_none")]
        attributes: Option<BTreeMap<String, i64>>,
        #[serde(rename = "Image", skip_serializing_if = "Option::is_none")]
        image: Option<Blob>,
        #[serde(rename = "Parts", skip_serializing_if = "Option::is_none")]
        parts: Option<Vec<Alarm>>,
    }

    fn check(alarm: &Alarm, xml: &str) {
        assert_eq!(encode(alarm, &[]).as_deref(), Ok(xml));
    }

    #[test]
    fn structures_lists_and_maps() {
        let part = Alarm { name: Some("p".to_owned()), ..Alarm::default() };
        check(
            &Alarm {
                actions: Some(vec!["a".to_owned(), "b".to_owned()]),
                attributes: Some(BTreeMap::from([("k".to_owned(), -1)])),
                parts: Some(vec![part]),
                ..Alarm::default()
            },
            "<Actions><member>a</member><member>b</member></Actions>\
             <Attributes><entry><key>k</key><value>-1</value></entry></Attributes>\
             <Parts><member><AlarmName>p</AlarmName></member></Parts>",
        );
    }

    #[test]
    fn flattened_lists_and_maps_have_no_level_of_their_own() {
        static FLATTENED: [Flattened; 2] = [
            Flattened { structure: "Alarm", member: "Actions", element: "Action", entry: ("", "") },
            Flattened { structure: "Alarm", member: "Attributes", element: "Tag", entry: ("Key", "Value") },
        ];
        let alarm = Alarm {
            actions: Some(vec!["a".to_owned(), "b".to_owned()]),
            attributes: Some(BTreeMap::from([("k".to_owned(), -1)])),
            parts: Some(vec![Alarm { actions: Some(vec![]), ..Alarm::default() }]),
            ..Alarm::default()
        };
        let xml = "<Action>a</Action><Action>b</Action><Tag><Key>k</Key><Value>-1</Value></Tag>\
                   <Parts><member/></Parts>";
        assert_eq!(encode(&alarm, &FLATTENED).as_deref(), Ok(xml));
    }

    #[test]
    fn empty_lists_show_and_absent_ones_do_not() {
        check(&Alarm { actions: Some(vec![]), ..Alarm::default() }, "<Actions/>");
        check(&Alarm::default(), "");
    }

    #[test]
    fn timestamps_blobs_and_texts() {
        check(
            &Alarm {
                name: Some("<a> & \"b\"\r\n\u{0}\u{1b}".to_owned()),
                updated: Some(WireTimestamp(Timestamp::from_millis(1_767_323_045_123))),
                image: Some(Blob(vec![0, 1, 255])),
                ..Alarm::default()
            },
            "<AlarmName>&lt;a&gt; &amp; &quot;b&quot;&#xD;\n\u{fffd}\u{fffd}</AlarmName>\
             <Updated>2026-01-02T03:04:05.123Z</Updated><Image>AAH/</Image>",
        );
        let updated = Some(WireTimestamp(Timestamp::from_secs(1_767_323_045)));
        check(&Alarm { updated, ..Alarm::default() }, "<Updated>2026-01-02T03:04:05Z</Updated>");
    }
}

//! The client's side of the query protocol: shapes into form parameters.

use groundwatch_api::WireTimestamp;
use groundwatch_core::Timestamp;
use groundwatch_wire::Malformed;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// The form of a shape, without `Action` and `Version`.
pub(crate) fn encode<T: Serialize>(shape: &T) -> String {
    let mut pairs = Vec::new();
    shape.serialize(Node { path: "", pairs: &mut pairs, timestamp: false }).expect("a shape of AWS's model");
    join(&pairs)
}

/// Escapes and joins paths and values.
pub(crate) fn join(pairs: &[(String, String)]) -> String {
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> =
        pairs.iter().map(|(path, value)| format!("{}={}", escape(path), escape(value))).collect();
    pairs.join("&")
}

/// A value, and the path that leads to it.
struct Node<'p> {
    path: &'p str,
    pairs: &'p mut Vec<(String, String)>,
    timestamp: bool,
}

impl<'p> Node<'p> {
    fn leaf(self, text: impl std::fmt::Display) -> Result<(), Malformed> {
        self.pairs.push((self.path.to_owned(), text.to_string()));
        Ok(())
    }

    fn open(self) -> Result<Below<'p>, Malformed> {
        let before = self.pairs.len();
        Ok(Below { path: self.path.to_owned(), pairs: self.pairs, before, count: 0 })
    }
}

macro_rules! leaves {
    ($($method:ident($type:ty)),+) => {
        $(fn $method(self, value: $type) -> Result<(), Malformed> {
            self.leaf(value)
        })+
    };
}

macro_rules! impossible {
    ($($method:ident($($argument:ty),*) -> $answer:ty;)+) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$answer, Malformed> {
            Err(Malformed::new(stringify!($method)))
        })+
    };
}

impl<'p> Serializer for Node<'p> {
    type Ok = ();
    type Error = Malformed;
    type SerializeSeq = Below<'p>;
    type SerializeTuple = Impossible<(), Malformed>;
    type SerializeTupleStruct = Impossible<(), Malformed>;
    type SerializeTupleVariant = Impossible<(), Malformed>;
    type SerializeMap = Below<'p>;
    type SerializeStruct = Below<'p>;
    type SerializeStructVariant = Impossible<(), Malformed>;

    leaves! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_u8(u8),
        serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_f32(f32), serialize_char(char),
        serialize_str(&str)
    }

    impossible! {
        serialize_bytes(&[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTuple;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTuple;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTuple;
    }

    fn serialize_i64(self, value: i64) -> Result<(), Malformed> {
        if self.timestamp { self.leaf(Timestamp::from_secs(value)) } else { self.leaf(value) }
    }

    fn serialize_f64(self, value: f64) -> Result<(), Malformed> {
        match Timestamp::from_secs_f64(value) {
            Some(timestamp) if self.timestamp => self.leaf(timestamp),
            _ if value.is_infinite() => self.leaf(if value > 0.0 { "Infinity" } else { "-Infinity" }),
            _ => self.leaf(value),
        }
    }

    fn serialize_none(self) -> Result<(), Malformed> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Malformed> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Malformed> {
        value.serialize(Node { timestamp: name == WireTimestamp::NAME, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Malformed> {
        Err(Malformed::new("an enum variant with a value"))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Below<'p>, Malformed> {
        self.open()
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Below<'p>, Malformed> {
        self.open()
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Below<'p>, Malformed> {
        self.open()
    }
}

/// What is below a list, map or structure.
struct Below<'p> {
    path: String,
    pairs: &'p mut Vec<(String, String)>,
    before: usize,
    count: usize,
}

impl Below<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, step: &str, value: &T) -> Result<(), Malformed> {
        let path = if self.path.is_empty() { step.to_owned() } else { format!("{}.{step}", self.path) };
        value.serialize(Node { path: &path, pairs: self.pairs, timestamp: false })
    }

    /// What is empty is told as such: `Name=`.
    fn close(self) -> Result<(), Malformed> {
        if self.pairs.len() == self.before && !self.path.is_empty() {
            self.pairs.push((self.path, String::new()));
        }
        Ok(())
    }
}

impl SerializeSeq for Below<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        self.count += 1;
        self.add(&format!("member.{}", self.count), value)
    }

    fn end(self) -> Result<(), Malformed> {
        self.close()
    }
}

impl SerializeMap for Below<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Malformed> {
        self.count += 1;
        self.add(&format!("entry.{}.key", self.count), key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        self.add(&format!("entry.{}.value", self.count), value)
    }

    fn end(self) -> Result<(), Malformed> {
        self.close()
    }
}

impl SerializeStruct for Below<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Malformed> {
        self.add(name, value)
    }

    fn end(self) -> Result<(), Malformed> {
        self.close()
    }
}

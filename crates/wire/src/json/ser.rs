//! Shapes into JSON: sonic-rs's serializer, except for the doubles that are no JSON numbers.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use crate::Malformed;
use crate::unmodelled::refuse_unmodelled;

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Malformed> {
    sonic_rs::to_vec(&Awsy(value)).map_err(Malformed::new)
}

/// A value, or what writes or collects values, in which doubles are written as AWS does: sonic-rs makes NaN
/// and the infinities `null`.
struct Awsy<T>(T);

impl<T: Serialize + ?Sized> Serialize for Awsy<&T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Awsy(serializer))
    }
}

/// Passes a value on as it is.
macro_rules! pass {
    ($($method:ident($type:ty)),+) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.0.$method(value)
        })+
    };
}

impl<S: Serializer> Serializer for Awsy<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Awsy<S::SerializeSeq>;
    type SerializeMap = Awsy<S::SerializeMap>;
    type SerializeStruct = Awsy<S::SerializeStruct>;

    refuse_unmodelled!();

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            self.0.serialize_f64(value)
        } else if value.is_nan() {
            self.0.serialize_str("NaN")
        } else if value > 0.0 {
            self.0.serialize_str("Infinity")
        } else {
            self.0.serialize_str("-Infinity")
        }
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.serialize_f64(value.into())
    }

    pass! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_char(char),
        serialize_str(&str), serialize_bytes(&[u8]), serialize_unit_struct(&'static str)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Awsy(value))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Awsy(value))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(length).map(Awsy)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(length).map(Awsy)
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.0.serialize_struct(name, length).map(Awsy)
    }
}

impl<C: SerializeSeq> SerializeSeq for Awsy<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.0.serialize_element(&Awsy(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
    }
}

impl<C: SerializeMap> SerializeMap for Awsy<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.0.serialize_value(&Awsy(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
    }
}

impl<C: SerializeStruct> SerializeStruct for Awsy<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        self.0.serialize_field(key, &Awsy(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use groundwatch_api::WireTimestamp;
    use groundwatch_core::Timestamp;

    use super::*;

    fn check<T: Serialize>(value: &T, text: &str) {
        let json = encode(value).expect("encodes");
        assert_eq!(std::str::from_utf8(&json), Ok(text));
    }

    #[test]
    fn doubles_without_a_json_number_are_texts() {
        check(
            &vec![1.5, 80.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY],
            r#"[1.5,80.0,"NaN","Infinity","-Infinity"]"#,
        );
        check(&BTreeMap::from([("Threshold", Some(f64::NAN))]), r#"{"Threshold":"NaN"}"#);
    }

    #[test]
    fn timestamps_are_epoch_seconds_with_milliseconds_if_there_are_any() {
        check(&WireTimestamp(Timestamp::from_millis(1_767_323_045_678)), "1767323045.678");
        check(&WireTimestamp(Timestamp::from_millis(1_767_323_045_000)), "1767323045");
    }
}

//! How the members of shapes are read, whatever liberties clients take.
//!
//! Integers may come as `1.0` (loose JSON clients), doubles as integers (CBOR senders shrink them) or as the
//! texts `NaN`, `Infinity` and `-Infinity` (which JSON has no numbers for). Texts of the busiest inputs
//! borrow from the body.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use crate::{Blob, WireTimestamp};

/// A type that a member of a shape may have, and how it is read.
pub(crate) trait Member<'de>: Sized {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// [`Member`] where `serde` asks for a seed.
pub(crate) struct Seed<T>(PhantomData<T>);

impl<T> Seed<T> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Member<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

/// `null` is the same as absent.
impl<'de, T: Member<'de>> Member<'de> for Option<T> {
    #[inline]
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(Nullable(PhantomData))
    }
}

struct Nullable<T>(PhantomData<T>);

impl<'de, T: Member<'de>> Visitor<'de> for Nullable<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::read(deserializer).map(Some)
    }
}

/// Types that clients send in one form only.
macro_rules! as_serde_reads {
    ($($type:ty),*) => {
        $(impl<'de> Member<'de> for $type {
            #[inline]
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        })*
    };
}

as_serde_reads!(String, bool, WireTimestamp, Blob);

/// A shape that contains itself.
impl<'de, T: Member<'de>> Member<'de> for Box<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self::new)
    }
}

impl<'de> Member<'de> for i32 {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wide = deserializer.deserialize_i32(Integer)?;
        Self::try_from(wide)
            .map_err(|_| D::Error::invalid_value(Unexpected::Signed(wide), &"a 32-bit integer"))
    }
}

impl<'de> Member<'de> for i64 {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(Integer)
    }
}

struct Integer;

impl Visitor<'_> for Integer {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &"a 64-bit integer"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
        // Both bounds are powers of two and so exact; the upper one is already too large.
        let in_range = value >= i64::MIN as f64 && value < -(i64::MIN as f64);
        if in_range && value.fract() == 0.0 {
            Ok(value as i64)
        } else {
            Err(E::invalid_value(Unexpected::Float(value), &"an integer"))
        }
    }
}

impl<'de> Member<'de> for f64 {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `any`, because JSON libraries refuse a text at once where a number is asked for.
        deserializer.deserialize_any(Double)
    }
}

struct Double;

impl Visitor<'_> for Double {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or one of the texts NaN, Infinity, -Infinity")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            // The query protocol knows texts only. Rust also parses `inf` and `nan`, which no AWS client
            // sends.
            _ => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(value),
                _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
            },
        }
    }
}

impl<'de: 'a, 'a> Member<'de> for Cow<'a, str> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// `serde`'s own `Cow` copies always.
struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

impl<'de, T: Member<'de>> Member<'de> for Vec<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List(PhantomData))
    }
}

struct List<T>(PhantomData<T>);

impl<'de, T: Member<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element_seed(Seed::new())? {
            list.push(element);
        }
        Ok(list)
    }
}

impl<'de, K: Member<'de> + Ord, V: Member<'de>> Member<'de> for BTreeMap<K, V> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<K, V>(PhantomData<(K, V)>);

impl<'de, K: Member<'de> + Ord, V: Member<'de>> Visitor<'de> for Entries<K, V> {
    type Value = BTreeMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, value)) = map.next_entry_seed(Seed::new(), Seed::new())? {
            entries.insert(key, value);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch::StandardUnit;
    use crate::cloudwatch::borrowed::{MetricDatum, PutMetricDataInput};

    fn datum(json: &str) -> Result<MetricDatum<'_>, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check_resolution(json: &str, expected: Option<i32>) {
        let datum =
            datum(&format!(r#"{{"StorageResolution": {json}}}"#)).map(|datum| datum.storage_resolution);
        assert_eq!(datum.ok().flatten(), expected, "{json}");
    }

    #[test]
    fn integers_come_with_a_point_but_without_a_fraction() {
        check_resolution("60", Some(60));
        check_resolution("60.0", Some(60));
        check_resolution("6e1", Some(60));
        check_resolution("-1", Some(-1));
        check_resolution("2147483647", Some(i32::MAX));
        check_resolution("null", None);
        for refused in ["60.5", "2147483648", "1e300", "\"60\"", "true", "[]"] {
            assert!(datum(&format!(r#"{{"StorageResolution": {refused}}}"#)).is_err(), "{refused}");
        }
    }

    #[test]
    fn longs_end_where_64_bits_do() {
        let read = |json: &str| i64::read(&mut serde_json::Deserializer::from_str(json)).ok();
        assert_eq!(read("9223372036854775807"), Some(i64::MAX));
        assert_eq!(read("9223372036854775808"), None);
        assert_eq!(read("9223372036854775808.0"), None);
        assert_eq!(read("-9223372036854775808.0"), Some(i64::MIN));
    }

    #[test]
    fn doubles_come_as_integers_and_as_the_three_texts() {
        for (json, expected) in [
            ("1", 1.0),
            ("-2", -2.0),
            ("1.5", 1.5),
            ("\"Infinity\"", f64::INFINITY),
            ("\"-Infinity\"", f64::NEG_INFINITY),
        ] {
            let values = datum(&format!(r#"{{"Values": [{json}]}}"#)).map(|datum| datum.values);
            assert_eq!(values, Ok(Some(vec![expected])), "{json}");
        }
        let nan = datum(r#"{"Value": "NaN"}"#).expect("NaN has a text");
        assert!(nan.value.is_some_and(f64::is_nan));
        for refused in ["\"inf\"", "\"\"", "true", "{}"] {
            assert!(datum(&format!(r#"{{"Value": {refused}}}"#)).is_err(), "{refused}");
        }
    }

    #[test]
    fn texts_without_escapes_are_not_copied() {
        let body = r#"{"Namespace": "App", "MetricData": [{"MetricName": "Latency", "Dimensions": [{"Name": "a\u0062",
            "Value": "v"}], "Unit": "Seconds"}], "EntityMetricData": [{"Entity": {"Attributes": {"k": "v"}}}]}"#;
        let input: PutMetricDataInput<'_> = serde_json::from_str(body).expect("well-formed");
        let inside = |text: &str| body.as_bytes().as_ptr_range().contains(&text.as_ptr());

        assert!(input.namespace.as_deref().is_some_and(inside));
        let datum = &input.metric_data.as_ref().expect("given")[0];
        assert!(datum.metric_name.as_deref().is_some_and(inside));
        assert_eq!(datum.unit, Some(StandardUnit::Seconds));
        let dimension = &datum.dimensions.as_ref().expect("given")[0];
        assert!(dimension.value.as_deref().is_some_and(inside));
        assert_eq!(dimension.name, Some(Cow::Owned("ab".to_owned())), "an escape needs a copy");
        let entity =
            input.entity_metric_data.as_ref().and_then(|list| list[0].entity.as_ref()).expect("given");
        let attributes = entity.attributes.as_ref().expect("given");
        assert!(attributes.iter().all(|(key, value)| inside(key) && inside(value)));
    }

    #[test]
    fn null_is_absent_as_a_member_and_wrong_as_an_element() {
        let absent = datum(r#"{"MetricName": null, "Dimensions": null, "Unit": null, "Value": null}"#);
        assert_eq!(absent, Ok(MetricDatum::default()));
        assert!(datum(r#"{"Values": [1, null]}"#).is_err());
        assert!(datum(r#"{"Dimensions": [null]}"#).is_err());
    }
}

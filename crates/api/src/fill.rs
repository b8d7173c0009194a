//! Values of any shape from a seed, for tests: `serde` asks for what it needs and gets something of that
//! kind.
//!
//! Used to show that every shape survives every protocol. Depth and lengths are bounded. Texts hold what
//! codecs stumble over (quotes, markup, several bytes a character). Not made is what only some protocols can
//! tell apart: NaN, control characters, and empty texts, lists, maps and structures within another value.

use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::{Blob, WireTimestamp};

/// How many structures stand within each other; below this, a structure has its first member only.
const DEPTH_MAX: u32 = 6;
/// How many elements a list or map has at most. It has one at least.
const ELEMENTS_MAX: u64 = 3;
/// 2100-01-01T00:00:00Z in milliseconds: timestamps lie between the epoch and this.
const MILLIS_MAX: u64 = 4_102_444_800_000;

const TEXTS: [&str; 9] = [
    "CPUUtilization",
    "AWS/EC2",
    "a",
    "with space & <markup> \"quoted\" 'apostrophe'",
    "größe=1+1%20",
    "漢字🦀",
    "line\nand\ttab",
    "{\"json\":[1]}",
    "/log/group_1.#-x",
];

/// A value of that type; the same seed makes the same value.
pub fn fill<'de, T: Deserialize<'de>>(seed: u64) -> T {
    let mut source = Source(seed);
    T::deserialize(Filler { source: &mut source, depth: 0, must: false })
        .expect("a shape takes whatever kind of value it asks for")
}

/// Splitmix64: small, and no dependency for a test.
struct Source(u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn text(&mut self) -> String {
        let base = TEXTS[self.below(TEXTS.len() as u64) as usize];
        if self.below(2) == 0 { base.to_owned() } else { format!("{base}{}", self.below(1000)) }
    }

    fn double(&mut self) -> f64 {
        match self.below(8) {
            0 => 0.0,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            3 => self.below(1000) as f64,
            4 => -(self.below(1000) as f64) / 8.0,
            5 => 1e300,
            // Any fraction that needs all of its digits.
            _ => self.next() as f64 / u64::MAX as f64,
        }
    }
}

struct Filler<'s> {
    source: &'s mut Source,
    /// How many structures are around it.
    depth: u32,
    /// Whether a member must be present.
    must: bool,
}

impl Filler<'_> {
    fn again(&mut self) -> Filler<'_> {
        Filler { source: self.source, depth: self.depth, must: self.must }
    }

    fn count(&mut self) -> u64 {
        1 + self.source.below(ELEMENTS_MAX)
    }
}

impl<'de> Deserializer<'de> for Filler<'_> {
    type Error = Error;

    /// Only doubles ask for anything.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.source.double())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.source.below(2) == 0)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(i64::from(self.source.next() as i32))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(self.source.next() as i64)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // An enum tells its values in what it expects: `Name: A|B|C`.
        let expected = (&visitor as &dyn Expected).to_string();
        match expected.split_once(": ") {
            Some((_, values)) if self.source.below(10) > 0 => {
                let values: Vec<&str> = values.split('|').collect();
                visitor.visit_str(values[self.source.below(values.len() as u64) as usize])
            }
            _ => visitor.visit_string(self.source.text()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.must || (self.depth < DEPTH_MAX && self.source.below(4) > 0) {
            visitor.visit_some(self)
        } else {
            visitor.visit_none()
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            WireTimestamp::NAME => {
                let secs = self.source.below(MILLIS_MAX) as f64 / 1000.0;
                let secs = if self.source.below(2) == 0 { secs.floor() } else { secs };
                visitor.visit_newtype_struct(secs.into_deserializer())
            }
            Blob::NAME => visitor.visit_newtype_struct(StrDeserializer::new("R3JvdW5kd2F0Y2g=")),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let left = self.count();
        visitor.visit_seq(Elements { filler: self, left })
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let left = self.count();
        visitor.visit_map(Elements { filler: self, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let filler = Filler { source: self.source, depth: self.depth + 1, must: true };
        visitor.visit_map(Members { filler, members: members.iter() })
    }

    forward_to_deserialize_any! {
        i8 i16 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
        ignored_any
    }
}

struct Elements<'s> {
    filler: Filler<'s>,
    left: u64,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.filler.again()).map(Some)
    }
}

impl<'de> MapAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.filler.again())
    }
}

struct Members<'s> {
    filler: Filler<'s>,
    members: std::slice::Iter<'static, &'static str>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        match self.members.next() {
            Some(name) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = seed.deserialize(self.filler.again());
        self.filler.must = false;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch::{MetricAlarm, PutMetricAlarmInput, StandardUnit};

    #[test]
    fn the_same_seed_makes_the_same_value() {
        assert_eq!(fill::<PutMetricAlarmInput>(7), fill::<PutMetricAlarmInput>(7));
        assert_ne!(fill::<PutMetricAlarmInput>(7), fill::<PutMetricAlarmInput>(8));
    }

    #[test]
    fn enums_are_mostly_but_not_always_known() {
        let units: Vec<StandardUnit> = (0..200).map(fill).collect();
        let unknown = units.iter().filter(|unit| matches!(unit, StandardUnit::Unknown(_))).count();
        assert!((1..60).contains(&unknown), "{unknown} of 200 are unknown");
    }

    #[test]
    fn members_are_present_and_absent() {
        let alarms: Vec<MetricAlarm> = (0..100).map(fill).collect();
        assert!(alarms.iter().any(|alarm| alarm.metrics.is_some()));
        assert!(alarms.iter().any(|alarm| alarm.metrics.is_none()));
    }
}

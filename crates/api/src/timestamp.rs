//! A timestamp member of a shape, which each protocol writes in its own manner.

use std::fmt;

use groundwatch_core::Timestamp;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A member of Smithy's type `timestamp`.
///
/// Through `serde` it is a newtype named [`WireTimestamp::NAME`] around fractional epoch seconds. JSON
/// libraries pass newtypes through, which is what AWS's JSON wants (a number); the CBOR and query formats of
/// `groundwatch-wire` know the name and write tag 1 and ISO 8601. Any of the three forms is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireTimestamp(pub Timestamp);

impl WireTimestamp {
    /// The newtype's name in `serde`'s data model.
    pub const NAME: &'static str = "$groundwatch::Timestamp";
}

impl From<Timestamp> for WireTimestamp {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl Serialize for WireTimestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.as_millis();
        if millis % 1000 == 0 {
            serializer.serialize_newtype_struct(Self::NAME, &(millis / 1000))
        } else {
            serializer.serialize_newtype_struct(Self::NAME, &(millis as f64 / 1000.0))
        }
    }
}

impl<'de> Deserialize<'de> for WireTimestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Self::NAME, EpochSecondsOrText)
    }
}

struct EpochSecondsOrText;

impl<'de> Visitor<'de> for EpochSecondsOrText {
    type Value = WireTimestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp: epoch seconds or ISO 8601")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_i64<E: Error>(self, secs: i64) -> Result<Self::Value, E> {
        Ok(WireTimestamp(Timestamp::from_secs(secs)))
    }

    fn visit_u64<E: Error>(self, secs: u64) -> Result<Self::Value, E> {
        self.visit_i64(i64::try_from(secs).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, secs: f64) -> Result<Self::Value, E> {
        Timestamp::from_secs_f64(secs).map(WireTimestamp).ok_or_else(|| E::custom("timestamp is not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        // Some old tools send epoch seconds as text over the query protocol.
        if let Ok(secs) = text.parse::<f64>() {
            return self.visit_f64(secs);
        }
        Timestamp::parse_iso8601(text).map(WireTimestamp).map_err(E::custom)
    }
}

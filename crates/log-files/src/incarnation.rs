//! Identities that names do not give: a group that is deleted and created again is another group.
//!
//! Journal records and segments name groups and streams by these ids, so that nothing of an earlier
//! incarnation ever shows up in a later one, crash or not. They never leave the server.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

macro_rules! incarnation {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// An id that no other incarnation has.
            pub fn random() -> Self {
                Self(Uuid::new_v4().as_u128())
            }

            /// The id that [`Display`](fmt::Display) wrote.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::from_str(text).ok().map(|uuid| Self(uuid.as_u128()))
            }

            /// The id as a number, for records.
            pub const fn as_u128(self) -> u128 {
                self.0
            }

            /// The id of that number.
            pub const fn from_u128(number: u128) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an incarnation's id"))
            }
        }
    };
}

incarnation! {
    /// One life of a log group: from its creation to its deletion.
    GroupId
}

incarnation! {
    /// One life of a log stream.
    LogStreamId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_a_document() {
        let id = GroupId::random();
        let json = serde_json::to_string(&id).expect("serializes");
        assert_eq!(serde_json::from_str::<GroupId>(&json).expect("parses"), id);
        assert_eq!(json, format!("\"{id}\""));
    }
}

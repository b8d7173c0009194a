//! Enums that keep what they do not know, as a server must that outlives its model.

use std::fmt::Debug;
use std::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// A string member with an enumerated set of values. An unknown value is kept as it came, for validation to
/// refuse.
pub trait OpenEnum: Debug + Sized {
    /// The shape's name in AWS's model.
    const NAME: &'static str;
    /// Every value that AWS's model knows, in the order in which AWS tells them.
    const VALUES: &'static [&'static str];

    /// The known value that is written like this.
    fn known(text: &str) -> Option<Self>;

    /// The value that is written like this and is not known.
    fn unknown(text: String) -> Self;

    /// Whether AWS's model knows this value.
    fn is_known(&self) -> bool;

    /// As it travels.
    fn as_str(&self) -> &str;
}

/// Writes an [`OpenEnum`] as its text.
pub(crate) fn serialize<E: OpenEnum, S: Serializer>(value: &E, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.as_str())
}

/// Reads an [`OpenEnum`] from its text; known values do not allocate.
pub(crate) fn deserialize<'de, E: OpenEnum, D: Deserializer<'de>>(deserializer: D) -> Result<E, D::Error> {
    deserializer.deserialize_str(Text(PhantomData))
}

struct Text<E>(PhantomData<E>);

impl<E: OpenEnum> Visitor<'_> for Text<E> {
    type Value = E;

    /// [`fill`](crate::fill) reads the values back from this text.
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", E::NAME)?;
        for (index, value) in E::VALUES.iter().enumerate() {
            write!(f, "{}{value}", if index == 0 { "" } else { "|" })?;
        }
        Ok(())
    }

    fn visit_str<X: Error>(self, text: &str) -> Result<E, X> {
        Ok(E::known(text).unwrap_or_else(|| E::unknown(text.to_owned())))
    }

    fn visit_string<X: Error>(self, text: String) -> Result<E, X> {
        Ok(E::known(&text).unwrap_or_else(|| E::unknown(text)))
    }
}

/// Declares an [`OpenEnum`] from a table of variants and the texts that they stand for, and the one for all
/// others.
macro_rules! open_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`.")] $variant,)+
            /// A value that the model does not know.
            Unknown(String),
        }

        impl $name {
            /// Every value that AWS's model knows, in the order in which AWS tells them.
            pub const VALUES: &'static [&'static str] = &[$($text),+];

            /// As it travels.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }
        }

        impl $crate::OpenEnum for $name {
            const NAME: &'static str = stringify!($name);
            const VALUES: &'static [&'static str] = Self::VALUES;

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }

            fn unknown(text: String) -> Self {
                Self::Unknown(text)
            }

            fn is_known(&self) -> bool {
                !matches!(self, Self::Unknown(_))
            }

            fn as_str(&self) -> &str {
                self.as_str()
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                <Self as $crate::OpenEnum>::known(text).unwrap_or_else(|| Self::Unknown(text.to_owned()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::open_enum::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::open_enum::deserialize(deserializer)
            }
        }

        impl<'de> $crate::member::Member<'de> for $name {
            fn read<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::open_enum::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use crate::cloudwatch::StandardUnit;

    #[test]
    fn known_and_unknown_values_survive() {
        for (text, expected) in [
            ("Bytes/Second", StandardUnit::BytesPerSecond),
            ("None", StandardUnit::None),
            ("bytes/second", StandardUnit::Unknown("bytes/second".to_owned())),
        ] {
            let json = format!("\"{text}\"");
            let unit: StandardUnit = serde_json::from_str(&json).expect("any text is a value");
            assert_eq!(unit, expected);
            assert_eq!(StandardUnit::from(text), expected);
            assert_eq!(serde_json::to_string(&unit).expect("writes to memory"), json);
        }
    }
}

//! Declares a structure of AWS's model: a plain struct of optional members that `serde` reads and writes.
//!
//! Why not `serde`'s derive: it also reads a structure from a list, by position, which no AWS protocol allows
//! and which would turn a client's mistake into a wrong value in silence; it copies every text; and it takes
//! several times as long to compile.

/// A struct whose members are all `Option`s, each with its name on the wire.
///
/// Unknown members are skipped, absent and `null` ones are `None`, and of a member that comes twice the last
/// one counts, as in AWS's own JSON reader.
macro_rules! shape {
    ($(#[$doc:meta])* pub struct $name:ident $(<$life:lifetime>)? {
        $($(#[$member_doc:meta])* pub $member:ident: $type:ty = $wire:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name $(<$life>)? {
            $($(#[$member_doc])* pub $member: $type,)*
        }

        impl $(<$life>)? serde::Serialize for $name $(<$life>)? {
            #[allow(unused_mut, reason = "there are structures without members")]
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct as _;
                let present = 0 $(+ usize::from(self.$member.is_some()))*;
                let mut members = serializer.serialize_struct(stringify!($name), present)?;
                $(match &self.$member {
                    Some(value) => members.serialize_field($wire, value)?,
                    None => members.skip_field($wire)?,
                })*
                members.end()
            }
        }

        impl<'de $(: $life, $life)?> serde::Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const MEMBERS: &[&str] = &[$($wire),*];

                /// A variant a member, called as it is.
                #[allow(non_camel_case_types, reason = "a macro cannot change a name's case")]
                enum Name {
                    $($member,)*
                    Other,
                }

                impl<'de> serde::Deserialize<'de> for Name {
                    #[inline]
                    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                        deserializer.deserialize_identifier(NameVisitor)
                    }
                }

                struct NameVisitor;

                impl serde::de::Visitor<'_> for NameVisitor {
                    type Value = Name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("the name of a member")
                    }

                    #[inline]
                    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Name, E> {
                        Ok(match name {
                            $($wire => Name::$member,)*
                            _ => Name::Other,
                        })
                    }
                }

                struct ShapeVisitor<T>(std::marker::PhantomData<T>);

                impl<'de $(: $life, $life)?> serde::de::Visitor<'de> for ShapeVisitor<$name $(<$life>)?> {
                    type Value = $name $(<$life>)?;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a structure, `", stringify!($name), "`"))
                    }

                    #[allow(unused_mut, reason = "there are structures without members")]
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut shape = Self::Value::default();
                        while let Some(this_member) = map.next_key::<Name>()? {
                            match this_member {
                                $(Name::$member => {
                                    shape.$member = map.next_value_seed($crate::member::Seed::new())?;
                                })*
                                Name::Other => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(shape)
                    }
                }

                let visitor = ShapeVisitor::<Self>(std::marker::PhantomData);
                deserializer.deserialize_struct(stringify!($name), MEMBERS, visitor)
            }
        }

        impl<'de $(: $life, $life)?> $crate::member::Member<'de> for $name $(<$life>)? {
            fn read<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use shape;

#[cfg(test)]
mod tests {
    use crate::cloudwatch::borrowed::Dimension;
    use crate::sts::GetCallerIdentityInput;

    fn read(json: &str) -> Result<Dimension<'_>, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn unknown_members_are_skipped() {
        let dimension = read(r#"{"Other": {"Name": ["x"]}, "Name": "a"}"#).expect("well-formed");
        assert_eq!(dimension.name.as_deref(), Some("a"));
        serde_json::from_str::<GetCallerIdentityInput>(r#"{"Other": 1}"#).expect("well-formed");
    }

    #[test]
    fn the_last_of_equal_members_counts() {
        let dimension = read(r#"{"Name": "a", "Name": "b"}"#).expect("well-formed");
        assert_eq!(dimension.name.as_deref(), Some("b"));
    }

    #[test]
    fn a_list_is_not_a_structure() {
        assert!(read(r#"["a", "b"]"#).is_err());
    }

    #[test]
    fn absent_members_are_not_written() {
        let dimension = Dimension { name: Some("a".into()), value: None };
        assert_eq!(serde_json::to_string(&dimension).expect("writes to memory"), r#"{"Name":"a"}"#);
    }
}

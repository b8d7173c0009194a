//! What serde's data model has and no shape of AWS's: every format's serializer refuses it in the same words.

use serde::ser::Error;

/// The part of an `impl Serializer` that refuses tuples and enum variants with content.
macro_rules! refuse_unmodelled {
    () => {
        type SerializeTuple = serde::ser::Impossible<Self::Ok, Self::Error>;
        type SerializeTupleStruct = serde::ser::Impossible<Self::Ok, Self::Error>;
        type SerializeTupleVariant = serde::ser::Impossible<Self::Ok, Self::Error>;
        type SerializeStructVariant = serde::ser::Impossible<Self::Ok, Self::Error>;

        fn serialize_newtype_variant<T: serde::Serialize + ?Sized>(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _value: &T,
        ) -> Result<Self::Ok, Self::Error> {
            Err(crate::unmodelled::refusal("an enum variant with a value"))
        }

        fn serialize_tuple(self, _length: usize) -> Result<Self::SerializeTuple, Self::Error> {
            Err(crate::unmodelled::refusal("a tuple"))
        }

        fn serialize_tuple_struct(
            self,
            _name: &'static str,
            _length: usize,
        ) -> Result<Self::SerializeTupleStruct, Self::Error> {
            Err(crate::unmodelled::refusal("a tuple"))
        }

        fn serialize_tuple_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _length: usize,
        ) -> Result<Self::SerializeTupleVariant, Self::Error> {
            Err(crate::unmodelled::refusal("a tuple"))
        }

        fn serialize_struct_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _length: usize,
        ) -> Result<Self::SerializeStructVariant, Self::Error> {
            Err(crate::unmodelled::refusal("an enum variant with members"))
        }
    };
}

pub(crate) use refuse_unmodelled;

/// The error for a value of that kind.
pub(crate) fn refusal<E: Error>(kind: &str) -> E {
    E::custom(format_args!("{kind} does not occur in AWS's shapes"))
}

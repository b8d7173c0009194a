//! Shapes into CBOR, through `serde`.

use groundwatch_api::WireTimestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};

use crate::Malformed;
use crate::unmodelled::refuse_unmodelled;

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    value.serialize(Serializer { out: &mut out })?;
    Ok(out)
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;
const DOUBLE: u8 = 0xfb;
const BREAK: u8 = 0xff;
/// Additional information that says 'of indefinite length'.
const INDEFINITE: u8 = 31;

/// The tag of seconds since the epoch.
const EPOCH_SECONDS: u64 = 1;

struct Serializer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Serializer<'o> {
    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        let bytes = argument.to_be_bytes();
        match argument {
            0..=23 => self.out.push(major | bytes[7]),
            24..=0xff => self.out.extend_from_slice(&[major | 24, bytes[7]]),
            0x100..=0xffff => {
                self.out.push(major | 25);
                self.out.extend_from_slice(&bytes[6..]);
            }
            0x1_0000..=0xffff_ffff => {
                self.out.push(major | 26);
                self.out.extend_from_slice(&bytes[4..]);
            }
            _ => {
                self.out.push(major | 27);
                self.out.extend_from_slice(&bytes);
            }
        }
    }

    fn open(mut self, major: u8, length: Option<usize>) -> Contents<'o> {
        match length {
            Some(length) => self.head(major, length as u64),
            None => self.out.push(major << 5 | INDEFINITE),
        }
        Contents { out: self.out, indefinite: length.is_none() }
    }
}

impl<'o> serde::Serializer for Serializer<'o> {
    type Ok = ();
    type Error = Malformed;
    type SerializeSeq = Contents<'o>;
    type SerializeMap = Contents<'o>;
    type SerializeStruct = Contents<'o>;

    refuse_unmodelled!();

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Malformed> {
        self.out.push(if value { TRUE } else { FALSE });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Malformed> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Malformed> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Malformed> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(mut self, value: i64) -> Result<(), Malformed> {
        match u64::try_from(value) {
            Ok(value) => self.head(UNSIGNED, value),
            // -1 - value, which cannot overflow.
            Err(_) => self.head(NEGATIVE, !value as u64),
        }
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Malformed> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Malformed> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Malformed> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(mut self, value: u64) -> Result<(), Malformed> {
        self.head(UNSIGNED, value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Malformed> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Malformed> {
        self.out.push(DOUBLE);
        self.out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Malformed> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(mut self, value: &str) -> Result<(), Malformed> {
        self.head(TEXT, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), Malformed> {
        self.head(BYTES, value.len() as u64);
        self.out.extend_from_slice(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Malformed> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Malformed> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Malformed> {
        self.out.push(NULL);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Malformed> {
        self.open(MAP, Some(0)).close()
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
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Malformed> {
        if name == WireTimestamp::NAME {
            self.head(TAG, EPOCH_SECONDS);
        }
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Contents<'o>, Malformed> {
        Ok(self.open(LIST, length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Contents<'o>, Malformed> {
        Ok(self.open(MAP, length))
    }

    fn serialize_struct(self, _name: &'static str, length: usize) -> Result<Contents<'o>, Malformed> {
        Ok(self.open(MAP, Some(length)))
    }
}

/// An open list or map.
struct Contents<'o> {
    out: &'o mut Vec<u8>,
    indefinite: bool,
}

impl Contents<'_> {
    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        value.serialize(Serializer { out: self.out })
    }

    fn close(self) -> Result<(), Malformed> {
        if self.indefinite {
            self.out.push(BREAK);
        }
        Ok(())
    }
}

impl SerializeSeq for Contents<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        self.write(value)
    }

    fn end(self) -> Result<(), Malformed> {
        self.close()
    }
}

impl SerializeMap for Contents<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Malformed> {
        self.write(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Malformed> {
        self.write(value)
    }

    fn end(self) -> Result<(), Malformed> {
        self.close()
    }
}

impl SerializeStruct for Contents<'_> {
    type Ok = ();
    type Error = Malformed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Malformed> {
        self.write(key)?;
        self.write(value)
    }

    fn end(self) -> Result<(), Malformed> {
        self.close()
    }
}

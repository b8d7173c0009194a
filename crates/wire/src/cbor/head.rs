//! The heads of CBOR data items: what kind of item comes, and how long it is.

use std::borrow::Cow;

use crate::Malformed;

/// One data item as far as its head says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    Unsigned(u64),
    /// The value is `-1 - n`.
    Negative(u64),
    Bytes(Length),
    Text(Length),
    List(Length),
    Map(Length),
    Tag(u64),
    Bool(bool),
    /// `null` or `undefined`: AWS treats them alike.
    Null,
    Float(f64),
    /// The end of something of indefinite length.
    Break,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes, elements or entries: a claim, not yet checked against what is there.
    Definite(u64),
    /// Until [`Item::Break`].
    Indefinite,
}

/// The `break` byte.
const BREAK: u8 = 0xff;

/// Reads heads and raw bytes from the front of a document.
pub(super) struct Reader<'de> {
    rest: &'de [u8],
}

impl<'de> Reader<'de> {
    pub(super) fn new(document: &'de [u8]) -> Self {
        Self { rest: document }
    }

    /// How many bytes are left; no honest claim of a length is greater.
    pub(super) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(Malformed::new(format_args!("{more} bytes follow the document"))),
        }
    }

    /// The next byte, which stays.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Eats a `break` if that is what comes next.
    #[inline]
    pub(super) fn eat_break(&mut self) -> bool {
        let found = self.peek() == Some(BREAK);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    #[inline]
    pub(super) fn item(&mut self) -> Result<Item, Malformed> {
        let [initial] = self.array::<1>()?;
        let info = initial & 0x1f;
        Ok(match initial >> 5 {
            0 => Item::Unsigned(self.argument(info)?),
            1 => Item::Negative(self.argument(info)?),
            2 => Item::Bytes(self.length(info)?),
            3 => Item::Text(self.length(info)?),
            4 => Item::List(self.length(info)?),
            5 => Item::Map(self.length(info)?),
            6 => Item::Tag(self.argument(info)?),
            _ => self.simple(info)?,
        })
    }

    /// The next `length` bytes.
    #[inline]
    pub(super) fn take(&mut self, length: u64) -> Result<&'de [u8], Malformed> {
        let (taken, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or_else(truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The text whose head was just read: borrowed if it is in one piece.
    #[inline]
    pub(super) fn text(&mut self, length: Length) -> Result<Cow<'de, str>, Malformed> {
        match length {
            Length::Definite(length) => utf8(self.take(length)?).map(Cow::Borrowed),
            Length::Indefinite => self.text_chunks().map(Cow::Owned),
        }
    }

    /// The byte string whose head was just read: borrowed if it is in one piece.
    pub(super) fn bytes(&mut self, length: Length) -> Result<Cow<'de, [u8]>, Malformed> {
        match length {
            Length::Definite(length) => self.take(length).map(Cow::Borrowed),
            Length::Indefinite => self.bytes_chunks().map(Cow::Owned),
        }
    }

    fn text_chunks(&mut self) -> Result<String, Malformed> {
        let mut text = String::new();
        loop {
            match self.item()? {
                Item::Text(Length::Definite(length)) => text.push_str(utf8(self.take(length)?)?),
                Item::Break => return Ok(text),
                _ => return Err(Malformed::new("a text in chunks holds something else")),
            }
        }
    }

    fn bytes_chunks(&mut self) -> Result<Vec<u8>, Malformed> {
        let mut bytes = Vec::new();
        loop {
            match self.item()? {
                Item::Bytes(Length::Definite(length)) => bytes.extend_from_slice(self.take(length)?),
                Item::Break => return Ok(bytes),
                _ => return Err(Malformed::new("a byte string in chunks holds something else")),
            }
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    fn argument(&mut self, info: u8) -> Result<u64, Malformed> {
        Ok(match info {
            0..=23 => u64::from(info),
            24 => u64::from(u8::from_be_bytes(self.array()?)),
            25 => u64::from(u16::from_be_bytes(self.array()?)),
            26 => u64::from(u32::from_be_bytes(self.array()?)),
            27 => u64::from_be_bytes(self.array()?),
            _ => return Err(Malformed::new(format_args!("additional information {info} is reserved"))),
        })
    }

    #[inline]
    fn length(&mut self, info: u8) -> Result<Length, Malformed> {
        if info == 31 { Ok(Length::Indefinite) } else { self.argument(info).map(Length::Definite) }
    }

    fn simple(&mut self, info: u8) -> Result<Item, Malformed> {
        Ok(match info {
            20 => Item::Bool(false),
            21 => Item::Bool(true),
            22 | 23 => Item::Null,
            25 => Item::Float(half_to_f64(u16::from_be_bytes(self.array()?))),
            26 => Item::Float(f64::from(f32::from_be_bytes(self.array()?))),
            27 => Item::Float(f64::from_be_bytes(self.array()?)),
            31 => Item::Break,
            _ => return Err(Malformed::new(format_args!("simple value {info} has no meaning here"))),
        })
    }
}

/// IEEE 754 binary16: clients shrink doubles to it where nothing is lost, NaN and infinities above all.
fn half_to_f64(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::new("a text is not valid UTF-8"))
}

#[cold]
fn truncated() -> Malformed {
    Malformed::new("the document ends too early")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_of_every_class() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x0400, 0.000_061_035_156_25),
            (0x3c00, 1.0),
            (0x3e00, 1.5),
            (0x7bff, 65_504.0),
            (0xc400, -4.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half_to_f64(bits), value, "{bits:#06x}");
        }
        assert!(half_to_f64(0x7e00).is_nan());
        assert!(half_to_f64(0x8000).is_sign_negative());
    }
}

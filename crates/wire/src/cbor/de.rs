//! CBOR into shapes, through `serde`.
//!
//! Numbers reach the shapes in the kind that the client chose; the shapes take integers for doubles and the
//! other way round.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::head::{Item, Length, Reader};
use crate::Malformed;
use crate::bounds::Bounds;

pub(super) fn decode<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Malformed> {
    let mut document = Document { reader: Reader::new(body), bounds: Bounds::new() };
    let value = T::deserialize(&mut document)?;
    document.reader.end()?;
    Ok(value)
}

struct Document<'de> {
    reader: Reader<'de>,
    bounds: Bounds,
}

impl<'de> Document<'de> {
    /// The next item that is not a tag. The only tag that AWS gives a meaning is 1, and where it stands the
    /// shape says that a timestamp is meant, with or without it.
    #[inline]
    fn item(&mut self) -> Result<Item, Malformed> {
        loop {
            match self.reader.item()? {
                Item::Tag(_) => {}
                item => return Ok(item),
            }
        }
    }

    fn visit<V: Visitor<'de>>(&mut self, item: Item, visitor: V) -> Result<V::Value, Malformed> {
        match item {
            Item::Unsigned(number) => visitor.visit_u64(number),
            Item::Negative(number) => match i64::try_from(number) {
                Ok(number) => visitor.visit_i64(-1 - number),
                Err(_) => visitor.visit_f64(negative_to_f64(number)),
            },
            Item::Float(number) => visitor.visit_f64(number),
            Item::Bool(value) => visitor.visit_bool(value),
            Item::Null => visitor.visit_unit(),
            Item::Text(length) => self.text(length, visitor),
            Item::Bytes(length) => match self.reader.bytes(length)? {
                Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
                Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
            },
            Item::List(length) => self.list(length, visitor),
            Item::Map(length) => self.map(length, visitor),
            Item::Tag(_) => Err(Malformed::new("a tag without a value")),
            Item::Break => Err(Malformed::new("a break where nothing is open")),
        }
    }

    #[inline]
    fn text<V: Visitor<'de>>(&mut self, length: Length, visitor: V) -> Result<V::Value, Malformed> {
        match self.reader.text(length)? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn list<V: Visitor<'de>>(&mut self, length: Length, visitor: V) -> Result<V::Value, Malformed> {
        self.bounds.enter()?;
        let mut contents = Contents { document: self, left: length };
        let value = visitor.visit_seq(&mut contents)?;
        contents.finish()?;
        self.bounds.leave();
        Ok(value)
    }

    fn map<V: Visitor<'de>>(&mut self, length: Length, visitor: V) -> Result<V::Value, Malformed> {
        self.bounds.enter()?;
        self.bounds.structure()?;
        let mut contents = Contents { document: self, left: length };
        let value = visitor.visit_map(&mut contents)?;
        contents.finish()?;
        self.bounds.leave();
        Ok(value)
    }

    /// Reads past one value of any kind without building anything. It recurses, within the bound on depth.
    fn skip(&mut self) -> Result<(), Malformed> {
        let item = self.item()?;
        match item {
            Item::Text(Length::Definite(length)) | Item::Bytes(Length::Definite(length)) => {
                self.reader.take(length)?;
            }
            Item::List(length) => self.skip_contents(length, 1)?,
            Item::Map(length) => self.skip_contents(length, 2)?,
            item => {
                self.visit(item, IgnoredAny)?;
            }
        }
        Ok(())
    }

    fn skip_contents(&mut self, length: Length, items_each: u32) -> Result<(), Malformed> {
        self.bounds.enter()?;
        let mut contents = Contents { document: self, left: length };
        while contents.more()? {
            for _ in 0..items_each {
                contents.document.skip()?;
            }
        }
        self.bounds.leave();
        Ok(())
    }
}

impl<'de> serde::Deserializer<'de> for &mut Document<'de> {
    type Error = Malformed;

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        let item = self.item()?;
        self.visit(item, visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        // `null` or `undefined`.
        if matches!(self.reader.peek(), Some(0xf6 | 0xf7)) {
            self.reader.item()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        // Only texts: `serde` would take an integer for a member's position.
        match self.item()? {
            Item::Text(length) => self.text(length, visitor),
            _ => Err(Malformed::new("a key is not a text")),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        match self.item()? {
            // Smithy has blobs for bytes; `serde` would take bytes that happen to be UTF-8 for a text.
            Item::Bytes(_) => Err(Malformed::new("a text is a byte string")),
            item => self.visit(item, visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        // Only maps: `serde` would take a list for a structure's members in order.
        match self.item()? {
            Item::Map(length) => self.map(length, visitor),
            _ => Err(Malformed::new("a structure is not a map")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct map
        enum
    }
}

/// What is left of an open list or map.
struct Contents<'a, 'de> {
    document: &'a mut Document<'de>,
    left: Length,
}

impl Contents<'_, '_> {
    /// Whether another element or entry follows; eats the `break` if not.
    #[inline]
    fn more(&mut self) -> Result<bool, Malformed> {
        match &mut self.left {
            Length::Definite(0) => Ok(false),
            Length::Definite(left) => {
                *left -= 1;
                Ok(true)
            }
            Length::Indefinite => {
                let ended = self.document.reader.eat_break();
                if ended {
                    self.left = Length::Definite(0);
                }
                Ok(!ended)
            }
        }
    }

    /// A visitor that stops early has not seen what it should have.
    fn finish(&mut self) -> Result<(), Malformed> {
        if self.more()? {
            Err(Malformed::new("a list or map has more elements than expected"))
        } else {
            Ok(())
        }
    }

    /// What may be reserved in advance: the claimed number, if so many can follow at all.
    fn hint(&self, bytes_each_min: usize) -> Option<usize> {
        match self.left {
            Length::Definite(left) => {
                let possible = self.document.reader.remaining() / bytes_each_min;
                Some(usize::try_from(left).map_or(possible, |left| left.min(possible)))
            }
            Length::Indefinite => None,
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Contents<'_, 'de> {
    type Error = Malformed;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Malformed> {
        if !self.more()? {
            return Ok(None);
        }
        self.document.bounds.element()?;
        seed.deserialize(&mut *self.document).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint(1)
    }
}

impl<'de> MapAccess<'de> for &mut Contents<'_, 'de> {
    type Error = Malformed;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Malformed> {
        if !self.more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.document).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Malformed> {
        seed.deserialize(&mut *self.document)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint(2)
    }
}

/// `-1 - number`, for what may lie below the smallest `i64`.
fn negative_to_f64(number: u64) -> f64 {
    -1.0 - number as f64
}

#[cfg(test)]
mod tests;

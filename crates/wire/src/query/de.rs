//! Sorted form parameters into shapes, through `serde`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use groundwatch_api::Flattened;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::form::{Parameter, number};
use crate::Malformed;

pub(super) fn decode<'de, T: Deserialize<'de>>(
    parameters: &[Parameter<'de>],
    flattened: &'static [Flattened],
) -> Result<T, Malformed> {
    T::deserialize(Node { run: parameters, prefix: 0, flattened })
}

/// A point of the tree: the run of all parameters at and below it, which is empty at the root of an empty
/// form only.
#[derive(Clone, Copy)]
struct Node<'p, 'de> {
    run: &'p [Parameter<'de>],
    /// How many bytes of each path lead here, with the dot that follows. A path that is shorter ends here.
    prefix: usize,
    flattened: &'static [Flattened],
}

impl<'p, 'de> Node<'p, 'de> {
    /// The value that the point itself has, if it has one.
    fn value(self) -> Option<&'p Cow<'de, str>> {
        self.run.first().filter(|first| first.path.len() < self.prefix).map(|first| &first.value)
    }

    /// The points right below.
    fn children(self) -> Children<'p, 'de> {
        let own_value = usize::from(self.value().is_some());
        Children { left: &self.run[own_value..], prefix: self.prefix, flattened: self.flattened }
    }

    /// As [`Node::children`], where a value makes no sense except the empty one, which says 'nothing below'.
    fn contents(self) -> Result<Children<'p, 'de>, Malformed> {
        match self.value() {
            Some(value) if !value.is_empty() => {
                Err(self.wrong("is a list or a structure and cannot have a value"))
            }
            _ => Ok(self.children()),
        }
    }

    /// The elements of a list or the entries of a map, in order. They may stand one level down, under
    /// `wrapper`.
    fn elements(self, wrapper: &str) -> Result<Elements<'p, 'de>, Malformed> {
        let mut children = self.contents()?;
        let mut look_ahead = children.clone();
        if let (Some((name, inner)), None) = (look_ahead.next(), look_ahead.next())
            && name == wrapper
        {
            children = inner.contents()?;
        }
        Ok(Elements(children))
    }

    fn text(self) -> Result<&'p Cow<'de, str>, Malformed> {
        self.value().ok_or_else(|| self.wrong("needs a value"))
    }

    fn parse<T: FromStr>(self, kind: &str) -> Result<T, Malformed> {
        let text = self.text()?;
        text.parse().map_err(|_| self.wrong(format_args!("must be {kind}, and is `{text}`")))
    }

    fn wrong(self, complaint: impl fmt::Display) -> Malformed {
        let path = self.run.first().map_or("", |first| &first.path);
        let here = path.get(..self.prefix.saturating_sub(1)).unwrap_or(path);
        Malformed::new(format_args!("parameter `{here}` {complaint}"))
    }
}

/// The runs below a point, each with its part of the path.
#[derive(Clone)]
struct Children<'p, 'de> {
    left: &'p [Parameter<'de>],
    prefix: usize,
    flattened: &'static [Flattened],
}

impl<'p, 'de> Iterator for Children<'p, 'de> {
    type Item = (&'p str, Node<'p, 'de>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.name_of(self.left.first()?);
        let length = self.left.iter().take_while(|parameter| self.name_of(parameter) == name).count();
        let (run, left) = self.left.split_at(length);
        self.left = left;
        Some((name, Node { run, prefix: self.prefix + name.len() + 1, flattened: self.flattened }))
    }
}

impl<'p, 'de> Children<'p, 'de> {
    fn name_of(&self, parameter: &'p Parameter<'de>) -> &'p str {
        let rest = &parameter.path[self.prefix..];
        rest.split_once('.').map_or(rest, |(name, _)| name)
    }
}

/// The numbered runs of a list or map. Numbers say the order and no more: old clients leave holes.
struct Elements<'p, 'de>(Children<'p, 'de>);

impl<'p, 'de> Elements<'p, 'de> {
    fn next(&mut self) -> Result<Option<Node<'p, 'de>>, Malformed> {
        match self.0.next() {
            None => Ok(None),
            Some((name, node)) if number(name).is_some() => Ok(Some(node)),
            Some((_, node)) => Err(node.wrong("stands where a list has the number of an element")),
        }
    }
}

impl<'p, 'de> Deserializer<'de> for Node<'p, 'de> {
    type Error = Malformed;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        match self.text()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        // There is no null: what is absent has no run.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        let text = self.text()?;
        if text.eq_ignore_ascii_case("true") {
            visitor.visit_bool(true)
        } else if text.eq_ignore_ascii_case("false") {
            visitor.visit_bool(false)
        } else {
            Err(self.wrong(format_args!("must be true or false, and is `{text}`")))
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_i32(self.parse("a 32-bit integer")?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_i64(self.parse("a 64-bit integer")?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_f64(self.parse("a number")?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_seq(self.elements("member")?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_map(Entries { left: self.elements("entry")?, value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_map(Members { structure: name, left: self.contents()?, value: None })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char str string bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Malformed;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Malformed> {
        self.next()?.map(|element| seed.deserialize(element)).transpose()
    }
}

/// The members of a structure.
struct Members<'p, 'de> {
    structure: &'static str,
    left: Children<'p, 'de>,
    value: Option<Node<'p, 'de>>,
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Malformed;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Malformed> {
        let Some((name, node)) = self.left.next() else { return Ok(None) };
        self.value = Some(node);
        let is_meant = |known: &&Flattened| known.structure == self.structure && known.element == name;
        let name = node.flattened.iter().find(is_meant).map_or(name, |known| known.member);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Malformed> {
        seed.deserialize(self.value.take().ok_or_else(asked_out_of_turn)?)
    }
}

/// The entries of a map: `N.key` and `N.value`, which SNS calls `N.Name` and `N.Value`.
struct Entries<'p, 'de> {
    left: Elements<'p, 'de>,
    value: Option<Node<'p, 'de>>,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Malformed;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Malformed> {
        let Some(entry) = self.left.next()? else { return Ok(None) };
        let (mut key, mut value) = (None, None);
        for (name, node) in entry.contents()? {
            match name {
                "key" | "Key" | "Name" => key = Some(node),
                "value" | "Value" => value = Some(node),
                _ => return Err(node.wrong("stands where a map's entry has its key and its value")),
            }
        }
        self.value = Some(value.ok_or_else(|| entry.wrong("is a map's entry without a value"))?);
        seed.deserialize(key.ok_or_else(|| entry.wrong("is a map's entry without a key"))?).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Malformed> {
        seed.deserialize(self.value.take().ok_or_else(asked_out_of_turn)?)
    }
}

fn asked_out_of_turn() -> Malformed {
    Malformed::new("a value was asked for before its key")
}

#[cfg(test)]
mod tests;

//! Reads what selectors select out of a message, in one pass and without building the rest of it.
//!
//! Selectors are merged into a tree of steps. The pass follows those branches of the message that the tree
//! has, and skips all others, so that time and memory depend on what is asked for rather than on what is
//! there.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr2_iter;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::selector::{Selector, Step};

/// How deep a message may nest; one that nests deeper is no JSON to patterns. sonic-rs passes over what is
/// not asked for by recursion, without a bound of its own, and anybody may write anything into a log.
const DEPTH_MAX: usize = 128;

/// What a selector found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'m> {
    Null,
    Boolean(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'m, str>),
    /// An object or array.
    Composite,
}

/// The values of each selector, in the order of the message.
pub(super) type Values<'m> = Vec<Vec<Value<'m>>>;

/// Selectors, ready to read with.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    root: Node,
    selectors: usize,
}

/// A place in the tree of steps.
#[derive(Clone, Debug, Default)]
struct Node {
    /// The selector that ends here.
    selector: Option<usize>,
    steps: Vec<(Step, Node)>,
}

impl Reader {
    /// Adds a selector, and returns its place in [`Values`]. One that ends at the same place has the same.
    pub(super) fn add(&mut self, selector: &Selector) -> usize {
        let mut node = &mut self.root;
        for step in &selector.steps {
            let at = node.steps.iter().position(|(known, _)| known == step).unwrap_or_else(|| {
                node.steps.push((step.clone(), Node::default()));
                node.steps.len() - 1
            });
            node = &mut node.steps[at].1;
        }
        *node.selector.get_or_insert_with(|| {
            self.selectors += 1;
            self.selectors - 1
        })
    }

    /// What the selectors find in `message`; `None` if it is not a JSON object.
    pub(super) fn read<'m>(&self, message: &'m [u8]) -> Option<Values<'m>> {
        // Most lines of text end here.
        if message.trim_ascii_start().first() != Some(&b'{') || !is_shallow(message) {
            return None;
        }
        let mut values = vec![Vec::new(); self.selectors];
        let mut document = sonic_rs::Deserializer::from_slice(message);
        let nodes = [&self.root];
        Place { nodes: &nodes, values: &mut values }.deserialize(&mut document).ok()?;
        document.end().ok()?;
        Some(values)
    }
}

impl Value<'_> {
    /// The value as text; `None` for `null`, objects and arrays.
    pub(super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Null | Self::Composite => None,
            Self::Boolean(value) => Some(value.to_string()),
            Self::Unsigned(value) => Some(value.to_string()),
            Self::Signed(value) => Some(value.to_string()),
            Self::Float(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.clone().into_owned()),
        }
    }
}

/// Reads one value of the message, which all of `nodes` lead to.
struct Place<'r, 'v, 'm> {
    nodes: &'r [&'r Node],
    values: &'v mut Values<'m>,
}

impl<'m> Place<'_, '_, 'm> {
    fn found(self, value: &Value<'m>) {
        for selector in self.nodes.iter().filter_map(|node| node.selector) {
            self.values[selector].push(value.clone());
        }
    }
}

impl<'m> DeserializeSeed<'m> for Place<'_, '_, 'm> {
    type Value = ();

    fn deserialize<D: Deserializer<'m>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.nodes.is_empty() {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'m> Visitor<'m> for Place<'_, '_, 'm> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.found(&Value::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.found(&Value::Boolean(value));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.found(&Value::Unsigned(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.found(&Value::Signed(value));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.found(&Value::Float(value));
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'m str) -> Result<(), E> {
        self.found(&Value::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.found(&Value::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_map<A: MapAccess<'m>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { nodes, values } = self;
        Place { nodes, values }.found(&Value::Composite);
        while let Some(next) = object.next_key_seed(Key { nodes })? {
            object.next_value_seed(Place { nodes: &next, values })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'m>>(self, mut array: A) -> Result<(), A::Error> {
        let Self { nodes, values } = self;
        Place { nodes, values }.found(&Value::Composite);
        for index in 0.. {
            let leads_there = |step: &Step| match step {
                Step::Element(wanted) => *wanted == index,
                Step::AnyElement => true,
                Step::Property(_) | Step::AnyProperty => false,
            };
            let next = nodes_behind(nodes, leads_there);
            if array.next_element_seed(Place { nodes: &next, values })?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// Reads a property's name, and finds where that leads.
struct Key<'r> {
    nodes: &'r [&'r Node],
}

impl<'m, 'r> DeserializeSeed<'m> for Key<'r> {
    type Value = Vec<&'r Node>;

    fn deserialize<D: Deserializer<'m>>(self, deserializer: D) -> Result<Vec<&'r Node>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'r> Visitor<'_> for Key<'r> {
    type Value = Vec<&'r Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Vec<&'r Node>, E> {
        Ok(nodes_behind(self.nodes, |step| match step {
            Step::Property(wanted) => wanted == name,
            Step::AnyProperty => true,
            Step::Element(_) | Step::AnyElement => false,
        }))
    }
}

/// Whether objects and arrays nest within [`DEPTH_MAX`], as far as the message is JSON.
fn is_shallow(message: &[u8]) -> bool {
    // Nearly every message has too few brackets to nest deeper, and counting these is quick.
    if memchr2_iter(b'{', b'[', message).count() <= DEPTH_MAX {
        return true;
    }
    let (mut depth, mut in_text) = (0_usize, false);
    let mut bytes = message.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_text => {
                bytes.next();
            }
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    true
}

fn nodes_behind<'r>(nodes: &[&'r Node], leads_there: impl Fn(&Step) -> bool) -> Vec<&'r Node> {
    let steps = nodes.iter().flat_map(|node| &node.steps);
    steps.filter(|(step, _)| leads_there(step)).map(|(_, node)| node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_too_deep_is_no_json() {
        let reader = Reader::default();
        let check = |message: String, expected: bool| {
            assert_eq!(reader.read(message.as_bytes()).is_some(), expected, "{}", message.len());
        };
        let nested = |open: &str, close: &str, levels: usize| {
            format!("{{\"a\":{}1{}}}", open.repeat(levels), close.repeat(levels))
        };
        check(nested("[", "]", DEPTH_MAX - 1), true);
        check(nested("[", "]", DEPTH_MAX), false);
        check(nested("{\"a\":", "}", DEPTH_MAX), false);
        // Without a bound these would end the whole process.
        check(nested("[", "]", 100_000), false);
        check("{\"a\":".repeat(40_000), false);
        // Many brackets beside each other are not deep, and those in texts are none.
        check(format!("{{\"a\":[{}1],\"b\":\"{}\\\"{{\"}}", "[1],".repeat(1000), "[{".repeat(1000)), true);
    }
}

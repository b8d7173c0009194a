//! A service model as botocore's `service-2.json` has it: the parts that shapes are made of.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// Traits of shapes and members that change nothing about the Rust that is written.
const HARMLESS_TRAITS: [&str; 12] = [
    "box",
    "deprecated",
    "deprecatedMessage",
    "deprecatedSince",
    "documentation",
    "event",
    "idempotencyToken",
    "locationName",
    "sensitive",
    "synthetic",
    "union",
    "xmlOrder",
];

#[derive(Debug, Deserialize)]
pub(super) struct Model {
    pub(super) metadata: Metadata,
    pub(super) operations: BTreeMap<String, Operation>,
    pub(super) shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) api_version: String,
    pub(super) aws_query_compatible: Option<Value>,
    pub(super) endpoint_prefix: String,
    pub(super) json_version: String,
    pub(super) protocols: Vec<String>,
    pub(super) service_full_name: String,
    pub(super) signing_name: Option<String>,
    pub(super) target_prefix: String,
    pub(super) xml_namespace: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Operation {
    pub(super) input: Option<Reference>,
    pub(super) output: Option<Reference>,
    /// The errors that it can answer.
    #[serde(default)]
    pub(super) errors: Vec<Reference>,
}

/// Where a shape is used: a member, an element, a key, a value.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reference {
    pub(super) shape: String,
    /// Its name in requests and answers, if that is not its own.
    pub(super) location_name: Option<String>,
    pub(super) result_wrapper: Option<String>,
    pub(super) deprecated: bool,
    /// As [`Shape::flattened`].
    pub(super) flattened: bool,
    #[serde(flatten)]
    pub(super) traits: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shape {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) members: Members,
    pub(super) required: Vec<String>,
    pub(super) member: Option<Reference>,
    pub(super) key: Option<Reference>,
    pub(super) value: Option<Reference>,
    pub(super) min: Option<Number>,
    pub(super) max: Option<Number>,
    pub(super) pattern: Option<String>,
    #[serde(rename = "enum")]
    pub(super) values: Vec<String>,
    pub(super) union: bool,
    pub(super) sensitive: bool,
    /// Whether the query protocol writes the elements of this list or map without a level of their own.
    pub(super) flattened: bool,
    pub(super) exception: bool,
    pub(super) fault: bool,
    /// Whether its members are events, of which an answer has any number.
    pub(super) eventstream: bool,
    pub(super) error: ErrorTrait,
    #[serde(flatten)]
    pub(super) traits: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ErrorTrait {
    pub(super) code: Option<String>,
    pub(super) http_status_code: Option<u16>,
}

/// Members in the order of the model, which is the order in which AWS writes them.
#[derive(Debug, Default)]
pub(super) struct Members(pub(super) Vec<(String, Reference)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("members by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    members.push(entry);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Model {
    /// A shape that an operation reaches. Refuses what the generator does not understand.
    pub(super) fn shape(&self, name: &str) -> Result<&Shape> {
        let shape = self.shapes.get(name).with_context(|| format!("the model has no shape {name}"))?;
        let uses = [&shape.member, &shape.key, &shape.value].into_iter().flatten();
        let uses = uses.chain(shape.members.0.iter().map(|(_, member)| member));
        let traits = shape.traits.keys().chain(uses.flat_map(|reference| reference.traits.keys()));
        for name_of_trait in traits {
            if !HARMLESS_TRAITS.contains(&name_of_trait.as_str()) {
                bail!("shape {name}: `cargo xtask api` does not understand the trait `{name_of_trait}`");
            }
        }
        Ok(shape)
    }

    /// The error shapes, sorted by name.
    pub(super) fn errors(&self) -> impl Iterator<Item = (&String, &Shape)> {
        self.shapes.iter().filter(|(_, shape)| shape.exception)
    }
}

impl Shape {
    pub(super) fn is_enum(&self) -> bool {
        !self.values.is_empty()
    }

    pub(super) fn element(&self) -> Result<&Reference> {
        self.member.as_ref().context("a list without a member")
    }

    pub(super) fn entry(&self) -> Result<(&Reference, &Reference)> {
        Ok((
            self.key.as_ref().context("a map without a key")?,
            self.value.as_ref().context("a map without a value")?,
        ))
    }
}

//! Field index policies: which fields of a group's events queries can look up. Groundwatch keeps and shows
//! them; its own filters find text without being told which fields matter.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::logs::IndexType;
use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How many fields a policy names. Source: CloudWatch Logs API reference, PutIndexPolicy.
pub(crate) const FIELDS_MAX: usize = 20;
/// The longest name of a field, in characters. Source: as above.
pub(crate) const FIELD_CHARACTERS_MAX: usize = 100;
/// How long a field that a policy no longer names is still listed. Source: as above.
const INACTIVE_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many of those are remembered.
const INACTIVE_MAX: usize = 100;

/// What AWS indexes in every group of class `STANDARD`, whatever its policy says.
pub(crate) const DEFAULT_FIELDS: [&str; 10] = [
    "@aws.account",
    "@aws.region",
    "@data_format",
    "@data_source_name",
    "@data_source_type",
    "@logStream",
    "@source.log",
    "attributes.session.id",
    "severityText",
    "traceId",
];

/// Why an index policy is refused, or is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexPolicyError {
    /// The group has none.
    #[error("index policy does not exist")]
    Missing,
    /// The document is not JSON of the form of an index policy.
    #[error("index policy cannot be read: {reason}")]
    Document {
        /// What is wrong, and where.
        reason: String,
    },
    /// It names no field.
    #[error("index policy names no field")]
    NoFields,
    /// It names more fields than it can.
    #[error("index policy names more than {FIELDS_MAX} fields")]
    TooManyFields,
    /// A field without a name, or with one that is too long.
    #[error("`{field}` is not a name of 1 to {FIELD_CHARACTERS_MAX} characters")]
    FieldName {
        /// What was given.
        field: String,
    },
    /// A field that is named twice.
    #[error("field `{field}` is named twice")]
    FieldTwice {
        /// The field.
        field: String,
    },
}

/// The fields that a policy names, and how they are indexed.
pub(crate) type IndexedFields = BTreeMap<String, IndexType>;

/// The index policy of a group, with what earlier ones leave behind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct IndexPolicy {
    /// The document as it was given; absent once it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// When the policy was put or deleted.
    pub updated: Timestamp,
    /// What the document says.
    #[serde(default)]
    pub fields: IndexedFields,
    /// Fields of earlier policies, and since when they are no longer indexed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    inactive: BTreeMap<String, (IndexType, Timestamp)>,
}

/// A policy document, as AWS writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "Fields", default)]
    fields: Vec<String>,
    #[serde(rename = "FieldsV2", default)]
    typed: BTreeMap<String, TypedField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedField {
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    FieldIndex,
    Facet,
}

impl IndexPolicy {
    /// The policy after `document` (none to delete it) was put at `now`.
    pub(crate) fn replaced(
        &self,
        document: Option<String>,
        now: Timestamp,
    ) -> Result<Self, IndexPolicyError> {
        let fields = document.as_deref().map(parse).transpose()?.unwrap_or_default();
        let mut inactive = self.inactive.clone();
        inactive.extend(self.fields.iter().map(|(field, kind)| (field.clone(), (kind.clone(), now))));
        inactive.retain(|field, (_, since)| !fields.contains_key(field) && *since > now - INACTIVE_FOR);
        while inactive.len() > INACTIVE_MAX {
            inactive.pop_first();
        }
        Ok(Self { document, updated: now, fields, inactive })
    }

    /// Fields that are no longer indexed and still listed at `now`.
    pub(crate) fn inactive(&self, now: Timestamp) -> impl Iterator<Item = (&str, &IndexType)> {
        let listed = move |since: Timestamp| since > now - INACTIVE_FOR;
        self.inactive
            .iter()
            .filter(move |(_, (_, since))| listed(*since))
            .map(|(field, (kind, _))| (field.as_str(), kind))
    }
}

/// Reads a policy document. Names are case-sensitive; the two lists have no field in common.
pub(crate) fn parse(document: &str) -> Result<IndexedFields, IndexPolicyError> {
    // An object first: a list of the members' values would be read as well.
    let object: Result<Map<String, Value>, _> = serde_json::from_str(document);
    let Document { fields, typed } =
        object
            .and_then(|object| Document::deserialize(Value::Object(object)))
            .map_err(|error| IndexPolicyError::Document { reason: error.to_string() })?;
    let plain = fields.into_iter().map(|field| (field, IndexType::FieldIndex));
    let typed = typed.into_iter().map(|(field, typed)| match typed.kind {
        Kind::FieldIndex => (field, IndexType::FieldIndex),
        Kind::Facet => (field, IndexType::Facet),
    });
    let mut indexed = IndexedFields::new();
    for (field, kind) in plain.chain(typed) {
        if field.is_empty() || field.chars().count() > FIELD_CHARACTERS_MAX {
            return Err(IndexPolicyError::FieldName { field });
        }
        if indexed.insert(field.clone(), kind).is_some() {
            return Err(IndexPolicyError::FieldTwice { field });
        }
    }
    match indexed.len() {
        0 => Err(IndexPolicyError::NoFields),
        1..=FIELDS_MAX => Ok(indexed),
        _ => Err(IndexPolicyError::TooManyFields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

    fn names(fields: &IndexedFields) -> Vec<&str> {
        fields.keys().map(String::as_str).collect()
    }

    #[test]
    fn both_lists_name_fields() {
        let check = |document: &str, expected: &[&str]| {
            assert_eq!(names(&parse(document).expect(document)), expected, "{document}");
        };
        check(r#"{"Fields":["a"]}"#, &["a"]);
        check(r#"{"Fields":["b","A"]}"#, &["A", "b"]);
        check(r#"{"FieldsV2":{"a":{"type":"FACET"}}}"#, &["a"]);
        check(r#"{"Fields":["a"],"FieldsV2":{"b":{"type":"FIELD_INDEX"}}}"#, &["a", "b"]);
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let long = "x".repeat(101);
        let many: Vec<String> = (0..21).map(|number| format!("f{number}")).collect();
        let field = |field: &str| field.to_owned();
        for (document, expected) in [
            (r#"{}"#.to_owned(), IndexPolicyError::NoFields),
            (r#"{"Fields":[]}"#.to_owned(), IndexPolicyError::NoFields),
            (r#"{"Fields":["a","a"]}"#.to_owned(), IndexPolicyError::FieldTwice { field: field("a") }),
            (
                r#"{"Fields":["a"],"FieldsV2":{"a":{"type":"FACET"}}}"#.to_owned(),
                IndexPolicyError::FieldTwice { field: field("a") },
            ),
            (r#"{"Fields":[""]}"#.to_owned(), IndexPolicyError::FieldName { field: field("") }),
            (format!(r#"{{"Fields":["{long}"]}}"#), IndexPolicyError::FieldName { field: long }),
            (format!(r#"{{"Fields":{}}}"#, serde_json::json!(many)), IndexPolicyError::TooManyFields),
        ] {
            assert_eq!(parse(&document), Err(expected), "{document}");
        }
        for document in
            ["", "[]", r#"{"Fields":"a"}"#, r#"{"Other":1}"#, r#"{"FieldsV2":{"a":{"type":"X"}}}"#]
        {
            assert!(matches!(parse(document), Err(IndexPolicyError::Document { .. })), "{document}");
        }
    }

    #[test]
    fn a_field_is_listed_for_30_days_after_its_policy() {
        let put = |policy: &IndexPolicy, document: &str, at| {
            policy.replaced(Some(document.to_owned()), at).expect("a policy")
        };
        let first = put(&IndexPolicy::default(), r#"{"Fields":["a","b"]}"#, NOW);
        assert_eq!(first.inactive(NOW).count(), 0);
        let second = put(&first, r#"{"Fields":["b"]}"#, NOW);
        let listed = |at| second.inactive(at).map(|(field, _)| field).collect::<Vec<_>>();
        assert_eq!(listed(NOW), ["a"]);
        assert_eq!(listed(NOW + INACTIVE_FOR), [""; 0]);
        let deleted = second.replaced(None, NOW).expect("deleted");
        assert_eq!(deleted.inactive(NOW).map(|(field, _)| field).collect::<Vec<_>>(), ["a", "b"]);
        let again = put(&deleted, r#"{"Fields":["a"]}"#, NOW);
        assert_eq!(again.inactive(NOW).map(|(field, _)| field).collect::<Vec<_>>(), ["b"]);
    }
}

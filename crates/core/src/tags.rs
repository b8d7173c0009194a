//! The tags of one resource. Each resource keeps its own, beside what else is known of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The tags of a resource, by key. What it holds is within AWS's limits; the constraint tables of the
/// services check the lengths of keys and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<String, String>);

/// Why tags are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The resource would have more than [`Tags::COUNT_MAX`] tags.
    #[error("a resource has at most {} tags", Tags::COUNT_MAX)]
    TooMany,
    /// Keys that begin with `aws:` are AWS's own.
    #[error("tag key `{key}` is reserved")]
    Reserved {
        /// The key.
        key: String,
    },
}

/// One call's change of a resource's tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagChange {
    /// Adds these, replacing the values of keys that are there.
    Add(Tags),
    /// Removes these keys; those that are not there are none the worse.
    Remove(Vec<String>),
}

impl Tags {
    /// How many tags a resource can have in AWS.
    pub const COUNT_MAX: usize = 50;

    /// These pairs. Of a key that comes twice the last value counts.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, TagError> {
        let tags: BTreeMap<_, _> = pairs.into_iter().collect();
        if let Some(key) =
            tags.keys().find(|key| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")))
        {
            return Err(TagError::Reserved { key: key.clone() });
        }
        Self(tags).within_limit()
    }

    /// The tags after `change`.
    pub fn changed(&self, change: &TagChange) -> Result<Self, TagError> {
        let mut tags = self.0.clone();
        match change {
            TagChange::Add(added) => tags.extend(added.0.clone()),
            TagChange::Remove(keys) => tags.retain(|key, _| !keys.contains(key)),
        }
        Self(tags).within_limit()
    }

    /// The pairs of key and value, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs, as some of AWS's shapes have them.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    fn within_limit(self) -> Result<Self, TagError> {
        if self.0.len() > Self::COUNT_MAX { Err(TagError::TooMany) } else { Ok(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        let owned = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Tags::new(owned).expect("within limits")
    }

    #[test]
    fn adding_replaces_values_and_removing_ignores_what_is_not_there() {
        let before = tags(&[("a", "1"), ("b", "2")]);
        let added = before.changed(&TagChange::Add(tags(&[("b", "3"), ("c", "4")])));
        assert_eq!(added, Ok(tags(&[("a", "1"), ("b", "3"), ("c", "4")])));
        let removed = before.changed(&TagChange::Remove(vec!["b".to_owned(), "z".to_owned()]));
        assert_eq!(removed, Ok(tags(&[("a", "1")])));
    }

    #[test]
    fn the_fifty_first_tag_is_refused_however_it_comes() {
        let many = |count: usize| (0..count).map(|number| (number.to_string(), String::new()));
        let fifty = Tags::new(many(50)).expect("fifty are allowed");
        assert_eq!(Tags::new(many(51)), Err(TagError::TooMany));
        assert_eq!(fifty.changed(&TagChange::Add(tags(&[("one", "more")]))), Err(TagError::TooMany));
        assert!(fifty.changed(&TagChange::Add(tags(&[("0", "replaced")]))).is_ok());
    }

    #[test]
    fn keys_of_aws_are_reserved() {
        let reserved = Tags::new([("AWS:x".to_owned(), String::new())]);
        assert_eq!(reserved, Err(TagError::Reserved { key: "AWS:x".to_owned() }));
    }
}

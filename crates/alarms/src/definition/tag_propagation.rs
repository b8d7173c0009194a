//! Which of an alarm's tags go along with what it sends.

use std::collections::BTreeMap;

use groundwatch_api::cloudwatch::{ActionConfiguration, AlarmTagsPropagation};
use groundwatch_core::Tags;
use serde::{Deserialize, Serialize};

use super::DefinitionError;

/// `AlarmTagsPropagation`: the tags that notifications to topics, invocations of functions and events show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagPropagation {
    /// `Enabled`: whether any are shown.
    pub enabled: bool,
    /// Which.
    pub keys: PropagatedKeys,
}

/// The keys of the tags that are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropagatedKeys {
    /// All, also those of tags to come.
    All,
    /// `IncludedTagKeys`: these only.
    Included(Vec<String>),
    /// `ExcludedTagKeys`: all but these.
    Excluded(Vec<String>),
}

impl TagPropagation {
    /// Reads the only thing that `ActionConfiguration` can say.
    pub(super) fn read(configuration: Option<ActionConfiguration>) -> Result<Option<Self>, DefinitionError> {
        let propagation = configuration.and_then(|configuration| configuration.alarm_tags_propagation);
        let Some(AlarmTagsPropagation { enabled, included_tag_keys, excluded_tag_keys }) = propagation else {
            return Ok(None);
        };
        let keys = match (included_tag_keys, excluded_tag_keys) {
            (None, None) => PropagatedKeys::All,
            (Some(included), None) => PropagatedKeys::Included(included),
            (None, Some(excluded)) => PropagatedKeys::Excluded(excluded),
            (Some(_), Some(_)) => {
                let (parameter, other) = ("IncludedTagKeys", "ExcludedTagKeys");
                return Err(DefinitionError::Excluded { parameter, other });
            }
        };
        Ok(Some(Self { enabled: enabled.unwrap_or_default(), keys }))
    }

    /// Those of `tags` that are shown; `None` if tags are not spoken of at all.
    pub fn of<'a>(&self, tags: &'a Tags) -> Option<BTreeMap<&'a str, &'a str>> {
        let is_shown = |key: &str| match &self.keys {
            PropagatedKeys::All => true,
            PropagatedKeys::Included(keys) => keys.iter().any(|named| named == key),
            PropagatedKeys::Excluded(keys) => !keys.iter().any(|named| named == key),
        };
        let shown = tags.iter().filter(|(key, _)| is_shown(key));
        self.enabled.then(|| shown.collect())
    }

    /// As DescribeAlarms shows it.
    pub(crate) fn shape(&self) -> ActionConfiguration {
        let (included_tag_keys, excluded_tag_keys) = match &self.keys {
            PropagatedKeys::All => (None, None),
            PropagatedKeys::Included(keys) => (Some(keys.clone()), None),
            PropagatedKeys::Excluded(keys) => (None, Some(keys.clone())),
        };
        let enabled = Some(self.enabled);
        ActionConfiguration {
            alarm_tags_propagation: Some(AlarmTagsPropagation {
                enabled,
                included_tag_keys,
                excluded_tag_keys,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_choose_among_the_tags() {
        let tags = ["team", "stage"].map(|key| (key.to_owned(), "x".to_owned()));
        let tags = Tags::new(tags).expect("two tags");
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        for (enabled, keys, expected) in [
            (true, PropagatedKeys::All, Some(vec!["stage", "team"])),
            (true, PropagatedKeys::Included(keys(&["team", "absent"])), Some(vec!["team"])),
            (true, PropagatedKeys::Excluded(keys(&["team"])), Some(vec!["stage"])),
            (true, PropagatedKeys::Included(keys(&["absent"])), Some(vec![])),
            (false, PropagatedKeys::All, None),
        ] {
            let propagation = TagPropagation { enabled, keys };
            let shown = propagation.of(&tags).map(|shown| shown.into_keys().collect::<Vec<_>>());
            assert_eq!(shown, expected, "{propagation:?}");
        }
    }
}

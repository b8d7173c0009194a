//! A topic: its name, its ARN and what is kept of it.

pub(crate) mod attributes;
pub(crate) mod fifo;
pub(crate) mod permissions;

use std::collections::BTreeMap;

use groundwatch_core::{Arn, Scope, TagChange, Tags, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};

use crate::{Invalid, NotifyError};

/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 256;

/// What the names of FIFO topics end in.
const FIFO_SUFFIX: &str = ".fifo";

/// What is kept of a topic under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Topic {
    /// The attributes that were set, as they were given.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
    /// How many subscriptions of it have ended.
    #[serde(default)]
    pub(crate) subscriptions_deleted: u64,
}

impl Document for Topic {
    const KIND: &'static str = "sns-topic";
}

impl Topic {
    /// The tags of `given` over those that it has.
    pub(crate) fn tagged(
        &self,
        given: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, NotifyError> {
        let mut pairs = BTreeMap::new();
        for (key, value) in given {
            if pairs.insert(key, value).is_some() {
                return Err(Invalid::RepeatedTag.into());
            }
        }
        let tags = self.tags.changed(&TagChange::Add(Tags::new(pairs)?))?;
        Ok(Self { tags, ..self.clone() })
    }
}

/// Which topic: the parsed form of its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicId {
    scope: Scope,
    name: String,
}

impl TopicId {
    /// The topic called `name` in `scope`: 1 to 256 ASCII letters, digits, hyphens and underscores, of which
    /// the last are `.fifo` if, and only if, it is a FIFO topic.
    pub(crate) fn new(scope: &Scope, name: &str, fifo: bool) -> Result<Self, NotifyError> {
        let word = if fifo { name.strip_suffix(FIFO_SUFFIX).ok_or(Invalid::TopicName)? } else { name };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if word.is_empty() || name.len() > NAME_LENGTH_MAX || !word.bytes().all(allowed) {
            return Err(Invalid::TopicName.into());
        }
        Ok(Self { scope: scope.clone(), name: name.to_owned() })
    }

    /// The topic whose ARN is in `parameter`. It need not exist, nor belong to the caller.
    pub(crate) fn parse(arn: &str, parameter: &'static str) -> Result<Self, Invalid> {
        let parsed = Arn::parse(arn).map_err(|source| Invalid::Arn { parameter, source })?;
        let other = || Invalid::OtherArn { parameter };
        // A colon in the resource makes it a subscription's ARN.
        if parsed.service != "sns" || parsed.resource.is_empty() || parsed.resource.contains(':') {
            return Err(other());
        }
        Ok(Self { scope: scope_of(&parsed).ok_or_else(other)?, name: parsed.resource.to_owned() })
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a FIFO topic, which its name tells.
    pub(crate) fn is_fifo(&self) -> bool {
        self.name.ends_with(FIFO_SUFFIX)
    }

    pub(crate) fn arn(&self) -> String {
        self.scope.arn("sns", &self.name)
    }

    /// Under which key its document is kept.
    pub(crate) fn key(&self) -> Key {
        Key::new(&self.scope, self.name.clone())
    }
}

/// Account and region of an ARN that must have both.
pub(crate) fn scope_of(arn: &Arn<'_>) -> Option<Scope> {
    let account = arn.account.parse().ok()?;
    (!arn.region.is_empty()).then(|| Scope { account, region: groundwatch_core::Region::new(arn.region) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ascii_words_of_bounded_length() {
        let check = |name: &str, allowed: bool| {
            assert_eq!(TopicId::new(&Scope::default(), name, false).is_ok(), allowed, "{name}");
        };
        check("alerts", true);
        check("A-z_09", true);
        check(&"a".repeat(256), true);
        check(&"a".repeat(257), false);
        check("", false);
        check("two words", false);
        check("ünicode", false);
        check("topic.fifo", false);
        let fifo = |name: &str| TopicId::new(&Scope::default(), name, true).is_ok();
        assert!(fifo("topic.fifo") && !fifo("topic") && !fifo("a.topic.fifo") && !fifo(".fifo"));
    }

    #[test]
    fn a_tag_has_one_value() {
        let topic = Topic {
            attributes: BTreeMap::new(),
            tags: Tags::new([("a".to_owned(), "1".to_owned())]).expect("one tag"),
            created: Timestamp::EPOCH,
            subscriptions_deleted: 0,
        };
        let tagged = |keys: &[&str]| topic.tagged(keys.iter().map(|key| ((*key).to_owned(), "2".to_owned())));
        assert_eq!(tagged(&["a", "b"]).expect("two tags").tags.iter().count(), 2);
        assert!(matches!(tagged(&["b", "b"]), Err(NotifyError::Invalid(Invalid::RepeatedTag))));
    }

    #[test]
    fn an_arn_leads_back_to_its_topic() {
        let topic = TopicId::new(&Scope::default(), "alerts", false).expect("a name");
        assert_eq!(topic.arn(), "arn:aws:sns:us-east-1:000000000000:alerts");
        assert_eq!(TopicId::parse(&topic.arn(), "TopicArn"), Ok(topic));
    }

    #[test]
    fn other_arns_are_refused() {
        let check = |arn: &str| {
            assert_eq!(
                TopicId::parse(arn, "TopicArn"),
                Err(Invalid::OtherArn { parameter: "TopicArn" }),
                "{arn}"
            );
        };
        check("arn:aws:sqs:us-east-1:000000000000:alerts");
        check("arn:aws:sns::000000000000:alerts");
        check("arn:aws:sns:us-east-1:0:alerts");
        check("arn:aws:sns:us-east-1:000000000000:");
        check("arn:aws:sns:us-east-1:000000000000:alerts:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55");
    }
}

//! What a filter policy says.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::parser::{FilterPolicyError, parse};

/// A policy, kept as the text that was given and read again when it is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct FilterPolicy {
    text: String,
    pub(super) rules: Rules,
}

impl FilterPolicy {
    /// Reads a policy. Whether it suits a scope is [`Filter::new`]'s to say.
    pub(crate) fn parse(text: &str) -> Result<Self, FilterPolicyError> {
        Ok(Self { text: text.to_owned(), rules: parse(text)? })
    }

    /// The text that was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for FilterPolicy {
    type Error = FilterPolicyError;

    fn try_from(text: String) -> Result<Self, FilterPolicyError> {
        Self::parse(&text)
    }
}

impl From<FilterPolicy> for String {
    fn from(policy: FilterPolicy) -> Self {
        policy.text
    }
}

/// An object of a policy: all of it has to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rules {
    /// What is asked of properties, by name.
    pub(super) properties: Vec<(String, Rule)>,
    /// Each `$or`: one of its objects has to hold.
    pub(super) alternatives: Vec<Vec<Rules>>,
}

/// What is asked of one property.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    /// One of these has to hold.
    AnyOf(Vec<Condition>),
    /// It is an object, and these hold of its members.
    Nested(Rules),
}

/// What a policy looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FilterScope {
    /// The message's attributes.
    #[default]
    MessageAttributes,
    /// The message itself, which is JSON then.
    MessageBody,
}

impl FilterScope {
    /// The scope of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "MessageAttributes" => Some(Self::MessageAttributes),
            "MessageBody" => Some(Self::MessageBody),
            _ => None,
        }
    }

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::MessageAttributes => "MessageAttributes",
            Self::MessageBody => "MessageBody",
        }
    }
}

/// A policy in the scope that it was made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter<'a> {
    pub(super) policy: &'a FilterPolicy,
    pub(super) scope: FilterScope,
}

impl<'a> Filter<'a> {
    /// `policy` in `scope`.
    pub(crate) fn new(policy: &'a FilterPolicy, scope: FilterScope) -> Self {
        Self { policy, scope }
    }

    /// Whether the policy is one for its scope: not too complex, and nested for bodies only.
    pub(crate) fn check(&self) -> Result<(), FilterPolicyError> {
        let nested = self.policy.rules.is_nested();
        if nested && self.scope == FilterScope::MessageAttributes {
            return Err(FilterPolicyError::Nested);
        }
        if self.policy.rules.keys() > KEYS_MAX {
            return Err(FilterPolicyError::TooManyKeys);
        }
        // AWS counts a value once for each level that it lies deep, in bodies only.
        let depth_counts = self.scope == FilterScope::MessageBody;
        if self.policy.rules.combinations(1, depth_counts) > COMBINATIONS_MAX {
            return Err(FilterPolicyError::TooComplex);
        }
        Ok(())
    }
}

/// The most keys of a policy.
const KEYS_MAX: usize = 5;

/// The most combinations of values of a policy.
const COMBINATIONS_MAX: usize = 150;

impl Rules {
    fn is_nested(&self) -> bool {
        self.properties.iter().any(|(_, rule)| matches!(rule, Rule::Nested(_)))
            || self.alternatives.iter().flatten().any(Self::is_nested)
    }

    /// How many properties values are asked of.
    fn keys(&self) -> usize {
        let own = self.properties.iter().map(|(_, rule)| match rule {
            Rule::AnyOf(_) => 1,
            Rule::Nested(rules) => rules.keys(),
        });
        own.sum::<usize>() + self.alternatives.iter().flatten().map(Self::keys).sum::<usize>()
    }

    /// The product of the numbers of values over all keys; the objects of an `$or` add up.
    fn combinations(&self, depth: usize, depth_counts: bool) -> usize {
        let factor = if depth_counts { depth } else { 1 };
        let own = self.properties.iter().map(|(_, rule)| match rule {
            Rule::AnyOf(conditions) => conditions.len().saturating_mul(factor),
            Rule::Nested(rules) => rules.combinations(depth + 1, depth_counts),
        });
        let alternatives = self.alternatives.iter().map(|objects| {
            objects.iter().map(|rules| rules.combinations(depth, depth_counts)).fold(0, usize::saturating_add)
        });
        own.chain(alternatives).fold(1, usize::saturating_mul)
    }
}

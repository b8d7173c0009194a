//! A subscription filter: what is sent on, and whom to.

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};

use super::ForwardingError;
use super::field_selection::{FieldSelection, SystemField};
use super::vendor::Vendor;
use crate::error::LogsError;
use crate::pattern::{Matcher, Pattern};

/// A subscription filter, as its document keeps it. One of the account is kept in its policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    /// The pattern as it was given.
    pub pattern: String,
    /// Who gets the events.
    pub destination_arn: String,
    /// The role that AWS would send with. Kept and shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// How events are spread over the shards of a data stream.
    #[serde(default)]
    pub distribution: Distribution,
    /// The selection by system fields as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_selection: Option<String>,
    /// `@aws.account` and the like, where they are sent along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fields: Option<Vec<String>>,
    /// Whether it is about what the group's transformer makes of events, where there is one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_transformed: bool,
    /// When it was created; kept when it is replaced.
    pub created: Timestamp,
}

impl Document for Subscription {
    const KIND: &'static str = "log-subscription";
}

/// How events are spread over the shards of a data stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Distribution {
    /// Events of one log stream stay together.
    #[default]
    ByLogStream,
    /// Evenly.
    Random,
}

/// A subscription, ready to look at events.
#[derive(Clone)]
pub(crate) struct CompiledSubscription {
    /// The name that messages carry: the filter's or the policy's.
    pub(crate) name: String,
    /// The filter itself.
    pub(crate) subscription: Subscription,
    /// What it is sent to, in metrics.
    pub(crate) vendor: Vendor,
    pub(crate) matcher: Matcher,
    /// Whether what the pattern finds is sent along: what space-delimited ones find.
    pub(crate) extracts: bool,
    selection: Option<FieldSelection>,
    system_fields: Vec<(&'static str, SystemFieldSource)>,
}

/// Where a system field's value comes from.
#[derive(Clone, Copy)]
enum SystemFieldSource {
    Scope(SystemField),
    /// The group: centralization would tell which one the event came from, and here that is the group itself.
    Group,
}

impl Subscription {
    /// Compiles the filter called `name`; an error tells what is wrong with it.
    pub(crate) fn compile(&self, name: &str) -> Result<CompiledSubscription, LogsError> {
        let vendor = Vendor::of(&self.destination_arn)?;
        vendor.check_role(self.role_arn.as_deref())?;
        let pattern = Pattern::parse(&self.pattern)?;
        let selection = self.field_selection.as_deref().filter(|text| !text.trim().is_empty());
        let selection = selection.map(FieldSelection::parse).transpose();
        let known = |field: &String| match field.as_str() {
            "@aws.account" => Ok(("@aws.account", SystemFieldSource::Scope(SystemField::Account))),
            "@aws.region" => Ok(("@aws.region", SystemFieldSource::Scope(SystemField::Region))),
            "@source.log" => Ok(("@source.log", SystemFieldSource::Group)),
            _ => Err(ForwardingError::SystemField { field: field.clone() }),
        };
        Ok(CompiledSubscription {
            name: name.to_owned(),
            subscription: self.clone(),
            vendor,
            matcher: Matcher::new(&pattern),
            extracts: matches!(pattern, Pattern::Fields(_)),
            selection: selection.map_err(ForwardingError::FieldSelection)?,
            system_fields: self.system_fields.iter().flatten().map(known).collect::<Result<_, _>>()?,
        })
    }
}

impl CompiledSubscription {
    /// Whether it is about events of `scope` at all.
    pub(crate) fn selects(&self, scope: &Scope) -> bool {
        self.selection.as_ref().is_none_or(|selection| selection.selects(scope))
    }

    /// The system fields that are sent along with events of a group.
    pub(crate) fn system_fields(
        &self,
        scope: &Scope,
        group: &str,
    ) -> impl Iterator<Item = (&'static str, String)> {
        self.system_fields.iter().map(move |(name, source)| {
            let value = match source {
                SystemFieldSource::Scope(field) => field.value(scope),
                SystemFieldSource::Group => group.to_owned(),
            };
            (*name, value)
        })
    }
}

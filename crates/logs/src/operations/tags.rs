//! Tags of log groups and of all else that has some, by the calls of today (`TagResource`, …) and, for
//! groups, those of old (`TagLogGroup`, …). Both act on one set.

use std::collections::BTreeMap;

use groundwatch_api::logs::{
    ListTagsForResource, ListTagsForResourceInput, ListTagsForResourceOutput, ListTagsLogGroup,
    ListTagsLogGroupInput, ListTagsLogGroupOutput, TagLogGroup, TagLogGroupInput, TagLogGroupOutput,
    TagResource, TagResourceInput, TagResourceOutput, UntagLogGroup, UntagLogGroupInput, UntagLogGroupOutput,
    UntagResource, UntagResourceInput, UntagResourceOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, TagChange, Tags};

use super::log_anomaly_detector::detector_arn;
use super::lookup_table::lookup_table_arn;
use crate::anomaly::{AnomalyError, LogAnomalyDetector};
use crate::error::LogsError;
use crate::forwarding::destination_arn;
use crate::group::LogGroup;
use crate::identifier;
use crate::logs::Logs;
use crate::lookup_table::LookupTableError;
use crate::shelf::{HasTags, Shelf};
use crate::vended::vended_arn;

impl Handle<TagResource> for Logs {
    async fn handle(&self, call: &Call, input: TagResourceInput) -> Result<TagResourceOutput, Fault> {
        let arn = input.resource_arn.expect("validated: required");
        let tags = input.tags.expect("validated: required");
        self.change_resource_tags(call.scope(), &arn, added(tags)?).await?;
        Ok(TagResourceOutput {})
    }
}

impl Handle<UntagResource> for Logs {
    async fn handle(&self, call: &Call, input: UntagResourceInput) -> Result<UntagResourceOutput, Fault> {
        let arn = input.resource_arn.expect("validated: required");
        let change = TagChange::Remove(input.tag_keys.expect("validated: required"));
        self.change_resource_tags(call.scope(), &arn, change).await?;
        Ok(UntagResourceOutput {})
    }
}

impl Handle<ListTagsForResource> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, Fault> {
        let arn = input.resource_arn.expect("validated: required");
        let not_taggable = || LogsError::NotTaggable { arn: arn.clone() };
        let tags = match tagged(call.scope(), &arn)? {
            Tagged::Group(name) => self.tags(call.scope(), name).map_err(|error| resource(error, &arn))?,
            Tagged::Destination(name) => kept(&self.destinations, call.scope(), name, &arn)?,
            Tagged::DeliverySource(name) => kept(&self.vended.sources, call.scope(), name, &arn)?,
            Tagged::DeliveryDestination(name) => kept(&self.vended.destinations, call.scope(), name, &arn)?,
            Tagged::Delivery(id) => kept(&self.vended.deliveries, call.scope(), id, &arn)?,
            Tagged::LookupTable(name) => {
                let table = self.lookup_tables.get(call.scope(), name).map_err(|_| not_taggable())?;
                table.tags.clone().into_map()
            }
            Tagged::AnomalyDetector(id) => {
                let detector = self.anomaly_detectors.get(call.scope(), id).map_err(|_| not_taggable())?;
                detector.tags.clone().into_map()
            }
        };
        Ok(ListTagsForResourceOutput { tags: Some(tags) })
    }
}

impl Handle<TagLogGroup> for Logs {
    async fn handle(&self, call: &Call, input: TagLogGroupInput) -> Result<TagLogGroupOutput, Fault> {
        let group = input.log_group_name.expect("validated: required");
        let tags = input.tags.expect("validated: required");
        self.change_tags(call.scope(), &group, added(tags)?).await?;
        Ok(TagLogGroupOutput {})
    }
}

impl Handle<UntagLogGroup> for Logs {
    async fn handle(&self, call: &Call, input: UntagLogGroupInput) -> Result<UntagLogGroupOutput, Fault> {
        let group = input.log_group_name.expect("validated: required");
        let change = TagChange::Remove(input.tags.expect("validated: required"));
        self.change_tags(call.scope(), &group, change).await?;
        Ok(UntagLogGroupOutput {})
    }
}

impl Handle<ListTagsLogGroup> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: ListTagsLogGroupInput,
    ) -> Result<ListTagsLogGroupOutput, Fault> {
        let group = input.log_group_name.expect("validated: required");
        Ok(ListTagsLogGroupOutput { tags: Some(self.tags(call.scope(), &group)?) })
    }
}

fn added(tags: BTreeMap<String, String>) -> Result<TagChange, LogsError> {
    Ok(TagChange::Add(Tags::new(tags)?))
}

/// What has tags, by its name.
enum Tagged<'a> {
    Group(&'a str),
    Destination(&'a str),
    DeliverySource(&'a str),
    DeliveryDestination(&'a str),
    Delivery(&'a str),
    LookupTable(&'a str),
    AnomalyDetector(&'a str),
}

/// What is tagged by that name.
type Kind<'a> = fn(&'a str) -> Tagged<'a>;

/// What an ARN names. Plain names are no ARNs, and the form of groups with `:*` is refused, as AWS does.
fn tagged<'a>(scope: &Scope, arn: &'a str) -> Result<Tagged<'a>, LogsError> {
    let not_taggable = || LogsError::NotTaggable { arn: arn.to_owned() };
    if !arn.starts_with("arn:") {
        return Err(not_taggable());
    }
    let kinds: [(String, Kind<'a>); 6] = [
        (destination_arn(scope, ""), Tagged::Destination),
        (vended_arn(scope, "delivery-source", ""), Tagged::DeliverySource),
        (vended_arn(scope, "delivery-destination", ""), Tagged::DeliveryDestination),
        (vended_arn(scope, "delivery", ""), Tagged::Delivery),
        (lookup_table_arn(scope, ""), Tagged::LookupTable),
        (detector_arn(scope, ""), Tagged::AnomalyDetector),
    ];
    for (prefix, kind) in kinds {
        if let Some(name) = arn.strip_prefix(prefix.as_str()) {
            return Ok(kind(name));
        }
    }
    identifier::name_in_identifier(scope, arn).map(Tagged::Group).map_err(|_| not_taggable())
}

/// The tags of a document.
fn kept<T: HasTags>(
    shelf: &Shelf<T>,
    scope: &Scope,
    name: &str,
    arn: &str,
) -> Result<BTreeMap<String, String>, LogsError> {
    let document = shelf.get(scope, name).ok_or_else(|| LogsError::NotTaggable { arn: arn.to_owned() })?;
    Ok(document.tags().clone().into_map())
}

/// Changes the tags of a document.
async fn change_kept<T: HasTags>(
    shelf: &Shelf<T>,
    scope: &Scope,
    name: &str,
    arn: &str,
    change: &TagChange,
) -> Result<(), LogsError> {
    let changed = |known: Option<&T>| {
        let known = known.ok_or_else(|| LogsError::NotTaggable { arn: arn.to_owned() })?;
        Ok(known.with_tags(known.tags().changed(change)?))
    };
    shelf.change(scope, name, changed).await.map(drop)
}

/// These calls name a resource, not a group, when there is none.
fn resource(error: LogsError, arn: &str) -> LogsError {
    match error {
        LogsError::GroupMissing
        | LogsError::LookupTable(LookupTableError::Missing)
        | LogsError::Anomaly(AnomalyError::DetectorMissing) => LogsError::NotTaggable { arn: arn.to_owned() },
        error => error,
    }
}

impl Logs {
    fn tags(&self, scope: &Scope, group: &str) -> Result<BTreeMap<String, String>, LogsError> {
        let group = self.directory.group(scope, group)?;
        Ok(group.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    async fn change_resource_tags(
        &self,
        scope: &Scope,
        arn: &str,
        change: TagChange,
    ) -> Result<(), LogsError> {
        match tagged(scope, arn)? {
            Tagged::Group(name) => {
                self.change_tags(scope, name, change).await.map_err(|error| resource(error, arn))
            }
            Tagged::Destination(name) => change_kept(&self.destinations, scope, name, arn, &change).await,
            Tagged::DeliverySource(name) => {
                change_kept(&self.vended.sources, scope, name, arn, &change).await
            }
            Tagged::DeliveryDestination(name) => {
                change_kept(&self.vended.destinations, scope, name, arn, &change).await
            }
            Tagged::Delivery(id) => change_kept(&self.vended.deliveries, scope, id, arn, &change).await,
            Tagged::LookupTable(name) => {
                let changed = self.lookup_tables.change_tags(scope, name, &change).await;
                changed.map_err(|error| resource(error, arn))
            }
            Tagged::AnomalyDetector(id) => {
                let changed = |detector: &mut LogAnomalyDetector| {
                    detector.tags = detector.tags.changed(&change)?;
                    Ok(())
                };
                let changed = self.anomaly_detectors.change(scope, id, changed).await;
                changed.map_err(|error| resource(error, arn))
            }
        }
    }

    async fn change_tags(&self, scope: &Scope, group: &str, change: TagChange) -> Result<(), LogsError> {
        let changed = |group: &LogGroup| Ok(LogGroup { tags: group.tags.changed(&change)?, ..group.clone() });
        self.directory.change_group(scope, group, changed).await
    }
}

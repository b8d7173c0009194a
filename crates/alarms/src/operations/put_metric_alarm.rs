//! `PutMetricAlarm`: creates an alarm, or replaces the whole definition of the one with that name.

use groundwatch_api::cloudwatch::{PutMetricAlarm, PutMetricAlarmInput, PutMetricAlarmOutput, Tag};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, TagError, Tags, Timestamp};
use groundwatch_storage::Key;

use crate::alarm::Alarm;
use crate::definition::{Definition, DefinitionError, MetricDefinition};
use crate::effects::transition::Change;
use crate::error::AlarmError;
use crate::service::Alarms;

impl Handle<PutMetricAlarm> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutMetricAlarmInput,
    ) -> Result<PutMetricAlarmOutput, Fault> {
        Ok(self.put_metric_alarm(call, input).await?)
    }
}

impl Alarms {
    async fn put_metric_alarm(
        &self,
        call: &Call,
        mut input: PutMetricAlarmInput,
    ) -> Result<PutMetricAlarmOutput, AlarmError> {
        let key = Key::new(call.scope(), name(input.alarm_name.take())?);
        let tags = tags(input.tags.take())?;
        let definition =
            MetricDefinition::from_input(input, &key.scope, |statistic| self.reader.supports(statistic))?;
        self.put(&key, &definition.into(), &tags).await?;
        self.evaluator.due_now(&key);
        Ok(PutMetricAlarmOutput {})
    }
}

impl Alarms {
    /// Creates the alarm `key`, or replaces the definition of the one that is there.
    pub(super) async fn put(
        &self,
        key: &Key,
        definition: &Definition,
        tags: &Tags,
    ) -> Result<(), AlarmError> {
        let (now, events) = (self.clock.now(), self.store.has_event_sink(&key.scope));
        let written =
            self.store.update(key, |current| put(key, current, definition, tags, now, events)).await?;
        if written { Ok(()) } else { Err(AlarmError::OtherType { name: key.name.clone() }) }
    }
}

/// AWS keeps state and history when a definition is replaced, and ignores `Tags` then. `None` if there is an
/// alarm of another type: names are shared by all types.
fn put(
    key: &Key,
    current: Option<&Alarm>,
    definition: &Definition,
    tags: &Tags,
    now: Timestamp,
    events: bool,
) -> Option<Change> {
    let alarm = match current {
        None => Alarm::new(definition.clone(), tags.clone(), now),
        Some(current) if current.definition.alarm_type() != definition.alarm_type() => return None,
        Some(current) => current.redefined(definition.clone(), now),
    };
    Some(Change::of_configuration(key, current, Some(alarm), now, events))
}

/// Any text but control characters.
pub(super) fn name(name: Option<String>) -> Result<String, DefinitionError> {
    let name = name.unwrap_or_default();
    if name.chars().any(char::is_control) {
        return Err(DefinitionError::Value { parameter: "AlarmName", value: name });
    }
    Ok(name)
}

pub(super) fn tags(tags: Option<Vec<Tag>>) -> Result<Tags, TagError> {
    let tags = tags.unwrap_or_default().into_iter();
    let pairs = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
    Tags::new(pairs)
}

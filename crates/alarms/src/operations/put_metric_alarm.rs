//! `PutMetricAlarm`: creates an alarm, or replaces the whole definition of the one with that name.

use std::collections::BTreeMap;

use groundwatch_api::cloudwatch::{PutMetricAlarm, PutMetricAlarmInput, PutMetricAlarmOutput, Tag};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};
use groundwatch_storage::Key;

use crate::alarm::Alarm;
use crate::alarms::Alarms;
use crate::definition::{Definition, DefinitionError};
use crate::error::AlarmError;
use crate::history::{ConfigurationChange, HistoryItem};
use crate::transition::Change;

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
        let key = Key::new(call.scope(), name(&mut input)?);
        let tags = tags(input.tags.take());
        let definition =
            Definition::from_input(input, &key.scope.region, |statistic| self.reader.supports(statistic))?;
        let now = self.clock.now();
        self.store.update(&key, |current| Some(put(&key, current, &definition, &tags, now))).await?;
        self.evaluator.due_now(key);
        Ok(PutMetricAlarmOutput {})
    }
}

/// AWS keeps state and history when a definition is replaced, and ignores `Tags` then.
fn put(
    key: &Key,
    current: Option<&Alarm>,
    definition: &Definition,
    tags: &BTreeMap<String, String>,
    now: Timestamp,
) -> Change {
    let (alarm, change) = match current {
        None => (Alarm::new(definition.clone(), tags.clone(), now), ConfigurationChange::Create),
        Some(current) => {
            let replaced = Alarm { definition: definition.clone(), configured: now, ..current.clone() };
            (replaced, ConfigurationChange::Update)
        }
    };
    let history = Some((now, HistoryItem::configuration(key, &alarm, change)));
    Change { alarm: Some(alarm), history, deliveries: Vec::new() }
}

/// Any text but control characters.
fn name(input: &mut PutMetricAlarmInput) -> Result<String, DefinitionError> {
    let name = input.alarm_name.take().unwrap_or_default();
    if name.chars().any(char::is_control) {
        return Err(DefinitionError::Value { parameter: "AlarmName", value: name });
    }
    Ok(name)
}

fn tags(tags: Option<Vec<Tag>>) -> BTreeMap<String, String> {
    let tags = tags.unwrap_or_default().into_iter();
    tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect()
}

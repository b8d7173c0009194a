//! `PutCompositeAlarm`: creates a composite alarm, or replaces the whole definition of the one with that
//! name.

use groundwatch_api::cloudwatch::{PutCompositeAlarm, PutCompositeAlarmInput, PutCompositeAlarmOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Key;

use super::put_metric_alarm::{name, tags};
use crate::definition::CompositeDefinition;
use crate::error::AlarmError;
use crate::service::Alarms;

/// AWS's limit: in how many composite alarms an alarm may be.
const PARENTS_MAX: usize = 150;

impl Handle<PutCompositeAlarm> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutCompositeAlarmInput,
    ) -> Result<PutCompositeAlarmOutput, Fault> {
        Ok(self.put_composite_alarm(call, input).await?)
    }
}

impl Alarms {
    async fn put_composite_alarm(
        &self,
        call: &Call,
        mut input: PutCompositeAlarmInput,
    ) -> Result<PutCompositeAlarmOutput, AlarmError> {
        let key = Key::new(call.scope(), name(input.alarm_name.take())?);
        let tags = tags(input.tags.take())?;
        let definition = CompositeDefinition::from_input(input, &key.scope)?;
        let _structure = self.store.structure.lock().await;
        self.check_named_alarms(&key, &definition)?;
        self.put(&key, &definition.into(), &tags).await?;
        self.store.restructure(&key);
        self.store.follow_up(key, self.clock.now());
        Ok(PutCompositeAlarmOutput {})
    }

    /// What a rule names must exist. It may name the alarm itself, or one above it: AWS lets cycles be
    /// created, and does not evaluate them.
    fn check_named_alarms(&self, key: &Key, definition: &CompositeDefinition) -> Result<(), AlarmError> {
        let missing = |name: &String| self.store.get(&Key::new(&key.scope, name.as_str())).is_none();
        let children = definition.children();
        let absent: Vec<String> = children.iter().filter(|name| missing(name)).cloned().collect();
        if !absent.is_empty() {
            return Err(AlarmError::ChildrenMissing { names: absent });
        }
        if let Some(name) = definition.suppressor_name().filter(missing) {
            return Err(AlarmError::SuppressorMissing { name });
        }
        let is_full = |name: &&String| {
            let child = Key::new(&key.scope, name.as_str());
            self.store.family(|family| family.parents(&child).filter(|parent| *parent != key).count())
                >= PARENTS_MAX
        };
        match children.iter().find(is_full) {
            Some(name) => Err(AlarmError::ParentsLimit { name: name.clone(), limit: PARENTS_MAX }),
            None => Ok(()),
        }
    }
}

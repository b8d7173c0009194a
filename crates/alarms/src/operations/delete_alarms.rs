//! `DeleteAlarms`: deletes up to 100 alarms, or none of them. Names that do not exist are ignored; the
//! history stays.

use std::collections::BTreeSet;

use groundwatch_api::cloudwatch::{DeleteAlarms, DeleteAlarmsInput, DeleteAlarmsOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Key;

use crate::effects::transition::Change;
use crate::error::AlarmError;
use crate::service::Alarms;

impl Handle<DeleteAlarms> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteAlarmsInput,
    ) -> Result<DeleteAlarmsOutput, Fault> {
        Ok(self.delete_alarms(call, input).await?)
    }
}

impl Alarms {
    async fn delete_alarms(
        &self,
        call: &Call,
        input: DeleteAlarmsInput,
    ) -> Result<DeleteAlarmsOutput, AlarmError> {
        let names: BTreeSet<String> = input.alarm_names.unwrap_or_default().into_iter().collect();
        let keys: BTreeSet<Key> = names.into_iter().map(|name| Key::new(call.scope(), name)).collect();
        let _structure = self.store.structure.lock().await;
        let composites = self.composites_among(&keys)?;
        self.refuse_referenced(&keys)?;
        // The composite alarm first: whatever happens then, none is left that names an alarm that is gone.
        let others = keys.iter().filter(|key| !composites.contains(key));
        for key in composites.iter().chain(others) {
            self.delete(key).await?;
        }
        Ok(DeleteAlarmsOutput {})
    }

    async fn delete(&self, key: &Key) -> Result<(), AlarmError> {
        let now = self.clock.now();
        let events = self.store.has_event_sink(&key.scope);
        let delete = |alarm: &_| Change::of_configuration(key, Some(alarm), None, now, events);
        self.store.update(key, |current| current.map(delete)).await?;
        self.store.restructure(key);
        self.evaluator.forget(key);
        Ok(())
    }

    /// AWS deletes one composite alarm a call.
    fn composites_among(&self, keys: &BTreeSet<Key>) -> Result<Vec<Key>, AlarmError> {
        let is_composite = |key: &&Key| {
            self.store.get(key).is_some_and(|(_, alarm)| alarm.definition.as_composite().is_some())
        };
        let composites: Vec<Key> = keys.iter().filter(is_composite).cloned().collect();
        if composites.len() > 1 { Err(AlarmError::SeveralComposites) } else { Ok(composites) }
    }

    /// An alarm that a composite alarm names stays, unless that one goes with it. An alarm in a cycle names
    /// itself, in the end: AWS says to break the cycle first.
    fn refuse_referenced(&self, keys: &BTreeSet<Key>) -> Result<(), AlarmError> {
        let is_referenced = |key: &&Key| {
            self.store.family(|family| {
                family.dependents(key).any(|dependent| dependent == *key || !keys.contains(dependent))
            })
        };
        let names: Vec<String> = keys.iter().filter(is_referenced).map(|key| key.name.clone()).collect();
        if names.is_empty() { Ok(()) } else { Err(AlarmError::Referenced { names }) }
    }
}

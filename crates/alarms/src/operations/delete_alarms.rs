//! `DeleteAlarms`: deletes up to 100 alarms. Names that do not exist are ignored; the history stays.

use groundwatch_api::cloudwatch::{DeleteAlarms, DeleteAlarmsInput, DeleteAlarmsOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Key;

use crate::alarms::Alarms;
use crate::error::AlarmError;
use crate::history::{ConfigurationChange, HistoryItem};
use crate::transition::Change;

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
        let now = self.clock.now();
        for name in input.alarm_names.unwrap_or_default() {
            let key = Key::new(call.scope(), name);
            let delete = |alarm: &_| {
                let item = HistoryItem::configuration(&key, alarm, ConfigurationChange::Delete);
                Change { alarm: None, history: Some((now, item)), deliveries: Vec::new() }
            };
            self.store.update(&key, |current| current.map(delete)).await?;
        }
        Ok(DeleteAlarmsOutput {})
    }
}

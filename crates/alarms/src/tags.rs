//! The tags of alarms. Each alarm keeps its own, so that they come and go with it.

use groundwatch_core::{Scope, TagChange, TagError, Tags};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, Key, StorageError};

use crate::alarm::Alarm;

/// How often a change that met a concurrent one starts over before it gives up.
const CONFLICTS_MAX: usize = 16;

/// Reads and changes the tags of alarms, metric and composite ones. History and state have no part in it.
pub struct AlarmTags {
    catalog: Catalog,
    alarms: Documents<Alarm>,
}

/// Why tags are not changed.
#[derive(Debug, thiserror::Error)]
pub enum AlarmTagsError {
    /// The alarm cannot have them.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// Storage did not take them.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AlarmTags {
    /// Opens the tags of the alarms that `catalog` holds.
    pub fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self { catalog: catalog.clone(), alarms: Documents::open(catalog)? })
    }

    /// The tags of the alarm `name`; `None` if there is no such alarm.
    pub fn get(&self, scope: &Scope, name: &str) -> Option<Tags> {
        Some(Tags::kept(self.alarms.get(&Key::new(scope, name))?.tags.clone()))
    }

    /// Changes the tags of the alarm `name`. Answers whether there is such an alarm.
    pub async fn change(
        &self,
        scope: &Scope,
        name: &str,
        change: &TagChange,
    ) -> Result<bool, AlarmTagsError> {
        let key = Key::new(scope, name);
        for attempt in 1.. {
            let Some((version, alarm)) = self.alarms.get_versioned(&key) else { break };
            let tags = Tags::kept(alarm.tags.clone()).changed(change)?.into_kept();
            let mut batch = Batch::new();
            let changed = Alarm { tags, ..(*alarm).clone() };
            self.alarms.put(&mut batch, key.clone(), changed, Expect::Version(version));
            match self.catalog.commit(batch).await {
                Err(StorageError::Conflict { .. }) if attempt < CONFLICTS_MAX => {}
                outcome => return Ok(outcome.map(|()| true)?),
            }
        }
        Ok(false)
    }
}

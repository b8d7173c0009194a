//! The tags of alarms. Each alarm keeps its own, so that they come and go with it.

use groundwatch_core::{Scope, TagChange, TagError, Tags};
use groundwatch_storage::{
    Batch, Catalog, Documents, Expect, Key, MayConflict, StorageError, despite_conflicts,
};

use crate::alarm::Alarm;

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

impl MayConflict for AlarmTagsError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}

impl AlarmTags {
    /// Opens the tags of the alarms that `catalog` holds.
    pub fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self { catalog: catalog.clone(), alarms: Documents::open(catalog)? })
    }

    /// The tags of the alarm `name`; `None` if there is no such alarm.
    pub fn get(&self, scope: &Scope, name: &str) -> Option<Tags> {
        Some(self.alarms.get(&Key::new(scope, name))?.tags.clone())
    }

    /// Changes the tags of the alarm `name`. Answers whether there is such an alarm.
    pub async fn change(
        &self,
        scope: &Scope,
        name: &str,
        change: &TagChange,
    ) -> Result<bool, AlarmTagsError> {
        let key = Key::new(scope, name);
        despite_conflicts(|| async {
            let Some((version, alarm)) = self.alarms.get_versioned(&key) else { return Ok(false) };
            let tags = alarm.tags.changed(change)?;
            let mut batch = Batch::new();
            let changed = Alarm { tags, ..(*alarm).clone() };
            self.alarms.put(&mut batch, key.clone(), changed, Expect::Version(version));
            self.catalog.commit(batch).await?;
            Ok(true)
        })
        .await
    }
}

//! The service: what the operations share.

use groundwatch_storage::despite_conflicts;
use std::sync::Arc;

use groundwatch_core::{Scope, SharedClock, TagChange, Tags};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, Key, StorageError};

use crate::DashboardError;
use crate::dashboard::{Dashboard, key};
use crate::data::WidgetDataSource;
use crate::saved_query::{SavedQuery, SavedQueryPath};

/// CloudWatch's dashboards, saved metric queries and images of widgets.
pub struct Dashboards {
    pub(crate) catalog: Catalog,
    pub(crate) dashboards: Documents<Dashboard>,
    pub(crate) queries: Documents<SavedQuery>,
    pub(crate) query_paths: Documents<SavedQueryPath>,
    pub(crate) clock: SharedClock,
    pub(crate) data: Arc<dyn WidgetDataSource>,
}

impl Dashboards {
    /// Opens the dashboards that `catalog` holds. Images are drawn from `data`.
    pub fn open(
        catalog: &Catalog,
        clock: SharedClock,
        data: Arc<dyn WidgetDataSource>,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            catalog: catalog.clone(),
            dashboards: Documents::open(catalog)?,
            queries: Documents::open(catalog)?,
            query_paths: Documents::open(catalog)?,
            clock,
            data,
        })
    }

    /// The tags of the dashboard `name` of the caller's account; `None` if there is no such dashboard.
    pub fn tags(&self, caller: &Scope, name: &str) -> Option<Tags> {
        Some(self.dashboards.get(&key(caller.account, name))?.tags.clone())
    }

    /// Changes the tags of a dashboard. Answers whether there is such a dashboard.
    pub async fn change_tags(
        &self,
        caller: &Scope,
        name: &str,
        change: &TagChange,
    ) -> Result<bool, DashboardError> {
        let key = key(caller.account, name);
        despite_conflicts(|| self.change_tags_once(&key, change)).await
    }

    async fn change_tags_once(&self, key: &Key, change: &TagChange) -> Result<bool, DashboardError> {
        let Some((version, dashboard)) = self.dashboards.get_versioned(key) else { return Ok(false) };
        let changed = Dashboard { tags: dashboard.tags.changed(change)?, ..(*dashboard).clone() };
        let mut batch = Batch::new();
        self.dashboards.put(&mut batch, key.clone(), changed, Expect::Version(version));
        self.catalog.commit(batch).await?;
        Ok(true)
    }
}

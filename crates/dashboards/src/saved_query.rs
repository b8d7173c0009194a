//! Metric queries that are saved under a path, to be used again. They are kept as they are: AWS does not look
//! at their expressions either.

use groundwatch_api::cloudwatch::QueryType;
use groundwatch_core::{Scope, TagChange, Tags, Timestamp};
use groundwatch_storage::despite_conflicts;
use groundwatch_storage::{Batch, Document, Expect, Key};
use serde::{Deserialize, Serialize};

use crate::{DashboardError, Dashboards};

/// AWS's limit of saved queries an account and region.
const QUERIES_MAX: usize = 1000;

/// AWS's limit of a path, in bytes of UTF-8.
const PATH_BYTES_MAX: usize = 1015;

/// What is kept of a saved query under its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedQuery {
    pub(crate) path: String,
    pub(crate) expression: String,
    pub(crate) language: QueryType,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    #[serde(default)]
    pub(crate) tags: Tags,
}

impl Document for SavedQuery {
    const KIND: &'static str = "saved-metric-query";
}

/// Under a path, the id of the query that has it: no two have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedQueryPath {
    id: String,
}

impl Document for SavedQueryPath {
    const KIND: &'static str = "saved-metric-query-path";
}

/// What a request wants saved.
pub(crate) struct Wanted {
    pub(crate) path: String,
    pub(crate) expression: String,
    pub(crate) language: QueryType,
    /// For a query that is created; those of another are changed by TagResource only.
    pub(crate) tags: Tags,
}

/// The query's ARN.
pub(crate) fn arn(scope: &Scope, id: &str) -> String {
    scope.arn("cloudwatch", &format!("metric-query-definition/{id}"))
}

/// Folders and a name, with slashes between.
pub(crate) fn check_path(path: &str) -> Result<(), DashboardError> {
    let rule = if path.starts_with('/') || path.ends_with('/') {
        "must not start or end with a slash"
    } else if path.contains("//") {
        "must not contain an empty folder name"
    } else if path.len() > PATH_BYTES_MAX {
        "must be at most 1,015 bytes long"
    } else {
        return Ok(());
    };
    Err(DashboardError::Path { rule })
}

impl Dashboards {
    /// Creates a query, or replaces all of the query `id` but its tags and the time of its creation. Answers
    /// it with its id.
    pub(crate) async fn save_query(
        &self,
        scope: &Scope,
        id: Option<String>,
        wanted: &Wanted,
    ) -> Result<(String, SavedQuery), DashboardError> {
        check_path(&wanted.path)?;
        let is_new = id.is_none();
        let id = id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let saved = despite_conflicts(|| self.save_query_once(scope, &id, is_new, wanted)).await?;
        Ok((id, saved))
    }

    async fn save_query_once(
        &self,
        scope: &Scope,
        id: &str,
        is_new: bool,
        wanted: &Wanted,
    ) -> Result<SavedQuery, DashboardError> {
        let (key, path_key) = (Key::new(scope, id), Key::new(scope, wanted.path.as_str()));
        let current = self.queries.get_versioned(&key);
        if current.is_none() && !is_new {
            return Err(DashboardError::QueryNotFound { id: id.to_owned() });
        }
        if self.query_paths.get(&path_key).is_some_and(|taken| taken.id != id) {
            return Err(DashboardError::PathTaken);
        }
        if is_new && self.queries.list(scope, "", None, QUERIES_MAX).len() == QUERIES_MAX {
            return Err(DashboardError::TooManyQueries);
        }
        let now = self.clock.now();
        let current_query = current.as_ref().map(|(_, query)| &**query);
        let saved = SavedQuery {
            path: wanted.path.clone(),
            expression: wanted.expression.clone(),
            language: wanted.language.clone(),
            created: current_query.map_or(now, |query| query.created),
            updated: now,
            tags: current_query.map_or_else(|| wanted.tags.clone(), |query| query.tags.clone()),
        };
        let mut batch = Batch::new();
        let keeps_path = current_query.is_some_and(|query| query.path == wanted.path);
        if !keeps_path {
            if let Some(query) = current_query {
                self.query_paths.remove(&mut batch, Key::new(scope, query.path.as_str()), Expect::Present);
            }
            let path = SavedQueryPath { id: id.to_owned() };
            self.query_paths.put(&mut batch, path_key, path, Expect::Absent);
        }
        let expect = current.as_ref().map_or(Expect::Absent, |(version, _)| Expect::Version(*version));
        self.queries.put(&mut batch, key, saved.clone(), expect);
        self.catalog.commit(batch).await?;
        Ok(saved)
    }

    /// Forgets a query. One that does not exist is forgotten already.
    pub(crate) async fn forget_query(&self, scope: &Scope, id: &str) -> Result<(), DashboardError> {
        despite_conflicts(|| self.forget_query_once(scope, id)).await
    }

    async fn forget_query_once(&self, scope: &Scope, id: &str) -> Result<(), DashboardError> {
        let key = Key::new(scope, id);
        let Some((version, query)) = self.queries.get_versioned(&key) else { return Ok(()) };
        let mut batch = Batch::new();
        self.queries.remove(&mut batch, key, Expect::Version(version));
        self.query_paths.remove(&mut batch, Key::new(scope, query.path.as_str()), Expect::Any);
        Ok(self.catalog.commit(batch).await?)
    }

    /// The tags of the saved query `id`; `None` if there is no such query.
    pub fn query_tags(&self, scope: &Scope, id: &str) -> Option<Tags> {
        Some(self.queries.get(&Key::new(scope, id))?.tags.clone())
    }

    /// Changes the tags of a saved query. Answers whether there is such a query.
    pub async fn change_query_tags(
        &self,
        scope: &Scope,
        id: &str,
        change: &TagChange,
    ) -> Result<bool, DashboardError> {
        let key = Key::new(scope, id);
        despite_conflicts(|| self.change_query_tags_once(&key, change)).await
    }

    async fn change_query_tags_once(&self, key: &Key, change: &TagChange) -> Result<bool, DashboardError> {
        let Some((version, query)) = self.queries.get_versioned(key) else { return Ok(false) };
        let changed = SavedQuery { tags: query.tags.changed(change)?, ..(*query).clone() };
        let mut batch = Batch::new();
        self.queries.put(&mut batch, key.clone(), changed, Expect::Version(version));
        self.catalog.commit(batch).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_folders_and_a_name() {
        let check = |path: &str, allowed: bool| assert_eq!(check_path(path).is_ok(), allowed, "{path}");
        check("latency", true);
        check("team/web/latency", true);
        check("/latency", false);
        check("team/", false);
        check("team//latency", false);
        check(&"ü".repeat(507), true);
        check(&"ü".repeat(508), false);
    }
}

//! The rules that are kept, and the service around them.

use std::sync::Arc;

use groundwatch_core::{Scope, TagChange, Tags};
use groundwatch_storage::{
    Batch, Catalog, Document, Documents, Expect, Key, StorageError, despite_conflicts,
};
use serde::{Deserialize, Serialize};

use crate::{InsightError, LogReader};

/// AWS's quota of rules an account and region.
pub(crate) const RULES_MAX: usize = 100;

/// What is kept of a rule under its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) enabled: bool,
    /// As it was put.
    pub(crate) definition: String,
    #[serde(default)]
    pub(crate) tags: Tags,
}

impl Document for Rule {
    const KIND: &'static str = "insight-rule";
}

/// CloudWatch's Contributor Insights rules.
pub struct Rules {
    catalog: Catalog,
    pub(crate) rules: Documents<Rule>,
    pub(crate) logs: Arc<dyn LogReader>,
}

impl Rules {
    /// Opens the rules that `catalog` holds. Reports read `logs`.
    pub fn open(catalog: &Catalog, logs: Arc<dyn LogReader>) -> Result<Self, StorageError> {
        Ok(Self { catalog: catalog.clone(), rules: Documents::open(catalog)?, logs })
    }

    /// The tags of the rule `name`; `None` if there is no such rule.
    pub fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
        Some(self.rules.get(&Key::new(scope, name))?.tags.clone())
    }

    /// Changes the tags of a rule. Answers whether there is such a rule.
    pub async fn change_tags(
        &self,
        scope: &Scope,
        name: &str,
        change: &TagChange,
    ) -> Result<bool, InsightError> {
        self.change(scope, name, |rule| Ok(Some(Rule { tags: rule.tags.changed(change)?, ..rule.clone() })))
            .await
    }

    /// Creates a rule, or replaces all of it but its tags.
    pub(crate) async fn put(&self, scope: &Scope, name: &str, wanted: &Rule) -> Result<(), InsightError> {
        let replace = |rule: &Rule| Ok(Some(Rule { tags: rule.tags.clone(), ..wanted.clone() }));
        if self.change(scope, name, replace).await? {
            return Ok(());
        }
        if self.rules.list(scope, "", None, RULES_MAX).len() == RULES_MAX {
            return Err(InsightError::TooManyRules(RULES_MAX));
        }
        let mut batch = Batch::new();
        self.rules.put(&mut batch, Key::new(scope, name), wanted.clone(), Expect::Any);
        Ok(self.catalog.commit(batch).await?)
    }

    /// Changes the rule `name`; without it if `change` answers none. Answers whether there was such a rule.
    pub(crate) async fn change(
        &self,
        scope: &Scope,
        name: &str,
        change: impl Fn(&Rule) -> Result<Option<Rule>, InsightError>,
    ) -> Result<bool, InsightError> {
        let key = Key::new(scope, name);
        despite_conflicts(|| async {
            let Some((version, rule)) = self.rules.get_versioned(&key) else { return Ok(false) };
            let mut batch = Batch::new();
            match change(&rule)? {
                Some(changed) => {
                    self.rules.put(&mut batch, key.clone(), changed, Expect::Version(version));
                }
                None => self.rules.remove(&mut batch, key.clone(), Expect::Version(version)),
            }
            self.catalog.commit(batch).await?;
            Ok(true)
        })
        .await
    }
}

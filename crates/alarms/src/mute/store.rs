//! All mute rules, by name and by the alarms that they mute.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, Key, StorageError};
use parking_lot::RwLock;

use super::Mute;
use super::rule::{MuteRule, arn};

/// The mute rules, and the way to change them.
pub(crate) struct MuteRules {
    catalog: Catalog,
    rules: Documents<MuteRule>,
    /// The rules of each alarm that has any.
    by_target: RwLock<BTreeMap<Key, BTreeSet<Key>>>,
    /// Held while a rule is changed, so that the index follows the documents.
    changing: tokio::sync::Mutex<()>,
}

impl MuteRules {
    /// Opens the mute rules that `catalog` holds.
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        let rules = Documents::<MuteRule>::open(catalog)?;
        let mut by_target = BTreeMap::<Key, BTreeSet<Key>>::new();
        for (key, rule) in rules.all() {
            for target in targets(&key, Some(&rule)) {
                by_target.entry(target).or_default().insert(key.clone());
            }
        }
        let by_target = RwLock::new(by_target);
        Ok(Self { catalog: catalog.clone(), rules, by_target, changing: tokio::sync::Mutex::default() })
    }

    /// What mutes the alarm at `now`.
    pub(crate) fn active(&self, alarm: &Key, now: Timestamp) -> Option<Mute> {
        let keys = self.by_target.read().get(alarm)?.clone();
        let windows = keys.into_iter().filter_map(|key| {
            let rule = self.rules.get(&key)?;
            Some((rule.created, key, rule.window_at(now)?))
        });
        let mut windows: Vec<_> = windows.collect();
        windows.sort_by(|(created, key, _), (other_created, other_key, _)| {
            (created, key).cmp(&(other_created, other_key))
        });
        let (_, key, window) = windows.pop()?;
        let rule_arn = arn(&key);
        Some(Mute { rule: key.name, rule_arn, from: window.from, to: window.to, others: windows.len() })
    }

    /// The rule of that name.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<MuteRule>> {
        self.rules.get(key)
    }

    /// All rules of `scope` after the name `after`, by name.
    pub(crate) fn list(&self, scope: &Scope, after: Option<&str>) -> Vec<(String, Arc<MuteRule>)> {
        self.rules.list(scope, "", after, usize::MAX)
    }

    /// How many rules `scope` has.
    pub(crate) fn count(&self, scope: &Scope) -> usize {
        self.list(scope, None).len()
    }

    /// Puts the rule `key`, as `replace` makes it from the one that is there, or removes it if `replace`
    /// answers `None`. Returns the alarms that are concerned.
    pub(crate) async fn change(
        &self,
        key: &Key,
        replace: impl FnOnce(Option<&MuteRule>) -> Option<MuteRule>,
    ) -> Result<BTreeSet<Key>, StorageError> {
        let _changing = self.changing.lock().await;
        let old = self.rules.get(key);
        let new = replace(old.as_deref());
        let (old_targets, new_targets) = (targets(key, old.as_deref()), targets(key, new.as_ref()));
        let mut batch = Batch::new();
        match new {
            Some(rule) => self.rules.put(&mut batch, key.clone(), rule, Expect::Any),
            None => self.rules.remove(&mut batch, key.clone(), Expect::Any),
        }
        self.catalog.commit(batch).await?;
        let mut by_target = self.by_target.write();
        for target in &old_targets {
            if let Some(keys) = by_target.get_mut(target) {
                keys.remove(key);
            }
        }
        for target in &new_targets {
            by_target.entry(target.clone()).or_default().insert(key.clone());
        }
        by_target.retain(|_, keys| !keys.is_empty());
        Ok(&old_targets | &new_targets)
    }
}

fn targets(key: &Key, rule: Option<&MuteRule>) -> BTreeSet<Key> {
    let names = rule.and_then(|rule| rule.targets.as_deref()).unwrap_or_default();
    names.iter().map(|name| Key::new(&key.scope, name.as_str())).collect()
}

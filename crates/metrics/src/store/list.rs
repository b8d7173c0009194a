//! Listing series.

use std::sync::Arc;

use groundwatch_core::Scope;
use roaring::RoaringBitmap;

use super::index::Term;
use super::{MetricStore, SeriesId};
use crate::Second;
use crate::series_key::{MetricId, is_component, push_component, scope_prefix};

/// Series are walked in steps of this many, so that the index is not locked for long.
const STEP: usize = 4096;

/// Which series a listing asks for: those that satisfy all that is given.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Exactly this namespace.
    pub namespace: Option<String>,
    /// Exactly this name.
    pub name: Option<String>,
    /// At least these dimensions, with that value or with any.
    pub dimensions: Vec<(String, Option<String>)>,
    /// With a sample at or after this second.
    pub active_since: Second,
}

/// A part of a listing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListPage {
    /// Ascending by namespace, name and dimensions.
    pub metrics: Vec<MetricId>,
    /// Where the next page continues; `None` if this is the last.
    pub next: Option<String>,
}

impl MetricStore {
    /// At most `limit` series that come after the cursor `after`, which an earlier page gave.
    pub fn list(&self, scope: &Scope, filter: &ListFilter, after: Option<&str>, limit: usize) -> ListPage {
        if !filter.is_satisfiable() {
            return ListPage::default();
        }
        let scope_prefix = scope_prefix(scope);
        let matching = self.inner.index.read().matching(&scope_prefix, &filter.terms());
        let prefix = filter.prefix(&scope_prefix);
        let mut found = match matching {
            Some(matching) if matching.len() <= STEP as u64 => {
                self.gather(&matching, &prefix, after, filter.active_since)
            }
            matching => self.walk(matching.as_ref(), &prefix, after, filter.active_since, limit + 1),
        };
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|key| key.to_string());
        ListPage { metrics: found.iter().filter_map(|key| MetricId::of_key(key)).collect(), next }
    }

    /// Few series match: sorts them.
    fn gather(
        &self,
        matching: &RoaringBitmap,
        prefix: &str,
        after: Option<&str>,
        active_since: Second,
    ) -> Vec<Arc<str>> {
        let key = |id: u32| self.active_key(SeriesId(id), active_since);
        let wanted = |key: &Arc<str>| key.starts_with(prefix) && after.is_none_or(|after| &**key > after);
        let mut found: Vec<Arc<str>> = matching.iter().filter_map(key).filter(wanted).collect();
        found.sort_unstable();
        found
    }

    /// Many series match: goes through all in order until there are enough.
    fn walk(
        &self,
        matching: Option<&RoaringBitmap>,
        prefix: &str,
        after: Option<&str>,
        active_since: Second,
        limit: usize,
    ) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = Vec::new();
        let mut after: Option<Arc<str>> = after.map(Arc::from);
        while found.len() < limit {
            let index = self.inner.index.read();
            let step = index.after(prefix, after.as_deref()).take(STEP);
            let step: Vec<(Arc<str>, SeriesId)> = step.map(|(key, id)| (Arc::clone(key), id)).collect();
            drop(index);
            let Some((last, _)) = step.last() else { break };
            after = Some(Arc::clone(last));
            let matches = |id: SeriesId| matching.is_none_or(|matching| matching.contains(id.0));
            let wanted = step.into_iter().filter(|(_, id)| matches(*id) && self.is_active(*id, active_since));
            found.extend(wanted.map(|(key, _)| key));
        }
        found
    }

    fn is_active(&self, id: SeriesId, since: Second) -> bool {
        self.inner.shards[id.shard()].lock().latest(id).is_some_and(|latest| latest >= since)
    }

    fn active_key(&self, id: SeriesId, since: Second) -> Option<Arc<str>> {
        let shard = self.inner.shards[id.shard()].lock();
        shard.latest(id).filter(|latest| *latest >= since)?;
        shard.key(id).cloned()
    }
}

impl ListFilter {
    /// Whether any metric can have such names.
    fn is_satisfiable(&self) -> bool {
        let dimensions = self.dimensions.iter().flat_map(|(name, value)| [Some(name), value.as_ref()]);
        let texts = [self.namespace.as_ref(), self.name.as_ref()].into_iter().chain(dimensions).flatten();
        texts.into_iter().all(|text| is_component(text))
    }

    fn terms(&self) -> Vec<Term<'_>> {
        // With a namespace the name is in the prefix already.
        let name = self.name.as_deref().filter(|_| self.namespace.is_none()).map(Term::Name);
        let dimensions = self.dimensions.iter().map(|(name, value)| match value {
            None => Term::DimensionName(name),
            Some(value) => Term::Dimension(name, value),
        });
        name.into_iter().chain(dimensions).collect()
    }

    fn prefix(&self, scope_prefix: &str) -> String {
        let mut prefix = scope_prefix.to_owned();
        if let Some(namespace) = &self.namespace {
            push_component(&mut prefix, namespace);
            if let Some(name) = &self.name {
                push_component(&mut prefix, name);
            }
        }
        prefix
    }
}

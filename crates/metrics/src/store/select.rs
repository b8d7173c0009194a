//! Many series at once: what SEARCH finds, and what a Metrics Insights query goes through.

use std::ops::ControlFlow;
use std::sync::Arc;

use groundwatch_core::Scope;
use groundwatch_metric_selection::{Candidates, Metric, MetricCatalog, SystemLabel, search};
use roaring::RoaringBitmap;

use super::index::Term;
use super::{MetricStore, SeriesId};
use crate::Second;
use crate::series_key::{MetricId, is_component, push_component, scope_prefix};

/// What a search found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Ascending by namespace, name and dimensions.
    pub(crate) series: Vec<(SeriesId, MetricId)>,
    /// Whether there are more.
    pub(crate) truncated: bool,
}

impl MetricStore {
    /// The first [`search::MAX_SERIES`] that a search finds, of those with a sample at or after
    /// `active_since`.
    pub(crate) fn search(&self, scope: &Scope, query: &search::Query, active_since: Second) -> Found {
        let found = self.inner.index.read().search(&scope_prefix(scope), query);
        let key = |id: SeriesId| {
            let shard = self.inner.shards[id.shard()].lock();
            shard.latest(id).filter(|latest| *latest >= active_since)?;
            Some((shard.key(id)?.clone(), id))
        };
        let mut keys: Vec<_> = found.iter().filter_map(|id| key(SeriesId(id))).collect();
        keys.sort_unstable();
        let truncated = keys.len() > search::MAX_SERIES;
        let first = keys.into_iter().take(search::MAX_SERIES);
        Found {
            series: first.filter_map(|(key, id)| Some((id, MetricId::of_key(&key)?))).collect(),
            truncated,
        }
    }

    /// The series whose keys begin with `prefix`, ascending by key; of `matching` only, if that is given.
    fn keys_with(&self, matching: Option<&RoaringBitmap>, prefix: &str) -> Vec<(Arc<str>, SeriesId)> {
        let index = self.inner.index.read();
        index
            .after(prefix, None)
            .filter(|(_, id)| matching.is_none_or(|matching| matching.contains(id.0)))
            .map(|(key, id)| (key.clone(), id))
            .collect()
    }
}

/// The series of a scope that may have data since a moment.
pub(crate) struct ScopeCatalog<'a> {
    pub(crate) store: &'a MetricStore,
    pub(crate) scope: &'a Scope,
    /// Series whose last sample is before do not count towards the limit of a query.
    pub(crate) active_since: Second,
}

impl ScopeCatalog<'_> {
    fn is_active(&self, id: SeriesId) -> bool {
        let shard = self.store.inner.shards[id.shard()].lock();
        shard.latest(id).is_some_and(|latest| latest >= self.active_since)
    }
}

impl MetricCatalog for ScopeCatalog<'_> {
    fn visit(&self, candidates: Candidates<'_>, visit: &mut dyn FnMut(u32, Metric<'_>) -> ControlFlow<()>) {
        let texts = candidates.having.iter().flat_map(|(name, value)| [*name, *value]);
        if !texts.chain([candidates.namespace, candidates.name]).all(is_component) {
            return;
        }
        let scope_prefix = scope_prefix(self.scope);
        let mut prefix = scope_prefix.clone();
        push_component(&mut prefix, candidates.namespace);
        push_component(&mut prefix, candidates.name);
        let having = candidates.having.iter().map(|(name, value)| Term::Dimension(name, value));
        let named = candidates.exactly.unwrap_or_default().iter().filter(|name| is_component(name));
        let terms: Vec<Term<'_>> = having.chain(named.map(|name| Term::DimensionName(name))).collect();
        let matching = self.store.inner.index.read().matching(&scope_prefix, &terms);
        let keys = self.store.keys_with(matching.as_ref(), &prefix);
        for (key, id) in keys {
            if !self.is_active(id) {
                continue;
            }
            let Some(metric) = MetricId::of_key(&key) else { continue };
            if metric.with_borrowed(|metric| visit(id.0, metric)).is_break() {
                return;
            }
        }
    }

    fn supplies(&self, label: SystemLabel<'_>) -> bool {
        label == SystemLabel::AccountId
    }

    fn system_label(&self, _: u32, label: SystemLabel<'_>) -> Option<String> {
        (label == SystemLabel::AccountId).then(|| self.scope.account.to_string())
    }

    fn current_account(&self) -> Option<String> {
        Some(self.scope.account.to_string())
    }
}

//! Which series are there: in the order of their keys, by name, dimension name, and dimension with value, and
//! by the tokens of all of these for SEARCH.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use groundwatch_metric_selection::{Metric, search};
use hashbrown::HashMap;
use roaring::RoaringBitmap;

use super::shard::SeriesId;
use crate::series_key::{MetricId, push_component, scope_of_key};

/// Everything a listing can ask for.
#[derive(Debug, Default)]
pub(crate) struct SeriesIndex {
    by_key: BTreeMap<Arc<str>, SeriesId>,
    by_term: HashMap<Box<str>, RoaringBitmap, foldhash::fast::RandomState>,
    /// By the scope's part of a key.
    by_token: HashMap<Box<str>, search::TokenIndex, foldhash::fast::RandomState>,
    /// Memory that series take here and in the shards, without samples, in bytes.
    bytes: usize,
}

/// About how much memory a series takes: its key, and what leads to it. Measured on a million series of
/// hosts.
pub(crate) fn series_bytes(key: &str) -> usize {
    300 + 2 * key.len()
}

/// A property that series are looked up by, within a scope.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Term<'a> {
    /// The metric's name.
    Name(&'a str),
    /// A dimension of that name, whatever its value.
    DimensionName(&'a str),
    /// A dimension of that name and value.
    Dimension(&'a str, &'a str),
}

impl Term<'_> {
    fn text(self, scope_prefix: &str) -> String {
        let mut text = scope_prefix.to_owned();
        match self {
            Self::Name(name) => {
                push_component(&mut text, "n");
                push_component(&mut text, name);
            }
            Self::DimensionName(name) => {
                push_component(&mut text, "d");
                push_component(&mut text, name);
            }
            Self::Dimension(name, value) => {
                push_component(&mut text, "v");
                push_component(&mut text, name);
                push_component(&mut text, value);
            }
        }
        text
    }
}

impl SeriesIndex {
    /// Adds a series.
    pub(crate) fn insert(&mut self, key: Arc<str>, id: SeriesId) {
        if let (Some(scope), Some(metric)) = (scope_of_key(&key), MetricId::of_key(&key)) {
            self.insert_term(scope, Term::Name(&metric.name), id);
            for (name, value) in &metric.dimensions {
                self.insert_term(scope, Term::DimensionName(name), id);
                self.insert_term(scope, Term::Dimension(name, value), id);
            }
            let tokens = match self.by_token.get_mut(scope) {
                Some(tokens) => tokens,
                None => self.by_token.entry(scope.into()).or_default(),
            };
            metric.with_borrowed(|metric: Metric<'_>| tokens.insert(id.0, metric));
        }
        self.bytes += series_bytes(&key);
        self.by_key.insert(key, id);
    }

    /// About how much memory series take, without samples, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn insert_term(&mut self, scope_prefix: &str, term: Term<'_>, id: SeriesId) {
        self.by_term.entry(term.text(scope_prefix).into_boxed_str()).or_default().insert(id.0);
    }

    /// The series that a search finds.
    pub(crate) fn search(&self, scope_prefix: &str, query: &search::Query) -> RoaringBitmap {
        self.by_token.get(scope_prefix).map(|tokens| tokens.search(query)).unwrap_or_default()
    }

    /// How many series there are, in all scopes.
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The series that have all of `terms`; `None` if no term is given, which all series satisfy.
    pub(crate) fn matching(&self, scope_prefix: &str, terms: &[Term<'_>]) -> Option<RoaringBitmap> {
        let empty = RoaringBitmap::new();
        let find = |term: &Term<'_>| self.by_term.get(term.text(scope_prefix).as_str()).unwrap_or(&empty);
        let mut found: Vec<&RoaringBitmap> = terms.iter().map(find).collect();
        found.sort_by_key(|series| series.len());
        let (smallest, others) = found.split_first()?;
        let mut matching = (*smallest).clone();
        others.iter().for_each(|other| matching &= *other);
        Some(matching)
    }

    /// Series whose keys begin with `prefix` and come after `after`, ascending by key.
    pub(crate) fn after<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Arc<str>, SeriesId)> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.by_key
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, id)| (key, *id))
    }
}

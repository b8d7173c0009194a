//! Metric filters: what log events that match a pattern add to a metric.
//!
//! A filter looks at the events of each `PutLogEvents` before they are stored, and what it finds becomes
//! durable with them: samples of one minute, by the events' own time, together. So a metric is there as soon
//! as its events are, once for each. The default value is emitted for a minute in which events arrived and
//! none of them matched, once a minute and filter as far as the server remembers ([`MINUTES_REMEMBERED`],
//! none of them over a restart).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key, StorageError};
use hashbrown::{HashMap, HashSet};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use crate::error::LogsError;
use crate::forwarding::FieldSelection;
use crate::incarnation::GroupId;
use crate::metric_sink::Samples;
use crate::pattern::{Matcher, Pattern, Selector};
use crate::stream::{stream_name, stream_prefix};

/// How many filters a group can have.
const FILTERS_MAX: usize = 100;
/// How many dimensions a metric of a filter can have.
pub(crate) const DIMENSIONS_MAX: usize = 3;
/// For how many minutes a filter remembers whether it has emitted anything.
const MINUTES_REMEMBERED: usize = 64;
const MINUTE_SECS: u32 = 60;

/// A metric filter, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MetricFilter {
    /// The pattern as it was given.
    pub pattern: String,
    /// When it was created; kept when it is replaced.
    pub created: Timestamp,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub metric_name: String,
    /// A number, or a reference to what the pattern extracts.
    pub value: String,
    /// What minutes get in which no event matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<f64>,
    /// Dimensions: references by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// `@aws.account` and `@aws.region`, where they are dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_dimensions: Vec<String>,
    /// The metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether it looks at what the group's transformer makes of events, where there is one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_transformed: bool,
    /// From which accounts and regions events count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_selection: Option<String>,
}

impl Document for MetricFilter {
    const KIND: &'static str = "log-metric-filter";
}

/// Why a metric filter is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There is none of that name.
    #[error("metric filter does not exist")]
    Missing,
    /// The group has as many as it can have.
    #[error("a group has at most {FILTERS_MAX} metric filters")]
    TooMany,
    /// A default value together with dimensions.
    #[error("a default value and dimensions exclude each other")]
    DefaultAndDimensions,
    /// More dimensions than a metric of a filter can have.
    #[error("a metric filter has at most {DIMENSIONS_MAX} dimensions")]
    TooManyDimensions,
    /// A value or dimension that is neither a number nor something that the pattern extracts.
    #[error("`{reference}` is not something that the pattern extracts")]
    Reference {
        /// What was given.
        reference: String,
    },
    /// A system field that is none.
    #[error("`{field}` is not a system field")]
    SystemField {
        /// What was given.
        field: String,
    },
    /// A selection by account and region that cannot be read.
    #[error("selection is wrong at byte {at}: expected {expected}")]
    Selection {
        /// What would have been right.
        expected: &'static str,
        /// Where.
        at: usize,
    },
    /// A metric's name without its namespace, or the other way round.
    #[error("a metric's name and its namespace come together")]
    NameWithoutNamespace,
}

impl MetricFilter {
    /// Compiles the filter; an error tells what is wrong with it.
    fn compile(&self, name: &str, scope: &Scope) -> Result<CompiledFilter, LogsError> {
        let pattern = Pattern::parse(&self.pattern)?;
        let selects = match self.field_selection.as_deref().map(FieldSelection::parse).transpose() {
            Ok(selection) => selection.is_none_or(|selection| selection.selects(scope)),
            Err(error) => {
                return Err(FilterError::Selection { expected: error.expected, at: error.at }.into());
            }
        };
        if self.default_value.is_some() && !(self.dimensions.is_empty() && self.system_dimensions.is_empty())
        {
            return Err(FilterError::DefaultAndDimensions.into());
        }
        if self.dimensions.len() + self.system_dimensions.len() > DIMENSIONS_MAX {
            return Err(FilterError::TooManyDimensions.into());
        }
        let system = ["@aws.account", "@aws.region"];
        if let Some(field) = self.system_dimensions.iter().find(|field| !system.contains(&field.as_str())) {
            return Err(FilterError::SystemField { field: field.clone() }.into());
        }
        let value = match self.value.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::Reference(self.value.clone()),
        };
        let mut selectors = Vec::new();
        let references = self.dimensions.values().chain(match &value {
            Value::Reference(reference) => Some(reference),
            Value::Number(_) => None,
        });
        for reference in references {
            selectors.extend(checked_reference(&pattern, reference)?);
        }
        Ok(CompiledFilter {
            name: name.to_owned(),
            filter: self.clone(),
            matcher: Matcher::with_references(&pattern, &selectors),
            value,
            selects,
            minutes: Mutex::default(),
        })
    }
}

/// Checks that the pattern can extract `reference`; of a JSON pattern, what to select for it.
fn checked_reference(pattern: &Pattern, reference: &str) -> Result<Option<Selector>, FilterError> {
    let wrong = || FilterError::Reference { reference: reference.to_owned() };
    match pattern {
        Pattern::Terms(_) => Err(wrong()),
        Pattern::Json(_) => Selector::parse_text(reference).map(Some).map_err(|_| wrong()),
        Pattern::Fields(fields) => {
            let name = reference.strip_prefix('$').ok_or_else(wrong)?;
            let is_field = fields.fields.iter().any(|field| field.name() == Some(name));
            let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            if is_field || is_number { Ok(None) } else { Err(wrong()) }
        }
    }
}

/// A filter, ready to look at events.
struct CompiledFilter {
    name: String,
    filter: MetricFilter,
    matcher: Matcher,
    value: Value,
    /// Whether events of this account and region count.
    selects: bool,
    /// The minutes for which something was emitted lately, oldest first.
    minutes: Mutex<VecDeque<Timestamp>>,
}

enum Value {
    Number(f64),
    Reference(String),
}

/// An event as filters see it.
#[derive(Clone, Copy)]
pub(crate) struct SeenEvent<'e> {
    /// Milliseconds since 1970.
    pub(crate) millis: i64,
    /// Its text.
    pub(crate) message: &'e [u8],
    /// What the group's transformer makes of it; its text where there is none, or it cannot.
    pub(crate) transformed: &'e [u8],
}

/// The filters of a group at work on the events of one request.
pub(crate) struct FilterRun<'s> {
    scope: &'s Scope,
    /// Each with the minutes in which events arrived, and whether any matched.
    filters: Vec<(Arc<CompiledFilter>, BTreeMap<Timestamp, bool>)>,
}

impl FilterRun<'_> {
    /// Adds what an event gives rise to.
    pub(crate) fn see(&mut self, event: &SeenEvent<'_>, samples: &mut Samples) {
        for (filter, minutes) in &mut self.filters {
            filter.see(self.scope, event, minutes, samples);
        }
    }

    /// Adds the default values of minutes in which nothing matched. The minutes count as seen unless the
    /// events turn out not to be stored.
    pub(crate) fn finish(self, samples: &mut Samples) -> SeenMinutes {
        let noted = self.filters.into_iter().map(|(filter, minutes)| {
            let new = filter.note(&minutes, samples);
            (filter, new)
        });
        SeenMinutes(noted.filter(|(_, minutes)| !minutes.is_empty()).collect())
    }
}

/// The minutes that filters have seen for the first time in a request.
#[derive(Default)]
pub(crate) struct SeenMinutes(Vec<(Arc<CompiledFilter>, Vec<Timestamp>)>);

impl SeenMinutes {
    /// Takes them back: the events were not stored.
    pub(crate) fn forget(self) {
        for (filter, minutes) in self.0 {
            filter.minutes.lock().retain(|known| !minutes.contains(known));
        }
    }
}

impl CompiledFilter {
    /// Adds what an event gives rise to.
    fn see(
        &self,
        scope: &Scope,
        event: &SeenEvent<'_>,
        minutes: &mut BTreeMap<Timestamp, bool>,
        samples: &mut Samples,
    ) {
        let minute = Timestamp::from_millis(event.millis).floor_to(MINUTE_SECS);
        let matched = minutes.entry(minute).or_default();
        let message = if self.filter.on_transformed { event.transformed } else { event.message };
        let Some(extracted) = self.matcher.extracted(message) else { return };
        *matched = true;
        let value = match &self.value {
            Value::Number(number) => Some(*number),
            Value::Reference(reference) => extracted.get(reference).and_then(|text| text.parse().ok()),
        };
        let dimension =
            |(name, reference): (&String, &String)| Some((name.clone(), extracted.get(reference)?.clone()));
        let dimensions: Option<Vec<_>> = self.filter.dimensions.iter().map(dimension).collect();
        // An event without the value or without a dimension adds nothing.
        if let (Some(value), Some(mut dimensions)) = (value, dimensions) {
            dimensions.extend(self.system_dimensions(scope));
            self.emit(dimensions, minute, value, samples);
        }
    }

    fn system_dimensions<'f>(&'f self, scope: &'f Scope) -> impl Iterator<Item = (String, String)> + 'f {
        self.filter.system_dimensions.iter().map(|field| {
            let value = match field.as_str() {
                "@aws.account" => scope.account.to_string(),
                _ => scope.region.as_str().to_owned(),
            };
            (field.clone(), value)
        })
    }

    /// Remembers minutes, gives those without a match the default value, and returns those that are new.
    fn note(&self, minutes: &BTreeMap<Timestamp, bool>, samples: &mut Samples) -> Vec<Timestamp> {
        let Some(default) = self.filter.default_value else { return Vec::new() };
        let mut known = self.minutes.lock();
        let mut new = Vec::new();
        for (minute, matched) in minutes {
            if known.contains(minute) {
                continue;
            }
            if !matched {
                self.emit(Vec::new(), *minute, default, samples);
            }
            known.push_back(*minute);
            new.push(*minute);
        }
        while known.len() > MINUTES_REMEMBERED {
            known.pop_front();
        }
        new
    }

    fn emit(&self, dimensions: Vec<(String, String)>, minute: Timestamp, value: f64, samples: &mut Samples) {
        let metric = (self.filter.namespace.as_str(), self.filter.metric_name.as_str());
        if !samples.add(metric, dimensions, minute, value, self.filter.unit.as_deref()) {
            tracing::debug!(filter = self.name, value, "a metric filter found what no metric can hold");
        }
    }
}

/// The metric filters of all groups. Cheap to clone.
#[derive(Clone)]
pub(crate) struct MetricFilters {
    catalog: Catalog,
    documents: Documents<MetricFilter>,
    compiled: Arc<RwLock<HashMap<GroupId, Vec<Arc<CompiledFilter>>>>>,
    /// One change at a time: what is compiled is what was written last.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl MetricFilters {
    /// Loads the filters of the groups in `groups`; forgets all others, which a crash in a deletion leaves
    /// behind.
    pub(crate) async fn open(catalog: &Catalog, groups: &HashSet<GroupId>) -> Result<Self, StorageError> {
        let documents: Documents<MetricFilter> = Documents::open(catalog)?;
        let mut compiled: HashMap<GroupId, Vec<Arc<CompiledFilter>>> = HashMap::new();
        let mut orphans = Batch::new();
        for (key, filter) in documents.all() {
            let group = key.name.split_once('\0').and_then(|(group, _)| GroupId::parse(group));
            let Some(group) = group.filter(|group| groups.contains(group)) else {
                documents.remove(&mut orphans, key, Expect::Any);
                continue;
            };
            match filter.compile(stream_name(&key.name), &key.scope) {
                Ok(filter) => compiled.entry(group).or_default().push(Arc::new(filter)),
                Err(error) => {
                    tracing::error!(filter = stream_name(&key.name), %error, "a metric filter is not understood");
                }
            }
        }
        catalog.commit(orphans).await?;
        let compiled = Arc::new(RwLock::new(compiled));
        Ok(Self { catalog: catalog.clone(), documents, compiled, writing: Arc::default() })
    }

    /// Adds a filter, or replaces the one of that name.
    pub(crate) async fn put(
        &self,
        scope: &Scope,
        group: GroupId,
        name: &str,
        filter: MetricFilter,
    ) -> Result<(), LogsError> {
        let _turn = self.writing.lock().await;
        let key = filter_key(scope, group, name);
        let mut filter = filter;
        match self.documents.get(&key) {
            Some(known) => filter.created = known.created,
            None if self.count(group) >= FILTERS_MAX => return Err(FilterError::TooMany.into()),
            None => {}
        }
        let compiled = Arc::new(filter.compile(name, scope)?);
        let mut batch = Batch::new();
        self.documents.put(&mut batch, key, filter, Expect::Any);
        self.catalog.commit(batch).await?;
        let mut all = self.compiled.write();
        let filters = all.entry(group).or_default();
        filters.retain(|known| known.name != name);
        filters.push(compiled);
        Ok(())
    }

    /// Removes a filter.
    pub(crate) async fn delete(&self, scope: &Scope, group: GroupId, name: &str) -> Result<(), LogsError> {
        let _turn = self.writing.lock().await;
        let mut batch = Batch::new();
        self.documents.remove(&mut batch, filter_key(scope, group, name), Expect::Present);
        self.catalog.commit(batch).await.map_err(|error| match error {
            StorageError::Conflict { .. } => LogsError::Filter(FilterError::Missing),
            error => error.into(),
        })?;
        if let Some(filters) = self.compiled.write().get_mut(&group) {
            filters.retain(|known| known.name != name);
        }
        Ok(())
    }

    /// Removes all filters of a group that was deleted.
    pub(crate) async fn forget_group(&self, scope: &Scope, group: GroupId) -> Result<(), StorageError> {
        let _turn = self.writing.lock().await;
        self.compiled.write().remove(&group);
        let mut batch = Batch::new();
        for (name, _) in self.documents.list(scope, &stream_prefix(group, ""), None, FILTERS_MAX) {
            self.documents.remove(&mut batch, Key { scope: scope.clone(), name }, Expect::Any);
        }
        self.catalog.commit(batch).await
    }

    /// How many filters a group has.
    pub(crate) fn count(&self, group: GroupId) -> usize {
        self.compiled.read().get(&group).map_or(0, Vec::len)
    }

    /// The filters of a group by name.
    pub(crate) fn list(&self, scope: &Scope, group: GroupId) -> Vec<(String, Arc<MetricFilter>)> {
        let filters = self.documents.list(scope, &stream_prefix(group, ""), None, FILTERS_MAX);
        filters.into_iter().map(|(key, filter)| (stream_name(&key).to_owned(), filter)).collect()
    }

    /// The filters of a group, ready to see the events of a request.
    pub(crate) fn run<'s>(&self, scope: &'s Scope, group: GroupId) -> FilterRun<'s> {
        let filters = self.compiled.read().get(&group).cloned().unwrap_or_default();
        let filters = filters.into_iter().filter(|filter| filter.selects);
        FilterRun { scope, filters: filters.map(|filter| (filter, BTreeMap::new())).collect() }
    }
}

fn filter_key(scope: &Scope, group: GroupId, name: &str) -> Key {
    Key { scope: scope.clone(), name: stream_prefix(group, name) }
}

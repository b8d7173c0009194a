//! A query made ready for a catalog: which series, in which groups.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::ast::{Function, Label, Located, Order, Query, Source, Value};
use super::error::{InsightsError, InsightsProblem};
use super::group::GroupKey;
use super::{MAX_GROUPS, MAX_METRICS};
use crate::{Candidates, Metric, MetricCatalog};

/// What a query asks of a store.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which series.
    pub selection: Selection,
    /// How their observations are aggregated.
    pub function: Function,
    /// What they are grouped by; by nothing, all are one.
    pub group_by: Vec<Label>,
    /// The order of results; by group if not given.
    pub order_by: Option<Order>,
    /// How many results at most.
    pub limit: usize,
}

/// Which series a query reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The metric's name.
    pub metric: String,
    /// Its namespace.
    pub namespace: String,
    /// The names of all its dimensions, if these are given; none for no dimensions.
    pub dimensions: Option<Vec<String>>,
    /// What must hold of its labels, all of it.
    pub requirements: Vec<Requirement>,
}

/// That a label has a value, or has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub label: Label,
    /// Whether it must have the value, or must not. A series without the label satisfies `!=` (unverified).
    pub equal: bool,
    /// The value.
    pub value: String,
}

/// The series that a query reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// By group, in ascending order of these. Without `GROUP BY` there is exactly one, which may have no
    /// series.
    pub groups: Vec<Group>,
    /// Whether more series match than the [`MAX_METRICS`] that are read.
    pub truncated: bool,
}

/// The series of one result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub key: GroupKey,
    /// Their numbers.
    pub series: Vec<u32>,
}

impl Plan {
    /// Checks what a query names against what the catalog has.
    pub fn new(query: &Query, catalog: &dyn MetricCatalog) -> Result<Self, InsightsError> {
        let conditions = query.conditions.iter().map(|condition| &condition.label);
        for label in conditions.chain(&query.group_by) {
            check_label(label, catalog)?;
        }
        let (namespace, dimensions) = match &query.from {
            Source::Namespace(namespace) => (namespace.clone(), None),
            Source::Schema { namespace, dimensions } => (namespace.clone(), Some(dimensions.clone())),
        };
        let requirements = query.conditions.iter().map(|condition| {
            let value = match &condition.value {
                Value::Text(text) => text.clone(),
                Value::CurrentAccount => {
                    catalog.current_account().ok_or_else(|| not_supplied(&condition.label))?
                }
            };
            Ok(Requirement { label: condition.label.node.clone(), equal: condition.equal, value })
        });
        Ok(Self {
            selection: Selection {
                metric: query.metric.clone(),
                namespace,
                dimensions,
                requirements: requirements.collect::<Result<_, InsightsError>>()?,
            },
            function: query.function,
            group_by: query.group_by.iter().map(|label| label.node.clone()).collect(),
            order_by: query.order_by,
            limit: query.limit.unwrap_or(MAX_GROUPS),
        })
    }

    /// The series that match, by group. Needs no data.
    pub fn select(&self, catalog: &dyn MetricCatalog) -> Selected {
        let mut groups: BTreeMap<GroupKey, Vec<u32>> = BTreeMap::new();
        let mut left = MAX_METRICS;
        let mut truncated = false;
        self.selection.visit(catalog, &mut |series, metric| {
            if left == 0 {
                truncated = true;
                return ControlFlow::Break(());
            }
            left -= 1;
            groups.entry(self.group_of(series, metric, catalog)).or_default().push(series);
            ControlFlow::Continue(())
        });
        if self.group_by.is_empty() && groups.is_empty() {
            groups.insert(GroupKey::default(), Vec::new());
        }
        Selected {
            groups: groups.into_iter().map(|(key, series)| Group { key, series }).collect(),
            truncated,
        }
    }

    fn group_of(&self, series: u32, metric: Metric<'_>, catalog: &dyn MetricCatalog) -> GroupKey {
        let values = self.group_by.iter().map(|label| match label.as_system_label() {
            Some(label) => catalog.system_label(series, label),
            None => label.dimension_of(metric).map(str::to_owned),
        });
        GroupKey { values: values.collect() }
    }
}

impl Selection {
    /// Calls `visit` with every series that matches, until that breaks.
    fn visit(&self, catalog: &dyn MetricCatalog, visit: &mut dyn FnMut(u32, Metric<'_>) -> ControlFlow<()>) {
        let having: Vec<(&str, &str)> =
            self.requirements.iter().filter_map(Requirement::as_dimension).collect();
        let candidates = Candidates {
            namespace: &self.namespace,
            name: &self.metric,
            exactly: self.dimensions.as_deref(),
            having: &having,
        };
        catalog.visit(candidates, &mut |series, metric| {
            if self.matches(series, metric, catalog) {
                visit(series, metric)
            } else {
                ControlFlow::Continue(())
            }
        });
    }

    fn matches(&self, series: u32, metric: Metric<'_>, catalog: &dyn MetricCatalog) -> bool {
        metric.namespace == self.namespace
            && metric.name == self.metric
            && self.dimensions.as_ref().is_none_or(|names| metric.has_exactly(names))
            && self.requirements.iter().all(|requirement| requirement.holds(series, metric, catalog))
    }
}

impl Requirement {
    /// The dimension and its value that a series must have, if that is what is required.
    fn as_dimension(&self) -> Option<(&str, &str)> {
        match &self.label {
            Label::Dimension(name) if self.equal => Some((name, &self.value)),
            _ => None,
        }
    }

    fn holds(&self, series: u32, metric: Metric<'_>, catalog: &dyn MetricCatalog) -> bool {
        let has_value = match self.label.as_system_label() {
            Some(label) => catalog.system_label(series, label).as_deref() == Some(&self.value),
            None => self.label.dimension_of(metric) == Some(&self.value),
        };
        has_value == self.equal
    }
}

impl Label {
    fn dimension_of<'a>(&self, metric: Metric<'a>) -> Option<&'a str> {
        match self {
            Self::Dimension(name) => metric.dimension(name),
            Self::AccountId | Self::Tag(_) => None,
        }
    }
}

fn check_label(label: &Located<Label>, catalog: &dyn MetricCatalog) -> Result<(), InsightsError> {
    match label.node.as_system_label() {
        Some(system) if !catalog.supplies(system) => Err(not_supplied(label)),
        _ => Ok(()),
    }
}

fn not_supplied(label: &Located<Label>) -> InsightsError {
    InsightsError {
        problem: InsightsProblem::LabelNotSupplied(label.node.to_string()),
        span: label.span.clone(),
        position: label.position,
    }
}

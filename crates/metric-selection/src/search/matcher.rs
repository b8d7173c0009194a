//! Whether one series satisfies a search: straight from the tree, for tests and for whoever has few series.
//! The index must agree with it, which a property test checks.

use super::ast::{Condition, Property, Query, Schema, Term};
use super::tokens::Pattern;
use crate::Metric;

impl Query {
    /// Whether `metric` satisfies this search. Cuts all of its strings anew at each call:
    /// [`TokenIndex`](super::TokenIndex) finds the same among many series.
    pub fn matches(&self, metric: Metric<'_>) -> bool {
        self.schema.as_ref().is_none_or(|schema| schema.matches(metric))
            && self.condition.as_ref().is_none_or(|condition| condition.matches(metric, None))
    }
}

impl Schema {
    /// A namespace alone admits any dimensions. The guide contradicts itself here: it says that `{AWS/EC2}
    /// MetricName="CPUUtilization"` finds the one series without dimensions, and that `{MyNamespace}
    /// "CustomCount1"` finds that string as a dimension's value. The second cannot be if the first is meant
    /// as a rule.
    fn matches(&self, metric: Metric<'_>) -> bool {
        metric.namespace == self.namespace
            && (self.dimensions.is_empty() || metric.has_exactly(&self.distinct_dimensions()))
    }

    /// The dimension names, sorted, none twice.
    pub(super) fn distinct_dimensions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.dimensions.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Condition {
    fn matches(&self, metric: Metric<'_>, within: Option<&Property>) -> bool {
        match self {
            Self::Term(term) => strings(metric, within).iter().any(|text| term.matches(text)),
            Self::Within(property, inner) => inner.matches(metric, Some(property)),
            Self::Not(inner) => !inner.matches(metric, within),
            Self::All(parts) => parts.iter().all(|part| part.matches(metric, within)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(metric, within)),
        }
    }
}

impl Term {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => text == exact,
            Self::Partial(term) => Pattern::new(term).matches(text),
        }
    }
}

fn strings<'a>(metric: Metric<'a>, within: Option<&Property>) -> Vec<&'a str> {
    match within {
        Some(Property::Namespace) => vec![metric.namespace],
        Some(Property::MetricName) => vec![metric.name],
        Some(Property::Dimension(name)) => metric.dimension(name).into_iter().collect(),
        None => {
            let dimensions = metric.dimensions.iter().flat_map(|(name, value)| [*name, *value]);
            [metric.namespace, metric.name].into_iter().chain(dimensions).collect()
        }
    }
}

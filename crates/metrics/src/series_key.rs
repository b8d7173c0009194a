//! A series' identity: whose it is, its namespace, its name and its *set* of dimensions. Unit and resolution
//! are no part.
//!
//! The canonical form is one text: every component followed by a NUL, dimensions sorted by name. Components
//! never hold a NUL (control characters are refused at the border), so the form is unambiguous, a prefix of
//! components is a prefix of the text, and texts sort as a listing should: by owner, namespace, name,
//! dimensions.

use groundwatch_core::Scope;
use groundwatch_metric_selection::Metric;

const END: char = '\0';

/// A metric as an API names it, within a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricId {
    /// The namespace.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// Dimensions as (name, value), in any order.
    pub dimensions: Vec<(String, String)>,
}

impl MetricId {
    /// The canonical key of this metric in `scope`; `None` if no metric can have such a name.
    pub(crate) fn key(&self, scope: &Scope) -> Option<String> {
        let dimension_texts = self.dimensions.iter().flat_map(|(name, value)| [name, value]);
        if ![&self.namespace, &self.name].into_iter().chain(dimension_texts).all(|text| is_component(text)) {
            return None;
        }
        let mut dimensions: Vec<(&str, &str)> =
            self.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        dimensions.sort_unstable();
        let mut key = namespace_prefix(scope, &self.namespace);
        push_series(&mut key, &self.name, &dimensions);
        Some(key)
    }

    /// Hands it over as the selection languages see it.
    pub(crate) fn with_borrowed<T>(&self, take: impl FnOnce(Metric<'_>) -> T) -> T {
        let dimensions: Vec<(&str, &str)> =
            self.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        take(Metric { namespace: &self.namespace, name: &self.name, dimensions: &dimensions })
    }

    /// The metric that a canonical key names; `None` if it is not one.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let mut components = key.strip_suffix(END)?.split(END).skip(2);
        let (namespace, name) = (components.next()?.to_owned(), components.next()?.to_owned());
        let mut dimensions = Vec::new();
        while let Some(dimension) = components.next() {
            dimensions.push((dimension.to_owned(), components.next()?.to_owned()));
        }
        Some(Self { namespace, name, dimensions })
    }
}

/// What all keys of `scope` begin with.
pub(crate) fn scope_prefix(scope: &Scope) -> String {
    format!("{}{END}{}{END}", scope.account, scope.region)
}

/// What all keys of `namespace` in `scope` begin with.
pub(crate) fn namespace_prefix(scope: &Scope, namespace: &str) -> String {
    let mut key = scope_prefix(scope);
    push_component(&mut key, namespace);
    key
}

/// Completes a [`namespace_prefix`] to a key. `dimensions` are sorted.
pub(crate) fn push_series(key: &mut String, name: &str, dimensions: &[(&str, &str)]) {
    push_component(key, name);
    for (name, value) in dimensions {
        push_component(key, name);
        push_component(key, value);
    }
}

/// Appends one component.
pub(crate) fn push_component(key: &mut String, component: &str) {
    key.push_str(component);
    key.push(END);
}

/// The scope's part of a key, with its two ends.
pub(crate) fn scope_of_key(key: &str) -> Option<&str> {
    let (end, _) = key.match_indices(END).nth(1)?;
    Some(&key[..=end])
}

/// Whether `text` can be a component.
pub(crate) fn is_component(text: &str) -> bool {
    !text.contains(END)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(dimensions: &[(&str, &str)]) -> MetricId {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        MetricId {
            namespace: "Web".to_owned(),
            name: "Latency".to_owned(),
            dimensions: dimensions.iter().map(owned).collect(),
        }
    }

    #[test]
    fn order_of_dimensions_is_no_part_of_identity() {
        let scope = Scope::default();
        let key = metric(&[("Host", "a"), ("Az", "b")]).key(&scope);
        assert_eq!(key, metric(&[("Az", "b"), ("Host", "a")]).key(&scope));
        assert_ne!(key, metric(&[("Az", "b")]).key(&scope));
    }

    #[test]
    fn a_name_cannot_pose_as_name_and_dimensions() {
        let mut posing = metric(&[]);
        posing.name = "Latency\0Host\0a".to_owned();
        assert_eq!(posing.key(&Scope::default()), None);
    }

    #[test]
    fn a_key_leads_back_to_its_metric() {
        for dimensions in [&[][..], &[("Az", "b"), ("Host", "a")][..]] {
            let key = metric(dimensions).key(&Scope::default()).expect("a key");
            assert_eq!(MetricId::of_key(&key), Some(metric(dimensions)));
            assert_eq!(scope_of_key(&key), Some(scope_prefix(&Scope::default()).as_str()));
        }
        for damaged in ["", "no end", "0\0r\0", "0\0r\0ns\0", "0\0r\0ns\0name\0odd\0"] {
            assert_eq!(MetricId::of_key(damaged), None, "{damaged:?}");
        }
    }
}

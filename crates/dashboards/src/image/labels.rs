//! What the legend calls metrics whose rows have no label: by what tells them apart.

use std::collections::HashMap;

use crate::{QuerySource, WidgetQuery, WidgetSeries};

/// Gives series of metrics that would be called alike the names of what differs: values of dimensions, then
/// the statistic. Labels that rows ask for, and those of expressions, stay as they are.
pub(super) fn tell_apart(series: &mut [WidgetSeries], queries: &[WidgetQuery]) {
    let metrics: HashMap<&str, Metric<'_>> = queries.iter().filter_map(Metric::of).collect();
    let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, series) in series.iter().enumerate() {
        if metrics.contains_key(series.id.as_str()) {
            alike.entry(series.label.clone()).or_default().push(index);
        }
    }
    for indexes in alike.into_values().filter(|indexes| indexes.len() > 1) {
        let group: Vec<&Metric<'_>> =
            indexes.iter().map(|index| &metrics[series[*index].id.as_str()]).collect();
        let labels: Vec<String> = group.iter().map(|metric| metric.differences(&group)).collect();
        for (index, label) in indexes.into_iter().zip(labels) {
            if !label.is_empty() {
                series[index].label = label;
            }
        }
    }
}

/// What a metric's row says, as far as names can be made of it.
struct Metric<'a> {
    name: &'a str,
    dimensions: &'a [(String, String)],
    stat: &'a str,
}

impl<'a> Metric<'a> {
    /// The metric of a query that asks for one and has no label, with the query's id.
    fn of(query: &'a WidgetQuery) -> Option<(&'a str, Self)> {
        match &query.source {
            QuerySource::Metric { name, dimensions, stat, .. } if query.label.is_none() => {
                Some((query.id.as_str(), Self { name, dimensions, stat }))
            }
            _ => None,
        }
    }

    /// The parts in which this metric is not like all of `group`.
    fn differences(&self, group: &[&Self]) -> String {
        let differs =
            |dimension: &&(String, String)| group.iter().any(|other| !other.dimensions.contains(dimension));
        let values = self.dimensions.iter().filter(differs).map(|(_, value)| value.as_str());
        let name = Some(self.name).filter(|_| group.iter().any(|other| other.name != self.name));
        let stat = Some(self.stat).filter(|_| group.iter().any(|other| other.stat != self.stat));
        let parts: Vec<&str> = name.into_iter().chain(values).chain(stat).collect();
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query for metric `M` with these dimensions (`Name=value`) and statistic, and its series.
    fn row(id: &str, dimensions: &[&str], stat: &str, label: Option<&str>) -> (WidgetQuery, WidgetSeries) {
        let dimensions = dimensions.iter().filter_map(|text| text.split_once('='));
        let source = QuerySource::Metric {
            namespace: "N".to_owned(),
            name: "M".to_owned(),
            dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            stat: stat.to_owned(),
        };
        let label = label.map(str::to_owned);
        let series = WidgetSeries {
            id: id.to_owned(),
            label: label.clone().unwrap_or_else(|| "M".to_owned()),
            points: Vec::new(),
        };
        (WidgetQuery { id: id.to_owned(), source, period_secs: 60, label, is_shown: true }, series)
    }

    fn labels(rows: &[(WidgetQuery, WidgetSeries)]) -> Vec<String> {
        let (queries, mut series): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
        tell_apart(&mut series, &queries);
        series.into_iter().map(|series| series.label).collect()
    }

    #[test]
    fn what_differs_is_the_name() {
        let hosts = [row("a", &["Host=1", "Az=x"], "Sum", None), row("b", &["Host=2", "Az=x"], "Sum", None)];
        assert_eq!(labels(&hosts), ["1", "2"]);
        let stats = [row("a", &["Host=1"], "Sum", None), row("b", &["Host=1"], "p99", None)];
        assert_eq!(labels(&stats), ["Sum", "p99"]);
        let both = [row("a", &["Host=1"], "Sum", None), row("b", &["Host=2"], "p99", None)];
        assert_eq!(labels(&both), ["1 Sum", "2 p99"]);
    }

    #[test]
    fn what_needs_no_name_keeps_its_own() {
        assert_eq!(labels(&[row("a", &["Host=1"], "Sum", None)]), ["M"]);
        assert_eq!(labels(&[row("a", &[], "Sum", None), row("b", &[], "Sum", None)]), ["M", "M"]);
        assert_eq!(
            labels(&[row("a", &["Host=1"], "Sum", Some("M")), row("b", &["Host=2"], "Sum", None)]),
            ["M", "M"]
        );
    }
}

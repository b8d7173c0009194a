//! What is kept of an anomaly detector.

use groundwatch_anomaly::{AdaptationSpeed, Configuration, OutlierFiltering, UnknownTimeZone, time_zone};
use groundwatch_api::cloudwatch::{
    AnomalyDetectorAdaptationSpeed, AnomalyDetectorConfiguration, AnomalyDetectorOutlierFilteringStrength,
    MetricCharacteristics, MetricDataQuery,
};
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};

use crate::MetricId;
use crate::evaluation::{DataQuery, DataSource, MetricStat};

/// A detector: the document's name is the key of its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Detector {
    /// `AnomalyDetectorId`
    pub(crate) id: String,
    pub(crate) target: Target,
    /// As the user gave it, which is how it is described.
    pub(crate) configuration: Option<AnomalyDetectorConfiguration>,
    pub(crate) characteristics: Option<MetricCharacteristics>,
}

impl Document for Detector {
    const KIND: &'static str = "anomaly-detector";
}

/// What it watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// A statistic of a metric.
    Single {
        namespace: String,
        name: String,
        /// In the user's order.
        dimensions: Vec<(String, String)>,
        stat: String,
    },
    /// An expression over metrics, as the user gave it.
    Math { queries: Vec<MetricDataQuery> },
}

impl Detector {
    /// How its models are trained.
    ///
    /// Errors: its time zone is not in the tz database.
    pub(crate) fn training(&self) -> Result<Configuration, UnknownTimeZone> {
        let mut training = Configuration::default();
        if let Some(configuration) = &self.configuration {
            let ranges = configuration.excluded_time_ranges.iter().flatten();
            let secs =
                ranges.filter_map(|range| Some(range.start_time?.0.as_secs()..range.end_time?.0.as_secs()));
            training.excluded_secs = secs.collect();
            if let Some(name) = &configuration.metric_timezone {
                training.time_zone = time_zone(name)?;
            }
            training.adaptation = match configuration.adaptation_speed {
                Some(AnomalyDetectorAdaptationSpeed::Fast) => AdaptationSpeed::Fast,
                Some(AnomalyDetectorAdaptationSpeed::Slow) => AdaptationSpeed::Slow,
                _ => AdaptationSpeed::Normal,
            };
            training.outlier_filtering = match configuration.outlier_filtering_strength {
                Some(AnomalyDetectorOutlierFilteringStrength::Minimal) => OutlierFiltering::Minimal,
                Some(AnomalyDetectorOutlierFilteringStrength::Strict) => OutlierFiltering::Strict,
                _ => OutlierFiltering::Moderate,
            };
        }
        let characteristics = self.characteristics.as_ref();
        training.periodic_spikes =
            characteristics.and_then(|characteristics| characteristics.periodic_spikes) == Some(true);
        Ok(training)
    }
}

/// The key of a statistic of a metric: the order of dimensions does not matter.
pub(crate) fn single_key(metric: &MetricId, stat: &str) -> String {
    format!("metric\0{}\0{stat}", metric_key(metric))
}

/// The key of the query that returns data among `queries`: their order and their labels do not matter.
pub(crate) fn math_key(queries: &[DataQuery]) -> String {
    let mut parts: Vec<String> = queries.iter().map(query_key).collect();
    parts.sort_unstable();
    format!("math\0{}", parts.join("\0\0"))
}

fn query_key(query: &DataQuery) -> String {
    let returned = if query.is_returned { "+" } else { "-" };
    let source = match &query.source {
        DataSource::Metric(MetricStat { metric, statistic_text, period, unit, .. }) => {
            let unit = unit.map_or("", |unit| unit.as_str());
            format!("{}\0{statistic_text}\0{}\0{unit}", metric_key(metric), period.as_secs())
        }
        DataSource::Expression { text, .. } => text.clone(),
    };
    format!("{}\0{returned}\0{source}", query.id)
}

fn metric_key(metric: &MetricId) -> String {
    let mut dimensions = metric.dimensions.clone();
    dimensions.sort_unstable();
    let dimensions: Vec<String> =
        dimensions.iter().map(|(name, value)| format!("\0{name}\0{value}")).collect();
    format!("{}\0{}{}", metric.namespace, metric.name, dimensions.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Period;

    fn query(id: &str, source: &str, is_returned: bool) -> DataQuery {
        let source = DataSource::Expression { text: source.to_owned(), period: Some(Period::MINUTE) };
        DataQuery { id: id.to_owned(), source, label: None, is_returned }
    }

    #[test]
    fn the_order_of_dimensions_and_queries_does_not_matter() {
        let metric = |dimensions: &[(&str, &str)]| MetricId {
            namespace: "Shop".to_owned(),
            name: "Orders".to_owned(),
            dimensions: dimensions
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let (ab, ba) = (metric(&[("a", "1"), ("b", "2")]), metric(&[("b", "2"), ("a", "1")]));
        assert_eq!(single_key(&ab, "Sum"), single_key(&ba, "Sum"));
        assert_ne!(single_key(&ab, "Sum"), single_key(&ab, "Average"));
        let (one, two) = (query("e1", "m1 + m2", true), query("e2", "m1 * 2", false));
        assert_eq!(math_key(&[one.clone(), two.clone()]), math_key(&[two.clone(), one.clone()]));
        assert_ne!(
            math_key(&[one.clone(), two.clone()]),
            math_key(&[DataQuery { is_returned: false, ..one }, two])
        );
    }

    #[test]
    fn a_stored_detector_stays_readable() {
        let stored = r#"{"id":"a1","target":{"Single":{"namespace":"Shop","name":"Orders","dimensions":[["a","1"]],"stat":"Sum"}},
            "configuration":{"ExcludedTimeRanges":[{"StartTime":1767225600.0,"EndTime":1767229200.0}],"MetricTimezone":"Asia/Tokyo"},
            "characteristics":{"PeriodicSpikes":true}}"#;
        let detector: Detector = serde_json::from_str(stored).expect("readable");
        let training = detector.training().expect("a known zone");
        let excluded = 1_767_225_600..1_767_229_200;
        assert_eq!(training.excluded_secs, [excluded]);
        assert!(training.periodic_spikes);
        let again = serde_json::to_string(&detector).expect("writable");
        assert_eq!(serde_json::from_str::<Detector>(&again).expect("readable"), detector);
    }
}

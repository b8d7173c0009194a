//! A detector as `DescribeAnomalyDetectors` shows it.

use groundwatch_api::cloudwatch::{
    AnomalyDetector, AnomalyDetectorConfiguration, AnomalyDetectorStateValue, Dimension,
    MetricMathAnomalyDetector, SingleMetricAnomalyDetector,
};
use groundwatch_core::Scope;

use crate::anomaly::{Detector, Target};

/// The shape of `detector`, whose training has come to `state`.
pub(super) fn describe(
    detector: &Detector,
    state: AnomalyDetectorStateValue,
    scope: &Scope,
) -> AnomalyDetector {
    let described = AnomalyDetector {
        anomaly_detector_id: Some(detector.id.clone()),
        // An empty list, never null, also if there was no configuration (seen in the CLI's reference).
        configuration: Some(AnomalyDetectorConfiguration {
            excluded_time_ranges: Some(Vec::new()),
            ..AnomalyDetectorConfiguration::default()
        }),
        metric_characteristics: detector.characteristics.clone(),
        state_value: Some(state),
        ..AnomalyDetector::default()
    };
    let described = match &detector.configuration {
        Some(own) => {
            let mut own = own.clone();
            own.excluded_time_ranges.get_or_insert_default();
            AnomalyDetector { configuration: Some(own), ..described }
        }
        None => described,
    };
    match &detector.target {
        Target::Math { queries } => AnomalyDetector {
            metric_math_anomaly_detector: Some(MetricMathAnomalyDetector {
                metric_data_queries: Some(queries.clone()),
            }),
            ..described
        },
        Target::Single { namespace, name, dimensions, stat } => {
            let dimension = |(name, value): &(String, String)| Dimension {
                name: Some(name.clone()),
                value: Some(value.clone()),
            };
            let dimensions: Vec<Dimension> = dimensions.iter().map(dimension).collect();
            // Recorded: the older members are repeated beside the nested ones, which also tell the account.
            AnomalyDetector {
                namespace: Some(namespace.clone()),
                metric_name: Some(name.clone()),
                dimensions: Some(dimensions.clone()),
                stat: Some(stat.clone()),
                single_metric_anomaly_detector: Some(SingleMetricAnomalyDetector {
                    account_id: Some(scope.account.to_string()),
                    namespace: Some(namespace.clone()),
                    metric_name: Some(name.clone()),
                    dimensions: Some(dimensions),
                    stat: Some(stat.clone()),
                }),
                ..described
            }
        }
    }
}

//! Which detectors a listing is about.

use groundwatch_api::Fault;
use groundwatch_api::cloudwatch::{AnomalyDetectorType, DescribeAnomalyDetectorsInput};

use super::super::shapes;
use crate::anomaly::{Detector, Target};
use crate::fault;

/// The conditions of a `DescribeAnomalyDetectors`, all of which hold for a detector in its answer.
pub(super) struct Filter {
    ids: Option<Vec<String>>,
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Option<Vec<(String, String)>>,
    single: bool,
    math: bool,
}

impl Filter {
    /// Those of `input`.
    pub(super) fn new(input: DescribeAnomalyDetectorsInput) -> Result<Self, Fault> {
        let filters = [
            input.namespace.is_some(),
            input.metric_name.is_some(),
            input.dimensions.is_some(),
            input.anomaly_detector_types.is_some(),
        ];
        if input.anomaly_detector_ids.is_some() && filters.contains(&true) {
            return Err(fault::mutually_exclusive(
                "AnomalyDetectorIds",
                "Namespace, MetricName, Dimensions, AnomalyDetectorTypes",
            ));
        }
        let types = input.anomaly_detector_types.unwrap_or_default();
        let is_by_id = input.anomaly_detector_ids.is_some();
        let dimensions =
            |dimensions| shapes::metric_id(String::new(), String::new(), Some(dimensions)).dimensions;
        Ok(Self {
            ids: input.anomaly_detector_ids,
            namespace: input.namespace,
            name: input.metric_name,
            dimensions: input.dimensions.map(dimensions),
            single: is_by_id || types.is_empty() || types.contains(&AnomalyDetectorType::SingleMetric),
            math: is_by_id || types.contains(&AnomalyDetectorType::MetricMath),
        })
    }

    /// Whether all of them hold.
    pub(super) fn takes(&self, detector: &Detector) -> bool {
        let is = |wanted: &Option<String>, own: &String| wanted.as_ref().is_none_or(|wanted| wanted == own);
        if self.ids.as_ref().is_some_and(|ids| !ids.contains(&detector.id)) {
            return false;
        }
        match &detector.target {
            // The filters by metric are for detectors of metrics.
            Target::Math { .. } => self.math,
            Target::Single { namespace, name, dimensions, .. } => {
                let has = |wanted: &Vec<(String, String)>| wanted.iter().all(|one| dimensions.contains(one));
                self.single
                    && is(&self.namespace, namespace)
                    && is(&self.name, name)
                    && self.dimensions.as_ref().is_none_or(has)
            }
        }
    }
}

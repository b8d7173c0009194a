//! `PutAnomalyDetector`, `DescribeAnomalyDetectors` and `DeleteAnomalyDetector`.
//!
//! A detector is named by what it watches: a metric's statistic in `SingleMetricAnomalyDetector` or in the
//! older members beside it, or an expression in `MetricMathAnomalyDetector`. Each may have one.

mod filter;
mod shape;
mod target;

use groundwatch_anomaly::Maturity;
use groundwatch_api::cloudwatch::{
    AnomalyDetectorStateValue, DeleteAnomalyDetector, DeleteAnomalyDetectorInput,
    DeleteAnomalyDetectorOutput, DescribeAnomalyDetectors, DescribeAnomalyDetectorsInput,
    DescribeAnomalyDetectorsOutput, PutAnomalyDetector, PutAnomalyDetectorInput, PutAnomalyDetectorOutput,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{Call, Scope, Timestamp, page_token};
use groundwatch_storage::{Batch, Expect, Key, StorageError};

use self::filter::Filter;
use self::shape::describe;
use self::target::{Named, key_of, metric_of, target, watched};
use super::Metrics;
use super::get_metric_data::query;
use crate::anomaly::{Detector, Subject, Target};
use crate::evaluation::{DataQuery, DataSource, MetricStat};
use crate::{Period, fault};

/// AWS's default and greatest size of a page.
const PAGE_LENGTH: usize = 100;
/// Detectors of an account and region: what a listing with filters may have to look through.
const DETECTORS_MAX: usize = 5000;
/// `ExcludedTimeRanges`
const EXCLUDED_MAX: usize = 10;
/// Models that one listing may have to train to tell their states; others are pending.
const TRAINED_MAX: usize = 10;
/// The period of the model whose state is told of a detector of a metric.
const STATE_PERIOD_SECS: i64 = 300;

impl Handle<PutAnomalyDetector> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        mut input: PutAnomalyDetectorInput,
    ) -> Result<PutAnomalyDetectorOutput, Fault> {
        let (configuration, characteristics) =
            (input.configuration.take(), input.metric_characteristics.take());
        let target = target(input.into(), call.scope())?;
        let key = Key::new(call.scope(), key_of(&target, call.scope())?);
        let detectors = self.store.detectors();
        let mut detector =
            Detector { id: uuid::Uuid::new_v4().to_string(), target, configuration, characteristics };
        check_configuration(&detector)?;
        loop {
            let expect = match detectors.get_versioned(&key) {
                Some((version, current)) => {
                    detector.id.clone_from(&current.id);
                    Expect::Version(version)
                }
                None if detectors.list(call.scope(), "", None, DETECTORS_MAX).len() == DETECTORS_MAX => {
                    return Err(fault::too_many_detectors(DETECTORS_MAX));
                }
                None => Expect::Absent,
            };
            let mut batch = Batch::new();
            detectors.put(&mut batch, key.clone(), detector.clone(), expect);
            match self.store.catalog().commit(batch).await {
                // Somebody else has put or deleted it meanwhile.
                Err(StorageError::Conflict { .. }) => {}
                Err(error) => return Err(fault::of_store(&error.into())),
                Ok(()) => return Ok(PutAnomalyDetectorOutput { anomaly_detector_id: Some(detector.id) }),
            }
        }
    }
}

impl Handle<DescribeAnomalyDetectors> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DescribeAnomalyDetectorsInput,
    ) -> Result<DescribeAnomalyDetectorsOutput, Fault> {
        let length = input.max_results.map_or(PAGE_LENGTH, |count| usize::try_from(count).unwrap_or(0));
        if !(1..=PAGE_LENGTH).contains(&length) {
            return Err(fault::parameter_must("MaxResults", "must be between 1 and 100"));
        }
        let listing = DescribeAnomalyDetectors::NAME;
        let mut after = match &input.next_token {
            Some(token) => Some(page_token::decode(listing, token).ok_or_else(fault::query_token_invalid)?),
            None => None,
        };
        let filter = Filter::new(input)?;
        let mut found = Vec::new();
        // One more than fits tells whether there is a further page.
        while found.len() <= length {
            let part = self.store.detectors().list(call.scope(), "", after.as_deref(), PAGE_LENGTH);
            let is_last = part.len() < PAGE_LENGTH;
            after = part.last().map(|(key, _)| key.clone());
            found.extend(part.into_iter().filter(|(_, detector)| filter.takes(detector)));
            if is_last {
                break;
            }
        }
        let more = found.len() > length;
        found.truncate(length);
        let next_token = found.last().filter(|_| more).map(|(key, _)| page_token::encode(listing, key));
        let mut described = Vec::with_capacity(found.len());
        for (index, (key, detector)) in found.into_iter().enumerate() {
            let state = match index < TRAINED_MAX {
                true => self.state(call.scope(), key, &detector, call.received).await,
                false => AnomalyDetectorStateValue::PendingTraining,
            };
            described.push(describe(&detector, state, call.scope()));
        }
        Ok(DescribeAnomalyDetectorsOutput { anomaly_detectors: Some(described), next_token })
    }
}

impl Handle<DeleteAnomalyDetector> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        mut input: DeleteAnomalyDetectorInput,
    ) -> Result<DeleteAnomalyDetectorOutput, Fault> {
        let id = input.anomaly_detector_id.take();
        let named = Named::from(input);
        let key = match id {
            Some(id) if named.is_empty() => self.key_of_id(call.scope(), &id),
            Some(_) => return Err(fault::id_and_target()),
            None => Some(key_of(&target(named, call.scope())?, call.scope())?),
        };
        let key = key.ok_or_else(fault::no_detector)?;
        let mut batch = Batch::new();
        self.store.detectors().remove(&mut batch, Key::new(call.scope(), key), Expect::Present);
        match self.store.catalog().commit(batch).await {
            Ok(()) => Ok(DeleteAnomalyDetectorOutput {}),
            Err(StorageError::Conflict { .. }) => Err(fault::no_detector()),
            Err(error) => Err(fault::of_store(&error.into())),
        }
    }
}

impl Metrics {
    fn key_of_id(&self, scope: &Scope, id: &str) -> Option<String> {
        let all = self.store.detectors().list(scope, "", None, DETECTORS_MAX);
        all.into_iter().find(|(_, detector)| detector.id == id).map(|(key, _)| key)
    }

    /// How far the training of a detector has come. AWS trains in the background; here it is done when
    /// somebody asks.
    async fn state(
        &self,
        scope: &Scope,
        key: String,
        detector: &Detector,
        now: Timestamp,
    ) -> AnomalyDetectorStateValue {
        let Some(subject) = subject(key, &detector.target, scope) else {
            return AnomalyDetectorStateValue::PendingTraining;
        };
        match self.store.model(scope, &subject, now, now).await {
            Ok(Some(model)) if model.maturity() == Maturity::Trained => AnomalyDetectorStateValue::Trained,
            Ok(Some(_)) => AnomalyDetectorStateValue::TrainedInsufficientData,
            Ok(None) | Err(_) => AnomalyDetectorStateValue::PendingTraining,
        }
    }
}

/// What the model of a detector is trained on when its state is asked for.
fn subject(key: String, target: &Target, scope: &Scope) -> Option<Subject> {
    let stat = match target {
        Target::Math { queries } => return watched(query::parse(queries.clone(), scope).ok()?).ok(),
        Target::Single { stat, .. } => stat,
    };
    let period = Period::from_secs(STATE_PERIOD_SECS)?;
    let stat = MetricStat {
        metric: metric_of(target),
        statistic: stat.parse().ok()?,
        statistic_text: stat.clone(),
        period,
        unit: None,
    };
    let query =
        DataQuery { id: "m1".to_owned(), source: DataSource::Metric(stat), label: None, is_returned: true };
    Some(Subject { key, queries: vec![query], period })
}

fn check_configuration(detector: &Detector) -> Result<(), Fault> {
    let Some(configuration) = &detector.configuration else { return Ok(()) };
    let ranges = configuration.excluded_time_ranges.as_deref().unwrap_or_default();
    if ranges.len() > EXCLUDED_MAX {
        return Err(fault::too_many("Configuration.ExcludedTimeRanges", EXCLUDED_MAX));
    }
    for (number, range) in (1..).zip(ranges) {
        if range.start_time >= range.end_time {
            let parameter = format!("Configuration.ExcludedTimeRanges.member.{number}.StartTime");
            return Err(fault::parameter_must(parameter, "must be before EndTime"));
        }
    }
    detector.training().map(drop).map_err(|_| {
        let zone = configuration.metric_timezone.as_deref().unwrap_or_default();
        fault::value_invalid(zone, "Configuration.MetricTimezone")
    })
}

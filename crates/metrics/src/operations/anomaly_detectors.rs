//! `PutAnomalyDetector`, `DescribeAnomalyDetectors` and `DeleteAnomalyDetector`.
//!
//! A detector is named by what it watches: a metric's statistic in `SingleMetricAnomalyDetector` or in the
//! older members beside it, or an expression in `MetricMathAnomalyDetector`. Each may have one.

use groundwatch_anomaly::Maturity;
use groundwatch_api::cloudwatch::{
    AnomalyDetector, AnomalyDetectorConfiguration, AnomalyDetectorStateValue, AnomalyDetectorType,
    DeleteAnomalyDetector, DeleteAnomalyDetectorInput, DeleteAnomalyDetectorOutput, DescribeAnomalyDetectors,
    DescribeAnomalyDetectorsInput, DescribeAnomalyDetectorsOutput, Dimension, MetricMathAnomalyDetector,
    PutAnomalyDetector, PutAnomalyDetectorInput, PutAnomalyDetectorOutput, SingleMetricAnomalyDetector,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{Call, Scope, Timestamp, page_token};
use groundwatch_storage::{Batch, Expect, Key, StorageError};

use super::get_metric_data::query;
use super::{Metrics, shapes};
use crate::anomaly::{Detector, Subject, Target, math_key, single_key};
use crate::evaluation::{DataQuery, DataSource, MetricStat, Plan};
use crate::{MetricId, Period, Statistic, fault};

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

/// The members of a request that tell what is watched.
struct Named {
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    stat: Option<String>,
    single: Option<SingleMetricAnomalyDetector>,
    math: Option<MetricMathAnomalyDetector>,
}

impl Handle<PutAnomalyDetector> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutAnomalyDetectorInput,
    ) -> Result<PutAnomalyDetectorOutput, Fault> {
        let named = Named {
            namespace: input.namespace,
            name: input.metric_name,
            dimensions: input.dimensions,
            stat: input.stat,
            single: input.single_metric_anomaly_detector,
            math: input.metric_math_anomaly_detector,
        };
        let target = target(named, call.scope())?;
        let key = Key::new(call.scope(), key_of(&target, call.scope())?);
        let detectors = self.store.detectors();
        let mut detector = Detector {
            id: uuid::Uuid::new_v4().to_string(),
            target,
            configuration: input.configuration,
            characteristics: input.metric_characteristics,
        };
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
        input: DeleteAnomalyDetectorInput,
    ) -> Result<DeleteAnomalyDetectorOutput, Fault> {
        let named = Named {
            namespace: input.namespace,
            name: input.metric_name,
            dimensions: input.dimensions,
            stat: input.stat,
            single: input.single_metric_anomaly_detector,
            math: input.metric_math_anomaly_detector,
        };
        let key = match input.anomaly_detector_id {
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

/// What a request names; an error if it is not exactly one thing.
fn target(named: Named, scope: &Scope) -> Result<Target, Fault> {
    let has_flat = named.has_flat();
    match (named.single, named.math) {
        (Some(_), Some(_)) => {
            Err(fault::mutually_exclusive("SingleMetricAnomalyDetector", "MetricMathAnomalyDetector"))
        }
        (Some(_), None) if has_flat => Err(fault::mutually_exclusive(
            "SingleMetricAnomalyDetector",
            "Namespace, MetricName, Dimensions, Stat",
        )),
        (None, Some(_)) if has_flat => Err(fault::mutually_exclusive(
            "MetricMathAnomalyDetector",
            "Namespace, MetricName, Dimensions, Stat",
        )),
        (None, Some(math)) => Ok(Target::Math { queries: math.metric_data_queries.unwrap_or_default() }),
        (Some(single), None) => {
            let other = single.account_id.is_some_and(|account| account != scope.account.to_string());
            if other {
                return Err(fault::parameter_must(
                    "SingleMetricAnomalyDetector.AccountId",
                    "must be the account of the caller: metrics of other accounts are not supported",
                ));
            }
            let at = "SingleMetricAnomalyDetector.";
            single_target(at, single.namespace, single.metric_name, single.dimensions, single.stat)
        }
        (None, None) => single_target("", named.namespace, named.name, named.dimensions, named.stat),
    }
}

fn single_target(
    at: &str,
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    stat: Option<String>,
) -> Result<Target, Fault> {
    let required = |member: &str| fault::missing(format!("{at}{member}"));
    let stat = stat.ok_or_else(|| required("Stat"))?;
    if stat.parse::<Statistic>().is_err() {
        return Err(fault::value_invalid(stat, format!("{at}Stat")));
    }
    let metric = shapes::metric_id(
        namespace.ok_or_else(|| required("Namespace"))?,
        name.ok_or_else(|| required("MetricName"))?,
        dimensions,
    );
    let MetricId { namespace, name, dimensions } = metric;
    Ok(Target::Single { namespace, name, dimensions, stat })
}

impl Named {
    fn has_flat(&self) -> bool {
        self.namespace.is_some() || self.name.is_some() || self.dimensions.is_some() || self.stat.is_some()
    }

    fn is_empty(&self) -> bool {
        !self.has_flat() && self.single.is_none() && self.math.is_none()
    }
}

/// The name of a detector's document. Expressions are checked on the way.
fn key_of(target: &Target, scope: &Scope) -> Result<String, Fault> {
    match target {
        Target::Single { stat, .. } => Ok(single_key(&metric_of(target), stat)),
        Target::Math { queries } => Ok(math_key(&watched(query::parse(queries.clone(), scope)?)?.queries)),
    }
}

/// The queries of a detector as a band on the one that returns data sees them.
fn watched(queries: Vec<DataQuery>) -> Result<Subject, Fault> {
    let mut returned = queries.iter().filter(|query| query.is_returned);
    let (Some(id), None) = (returned.next().map(|query| query.id.clone()), returned.next()) else {
        return Err(fault::one_returned_query());
    };
    let subject = Plan::new(queries).and_then(|plan| plan.band_subject(&id));
    subject.map_err(|error| fault::of_evaluation(&error))
}

fn metric_of(target: &Target) -> MetricId {
    match target {
        Target::Single { namespace, name, dimensions, .. } => {
            MetricId { namespace: namespace.clone(), name: name.clone(), dimensions: dimensions.clone() }
        }
        Target::Math { .. } => MetricId::default(),
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

/// Which detectors a listing is about.
struct Filter {
    ids: Option<Vec<String>>,
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Option<Vec<(String, String)>>,
    single: bool,
    math: bool,
}

impl Filter {
    fn new(input: DescribeAnomalyDetectorsInput) -> Result<Self, Fault> {
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

    fn takes(&self, detector: &Detector) -> bool {
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

fn describe(detector: &Detector, state: AnomalyDetectorStateValue, scope: &Scope) -> AnomalyDetector {
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

//! What the request names: the metric or the expression that a detector watches.

use groundwatch_api::Fault;
use groundwatch_api::cloudwatch::{
    DeleteAnomalyDetectorInput, Dimension, MetricMathAnomalyDetector, PutAnomalyDetectorInput,
    SingleMetricAnomalyDetector,
};
use groundwatch_core::Scope;

use super::super::get_metric_data::query;
use super::super::shapes;
use crate::anomaly::{Subject, Target, math_key, single_key};
use crate::evaluation::{DataQuery, Plan};
use crate::{MetricId, Statistic, fault};

/// The members of a request that tell what is watched.
pub(super) struct Named {
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    stat: Option<String>,
    single: Option<SingleMetricAnomalyDetector>,
    math: Option<MetricMathAnomalyDetector>,
}

/// The members that `$input` names its detector by.
macro_rules! named_by {
    ($input:ident) => {
        Named {
            namespace: $input.namespace,
            name: $input.metric_name,
            dimensions: $input.dimensions,
            stat: $input.stat,
            single: $input.single_metric_anomaly_detector,
            math: $input.metric_math_anomaly_detector,
        }
    };
}

impl From<PutAnomalyDetectorInput> for Named {
    fn from(input: PutAnomalyDetectorInput) -> Self {
        named_by!(input)
    }
}

impl From<DeleteAnomalyDetectorInput> for Named {
    fn from(input: DeleteAnomalyDetectorInput) -> Self {
        named_by!(input)
    }
}

impl Named {
    fn has_flat(&self) -> bool {
        self.namespace.is_some() || self.name.is_some() || self.dimensions.is_some() || self.stat.is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.has_flat() && self.single.is_none() && self.math.is_none()
    }
}

/// What a request names; an error if it is not exactly one thing.
pub(super) fn target(named: Named, scope: &Scope) -> Result<Target, Fault> {
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

/// The name of a detector's document. Expressions are checked on the way.
pub(super) fn key_of(target: &Target, scope: &Scope) -> Result<String, Fault> {
    match target {
        Target::Single { stat, .. } => Ok(single_key(&metric_of(target), stat)),
        Target::Math { queries } => Ok(math_key(&watched(query::parse(queries.clone(), scope)?)?.queries)),
    }
}

/// The queries of a detector as a band on the one that returns data sees them.
pub(super) fn watched(queries: Vec<DataQuery>) -> Result<Subject, Fault> {
    let mut returned = queries.iter().filter(|query| query.is_returned);
    let (Some(id), None) = (returned.next().map(|query| query.id.clone()), returned.next()) else {
        return Err(fault::one_returned_query());
    };
    let subject = Plan::new(queries).and_then(|plan| plan.band_subject(&id));
    subject.map_err(|error| fault::of_evaluation(&error))
}

pub(super) fn metric_of(target: &Target) -> MetricId {
    match target {
        Target::Single { namespace, name, dimensions, .. } => {
            MetricId { namespace: namespace.clone(), name: name.clone(), dimensions: dimensions.clone() }
        }
        Target::Math { .. } => MetricId::default(),
    }
}

//! Models: trained when they are asked for, and kept for an hour, as many as there is room for.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_anomaly::{Maturity, Model, Observation, TRAINING_SECS};
use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Documents, Key};
use quick_cache::sync::Cache;

use super::Detector;
use crate::evaluation::{DataQuery, EvaluationError, EvaluationRange};
use crate::{MetricStore, Period};

/// Models in memory: each takes up to 40 KB.
const MODELS_MAX: usize = 1024;

/// Models are trained with what was known at the beginning of the hour.
const AGE_SECS_MAX: u32 = 3600;

/// What a band is of.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Which detector it has, if it has one.
    pub(crate) key: String,
    /// What it is worth: one of them returns data.
    pub(crate) queries: Vec<DataQuery>,
    /// Of its points.
    pub(crate) period: Period,
}

/// Trained models.
pub(crate) struct Models {
    trained: Cache<ModelKey, Arc<Model>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ModelKey {
    scope: Scope,
    subject: String,
    /// Of the detector's document, so that a changed one trains anew; 0 if there is none.
    version: u64,
    period: Period,
    until: Timestamp,
}

impl Models {
    pub(crate) fn new() -> Self {
        Self { trained: Cache::new(MODELS_MAX) }
    }
}

impl MetricStore {
    /// Anomaly detectors, by the key of what they watch.
    pub(crate) fn detectors(&self) -> &Documents<Detector> {
        &self.anomaly().0
    }

    /// The model of `subject` for points before `end`; `None` if what it learns from cannot be read.
    pub(crate) async fn model(
        &self,
        scope: &Scope,
        subject: &Subject,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Arc<Model>>, EvaluationError> {
        let until = end.min(now).floor_to(AGE_SECS_MAX);
        let detector = self.detectors().get_versioned(&Key::new(scope, subject.key.as_str()));
        let key = ModelKey {
            scope: scope.clone(),
            subject: subject.key.clone(),
            version: detector.as_ref().map_or(0, |(version, _)| *version),
            period: subject.period,
            until,
        };
        let models = &self.anomaly().1;
        if let Some(model) = models.trained.get(&key) {
            return Ok(Some(model));
        }
        let range =
            EvaluationRange::of_request(until - Duration::from_secs(TRAINING_SECS as u64), until, now);
        // Boxed, as evaluation trains and training evaluates; what is trained on has no bands of its own.
        let evaluated = Box::pin(self.evaluate(scope, subject.queries.clone(), &range)).await?;
        let series = evaluated.series.into_iter().next();
        if series.as_ref().is_some_and(|series| series.is_unreadable) {
            return Ok(None);
        }
        let points = series.into_iter().flat_map(|series| series.points);
        let points: Vec<Observation> =
            points.map(|(start, value)| Observation { at_secs: i64::from(start.0), value }).collect();
        let training = detector.and_then(|(_, detector)| detector.training().ok()).unwrap_or_default();
        let period_secs = subject.period.as_secs();
        // Some tens of milliseconds of processor time, which must not hold up other requests.
        let trained =
            tokio::task::spawn_blocking(move || Model::train(&points, period_secs, &training)).await;
        let model = match trained {
            Ok(model) => Arc::new(model),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return Err(EvaluationError::Stopped),
        };
        // A model that knows little learns much from the next points, and costs little to train again.
        if model.maturity() == Maturity::Trained {
            models.trained.insert(key, Arc::clone(&model));
        }
        Ok(Some(model))
    }
}

//! A detector, as its document keeps it, and all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_api::logs::EvaluationFrequency;
use groundwatch_core::{Scope, Tags, Timestamp};
use groundwatch_log_patterns::{PatternId, Patterns};
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key, StorageError};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::evaluation::Baseline;
use super::finding::{Anomaly, Silence};
use super::{AnomalyError, TRAINING};
use crate::error::LogsError;
use crate::incarnation::GroupId;

/// A log anomaly detector: what it was told, and what it has learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogAnomalyDetector {
    /// The group's name.
    pub group: String,
    /// Which life of that name.
    pub group_id: GroupId,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How often it looks.
    pub frequency: EvaluationFrequency,
    /// Which events it looks at.
    #[serde(default)]
    pub filter_pattern: String,
    /// Kept and shown. Groundwatch does not encrypt with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// After so many days an anomaly is usual.
    pub visibility_days: u32,
    /// Tags by key.
    #[serde(default)]
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Whether it looks at all.
    pub enabled: bool,
    /// Up to where it has looked; nowhere before its first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_until: Option<Timestamp>,
    /// The patterns that it knows.
    #[serde(default)]
    pub patterns: Patterns<Baseline>,
    /// What it has found, oldest first.
    #[serde(default)]
    pub anomalies: Vec<Anomaly>,
    /// Patterns of which nothing is told.
    #[serde(default)]
    pub silenced: BTreeMap<PatternId, Silence>,
}

impl Document for LogAnomalyDetector {
    const KIND: &'static str = "log-anomaly-detector";
}

impl LogAnomalyDetector {
    /// The length of its windows.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.window_minutes()))
    }

    fn window_minutes(&self) -> u32 {
        match self.frequency {
            EvaluationFrequency::OneMin => 1,
            EvaluationFrequency::FiveMin | EvaluationFrequency::Unknown(_) => 5,
            EvaluationFrequency::TenMin => 10,
            EvaluationFrequency::FifteenMin => 15,
            EvaluationFrequency::ThirtyMin => 30,
            EvaluationFrequency::OneHour => 60,
        }
    }

    /// The last window that is over at `now` ends here.
    pub(crate) fn last_end(&self, now: Timestamp) -> Timestamp {
        now.floor_to(60 * self.window_minutes())
    }

    /// When it looks next; never while it is off.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let due = self.seen_until.map_or(Timestamp::EPOCH, |seen| seen + self.window());
        self.enabled.then_some(due)
    }

    /// Until when it only learns.
    pub(crate) fn learns_until(&self) -> Timestamp {
        self.created + TRAINING
    }

    pub(crate) fn visibility(&self) -> Duration {
        Duration::from_secs(u64::from(self.visibility_days) * 24 * 60 * 60)
    }

    /// Whether nothing is told of an anomaly at `now`, and why.
    pub(crate) fn silence_of(&self, anomaly: &Anomaly, now: Timestamp) -> Option<(Silence, bool)> {
        let of_pattern = self.silenced.get(&anomaly.pattern.id()).map(|silence| (*silence, true));
        let own = anomaly.silence.map(|silence| (silence, false));
        [of_pattern, own].into_iter().flatten().find(|(silence, _)| silence.holds(now))
    }
}

/// All detectors. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Detectors {
    catalog: Catalog,
    documents: Documents<LogAnomalyDetector>,
    changed: Arc<Notify>,
}

impl Detectors {
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self { catalog: catalog.clone(), documents: Documents::open(catalog)?, changed: Arc::default() })
    }

    /// Notified when one may be due earlier.
    pub(crate) fn changed(&self) -> &Notify {
        &self.changed
    }

    /// Every detector.
    pub(crate) fn all(&self) -> Vec<(Key, Arc<LogAnomalyDetector>)> {
        self.documents.all()
    }

    /// The detectors of a scope, with their ids.
    pub(crate) fn list(&self, scope: &Scope) -> Vec<(String, Arc<LogAnomalyDetector>)> {
        self.documents.list(scope, "", None, usize::MAX)
    }

    /// The detector of that id.
    pub(crate) fn get(&self, scope: &Scope, id: &str) -> Result<Arc<LogAnomalyDetector>, LogsError> {
        self.documents.get(&Key::new(scope, id)).ok_or(AnomalyError::DetectorMissing.into())
    }

    /// Adds a detector under a new id, which it returns. A group has one.
    pub(crate) async fn create(
        &self,
        scope: &Scope,
        detector: LogAnomalyDetector,
    ) -> Result<String, LogsError> {
        if self.list(scope).iter().any(|(_, known)| known.group_id == detector.group_id) {
            return Err(AnomalyError::Taken.into());
        }
        let id = uuid::Uuid::new_v4().to_string();
        let mut batch = Batch::new();
        self.documents.put(&mut batch, Key::new(scope, &id), detector, Expect::Absent);
        self.catalog.commit(batch).await?;
        self.changed.notify_one();
        Ok(id)
    }

    /// Replaces a detector by what `change` makes of it.
    pub(crate) async fn change(
        &self,
        scope: &Scope,
        id: &str,
        change: impl Fn(&mut LogAnomalyDetector) -> Result<(), LogsError>,
    ) -> Result<(), LogsError> {
        let key = Key::new(scope, id);
        loop {
            let known = self.documents.get_versioned(&key);
            let (version, known) = known.ok_or(AnomalyError::DetectorMissing)?;
            let mut detector = (*known).clone();
            change(&mut detector)?;
            if self.replaced(&key, version, detector).await? {
                self.changed.notify_one();
                return Ok(());
            }
        }
    }

    /// The detector with its version, for [`Self::replaced`].
    pub(crate) fn versioned(&self, key: &Key) -> Option<(u64, Arc<LogAnomalyDetector>)> {
        self.documents.get_versioned(key)
    }

    /// Replaces a detector unless somebody else did meanwhile, and tells whether it did.
    pub(crate) async fn replaced(
        &self,
        key: &Key,
        version: u64,
        detector: LogAnomalyDetector,
    ) -> Result<bool, StorageError> {
        let mut batch = Batch::new();
        self.documents.put(&mut batch, key.clone(), detector, Expect::Version(version));
        match self.catalog.commit(batch).await {
            Ok(()) => Ok(true),
            Err(StorageError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a detector.
    pub(crate) async fn delete(&self, key: Key) -> Result<(), LogsError> {
        let mut batch = Batch::new();
        self.documents.remove(&mut batch, key, Expect::Present);
        self.catalog.commit(batch).await.map_err(|error| match error {
            StorageError::Conflict { .. } => AnomalyError::DetectorMissing.into(),
            error => error.into(),
        })
    }
}

//! `CreateLogAnomalyDetector`, `GetLogAnomalyDetector`, `UpdateLogAnomalyDetector`,
//! `DeleteLogAnomalyDetector` and `ListLogAnomalyDetectors`.

use groundwatch_api::logs::{
    self as api, AnomalyDetectorStatus, CreateLogAnomalyDetector, CreateLogAnomalyDetectorInput,
    CreateLogAnomalyDetectorOutput, DeleteLogAnomalyDetector, DeleteLogAnomalyDetectorInput,
    DeleteLogAnomalyDetectorOutput, EvaluationFrequency, GetLogAnomalyDetector, GetLogAnomalyDetectorInput,
    GetLogAnomalyDetectorOutput, ListLogAnomalyDetectors, ListLogAnomalyDetectorsInput,
    ListLogAnomalyDetectorsOutput, UpdateLogAnomalyDetector, UpdateLogAnomalyDetectorInput,
    UpdateLogAnomalyDetectorOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Tags, Timestamp};
use groundwatch_storage::Key;

use super::listing;
use crate::anomaly::{AnomalyError, LogAnomalyDetector};
use crate::error::LogsError;
use crate::group::group_arn;
use crate::logs::Logs;
use crate::pattern::Pattern;

/// For how many days an anomaly is told without a choice. Source: CloudWatch Logs user guide, "Log anomaly
/// detection".
const VISIBILITY_DAYS: i64 = 21;

impl Handle<CreateLogAnomalyDetector> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: CreateLogAnomalyDetectorInput,
    ) -> Result<CreateLogAnomalyDetectorOutput, Fault> {
        let groups = input.log_group_arn_list.expect("validated: required");
        let [arn] = groups.as_slice() else { return Err(LogsError::from(AnomalyError::OneGroup).into()) };
        let (group_name, group) = self.named_group(call.scope(), None, Some(arn))?;
        group.check_offers("CreateLogAnomalyDetector")?;
        let filter_pattern = input.filter_pattern.unwrap_or_default();
        Pattern::parse(&filter_pattern).map_err(LogsError::from)?;
        let detector = LogAnomalyDetector {
            group: group_name,
            group_id: group.id,
            name: input.detector_name,
            frequency: input.evaluation_frequency.unwrap_or(EvaluationFrequency::FiveMin),
            filter_pattern,
            kms_key_id: input.kms_key_id,
            visibility_days: days(input.anomaly_visibility_time.unwrap_or(VISIBILITY_DAYS)),
            tags: Tags::new(input.tags.unwrap_or_default()).map_err(LogsError::from)?,
            created: call.received,
            modified: call.received,
            enabled: true,
            seen_until: None,
            patterns: Default::default(),
            anomalies: Vec::new(),
            silenced: Default::default(),
        };
        let id = self.anomaly_detectors.create(call.scope(), detector).await?;
        let anomaly_detector_arn = Some(detector_arn(call.scope(), &id));
        Ok(CreateLogAnomalyDetectorOutput { anomaly_detector_arn })
    }
}

impl Handle<GetLogAnomalyDetector> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: GetLogAnomalyDetectorInput,
    ) -> Result<GetLogAnomalyDetectorOutput, Fault> {
        let arn = input.anomaly_detector_arn.expect("validated: required");
        let id = detector_id(call.scope(), &arn)?;
        let detector = self.anomaly_detectors.get(call.scope(), id)?;
        let told = described(call.scope(), id, &detector, call.received);
        Ok(GetLogAnomalyDetectorOutput {
            detector_name: told.detector_name,
            log_group_arn_list: told.log_group_arn_list,
            evaluation_frequency: told.evaluation_frequency,
            filter_pattern: told.filter_pattern,
            anomaly_detector_status: told.anomaly_detector_status,
            kms_key_id: told.kms_key_id,
            creation_time_stamp: told.creation_time_stamp,
            last_modified_time_stamp: told.last_modified_time_stamp,
            anomaly_visibility_time: told.anomaly_visibility_time,
        })
    }
}

impl Handle<UpdateLogAnomalyDetector> for Logs {
    /// What passes while a detector is off is never looked at.
    async fn handle(
        &self,
        call: &Call,
        input: UpdateLogAnomalyDetectorInput,
    ) -> Result<UpdateLogAnomalyDetectorOutput, Fault> {
        let arn = input.anomaly_detector_arn.expect("validated: required");
        let enabled = input.enabled.expect("validated: required");
        if let Some(pattern) = &input.filter_pattern {
            Pattern::parse(pattern).map_err(LogsError::from)?;
        }
        let change = |detector: &mut LogAnomalyDetector| {
            detector.modified = call.received;
            if let Some(frequency) = &input.evaluation_frequency {
                detector.frequency = frequency.clone();
            }
            if let Some(pattern) = &input.filter_pattern {
                detector.filter_pattern.clone_from(pattern);
            }
            if let Some(visibility) = input.anomaly_visibility_time {
                detector.visibility_days = days(visibility);
            }
            if enabled && !detector.enabled && detector.seen_until.is_some() {
                detector.seen_until = Some(detector.last_end(call.received));
            }
            detector.enabled = enabled;
            Ok(())
        };
        let id = detector_id(call.scope(), &arn)?;
        self.anomaly_detectors.change(call.scope(), id, change).await?;
        Ok(UpdateLogAnomalyDetectorOutput {})
    }
}

impl Handle<DeleteLogAnomalyDetector> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteLogAnomalyDetectorInput,
    ) -> Result<DeleteLogAnomalyDetectorOutput, Fault> {
        let arn = input.anomaly_detector_arn.expect("validated: required");
        let id = detector_id(call.scope(), &arn)?;
        self.anomaly_detectors.delete(Key::new(call.scope(), id)).await?;
        Ok(DeleteLogAnomalyDetectorOutput {})
    }
}

impl Handle<ListLogAnomalyDetectors> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: ListLogAnomalyDetectorsInput,
    ) -> Result<ListLogAnomalyDetectorsOutput, Fault> {
        let wanted = |detector: &LogAnomalyDetector| {
            let arn = || group_arn(call.scope(), &detector.group);
            input.filter_log_group_arn.as_ref().is_none_or(|wanted| *wanted == arn())
        };
        let found = self.anomaly_detectors.list(call.scope()).into_iter();
        let found = found
            .filter(|(_, detector)| wanted(detector))
            .map(|(id, detector)| (id.clone(), described(call.scope(), &id, &detector, call.received)))
            .collect();
        let (detectors, next_token) = listing::page(
            "ListLogAnomalyDetectors",
            input.next_token.as_deref(),
            input.limit,
            listing::of(found),
        )?;
        Ok(ListLogAnomalyDetectorsOutput { anomaly_detectors: Some(detectors), next_token })
    }
}

pub(super) fn detector_arn(scope: &Scope, id: &str) -> String {
    scope.arn("logs", &format!("anomaly-detector:{id}"))
}

/// The id of the detector that an ARN of this account and region names.
pub(super) fn detector_id<'a>(scope: &Scope, arn: &'a str) -> Result<&'a str, LogsError> {
    arn.strip_prefix(&detector_arn(scope, "")).ok_or_else(|| AnomalyError::DetectorMissing.into())
}

/// A number of days, which the constraint table bounds.
fn days(days: i64) -> u32 {
    u32::try_from(days).unwrap_or(90)
}

fn described(scope: &Scope, id: &str, detector: &LogAnomalyDetector, now: Timestamp) -> api::AnomalyDetector {
    let status = match detector.seen_until {
        _ if !detector.enabled => AnomalyDetectorStatus::Paused,
        None => AnomalyDetectorStatus::Initializing,
        Some(_) if now < detector.learns_until() => AnomalyDetectorStatus::Training,
        Some(_) => AnomalyDetectorStatus::Analyzing,
    };
    api::AnomalyDetector {
        anomaly_detector_arn: Some(detector_arn(scope, id)),
        detector_name: detector.name.clone(),
        log_group_arn_list: Some(vec![group_arn(scope, &detector.group)]),
        evaluation_frequency: Some(detector.frequency.clone()),
        // Left out if there is none: to Terraform an empty one would be another.
        filter_pattern: Some(&detector.filter_pattern).filter(|pattern| !pattern.is_empty()).cloned(),
        anomaly_detector_status: Some(status),
        kms_key_id: detector.kms_key_id.clone(),
        creation_time_stamp: Some(detector.created.as_millis()),
        last_modified_time_stamp: Some(detector.modified.as_millis()),
        anomaly_visibility_time: Some(detector.visibility_days.into()),
    }
}

//! `ListAnomalies` and `UpdateAnomaly`.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_api::logs::{
    self as api, ListAnomalies, ListAnomaliesInput, ListAnomaliesOutput, LogEvent, PatternToken, State,
    SuppressionPeriod, SuppressionState, SuppressionType, SuppressionUnit, UpdateAnomaly, UpdateAnomalyInput,
    UpdateAnomalyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Timestamp};
use groundwatch_log_patterns::{PatternId, Token};

use super::listing;
use super::log_anomaly_detector::{detector_arn, detector_id};
use crate::anomaly::{Anomaly, AnomalyError, LogAnomalyDetector, Silence};
use crate::error::LogsError;
use crate::group::group_arn;
use crate::logs::Logs;

impl Handle<ListAnomalies> for Logs {
    /// The oldest first; AWS tells no order.
    async fn handle(&self, call: &Call, input: ListAnomaliesInput) -> Result<ListAnomaliesOutput, Fault> {
        let detectors = match input.anomaly_detector_arn.as_deref() {
            Some(arn) => {
                let id = detector_id(call.scope(), arn)?;
                vec![(id.to_owned(), self.anomaly_detectors.get(call.scope(), id)?)]
            }
            None => self.anomaly_detectors.list(call.scope()),
        };
        let mut found = Vec::new();
        for (id, detector) in &detectors {
            for anomaly in &detector.anomalies {
                let told = described(call.scope(), id, detector, anomaly, call.received);
                let wanted = match &input.suppression_state {
                    Some(SuppressionState::Suppressed) => told.suppressed == Some(true),
                    Some(SuppressionState::Unsuppressed) => told.suppressed == Some(false),
                    Some(SuppressionState::Unknown(_)) | None => true,
                };
                if wanted {
                    found.push((format!("{:020}{}", anomaly.first_seen.as_millis(), anomaly.id), told));
                }
            }
        }
        let (anomalies, next_token) =
            listing::page("ListAnomalies", input.next_token.as_deref(), input.limit, listing::of(found))?;
        Ok(ListAnomaliesOutput { anomalies: Some(anomalies), next_token })
    }
}

impl Handle<UpdateAnomaly> for Logs {
    /// Without a type of suppression, one that holds ends, as AWS does.
    async fn handle(&self, call: &Call, input: UpdateAnomalyInput) -> Result<UpdateAnomalyOutput, Fault> {
        let arn = input.anomaly_detector_arn.expect("validated: required");
        let silence =
            silence(input.suppression_type.as_ref(), input.suppression_period.as_ref(), call.received)?;
        let becomes_usual = input.baseline.unwrap_or(false);
        let change = |detector: &mut LogAnomalyDetector| match (&input.anomaly_id, &input.pattern_id) {
            (Some(id), None) => {
                let anomaly = detector.anomalies.iter_mut().find(|anomaly| anomaly.id == *id);
                let anomaly = anomaly.ok_or(AnomalyError::AnomalyMissing)?;
                anomaly.silence = silence;
                anomaly.baseline |= becomes_usual;
                Ok(())
            }
            (None, Some(id)) => {
                let pattern = PatternId(id.clone());
                let mut about =
                    detector.anomalies.iter_mut().filter(|found| found.pattern.id() == pattern).peekable();
                if about.peek().is_none() {
                    return Err(AnomalyError::AnomalyMissing.into());
                }
                about.for_each(|anomaly| anomaly.baseline |= becomes_usual);
                match silence {
                    Some(silence) => drop(detector.silenced.insert(pattern, silence)),
                    None => drop(detector.silenced.remove(&pattern)),
                }
                Ok(())
            }
            (None, None) | (Some(_), Some(_)) => Err(AnomalyError::AnomalyOrPattern.into()),
        };
        let id = detector_id(call.scope(), &arn)?;
        self.anomaly_detectors.change(call.scope(), id, change).await?;
        Ok(UpdateAnomalyOutput {})
    }
}

/// The suppression that a request asks for; `None` for none.
fn silence(
    kind: Option<&SuppressionType>,
    period: Option<&SuppressionPeriod>,
    now: Timestamp,
) -> Result<Option<Silence>, LogsError> {
    let until = match kind {
        None => return Ok(None),
        Some(SuppressionType::Infinite) => None,
        Some(SuppressionType::Limited | SuppressionType::Unknown(_)) => {
            let period = period.ok_or(AnomalyError::Period)?;
            let seconds = match &period.suppression_unit {
                Some(SuppressionUnit::Minutes) => 60,
                Some(SuppressionUnit::Hours) => 3600,
                Some(SuppressionUnit::Seconds | SuppressionUnit::Unknown(_)) | None => 1,
            };
            let value = period.value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0);
            Some(now + Duration::from_secs(value.ok_or(AnomalyError::Period)? * seconds))
        }
    };
    Ok(Some(Silence { since: now, until }))
}

fn described(
    scope: &Scope,
    id: &str,
    detector: &LogAnomalyDetector,
    anomaly: &Anomaly,
    now: Timestamp,
) -> api::Anomaly {
    let PatternId(pattern_id) = anomaly.pattern.id();
    let silence = detector.silence_of(anomaly, now);
    let state = match (anomaly.baseline, silence) {
        (true, _) => State::Baseline,
        (false, Some(_)) => State::Suppressed,
        (false, None) => State::Active,
    };
    let histogram = anomaly.histogram.iter();
    let histogram: BTreeMap<String, i64> = histogram
        .map(|(window, count)| (window.as_millis().to_string(), i64::try_from(*count).unwrap_or(i64::MAX)))
        .collect();
    let sample = |(at, message): &(Timestamp, String)| LogEvent {
        timestamp: Some(at.as_millis()),
        message: Some(message.clone()),
    };
    api::Anomaly {
        anomaly_id: Some(anomaly.id.clone()),
        pattern_id: Some(pattern_id),
        anomaly_detector_arn: Some(detector_arn(scope, id)),
        pattern_string: Some(anomaly.pattern.to_string()),
        pattern_regex: Some(anomaly.pattern.regex()),
        priority: Some(anomaly.priority.clone()),
        first_seen: Some(anomaly.first_seen.as_millis()),
        last_seen: Some(anomaly.last_seen.as_millis()),
        description: Some(anomaly.description()),
        active: Some(anomaly.active && !anomaly.baseline),
        state: Some(state),
        histogram: Some(histogram),
        log_samples: Some(anomaly.samples.iter().map(sample).collect()),
        pattern_tokens: Some(tokens(anomaly)),
        log_group_arn_list: Some(vec![group_arn(scope, &detector.group)]),
        suppressed: Some(silence.is_some()),
        suppressed_date: silence.map(|(silence, _)| silence.since.as_millis()),
        // AWS's reference: 0 stands for no end.
        suppressed_until: silence.map(|(silence, _)| silence.until.map_or(0, Timestamp::as_millis)),
        is_pattern_level_suppression: silence.map(|(_, of_pattern)| of_pattern),
    }
}

/// The pattern's tokens, those that vary numbered from 1.
fn tokens(anomaly: &Anomaly) -> Vec<PatternToken> {
    let mut values = anomaly.values.iter();
    let mut position = 0;
    let token = |token: &Token| match token {
        Token::Fixed(text) => PatternToken {
            is_dynamic: Some(false),
            token_string: Some(text.clone()),
            ..PatternToken::default()
        },
        Token::Variable(kind) => {
            position += 1;
            let counts = values.next().into_iter().flatten();
            let counts =
                counts.map(|(value, count)| (value.clone(), i64::try_from(*count).unwrap_or(i64::MAX)));
            PatternToken {
                dynamic_token_position: Some(position),
                is_dynamic: Some(true),
                token_string: Some("<*>".to_owned()),
                enumerations: Some(counts.collect()),
                inferred_token_name: Some(format!("{}-{position}", kind.name())),
            }
        }
    };
    anomaly.pattern.tokens().iter().map(token).collect()
}

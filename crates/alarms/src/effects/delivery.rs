//! Something that a change of state sends, from the moment of the change until it has arrived or failed for
//! good.

use std::time::Duration;

use groundwatch_core::{BoxFuture, Scope, Timestamp, stable_hash};
use groundwatch_outbound::Backoff;
use groundwatch_storage::Document;
use serde::{Deserialize, Serialize};

use crate::alarm::AlarmType;
use crate::effects::action_request::ActionRequest;
use crate::effects::event::AlarmEvent;
use crate::evaluation::contributors::ContributorMark;

/// When an action is attempted again, and when it counts as failed.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(1), longest: WAIT_MAX, give_up_after: Duration::from_secs(3600) };

/// The longest wait between two attempts.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);

/// When a request is sent again that is repeated.
pub(crate) const REPEATED_AFTER: Duration = Duration::from_secs(60);

/// One thing to send. Its document is written together with the state that it tells of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The alarm's name.
    pub alarm: String,
    /// What kind of alarm it is.
    #[serde(default)]
    pub alarm_type: AlarmType,
    /// Which of the alarm's series it tells of, if it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributor: Option<ContributorMark>,
    /// What to send, and where to.
    pub payload: Payload,
    /// When the state changed.
    pub state_updated: Timestamp,
    /// How often it was attempted in vain.
    pub attempts: u32,
    /// When it is to be attempted next.
    pub due: Timestamp,
}

impl Document for Delivery {
    const KIND: &'static str = "alarm-delivery";
}

/// What to send, and where to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Payload {
    /// To publish to a topic.
    Action {
        /// The topic's ARN.
        arn: String,
        /// For people.
        subject: String,
        /// The notification: a JSON text.
        message: String,
    },
    /// To have another service do something.
    #[serde(rename = "Order")]
    Request(ActionRequest),
    /// To tell the event bus.
    Event(AlarmEvent),
}

impl Delivery {
    /// A delivery that is due at once.
    pub fn new(alarm: &str, alarm_type: AlarmType, payload: Payload, now: Timestamp) -> Self {
        let alarm = alarm.to_owned();
        Self { alarm, alarm_type, contributor: None, payload, state_updated: now, attempts: 0, due: now }
    }

    /// The request that repeats this settled one a minute after `now`, if it is of a kind that is repeated; see
    /// `ActionRequest::repeated`.
    pub fn repeated(&self, now: Timestamp) -> Option<Self> {
        let Payload::Request(request) = &self.payload else { return None };
        let payload = Payload::Request(request.repeated()?);
        Some(Self { payload, attempts: 0, due: now + REPEATED_AFTER, ..self.clone() })
    }

    /// The delivery after one more vain attempt at `now`; `None` if it has been attempted for long enough.
    pub fn retried(&self, now: Timestamp) -> Option<Self> {
        let attempts = self.attempts.saturating_add(1);
        let wait = BACKOFF.wait(attempts, now.since(self.state_updated), &self.alarm)?;
        Some(Self { attempts, due: now + wait, ..self.clone() })
    }
}

/// What a topic gets.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// The topic's ARN.
    pub topic_arn: &'a str,
    /// For people.
    pub subject: &'a str,
    /// A JSON text.
    pub message: &'a str,
    /// What FIFO topics keep in order: a hash of the alarm's ARN, as on AWS.
    pub group_id: String,
    /// The same for every attempt to send it, and another for every other notification: FIFO topics take it once.
    pub deduplication_id: String,
}

impl<'a> Notification<'a> {
    /// Of the alarm `alarm_arn`. `number` tells deliveries that are kept at the same time from each other; after a
    /// restart it may come again, with another message.
    pub(crate) fn new(
        alarm_arn: &str,
        number: &str,
        topic_arn: &'a str,
        subject: &'a str,
        message: &'a str,
    ) -> Self {
        let deduplication_id = format!("{number}-{:016x}", stable_hash(message.bytes()));
        let group_id = format!("{:016x}", stable_hash(alarm_arn.bytes()));
        Self { topic_arn, subject, message, group_id, deduplication_id }
    }
}

/// Sends notifications to topics.
pub trait Notifier: Send + Sync + 'static {
    /// Publishes. `Ok` means that the topic keeps the message and delivers it by itself.
    fn notify<'a>(
        &'a self,
        scope: &'a Scope,
        notification: Notification<'a>,
    ) -> BoxFuture<'a, Result<(), NotifyError>>;
}

/// Why a notification was not published. The text ends in the alarm's history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// It will never be, such as to a topic that does not exist.
    #[error("{0}")]
    Permanent(String),
    /// It may be later.
    #[error("{0}")]
    Temporary(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_for_an_hour() {
        let mut now = Timestamp::from_secs(0);
        let payload = Payload::Action { arn: String::new(), subject: String::new(), message: String::new() };
        let mut delivery = Delivery::new("cpu", AlarmType::MetricAlarm, payload, now);
        let mut waits = Vec::new();
        while let Some(next) = delivery.retried(now) {
            waits.push(next.due.since(now).as_secs_f64());
            now = next.due;
            delivery = next;
        }
        let longest = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0];
        assert!(
            waits.iter().zip(longest).all(|(wait, most)| (most / 2.0..=most).contains(wait)),
            "{waits:?}"
        );
        assert!((3540..=3600).contains(&now.as_secs()), "gave up after {now:?}");
    }
}

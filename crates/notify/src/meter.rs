//! What topics say about themselves: metrics in `AWS/SNS`, by topic (source: SNS developer guide, "Monitoring
//! Amazon SNS topics using CloudWatch").

use std::sync::Arc;

use groundwatch_core::{Scope, SharedClock};
use groundwatch_outbound::Outcome;
use groundwatch_own_metrics::Tally;

use crate::delivery::retry::Verdict;
use crate::message::{Message, MessageKind};
use crate::subscription::filter::Unwanted;
use crate::subscription::{Protocol, Subscription, SubscriptionId};
use crate::topic::TopicId;

const NAMESPACE: &str = "AWS/SNS";

/// Counts what becomes of notifications. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Meter {
    pub(crate) tally: Arc<Tally>,
    clock: SharedClock,
}

impl Meter {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { tally: Arc::new(Tally::new(NAMESPACE)), clock }
    }

    /// Notes a message of so many bytes, and why subscriptions did not want it.
    pub(crate) fn published(&self, topic: &TopicId, bytes: usize, filtered_out: &[Unwanted]) {
        let add = |name, value, unit| self.add(topic.scope(), topic.name(), name, value, unit);
        add("NumberOfMessagesPublished", 1.0, "Count");
        add("PublishSize", bytes as f64, "Bytes");
        for unwanted in filtered_out {
            add("NumberOfNotificationsFilteredOut", 1.0, "Count");
            for name in filtered_out_by(*unwanted) {
                add(name, 1.0, "Count");
            }
        }
    }

    /// Notes what came of an attempt, and what follows from it.
    pub(crate) fn attempted(
        &self,
        message: &Message,
        id: &SubscriptionId,
        subscription: &Subscription,
        outcome: &Outcome,
        verdict: Verdict,
    ) {
        if message.kind != MessageKind::Notification {
            return;
        }
        match (outcome, verdict) {
            (Outcome::Accepted { .. }, _) => self.count(id, "NumberOfNotificationsDelivered"),
            // AWS counts each failed attempt over HTTP, and what it gives up of all else.
            (_, Verdict::GiveUp) => self.count(id, "NumberOfNotificationsFailed"),
            _ if matches!(subscription.endpoint.protocol, Protocol::Http | Protocol::Https) => {
                self.count(id, "NumberOfNotificationsFailed");
            }
            _ => {}
        }
    }

    /// Notes whether a message that was given up went to the dead-letter queue.
    pub(crate) fn redriven(&self, id: &SubscriptionId, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted { .. } => self.count(id, "NumberOfNotificationsRedrivenToDlq"),
            _ => self.count(id, "NumberOfNotificationsFailedToRedriveToDlq"),
        }
    }

    fn count(&self, id: &SubscriptionId, name: &'static str) {
        self.add(id.scope(), &id.topic_key().name, name, 1.0, "Count");
    }

    fn add(&self, scope: &Scope, topic: &str, name: &'static str, value: f64, unit: &'static str) {
        let dimensions = [("TopicName", topic.to_owned())];
        self.tally.add(scope, name, &dimensions, self.clock.now(), value, Some(unit));
    }
}

/// What is counted besides of a message that a filter policy rejected: by its scope, and why.
fn filtered_out_by(unwanted: Unwanted) -> &'static [&'static str] {
    match unwanted {
        Unwanted::Attributes => &["NumberOfNotificationsFilteredOut-MessageAttributes"],
        Unwanted::NoAttributes => &[
            "NumberOfNotificationsFilteredOut-MessageAttributes",
            "NumberOfNotificationsFilteredOut-NoMessageAttributes",
        ],
        Unwanted::InvalidAttributes => &[
            "NumberOfNotificationsFilteredOut-MessageAttributes",
            "NumberOfNotificationsFilteredOut-InvalidAttributes",
        ],
        Unwanted::Body => &["NumberOfNotificationsFilteredOut-MessageBody"],
        Unwanted::InvalidBody => &[
            "NumberOfNotificationsFilteredOut-MessageBody",
            "NumberOfNotificationsFilteredOut-InvalidMessageBody",
        ],
    }
}

//! What subscriptions say about themselves: metrics in `AWS/Logs`.

use groundwatch_core::Timestamp;
use groundwatch_outbound::Outcome;

use super::lanes::Step;
use super::subscription::CompiledSubscription;
use super::subscriptions::Subscriptions;
use crate::own_metrics::OwnMetrics;

/// Counts attempts (source: CloudWatch Logs user guide, "Monitoring usage with CloudWatch metrics").
pub(crate) struct ForwardingMeasures(pub(crate) OwnMetrics);

impl ForwardingMeasures {
    /// Notes an attempt to send so many (events, bytes).
    pub(super) fn attempt(
        &self,
        step: &Step,
        subscription: &CompiledSubscription,
        (events, bytes): &(u64, u64),
        outcome: &Outcome,
        now: Timestamp,
    ) {
        let mut dimensions = vec![
            ("DestinationType", subscription.vendor.destination_type().to_owned()),
            ("FilterName", subscription.name.clone()),
            ("LogGroupName", step.place.group.clone()),
        ];
        if Subscriptions::is_of_account(&step.key) {
            dimensions.push(("PolicyLevel", "AccountPolicy".to_owned()));
        }
        let count = |name, value: u64, unit| {
            self.0.add(&step.place.scope, name, &dimensions, now, value as f64, unit);
        };
        match outcome {
            Outcome::Accepted { .. } => {
                count("ForwardedLogEvents", *events, None);
                count("ForwardedBytes", *bytes, Some("Bytes"));
            }
            Outcome::Unavailable { is_throttled: true, .. } => count("DeliveryThrottling", *events, None),
            Outcome::Unavailable { .. } | Outcome::Refused { .. } => count("DeliveryErrors", *events, None),
        }
    }
}

//! The event bus, as alarms send events to it: the target that the operator configures for it.

use groundwatch_alarms as alarms;
use groundwatch_core::{BoxFuture, Scope};
use groundwatch_outbound::{AwsCall, Outbound, OutboundMessage, Outcome};
use serde_json::json;

/// What stands in for the event bus: the target of the default bus's ARN, where there is one.
pub(crate) struct EventBus(pub(crate) Outbound);

impl EventBus {
    fn arn(scope: &Scope) -> String {
        scope.arn("events", "event-bus/default")
    }
}

impl alarms::EventSink for EventBus {
    fn listens(&self, scope: &Scope) -> bool {
        self.0.target(&Self::arn(scope)).is_some()
    }

    fn publish<'a>(
        &'a self,
        scope: &'a Scope,
        event: &'a alarms::AlarmEvent,
    ) -> BoxFuture<'a, Result<(), alarms::EventSinkError>> {
        Box::pin(async move {
            let entry = json!({
                "Time": event.time.as_secs(),
                "Source": alarms::EVENT_SOURCE,
                "DetailType": event.detail_type,
                "Resources": [event.resource],
                "Detail": event.detail,
            });
            let call = AwsCall::json(
                "events",
                "1.1",
                "AWSEvents.PutEvents",
                json!({ "Entries": [entry] }).to_string(),
            );
            let message =
                OutboundMessage::json(Self::arn(scope), event.id(), event.envelope(scope)).with_aws(call);
            match self.0.deliver(&message).await {
                Outcome::Accepted { .. } => Ok(()),
                Outcome::Refused { reason } => Err(alarms::EventSinkError::Refused(reason)),
                Outcome::Unavailable { reason, .. } => Err(alarms::EventSinkError::Unavailable(reason)),
            }
        })
    }
}

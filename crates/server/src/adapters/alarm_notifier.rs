//! SNS's topics, as alarms publish to them.

use groundwatch_alarms as alarms;
use groundwatch_core::{BoxFuture, Scope};
use groundwatch_notify::{Notify, NotifyError, Place};

/// SNS, as alarm actions publish to it.
pub(crate) struct AlarmNotifier(pub(crate) Notify);

impl alarms::Notifier for AlarmNotifier {
    fn notify<'a>(
        &'a self,
        scope: &'a Scope,
        notification: alarms::Notification<'a>,
    ) -> BoxFuture<'a, Result<(), alarms::NotifyError>> {
        Box::pin(async move {
            let alarms::Notification { topic_arn, subject, message, group_id, deduplication_id } =
                notification;
            let place = Place { group_id, deduplication_id };
            match self.0.publish(scope, topic_arn, Some(subject), message, Some(place)).await {
                Ok(_) => Ok(()),
                // What storage or a full backlog refuses now may be taken later; a topic that is missing
                // stays missing.
                Err(error @ (NotifyError::Storage(_) | NotifyError::Backlog)) => {
                    Err(alarms::NotifyError::Temporary(error.to_string()))
                }
                Err(error) => Err(alarms::NotifyError::Permanent(error.to_string())),
            }
        })
    }
}

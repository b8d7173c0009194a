//! SNS's topics, as alarms publish to them.

use groundwatch_alarms as alarms;
use groundwatch_core::{BoxFuture, Scope};
use groundwatch_notify::{Notify, NotifyError};

/// SNS, as alarm actions publish to it.
pub(crate) struct AlarmNotifier(pub(crate) Notify);

impl alarms::Notifier for AlarmNotifier {
    fn notify<'a>(
        &'a self,
        scope: &'a Scope,
        target_arn: &'a str,
        subject: &'a str,
        message: &'a str,
    ) -> BoxFuture<'a, Result<(), alarms::NotifyError>> {
        Box::pin(async move {
            match self.0.publish(scope, target_arn, Some(subject), message).await {
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

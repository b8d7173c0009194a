//! `Publish`: sends a message to everybody who is subscribed to a topic.

use groundwatch_api::sns::{Publish, PublishInput, PublishOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::message::{Body, Subject};
use crate::{Invalid, Notify, NotifyError};

impl Handle<Publish> for Notify {
    async fn handle<'a>(&'a self, call: &'a Call, input: PublishInput) -> Result<PublishOutput, Fault> {
        let (parameter, arn) = target(&input)?;
        refuse_unsupported(&input)?;
        let message = input.message.as_deref().expect("validated: required");
        let body = match input.message_structure.as_deref() {
            None | Some("") => Body::plain(message)?,
            Some("json") => Body::structured(message)?,
            Some(_) => return Err(Invalid::MessageStructure.into()),
        };
        let subject = input.subject.as_deref().map(Subject::parse).transpose()?;
        let topic = self.directory.resolve(call.scope(), arn, parameter, "SNS:Publish")?;
        let id = self.publish_to(&topic, subject, body).await?;
        Ok(PublishOutput { message_id: Some(id.to_string()), sequence_number: None })
    }
}

/// The topic's ARN, with the parameter that holds it.
fn target(input: &PublishInput) -> Result<(&'static str, &str), NotifyError> {
    if input.phone_number.is_some() {
        let what = "sending text messages".to_owned();
        return Err(NotifyError::Unsupported { parameter: "PhoneNumber", what });
    }
    match (&input.topic_arn, &input.target_arn) {
        (Some(arn), None) => Ok(("TopicArn", arn)),
        (None, Some(arn)) => Ok(("TargetArn", arn)),
        (None, None) => Err(Invalid::NoTarget.into()),
        (Some(_), Some(_)) => Err(Invalid::TwoTargets.into()),
    }
}

fn refuse_unsupported(input: &PublishInput) -> Result<(), NotifyError> {
    if input.message_attributes.as_ref().is_some_and(|attributes| !attributes.is_empty()) {
        let what = "a message with attributes".to_owned();
        return Err(NotifyError::Unsupported { parameter: "MessageAttributes", what });
    }
    // On a standard topic AWS hands the group on to fair queues, of which there are none; it keeps no order by it.
    if input.message_deduplication_id.is_some() {
        return Err(Invalid::FifoOnly { parameter: "MessageDeduplicationId" }.into());
    }
    Ok(())
}

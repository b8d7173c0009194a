//! `Publish`: sends a message to everybody who is subscribed to a topic.

use groundwatch_api::sns::{Publish, PublishInput, PublishOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Arn, Call};

use crate::publication::{Publication, Wording};
use crate::{Invalid, Notify, NotifyError};

impl Handle<Publish> for Notify {
    async fn handle<'a>(&'a self, call: &'a Call, input: PublishInput) -> Result<PublishOutput, Fault> {
        let (parameter, arn) = target(&input)?;
        if parameter == "TargetArn" && Arn::parse(arn).is_ok_and(|arn| arn.resource.starts_with("endpoint/"))
        {
            return Err(Invalid::NoMobileEndpoint.into());
        }
        let topic = self.directory.resolve(call.scope(), arn, parameter, "SNS:Publish")?;
        let publication = Publication::new(Wording {
            message: input.message.as_deref().expect("validated: required"),
            subject: input.subject.as_deref(),
            structure: input.message_structure.as_deref(),
            attributes: input.message_attributes,
            deduplication_id: input.message_deduplication_id,
            group_id: input.message_group_id,
        })?;
        let receipt = self.publish_to(&topic, publication).await?;
        Ok(PublishOutput {
            message_id: Some(receipt.id.to_string()),
            sequence_number: receipt.sequence.map(|number| number.to_string()),
        })
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

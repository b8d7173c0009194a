//! `GetTopicAttributes`, `SetTopicAttributes`.

use groundwatch_api::sns::{
    GetTopicAttributes, GetTopicAttributesInput, GetTopicAttributesOutput, SetTopicAttributes,
    SetTopicAttributesInput, SetTopicAttributesOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::topic::attributes as topic_attributes;
use crate::{Invalid, Notify, NotifyError};

impl Handle<GetTopicAttributes> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetTopicAttributesInput,
    ) -> Result<GetTopicAttributesOutput, Fault> {
        let arn = input.topic_arn.as_deref().expect("validated: required");
        let id = self.directory.resolve(call.scope(), arn, "TopicArn", "SNS:GetTopicAttributes")?;
        let topic = self.directory.topics.get(&id.key()).ok_or(NotifyError::TopicNotFound)?;
        let subscriptions = self.directory.of_topic(&id).into_iter().map(|(_, subscription)| subscription);
        Ok(GetTopicAttributesOutput { attributes: Some(topic.shown_attributes(&id, subscriptions)) })
    }
}

impl Handle<SetTopicAttributes> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: SetTopicAttributesInput,
    ) -> Result<SetTopicAttributesOutput, Fault> {
        let arn = input.topic_arn.as_deref().expect("validated: required");
        let id = self.directory.resolve(call.scope(), arn, "TopicArn", "SNS:SetTopicAttributes")?;
        let name = input.attribute_name.as_deref().expect("validated: required");
        let value = input.attribute_value.as_deref().unwrap_or_default();
        topic_attributes::check(name, value, id.is_fifo()).map_err(|error| match error {
            NotifyError::Invalid(Invalid::UnknownAttribute { .. }) => Invalid::AttributeName.into(),
            other => other,
        })?;
        // What a topic is, it is from its creation.
        if name == "FifoTopic" {
            return Err(Invalid::AttributeName.into());
        }
        self.directory.change_topic(&id, |topic| Ok(topic.with_attribute(name, value))).await?;
        Ok(SetTopicAttributesOutput {})
    }
}

//! `ListSubscriptions`, `ListSubscriptionsByTopic`: who is subscribed, 100 at a time.

use groundwatch_api::sns::{
    ListSubscriptions, ListSubscriptionsByTopic, ListSubscriptionsByTopicInput,
    ListSubscriptionsByTopicOutput, ListSubscriptionsInput, ListSubscriptionsOutput, Subscription as Shape,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, page_token};
use groundwatch_storage::Key;

use crate::subscription::{Standing, Subscription, SubscriptionId};
use crate::{Invalid, Notify, NotifyError};

/// AWS's size of a page.
const PAGE_LENGTH: usize = 100;

impl Handle<ListSubscriptions> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListSubscriptionsInput,
    ) -> Result<ListSubscriptionsOutput, Fault> {
        let (subscriptions, next_token) =
            self.page("sns:ListSubscriptions", call.scope(), "", input.next_token.as_deref())?;
        Ok(ListSubscriptionsOutput { subscriptions: Some(subscriptions), next_token })
    }
}

impl Handle<ListSubscriptionsByTopic> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListSubscriptionsByTopicInput,
    ) -> Result<ListSubscriptionsByTopicOutput, Fault> {
        let arn = input.topic_arn.as_deref().expect("validated: required");
        let topic = self.directory.resolve(call.scope(), arn, "TopicArn", "SNS:ListSubscriptionsByTopic")?;
        let listing = format!("sns:ListSubscriptionsByTopic:{arn}");
        let prefix = SubscriptionId::prefix(&topic);
        let (subscriptions, next_token) =
            self.page(&listing, topic.scope(), &prefix, input.next_token.as_deref())?;
        Ok(ListSubscriptionsByTopicOutput { subscriptions: Some(subscriptions), next_token })
    }
}

impl Notify {
    /// A page of the subscriptions of `scope` whose names begin with `prefix`, and the token of the next.
    fn page(
        &self,
        listing: &str,
        scope: &Scope,
        prefix: &str,
        token: Option<&str>,
    ) -> Result<(Vec<Shape>, Option<String>), NotifyError> {
        let after = match token {
            Some(token) => Some(page_token::decode(listing, token).ok_or(Invalid::NextToken)?),
            None => None,
        };
        // One more than a page tells whether there is another.
        let mut found = self.directory.subscriptions.list(scope, prefix, after.as_deref(), PAGE_LENGTH + 1);
        let more = found.len() > PAGE_LENGTH;
        found.truncate(PAGE_LENGTH);
        let next_token = found.last().filter(|_| more).map(|(last, _)| page_token::encode(listing, last));
        let shapes = found.iter().filter_map(|(name, subscription)| {
            Some(shape(&SubscriptionId::of_key(&Key::new(scope, name.clone()))?, subscription))
        });
        Ok((shapes.collect(), next_token))
    }
}

fn shape(id: &SubscriptionId, subscription: &Subscription) -> Shape {
    // A word in place of the ARN tells how the subscription stands.
    let arn = match subscription.standing {
        Standing::Confirmed => id.arn(),
        Standing::Pending { .. } => "PendingConfirmation".to_owned(),
        Standing::Cancelled { .. } => "Deleted".to_owned(),
    };
    Shape {
        subscription_arn: Some(arn),
        owner: Some(id.scope().account.to_string()),
        protocol: Some(subscription.endpoint.protocol.as_str().to_owned()),
        endpoint: Some(subscription.endpoint.shown()),
        topic_arn: Some(id.topic_arn()),
    }
}

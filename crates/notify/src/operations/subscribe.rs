//! `Subscribe`: asks an endpoint whether it wants a topic's messages.

use std::collections::BTreeMap;

use groundwatch_api::sns::{Subscribe, SubscribeInput, SubscribeOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::despite_conflicts;
use groundwatch_storage::{Batch, Expect};
use uuid::Uuid;

use crate::envelope::confirmation_text;
use crate::message::MessageKind;
use crate::publication::Publication;
use crate::subscription::preferences::Preferences;
use crate::subscription::{
    Endpoint, Protocol, Standing, Subscriber, Subscription, SubscriptionId, TOKEN_LIFE, Token,
};
use crate::topic::TopicId;
use crate::{Invalid, Notify, NotifyError};

/// What stands in place of the ARN until the endpoint has confirmed.
const PENDING: &str = "pending confirmation";

impl Handle<Subscribe> for Notify {
    async fn handle<'a>(&'a self, call: &'a Call, input: SubscribeInput) -> Result<SubscribeOutput, Fault> {
        let topic_arn = input.topic_arn.as_deref().expect("validated: required");
        let topic = self.directory.resolve(call.scope(), topic_arn, "TopicArn", "SNS:Subscribe")?;
        let protocol = Protocol::parse(input.protocol.as_deref().expect("validated: required"))?;
        let endpoint = Endpoint::parse(protocol, input.endpoint.as_deref().unwrap_or_default())?;
        self.check_reachable(&topic, &endpoint)?;
        let attributes = input.attributes.unwrap_or_default();
        let preferences = Preferences::new(&attributes)?;
        preferences.check_protocol(protocol)?;
        preferences.check_endpoint(&endpoint)?;

        let wish = Wish { endpoint, preferences, attributes };
        let (id, standing) = despite_conflicts(|| self.subscribe(&topic, &wish)).await?;
        let tell_arn = standing == Standing::Confirmed || input.return_subscription_arn == Some(true);
        let subscription_arn = if tell_arn { id.arn() } else { PENDING.to_owned() };
        Ok(SubscribeOutput { subscription_arn: Some(subscription_arn) })
    }
}

/// What is to be subscribed: `preferences` are the `attributes`, read.
struct Wish {
    endpoint: Endpoint,
    preferences: Preferences,
    attributes: BTreeMap<String, String>,
}

impl Notify {
    /// Refuses endpoints that nothing here leads to, by what is missing.
    fn check_reachable(&self, topic: &TopicId, endpoint: &Endpoint) -> Result<(), NotifyError> {
        if topic.is_fifo() && endpoint.protocol != Protocol::Sqs {
            return Err(Invalid::FifoTopicEndpoint.into());
        }
        let missing = match endpoint.protocol {
            Protocol::Http | Protocol::Https => return Ok(()),
            Protocol::Sqs if endpoint.is_fifo_queue() && !topic.is_fifo() => {
                return Err(Invalid::FifoQueue.into());
            }
            Protocol::Sqs if self.sender.transports.queues.is_some() => return Ok(()),
            Protocol::Email | Protocol::EmailJson if self.sender.transports.mail.is_some() => return Ok(()),
            Protocol::Lambda if self.sender.transports.outbound.target(&endpoint.address).is_some() => {
                return Ok(());
            }
            Protocol::Sqs => "queues",
            Protocol::Email | Protocol::EmailJson => "a mail server (--smtp-url)",
            Protocol::Lambda => "a URL configured for this function",
        };
        let protocol = endpoint.protocol.as_str();
        let what = format!("the protocol {protocol} without {missing}");
        Err(NotifyError::Unsupported { parameter: "Protocol", what })
    }

    /// Finds or makes the subscription of `endpoint`. Unless it is confirmed, the endpoint is asked (again).
    async fn subscribe(
        &self,
        topic: &TopicId,
        wish: &Wish,
    ) -> Result<(SubscriptionId, Standing), NotifyError> {
        let Wish { endpoint, preferences, attributes } = wish;
        let now = self.clock.now();
        let until = now + TOKEN_LIFE;
        // Who owns both ends has agreed.
        let own = endpoint.belongs_to(topic.scope().account);
        let subscriber_key = Subscriber::key(&topic.key(), endpoint);
        let mut batch = Batch::new();
        let found = self.directory.subscribers.get(&subscriber_key).and_then(|subscriber| {
            let id = SubscriptionId::new(topic, subscriber.subscription);
            let (version, subscription) = self.directory.subscriptions.get_versioned(&id.key())?;
            Some((id, version, subscription))
        });
        let (id, subscription, expect) = match found {
            Some((_, _, existing)) if !existing.preferences.agree_with(attributes)? => {
                return Err(Invalid::OtherSubscriptionAttributes.into());
            }
            Some((id, _, existing)) if existing.standing == Standing::Confirmed => {
                return Ok((id, Standing::Confirmed));
            }
            Some((id, version, existing)) => {
                let again =
                    Subscription { standing: Standing::Pending { until }, ..Subscription::clone(&existing) };
                (id, again, Expect::Version(version))
            }
            None => {
                let id = SubscriptionId::new(topic, Uuid::new_v4());
                let subscriber = Subscriber { subscription: id.id() };
                self.directory.subscribers.put(&mut batch, subscriber_key, subscriber, Expect::Absent);
                let new = Subscription {
                    endpoint: endpoint.clone(),
                    standing: if own { Standing::Confirmed } else { Standing::Pending { until } },
                    token: Token::new(id.id()),
                    preferences: preferences.clone(),
                    authenticate_on_unsubscribe: false,
                    confirmation_was_authenticated: own,
                    created: now,
                };
                (id, new, Expect::Absent)
            }
        };
        let standing = subscription.standing;
        self.directory.subscriptions.put(&mut batch, id.key(), subscription, expect);
        if standing == Standing::Confirmed {
            self.directory.catalog.commit(batch).await?;
            return Ok((id, standing));
        }
        let text = Publication::plain(None, &confirmation_text(&topic.arn()))?;
        let message = self.message(MessageKind::SubscriptionConfirmation, text);
        self.outbox.send(batch, topic.scope(), message, vec![id.key().name], None).await?;
        self.expiry.watch(id.key(), until);
        Ok((id, standing))
    }
}

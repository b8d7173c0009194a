//! `ConfirmSubscription`: an endpoint agrees to get a topic's messages, as a call or by following the
//! `SubscribeURL`.

use groundwatch_api::sns::{ConfirmSubscription, ConfirmSubscriptionInput, ConfirmSubscriptionOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::despite_conflicts;
use groundwatch_storage::{Batch, Expect};

use crate::service::is_signed;
use crate::subscription::{Standing, Subscriber, Subscription, SubscriptionId, Token};
use crate::topic::TopicId;
use crate::{Invalid, Notify, NotifyError};

impl Handle<ConfirmSubscription> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ConfirmSubscriptionInput,
    ) -> Result<ConfirmSubscriptionOutput, Fault> {
        // The token is the permission, whoever calls: links are followed without a signature. Account and
        // region are those of the ARN.
        let topic = TopicId::parse(input.topic_arn.as_deref().expect("validated: required"), "TopicArn")?;
        let token = input.token.as_deref().expect("validated: required");
        // recorded: what has the form of a token is told from what has not, but a topic that is not there from
        // nothing.
        if !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Invalid::MalformedToken.into());
        }
        let subscription = Token::subscription(token).ok_or(Invalid::Token)?;
        let id = SubscriptionId::new(&topic, subscription);
        // AWS heeds this wish only of a caller whom it knows.
        let authenticate = is_signed(call)
            && input.authenticate_on_unsubscribe.is_some_and(|wish| wish.eq_ignore_ascii_case("true"));
        despite_conflicts(|| self.confirm(&id, token, is_signed(call), authenticate)).await?;
        Ok(ConfirmSubscriptionOutput { subscription_arn: Some(id.arn()) })
    }
}

impl Notify {
    async fn confirm(
        &self,
        id: &SubscriptionId,
        token: &str,
        confirmation_was_authenticated: bool,
        authenticate_on_unsubscribe: bool,
    ) -> Result<(), NotifyError> {
        let (version, subscription) =
            self.directory.subscriptions.get_versioned(&id.key()).ok_or(Invalid::Token)?;
        if subscription.token.as_str() != token {
            return Err(Invalid::Token.into());
        }
        let mut batch = Batch::new();
        match subscription.standing {
            Standing::Confirmed => return Ok(()),
            Standing::Pending { until } | Standing::Cancelled { until } if until <= self.clock.now() => {
                return Err(Invalid::Token.into());
            }
            Standing::Pending { .. } => {}
            Standing::Cancelled { .. } => {
                let key = Subscriber::key(&id.topic_key(), &subscription.endpoint);
                // The endpoint has another subscription by now, which this one must not double.
                if self.directory.subscribers.get(&key).is_some() {
                    return Err(Invalid::Token.into());
                }
                let subscriber = Subscriber { subscription: id.id() };
                self.directory.subscribers.put(&mut batch, key, subscriber, Expect::Absent);
            }
        }
        let confirmed = Subscription {
            standing: Standing::Confirmed,
            authenticate_on_unsubscribe,
            confirmation_was_authenticated,
            ..Subscription::clone(&subscription)
        };
        self.directory.subscriptions.put(&mut batch, id.key(), confirmed, Expect::Version(version));
        Ok(self.directory.catalog.commit(batch).await?)
    }
}

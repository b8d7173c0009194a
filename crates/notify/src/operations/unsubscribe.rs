//! `Unsubscribe`: ends a subscription, as a call of its owner or by following the `UnsubscribeURL`.

use groundwatch_api::sns::{Unsubscribe, UnsubscribeInput, UnsubscribeOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Batch;
use groundwatch_storage::despite_conflicts;

use crate::directory::allow;
use crate::envelope::cancellation_text;
use crate::message::MessageKind;
use crate::publication::Publication;
use crate::service::is_signed;
use crate::subscription::{Standing, Subscription, SubscriptionId, TOKEN_LIFE, Token};
use crate::{Notify, NotifyError};

impl Handle<Unsubscribe> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: UnsubscribeInput,
    ) -> Result<UnsubscribeOutput, Fault> {
        let arn = input.subscription_arn.as_deref().expect("validated: required");
        let id = SubscriptionId::parse(arn)?;
        if is_signed(call) {
            allow(call.scope().account, id.scope(), arn, "SNS:Unsubscribe")?;
            despite_conflicts(|| self.end(&id)).await?;
        } else {
            despite_conflicts(|| self.cancel(&id)).await?;
        }
        Ok(UnsubscribeOutput {})
    }
}

impl Notify {
    /// Removes the subscription. One that does not exist is as removed as can be.
    async fn end(&self, id: &SubscriptionId) -> Result<(), NotifyError> {
        let Some((version, subscription)) = self.directory.subscriptions.get_versioned(&id.key()) else {
            return Ok(());
        };
        let mut batch = Batch::new();
        self.directory.remove(&mut batch, id, &subscription, version);
        if subscription.standing == Standing::Confirmed {
            self.directory.count_deleted(&mut batch, id);
        }
        Ok(self.directory.catalog.commit(batch).await?)
    }

    /// Ends a subscription at the wish of somebody who followed a link: the endpoint is told, and may take it
    /// back.
    async fn cancel(&self, id: &SubscriptionId) -> Result<(), NotifyError> {
        let Some((version, subscription)) = self.directory.subscriptions.get_versioned(&id.key()) else {
            return Ok(());
        };
        match subscription.standing {
            Standing::Confirmed => {}
            Standing::Pending { .. } => return self.end(id).await,
            Standing::Cancelled { .. } => return Ok(()),
        }
        if subscription.authenticate_on_unsubscribe {
            return Err(NotifyError::SignatureRequired { action: "SNS:Unsubscribe" });
        }
        let until = self.clock.now() + TOKEN_LIFE;
        let mut batch = Batch::new();
        self.directory.release_endpoint(&mut batch, id, &subscription);
        self.directory.count_deleted(&mut batch, id);
        let cancelled = Subscription {
            standing: Standing::Cancelled { until },
            token: Token::new(id.id()),
            ..Subscription::clone(&subscription)
        };
        let expect = groundwatch_storage::Expect::Version(version);
        self.directory.subscriptions.put(&mut batch, id.key(), cancelled, expect);
        let text = Publication::plain(None, &cancellation_text(&id.arn()))?;
        let message = self.message(MessageKind::UnsubscribeConfirmation, text);
        self.outbox.send(batch, id.scope(), message, vec![id.key().name], None).await?;
        self.expiry.watch(id.key(), until);
        Ok(())
    }
}

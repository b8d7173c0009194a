//! `GetSubscriptionAttributes`, `SetSubscriptionAttributes`.

use groundwatch_storage::despite_conflicts;
use std::collections::BTreeMap;

use groundwatch_api::sns::{
    GetSubscriptionAttributes, GetSubscriptionAttributesInput, GetSubscriptionAttributesOutput,
    SetSubscriptionAttributes, SetSubscriptionAttributesInput, SetSubscriptionAttributesOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::{Batch, Expect};

use crate::subscription::{Protocol, Standing, Subscription, SubscriptionId};
use crate::{Invalid, Notify, NotifyError};

impl Handle<GetSubscriptionAttributes> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetSubscriptionAttributesInput,
    ) -> Result<GetSubscriptionAttributesOutput, Fault> {
        let arn = input.subscription_arn.as_deref().expect("validated: required");
        let (id, subscription) =
            self.directory.resolve_subscription(call.scope(), arn, "SNS:GetSubscriptionAttributes")?;
        Ok(GetSubscriptionAttributesOutput { attributes: Some(self.shown(&id, &subscription)) })
    }
}

impl Handle<SetSubscriptionAttributes> for Notify {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: SetSubscriptionAttributesInput,
    ) -> Result<SetSubscriptionAttributesOutput, Fault> {
        let arn = input.subscription_arn.as_deref().expect("validated: required");
        let (id, _) =
            self.directory.resolve_subscription(call.scope(), arn, "SNS:SetSubscriptionAttributes")?;
        let name = input.attribute_name.as_deref().expect("validated: required");
        let value = input.attribute_value.as_deref().unwrap_or_default();
        despite_conflicts(|| self.set_preference(&id, name, value)).await?;
        Ok(SetSubscriptionAttributesOutput {})
    }
}

impl Notify {
    async fn set_preference(&self, id: &SubscriptionId, name: &str, value: &str) -> Result<(), NotifyError> {
        let (version, subscription) =
            self.directory.subscriptions.get_versioned(&id.key()).ok_or(NotifyError::SubscriptionNotFound)?;
        let mut changed = Subscription::clone(&subscription);
        if !changed.preferences.set(name, value)? {
            return Err(Invalid::AttributeName.into());
        }
        changed.preferences.check_protocol(changed.endpoint.protocol)?;
        changed.preferences.check_endpoint(&changed.endpoint)?;
        let mut batch = Batch::new();
        self.directory.subscriptions.put(&mut batch, id.key(), changed, Expect::Version(version));
        Ok(self.directory.catalog.commit(batch).await?)
    }

    fn shown(&self, id: &SubscriptionId, subscription: &Subscription) -> BTreeMap<String, String> {
        let account = id.scope().account;
        let pending = subscription.standing != Standing::Confirmed;
        let always = [
            ("SubscriptionArn", id.arn()),
            ("TopicArn", id.topic_arn()),
            ("Owner", account.to_string()),
            ("Protocol", subscription.endpoint.protocol.as_str().to_owned()),
            ("Endpoint", subscription.endpoint.shown()),
            ("PendingConfirmation", pending.to_string()),
            ("ConfirmationWasAuthenticated", subscription.confirmation_was_authenticated.to_string()),
            ("SubscriptionPrincipal", format!("arn:aws:iam::{account}:root")),
        ];
        // recorded: only where there is something to retry in this way.
        let is_web = matches!(subscription.endpoint.protocol, Protocol::Http | Protocol::Https);
        let policy = is_web.then(|| self.directory.policy_of(id, subscription).of_subscription_json());
        let mut shown: BTreeMap<_, _> =
            always.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        shown.extend(policy.map(|policy| ("EffectiveDeliveryPolicy".to_owned(), policy)));
        shown.extend(subscription.preferences.shown());
        shown
    }
}

//! Who is subscribed to what: topics and subscriptions, as documents.

use groundwatch_storage::despite_conflicts;
use std::sync::Arc;

use groundwatch_core::{AccountId, Scope};
use groundwatch_storage::{Batch, Catalog, Documents, Expect, StorageError};

use crate::envelope::signature::SignatureVersion;
use crate::message::Message;
use crate::subscription::delivery_policy::EffectivePolicy;
use crate::subscription::filter::Unwanted;
use crate::subscription::{Standing, Subscriber, Subscription, SubscriptionId};
use crate::topic::{Topic, TopicId};
use crate::{Invalid, NotifyError};

/// The topics and subscriptions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Directory {
    pub(crate) catalog: Catalog,
    pub(crate) topics: Documents<Topic>,
    pub(crate) subscriptions: Documents<Subscription>,
    pub(crate) subscribers: Documents<Subscriber>,
}

impl Directory {
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self {
            catalog: catalog.clone(),
            topics: Documents::open(catalog)?,
            subscriptions: Documents::open(catalog)?,
            subscribers: Documents::open(catalog)?,
        })
    }

    /// The existing topic whose ARN a caller from `scope` gave in `parameter`, wanting to do `action` with
    /// it.
    pub(crate) fn resolve(
        &self,
        scope: &Scope,
        arn: &str,
        parameter: &'static str,
        action: &'static str,
    ) -> Result<TopicId, NotifyError> {
        let topic = TopicId::parse(arn, parameter)?;
        if topic.scope().region != scope.region {
            return Err(Invalid::OtherArn { parameter }.into());
        }
        allow(scope.account, topic.scope(), arn, action)?;
        if self.topics.get(&topic.key()).is_none() {
            return Err(NotifyError::TopicNotFound);
        }
        Ok(topic)
    }

    /// Replaces what is kept of a topic by what `change` makes of it.
    pub(crate) async fn change_topic(
        &self,
        id: &TopicId,
        change: impl Fn(&Topic) -> Result<Topic, NotifyError>,
    ) -> Result<(), NotifyError> {
        despite_conflicts(|| async {
            let (version, topic) = self.topics.get_versioned(&id.key()).ok_or(NotifyError::TopicNotFound)?;
            let mut batch = Batch::new();
            self.topics.put(&mut batch, id.key(), change(&topic)?, Expect::Version(version));
            Ok(self.catalog.commit(batch).await?)
        })
        .await
    }

    /// The existing subscription whose ARN a caller from `scope` gave, wanting to do `action` with it.
    pub(crate) fn resolve_subscription(
        &self,
        scope: &Scope,
        arn: &str,
        action: &'static str,
    ) -> Result<(SubscriptionId, Arc<Subscription>), NotifyError> {
        let id = match SubscriptionId::parse(arn) {
            // What has the form of an ARN but is nobody's subscription is not there.
            Err(Invalid::OtherArn { .. } | Invalid::SubscriptionId) => {
                return Err(NotifyError::SubscriptionNotFound);
            }
            parsed => parsed?,
        };
        allow(scope.account, id.scope(), arn, action)?;
        if id.scope().region != scope.region {
            return Err(NotifyError::SubscriptionNotFound);
        }
        let subscription = self.subscription(&id).ok_or(NotifyError::SubscriptionNotFound)?;
        Ok((id, subscription))
    }

    /// All subscriptions of a topic with the names under which they are kept, those too that are not
    /// confirmed.
    pub(crate) fn of_topic(&self, topic: &TopicId) -> Vec<(String, Arc<Subscription>)> {
        self.subscriptions.list(topic.scope(), &SubscriptionId::prefix(topic), None, usize::MAX)
    }

    pub(crate) fn subscription(&self, id: &SubscriptionId) -> Option<Arc<Subscription>> {
        self.subscriptions.get(&id.key())
    }

    /// All confirmed subscriptions of a topic that want `message`, with the names under which they are kept;
    /// and why others do not want it.
    pub(crate) fn who_wants(
        &self,
        topic: &TopicId,
        message: &Message,
    ) -> (Vec<(String, Arc<Subscription>)>, Vec<Unwanted>) {
        let mut all = self.of_topic(topic);
        all.retain(|(_, subscription)| subscription.standing == Standing::Confirmed);
        let mut filtered_out = Vec::new();
        all.retain(|(_, subscription)| {
            let text = message.body.for_protocol(subscription.endpoint.protocol);
            let checked = subscription
                .preferences
                .filter()
                .map_or(Ok(()), |filter| filter.check_message(&message.attributes, text));
            filtered_out.extend(checked.err());
            checked.is_ok()
        });
        (all, filtered_out)
    }

    /// Removes a subscription of the given version, so that its endpoint may subscribe anew.
    pub(crate) fn remove(
        &self,
        batch: &mut Batch,
        id: &SubscriptionId,
        subscription: &Subscription,
        version: u64,
    ) {
        self.subscriptions.remove(batch, id.key(), Expect::Version(version));
        self.release_endpoint(batch, id, subscription);
    }

    /// How deliveries to a subscription are to be made.
    pub(crate) fn policy_of(&self, id: &SubscriptionId, subscription: &Subscription) -> EffectivePolicy {
        let topic_policy = self.topics.get(&id.topic_key()).and_then(|topic| topic.delivery_policy());
        EffectivePolicy::new(topic_policy.as_ref(), subscription.preferences.delivery_policy.as_ref())
    }

    /// How messages of a subscription's topic are signed.
    pub(crate) fn signature_version(&self, id: &SubscriptionId) -> SignatureVersion {
        let topic = self.topics.get(&id.topic_key());
        let version = topic.as_ref().and_then(|topic| topic.attributes.get("SignatureVersion"));
        version.and_then(|text| SignatureVersion::parse(text)).unwrap_or_default()
    }

    /// Counts the end of a subscription at its topic.
    pub(crate) fn count_deleted(&self, batch: &mut Batch, id: &SubscriptionId) {
        if let Some((version, topic)) = self.topics.get_versioned(&id.topic_key()) {
            let counted =
                Topic { subscriptions_deleted: topic.subscriptions_deleted + 1, ..Topic::clone(&topic) };
            self.topics.put(batch, id.topic_key(), counted, Expect::Version(version));
        }
    }

    /// Lets the endpoint of a subscription subscribe anew.
    pub(crate) fn release_endpoint(
        &self,
        batch: &mut Batch,
        id: &SubscriptionId,
        subscription: &Subscription,
    ) {
        // A cancelled subscription has released it already, and another may hold it by now.
        if !matches!(subscription.standing, Standing::Cancelled { .. }) {
            self.subscribers.remove(
                batch,
                Subscriber::key(&id.topic_key(), &subscription.endpoint),
                Expect::Any,
            );
        }
    }
}

/// Whether `account` may do `action` with the resource `arn` of `owner`: only its own, as no policies are
/// evaluated yet.
pub(crate) fn allow(
    account: AccountId,
    owner: &Scope,
    arn: &str,
    action: &'static str,
) -> Result<(), NotifyError> {
    if account == owner.account {
        return Ok(());
    }
    Err(NotifyError::OtherAccount { action, account, arn: arn.to_owned() })
}

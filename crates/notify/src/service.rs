//! The service: what the operations share, and the entry for services that publish by themselves.

use std::sync::Arc;

use groundwatch_core::{Activity, Call, Scope, SharedClock};
use groundwatch_outbound::{HttpClient, Outbound};
use groundwatch_own_metrics::Meters;
use groundwatch_storage::{Batch, Catalog, Key, StorageError};

use crate::delivery::deliverer::Deliverer;
use crate::delivery::outbox::Outbox;
use crate::delivery::sender::Sender;
use crate::directory::Directory;
use crate::envelope::signature::{CERTIFICATE_PATH, Signer};
use crate::message::{InLine, Message, MessageKind, Subject};
use crate::meter::Meter;
use crate::publication::{Place, Publication};
use crate::subscription::expiry::Expiry;
use crate::subscription::{Protocol, Subscription, SubscriptionId};
use crate::topic::TopicId;
use crate::topic::fifo::{self, Admission, Fifo};
use crate::{Invalid, MailSender, MessageId, NotifyError, QueueSender};

/// What the service needs to know besides its storage.
#[derive(Clone, Debug)]
pub struct NotifyConfig {
    /// Where subscribers reach this server, such as `http://127.0.0.1:4566`: confirm and unsubscribe links
    /// begin so.
    pub advertised_base_url: String,
    /// How many bytes of messages may wait for their subscribers, all together; over it `Publish` is
    /// throttled.
    pub backlog_bytes_max: usize,
}

impl NotifyConfig {
    /// The default of `backlog_bytes_max`: 256 MiB, held in memory while it waits.
    pub const BACKLOG_BYTES_MAX: usize = 256 << 20;

    /// The defaults, for a server that subscribers reach at `advertised_base_url`.
    pub fn new(advertised_base_url: impl Into<String>) -> Self {
        Self { advertised_base_url: advertised_base_url.into(), backlog_bytes_max: Self::BACKLOG_BYTES_MAX }
    }
}

/// The ways to subscribers, by protocol. A protocol without its transport cannot be subscribed.
#[derive(Clone)]
pub struct Transports {
    /// `http` and `https`.
    pub web: Arc<dyn HttpClient>,
    /// `lambda`, for the functions that it has targets for.
    pub outbound: Outbound,
    /// `sqs`, and dead-letter queues.
    pub queues: Option<Arc<dyn QueueSender>>,
    /// `email` and `email-json`.
    pub mail: Option<Arc<dyn MailSender>>,
}

/// What a publisher gets to know of a message.
pub(crate) struct Receipt {
    pub(crate) id: MessageId,
    /// On FIFO topics, its place in line.
    pub(crate) sequence: Option<u64>,
}

/// SNS. Cheap to clone; all clones are one service.
#[derive(Clone)]
pub struct Notify {
    pub(crate) directory: Directory,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) expiry: Arc<Expiry>,
    pub(crate) clock: SharedClock,
    pub(crate) sender: Arc<Sender>,
    pub(crate) fifo: Arc<Fifo>,
    deliverer: Arc<Deliverer>,
}

impl Notify {
    /// Opens the service on what `catalog` holds. Deliveries that were not settled are due again.
    pub fn open(
        catalog: &Catalog,
        clock: SharedClock,
        transports: Transports,
        config: &NotifyConfig,
    ) -> Result<Self, StorageError> {
        let base_url = config.advertised_base_url.trim_end_matches('/').to_owned();
        let directory = Directory::open(catalog)?;
        let outbox = Arc::new(Outbox::open(catalog, config.backlog_bytes_max)?);
        let expiry = Arc::new(Expiry::open(directory.clone()));
        let signer = Arc::new(Signer::open(catalog)?);
        let meter = Meter::new(clock.clone());
        let sender = Arc::new(Sender { transports, signer, directory: directory.clone(), base_url, meter });
        let deliverer =
            Arc::new(Deliverer::new(outbox.clone(), directory.clone(), sender.clone(), clock.clone()));
        let fifo = Arc::new(Fifo::open(catalog)?);
        Ok(Self { directory, outbox, expiry, clock, sender, fifo, deliverer })
    }

    /// The certificate that signatures are checked with, in PEM, if `path` is where it is served.
    pub async fn certificate(&self, path: &str) -> Option<String> {
        let name = path.strip_prefix(CERTIFICATE_PATH)?;
        match self.sender.signer.certificate(name).await {
            Ok(certificate) => certificate,
            Err(error) => {
                tracing::error!(%error, "cannot show the certificate of notifications");
                None
            }
        }
    }

    /// The background work that makes messages arrive; the server drives it.
    pub fn activities(&self) -> Vec<Arc<dyn Activity>> {
        vec![self.deliverer.clone(), self.expiry.clone()]
    }

    /// What topics say about themselves, in `AWS/SNS`.
    pub fn meters(&self) -> Arc<dyn Meters> {
        self.sender.meter.tally.clone()
    }

    /// Publishes for another service of `scope`, as an alarm action does. When it is `Ok`, the message is
    /// durable and delivery is this service's business. A subject that SNS would refuse is made to fit. Only
    /// FIFO topics need and notice `place`.
    pub async fn publish(
        &self,
        scope: &Scope,
        topic_arn: &str,
        subject: Option<&str>,
        message: &str,
        place: Option<Place>,
    ) -> Result<MessageId, NotifyError> {
        let topic = self.directory.resolve(scope, topic_arn, "TopicArn", "SNS:Publish")?;
        let plain = Publication::plain(subject.and_then(Subject::made_to_fit), message)?;
        let publication = match place {
            Some(place) if topic.is_fifo() => plain.placed(place),
            _ => plain,
        };
        Ok(self.publish_to(&topic, publication).await?.id)
    }

    /// Sends a notification to everybody who is subscribed now and wants it.
    pub(crate) async fn publish_to(
        &self,
        topic: &TopicId,
        publication: Publication,
    ) -> Result<Receipt, NotifyError> {
        self.check_order(topic, &publication)?;
        if topic.is_fifo() {
            return self.publish_in_line(topic, publication).await;
        }
        let message = self.message(MessageKind::Notification, publication);
        let receipt = Receipt { id: message.id, sequence: None };
        self.distribute(Batch::new(), topic, message).await?;
        Ok(receipt)
    }

    /// Checks what a publication says of its order: a FIFO topic needs it, others take none.
    pub(crate) fn check_order(
        &self,
        topic_id: &TopicId,
        publication: &Publication,
    ) -> Result<(), NotifyError> {
        if topic_id.is_fifo() {
            let topic = self.directory.topics.get(&topic_id.key()).ok_or(NotifyError::TopicNotFound)?;
            fifo::check(&topic, publication)?;
        } else if publication.deduplication_id.is_some() {
            return Err(Invalid::FifoOnly { parameter: "MessageDeduplicationId" }.into());
        }
        Ok(())
    }

    /// Publishes to a FIFO topic: one message after the other, unless it came already.
    async fn publish_in_line(
        &self,
        topic_id: &TopicId,
        publication: Publication,
    ) -> Result<Receipt, NotifyError> {
        let _turn = self.fifo.turn(topic_id).await;
        let topic = self.directory.topics.get(&topic_id.key()).ok_or(NotifyError::TopicNotFound)?;
        let (id, now) = (MessageId::new(), self.clock.now());
        let mut batch = Batch::new();
        match self.fifo.admit(&mut batch, topic_id, &topic, &publication, id, now)? {
            Admission::Repeated { message, sequence } => {
                Ok(Receipt { id: message, sequence: Some(sequence) })
            }
            Admission::Next { sequence, deduplication_id } => {
                let in_line = Some(InLine { sequence, deduplication_id });
                let message = Message { id, in_line, ..self.message(MessageKind::Notification, publication) };
                self.distribute(batch, topic_id, message).await?;
                Ok(Receipt { id, sequence: Some(sequence) })
            }
        }
    }

    /// Commits `batch` together with `message` and its deliveries. Queues are within reach: whoever has an
    /// answer finds the message in them. What a queue does not take waits for its next attempt with the other
    /// deliveries, and in line nothing overtakes what waits.
    async fn distribute(&self, batch: Batch, topic: &TopicId, message: Message) -> Result<(), NotifyError> {
        let (wanting, filtered_out) = self.directory.who_wants(topic, &message);
        let (queues, mut others): (Vec<_>, Vec<_>) = wanting.into_iter().partition(|(name, subscription)| {
            let overtakes = || !self.outbox.is_idle(&Key::new(topic.scope(), name.clone()));
            subscription.endpoint.protocol == Protocol::Sqs && !(topic.is_fifo() && overtakes())
        });
        // Whoever is told that there is no room must not find the message in a queue. Queues alone take no
        // room.
        let room = match others.len() {
            0 => None,
            waiting => Some(self.outbox.room_for(&message, waiting + queues.len())?),
        };
        let sent =
            queues.into_iter().map(|(name, subscription)| self.enqueue(topic, name, subscription, &message));
        others.extend(futures_util::future::join_all(sent).await.into_iter().flatten());
        let names = others.into_iter().map(|(name, _)| name).collect();
        let bytes = message.bytes();
        self.outbox.send(batch, topic.scope(), message, names, room).await?;
        self.sender.meter.published(topic, bytes, &filtered_out);
        Ok(())
    }

    /// Puts a message into a subscribed queue; gives the subscription back if that did not work.
    async fn enqueue(
        &self,
        topic: &TopicId,
        name: String,
        subscription: Arc<Subscription>,
        message: &Message,
    ) -> Option<(String, Arc<Subscription>)> {
        let id = SubscriptionId::of_key(&Key::new(topic.scope(), name.clone()))?;
        let delivered = self.sender.first_attempt(message, &id, &subscription).await;
        (!delivered).then_some((name, subscription))
    }

    /// A message of the present moment.
    pub(crate) fn message(&self, kind: MessageKind, publication: Publication) -> Message {
        let Publication { subject, body, attributes, group_id, deduplication_id: _ } = publication;
        let published = self.clock.now();
        let id = MessageId::new();
        Message { id, kind, subject, body, attributes, group_id, in_line: None, published }
    }
}

/// Whether the request carries a signature, which makes its caller somebody.
pub(crate) fn is_signed(call: &Call) -> bool {
    !call.caller.access_key_id.is_empty()
}

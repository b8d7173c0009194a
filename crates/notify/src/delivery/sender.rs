//! Sending one message to one subscriber, by its protocol.

use std::sync::Arc;
use std::time::Duration;

use groundwatch_outbound::{AwsCall, HttpRequest, OutboundMessage, Outcome};

use crate::Transports;
use crate::attributes::MessageAttributes;
use crate::delivery::mail::{Email, MailError};
use crate::delivery::queue::{QueueError, QueueMessage};
use crate::delivery::retry::{DEFAULT_HTTP_POLICY, MAIL_POLICY, RetryPolicy, Verdict, judge};
use crate::directory::Directory;
use crate::envelope::Envelope;
use crate::envelope::signature::{Signature, Signer, SigningError};
use crate::message::{Message, MessageKind};
use crate::meter::Meter;
use crate::subscription::{Protocol, Subscription, SubscriptionId};

/// AWS waits about 15 seconds for a subscriber's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// What it takes to deliver a message: the ways out, the signer, and who is subscribed.
pub(crate) struct Sender {
    pub(crate) transports: Transports,
    pub(crate) signer: Arc<Signer>,
    pub(crate) directory: Directory,
    /// Where subscribers reach this server, without a slash at its end.
    pub(crate) base_url: String,
    pub(crate) meter: Meter,
}

impl Sender {
    /// Tries once to bring `message` to a subscriber, for the `attempts`th time, and says what follows. What
    /// is given up goes to the dead-letter queue, if there is one.
    pub(crate) async fn attempt(
        &self,
        message: &Message,
        id: &SubscriptionId,
        subscription: &Subscription,
        attempts: u32,
    ) -> Verdict {
        let outcome = self.send(message, id, subscription).await;
        let policy = self.retry_policy(id, subscription);
        let verdict = judge(&outcome, attempts, &policy);
        self.meter.attempted(message, id, subscription, &outcome, verdict);
        let (Outcome::Refused { reason } | Outcome::Unavailable { reason, .. }) = &outcome else {
            return verdict;
        };
        let subscription_arn = id.arn();
        if let Verdict::Retry(_) = verdict {
            tracing::warn!(subscription_arn, message_id = %message.id, attempts, reason, "delivery failed; it is tried again");
            return verdict;
        }
        let redriven = self.redrive(message, id, subscription).await;
        if let Some(redriven) = &redriven {
            self.meter.redriven(id, redriven);
        }
        tracing::warn!(
            subscription_arn,
            message_id = %message.id,
            attempts,
            reason,
            dead_letter_queue = ?redriven,
            "delivery failed; the message is given up"
        );
        match redriven {
            // Trying again ends here again.
            Some(Outcome::Unavailable { .. }) => Verdict::Retry(policy.max_delay_target),
            _ => Verdict::GiveUp,
        }
    }

    /// Tries once before a delivery waits for its turn. Tells whether that worked; if not, nothing has
    /// happened.
    pub(crate) async fn first_attempt(
        &self,
        message: &Message,
        id: &SubscriptionId,
        subscription: &Subscription,
    ) -> bool {
        let outcome = self.send(message, id, subscription).await;
        let is_delivered = matches!(outcome, Outcome::Accepted { .. });
        if is_delivered {
            self.meter.attempted(message, id, subscription, &outcome, Verdict::Delivered);
        }
        is_delivered
    }

    /// Puts a message that could not be delivered into the subscription's dead-letter queue; `None` without
    /// one.
    async fn redrive(
        &self,
        message: &Message,
        id: &SubscriptionId,
        subscription: &Subscription,
    ) -> Option<Outcome> {
        let queue_arn = subscription.preferences.redrive_policy.as_ref()?.queue_arn().to_owned();
        let envelope = Envelope { message, id, subscription, base_url: &self.base_url };
        let (body, attributes) = match self.worded(&envelope).await {
            Ok(worded) => worded,
            Err(error) => return Some(Outcome::unavailable(error.to_string())),
        };
        let group_id = queue_arn
            .ends_with(".fifo")
            .then(|| message.group_id.clone().unwrap_or_else(|| id.id().to_string()));
        let in_line = message.in_line.as_ref();
        let own = || format!("{}-{}", message.id, id.id());
        let deduplication_id =
            group_id.is_some().then(|| in_line.map_or_else(own, |it| it.deduplication_id.clone()));
        Some(
            self.put_into_queue(QueueMessage { queue_arn, body, attributes, group_id, deduplication_id })
                .await,
        )
    }

    fn retry_policy(&self, id: &SubscriptionId, subscription: &Subscription) -> RetryPolicy {
        match subscription.endpoint.protocol {
            Protocol::Http | Protocol::Https => self.directory.policy_of(id, subscription).retry,
            Protocol::Email | Protocol::EmailJson => MAIL_POLICY,
            Protocol::Sqs | Protocol::Lambda => DEFAULT_HTTP_POLICY,
        }
    }

    /// Tries once to bring `message` to a subscriber.
    pub(crate) async fn send(
        &self,
        message: &Message,
        id: &SubscriptionId,
        subscription: &Subscription,
    ) -> Outcome {
        let envelope = Envelope { message, id, subscription, base_url: &self.base_url };
        let endpoint = &subscription.endpoint;
        let sent = match endpoint.protocol {
            Protocol::Http | Protocol::Https => self.post(&envelope).await,
            Protocol::Sqs => self.enqueue(&envelope).await,
            Protocol::Email | Protocol::EmailJson => self.mail(&envelope).await,
            Protocol::Lambda => self.invoke(&envelope).await,
        };
        // A key that cannot be made or kept now may be later.
        sent.unwrap_or_else(|error: SigningError| Outcome::unavailable(error.to_string()))
    }

    async fn post(&self, envelope: &Envelope<'_>) -> Result<Outcome, SigningError> {
        let (headers, body) = match &envelope.subscription.preferences.message_format {
            Some(format) => (vec![("content-type", "application/json".to_owned())], format.body(envelope)),
            None => {
                let policy = self.directory.policy_of(envelope.id, envelope.subscription);
                let body = match envelope.is_raw() {
                    true => envelope.text().to_owned(),
                    false => envelope.json(Some(&self.sign(envelope).await?)),
                };
                (envelope.headers(policy.content_type), body)
            }
        };
        let url = envelope.subscription.endpoint.address.as_str();
        // AWS takes all 5xx, 429 and missing answers as failures of the server, which it retries; any other
        // answer outside 2xx is the client's error, which it does not.
        let answer = self.transports.web.send(HttpRequest::post(url, headers, body, ANSWER_TIMEOUT)).await;
        Ok(Outcome::of_http(answer))
    }

    async fn invoke(&self, envelope: &Envelope<'_>) -> Result<Outcome, SigningError> {
        let function_arn = envelope.subscription.endpoint.address.as_str();
        let event = envelope.function_event(&self.sign(envelope).await?);
        let call = AwsCall::invoke_function(function_arn, event.clone());
        let id = format!("{}-{}", envelope.message.id, envelope.id.id());
        Ok(self
            .transports
            .outbound
            .deliver(&OutboundMessage::json(function_arn, id, event).with_aws(call))
            .await)
    }

    async fn enqueue(&self, envelope: &Envelope<'_>) -> Result<Outcome, SigningError> {
        let (body, attributes) = self.worded(envelope).await?;
        let in_line = envelope.message.in_line.as_ref();
        let endpoint = &envelope.subscription.endpoint;
        let deduplication_id =
            in_line.filter(|_| endpoint.is_fifo_queue()).map(|it| it.deduplication_id.clone());
        // recorded: a standard queue does not get to know the groups of a FIFO topic.
        let group_id =
            envelope.message.group_id.clone().filter(|_| in_line.is_none() || endpoint.is_fifo_queue());
        let message = QueueMessage {
            queue_arn: endpoint.address.clone(),
            body,
            attributes,
            group_id,
            deduplication_id,
        };
        Ok(self.put_into_queue(message).await)
    }

    /// Body and attributes of a message in a queue.
    async fn worded(&self, envelope: &Envelope<'_>) -> Result<(String, MessageAttributes), SigningError> {
        if envelope.is_raw() {
            return Ok((envelope.text().to_owned(), envelope.message.attributes.clone()));
        }
        // recorded: messages of FIFO topics are not signed.
        let signature = match envelope.message.in_line {
            Some(_) => None,
            None => Some(self.sign(envelope).await?),
        };
        Ok((envelope.json(signature.as_ref()), MessageAttributes::new()))
    }

    async fn put_into_queue(&self, message: QueueMessage) -> Outcome {
        let Some(queues) = &self.transports.queues else {
            return Outcome::refused("there are no queues".to_owned());
        };
        match queues.send(message).await {
            Ok(()) => Outcome::accepted(),
            Err(error @ QueueError::Refused { .. }) => Outcome::refused(error.to_string()),
            Err(error @ QueueError::Unavailable { .. }) => Outcome::unavailable(error.to_string()),
        }
    }

    async fn mail(&self, envelope: &Envelope<'_>) -> Result<Outcome, SigningError> {
        let Some(mail) = &self.transports.mail else {
            return Ok(Outcome::refused("no mail server is configured".to_owned()));
        };
        let (subject, mut text) = envelope.email();
        // Who asked for JSON gets JSON, but for the link that has to be visited by a person.
        if envelope.subscription.endpoint.protocol == Protocol::EmailJson
            && envelope.message.kind == MessageKind::Notification
        {
            text = envelope.json(Some(&self.sign(envelope).await?));
        }
        let to = envelope.subscription.endpoint.address.clone();
        Ok(match mail.send(Email { to, subject, text }).await {
            Ok(()) => Outcome::accepted(),
            Err(error @ MailError::Refused { .. }) => Outcome::refused(error.to_string()),
            Err(error @ MailError::Unavailable { .. }) => Outcome::unavailable(error.to_string()),
        })
    }

    async fn sign(&self, envelope: &Envelope<'_>) -> Result<Signature, SigningError> {
        let version = self.directory.signature_version(envelope.id);
        self.signer.sign(&envelope.signed_text(), version).await
    }
}

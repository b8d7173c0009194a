//! What a subscriber receives: SNS's headers, its JSON around the message, a function's event, a mail. Pure.

pub(crate) mod chat;
pub(crate) mod signature;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::attributes::shown;
use crate::envelope::signature::{CERTIFICATE_PATH, Signature};
use crate::message::{Message, MessageKind};
use crate::subscription::{Subscription, SubscriptionId};

/// What subscribers look for to tell SNS's requests from others.
const USER_AGENT: &str = "Amazon Simple Notification Service Agent";

/// The JSON around a message, its members in AWS's order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct JsonBody<'a> {
    #[serde(rename = "Type")]
    kind: &'static str,
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    topic_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    message: &'a str,
    #[serde(rename = "SubscribeURL", skip_serializing_if = "Option::is_none")]
    subscribe_url: Option<String>,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
    #[serde(rename = "SigningCertURL", skip_serializing_if = "Option::is_none")]
    signing_cert_url: Option<String>,
    #[serde(rename = "UnsubscribeURL", skip_serializing_if = "Option::is_none")]
    unsubscribe_url: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<&'a str, ShownAttribute<'a>>,
}

/// A message attribute in the JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownAttribute<'a> {
    #[serde(rename = "Type")]
    data_type: &'a str,
    value: String,
}

/// The event that a function gets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionEvent<'a> {
    records: [FunctionRecord<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionRecord<'a> {
    event_source: &'static str,
    event_version: &'static str,
    event_subscription_arn: String,
    sns: FunctionMessage<'a>,
}

/// The same members as [`JsonBody`]'s, two of them spelt otherwise, and none left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionMessage<'a> {
    #[serde(rename = "Type")]
    kind: &'static str,
    message_id: String,
    topic_arn: String,
    subject: Option<&'a str>,
    message: &'a str,
    timestamp: String,
    signature_version: &'static str,
    signature: &'a str,
    signing_cert_url: String,
    unsubscribe_url: String,
    message_attributes: BTreeMap<&'a str, ShownAttribute<'a>>,
}

/// A message on its way to one subscriber, as far as its wording goes.
#[derive(Clone, Copy)]
pub(crate) struct Envelope<'a> {
    pub(crate) message: &'a Message,
    pub(crate) id: &'a SubscriptionId,
    pub(crate) subscription: &'a Subscription,
    /// Where subscribers reach this server, without a slash at its end.
    pub(crate) base_url: &'a str,
}

impl<'a> Envelope<'a> {
    /// The message's text, as this subscriber's protocol reads it.
    pub(crate) fn text(&self) -> &'a str {
        self.message.body.for_protocol(self.subscription.endpoint.protocol)
    }

    /// Whether the subscriber gets the text alone. What asks for a confirmation never is.
    pub(crate) fn is_raw(&self) -> bool {
        self.is_notification() && self.subscription.preferences.raw_message_delivery
    }

    /// What is signed: names and values on lines of their own, in AWS's order.
    pub(crate) fn signed_text(&self) -> String {
        let message_id = self.message.id.to_string();
        let (timestamp, topic_arn) = (self.timestamp(), self.id.topic_arn());
        let (token, subscribe_url) = (self.subscription.token.as_str(), self.subscribe_url());
        let kind = self.message.kind.as_str();
        let mut lines = vec![("Message", self.text()), ("MessageId", message_id.as_str())];
        if self.is_notification() {
            lines.extend(self.subject().map(|subject| ("Subject", subject)));
            lines.push(("Timestamp", &timestamp));
        } else {
            lines.extend([
                ("SubscribeURL", subscribe_url.as_str()),
                ("Timestamp", &timestamp),
                ("Token", token),
            ]);
        }
        lines.extend([("TopicArn", topic_arn.as_str()), ("Type", kind)]);
        lines.into_iter().map(|(name, value)| format!("{name}\n{value}\n")).collect()
    }

    /// SNS's JSON.
    pub(crate) fn json(&self, signature: Option<&Signature>) -> String {
        let notification = self.is_notification();
        let body = JsonBody {
            kind: self.message.kind.as_str(),
            message_id: self.message.id.to_string(),
            sequence_number: self.message.in_line.as_ref().map(|it| it.sequence.to_string()),
            token: (!notification).then_some(self.subscription.token.as_str()),
            topic_arn: self.id.topic_arn(),
            subject: self.subject(),
            message: self.text(),
            subscribe_url: (!notification).then(|| self.subscribe_url()),
            timestamp: self.timestamp(),
            signature_version: signature.map(|signature| signature.version.as_str()),
            signature: signature.map(|signature| signature.value.as_str()),
            signing_cert_url: signature.map(|signature| self.certificate_url(signature)),
            unsubscribe_url: notification.then(|| self.unsubscribe_url()),
            message_attributes: self.attributes(),
        };
        serde_json::to_string_pretty(&body).expect("texts and nothing else are always JSON")
    }

    /// The event that a function gets.
    pub(crate) fn function_event(&self, signature: &Signature) -> String {
        let event = FunctionEvent {
            records: [FunctionRecord {
                event_source: "aws:sns",
                event_version: "1.0",
                event_subscription_arn: self.id.arn(),
                sns: FunctionMessage {
                    kind: self.message.kind.as_str(),
                    message_id: self.message.id.to_string(),
                    topic_arn: self.id.topic_arn(),
                    subject: self.subject(),
                    message: self.text(),
                    timestamp: self.timestamp(),
                    signature_version: signature.version.as_str(),
                    signature: &signature.value,
                    signing_cert_url: self.certificate_url(signature),
                    unsubscribe_url: self.unsubscribe_url(),
                    message_attributes: self.attributes(),
                },
            }],
        };
        serde_json::to_string(&event).expect("texts and nothing else are always JSON")
    }

    /// SNS's headers of a request that carries the message.
    pub(crate) fn headers(&self, content_type: String) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("x-amz-sns-message-type", self.message.kind.as_str().to_owned()),
            ("x-amz-sns-message-id", self.message.id.to_string()),
            ("x-amz-sns-topic-arn", self.id.topic_arn()),
        ];
        // A subscription that waits for its confirmation has no ARN yet, as far as its endpoint knows.
        if self.message.kind != MessageKind::SubscriptionConfirmation {
            headers.push(("x-amz-sns-subscription-arn", self.id.arn()));
        }
        if self.is_raw() {
            headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
        }
        headers.push(("content-type", content_type));
        headers.push(("user-agent", USER_AGENT.to_owned()));
        headers
    }

    /// A mail for people.
    pub(crate) fn email(&self) -> (String, String) {
        match self.message.kind {
            MessageKind::Notification => (
                self.subject().unwrap_or("AWS Notification Message").to_owned(),
                format!(
                    "{}\n\n--\nSent by the topic {}. To get no more of its messages, visit:\n{}\n",
                    self.text(),
                    self.id.topic_arn(),
                    self.unsubscribe_url()
                ),
            ),
            MessageKind::SubscriptionConfirmation => (
                "AWS Notification - Subscription Confirmation".to_owned(),
                format!(
                    "You have chosen to subscribe to the topic:\n{}\n\n\
                     To confirm this subscription, visit the link below. If this was an error, do nothing.\n{}\n",
                    self.id.topic_arn(),
                    self.subscribe_url()
                ),
            ),
            MessageKind::UnsubscribeConfirmation => (
                "AWS Notification - Unsubscribe Confirmation".to_owned(),
                format!(
                    "Your subscription to the topic below has been deactivated:\n{}\n\n\
                     If this was an error, visit the link below to subscribe again.\n{}\n",
                    self.id.topic_arn(),
                    self.subscribe_url()
                ),
            ),
        }
    }

    pub(crate) fn subject(&self) -> Option<&'a str> {
        self.message.subject.as_ref().map(|subject| subject.as_str())
    }

    fn is_notification(&self) -> bool {
        self.message.kind == MessageKind::Notification
    }

    fn timestamp(&self) -> String {
        self.message.published.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
    }

    fn attributes(&self) -> BTreeMap<&'a str, ShownAttribute<'a>> {
        let shown = self.message.attributes.iter().map(|(name, attribute)| {
            (
                name.as_str(),
                ShownAttribute { data_type: &attribute.data_type, value: shown(&attribute.value) },
            )
        });
        shown.collect()
    }

    fn certificate_url(&self, signature: &Signature) -> String {
        format!("{}{CERTIFICATE_PATH}{}", self.base_url, signature.certificate_name)
    }

    /// The link that confirms a subscription, an ordinary unsigned call of `ConfirmSubscription`.
    fn subscribe_url(&self) -> String {
        let (topic_arn, token) = (self.id.topic_arn(), self.subscription.token.as_str());
        format!("{}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}", self.base_url)
    }

    /// The link that ends a subscription, an ordinary unsigned call of `Unsubscribe`.
    fn unsubscribe_url(&self) -> String {
        format!("{}/?Action=Unsubscribe&SubscriptionArn={}", self.base_url, self.id.arn())
    }
}

/// What the endpoint of a new subscription reads.
pub(crate) fn confirmation_text(topic_arn: &str) -> String {
    format!(
        "You have chosen to subscribe to the topic {topic_arn}.\n\
         To confirm the subscription, visit the SubscribeURL included in this message."
    )
}

/// What an endpoint reads after an unsubscribe link was followed.
pub(crate) fn cancellation_text(subscription_arn: &str) -> String {
    format!(
        "You have chosen to deactivate subscription {subscription_arn}.\n\
         To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    )
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{Scope, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::envelope::signature::SignatureVersion;
    use crate::message::{Body, MessageId, Subject};
    use crate::subscription::preferences::Preferences;
    use crate::subscription::{Endpoint, Protocol, Standing, Token};
    use crate::topic::TopicId;

    const ARN: &str = "arn:aws:sns:us-east-1:000000000000:alerts:00000000-0000-0000-0000-000000000007";

    /// The headers and the JSON of a message, and its id.
    fn wrapped(
        kind: MessageKind,
        raw_message_delivery: bool,
    ) -> (Vec<(&'static str, String)>, String, String) {
        let topic = TopicId::new(&Scope::default(), "alerts", false).expect("a name");
        let id = SubscriptionId::new(&topic, Uuid::from_u128(7));
        let subscription = Subscription {
            endpoint: Endpoint::parse(Protocol::Http, "http://127.0.0.1:9/hook").expect("a URL"),
            standing: Standing::Confirmed,
            token: Token::new(id.id()),
            preferences: Preferences { raw_message_delivery, ..Preferences::default() },
            authenticate_on_unsubscribe: false,
            confirmation_was_authenticated: false,
            created: Timestamp::EPOCH,
        };
        let message = Message {
            id: MessageId::new(),
            kind,
            subject: Some(Subject::parse("a subject").expect("one")),
            body: Body::plain("it \"burns\"").expect("a message"),
            attributes: BTreeMap::new(),
            group_id: None,
            in_line: None,
            published: Timestamp::from_secs(1_767_323_045),
        };
        let signature = Signature {
            version: SignatureVersion::Two,
            value: "c2ln".to_owned(),
            certificate_name: "c.pem".to_owned(),
        };
        let base_url = "http://localhost:4566";
        let envelope = Envelope { message: &message, id: &id, subscription: &subscription, base_url };
        (envelope.headers("text/plain".to_owned()), envelope.json(Some(&signature)), message.id.to_string())
    }

    fn header<'a>(headers: &'a [(&str, String)], name: &str) -> Option<&'a str> {
        headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_notification_reads_as_sns_writes_it() {
        let (headers, json, message_id) = wrapped(MessageKind::Notification, false);
        assert_eq!(
            json,
            format!(
                r#"{{
  "Type": "Notification",
  "MessageId": "{message_id}",
  "TopicArn": "arn:aws:sns:us-east-1:000000000000:alerts",
  "Subject": "a subject",
  "Message": "it \"burns\"",
  "Timestamp": "2026-01-02T03:04:05.000Z",
  "SignatureVersion": "2",
  "Signature": "c2ln",
  "SigningCertURL": "http://localhost:4566/_groundwatch/sns/c.pem",
  "UnsubscribeURL": "http://localhost:4566/?Action=Unsubscribe&SubscriptionArn={ARN}"
}}"#
            )
        );
        assert_eq!(header(&headers, "x-amz-sns-message-type"), Some("Notification"));
        assert_eq!(header(&headers, "x-amz-sns-message-id"), Some(message_id.as_str()));
        assert_eq!(header(&headers, "x-amz-sns-subscription-arn"), Some(ARN));
        assert_eq!(header(&headers, "content-type"), Some("text/plain"));
    }

    #[test]
    fn a_confirmation_is_never_raw_and_carries_the_link() {
        let (headers, json, _) = wrapped(MessageKind::SubscriptionConfirmation, true);
        let body: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let token = body["Token"].as_str().expect("a token");
        assert_eq!(
            body["SubscribeURL"],
            format!(
                "http://localhost:4566/?Action=ConfirmSubscription\
                 &TopicArn=arn:aws:sns:us-east-1:000000000000:alerts&Token={token}"
            )
        );
        assert_eq!(body["UnsubscribeURL"], serde_json::Value::Null);
        assert_eq!(header(&headers, "x-amz-sns-subscription-arn"), None);
    }
}

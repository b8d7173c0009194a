//! What a subscriber receives: SNS's headers and its JSON around the message. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::message::{Message, MessageKind};
use crate::poster::Post;
use crate::subscription::{Subscription, SubscriptionId};

/// AWS waits about 15 seconds for a subscriber's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// What subscribers look for to tell SNS's requests from others.
const USER_AGENT: &str = "Amazon Simple Notification Service Agent";

/// The JSON around a message, its members in AWS's order.
///
/// The members `SignatureVersion`, `Signature` and `SigningCertURL` are absent: messages are not signed yet, and a
/// made-up signature would be worse than none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'a> {
    #[serde(rename = "Type")]
    kind: &'static str,
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    topic_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    message: &'a str,
    #[serde(rename = "SubscribeURL", skip_serializing_if = "Option::is_none")]
    subscribe_url: Option<String>,
    timestamp: String,
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

/// The request that carries `message` to a subscriber. `base_url` is where subscribers reach this server, without a
/// slash at its end.
pub(crate) fn post(
    message: &Message,
    id: &SubscriptionId,
    subscription: &Subscription,
    base_url: &str,
    content_type: String,
) -> Post {
    let notification = message.kind == MessageKind::Notification;
    let raw = notification && subscription.preferences.raw_message_delivery;
    let mut headers = vec![
        ("x-amz-sns-message-type", message.kind.as_str().to_owned()),
        ("x-amz-sns-message-id", message.id.to_string()),
        ("x-amz-sns-topic-arn", id.topic_arn()),
    ];
    // A subscription that waits for its confirmation has no ARN yet, as far as its endpoint knows.
    if message.kind != MessageKind::SubscriptionConfirmation {
        headers.push(("x-amz-sns-subscription-arn", id.arn()));
    }
    if raw {
        headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
    }
    headers.push(("content-type", content_type));
    headers.push(("user-agent", USER_AGENT.to_owned()));

    let text = message.body.for_protocol(subscription.endpoint.protocol);
    let body = if raw { text.to_owned() } else { envelope(message, id, subscription, base_url, text) };
    Post { url: subscription.endpoint.url.clone(), headers, body, timeout: ANSWER_TIMEOUT }
}

fn envelope(
    message: &Message,
    id: &SubscriptionId,
    subscription: &Subscription,
    base_url: &str,
    text: &str,
) -> String {
    let notification = message.kind == MessageKind::Notification;
    let token = subscription.token.as_str();
    let envelope = Envelope {
        kind: message.kind.as_str(),
        message_id: message.id.to_string(),
        token: (!notification).then_some(token),
        topic_arn: id.topic_arn(),
        subject: message.subject.as_ref().map(|subject| subject.as_str()),
        message: text,
        subscribe_url: (!notification).then(|| subscribe_url(base_url, id, token)),
        timestamp: message.published.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
        unsubscribe_url: notification.then(|| unsubscribe_url(base_url, id)),
        message_attributes: message
            .attributes
            .iter()
            .map(|(name, attribute)| {
                (name.as_str(), ShownAttribute { data_type: &attribute.data_type, value: attribute.shown() })
            })
            .collect(),
    };
    serde_json::to_string_pretty(&envelope).expect("texts and nothing else are always JSON")
}

/// The link that confirms a subscription, an ordinary unsigned call of `ConfirmSubscription`.
fn subscribe_url(base_url: &str, id: &SubscriptionId, token: &str) -> String {
    format!("{base_url}/?Action=ConfirmSubscription&TopicArn={}&Token={token}", id.topic_arn())
}

/// The link that ends a subscription, an ordinary unsigned call of `Unsubscribe`.
fn unsubscribe_url(base_url: &str, id: &SubscriptionId) -> String {
    format!("{base_url}/?Action=Unsubscribe&SubscriptionArn={}", id.arn())
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
    use crate::message::{Body, MessageId, Subject};
    use crate::preferences::Preferences;
    use crate::subscription::{Endpoint, Protocol, Standing, Token};
    use crate::topic::TopicId;

    const ARN: &str = "arn:aws:sns:us-east-1:000000000000:alerts:00000000-0000-0000-0000-000000000007";

    fn posted(kind: MessageKind, raw_message_delivery: bool) -> (Post, String) {
        let topic = TopicId::new(&Scope::default(), "alerts").expect("a name");
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
            published: Timestamp::from_secs(1_767_323_045),
        };
        let post = post(&message, &id, &subscription, "http://localhost:4566", "text/plain".to_owned());
        (post, message.id.to_string())
    }

    fn header<'a>(post: &'a Post, name: &str) -> Option<&'a str> {
        post.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_notification_reads_as_sns_writes_it() {
        let (post, message_id) = posted(MessageKind::Notification, false);
        assert_eq!(
            post.body,
            format!(
                r#"{{
  "Type": "Notification",
  "MessageId": "{message_id}",
  "TopicArn": "arn:aws:sns:us-east-1:000000000000:alerts",
  "Subject": "a subject",
  "Message": "it \"burns\"",
  "Timestamp": "2026-01-02T03:04:05.000Z",
  "UnsubscribeURL": "http://localhost:4566/?Action=Unsubscribe&SubscriptionArn={ARN}"
}}"#
            )
        );
        assert_eq!(header(&post, "x-amz-sns-message-type"), Some("Notification"));
        assert_eq!(header(&post, "x-amz-sns-message-id"), Some(message_id.as_str()));
        assert_eq!(header(&post, "x-amz-sns-subscription-arn"), Some(ARN));
        assert_eq!(header(&post, "content-type"), Some("text/plain"));
    }

    #[test]
    fn raw_delivery_is_the_message_alone() {
        let (post, _) = posted(MessageKind::Notification, true);
        assert_eq!(post.body, "it \"burns\"");
        assert_eq!(header(&post, "x-amz-sns-rawdelivery"), Some("true"));
    }

    #[test]
    fn a_confirmation_is_never_raw_and_carries_the_link() {
        let (post, _) = posted(MessageKind::SubscriptionConfirmation, true);
        let body: serde_json::Value = serde_json::from_str(&post.body).expect("JSON");
        let token = body["Token"].as_str().expect("a token");
        assert_eq!(
            body["SubscribeURL"],
            format!(
                "http://localhost:4566/?Action=ConfirmSubscription\
                 &TopicArn=arn:aws:sns:us-east-1:000000000000:alerts&Token={token}"
            )
        );
        assert_eq!(body["UnsubscribeURL"], serde_json::Value::Null);
        assert_eq!(header(&post, "x-amz-sns-subscription-arn"), None);
    }
}

//! A subscription: who wants a topic's messages, and whether they have agreed to get them.

use std::fmt;
use std::time::Duration;

use groundwatch_core::{Arn, Scope, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::preferences::Preferences;
use crate::topic::{TopicId, scope_of};
use crate::{Invalid, NotifyError};

/// How long a confirmation token is valid: AWS says two days.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_secs(2 * 24 * 3600);

/// The longest endpoint, in bytes.
const ENDPOINT_LENGTH_MAX: usize = 2048;

/// What is kept of a subscription under [`SubscriptionId::key`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) endpoint: Endpoint,
    pub(crate) standing: Standing,
    pub(crate) token: Token,
    #[serde(flatten)]
    pub(crate) preferences: Preferences,
    /// Only signed calls may unsubscribe.
    pub(crate) authenticate_on_unsubscribe: bool,
    /// A signed call confirmed it, and not just somebody who had the token.
    #[serde(default)]
    pub(crate) confirmation_was_authenticated: bool,
    pub(crate) created: Timestamp,
}

impl Document for Subscription {
    const KIND: &'static str = "sns-subscription";
}

impl Subscription {
    /// Until when it is kept without a confirmation; `None` if it is confirmed.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        match self.standing {
            Standing::Confirmed => None,
            Standing::Pending { until } | Standing::Cancelled { until } => Some(until),
        }
    }
}

/// Whether a subscription gets messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// The endpoint has been asked to confirm.
    Pending {
        /// When the token expires, and the subscription with it.
        until: Timestamp,
    },
    /// It gets every message.
    Confirmed,
    /// Somebody who need not be its owner followed an unsubscribe link: the endpoint may take that back.
    Cancelled {
        /// When the token expires, and the subscription with it.
        until: Timestamp,
    },
}

/// Which subscription: the parsed form of its ARN, which is the topic's ARN with a UUID behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionId {
    scope: Scope,
    topic: String,
    id: Uuid,
}

impl SubscriptionId {
    pub(crate) fn new(topic: &TopicId, id: Uuid) -> Self {
        Self { scope: topic.scope().clone(), topic: topic.name().to_owned(), id }
    }

    /// The subscription whose ARN is in the parameter `SubscriptionArn`.
    pub(crate) fn parse(arn: &str) -> Result<Self, Invalid> {
        const PARAMETER: &str = "SubscriptionArn";
        let parsed = Arn::parse(arn).map_err(|source| Invalid::Arn { parameter: PARAMETER, source })?;
        Self::of_arn(&parsed).ok_or(Invalid::OtherArn { parameter: PARAMETER })
    }

    fn of_arn(arn: &Arn<'_>) -> Option<Self> {
        let scope = scope_of(arn).filter(|_| arn.service == "sns")?;
        Self::of_key(&Key::new(&scope, arn.resource))
    }

    /// The subscription that is kept under `key`; `None` if no subscription could be.
    pub(crate) fn of_key(key: &Key) -> Option<Self> {
        let (topic, id) = key.name.split_once(':')?;
        Some(Self { scope: key.scope.clone(), topic: topic.to_owned(), id: id.parse().ok()? })
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn arn(&self) -> String {
        self.scope.arn("sns", &self.resource())
    }

    pub(crate) fn topic_arn(&self) -> String {
        self.scope.arn("sns", &self.topic)
    }

    pub(crate) fn topic_key(&self) -> Key {
        Key::new(&self.scope, self.topic.clone())
    }

    /// Under which key its document is kept; those of one topic follow each other.
    pub(crate) fn key(&self) -> Key {
        Key::new(&self.scope, self.resource())
    }

    /// What the names of all subscriptions of `topic` begin with.
    pub(crate) fn prefix(topic: &TopicId) -> String {
        format!("{}:", topic.name())
    }

    fn resource(&self) -> String {
        format!("{}:{}", self.topic, self.id)
    }
}

/// How messages reach a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Http,
    Https,
}

/// Protocols of AWS that are refused by name.
const UNSUPPORTED_PROTOCOLS: &[&str] =
    &["email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

impl Protocol {
    pub(crate) fn parse(protocol: &str) -> Result<Self, NotifyError> {
        match protocol {
            "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            _ if UNSUPPORTED_PROTOCOLS.contains(&protocol) => Err(NotifyError::Unsupported {
                parameter: "Protocol",
                what: format!("the protocol {protocol}"),
            }),
            _ => Err(Invalid::Protocol { protocol: protocol.chars().take(64).collect() }.into()),
        }
    }

    /// The name in the API, which is the scheme of the URL too.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) protocol: Protocol,
    pub(crate) url: String,
}

impl Endpoint {
    /// The endpoint at `url`, which is kept as it was given.
    pub(crate) fn parse(protocol: Protocol, url: &str) -> Result<Self, Invalid> {
        if url.len() > ENDPOINT_LENGTH_MAX {
            return Err(Invalid::Endpoint);
        }
        let parsed = Url::parse(url).map_err(|_| Invalid::Endpoint)?;
        if parsed.scheme() != protocol.as_str() {
            return Err(Invalid::EndpointScheme);
        }
        parsed.has_host().then(|| Self { protocol, url: url.to_owned() }).ok_or(Invalid::Endpoint)
    }
}

impl Endpoint {
    /// As listings show it: a password in a URL is for the endpoint alone.
    pub(crate) fn shown(&self) -> String {
        match Url::parse(&self.url) {
            Ok(mut url) if url.password().is_some() => {
                let hidden = url.set_password(Some("****"));
                hidden.map_or_else(|()| self.to_string(), |()| url.to_string())
            }
            _ => self.url.clone(),
        }
    }
}

/// A user and password in the URL are not for logs.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        write!(f, "{}://{}", self.protocol.as_str(), host.unwrap_or_default())
    }
}

/// The secret that only the endpoint learns: who knows it may confirm the subscription.
///
/// 96 hexadecimal digits, of which the first 32 name the subscription and the rest cannot be guessed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn new(subscription: Uuid) -> Self {
        Self(format!("{}{}{}", subscription.simple(), Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    /// The subscription that a token says to be of; `None` for what cannot be a token.
    pub(crate) fn subscription(token: &str) -> Option<Uuid> {
        token.get(..32).filter(|_| token.len() == 96)?.parse().ok()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

/// Finds the subscription of an endpoint. Its document's expected absence is what makes an endpoint subscribe only once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscriber {
    pub(crate) subscription: Uuid,
}

impl Document for Subscriber {
    const KIND: &'static str = "sns-subscriber";
}

impl Subscriber {
    pub(crate) fn key(topic_key: &Key, endpoint: &Endpoint) -> Key {
        Key::new(
            &topic_key.scope,
            format!("{}\0{}\0{}", topic_key.name, endpoint.protocol.as_str(), endpoint.url),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_leads_back_to_its_subscription() {
        let topic = TopicId::new(&Scope::default(), "alerts").expect("a name");
        let subscription = SubscriptionId::new(&topic, Uuid::from_u128(7));
        assert_eq!(
            subscription.arn(),
            "arn:aws:sns:us-east-1:000000000000:alerts:00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(SubscriptionId::parse(&subscription.arn()).as_ref(), Ok(&subscription));
        assert_eq!(SubscriptionId::of_key(&subscription.key()), Some(subscription));
        assert_eq!(
            SubscriptionId::parse(&topic.arn()),
            Err(Invalid::OtherArn { parameter: "SubscriptionArn" })
        );
    }

    #[test]
    fn endpoints_are_urls_of_their_protocol() {
        let check = |protocol, url: &str, expected: Result<(), Invalid>| {
            assert_eq!(Endpoint::parse(protocol, url).map(|_| ()), expected, "{url}");
        };
        check(Protocol::Http, "http://127.0.0.1:8080/hook?x=1", Ok(()));
        check(Protocol::Https, "https://user:word@example.com/", Ok(()));
        check(Protocol::Https, "http://example.com/", Err(Invalid::EndpointScheme));
        check(Protocol::Http, "mailto:a@example.com", Err(Invalid::EndpointScheme));
        check(Protocol::Http, "example.com", Err(Invalid::Endpoint));
        check(Protocol::Http, "http://", Err(Invalid::Endpoint));
        check(Protocol::Http, &format!("http://example.com/{}", "a".repeat(2048)), Err(Invalid::Endpoint));
    }

    #[test]
    fn an_endpoint_shows_no_password() {
        let endpoint =
            Endpoint::parse(Protocol::Https, "https://user:word@example.com/secret").expect("a URL");
        assert_eq!(endpoint.to_string(), "https://example.com");
    }

    #[test]
    fn a_token_names_its_subscription() {
        let id = Uuid::new_v4();
        let token = Token::new(id);
        assert_eq!(Token::subscription(token.as_str()), Some(id));
        for other in ["", "ab", &token.as_str()[1..], &"é".repeat(48), &"x".repeat(96)] {
            assert_eq!(Token::subscription(other), None, "{other}");
        }
    }
}

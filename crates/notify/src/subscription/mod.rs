//! A subscription: who wants a topic's messages, and whether they have agreed to get them.

pub(crate) mod delivery_policy;
pub(crate) mod expiry;
pub(crate) mod filter;
pub(crate) mod preferences;
pub(crate) mod redrive_policy;

use std::fmt;
use std::time::Duration;

use groundwatch_core::{AccountId, Arn, Scope, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::subscription::preferences::Preferences;
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
        Self::of_arn(&parsed).ok_or(match parsed.service {
            // recorded
            "sns" => Invalid::SubscriptionId,
            _ => Invalid::OtherArn { parameter: PARAMETER },
        })
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
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    Http,
    Https,
    Sqs,
    Email,
    EmailJson,
    Lambda,
}

/// Protocols of AWS that are refused by name.
const UNSUPPORTED_PROTOCOLS: &[&str] = &["sms", "application", "firehose"];

impl Protocol {
    const ALL: [Self; 6] = [Self::Http, Self::Https, Self::Sqs, Self::Email, Self::EmailJson, Self::Lambda];

    pub(crate) fn parse(protocol: &str) -> Result<Self, NotifyError> {
        match Self::ALL.into_iter().find(|known| known.as_str() == protocol) {
            Some(known) => Ok(known),
            None if UNSUPPORTED_PROTOCOLS.contains(&protocol) => Err(NotifyError::Unsupported {
                parameter: "Protocol",
                what: format!("the protocol {protocol}"),
            }),
            None => Err(Invalid::Protocol { protocol: protocol.chars().take(64).collect() }.into()),
        }
    }

    /// The name in the API, which is the scheme of the URL for those that have URLs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Sqs => "sqs",
            Self::Email => "email",
            Self::EmailJson => "email-json",
            Self::Lambda => "lambda",
        }
    }
}

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) protocol: Protocol,
    /// A URL, an ARN or a mail address, as it was given.
    #[serde(rename = "url")]
    pub(crate) address: String,
}

impl Endpoint {
    /// The endpoint at `address`.
    pub(crate) fn parse(protocol: Protocol, address: &str) -> Result<Self, Invalid> {
        if address.len() > ENDPOINT_LENGTH_MAX {
            return Err(Invalid::Endpoint);
        }
        match protocol {
            Protocol::Http | Protocol::Https => check_url(protocol, address)?,
            Protocol::Sqs => check_arn(address, "sqs").ok_or(Invalid::QueueEndpoint)?,
            Protocol::Lambda => check_arn(address, "lambda").ok_or(Invalid::FunctionEndpoint)?,
            Protocol::Email | Protocol::EmailJson => {
                address.parse::<lettre::Address>().map_err(|_| Invalid::MailEndpoint)?;
            }
        }
        Ok(Self { protocol, address: address.to_owned() })
    }

    /// Whether it is a FIFO queue, which its name tells.
    pub(crate) fn is_fifo_queue(&self) -> bool {
        self.protocol == Protocol::Sqs && self.address.ends_with(".fifo")
    }

    /// Whether it belongs to `account` itself, which then needs no further confirmation.
    pub(crate) fn belongs_to(&self, account: AccountId) -> bool {
        match self.protocol {
            Protocol::Http | Protocol::Https | Protocol::Email | Protocol::EmailJson => false,
            // What stands in for a function is configured by the operator, for all accounts.
            Protocol::Lambda => true,
            Protocol::Sqs => Arn::parse(&self.address)
                .ok()
                .and_then(|arn| scope_of(&arn))
                .is_some_and(|owner| owner.account == account),
        }
    }
}

fn check_url(protocol: Protocol, url: &str) -> Result<(), Invalid> {
    let parsed = Url::parse(url).map_err(|_| Invalid::Endpoint)?;
    if parsed.scheme() != protocol.as_str() {
        return Err(Invalid::EndpointScheme);
    }
    if parsed.has_host() { Ok(()) } else { Err(Invalid::Endpoint) }
}

fn check_arn(arn: &str, service: &str) -> Option<()> {
    let parsed = Arn::parse(arn).ok()?;
    (parsed.service == service && !parsed.resource.is_empty() && scope_of(&parsed).is_some()).then_some(())
}

impl Endpoint {
    /// As listings show it: a password in a URL is for the endpoint alone.
    pub(crate) fn shown(&self) -> String {
        let hidden =
            Url::parse(&self.address).ok().filter(|url| url.password().is_some()).and_then(|mut url| {
                url.set_password(Some("****")).ok()?;
                Some(url.to_string())
            });
        hidden.unwrap_or_else(|| self.address.clone())
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

/// Finds the subscription of an endpoint. Its document's expected absence is what makes an endpoint subscribe
/// only once.
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
            format!("{}\0{}\0{}", topic_key.name, endpoint.protocol.as_str(), endpoint.address),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_leads_back_to_its_subscription() {
        let topic = TopicId::new(&Scope::default(), "alerts", false).expect("a name");
        let subscription = SubscriptionId::new(&topic, Uuid::from_u128(7));
        assert_eq!(
            subscription.arn(),
            "arn:aws:sns:us-east-1:000000000000:alerts:00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(SubscriptionId::parse(&subscription.arn()).as_ref(), Ok(&subscription));
        assert_eq!(SubscriptionId::of_key(&subscription.key()), Some(subscription));
        assert_eq!(SubscriptionId::parse(&topic.arn()), Err(Invalid::SubscriptionId));
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
        check(Protocol::Sqs, "arn:aws:sqs:us-east-1:000000000000:q", Ok(()));
        check(Protocol::Sqs, "http://127.0.0.1:4566/000000000000/q", Err(Invalid::QueueEndpoint));
        check(Protocol::Sqs, "arn:aws:sns:us-east-1:000000000000:q", Err(Invalid::QueueEndpoint));
        check(Protocol::Lambda, "arn:aws:lambda:us-east-1:000000000000:function:f", Ok(()));
        check(Protocol::Lambda, "f", Err(Invalid::FunctionEndpoint));
        check(Protocol::Email, "a@example.com", Ok(()));
        check(Protocol::EmailJson, "a", Err(Invalid::MailEndpoint));
        check(Protocol::Email, "a@example.com\r\nBcc: b@example.com", Err(Invalid::MailEndpoint));
        check(Protocol::Http, &format!("http://example.com/{}", "a".repeat(2048)), Err(Invalid::Endpoint));
    }

    #[test]
    fn an_endpoint_shows_no_password() {
        let endpoint =
            Endpoint::parse(Protocol::Https, "https://user:word@example.com/secret").expect("a URL");
        assert_eq!(endpoint.shown(), "https://user:****@example.com/secret");
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

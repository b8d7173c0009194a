//! Delivery policies: how often and how soon failed deliveries to web endpoints are tried again, in AWS's
//! JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::delivery::retry::{BackoffFunction, DEFAULT_HTTP_POLICY, RetryPolicy};

/// The most retries that a policy may ask for.
const RETRIES_MAX: u64 = 100;

/// The longest delay between two retries, in seconds.
pub(crate) const DELAY_SECS_MAX: u64 = 3600;

/// What an endpoint is told that it gets, unless a policy says otherwise.
const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";

/// The longest content type, in bytes.
const CONTENT_TYPE_LENGTH_MAX: usize = 256;

/// The policy of one subscription, or what a topic asks for all of its own.
///
/// It is kept as the text that was given, and read again when it is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct DeliveryPolicy {
    text: String,
    terms: Terms,
}

/// What a policy says. What it leaves open, somebody else decides.
#[derive(Clone, Debug, Default, PartialEq)]
struct Terms {
    retry: Option<RetryPolicy>,
    content_type: Option<String>,
    disable_subscription_overrides: bool,
}

/// What is wrong with a delivery policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeliveryPolicy {
    /// Not JSON, or not of the form that AWS documents.
    #[error("failed to parse JSON. {0}")]
    Form(String),
    /// A number is outside its bounds.
    #[error("{name} must be between {min} and {max}")]
    Bounds {
        /// Its name.
        name: &'static str,
        /// The least that it can be.
        min: u64,
        /// The most that it can be.
        max: u64,
    },
    /// The phases have more retries than there are in all.
    #[error("the retries of all phases together must not exceed numRetries")]
    Phases,
    /// The content type cannot stand in a header.
    #[error("headerContentType is malformed")]
    ContentType,
    /// AWS would send no more than so many messages a second; Groundwatch does not, and says so.
    #[error("throttlePolicy is not supported by Groundwatch")]
    Throttle,
}

/// A subscription's policy in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SubscriptionForm {
    healthy_retry_policy: Option<RetryForm>,
    throttle_policy: Option<Value>,
    request_policy: Option<RequestForm>,
    // Terraform and old consoles write these two members, which never meant anything else than this.
    #[serde(rename = "sicklyRetryPolicy")]
    _sickly_retry_policy: Option<()>,
    #[serde(rename = "guaranteed")]
    _guaranteed: Option<bool>,
}

/// A topic's policy in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicForm {
    http: TopicHttpForm,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TopicHttpForm {
    default_healthy_retry_policy: Option<RetryForm>,
    default_throttle_policy: Option<Value>,
    default_request_policy: Option<RequestForm>,
    #[serde(default)]
    disable_subscription_overrides: bool,
    #[serde(rename = "defaultSicklyRetryPolicy")]
    _default_sickly_retry_policy: Option<()>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RequestForm {
    header_content_type: Option<String>,
}

/// `healthyRetryPolicy`; what is left out has AWS's default.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RetryForm {
    min_delay_target: Option<u64>,
    max_delay_target: Option<u64>,
    num_retries: Option<u64>,
    num_no_delay_retries: Option<u64>,
    num_min_delay_retries: Option<u64>,
    num_max_delay_retries: Option<u64>,
    backoff_function: Option<BackoffFunction>,
}

impl DeliveryPolicy {
    /// The policy of a subscription.
    pub(crate) fn of_subscription(text: &str) -> Result<Self, InvalidDeliveryPolicy> {
        let form: SubscriptionForm = read(text)?;
        let terms = Terms::new(form.healthy_retry_policy, form.throttle_policy, form.request_policy)?;
        Ok(Self { text: text.to_owned(), terms })
    }

    /// The policy of a topic.
    pub(crate) fn of_topic(text: &str) -> Result<Self, InvalidDeliveryPolicy> {
        let TopicForm { http } = read(text)?;
        let disable_subscription_overrides = http.disable_subscription_overrides;
        let terms = Terms::new(
            http.default_healthy_retry_policy,
            http.default_throttle_policy,
            http.default_request_policy,
        )?;
        Ok(Self { text: text.to_owned(), terms: Terms { disable_subscription_overrides, ..terms } })
    }

    /// The text that was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for DeliveryPolicy {
    type Error = InvalidDeliveryPolicy;

    fn try_from(text: String) -> Result<Self, InvalidDeliveryPolicy> {
        Self::of_subscription(&text)
    }
}

impl From<DeliveryPolicy> for String {
    fn from(policy: DeliveryPolicy) -> Self {
        policy.text
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, InvalidDeliveryPolicy> {
    serde_json::from_str(text).map_err(|error| InvalidDeliveryPolicy::Form(error.to_string()))
}

impl Terms {
    fn new(
        retry: Option<RetryForm>,
        throttle: Option<Value>,
        request: Option<RequestForm>,
    ) -> Result<Self, InvalidDeliveryPolicy> {
        if throttle.is_some_and(asks_for_throttling) {
            return Err(InvalidDeliveryPolicy::Throttle);
        }
        let content_type = request.and_then(|request| request.header_content_type);
        let printable = |text: &String| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if content_type.as_ref().is_some_and(|text| text.len() > CONTENT_TYPE_LENGTH_MAX || !printable(text))
        {
            return Err(InvalidDeliveryPolicy::ContentType);
        }
        let retry = retry.map(RetryForm::policy).transpose()?;
        Ok(Self { retry, content_type, disable_subscription_overrides: false })
    }
}

/// `null` and an object without a rate ask for nothing.
fn asks_for_throttling(throttle: Value) -> bool {
    match throttle {
        Value::Null => false,
        Value::Object(members) => members.values().any(|value| !value.is_null()),
        _ => true,
    }
}

impl RetryForm {
    fn policy(self) -> Result<RetryPolicy, InvalidDeliveryPolicy> {
        let min_delay = bounded("minDelayTarget", self.min_delay_target.unwrap_or(20), 1, DELAY_SECS_MAX)?;
        let max_delay_default = min_delay.max(20);
        let max_delay = self.max_delay_target.unwrap_or(max_delay_default);
        let max_delay = bounded("maxDelayTarget", max_delay, min_delay, DELAY_SECS_MAX)?;
        let all = bounded("numRetries", self.num_retries.unwrap_or(3), 0, RETRIES_MAX)?;
        let count = |name, given: Option<u64>| bounded(name, given.unwrap_or(0), 0, RETRIES_MAX);
        let no_delay = count("numNoDelayRetries", self.num_no_delay_retries)?;
        let at_min = count("numMinDelayRetries", self.num_min_delay_retries)?;
        let at_max = count("numMaxDelayRetries", self.num_max_delay_retries)?;
        let backing_off = all.checked_sub(no_delay + at_min + at_max).ok_or(InvalidDeliveryPolicy::Phases)?;
        let small = |number: u64| u32::try_from(number).expect("bounded by RETRIES_MAX");
        Ok(RetryPolicy {
            num_no_delay_retries: small(no_delay),
            num_min_delay_retries: small(at_min),
            num_backoff_retries: small(backing_off),
            num_max_delay_retries: small(at_max),
            min_delay_target: Duration::from_secs(min_delay),
            max_delay_target: Duration::from_secs(max_delay),
            backoff_function: self.backoff_function.unwrap_or(BackoffFunction::Linear),
        })
    }
}

fn bounded(name: &'static str, value: u64, min: u64, max: u64) -> Result<u64, InvalidDeliveryPolicy> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(InvalidDeliveryPolicy::Bounds { name, min, max })
    }
}

/// What holds for one subscription after all who have a say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EffectivePolicy {
    pub(crate) retry: RetryPolicy,
    pub(crate) content_type: String,
}

impl EffectivePolicy {
    /// The subscription's policy over the topic's (unless that one forbids it) over the defaults, term by
    /// term.
    pub(crate) fn new(topic: Option<&DeliveryPolicy>, subscription: Option<&DeliveryPolicy>) -> Self {
        let overrides_allowed = topic.is_none_or(|topic| !topic.terms.disable_subscription_overrides);
        let in_order = [subscription.filter(|_| overrides_allowed), topic];
        let said = || in_order.iter().flatten().map(|policy| &policy.terms);
        Self {
            retry: said().find_map(|terms| terms.retry).unwrap_or(DEFAULT_HTTP_POLICY),
            content_type: said()
                .find_map(|terms| terms.content_type.clone())
                .unwrap_or_else(|| CONTENT_TYPE.to_owned()),
        }
    }

    /// `EffectiveDeliveryPolicy` of a subscription.
    pub(crate) fn of_subscription_json(&self) -> String {
        json!({
            "healthyRetryPolicy": self.retry_json(),
            "sicklyRetryPolicy": null,
            "throttlePolicy": null,
            "requestPolicy": { "headerContentType": self.content_type },
            "guaranteed": false,
        })
        .to_string()
    }

    /// `EffectiveDeliveryPolicy` of a topic.
    pub(crate) fn of_topic_json(&self, topic: Option<&DeliveryPolicy>) -> String {
        json!({
            "http": {
                "defaultHealthyRetryPolicy": self.retry_json(),
                "disableSubscriptionOverrides":
                    topic.is_some_and(|topic| topic.terms.disable_subscription_overrides),
                "defaultRequestPolicy": { "headerContentType": self.content_type },
            }
        })
        .to_string()
    }

    fn retry_json(&self) -> Value {
        let retry = &self.retry;
        json!({
            "minDelayTarget": retry.min_delay_target.as_secs(),
            "maxDelayTarget": retry.max_delay_target.as_secs(),
            "numRetries": retry.retries(),
            "numMaxDelayRetries": retry.num_max_delay_retries,
            "numNoDelayRetries": retry.num_no_delay_retries,
            "numMinDelayRetries": retry.num_min_delay_retries,
            "backoffFunction": retry.backoff_function,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriptions_policy_wins_unless_the_topic_forbids_it() {
        let topic = |disable: bool| {
            let text = format!(
                r#"{{"http":{{"defaultHealthyRetryPolicy":{{"numRetries":7}},"disableSubscriptionOverrides":{disable}}}}}"#
            );
            DeliveryPolicy::of_topic(&text).expect("well formed")
        };
        let own = DeliveryPolicy::of_subscription(r#"{"healthyRetryPolicy":{"numRetries":5}}"#)
            .expect("well formed");
        let retries = |topic: Option<&DeliveryPolicy>, own| EffectivePolicy::new(topic, own).retry.retries();
        assert_eq!(retries(None, None), 50);
        assert_eq!(retries(Some(&topic(false)), None), 7);
        assert_eq!(retries(Some(&topic(false)), Some(&own)), 5);
        assert_eq!(retries(Some(&topic(true)), Some(&own)), 7);
    }

    #[test]
    fn numbers_are_bounded_and_unknown_members_refused() {
        let check = |retry: &str, expected: &str| {
            let text = format!(r#"{{"healthyRetryPolicy":{{{retry}}}}}"#);
            let error = DeliveryPolicy::of_subscription(&text).expect_err(retry);
            assert!(error.to_string().starts_with(expected), "{retry}: {error}");
        };
        check(r#""numRetries":101"#, "numRetries must be between 0 and 100");
        check(r#""minDelayTarget":0"#, "minDelayTarget must be between 1 and 3600");
        check(r#""minDelayTarget":30,"maxDelayTarget":29"#, "maxDelayTarget must be between 30 and 3600");
        check(r#""maxDelayTarget":3601"#, "maxDelayTarget must be between 20 and 3600");
        check(r#""numRetries":5,"numNoDelayRetries":3,"numMaxDelayRetries":3"#, "the retries of all phases");
        check(r#""numRetriez":5"#, "failed to parse JSON");
        let throttled = DeliveryPolicy::of_subscription(r#"{"throttlePolicy":{"maxReceivesPerSecond":5}}"#);
        assert_eq!(throttled, Err(InvalidDeliveryPolicy::Throttle));
        let injected =
            DeliveryPolicy::of_subscription(r#"{"requestPolicy":{"headerContentType":"a\r\nb: c"}}"#);
        assert_eq!(injected, Err(InvalidDeliveryPolicy::ContentType));
    }
}

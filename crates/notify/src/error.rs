//! What can go wrong in SNS, told apart by what the caller got wrong. AWS's words for it are in `fault.rs`.

use groundwatch_core::{ArnError, TagError};
use groundwatch_storage::{MayConflict, StorageError};

use crate::attributes::InvalidAttribute;
use crate::subscription::delivery_policy::InvalidDeliveryPolicy;
use crate::subscription::filter::FilterPolicyError;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// No topic has that ARN.
    #[error("topic does not exist")]
    TopicNotFound,
    /// No subscription has that ARN.
    #[error("subscription does not exist")]
    SubscriptionNotFound,
    /// Nothing that can have tags has that ARN.
    #[error("resource does not exist")]
    ResourceNotFound,
    /// A batch of messages breaks a rule as a whole.
    #[error("{0}")]
    Batch(#[from] InvalidBatch),
    /// The topic or subscription belongs to another account, and policies that could allow it are not
    /// evaluated.
    #[error("{action} on `{arn}` is not allowed to account {account}")]
    OtherAccount {
        /// The action as IAM names it, such as `SNS:Publish`.
        action: &'static str,
        /// Whose call it is.
        account: groundwatch_core::AccountId,
        /// What it addresses.
        arn: String,
    },
    /// The subscription's owner asked that only signed calls end it, and this one is not signed.
    #[error("{action} needs a signed request")]
    SignatureRequired {
        /// The action as IAM names it.
        action: &'static str,
    },
    /// A parameter has a value that AWS refuses too.
    #[error("{0}")]
    Invalid(#[from] Invalid),
    /// AWS would accept it and Groundwatch does not do it, so it says no instead of ignoring it.
    #[error("{parameter}: {what} is not supported")]
    Unsupported {
        /// The parameter that asks for it.
        parameter: &'static str,
        /// What it asks for.
        what: String,
    },
    /// A topic has more than 50 tags.
    #[error("too many tags")]
    Tags(#[from] TagError),
    /// More notifications wait for their subscribers than the budget allows: retry later.
    #[error("too many notifications wait for their subscribers")]
    Backlog,
    /// Storage did not take it.
    #[error("storage did not take it")]
    Storage(#[from] StorageError),
}

/// What is wrong with a batch of messages as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch {
    /// It has no entry.
    #[error("batch is empty")]
    Empty,
    /// It has more than ten entries.
    #[error("batch has too many entries")]
    TooMany,
    /// Two entries have the same id.
    #[error("two entries have the same id")]
    RepeatedId,
    /// An entry's id is empty.
    #[error("an entry has no id")]
    NoId,
    /// An entry's id has more than 80 characters.
    #[error("the entry's id `{id}` is too long")]
    LongId {
        /// The id.
        id: String,
    },
    /// An entry's id has something else than letters, digits, hyphens and underscores.
    #[error("the entry's id `{id}` is malformed")]
    Id {
        /// The id.
        id: String,
    },
    /// All messages together are longer than 256 KiB.
    #[error("batch is too long")]
    TooLong,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A topic's name is not 1 to 256 ASCII letters, digits, `-` and `_`.
    #[error("not a topic name")]
    TopicName,
    /// A topic of that name exists with other attributes.
    #[error("topic exists with other attributes")]
    OtherTopicAttributes,
    /// A topic of that name exists with other tags.
    #[error("topic exists with other tags")]
    OtherTopicTags,
    /// The endpoint is subscribed already, with other attributes.
    #[error("subscription exists with other attributes")]
    OtherSubscriptionAttributes,
    /// An attribute that AWS does not have either.
    #[error("attribute `{name}` is unknown")]
    UnknownAttribute {
        /// Its name.
        name: String,
    },
    /// A call that sets one attribute names one that there is not, or that cannot be set.
    #[error("attribute cannot be set")]
    AttributeName,
    /// A policy is not a JSON object, or too long.
    #[error("policy is not a JSON object")]
    Policy,
    /// A policy has a statement of that label already.
    #[error("statement exists")]
    StatementExists,
    /// A permission is for an action that SNS topics do not have.
    #[error("action is not one of SNS")]
    ActionOutOfScope,
    /// A permission names nobody or nothing.
    #[error("{parameter} has an empty list or a malformed element")]
    Permission {
        /// Which parameter.
        parameter: &'static str,
    },
    /// A filter policy that AWS refuses too.
    #[error("filter policy: {error}")]
    FilterPolicy {
        /// What is wrong with it.
        #[source]
        error: FilterPolicyError,
        /// Whether it came with `Subscribe`.
        subscribing: bool,
    },
    /// A redrive policy is not JSON of its form.
    #[error("redrive policy is malformed")]
    RedrivePolicy,
    /// The redrive policy of a FIFO queue names one that is none.
    #[error("redrive policy has no FIFO queue")]
    RedriveFifo,
    /// A redrive policy names something else than a queue.
    #[error("redrive policy has no queue")]
    RedriveTarget,
    /// The endpoint is not the ARN of a queue.
    #[error("endpoint is not a queue")]
    QueueEndpoint,
    /// A FIFO queue cannot be subscribed to a standard topic.
    #[error("a FIFO queue needs a FIFO topic")]
    FifoQueue,
    /// Only queues can be subscribed to a FIFO topic.
    #[error("a FIFO topic needs a queue")]
    FifoTopicEndpoint,
    /// A message to a FIFO topic belongs to no group.
    #[error("message has no group")]
    NoGroupId,
    /// Nothing tells a message to a FIFO topic from others.
    #[error("message has no deduplication id")]
    NoDeduplicationId,
    /// A group or deduplication id is empty, too long, or has characters that ids cannot have.
    #[error("{parameter} is malformed")]
    FifoId {
        /// Which of them.
        parameter: &'static str,
    },
    /// The endpoint is not the ARN of a function.
    #[error("endpoint is not a function")]
    FunctionEndpoint,
    /// The endpoint is not a mail address.
    #[error("endpoint is not a mail address")]
    MailEndpoint,
    /// A message attribute that AWS refuses too.
    #[error("{0}")]
    Attribute(#[from] InvalidAttribute),
    /// A delivery policy that AWS refuses too.
    #[error("delivery policy: {0}")]
    DeliveryPolicy(#[from] InvalidDeliveryPolicy),
    /// An attribute's value is not one that it can have.
    #[error("attribute `{name}` cannot be `{value}`")]
    AttributeValue {
        /// The attribute's name.
        name: &'static str,
        /// The value.
        value: String,
        /// Whether it came alone, with `SetSubscriptionAttributes`.
        alone: bool,
    },
    /// Not an ARN at all.
    #[error("{parameter}: {source}")]
    Arn {
        /// Which parameter.
        parameter: &'static str,
        /// What is wrong with it.
        #[source]
        source: ArnError,
    },
    /// An ARN, but not of the kind or the region that the parameter wants.
    #[error("{parameter} names something else")]
    OtherArn {
        /// Which parameter.
        parameter: &'static str,
    },
    /// Neither `TopicArn` nor `TargetArn` is given.
    #[error("no target")]
    NoTarget,
    /// Both `TopicArn` and `TargetArn` are given.
    #[error("two targets")]
    TwoTargets,
    /// AWS has no such protocol.
    #[error("protocol `{protocol}` is unknown")]
    Protocol {
        /// Its name.
        protocol: String,
    },
    /// The endpoint is not a URL with a host, or too long.
    #[error("endpoint is not a URL")]
    Endpoint,
    /// The endpoint's scheme is not the protocol.
    #[error("endpoint does not match the protocol")]
    EndpointScheme,
    /// An endpoint of mobile push, of which there are none.
    #[error("no such endpoint")]
    NoMobileEndpoint,
    /// Not the id of a subscription.
    #[error("not a subscription")]
    SubscriptionId,
    /// A tag's key is there twice.
    #[error("two tags have the same key")]
    RepeatedTag,
    /// Not a token at all.
    #[error("malformed token")]
    MalformedToken,
    /// No subscription waits for that token.
    #[error("no subscription waits for this token")]
    Token,
    /// A paging token of another listing, or a damaged one.
    #[error("not a paging token of this listing")]
    NextToken,
    /// The message is empty.
    #[error("message is empty")]
    EmptyMessage,
    /// The message is longer than 256 KiB.
    #[error("message is too long")]
    MessageTooLong,
    /// The subject is empty, too long, or has control characters.
    #[error("subject is empty, longer than 100 characters, or has control characters")]
    Subject,
    /// `MessageStructure` is something else than `json`.
    #[error("message structure is unknown")]
    MessageStructure,
    /// `MessageStructure` is `json`, and the message is not a JSON object.
    #[error("structured message is not a JSON object")]
    StructuredMessage,
    /// `MessageStructure` is `json`, and the message has no text under `default`.
    #[error("structured message has no default")]
    NoDefaultMessage,
    /// A parameter that only FIFO topics take.
    #[error("{parameter} is for FIFO topics only")]
    FifoOnly {
        /// Which parameter.
        parameter: &'static str,
    },
}

impl MayConflict for NotifyError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}

//! What can go wrong in SQS, told apart by what the caller got wrong. AWS's words for it are in `fault.rs`.

use groundwatch_storage::{MayConflict, StorageError};

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    /// There is no such queue.
    #[error("queue does not exist")]
    QueueNotFound,
    /// The queue belongs to another account, and policies that could allow it are not evaluated.
    #[error("queue `{url}` is another account's")]
    OtherAccount {
        /// The queue's URL.
        url: String,
    },
    /// A queue of that name exists with other attributes.
    #[error("queue exists with another {attribute}")]
    QueueExists {
        /// The first attribute that differs.
        attribute: String,
    },
    /// The queue was purged less than a minute ago.
    #[error("queue `{name}` was purged less than a minute ago")]
    PurgeInProgress {
        /// The queue's name.
        name: String,
    },
    /// A parameter has a value that AWS refuses too.
    #[error("{0}")]
    Invalid(#[from] Invalid),
    /// AWS would do it and Groundwatch does not, or AWS does not either.
    #[error("{what}")]
    Unsupported {
        /// What is not done, as a sentence.
        what: String,
    },
    /// Not a receipt handle of this queue.
    #[error("receipt handle is invalid")]
    ReceiptHandle {
        /// The handle.
        handle: String,
    },
    /// The message of a receipt handle is not in flight.
    #[error("message is not in flight")]
    NotInFlight,
    /// More messages are in flight than a queue may have.
    #[error("too many messages are in flight")]
    TooManyInFlight,
    /// A permission names more actions than a statement may.
    #[error("{count} actions in a permission")]
    TooManyActions {
        /// How many.
        count: usize,
    },
    /// No move task has that id.
    #[error("no such move task")]
    MoveTaskNotFound,
    /// What a move task is about does not exist.
    #[error("no such {parameter}")]
    ResourceNotFound {
        /// The parameter that names it.
        parameter: &'static str,
    },
    /// The messages of all queues take all the memory that they may: receive and delete some.
    #[error("messages take more memory than the budget allows")]
    OutOfMemory,
    /// Storage did not take it.
    #[error("storage did not take it")]
    Storage(#[from] StorageError),
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A parameter that must be there is missing, or empty.
    #[error("{parameter} is missing")]
    Missing {
        /// Its name.
        parameter: &'static str,
    },
    /// Not a name of a queue.
    #[error("not a queue name")]
    QueueName,
    /// Not a name of a FIFO queue.
    #[error("not a FIFO queue name")]
    FifoQueueName,
    /// Not a URL of a queue of this server.
    #[error("not a queue URL: {url}")]
    QueueUrl {
        /// What was given.
        url: String,
    },
    /// A parameter's value, with AWS's reason.
    #[error("{parameter}: {reason}")]
    Value {
        /// The parameter.
        parameter: String,
        /// What was given.
        value: String,
        /// Why not, in AWS's words.
        reason: String,
    },
    /// Something else about the parameters, in AWS's words.
    #[error("{text}")]
    Parameter {
        /// The whole message.
        text: String,
    },
    /// A key of KMS and the queue's own encryption at once.
    #[error("two kinds of encryption")]
    TwoEncryptions,
    /// No attribute has that name, or it cannot be asked for or set here.
    #[error("attribute `{name}` is unknown")]
    AttributeName {
        /// The name.
        name: String,
    },
    /// An attribute that only FIFO queues have.
    #[error("attribute `{name}` needs a FIFO queue")]
    FifoAttributeName {
        /// The name.
        name: String,
    },
    /// An attribute cannot have that value.
    #[error("attribute `{name}` cannot have that value")]
    AttributeValue {
        /// The attribute.
        name: String,
        /// AWS's reason, where it gives one.
        reason: Option<&'static str>,
    },
    /// The body has characters that XML has not.
    #[error("characters that cannot be sent")]
    MessageContents,
    /// A batch without entries.
    #[error("empty batch")]
    EmptyBatch {
        /// The name of the entries.
        entry: &'static str,
    },
    /// A batch of more than ten entries.
    #[error("{count} entries")]
    TooManyEntries {
        /// How many there are.
        count: usize,
    },
    /// Two entries of a batch have one id.
    #[error("id `{id}` repeated")]
    IdNotDistinct {
        /// The id.
        id: String,
    },
    /// An id of a batch's entry is not 1 to 80 letters, digits, hyphens and underscores.
    #[error("id is not one")]
    EntryId,
    /// The messages of a batch are larger than one may be, together.
    #[error("{bytes} bytes in a batch")]
    BatchTooLong {
        /// How many bytes they have.
        bytes: usize,
    },
}

impl Invalid {
    pub(crate) fn value(
        parameter: impl Into<String>,
        value: impl std::fmt::Display,
        reason: impl Into<String>,
    ) -> Self {
        // What is shown is bounded: it goes into an answer.
        let value = format!("{value}").chars().take(512).collect();
        Self::Value { parameter: parameter.into(), value, reason: reason.into() }
    }

    pub(crate) fn parameter(text: impl Into<String>) -> Self {
        Self::Parameter { text: text.into() }
    }

    pub(crate) fn attribute_name(name: &str) -> Self {
        Self::AttributeName { name: name.to_owned() }
    }

    pub(crate) fn attribute_value(name: &str) -> Self {
        Self::AttributeValue { name: name.to_owned(), reason: None }
    }
}

impl MayConflict for SqsError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}

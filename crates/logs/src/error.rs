//! What can go wrong, in this crate's words. AWS's words are in [`crate::fault`].

use groundwatch_core::TagError;
use groundwatch_storage::{MayConflict, StorageError};

use crate::anomaly::AnomalyError;
use crate::export::ExportError;
use crate::forwarding::ForwardingError;
use crate::identifier::IdentifierError;
use crate::index_policy::IndexPolicyError;
use crate::ingestion::BatchError;
use crate::lookup_table::LookupTableError;
use crate::metric_filter::FilterError;
use crate::pattern::PatternError;
use crate::policy::PolicyError;
use crate::protection::ProtectionError;
use crate::query_definition::QueryDefinitionError;
use crate::store::StoreError;
use crate::transformer::TransformerError;
use crate::vended::VendedError;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// There is a group of that name already.
    #[error("log group exists already")]
    GroupExists,
    /// There is no group of that name.
    #[error("log group does not exist")]
    GroupMissing,
    /// The group's deletion is refused as long as it is protected.
    #[error("log group is protected from deletion")]
    GroupProtected,
    /// The group's name begins with what AWS keeps for itself.
    #[error("log group name is reserved")]
    GroupNameReserved,
    /// The group's class does not offer the operation.
    #[error("log group class does not allow {operation}")]
    ClassRefuses {
        /// The operation.
        operation: &'static str,
    },
    /// There is a stream of that name in the group already.
    #[error("log stream exists already")]
    StreamExists,
    /// There is no stream of that name in the group.
    #[error("log stream does not exist")]
    StreamMissing,
    /// The group is not named as it must be.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// The batch of events breaks a rule.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The filter pattern is wrong or beyond what is implemented.
    #[error("filter pattern is refused")]
    Pattern(#[from] PatternError),
    /// A paging token that this listing did not make.
    #[error("paging token is not one of this listing")]
    InvalidToken,
    /// Members that exclude each other, or values that do not fit together.
    #[error(transparent)]
    Combination(#[from] Combination),
    /// A retention that AWS does not offer.
    #[error("events cannot be kept for {days} days")]
    Retention {
        /// What was asked for.
        days: i32,
    },
    /// Tags that are not allowed.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// An ARN of something that has no tags.
    #[error("`{arn}` does not exist or has no tags")]
    NotTaggable {
        /// What was given.
        arn: String,
    },
    /// A name pattern that is not `^?text`, up to five times with `|` between.
    #[error("`{pattern}` is not a pattern of group names")]
    NamePattern {
        /// What was given.
        pattern: String,
    },
    /// A member that is understood and not offered.
    #[error("{what} is not supported")]
    Unsupported {
        /// The member, or a value of it.
        what: &'static str,
    },
    /// A metric filter that is refused, or is not there.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A saved query that is refused, or is not there.
    #[error(transparent)]
    QueryDefinition(#[from] QueryDefinitionError),
    /// An index policy that is refused, or is not there.
    #[error(transparent)]
    IndexPolicy(#[from] IndexPolicyError),
    /// Something about an anomaly detector that is refused, or is not there.
    #[error(transparent)]
    Anomaly(#[from] AnomalyError),
    /// A data protection policy that is refused, or is not there.
    #[error(transparent)]
    Protection(#[from] ProtectionError),
    /// A transformer that is refused, or is not there.
    #[error(transparent)]
    Transformer(#[from] TransformerError),
    /// A lookup table that is refused, or is not there.
    #[error(transparent)]
    LookupTable(#[from] LookupTableError),
    /// A policy that is refused, or is not there.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A destination or a subscription that is refused, or is not there.
    #[error(transparent)]
    Forwarding(#[from] ForwardingError),
    /// As many filters of the group as may have regular expressions in their patterns have some.
    #[error("too many filters have regular expressions")]
    TooManyRegexes,
    /// The account follows as many live tails as it may.
    #[error("too many live tail sessions")]
    TooManySessions,
    /// A live tail has lasted as long as it may.
    #[error("live tail session timed out")]
    SessionTimedOut,
    /// An export task that is refused, or is not there.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Something about vended logs that is refused, or is not there.
    #[error(transparent)]
    Vended(#[from] VendedError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Members of one request that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Combination {
    /// `DescribeLogGroups` with a prefix and a pattern.
    #[error("a name prefix and a name pattern exclude each other")]
    PrefixAndPattern,
    /// `DescribeLogGroups` with identifiers and a prefix or pattern.
    #[error("identifiers and a name prefix or pattern exclude each other")]
    IdentifiersAndName,
    /// `DescribeLogStreams` by time, with a prefix.
    #[error("a name prefix and the order by time exclude each other")]
    PrefixAndLastEventTime,
    /// `FilterLogEvents` with stream names and a prefix.
    #[error("stream names and a stream name prefix exclude each other")]
    StreamNamesAndPrefix,
    /// `StartLiveTail` with stream names and prefixes.
    #[error("stream names and stream name prefixes exclude each other")]
    StreamNamesAndPrefixes,
    /// `StartLiveTail` with streams and several groups.
    #[error("streams can be chosen of one group only")]
    StreamsOfSeveralGroups,
    /// `FilterLogEvents` from the tail without a start in 2024 or later.
    #[error("reading from the tail needs a start time in 2024 or later")]
    TailNeedsStart,
}

impl From<StorageError> for LogsError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

impl MayConflict for LogsError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Storage(error)) if error.is_conflict())
    }
}

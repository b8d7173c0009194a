//! What can be wrong with a request about alarms.

use groundwatch_core::TagError;
use groundwatch_storage::StorageError;

use crate::definition::DefinitionError;
use crate::mute::schedule::ScheduleError;

/// Why an operation is refused. AWS's words for it are in `fault`.
#[derive(Debug, thiserror::Error)]
pub enum AlarmError {
    /// A definition that cannot be evaluated.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A name that an alarm of another type has.
    #[error("the alarm `{name}` is of another type")]
    OtherType {
        /// The name.
        name: String,
    },
    /// A rule that names alarms that do not exist.
    #[error("the rule names alarms that do not exist: {}", names.join(", "))]
    ChildrenMissing {
        /// Their names.
        names: Vec<String>,
    },
    /// A suppressor that does not exist.
    #[error("the suppressor `{name}` does not exist")]
    SuppressorMissing {
        /// Its name.
        name: String,
    },
    /// An alarm that is in too many composite alarms.
    #[error("`{name}` is in {limit} composite alarms already")]
    ParentsLimit {
        /// Its name.
        name: String,
        /// How many there may be.
        limit: usize,
    },
    /// More than one composite alarm to be deleted.
    #[error("only one composite alarm can be deleted at a time")]
    SeveralComposites,
    /// Alarms to be deleted that composite alarms depend on.
    #[error("composite alarms depend on {}", names.join(", "))]
    Referenced {
        /// Their names.
        names: Vec<String>,
    },
    /// An alarm that does not exist.
    #[error("there is no such alarm")]
    NotFound,
    /// An alarm that does not exist, asked for by an operation that names it in its answer.
    #[error("there is no alarm `{name}`")]
    NamedNotFound {
        /// Its name.
        name: String,
    },
    /// A mute rule that does not exist.
    #[error("the mute rule `{name}` does not exist")]
    MuteRuleNotFound {
        /// Its name.
        name: String,
    },
    /// A mute rule for an alarm that does not exist.
    #[error("the alarm `{name}` to be muted does not exist")]
    MuteTargetMissing {
        /// The alarm's name.
        name: String,
    },
    /// As many mute rules as there may be.
    #[error("there are {limit} mute rules already")]
    MuteRulesLimit {
        /// How many there may be.
        limit: usize,
    },
    /// A mute rule that expires before it starts.
    #[error("the mute rule expires before it starts")]
    MuteDates,
    /// A mute rule whose schedule cannot be read.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// `StateReasonData` is not JSON.
    #[error("the state's reason data is not JSON")]
    ReasonData,
    /// Parameters that exclude each other.
    #[error("`{parameter}` excludes `{other}`")]
    Excluded {
        /// The parameter that stands alone.
        parameter: &'static str,
        /// What it came with.
        other: &'static str,
    },
    /// A time range that ends before it begins.
    #[error("the range of time ends before it begins")]
    Range,
    /// A `NextToken` that this listing has not given out.
    #[error("the paging token is foreign or damaged")]
    NextToken,
    /// A parameter that Groundwatch does not support yet.
    #[error("`{parameter}` is not supported yet")]
    Unsupported {
        /// The parameter.
        parameter: &'static str,
    },
    /// The alarms could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Tags that an alarm cannot have.
    #[error(transparent)]
    Tags(#[from] TagError),
}

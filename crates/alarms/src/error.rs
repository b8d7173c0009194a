//! What can be wrong with a request about alarms.

use groundwatch_storage::StorageError;

use crate::definition::DefinitionError;

/// Why an operation is refused. AWS's words for it are in `fault`.
#[derive(Debug, thiserror::Error)]
pub enum AlarmError {
    /// A definition that cannot be evaluated.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// An alarm that does not exist.
    #[error("there is no such alarm")]
    NotFound,
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
}

//! What can go wrong with dashboards, told apart by what the caller got wrong. AWS's words for it are in
//! `fault.rs`.

use groundwatch_core::TagError;
use groundwatch_storage::{MayConflict, StorageError};

use crate::body::Finding;
use crate::image::WidgetError;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// Not a name that a dashboard can have.
    #[error("not a dashboard name")]
    Name,
    /// The body is not a JSON object.
    #[error("dashboard body is not a JSON object")]
    NotAnObject,
    /// The body is longer than can be kept.
    #[error("dashboard body is longer than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// The body breaks rules of its language; at least one.
    #[error("dashboard body breaks {count} rules")]
    Body {
        /// How many.
        count: usize,
        /// The first of them.
        errors: Vec<Finding>,
    },
    /// There are no such dashboards.
    #[error("dashboards do not exist")]
    NotFound {
        /// Their names.
        names: Vec<String>,
    },
    /// A list that must have members has none, or too many.
    #[error("{parameter} must have 1 to {count_max} members")]
    Count {
        /// Which parameter.
        parameter: &'static str,
        /// How many it may have.
        count_max: usize,
    },
    /// A paging token of another listing, or a damaged one.
    #[error("not a paging token of this listing")]
    NextToken,
    /// Tags that a resource cannot have.
    #[error("tags are refused")]
    Tags(#[from] TagError),
    /// The widget of an image cannot be drawn.
    #[error("widget cannot be drawn")]
    Widget(#[from] WidgetError),
    /// An image format that is not answered.
    #[error("image format `{format}` is not supported")]
    Format {
        /// What was asked for.
        format: String,
    },
    /// A saved query's path breaks a rule.
    #[error("path of a saved query {rule}")]
    Path {
        /// Which rule, as a predicate.
        rule: &'static str,
    },
    /// Another saved query has that path.
    #[error("path is used by another saved query")]
    PathTaken,
    /// As many saved queries as there may be.
    #[error("too many saved queries")]
    TooManyQueries,
    /// There is no saved query of that id.
    #[error("saved query `{id}` does not exist")]
    QueryNotFound {
        /// The id.
        id: String,
    },
    /// Storage did not take it.
    #[error("storage did not take it")]
    Storage(#[from] StorageError),
}

impl MayConflict for DashboardError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}

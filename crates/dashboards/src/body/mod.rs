//! What a dashboard's body may say: the rules of AWS's language, as tables, and what was found to break them.
//!
//! Errors keep a body from being stored; warnings come back beside it. Only rules that AWS documents or is
//! known to enforce are errors, so that no body that AWS takes is refused here.

mod annotations;
mod metric;
mod schema;
mod variables;
mod widgets;

use serde_json::Value;

pub(crate) use annotations::ANNOTATIONS;
pub(crate) use metric::{Y_AXIS, check_rows};
pub use schema::{Finding, Findings};
pub(crate) use schema::{Node, Property, Rule, Schema, optional, required};

use crate::DashboardError;

/// The longest body, in bytes. Our own bound: AWS documents limits on widgets and metrics only.
const BYTES_MAX: usize = 1 << 20;

/// A body's outermost object.
static BODY: Schema = Schema {
    properties: &[
        required("widgets", Rule::List { min: 0, max: 500, of: &Rule::Check(widgets::check) }),
        optional("variables", Rule::List { min: 0, max: 25, of: &Rule::Check(variables::check) }),
        optional("start", Rule::Text { max: usize::MAX }),
        optional("end", Rule::Text { max: usize::MAX }),
        optional("periodOverride", Rule::OneOf(&["auto", "inherit"])),
    ],
};

/// Checks the text of a body. Answers its warnings.
pub fn validate(text: &str) -> Result<Vec<Finding>, DashboardError> {
    if text.len() > BYTES_MAX {
        return Err(DashboardError::TooLong { bytes_max: BYTES_MAX });
    }
    // Nesting is bounded by the parser.
    let body: Value = serde_json::from_str(text).map_err(|_| DashboardError::NotAnObject)?;
    if !body.is_object() {
        return Err(DashboardError::NotAnObject);
    }
    let mut found = Findings::default();
    let root = Node::root(&body);
    BODY.check(&root, &mut found);
    if let (Some(end), None) = (root.member("end"), root.member("start")) {
        found.error(&end, "end requires start");
    }
    found.into_outcome()
}

#[cfg(test)]
mod tests;

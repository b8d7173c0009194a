//! Lines and bands across a graph: at a value, or at a moment.

use groundwatch_core::Timestamp;

use super::schema::{Findings, Node, Rule, Schema, optional, required};

/// `annotations` of a metric widget.
pub(crate) static ANNOTATIONS: Schema = Schema {
    properties: &[
        optional("alarms", Rule::List { min: 0, max: 1, of: &Rule::Text { max: usize::MAX } }),
        optional("horizontal", Rule::List { min: 0, max: 100, of: &Rule::Check(check_horizontal) }),
        optional("vertical", Rule::List { min: 0, max: 100, of: &Rule::Check(check_vertical) }),
    ],
};

static HORIZONTAL: Schema = Schema {
    properties: &[
        required("value", Rule::Number),
        optional("label", Rule::Text { max: usize::MAX }),
        optional("color", Rule::Text { max: usize::MAX }),
        optional("fill", Rule::OneOf(&["above", "below", "none"])),
        optional("visible", Rule::Bool),
        optional("yAxis", Rule::OneOf(&["left", "right"])),
    ],
};

static VERTICAL: Schema = Schema {
    properties: &[
        required("value", Rule::Pattern(is_moment, "date-time")),
        optional("label", Rule::Text { max: usize::MAX }),
        optional("color", Rule::Text { max: usize::MAX }),
        optional("fill", Rule::OneOf(&["before", "after", "none"])),
        optional("visible", Rule::Bool),
    ],
};

fn check_horizontal(node: &Node<'_>, found: &mut Findings) {
    check_line_or_band(node, &HORIZONTAL, found);
}

fn check_vertical(node: &Node<'_>, found: &mut Findings) {
    check_line_or_band(node, &VERTICAL, found);
}

/// A line is an object; a band is a list of the two lines between which it lies.
fn check_line_or_band(node: &Node<'_>, line: &'static Schema, found: &mut Findings) {
    match node.value.as_array() {
        None => line.check(node, found),
        Some(lines) if lines.len() == 2 => node.items().for_each(|item| line.check(&item, found)),
        Some(_) => found.error(node, "Should have exactly 2 items"),
    }
}

fn is_moment(text: &str) -> bool {
    Timestamp::parse_iso8601(text).is_ok()
}

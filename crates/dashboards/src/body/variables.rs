//! Variables: what a viewer may choose. They are replaced by the viewer, never here.

use super::schema::{Findings, Node, Rule, Schema, optional, required};

static VARIABLE: Schema = Schema {
    properties: &[
        required("type", Rule::OneOf(&["property", "pattern"])),
        optional("property", Rule::Text { max: usize::MAX }),
        optional("pattern", Rule::Text { max: usize::MAX }),
        required("inputType", Rule::OneOf(&["input", "select", "radio"])),
        required("id", Rule::Pattern(is_id, "^[0-9A-Za-z-_]{1,32}$")),
        optional("label", Rule::Text { max: 30 }),
        optional("defaultValue", Rule::Check(check_value)),
        optional("values", Rule::List { min: 1, max: 500, of: &Rule::Object(&VALUE) }),
        optional("search", Rule::Text { max: 2048 }),
        optional("populateFrom", Rule::Text { max: usize::MAX }),
        optional("visible", Rule::Bool),
    ],
};

static VALUE: Schema = Schema {
    properties: &[required("value", Rule::Check(check_value)), optional("label", Rule::Text { max: 255 })],
};

/// Checks one variable.
pub(super) fn check(variable: &Node<'_>, found: &mut Findings) {
    VARIABLE.check(variable, found);
    // What is replaced stands in the member that the type names.
    if let Some(kind @ ("property" | "pattern")) = variable.text("type")
        && variable.member(kind).is_none()
    {
        found.error(variable, format!("Should have required property '{kind}'"));
    }
    if variable.member("search").is_some() && variable.member("populateFrom").is_none() {
        found.error(variable, "Should have required property 'populateFrom'");
    }
}

fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=32).contains(&text.len()) && text.bytes().all(allowed)
}

/// A text of up to 255 characters, a number or a truth value.
fn check_value(node: &Node<'_>, found: &mut Findings) {
    if node.value.is_string() {
        Rule::Text { max: 255 }.check(node, found);
    } else if !node.value.is_number() && !node.value.is_boolean() {
        found.error(node, "Should be string,number,boolean");
    }
}

//! A widget's place on the grid, and the properties of each type.

use super::metric;
use super::schema::{Findings, Node, Property, Rule, Schema, optional, required};

/// Columns of the grid.
const COLUMNS: i64 = 24;

/// A widget's width where it says none.
const WIDTH_DEFAULT: i64 = 6;

const PLACE: [Property; 4] = [
    optional("x", Rule::Integer { min: 0, max: COLUMNS - 1 }),
    optional("y", Rule::Integer { min: 0, max: i64::MAX }),
    optional("width", Rule::Integer { min: 1, max: COLUMNS }),
    optional("height", Rule::Integer { min: 1, max: 1000 }),
];

const TYPES: &[&str] = &["metric", "text", "log", "alarm", "explorer", "custom", "chart"];

static WIDGET: Schema = Schema {
    properties: &{
        let [x, y, width, height] = PLACE;
        [
            required("type", Rule::OneOf(TYPES)),
            x,
            y,
            width,
            height,
            required("properties", Rule::Check(is_object)),
        ]
    },
};

static TEXT: Schema = Schema {
    properties: &[
        required("markdown", Rule::Text { max: usize::MAX }),
        optional("background", Rule::OneOf(&["transparent", "solid"])),
    ],
};

static LOG: Schema = Schema {
    properties: &[
        required("query", Rule::Text { max: usize::MAX }),
        required("region", Rule::Text { max: usize::MAX }),
        optional("accountId", Rule::Text { max: usize::MAX }),
        optional("title", Rule::Text { max: usize::MAX }),
        optional("view", Rule::OneOf(&["table", "timeSeries", "bar", "pie"])),
        optional("stacked", Rule::Bool),
        optional("queryLanguage", Rule::Text { max: usize::MAX }),
        optional("queryBy", Rule::Any),
    ],
};

static ALARM: Schema = Schema {
    properties: &[
        required("alarms", Rule::List { min: 1, max: 100, of: &Rule::Text { max: usize::MAX } }),
        optional("sortBy", Rule::OneOf(&["default", "stateUpdatedTimestamp", "timestamp"])),
        optional(
            "states",
            Rule::List { min: 0, max: 3, of: &Rule::OneOf(&["ALARM", "INSUFFICIENT_DATA", "OK"]) },
        ),
        optional("title", Rule::Text { max: usize::MAX }),
    ],
};

static EXPLORER: Schema = Schema {
    properties: &[
        required("metrics", Rule::List { min: 1, max: 100, of: &Rule::Object(&EXPLORER_METRIC) }),
        required("labels", Rule::List { min: 0, max: 500, of: &Rule::Object(&EXPLORER_LABEL) }),
        optional("aggregateBy", Rule::Check(check_aggregate)),
        optional("splitBy", Rule::Text { max: usize::MAX }),
        optional("period", Rule::Integer { min: 1, max: i64::MAX }),
        optional("title", Rule::Text { max: usize::MAX }),
        optional("widgetOptions", Rule::Object(&EXPLORER_OPTIONS)),
    ],
};

static EXPLORER_METRIC: Schema = Schema {
    properties: &[
        required("metricName", Rule::Text { max: usize::MAX }),
        required("resourceType", Rule::Text { max: usize::MAX }),
        required("stat", Rule::Text { max: usize::MAX }),
    ],
};

static EXPLORER_LABEL: Schema = Schema {
    properties: &[
        required("key", Rule::Text { max: usize::MAX }),
        optional("value", Rule::Text { max: usize::MAX }),
    ],
};

static EXPLORER_AGGREGATE: Schema = Schema {
    properties: &[
        required("key", Rule::Text { max: usize::MAX }),
        required("func", Rule::OneOf(&["AVG", "MIN", "MAX", "STDDEV", "SUM"])),
    ],
};

static EXPLORER_OPTIONS: Schema = Schema {
    properties: &[
        optional("legend", Rule::Object(&metric::LEGEND)),
        optional("rowsPerPage", Rule::Integer { min: 1, max: 500 }),
        optional("widgetsPerRow", Rule::Integer { min: 1, max: 500 }),
        optional("stacked", Rule::Bool),
        optional("view", Rule::OneOf(&["timeSeries", "bar", "pie"])),
    ],
};

static CUSTOM: Schema = Schema {
    properties: &[
        required("endpoint", Rule::Text { max: usize::MAX }),
        optional("params", Rule::Any),
        optional("updateOn", Rule::Object(&UPDATE_ON)),
        optional("title", Rule::Text { max: usize::MAX }),
    ],
};

static UPDATE_ON: Schema = Schema {
    properties: &[
        optional("refresh", Rule::Bool),
        optional("resize", Rule::Bool),
        optional("timeRange", Rule::Bool),
    ],
};

/// Checks one widget.
pub(super) fn check(widget: &Node<'_>, found: &mut Findings) {
    WIDGET.check(widget, found);
    check_place(widget, found);
    let Some(properties) = widget.member("properties").filter(|properties| properties.value.is_object())
    else {
        return;
    };
    match widget.text("type") {
        Some("metric") => metric::check(&properties, found),
        Some("text") => TEXT.check(&properties, found),
        Some("log") => LOG.check(&properties, found),
        Some("alarm") => ALARM.check(&properties, found),
        Some("explorer") => EXPLORER.check(&properties, found),
        Some("custom") => CUSTOM.check(&properties, found),
        // PromQL's: newer than AWS's reference, which tells nothing of its properties.
        _ => {}
    }
}

fn is_object(node: &Node<'_>, found: &mut Findings) {
    if !node.value.is_object() {
        found.error(node, "Should be object");
    }
}

/// Either both coordinates or none, and nothing beyond the last column.
fn check_place(widget: &Node<'_>, found: &mut Findings) {
    for (one, other) in [("x", "y"), ("y", "x")] {
        if widget.member(one).is_some() && widget.member(other).is_none() {
            found.error(widget, format!("Should have required property '{other}'"));
        }
    }
    let number = |name: &str| widget.value.get(name).and_then(serde_json::Value::as_i64);
    let (x, width) = (number("x").unwrap_or(0), number("width").unwrap_or(WIDTH_DEFAULT));
    if x.saturating_add(width) > COLUMNS && (0..COLUMNS).contains(&x) && (1..=COLUMNS).contains(&width) {
        found.error(widget, format!("The sum of x and width should be <= {COLUMNS}"));
    }
}

/// One aggregation, or a list of one.
fn check_aggregate(node: &Node<'_>, found: &mut Findings) {
    if node.value.is_array() {
        node.items().for_each(|item| EXPLORER_AGGREGATE.check(&item, found));
    } else {
        EXPLORER_AGGREGATE.check(node, found);
    }
}

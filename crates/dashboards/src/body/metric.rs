//! The properties of a metric widget.

use super::annotations::ANNOTATIONS;
use super::schema::{Findings, Node, Rule, Schema, optional, required};
use crate::rows::{self, RowError};

/// Rows of a widget's `metrics`.
const ROWS_MAX: usize = 500;

const VIEWS: &[&str] = &["timeSeries", "singleValue", "gauge", "bar", "pie", "table"];

/// All but `region` and what it is that is shown, which have rules of their own.
static METRIC: Schema = Schema {
    properties: &[
        optional("metrics", Rule::Check(check_metrics)),
        optional("annotations", Rule::Object(&ANNOTATIONS)),
        optional("region", Rule::Text { max: usize::MAX }),
        optional("accountId", Rule::Text { max: usize::MAX }),
        optional("view", Rule::OneOf(VIEWS)),
        optional("stacked", Rule::Bool),
        optional("stat", Rule::Text { max: usize::MAX }),
        optional("period", Rule::Integer { min: 1, max: i64::MAX }),
        optional("title", Rule::Text { max: usize::MAX }),
        optional("liveData", Rule::Bool),
        optional("timezone", Rule::Text { max: usize::MAX }),
        optional("legend", Rule::Object(&LEGEND)),
        optional("yAxis", Rule::Object(&Y_AXIS)),
        optional("sparkline", Rule::Bool),
        optional("setPeriodToTimeRange", Rule::Bool),
        optional("trend", Rule::Bool),
        optional("singleValueFullPrecision", Rule::Bool),
        optional("labels", Rule::Any),
        optional("table", Rule::Object(&TABLE)),
        optional("start", Rule::Text { max: usize::MAX }),
        optional("end", Rule::Text { max: usize::MAX }),
    ],
};

pub(super) static LEGEND: Schema =
    Schema { properties: &[optional("position", Rule::OneOf(&["right", "bottom", "hidden"]))] };

/// `yAxis`.
pub(crate) static Y_AXIS: Schema =
    Schema { properties: &[optional("left", Rule::Object(&AXIS)), optional("right", Rule::Object(&AXIS))] };

static AXIS: Schema = Schema {
    properties: &[
        optional("label", Rule::Text { max: usize::MAX }),
        optional("min", Rule::Number),
        optional("max", Rule::Number),
        optional("showUnits", Rule::Bool),
    ],
};

static TABLE: Schema = Schema {
    properties: &[
        optional("layout", Rule::OneOf(&["horizontal", "vertical"])),
        optional("stickySummary", Rule::Bool),
        optional("showTimeSeriesData", Rule::Bool),
        optional(
            "summaryColumns",
            Rule::List { min: 0, max: 4, of: &Rule::OneOf(&["MIN", "MAX", "SUM", "AVG"]) },
        ),
    ],
};

static GAUGE: Schema = Schema { properties: &[required("min", Rule::Number), required("max", Rule::Number)] };

/// Checks the properties of a metric widget.
pub(super) fn check(properties: &Node<'_>, found: &mut Findings) {
    METRIC.check(properties, found);
    let annotations = properties.member("annotations");
    let has = |name: &str| {
        let list = annotations.as_ref().and_then(|annotations| annotations.value.get(name));
        list.and_then(serde_json::Value::as_array).is_some_and(|list| !list.is_empty())
    };
    match (properties.member("metrics"), has("alarms")) {
        (None, false) => found.error(properties, "Should have required property 'metrics'"),
        (Some(_), true) => {
            found
                .error(properties, "Either metrics or an alarm annotation should be specified, but not both");
        }
        _ => {}
    }
    if has("alarms") && (has("horizontal") || has("vertical")) {
        found.error(properties, "An alarm annotation cannot be used with horizontal or vertical annotations");
    }
    if properties.member("region").is_none() {
        found.error(
            properties,
            "The metric widget should have specified a region and a data source or an alarm annotation",
        );
    }
    if properties.text("view") == Some("gauge") {
        check_gauge(properties, found);
    }
}

/// A gauge has no scale of its own.
fn check_gauge(properties: &Node<'_>, found: &mut Findings) {
    let left = properties.member("yAxis").and_then(|axes| axes.member("left"));
    match left {
        None => found.error(properties, "Should have required property 'yAxis.left'"),
        Some(left) => {
            for name in GAUGE.properties.iter().map(super::Property::name) {
                if left.member(name).is_none() {
                    found.error(&left, format!("Should have required property '{name}'"));
                }
            }
        }
    }
}

fn check_metrics(metrics: &Node<'_>, found: &mut Findings) {
    check_rows(metrics, ROWS_MAX, found);
}

/// Checks the rows of `metrics`, of which there may be `rows_max`. Also for the widget of an image.
pub(crate) fn check_rows(metrics: &Node<'_>, rows_max: usize, found: &mut Findings) {
    let Some(items) = metrics.value.as_array() else {
        found.error(metrics, "Should be array");
        return;
    };
    if items.len() > rows_max {
        found.error(metrics, format!("Should NOT have more than {rows_max} items"));
        return;
    }
    if let Err(errors) = rows::parse(metrics.value) {
        for RowError { path, problem } in errors {
            let node = Node { value: metrics.value, path: format!("{}{path}", metrics.path) };
            found.error(&node, problem.to_string());
        }
    }
}

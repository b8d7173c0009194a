use serde_json::{Value, json};

use super::validate;
use crate::DashboardError;

/// Path and message of each, a line each.
fn lines(findings: &[super::Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.path, finding.message)).collect()
}

fn errors(body: &Value) -> Vec<String> {
    match validate(&body.to_string()) {
        Err(DashboardError::Body { errors, .. }) => lines(&errors),
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]
fn widget(kind: &str, properties: Value) -> Value {
    json!({"widgets": [{"type": kind, "properties": properties}]})
}

#[test]
fn a_body_of_every_widget_type_is_clean() {
    let body = json!({
        "start": "-PT6H", "periodOverride": "inherit",
        "variables": [{"type": "property", "property": "InstanceId", "inputType": "select", "id": "host", "label": "Host",
            "defaultValue": "__FIRST", "search": "{AWS/EC2,InstanceId} MetricName=\"CPUUtilization\"",
            "populateFrom": "InstanceId", "visible": true}],
        "widgets": [
            {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
                "metrics": [["AWS/EC2", "CPUUtilization", "InstanceId", "i-1", {"stat": "p99", "color": "#ff0000"}],
                    ["...", "i-2"], [{"expression": "SUM(METRICS())", "label": "all", "id": "e1"}]],
                "region": "eu-west-1", "view": "timeSeries", "stacked": true, "period": 300, "title": "CPU",
                "annotations": {"horizontal": [{"value": 80, "fill": "above", "label": "hot"}, [{"value": 1}, {"value": 2}]],
                    "vertical": [{"value": "2026-01-01T00:00:00Z"}]},
                "yAxis": {"left": {"min": 0, "label": "%"}}, "legend": {"position": "right"}}},
            {"type": "metric", "properties": {"region": "eu-west-1",
                "annotations": {"alarms": ["arn:aws:cloudwatch:eu-west-1:0:alarm:a"]}}},
            {"type": "text", "properties": {"markdown": "# Hello", "background": "solid"}},
            {"type": "log", "properties": {"query": "SOURCE 'g' | fields @message", "region": "eu-west-1", "view": "table"}},
            {"type": "alarm", "properties": {"alarms": ["arn"], "sortBy": "timestamp", "states": ["ALARM"]}},
            {"type": "explorer", "properties": {"metrics": [{"metricName": "M", "resourceType": "AWS::EC2::Instance",
                "stat": "Average"}], "labels": [{"key": "env"}], "aggregateBy": {"key": "*", "func": "AVG"}}},
            {"type": "custom", "properties": {"endpoint": "arn", "params": {"a": 1}, "updateOn": {"refresh": true}}},
            {"type": "chart", "properties": {"data": {"queries": []}}}
        ]
    });
    assert_eq!(
        validate(&body.to_string()).map(|warnings| lines(&warnings)).expect("valid"),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let check = |body: Value, expected: &[&str]| assert_eq!(errors(&body), expected, "{body}");
    check(json!({}), &[": Should have required property 'widgets'"]);
    check(json!({"widgets": 1}), &["/widgets: Should be array"]);
    check(json!({"widgets": [1]}), &["/widgets/0: Should be object"]);
    check(
        json!({"widgets": [{"type": "graph", "properties": {}}]}),
        &["/widgets/0/type: Should be equal to one of the allowed values"],
    );
    check(
        json!({"widgets": [{"type": "text"}]}),
        &["/widgets/0: Should have required property 'properties'"],
    );
    check(widget("text", json!({})), &["/widgets/0/properties: Should have required property 'markdown'"]);
    check(
        widget("metric", json!({"region": "r"})),
        &["/widgets/0/properties: Should have required property 'metrics'"],
    );
    check(
        widget("metric", json!({"metrics": [["N", "M"]]})),
        &[
            "/widgets/0/properties: The metric widget should have specified a region and a data source or an alarm annotation",
        ],
    );
    check(
        widget("metric", json!({"region": "r", "metrics": [["N", 5]]})),
        &[
            "/widgets/0/properties/metrics/0/1: Field \"metrics\" has to be an array of array of strings, with an optional \
           metricRenderer object as last element",
        ],
    );
    check(
        widget("metric", json!({"region": "r", "metrics": [["N", "M"]], "view": "gauge"})),
        &["/widgets/0/properties: Should have required property 'yAxis.left'"],
    );
    check(
        widget(
            "metric",
            json!({"region": "r", "metrics": [], "annotations": {"alarms": ["a"], "horizontal": [{"value": 1}]}}),
        ),
        &[
            "/widgets/0/properties: Either metrics or an alarm annotation should be specified, but not both",
            "/widgets/0/properties: An alarm annotation cannot be used with horizontal or vertical annotations",
        ],
    );
    check(
        widget(
            "metric",
            json!({"region": "r", "metrics": [], "annotations": {"vertical": [[{"value": "noon"}]]}}),
        ),
        &["/widgets/0/properties/annotations/vertical/0: Should have exactly 2 items"],
    );
    check(
        widget("alarm", json!({"alarms": []})),
        &["/widgets/0/properties/alarms: Should NOT have fewer than 1 items"],
    );
}

#[test]
fn places_lie_on_the_grid() {
    let place = |place: Value| {
        let mut widget = json!({"type": "text", "properties": {"markdown": ""}});
        widget.as_object_mut().expect("an object").extend(place.as_object().expect("an object").clone());
        errors(&json!({"widgets": [widget]}))
    };
    assert_eq!(place(json!({"x": 18, "y": 3})), Vec::<String>::new());
    assert_eq!(place(json!({"x": 1})), ["/widgets/0: Should have required property 'y'"]);
    assert_eq!(place(json!({"y": 1})), ["/widgets/0: Should have required property 'x'"]);
    assert_eq!(place(json!({"x": 19, "y": 0})), ["/widgets/0: The sum of x and width should be <= 24"]);
    assert_eq!(place(json!({"width": 25})), ["/widgets/0/width: Should be <= 24"]);
    assert_eq!(place(json!({"height": 0.5})), ["/widgets/0/height: Should be integer"]);
}

#[test]
fn variables_name_what_they_replace() {
    let variable = |variable: Value| errors(&json!({"widgets": [], "variables": [variable]}));
    assert_eq!(
        variable(json!({"type": "pattern", "property": "x", "inputType": "input", "id": "a b"})),
        [
            "/variables/0/id: Should match pattern \"^[0-9A-Za-z-_]{1,32}$\"",
            "/variables/0: Should have required property 'pattern'"
        ]
    );
}

#[test]
fn what_is_unknown_is_only_warned_of() {
    let body = widget("text", json!({"markdown": "", "shape": "round"}));
    let warnings = validate(&body.to_string()).expect("stored all the same");
    assert_eq!(lines(&warnings), ["/widgets/0/properties: Should NOT have additional property 'shape'"]);
}

#[test]
fn five_hundred_widgets_are_enough() {
    let one = json!({"type": "text", "properties": {"markdown": ""}});
    assert_eq!(errors(&json!({"widgets": vec![one.clone(); 500]})), Vec::<String>::new());
    assert_eq!(
        errors(&json!({"widgets": vec![one; 501]})),
        ["/widgets: Should NOT have more than 500 items"]
    );
}

#[test]
fn only_json_objects_are_bodies() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for text in ["", "{\"widgets\": [", "[]", "1", deep.as_str()] {
        assert!(
            matches!(validate(text), Err(DashboardError::NotAnObject)),
            "{}",
            &text[..text.len().min(20)]
        );
    }
}

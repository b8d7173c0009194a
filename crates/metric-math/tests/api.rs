//! What callers rely on beside values: labels, references, needs, types, and that inputs stay as they are.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use groundwatch_metric_math::{
    Environment, Expression, ExternalData, ExternalRequest, Origin, Point, RollUp, Series, Symbol, TimeRange,
    Type, Value,
};

const MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("not 0");

fn series(label: &str, values: &[f64]) -> Series {
    let points = values.iter().zip(0..).map(|(value, at)| Point { timestamp_secs: at * 60, value: *value });
    Series::new(label, MINUTE, points.collect())
}

/// Two minutes, in which `m1` is 1 2 and `m2` is 3 4.
struct Two {
    metrics: HashMap<&'static str, Series>,
}

impl Two {
    fn new() -> Self {
        let origin = Arc::new(Origin { metric_name: "CPU".to_owned(), ..Origin::default() });
        let m1 = series("CPU", &[1.0, 2.0]).with_origin(origin);
        Self { metrics: HashMap::from([("m1", m1), ("m2", series("Disk", &[3.0, 4.0]))]) }
    }
}

impl Environment for Two {
    fn value(&self, id: &str) -> Option<Value> {
        self.metrics.get(id).cloned().map(Value::Series)
    }

    fn metric_ids(&self) -> Vec<&str> {
        vec!["m1", "m2"]
    }

    fn range(&self) -> TimeRange {
        TimeRange { start_secs: 0, end_secs: 120, aligned_at_secs: 0 }
    }

    fn external(&self, need: &ExternalData) -> Option<Vec<Series>> {
        // By its place: the second of two searches gets its own answer.
        Some(vec![series(&format!("at {}", need.span.start), &[5.0])])
    }
}

fn evaluate(text: &str) -> Value {
    let expression = Expression::parse(text).expect("an expression");
    let checked = expression.check(|_| Some(Symbol::Metric)).expect("right types");
    checked.evaluate(&Two::new()).expect("a value")
}

#[track_caller]
fn check_labels(text: &str, label: &str, expected: &[&str]) {
    let results = evaluate(text).into_results(label).expect("series");
    let labels: Vec<&str> = results.iter().map(Series::label).collect();
    assert_eq!(labels, expected, "{text}");
}

#[test]
fn an_array_puts_the_label_of_the_expression_before_those_of_its_series() {
    check_labels("FILL(METRICS(), 0)", "Filled With 0:", &["Filled With 0: CPU", "Filled With 0: Disk"]);
    check_labels("FILL(METRICS(), 0)", "", &["CPU", "Disk"]);
    check_labels("[m1 + m2, m2]", "e1", &["e1 m1 + m2", "e1 Disk"]);
    check_labels("m1 + m2", "Both", &["Both"]);
    check_labels("m1", "e1", &["e1"]);
    check_labels("m1", "", &[""]);
}

#[test]
fn a_scalar_is_no_result() {
    let refused = Value::Scalar(1.0).into_results("e1").expect_err("no series");
    assert!(refused.to_string().starts_with("The expression returned a Scalar"), "{refused}");
}

#[test]
fn operations_on_one_series_keep_where_it_is_from() {
    let name_of = |value: Value| match value {
        Value::Series(series) => series.origin().map(|origin| origin.metric_name.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(name_of(evaluate("-RATE(m1) * 2 > 1")).as_deref(), Some("CPU"));
    assert_eq!(name_of(evaluate("FIRST([m1, m2] / m2)")).as_deref(), Some("CPU"));
    assert_eq!(name_of(evaluate("m1 + m2")), None);
}

#[test]
fn evaluation_leaves_its_inputs_as_they_are() {
    let two = Two::new();
    let expression =
        Expression::parse("-m1 * 5 + FILL(m2, 0) ^ 2 + SUM(ABS(METRICS()))").expect("an expression");
    let checked = expression.check(|_| Some(Symbol::Metric)).expect("right types");
    let first = checked.evaluate(&two).expect("a value");
    assert_eq!(checked.evaluate(&two), Ok(first));
    assert_eq!(two.metrics, Two::new().metrics);
}

#[test]
fn references_are_named_once_where_they_are_used_first() {
    let expression = Expression::parse("m2 + SUM([m1, m2, ABS(e1)]) + PERIOD(m1)").expect("an expression");
    let references: Vec<(&str, usize)> =
        expression.references().iter().map(|reference| (reference.id, reference.span.start)).collect();
    assert_eq!(references, [("m2", 0), ("m1", 10), ("e1", 22)]);
    assert!(!expression.uses_metrics());
    assert!(Expression::parse("SUM(METRICS('m'))").expect("an expression").uses_metrics());
    assert!(Expression::parse("2 * SEARCH('a', 'Sum')").expect("an expression").calls("SEARCH"));
}

#[test]
fn what_must_be_read_is_told_before() {
    let text = r#"SUM(SEARCH('{AWS/EC2,InstanceId} "a\'b\"c"', 'p99.9', 300)) + SUM(ANOMALY_DETECTION_BAND(m1 + 1, 0.5))
        + SUM(SEARCH("x", "Sum")) * INSIGHT_RULE_METRIC("r", "Sum") + LAST(ANOMALY_DETECTION_BAND(m1))"#;
    let expression = Expression::parse(text).expect("an expression");
    let checked = expression.check(|_| Some(Symbol::Metric)).expect("right types");
    let found: Vec<String> = checked
        .external_data()
        .iter()
        .map(|need| match &need.request {
            ExternalRequest::Search { query, stat, period_secs } => format!("{query} {stat} {period_secs:?}"),
            ExternalRequest::AnomalyDetectionBand { of, deviations } => format!("{of} {deviations}"),
            ExternalRequest::InsightRuleMetric { rule, metric } => format!("{rule} {metric}"),
        })
        .collect();
    let expected =
        [r#"{AWS/EC2,InstanceId} "a'b\"c" p99.9 Some(300)"#, "m1 + 1 0.5", "x Sum None", "r Sum", "m1 2"];
    assert_eq!(found, expected);
    assert!(text[checked.external_data()[3].span.clone()].starts_with("INSIGHT_RULE_METRIC("));
}

#[test]
fn each_need_gets_its_own_answer() {
    check_labels("[SEARCH('a', 'Sum'), SEARCH('a', 'Sum')]", "", &["at 1", "at 21"]);
}

#[test]
fn types_are_known_without_data() {
    let check = |text: &str, expected: Type| {
        let expression = Expression::parse(text).expect("an expression");
        let symbol = |id: &str| match id {
            "e1" => Some(Symbol::Expression(Type::Array)),
            "e2" => Some(Symbol::Expression(Type::Scalar)),
            _ => Some(Symbol::Metric),
        };
        let checked = expression.check(symbol).expect("right types");
        assert_eq!(checked.result(), expected, "{text}");
        assert_eq!(checked.require_series().is_ok(), expected.is_returnable(), "{text}");
    };
    check("m1", Type::Series);
    check("e1 * e2", Type::Array);
    check("SUM(e1) * e2", Type::Series);
    check("SUM(SUM(e1)) * e2", Type::Scalar);
    check("SLICE(e1, 0, 1)", Type::Array);
    check("IF(e2 > 1, m1)", Type::Series);
    check("'text'", Type::Text);
}

#[test]
fn a_series_puts_its_points_in_order() {
    let point = |timestamp_secs, value| Point { timestamp_secs, value };
    let points =
        vec![point(120, 1.0), point(0, 2.0), point(120, 3.0), point(60, f64::NAN), point(180, f64::INFINITY)];
    assert_eq!(Series::new("", MINUTE, points).points(), [point(0, 2.0), point(120, 3.0)]);
}

#[test]
fn statistics_say_how_they_roll_up() {
    for (stat, expected) in [
        ("Sum", RollUp::Sum),
        ("SampleCount", RollUp::Sum),
        ("Minimum", RollUp::Minimum),
        ("Maximum", RollUp::Maximum),
        ("Average", RollUp::Average),
        ("p99", RollUp::Average),
    ] {
        assert_eq!(RollUp::of_statistic(stat), expected, "{stat}");
    }
}

//! What holds for every text: it parses or is refused, prints to itself, and is never worth a panic or much
//! time.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use groundwatch_metric_math::{
    Environment, Expression, ExternalData, Point, Problem, Series, Symbol, TimeRange, Type, Value, bounds,
};
use proptest::prelude::*;

/// Metrics m0 … m499, all with the same points; an expression e1 that is an array of two; data for every
/// need.
struct Large {
    ids: Vec<String>,
    series: Series,
}

impl Large {
    fn new(metrics: usize, points: i64) -> Self {
        let points =
            (0..points).map(|index| Point { timestamp_secs: index * 60, value: index as f64 }).collect();
        let series = Series::new("m", NonZeroU32::new(60).expect("not 0"), points);
        Self { ids: (0..metrics).map(|index| format!("m{index}")).collect(), series }
    }
}

impl Environment for Large {
    fn value(&self, id: &str) -> Option<Value> {
        match id {
            "e1" => Some(Value::Array(vec![self.series.clone(), self.series.clone()])),
            _ => Some(Value::Series(self.series.clone())),
        }
    }

    fn metric_ids(&self) -> Vec<&str> {
        self.ids.iter().map(String::as_str).collect()
    }

    fn range(&self) -> TimeRange {
        let end_secs = self.series.points().last().map_or(0, |point| point.timestamp_secs + 60);
        TimeRange { start_secs: 0, end_secs, aligned_at_secs: 0 }
    }

    fn external(&self, _: &ExternalData) -> Option<Vec<Series>> {
        Some(vec![self.series.clone(), self.series.clone()])
    }
}

fn symbol(id: &str) -> Option<Symbol> {
    match id {
        "e1" => Some(Symbol::Expression(Type::Array)),
        _ if id.starts_with('m') => Some(Symbol::Metric),
        _ => None,
    }
}

fn evaluate(text: &str, environment: &Large) -> Result<Value, Problem> {
    let expression = Expression::parse(text).map_err(|error| error.problem)?;
    let checked = expression.check(symbol).map_err(|error| error.problem)?;
    let value = checked.evaluate(environment).map_err(|error| error.problem)?;
    assert_eq!(value.value_type(), checked.result(), "{text}");
    Ok(value)
}

/// Texts of expressions, mostly of the right types.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("m1".to_owned()),
        Just("m2".to_owned()),
        Just("e1".to_owned()),
        Just("METRICS()".to_owned()),
        Just("METRICS('m\\'2')".to_owned()),
        Just(r#"SEARCH('{"A\"B",C} \' \\', "Sum")"#.to_owned()),
        (0.0..1e6_f64).prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{:e}", if number.is_finite() { number.abs() } else { 0.5 })),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "^", "==", "!=", "<", "<=", ">", ">=", "AND", "OR", "&&", "||",
        ]);
        prop_oneof![
            prop::collection::vec((operator, inner.clone()), 1..4).prop_flat_map(|operands| {
                let joined: String = operands
                    .iter()
                    .enumerate()
                    .map(
                        |(index, (operator, operand))| {
                            if index == 0 { operand.clone() } else { format!(" {operator} {operand}") }
                        },
                    )
                    .collect();
                prop_oneof![Just(joined.clone()), Just(format!("({joined})"))]
            }),
            inner.clone().prop_map(|operand| format!("-{operand}")),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("[{}]", parts.join(","))),
            (prop::sample::select(FUNCTIONS.to_vec()), prop::collection::vec(inner, 0..3))
                .prop_map(|(function, arguments)| format!("{function}({})", arguments.join(" , "))),
        ]
    })
}

const FUNCTIONS: &[&str] = &[
    "ABS",
    "AVG",
    "SUM",
    "STDDEV",
    "RATE",
    "FILL",
    "IF",
    "HOUR",
    "FIRST",
    "SLICE",
    "TIME_SERIES",
    "METRIC_COUNT",
    "REMOVE_EMPTY",
    "PERIOD",
    "ANOMALY_DETECTION_BAND",
    "NO_SUCH",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_to_the_same(text in expression()) {
        let Ok(parsed) = Expression::parse(&text) else { return Ok(()) };
        let printed = parsed.to_string();
        if printed.chars().count() <= bounds::EXPRESSION_CHARS_MAX {
            let again = Expression::parse(&printed).expect("what is printed parses");
            prop_assert_eq!(again.root(), parsed.root());
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn expressions_of_all_types_are_worth_a_value_or_an_error(text in expression()) {
        let _ = evaluate(&text, &Large::new(3, 20));
    }

    #[test]
    fn any_text_parses_or_is_refused_within_it(text in "\\PC{0,60}") {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some());
            prop_assert!(error.position <= text.chars().count() + 1);
        }
    }

    #[test]
    fn any_row_of_tokens_parses_or_is_refused(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "m1", "1", ".5", "'a'", "(", ")", "[", "]", ",", "-", "^", "*", "<", "AND", "SUM(", "FILL", "REPEAT", " ", "\\", "\"",
        ]), 0..40)
    ) {
        let _ = evaluate(&tokens.concat(), &Large::new(2, 5));
    }
}

/// Must fail with this problem, and soon. It takes under a second, optimised and alone; tests are neither.
#[track_caller]
fn check_bound(text: &str, environment: &Large, is_expected: impl Fn(&Problem) -> bool) {
    let begun = Instant::now();
    let problem = evaluate(text, environment).expect_err("it is too much");
    assert!(is_expected(&problem), "{problem}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn nested_arrays_cannot_multiply() {
    let large = Large::new(500, 1000);
    check_bound("SUM([METRICS(), m1])", &large, |problem| *problem == Problem::TooManySeries(501));
    check_bound("[METRICS(), METRICS()]", &large, |problem| *problem == Problem::TooManySeries(1000));
    let doubled = (0..10).fold("m1".to_owned(), |inner, _| format!("[{inner},{inner}]"));
    check_bound(&doubled[..], &large, |problem| {
        matches!(problem, Problem::TooLong | Problem::TooManySeries(_))
    });
}

#[test]
fn the_points_of_an_evaluation_are_bounded() {
    let large = Large::new(500, 10_000);
    let product = format!("METRICS(){}", "*m1".repeat(600));
    check_bound(&product, &large, |problem| *problem == Problem::TooMuchWork);
    let sums = vec!["SUM(METRICS())"; 100].join("+");
    check_bound(&sums, &large, |problem| *problem == Problem::TooMuchWork);
    let dense = format!("[{}]", vec!["HOUR(m1)"; 200].join(","));
    check_bound(&dense, &Large::new(1, 1_000_000), |problem| *problem == Problem::TooMuchWork);
}

#[test]
fn depth_and_length_are_bounded() {
    let large = Large::new(1, 1);
    let nested =
        |open: &str, close: &str, depth: usize| format!("{}m1{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [
        ("(", ")"),
        ("-", ""),
        ("[", "]"),
        ("ABS(", ")"),
        ("2^", ""),
        ("-(", ")"),
        ("1 OR 1 AND 1 < 1 + 1 * (", ")"),
    ] {
        let deep = nested(open, close, bounds::DEPTH_MAX + 1);
        if deep.len() <= bounds::EXPRESSION_CHARS_MAX {
            check_bound(&deep, &large, |problem| *problem == Problem::TooDeep);
        }
    }
    for (open, close) in [("(", ")"), ("-", ""), ("[", "]"), ("ABS(", ")"), ("2^", "")] {
        let allowed = nested(open, close, bounds::DEPTH_MAX);
        assert!(evaluate(&allowed, &large).is_ok(), "{allowed}");
    }
    let long = format!("m1{}", "+m1".repeat(682));
    assert_eq!(long.len(), bounds::EXPRESSION_CHARS_MAX);
    assert!(evaluate(&long, &large).is_ok());
    check_bound(&format!("{long}\u{20ac}"), &large, |problem| *problem == Problem::TooLong);
}

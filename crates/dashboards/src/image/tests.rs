use groundwatch_core::{AccountId, Region, Scope, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::time_series::TimeSeriesLayout;
use super::{Drawn, Widget, WidgetError, render};
use crate::{QuerySource, WidgetSeries};

fn scope() -> Scope {
    Scope { account: AccountId::DEFAULT, region: Region::new("eu-west-1") }
}

fn now() -> Timestamp {
    Timestamp::parse_iso8601("2026-03-01T12:00:00Z").expect("a moment")
}

fn parse(widget: &Value) -> Result<Widget, WidgetError> {
    Widget::parse(&widget.to_string(), &scope(), now())
}

fn widget(widget: &Value) -> Widget {
    parse(widget).unwrap_or_else(|error| panic!("{error}"))
}

/// A series of `query` with a point every five minutes of the last three hours.
fn series(query: &str, label: &str, value: impl Fn(f64) -> f64) -> WidgetSeries {
    let start = now().as_millis() - 3 * 3_600_000;
    let points = (0..36).map(|index| (Timestamp::from_millis(start + index * 300_000), value(index as f64)));
    WidgetSeries { id: query.to_owned(), label: label.to_owned(), points: points.collect() }
}

fn layout(widget: &Widget, series: Vec<WidgetSeries>) -> (TimeSeriesLayout, Vec<Drawn>) {
    let drawn = widget.drawn(series);
    let area = super::geometry::Area::new(0.0, 0.0, widget.width as f32, widget.height as f32);
    (TimeSeriesLayout::new(widget, &drawn, area), drawn)
}

#[test]
fn rows_become_queries() {
    let widget = widget(&json!({
        "metrics": [["N", "M", "Host", "a"], ["...", "b", {"id": "row1", "stat": "p99", "period": 60, "label": "B"}],
            [{"expression": "m1+m2", "id": "e"}], [".", "O", {"visible": false}]],
        "stat": "Sum", "period": 600
    }));
    let queries = widget.queries();
    let told: Vec<_> = queries
        .iter()
        .map(|query| (query.id.as_str(), query.period_secs, query.label.as_deref(), query.is_shown))
        .collect();
    // Ids that are given to rows are not taken a second time.
    let expected = [
        ("row2", 600, None, true),
        ("row1", 60, Some("B"), true),
        ("e", 600, None, true),
        ("row3", 600, None, false),
    ];
    assert_eq!(told, expected);
    let stats: Vec<_> = queries
        .iter()
        .map(|query| match &query.source {
            QuerySource::Metric { stat, .. } => stat.as_str(),
            QuerySource::Expression(text) => text.as_str(),
        })
        .collect();
    assert_eq!(stats, ["Sum", "p99", "m1+m2", "Sum"]);
}

#[test]
fn defaults_are_those_of_aws() {
    let widget = widget(&json!({"metrics": [["N", "M"]]}));
    assert_eq!((widget.width, widget.height), (600, 400));
    assert_eq!(widget.to, now());
    assert_eq!(widget.to.since(widget.from).as_secs(), 3 * 3600);
    assert_eq!(widget.queries()[0].period_secs, 300);
}

#[test]
fn long_ranges_are_read_in_coarser_periods() {
    let period = |start: &str, period: u32| {
        widget(&json!({"metrics": [["N", "M"]], "start": start, "period": period})).queries()[0].period_secs
    };
    assert_eq!(period("-PT2H", 1), 1);
    assert_eq!(period("-P7D", 60), 120);
    assert_eq!(period("-P7D", 300), 300);
    assert_eq!(period("-P400D", 60), 3480);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let check = |widget: Value, expected: &str| {
        let error = parse(&widget).expect_err("refused").to_string();
        assert_eq!(error, format!("The field MetricWidget is invalid: {expected}"), "{widget}");
    };
    let with = |name: &str, value: Value| {
        let mut widget = json!({"metrics": [["N", "M"]]});
        widget[name] = value;
        widget
    };
    check(json!({}), ": Should have required property 'metrics'");
    check(json!({"metrics": []}), "/metrics: Should NOT have fewer than 1 items");
    check(json!({"metrics": vec![["N", "M"]; 101]}), "/metrics: Should NOT have more than 100 items");
    check(
        json!({"metrics": [["N", "."]]}),
        "/metrics/0/1: \".\" refers to a previous metric, and there is none",
    );
    check(with("width", json!(2001)), "/width: Should be <= 2000");
    check(with("height", json!(0)), "/height: Should be >= 1");
    check(with("theme", json!("pink")), "/theme: Should be equal to one of the allowed values");
    check(with("start", json!("soon")), "/start: Should be an ISO 8601 date or duration");
    check(with("start", json!("-PT0H")), ": The start must be before the end");
    check(with("start", json!("-P2Y")), ": The range must not be longer than 500 days");
    check(with("timezone", json!("CET")), "/timezone: Should match pattern \"^[+-][0-9]{4}$\"");
    check(with("view", json!("table")), "/view: Groundwatch does not support the view table in images yet");
    check(
        with("region", json!("us-east-1")),
        "/region: Groundwatch does not support metrics of another region yet",
    );
}

#[test]
fn a_plot_leaves_room_for_title_marks_and_legend() {
    let widget = widget(&json!({"metrics": [["N", "M"]], "title": "Load"}));
    let (layout, _) = layout(&widget, vec![series("row1", "M", |index| index)]);
    let plot = layout.plot;
    assert_eq!([plot.x, plot.y, plot.width, plot.height].map(f32::round), [35.0, 44.0, 551.0, 289.0]);
    assert_eq!(layout.left.ticks, [0.0, 10.0, 20.0, 30.0, 40.0]);
    assert_eq!(layout.right, None);
    let moments: Vec<_> = layout.time_ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(moments, ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30", "12:00"]);
}

#[test]
fn points_lie_at_their_moment_and_value() {
    let widget = widget(&json!({"metrics": [["N", "M"]], "yAxis": {"left": {"min": 0, "max": 36}}}));
    let (layout, drawn) = layout(&widget, vec![series("row1", "M", |index| index)]);
    let pieces = layout.pieces(&drawn[0]);
    let [piece] = pieces.as_slice() else { panic!("no gaps") };
    assert_eq!(piece.len(), 36);
    let plot = layout.plot;
    assert_eq!(piece[0], (plot.x, plot.bottom()));
    // The eighteenth of 36 periods, at the value 18 of 36.
    assert!((piece[18].0 - plot.center().0).abs() < 0.01, "{:?}", piece[18]);
    assert!((piece[18].1 - plot.center().1).abs() < 0.01, "{:?}", piece[18]);
}

#[test]
fn a_line_breaks_where_points_are_missing() {
    let widget = widget(&json!({"metrics": [["N", "M"]]}));
    let mut gappy = series("row1", "M", |index| index);
    gappy.points.retain(|(at, _)| at.as_millis() / 300_000 % 10 != 0);
    let (layout, drawn) = layout(&widget, vec![gappy]);
    assert_eq!(layout.pieces(&drawn[0]).len(), 4);
}

#[test]
fn a_crowded_line_keeps_its_extremes() {
    let widget = widget(&json!({"metrics": [["N", "M", {"period": 1}]], "width": 100, "start": "-PT1H"}));
    let start = widget.from.as_millis();
    let spike = |index: i64| if index == 1801 { 100.0 } else { 1.0 };
    let points =
        (0..3600).map(|index| (Timestamp::from_millis(start + index * 1000), spike(index))).collect();
    let crowded = WidgetSeries { id: "row1".to_owned(), label: "M".to_owned(), points };
    let (layout, drawn) = layout(&widget, vec![crowded]);
    let piece = &layout.pieces(&drawn[0])[0];
    assert!(piece.len() <= 4 * 101, "{}", piece.len());
    let highest = piece.iter().map(|(_, y)| *y).fold(f32::INFINITY, f32::min);
    assert_eq!(highest, layout.y(100.0, false));
}

#[test]
fn stacked_layers_lie_upon_each_other() {
    let widget = widget(&json!({"metrics": [["N", "A"], ["N", "B"]], "stacked": true}));
    let mut late = series("row2", "B", |_| 20.0);
    late.points.remove(0);
    let (layout, drawn) = layout(&widget, vec![series("row1", "A", |_| 10.0), late]);
    let layers = layout.layers(&drawn.iter().collect::<Vec<_>>());
    assert_eq!(layers[0][5].1, layout.y(10.0, false));
    assert_eq!(layers[1][5].1, layout.y(30.0, false));
    assert_eq!(layers[1][0].1, layout.y(10.0, false), "where a series has no point, it adds nothing");
    assert_eq!(layout.left.ticks, [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
}

#[test]
fn each_side_has_its_own_scale() {
    let widget = widget(&json!({"metrics": [["N", "A"], ["N", "B", {"yAxis": "right"}]]}));
    let both = vec![series("row1", "A", |index| index), series("row2", "B", |index| index * 1e6)];
    let (layout, drawn) = layout(&widget, both);
    assert_eq!(layout.left.max, 35.0);
    assert_eq!(layout.right.as_ref().map(|scale| scale.max), Some(35e6));
    assert_eq!(layout.pieces(&drawn[0]), layout.pieces(&drawn[1]));
}

#[test]
fn marks_are_within_the_scale_and_leave_room_above() {
    let widget = widget(
        &json!({"metrics": [["N", "M"]], "annotations": {"horizontal": [{"value": 80, "label": "hot"}]}}),
    );
    let (layout, _) = layout(&widget, vec![series("row1", "M", |index| index)]);
    assert!(layout.y(80.0, false) > layout.plot.y + 15.0);
}

#[test]
fn colors_come_from_rows_or_in_turn() {
    let widget =
        widget(&json!({"metrics": [["N", "A"], [{"expression": "SEARCH(' ', 'Sum')", "color": "#123456"}]]}));
    let found = ["x", "y"].map(|label| series("row2", label, |index| index));
    let drawn = widget.drawn([vec![series("row1", "A", |index| index)], found.to_vec()].concat());
    let colors: Vec<_> = drawn.iter().map(|series| series.color).collect();
    let palette = super::Theme::Light.palette().series;
    assert_eq!(colors, [palette[0], super::Color::parse("#123456").expect("a color"), palette[1]]);
}

#[test]
fn an_expression_without_a_name_is_called_by_its_text() {
    let widget =
        widget(&json!({"metrics": [[{"expression": "a + b"}], [{"expression": "a - b", "id": "e"}]]}));
    let drawn = widget.drawn(vec![series("row1", "row1", |index| index), series("e", "e", |index| index)]);
    let labels: Vec<_> = drawn.iter().map(|series| series.label.as_str()).collect();
    assert_eq!(labels, ["a + b", "e"]);
}

#[test]
fn every_view_is_a_picture_of_the_size_that_was_asked_for() {
    for view in ["timeSeries", "bar", "pie", "singleValue", "gauge"] {
        for (width, height) in [(1, 1), (1, 2000), (60, 40), (600, 400)] {
            for stacked in [false, true] {
                let widget = widget(
                    &json!({"metrics": [["N", "A"], ["N", "B", {"yAxis": "right"}]], "view": view,
                    "width": width, "height": height, "title": "T", "stacked": stacked, "sparkline": true,
                    "legend": {"position": "right"}, "yAxis": {"left": {"label": "l"}, "right": {"label": "r"}}}),
                );
                for data in
                    [Vec::new(), vec![series("row1", "A", |index| index), series("row2", "B", |_| -1e300)]]
                {
                    let png = render(&widget, data).expect("a picture");
                    let side =
                        |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
                    assert_eq!((side(16), side(20)), (width, height), "{view}");
                }
            }
        }
    }
}

/// JSON that knows a widget's words, in places where they belong and where they do not.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "...",
        ".",
        "",
        "N",
        "M",
        "left",
        "right",
        "timeSeries",
        "bar",
        "pie",
        "gauge",
        "singleValue",
        "-PT3H",
        "P1D",
        "2026-03-01T00:00:00Z",
        "#ff0000",
        "above",
        "before",
        "hidden",
        "dark",
        "+0130",
        "ü",
        "Sum",
        "p99",
    ]);
    let leaf = prop_oneof![
        word.prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0i64..100).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let name = prop::sample::select(vec![
        "value",
        "label",
        "color",
        "fill",
        "yAxis",
        "horizontal",
        "vertical",
        "left",
        "right",
        "min",
        "max",
        "position",
        "expression",
        "id",
        "period",
        "stat",
        "visible",
        "region",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Something that is nearly a widget: all members but a few are right.
fn any_widget() -> impl Strategy<Value = Value> {
    let member = prop::sample::select(vec![
        "metrics",
        "annotations",
        "view",
        "stacked",
        "title",
        "width",
        "height",
        "start",
        "end",
        "period",
        "timezone",
        "legend",
        "theme",
        "yAxis",
        "sparkline",
        "setPeriodToTimeRange",
    ]);
    let mark = (any::<f64>(), any::<f64>(), any::<bool>());
    let usual = (1u32..120, 1u32..120, mark).prop_map(|(width, height, (value, until, is_band))| {
        let line = json!({"value": value, "label": "L", "fill": "above"});
        let band = if is_band { json!([line, {"value": until}]) } else { line };
        json!({"metrics": [["N", "M", "D", "v"], ["...", "w", {"yAxis": "right"}]], "width": width, "height": height,
            "annotations": {"horizontal": [band], "vertical": [{"value": "2026-03-01T11:00:00Z", "label": "V"}]}})
    });
    (usual, prop::collection::vec((member, any_json()), 0..3)).prop_map(|(mut widget, members)| {
        for (name, value) in members {
            widget[name] = value;
        }
        widget
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_widget_panics(json in prop_oneof![any_widget(), any_json()], values in prop::collection::vec(any::<f64>(), 0..40)) {
        if let Ok(mut widget) = parse(&json) {
            // What costs time only.
            widget.width = widget.width.min(300);
            widget.height = widget.height.min(300);
            let queries = widget.queries();
            let series = |index: usize| {
                let at = |step: usize| widget.from + std::time::Duration::from_secs((step * 300) as u64);
                let points = values.iter().enumerate().map(|(step, value)| (at(step), value * index as f64)).collect();
                WidgetSeries { id: queries[index].id.clone(), label: format!("series {index}"), points }
            };
            let data = (0..queries.len().min(3)).map(series).collect();
            prop_assert!(render(&widget, data).is_ok());
        }
    }

    #[test]
    fn no_body_panics(json in any_json(), kind in prop::sample::select(vec!["metric", "log", "alarm", "explorer", "text"])) {
        let _ = crate::body::validate(&json.to_string());
        let body = json!({"widgets": [{"type": kind, "properties": json}], "variables": [json]});
        let _ = crate::body::validate(&body.to_string());
    }
}

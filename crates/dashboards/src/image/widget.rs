//! The text of GetMetricWidgetImage's `MetricWidget`, read into what is to be drawn.

use std::collections::HashMap;

use groundwatch_core::{Scope, Timestamp};
use serde_json::Value;

use super::legend::LegendPosition;
use super::theme::{Color, Theme};
use super::time_range::{self, RANGE_DAYS_MAX};
use super::{Drawn, labels};
use crate::body::{
    ANNOTATIONS, Finding, Findings, Node, Rule, Schema, Y_AXIS, check_rows, optional, required,
};
use crate::rows::{self, Row, Source};
use crate::{DashboardError, QuerySource, WidgetQuery, WidgetSeries};

/// AWS's limit of a widget's text.
const BYTES_MAX: usize = 100 * 1024;

/// AWS's limit of rows.
const ROWS_MAX: usize = 100;

/// AWS's limit of either side, in pixels.
const SIDE_MAX: i64 = 2000;

/// Points of one series; a period that would make more is made coarser.
const POINTS_MAX: i64 = 10_000;

/// Series of one picture. A SEARCH can find many more than anybody can tell apart.
const SERIES_MAX: usize = 500;

/// A widget that can be drawn.
#[derive(Clone, Debug)]
pub struct Widget {
    rows: Vec<Row>,
    /// In which form it is drawn.
    pub view: View,
    pub(super) is_stacked: bool,
    pub(super) title: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
    /// The first moment that is shown.
    pub from: Timestamp,
    /// The last moment that is shown, later than `from`.
    pub to: Timestamp,
    period_secs: u32,
    stat: String,
    pub(super) offset_secs: i32,
    pub(super) legend: LegendPosition,
    pub(super) theme: Theme,
    pub(super) left: AxisOptions,
    pub(super) right: AxisOptions,
    pub(super) horizontal: Vec<HorizontalMark>,
    pub(super) vertical: Vec<VerticalMark>,
    pub(super) has_sparkline: bool,
    pub(super) is_precise: bool,
}

/// `view`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Lines or stacked areas over time.
    TimeSeries,
    /// A bar for each series' latest value.
    Bar,
    /// A slice of a circle for each series' latest value.
    Pie,
    /// Each series' latest value as a number.
    SingleValue,
    /// Each series' latest value on a scale.
    Gauge,
}

/// One side of `yAxis`.
#[derive(Clone, Debug, Default)]
pub(super) struct AxisOptions {
    pub(super) label: Option<String>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

/// A horizontal annotation: a line, or a band up to `until`.
#[derive(Clone, Debug)]
pub(super) struct HorizontalMark {
    pub(super) value: f64,
    pub(super) until: Option<f64>,
    pub(super) label: Option<String>,
    pub(super) color: Option<Color>,
    pub(super) fill: Fill,
    pub(super) is_right: bool,
}

/// A vertical annotation, in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct VerticalMark {
    pub(super) at: i64,
    pub(super) until: Option<i64>,
    pub(super) label: Option<String>,
    pub(super) color: Option<Color>,
    pub(super) fill: Fill,
}

/// Which side of an annotation is shaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    None,
    /// Below, or before.
    Lesser,
    /// Above, or after.
    Greater,
}

/// Why a widget cannot be drawn. Reads as the user is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WidgetError {
    /// Not a JSON object.
    #[error("The field MetricWidget must be a valid JSON object")]
    NotAnObject,
    /// Longer than AWS's limit.
    #[error("The field MetricWidget must be at most {BYTES_MAX} bytes long")]
    TooLong,
    /// It breaks rules; these are the first.
    #[error("The field MetricWidget is invalid: {}", told(.0))]
    Invalid(Vec<Finding>),
    /// AWS would draw it, and Groundwatch does not.
    #[error("The field MetricWidget is invalid: {path}: Groundwatch does not support {what} yet")]
    Unsupported {
        /// Where it stands.
        path: &'static str,
        /// What it asks for.
        what: &'static str,
    },
    /// There are no data to draw it from.
    #[error("{0}")]
    Data(#[from] crate::WidgetDataError),
    /// The picture could not be written down.
    #[error("The image could not be encoded")]
    Encoding,
}

fn told(findings: &[Finding]) -> String {
    let told: Vec<_> =
        findings.iter().map(|finding| format!("{}: {}", finding.path, finding.message)).collect();
    told.join("; ")
}

const TEXT: Rule = Rule::Text { max: usize::MAX };

static WIDGET: Schema = Schema {
    properties: &[
        required("metrics", Rule::Check(check_metrics)),
        optional("annotations", Rule::Object(&ANNOTATIONS)),
        optional("view", Rule::OneOf(&["timeSeries", "bar", "pie", "singleValue", "gauge", "table"])),
        optional("stacked", Rule::Bool),
        optional("title", TEXT),
        optional("width", Rule::Integer { min: 1, max: SIDE_MAX }),
        optional("height", Rule::Integer { min: 1, max: SIDE_MAX }),
        optional("start", TEXT),
        optional("end", TEXT),
        optional("period", Rule::Integer { min: 1, max: 86_400 * RANGE_DAYS_MAX }),
        optional("stat", TEXT),
        optional("timezone", TEXT),
        optional("legend", Rule::Object(&LEGEND)),
        optional("theme", Rule::OneOf(&["light", "dark"])),
        optional("yAxis", Rule::Object(&Y_AXIS)),
        optional("region", TEXT),
        optional("accountId", TEXT),
        optional("liveData", Rule::Bool),
        optional("sparkline", Rule::Bool),
        optional("singleValueFullPrecision", Rule::Bool),
        optional("setPeriodToTimeRange", Rule::Bool),
    ],
};

static LEGEND: Schema =
    Schema { properties: &[optional("position", Rule::OneOf(&["right", "bottom", "hidden"]))] };

fn check_metrics(metrics: &Node<'_>, found: &mut Findings) {
    check_rows(metrics, ROWS_MAX, found);
    if metrics.value.as_array().is_some_and(Vec::is_empty) {
        found.error(metrics, "Should NOT have fewer than 1 items");
    }
}

impl Widget {
    /// Reads a widget that a caller of `scope` asks for at `now`.
    pub fn parse(text: &str, scope: &Scope, now: Timestamp) -> Result<Self, WidgetError> {
        if text.len() > BYTES_MAX {
            return Err(WidgetError::TooLong);
        }
        let json: Value = serde_json::from_str(text).map_err(|_| WidgetError::NotAnObject)?;
        if !json.is_object() {
            return Err(WidgetError::NotAnObject);
        }
        let mut found = Findings::default();
        let root = Node::root(&json);
        WIDGET.check(&root, &mut found);
        let (from, to) = range(&root, now, &mut found);
        let offset_secs = match root.member("timezone") {
            Some(zone) => {
                time_range::offset_secs(zone.value.as_str().unwrap_or_default()).unwrap_or_else(|| {
                    found.error(&zone, "Should match pattern \"^[+-][0-9]{4}$\"");
                    0
                })
            }
            None => 0,
        };
        match found.into_outcome() {
            Ok(_) => {}
            Err(DashboardError::Body { errors, .. }) => return Err(WidgetError::Invalid(errors)),
            Err(_) => return Err(WidgetError::NotAnObject),
        }
        let rows = rows::parse(&json["metrics"]).unwrap_or_default();
        refuse_what_is_elsewhere(&root, &rows, scope)?;
        let view = view(&root)?;
        let side = |name: &str, default: u32| {
            json[name].as_f64().map_or(default, |side| side.clamp(1.0, SIDE_MAX as f64) as u32)
        };
        let is = |name: &str| json[name].as_bool().unwrap_or(false);
        let mut period_secs = json["period"].as_f64().map_or(300, |secs| secs as u32);
        if is("setPeriodToTimeRange") && view != View::TimeSeries {
            period_secs = u32::try_from(to.since(from).as_secs().div_ceil(60) * 60).unwrap_or(u32::MAX);
        }
        Ok(Self {
            rows,
            view,
            is_stacked: is("stacked"),
            title: root.text("title").filter(|title| !title.is_empty()).map(str::to_owned),
            width: side("width", 600),
            height: side("height", 400),
            from,
            to,
            period_secs,
            stat: root.text("stat").unwrap_or("Average").to_owned(),
            offset_secs,
            legend: match json["legend"]["position"].as_str() {
                Some("right") => LegendPosition::Right,
                Some("hidden") => LegendPosition::Hidden,
                _ => LegendPosition::Bottom,
            },
            theme: if root.text("theme") == Some("dark") { Theme::Dark } else { Theme::Light },
            left: axis(&json["yAxis"]["left"]),
            right: axis(&json["yAxis"]["right"]),
            horizontal: visible(&json["annotations"]["horizontal"]).filter_map(horizontal).collect(),
            vertical: visible(&json["annotations"]["vertical"]).filter_map(vertical).collect(),
            has_sparkline: is("sparkline"),
            is_precise: is("singleValueFullPrecision"),
        })
    }

    /// What the widget needs to know, a query a row.
    pub fn queries(&self) -> Vec<WidgetQuery> {
        let period_min = self.period_min_secs();
        let ids = self.ids();
        let query = |(row, id): (&Row, String)| WidgetQuery {
            id,
            source: match &row.source {
                Source::Expression(expression) => QuerySource::Expression(expression.clone()),
                Source::Metric { namespace, name, dimensions } => QuerySource::Metric {
                    namespace: namespace.clone(),
                    name: name.clone(),
                    dimensions: dimensions.clone(),
                    stat: row.options.stat.clone().unwrap_or_else(|| self.stat.clone()),
                },
            },
            period_secs: row.options.period_secs.unwrap_or(self.period_secs).max(period_min),
            label: row.options.label.clone(),
            is_shown: !row.options.is_hidden,
        };
        self.rows.iter().zip(ids).map(query).collect()
    }

    /// An id for each row: its own, or one that no row has.
    fn ids(&self) -> Vec<String> {
        let taken: Vec<&str> = self.rows.iter().filter_map(|row| row.options.id.as_deref()).collect();
        let mut free = (1..).map(|number| format!("row{number}")).filter(|id| !taken.contains(&id.as_str()));
        let own_or_free = |row: &Row| row.options.id.clone().or_else(|| free.next()).unwrap_or_default();
        self.rows.iter().map(own_or_free).collect()
    }

    /// The finest period that keeps the count of points within its bound: a whole minute, unless anything
    /// will do.
    fn period_min_secs(&self) -> u32 {
        let secs = self.range_secs() / POINTS_MAX;
        if secs == 0 { 1 } else { u32::try_from((secs / 60 + 1) * 60).unwrap_or(u32::MAX) }
    }

    fn range_secs(&self) -> i64 {
        (self.to.as_millis() - self.from.as_millis()) / 1000
    }

    /// What the answers to the queries look like on the picture.
    pub(super) fn drawn(&self, mut series: Vec<WidgetSeries>) -> Vec<Drawn> {
        let queries = self.queries();
        series.truncate(SERIES_MAX);
        labels::tell_apart(&mut series, &queries);
        let rows: HashMap<&str, (&Row, &WidgetQuery)> =
            self.rows.iter().zip(&queries).map(|(row, query)| (query.id.as_str(), (row, query))).collect();
        let mut palette = self.theme.palette().series.iter().cycle();
        let mut colored = std::collections::HashSet::new();
        let drawn = |series: WidgetSeries| {
            let (row, query) = rows.get(series.id.as_str())?;
            // A row's color is for its first series: the others would look the same.
            let own = row.options.color.as_deref().and_then(Color::parse);
            let own = own.filter(|_| colored.insert(series.id.clone()));
            let points = series.points.into_iter().filter(|(_, value)| value.is_finite());
            Some(Drawn {
                label: label(row, series.label, &series.id),
                color: own.or_else(|| palette.next().copied())?,
                is_right: row.options.is_right,
                points: points.map(|(at, value)| (at.as_millis(), value)).collect(),
                period_ms: i64::from(query.period_secs) * 1000,
            })
        };
        series.into_iter().filter_map(drawn).collect()
    }
}

/// Where a row has no label, an expression's result is called by the row's id. An id that the row did not
/// choose tells nobody anything, its text does.
fn label(row: &Row, label: String, id: &str) -> String {
    match &row.source {
        Source::Expression(expression) if row.options.id.is_none() && label == id => expression.clone(),
        _ => label,
    }
}

fn range(root: &Node<'_>, now: Timestamp, found: &mut Findings) -> (Timestamp, Timestamp) {
    let mut read = |name: &str, default: &str| {
        let moment = time_range::moment(root.text(name).unwrap_or(default), now);
        if let (None, Some(node)) = (moment, root.member(name)) {
            found.error(&node, "Should be an ISO 8601 date or duration");
        }
        moment
    };
    let (Some(from), Some(to)) = (read("start", "-PT3H"), read("end", "PT0H")) else { return (now, now) };
    if from >= to {
        found.error(root, "The start must be before the end");
    } else if to.as_millis().saturating_sub(from.as_millis()) > RANGE_DAYS_MAX * 86_400_000 {
        found.error(root, format!("The range must not be longer than {RANGE_DAYS_MAX} days"));
    }
    (from, to)
}

fn view(root: &Node<'_>) -> Result<View, WidgetError> {
    match root.text("view") {
        Some("bar") => Ok(View::Bar),
        Some("pie") => Ok(View::Pie),
        Some("singleValue") => Ok(View::SingleValue),
        Some("gauge") => Ok(View::Gauge),
        Some("table") => Err(WidgetError::Unsupported { path: "/view", what: "the view table in images" }),
        _ => Ok(View::TimeSeries),
    }
}

/// Nothing is read across accounts or regions.
fn refuse_what_is_elsewhere(root: &Node<'_>, rows: &[Row], scope: &Scope) -> Result<(), WidgetError> {
    let account = scope.account.to_string();
    let other_region = |region: Option<&str>| region.is_some_and(|region| region != scope.region.as_str());
    let other_account = |id: Option<&str>| id.is_some_and(|id| id != account);
    if other_region(root.text("region")) || rows.iter().any(|row| other_region(row.options.region.as_deref()))
    {
        return Err(WidgetError::Unsupported { path: "/region", what: "metrics of another region" });
    }
    if other_account(root.text("accountId"))
        || rows.iter().any(|row| other_account(row.options.account.as_deref()))
    {
        return Err(WidgetError::Unsupported { path: "/accountId", what: "metrics of another account" });
    }
    if root.value["annotations"]["alarms"].as_array().is_some_and(|alarms| !alarms.is_empty()) {
        return Err(WidgetError::Unsupported {
            path: "/annotations/alarms",
            what: "alarm annotations in images",
        });
    }
    Ok(())
}

fn axis(options: &Value) -> AxisOptions {
    AxisOptions {
        label: options["label"].as_str().filter(|label| !label.is_empty()).map(str::to_owned),
        min: options["min"].as_f64(),
        max: options["max"].as_f64(),
    }
}

/// The annotations that are not switched off. Of a band, the first line decides.
fn visible(list: &Value) -> impl Iterator<Item = &Value> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter(|mark| first(mark)["visible"].as_bool().unwrap_or(true))
}

fn first(mark: &Value) -> &Value {
    mark.get(0).unwrap_or(mark)
}

fn horizontal(mark: &Value) -> Option<HorizontalMark> {
    let line = first(mark);
    Some(HorizontalMark {
        value: line["value"].as_f64()?,
        until: mark.get(1).and_then(|second| second["value"].as_f64()),
        label: line["label"].as_str().map(str::to_owned),
        color: line["color"].as_str().and_then(Color::parse),
        fill: fill(&line["fill"]),
        is_right: line["yAxis"] == "right",
    })
}

fn vertical(mark: &Value) -> Option<VerticalMark> {
    let moment = |line: &Value| Some(Timestamp::parse_iso8601(line["value"].as_str()?).ok()?.as_millis());
    let line = first(mark);
    Some(VerticalMark {
        at: moment(line)?,
        until: mark.get(1).and_then(moment),
        label: line["label"].as_str().map(str::to_owned),
        color: line["color"].as_str().and_then(Color::parse),
        fill: fill(&line["fill"]),
    })
}

fn fill(fill: &Value) -> Fill {
    match fill.as_str() {
        Some("above" | "after") => Fill::Greater,
        Some("below" | "before") => Fill::Lesser,
        _ => Fill::None,
    }
}

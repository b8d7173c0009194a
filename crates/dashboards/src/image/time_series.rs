//! Lines and areas over time: where the plot, the marks of its axes and the points of its series go.

use super::geometry::Area;
use super::text::Face;
use super::ticks::{TimeTick, ValueScale, time_ticks};
use super::widget::{HorizontalMark, Widget};
use super::{Drawn, LegendLayout};

/// Around everything.
pub(super) const MARGIN: f32 = 14.0;
/// The title's line with the space below it.
pub(super) const TITLE_HEIGHT: f32 = 30.0;
/// The line of axis labels above the plot.
const AXIS_LABEL_HEIGHT: f32 = 20.0;
/// Below the plot: the moments.
const TIME_LABEL_HEIGHT: f32 = 22.0;
/// Between the plot and the values beside it.
const VALUE_LABEL_GAP: f32 = 8.0;
/// Pixels from mark to mark, at least about.
const VALUE_TICK_DISTANCE: f32 = 44.0;
const TIME_TICK_DISTANCE: f32 = 72.0;

/// Where everything goes.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeSeriesLayout {
    /// Where lines are.
    pub plot: Area,
    /// The scale of the left side; there is always one.
    pub left: ValueScale,
    /// The scale of the right side, if something belongs to it.
    pub right: Option<ValueScale>,
    /// The marks below.
    pub time_ticks: Vec<TimeTick>,
    pub(super) legend: LegendLayout,
    from: i64,
    to: i64,
}

impl TimeSeriesLayout {
    /// Lays out a widget on a picture of `area`.
    pub(super) fn new(widget: &Widget, drawn: &[Drawn], area: Area) -> Self {
        let title_height = if widget.title.is_some() { TITLE_HEIGHT } else { 0.0 };
        let inner = area.inset(MARGIN, MARGIN + title_height, MARGIN, MARGIN);
        let labels: Vec<&str> = drawn.iter().map(|series| series.label.as_str()).collect();
        let (legend, rest) = LegendLayout::place(&labels, widget.legend, inner);
        let has_axis_label = widget.left.label.is_some() || widget.right.label.is_some();
        let top = if has_axis_label { AXIS_LABEL_HEIGHT } else { 0.0 };
        let height = rest.height - top - TIME_LABEL_HEIGHT;
        let marks = (height / VALUE_TICK_DISTANCE).floor().clamp(1.0, 12.0) as usize;
        let scale = |is_right: bool| {
            let axis = if is_right { &widget.right } else { &widget.left };
            let range = value_range(widget, drawn, is_right)?;
            Some(ValueScale::new(range, (axis.min, axis.max), marks))
        };
        let right = scale(true);
        // A picture without data still has an axis.
        let left = scale(false).or_else(|| right.clone());
        let left =
            left.unwrap_or_else(|| ValueScale::new((0.0, 1.0), (widget.left.min, widget.left.max), marks));
        let room = |scale: &ValueScale| {
            let widths = scale.ticks.iter().map(|tick| Face::SMALL.width(&scale.label(*tick)));
            (widths.fold(0.0, f32::max) + VALUE_LABEL_GAP).ceil()
        };
        let plot = rest.inset(room(&left), top, right.as_ref().map_or(0.0, room), TIME_LABEL_HEIGHT);
        let (from, to) = (widget.from.as_millis(), widget.to.as_millis());
        let wanted = (plot.width / TIME_TICK_DISTANCE).floor().max(1.0) as usize;
        let time_ticks = time_ticks(from, to, widget.offset_secs, wanted);
        Self { plot, left, right, time_ticks, legend, from, to }
    }

    /// The scale that a series or mark belongs to.
    pub(super) fn scale(&self, is_right: bool) -> &ValueScale {
        self.right.as_ref().filter(|_| is_right).unwrap_or(&self.left)
    }

    /// Where a moment is, from left to right.
    pub(super) fn x(&self, at: i64) -> f32 {
        let share = (at.saturating_sub(self.from)) as f64 / (self.to - self.from) as f64;
        self.plot.x + (share * f64::from(self.plot.width)) as f32
    }

    /// Where a value is, from top to bottom; far outside the plot no further than rasterizing can bear.
    pub(super) fn y(&self, value: f64, is_right: bool) -> f32 {
        let share = self.scale(is_right).position(value).clamp(-10.0, 10.0);
        self.plot.bottom() - (share * f64::from(self.plot.height)) as f32
    }

    /// The pieces of a series' line: it breaks where points are missing. No more points than pixels can show.
    pub(super) fn pieces(&self, series: &Drawn) -> Vec<Vec<(f32, f32)>> {
        let gap = series.period_ms.saturating_mul(3) / 2;
        let runs = series.points.chunk_by(|earlier, later| later.0.saturating_sub(earlier.0) <= gap);
        let placed = |run: &[(i64, f64)]| {
            thinned(run.iter().map(|(at, value)| (self.x(*at), self.y(*value, series.is_right))))
        };
        runs.map(placed).collect()
    }

    /// The layers of stacked series, from the lowest on: for each the points of its upper edge, which is the
    /// next one's lower edge. A series without a point at a moment adds nothing there.
    pub(super) fn layers(&self, series: &[&Drawn]) -> Vec<Vec<(f32, f32)>> {
        let moments = moments(series);
        let mut sums = vec![0.0; moments.len()];
        let layer = |series: &&Drawn| {
            let mut points = series.points.iter().peekable();
            let edge = moments.iter().zip(&mut sums).map(|(at, sum)| {
                while points.next_if(|(earlier, _)| earlier < at).is_some() {}
                if let Some((_, value)) = points.next_if(|(found, _)| found == at) {
                    *sum += value;
                }
                (self.x(*at), self.y(*sum, series.is_right))
            });
            thinned_to_columns(edge)
        };
        series.iter().map(layer).collect()
    }
}

/// Every moment at which any series has a point, ascending.
fn moments(series: &[&Drawn]) -> Vec<i64> {
    let mut moments: Vec<i64> =
        series.iter().flat_map(|series| series.points.iter().map(|(at, _)| *at)).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// Of the points in each column of pixels the first, lowest, highest and last: what a line through all of
/// them shows.
fn thinned(points: impl Iterator<Item = (f32, f32)>) -> Vec<(f32, f32)> {
    let mut kept: Vec<(f32, f32)> = Vec::new();
    let mut column: Vec<(f32, f32)> = Vec::new();
    let mut flush = |column: &mut Vec<(f32, f32)>| {
        if column.len() <= 4 {
            kept.append(column);
            return;
        }
        let by_height = |one: &usize, other: &usize| column[*one].1.total_cmp(&column[*other].1);
        let lowest = (0..column.len()).max_by(by_height).unwrap_or(0);
        let highest = (0..column.len()).min_by(by_height).unwrap_or(0);
        let mut indexes = [0, lowest.min(highest), lowest.max(highest), column.len() - 1].to_vec();
        indexes.dedup();
        kept.extend(indexes.into_iter().map(|index| column[index]));
        column.clear();
    };
    for point in points {
        if column.last().is_some_and(|last| last.0.floor() != point.0.floor()) {
            flush(&mut column);
        }
        column.push(point);
    }
    flush(&mut column);
    kept
}

/// The last point of each half pixel: the same ones for all layers, so that their edges meet.
fn thinned_to_columns(points: impl Iterator<Item = (f32, f32)>) -> Vec<(f32, f32)> {
    let mut kept: Vec<(f32, f32)> = Vec::new();
    for point in points {
        match kept.last_mut() {
            Some(last) if (last.0 * 2.0).floor() == (point.0 * 2.0).floor() => *last = point,
            _ => kept.push(point),
        }
    }
    kept
}

/// The least and greatest of what one side must show; `None` if that is nothing.
fn value_range(widget: &Widget, drawn: &[Drawn], is_right: bool) -> Option<(f64, f64)> {
    let series: Vec<&Drawn> = drawn.iter().filter(|series| series.is_right == is_right).collect();
    let mut values: Vec<f64> = if widget.is_stacked {
        stacked_values(&series)
    } else {
        series.iter().flat_map(|series| series.points.iter().map(|(_, value)| *value)).collect()
    };
    let marks = widget.horizontal.iter().filter(|mark| mark.is_right == is_right);
    // Above a mark there is room for its label and its shade.
    let with_room = |value: f64| [value, value + value.abs() * 0.05];
    values.extend(
        marks
            .flat_map(|HorizontalMark { value, until, .. }| [Some(*value), *until])
            .flatten()
            .flat_map(with_room),
    );
    values.into_iter().fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// Zero and every sum of the stack.
fn stacked_values(series: &[&Drawn]) -> Vec<f64> {
    if series.iter().all(|series| series.points.is_empty()) {
        return Vec::new();
    }
    let moments = moments(series);
    let mut sums = vec![0.0; moments.len()];
    let (mut low, mut high) = (0.0f64, 0.0f64);
    for series in series {
        for (at, value) in &series.points {
            if let Ok(index) = moments.binary_search(at) {
                sums[index] += value;
                low = low.min(sums[index]);
                high = high.max(sums[index]);
            }
        }
    }
    vec![low, high]
}

//! Paints the latest values side by side: as numbers, with or without their line, or on gauges.

use super::Drawn;
use super::arcs::arc;
use super::canvas::{Align, Canvas};
use super::geometry::Area;
use super::plot::{no_data, title};
use super::text::Face;
use super::theme::Palette;
use super::ticks::{ValueScale, number};
use super::time_series::{MARGIN, TITLE_HEIGHT};
use super::widget::Widget;

/// The part of a turn that a gauge covers, and where it begins: a little more than half, open at the bottom.
const GAUGE_FROM: f32 = -0.3;
const GAUGE_TURN: f32 = 0.6;
/// Numbers are no larger than this.
const NUMBER_SIZE_MAX: f32 = 64.0;
/// The label's line below a number.
const LABEL_HEIGHT: f32 = 22.0;

/// `singleValue`.
pub(super) fn paint_numbers(canvas: &mut Canvas, widget: &Widget, drawn: &[Drawn]) {
    let palette = widget.theme.palette();
    for (series, cell) in cells(canvas, widget, drawn) {
        let value = series.latest();
        let text = value.map_or_else(|| "--".to_owned(), |value| number(value, widget.is_precise));
        let spark_height = if widget.has_sparkline { cell.height * 0.4 } else { 0.0 };
        let upper = cell.inset(4.0, 2.0, 4.0, spark_height);
        let face = fitting(&text, upper.width, (upper.height - LABEL_HEIGHT) * 1.1);
        let (x, y) = upper.center();
        let baseline = y - LABEL_HEIGHT / 2.0 + face.cap_height() / 2.0;
        canvas.text(&text, face, (x, baseline), Align::Middle, palette.text);
        label(canvas, series, (x, baseline + LABEL_HEIGHT), upper.width, palette);
        if widget.has_sparkline {
            sparkline(canvas, widget, series, cell.inset(0.0, cell.height - spark_height + 6.0, 0.0, 4.0));
        }
    }
}

/// `gauge`.
pub(super) fn paint_gauges(canvas: &mut Canvas, widget: &Widget, drawn: &[Drawn]) {
    let palette = widget.theme.palette();
    for (series, cell) in cells(canvas, widget, drawn) {
        let radius = (cell.width / 2.0 - 8.0).min((cell.height - LABEL_HEIGHT) / 1.6 - 8.0);
        if radius < 10.0 {
            continue;
        }
        let thickness = (radius * 0.2).min(28.0);
        let center = (cell.center().0, cell.y + 8.0 + radius);
        let value = series.latest();
        let range = (value.unwrap_or(0.0).min(0.0), value.unwrap_or(100.0).max(100.0));
        let scale = ValueScale::new(range, (widget.left.min, widget.left.max), 5);
        let turn = |share: f32| GAUGE_FROM + GAUGE_TURN * share;
        let middle = radius - thickness / 2.0;
        canvas.band(&arc(center, middle, turn(0.0), turn(1.0)), thickness, palette.grid);
        for mark in &widget.horizontal {
            let share = scale.position(mark.value).clamp(0.0, 1.0) as f32;
            let color = mark.color.unwrap_or(palette.annotation);
            let edge = |radius: f32| arc(center, radius, turn(share), turn(share))[0];
            canvas.band(&[edge(radius - thickness - 4.0), edge(radius + 4.0)], 2.0, color);
        }
        if let Some(value) = value {
            let share = scale.position(value).clamp(0.0, 1.0) as f32;
            canvas.band(&arc(center, middle, turn(0.0), turn(share)), thickness, series.color);
        }
        let text = value.map_or_else(|| "--".to_owned(), |value| number(value, widget.is_precise));
        let face = fitting(&text, (radius - thickness) * 1.6, radius * 0.6);
        let place = (center.0, center.1 + face.cap_height() / 2.0);
        canvas.text(&text, face, place, Align::Middle, palette.text);
        for (share, end) in [(0.0, scale.min), (1.0, scale.max)] {
            let (x, y) = arc(center, middle, turn(share), turn(share))[0];
            let place = (x, y + 8.0 + Face::SMALL.cap_height() * 1.4);
            canvas.text(&number(end, false), Face::SMALL, place, Align::Middle, palette.faint_text);
        }
        let baseline = center.1 + radius * 0.55 + LABEL_HEIGHT;
        label(canvas, series, (center.0, baseline.min(cell.bottom() - 2.0)), cell.width * 0.8, palette);
    }
}

/// Each series with its share of the picture, in rows that are about as high as wide.
fn cells<'a>(canvas: &mut Canvas, widget: &Widget, drawn: &'a [Drawn]) -> Vec<(&'a Drawn, Area)> {
    title(canvas, widget);
    let top = MARGIN + if widget.title.is_some() { TITLE_HEIGHT } else { 0.0 };
    let area = canvas.area().inset(MARGIN, top, MARGIN, MARGIN);
    if drawn.is_empty() {
        no_data(canvas, area, widget.theme.palette());
    }
    let count = drawn.len() as f32;
    let aspect = if area.height > 0.0 { area.width / area.height } else { 1.0 };
    let columns = (count * aspect / 1.4).sqrt().round().clamp(1.0, count.max(1.0));
    let rows = (count / columns).ceil().max(1.0);
    let (width, height) = (area.width / columns, area.height / rows);
    let cell = |(index, series): (usize, &'a Drawn)| {
        let (row, column) = ((index as f32 / columns).floor(), index as f32 % columns);
        (series, Area::new(area.x + column * width, area.y + row * height, width, height))
    };
    drawn.iter().enumerate().map(cell).filter(|(_, cell)| cell.is_visible()).collect()
}

/// The largest letters in which `text` fits.
fn fitting(text: &str, width: f32, height: f32) -> Face {
    let reference = Face::number(NUMBER_SIZE_MAX);
    let by_width = NUMBER_SIZE_MAX * width / reference.width(text).max(1.0);
    Face::number(NUMBER_SIZE_MAX.min(by_width).min(height).max(6.0))
}

fn label(canvas: &mut Canvas, series: &Drawn, (x, baseline): (f32, f32), width: f32, palette: &Palette) {
    let text = Face::SMALL.fitted(&series.label, width - 16.0).into_owned();
    let start = x - (Face::SMALL.width(&text) + 16.0) / 2.0;
    canvas.dot((start + 4.0, baseline - Face::SMALL.cap_height() / 2.0), 4.0, series.color);
    canvas.text(&text, Face::SMALL, (start + 14.0, baseline), Align::Start, palette.faint_text);
}

/// The series' line without axes, over a tint of its color.
fn sparkline(canvas: &mut Canvas, widget: &Widget, series: &Drawn, area: Area) {
    if !area.is_visible() || series.points.len() < 2 {
        return;
    }
    let (low, high) =
        series.points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, value)| {
            (low.min(*value), high.max(*value))
        });
    let scale = ValueScale::new((low, high), (Some(low), Some(high)), 2);
    let (from, to) = (widget.from.as_millis(), widget.to.as_millis());
    let place = |(at, value): &(i64, f64)| {
        let share = at.saturating_sub(from) as f64 / (to - from) as f64;
        let x = area.x + share as f32 * area.width;
        (x, area.bottom() - 2.0 - scale.position(*value) as f32 * (area.height - 4.0))
    };
    // Every so many points are enough at this size.
    let step = (series.points.len() / (area.width as usize + 1)).max(1);
    let points: Vec<_> = series.points.iter().step_by(step).map(place).collect();
    canvas.clip(area);
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let mut outline = points.clone();
        outline.extend([(last.0, area.bottom()), (first.0, area.bottom())]);
        canvas.polygon(&outline, series.color.faded(0.15));
    }
    canvas.line(&points, 1.5, series.color);
    canvas.unclip();
}

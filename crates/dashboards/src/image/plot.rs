//! Paints lines and areas over time.

use super::Drawn;
use super::canvas::{Align, Canvas};
use super::geometry::Area;
use super::text::Face;
use super::theme::{Color, Palette};
use super::time_series::{MARGIN, TITLE_HEIGHT, TimeSeriesLayout};
use super::widget::{Fill, HorizontalMark, VerticalMark, Widget};

/// How much of what lies below an annotation's shade covers.
const SHADE: f32 = 0.12;
/// The same for a stacked area.
const AREA_OPACITY: f32 = 0.75;

pub(super) fn paint(canvas: &mut Canvas, widget: &Widget, drawn: &[Drawn]) {
    let palette = widget.theme.palette();
    title(canvas, widget);
    let layout = TimeSeriesLayout::new(widget, drawn, canvas.area());
    if layout.plot.is_visible() {
        grid(canvas, &layout, palette);
        canvas.clip(layout.plot);
        shades(canvas, widget, &layout, palette);
        if widget.is_stacked {
            areas(canvas, &layout, drawn);
        } else {
            lines(canvas, &layout, drawn);
        }
        marks(canvas, widget, &layout, palette);
        canvas.unclip();
        axes(canvas, widget, &layout, palette);
        mark_labels(canvas, widget, &layout, palette);
        if drawn.iter().all(|series| series.points.is_empty()) {
            no_data(canvas, layout.plot, palette);
        }
    }
    let colors: Vec<_> = drawn.iter().map(|series| series.color).collect();
    layout.legend.paint(canvas, &colors, palette);
}

/// The title, upper left.
pub(super) fn title(canvas: &mut Canvas, widget: &Widget) {
    let Some(title) = &widget.title else { return };
    let text = Face::TITLE.fitted(title, canvas.area().width - 2.0 * MARGIN).into_owned();
    let baseline = MARGIN + TITLE_HEIGHT / 2.0 - 7.0 + Face::TITLE.cap_height();
    canvas.text(&text, Face::TITLE, (MARGIN, baseline), Align::Start, widget.theme.palette().text);
}

pub(super) fn no_data(canvas: &mut Canvas, area: Area, palette: &Palette) {
    let (x, y) = area.center();
    let text = Face::SMALL.fitted("No data available", area.width).into_owned();
    let place = (x, y + Face::SMALL.cap_height() / 2.0);
    canvas.text(&text, Face::SMALL, place, Align::Middle, palette.faint_text);
}

fn grid(canvas: &mut Canvas, layout: &TimeSeriesLayout, palette: &Palette) {
    let plot = layout.plot;
    for tick in &layout.left.ticks {
        let y = layout.y(*tick, false);
        canvas.rule((plot.x, y), (plot.right(), y), palette.grid);
    }
}

fn axes(canvas: &mut Canvas, widget: &Widget, layout: &TimeSeriesLayout, palette: &Palette) {
    let plot = layout.plot;
    canvas.rule((plot.x, plot.bottom()), (plot.right(), plot.bottom()), palette.axis);
    for tick in &layout.time_ticks {
        let x = layout.x(tick.at);
        canvas.rule((x, plot.bottom()), (x, plot.bottom() + 5.0), palette.axis);
        let place = (x, plot.bottom() + 10.0 + Face::SMALL.cap_height());
        // A mark near the edge keeps its text within the picture.
        let half = Face::SMALL.width(&tick.label) / 2.0;
        let x_max = (canvas.area().width - half - 2.0).max(half + 2.0);
        let place = (place.0.clamp(half + 2.0, x_max), place.1);
        canvas.text(&tick.label, Face::SMALL, place, Align::Middle, palette.faint_text);
    }
    let mut values = |is_right: bool, x: f32, align: Align| {
        let scale = layout.scale(is_right);
        for tick in &scale.ticks {
            let place = (x, layout.y(*tick, is_right) + Face::SMALL.cap_height() / 2.0);
            canvas.text(&scale.label(*tick), Face::SMALL, place, align, palette.faint_text);
        }
    };
    values(false, plot.x - 7.0, Align::End);
    if layout.right.is_some() {
        values(true, plot.right() + 7.0, Align::Start);
    }
    let above = plot.y - 10.0;
    let room = plot.width / 2.0;
    if let Some(label) = &widget.left.label {
        let text = Face::SMALL.fitted(label, room).into_owned();
        canvas.text(&text, Face::SMALL, (MARGIN, above), Align::Start, palette.faint_text);
    }
    if let (Some(label), Some(_)) = (&widget.right.label, &layout.right) {
        let text = Face::SMALL.fitted(label, room).into_owned();
        let end = canvas.area().width - MARGIN;
        // The legend may stand right of the axis.
        let place =
            if layout.legend.entries.iter().any(|entry| entry.x > plot.right()) { plot.right() } else { end };
        canvas.text(&text, Face::SMALL, (place, above), Align::End, palette.faint_text);
    }
}

fn lines(canvas: &mut Canvas, layout: &TimeSeriesLayout, drawn: &[Drawn]) {
    for series in drawn {
        for piece in layout.pieces(series) {
            match piece.as_slice() {
                [alone] => canvas.dot(*alone, 2.0, series.color),
                points => canvas.line(points, 1.6, series.color),
            }
        }
    }
}

fn areas(canvas: &mut Canvas, layout: &TimeSeriesLayout, drawn: &[Drawn]) {
    for is_right in [false, true] {
        let series: Vec<&Drawn> = drawn.iter().filter(|series| series.is_right == is_right).collect();
        let layers = layout.layers(&series);
        let zero = layout.y(0.0, is_right);
        let mut below: Vec<(f32, f32)> =
            layers.first().map(|edge| edge.iter().map(|(x, _)| (*x, zero)).collect()).unwrap_or_default();
        for (series, edge) in series.iter().zip(layers) {
            if series.points.is_empty() {
                continue;
            }
            if let [alone] = edge.as_slice() {
                canvas.dot(*alone, 2.0, series.color);
            }
            let outline: Vec<_> = edge.iter().chain(below.iter().rev()).copied().collect();
            canvas.polygon(&outline, series.color.faded(AREA_OPACITY));
            canvas.line(&edge, 1.2, series.color);
            below = edge;
        }
    }
}

fn shades(canvas: &mut Canvas, widget: &Widget, layout: &TimeSeriesLayout, palette: &Palette) {
    let plot = layout.plot;
    for mark in &widget.horizontal {
        let y = layout.y(mark.value, mark.is_right).clamp(plot.y, plot.bottom());
        let other = match (mark.until, mark.fill) {
            (Some(until), _) => layout.y(until, mark.is_right).clamp(plot.y, plot.bottom()),
            (None, Fill::Greater) => plot.y,
            (None, Fill::Lesser) => plot.bottom(),
            (None, Fill::None) => continue,
        };
        let area = Area::new(plot.x, y.min(other), plot.width, (y - other).abs());
        canvas.rectangle(area, horizontal_color(mark, palette).faded(SHADE));
    }
    for mark in &widget.vertical {
        let x = layout.x(mark.at).clamp(plot.x, plot.right());
        let other = match (mark.until, mark.fill) {
            (Some(until), _) => layout.x(until).clamp(plot.x, plot.right()),
            (None, Fill::Greater) => plot.right(),
            (None, Fill::Lesser) => plot.x,
            (None, Fill::None) => continue,
        };
        let area = Area::new(x.min(other), plot.y, (x - other).abs(), plot.height);
        canvas.rectangle(area, vertical_color(mark, palette).faded(SHADE));
    }
}

fn marks(canvas: &mut Canvas, widget: &Widget, layout: &TimeSeriesLayout, palette: &Palette) {
    let plot = layout.plot;
    for mark in &widget.horizontal {
        for value in [Some(mark.value), mark.until].into_iter().flatten() {
            let y = layout.y(value, mark.is_right).round() + 0.5;
            canvas.dashes((plot.x, y), (plot.right(), y), horizontal_color(mark, palette));
        }
    }
    for mark in &widget.vertical {
        for at in [Some(mark.at), mark.until].into_iter().flatten() {
            let x = layout.x(at).clamp(plot.x - 9.0, plot.right() + 9.0).round() + 0.5;
            canvas.dashes((x, plot.y), (x, plot.bottom()), vertical_color(mark, palette));
        }
    }
}

/// Labels of annotations, over a veil that keeps them readable where lines cross them.
fn mark_labels(canvas: &mut Canvas, widget: &Widget, layout: &TimeSeriesLayout, palette: &Palette) {
    let plot = layout.plot;
    let mut label = |text: &str, x: f32, y: f32, align: Align, color: Color| {
        let text = Face::SMALL.fitted(text, plot.width * 0.6).into_owned();
        let width = Face::SMALL.width(&text);
        let start = if align == Align::End { x - width } else { x };
        let height = Face::SMALL.cap_height();
        let veil = Area::new(start - 3.0, y - height - 4.0, width + 6.0, height + 8.0);
        canvas.rectangle(veil, palette.background.faded(0.75));
        canvas.text(&text, Face::SMALL, (start, y), Align::Start, color);
    };
    for mark in &widget.horizontal {
        let y = layout.y(mark.value, mark.is_right);
        let is_inside = (plot.y - 1.0..=plot.bottom() + 1.0).contains(&y);
        let Some(text) = mark.label.as_deref().filter(|text| is_inside && !text.is_empty()) else { continue };
        // Above the line; under it where there is no room above.
        let above = y - 6.0;
        let y = if above - 12.0 < plot.y { y + 8.0 + Face::SMALL.cap_height() } else { above };
        label(text, plot.right() - 6.0, y, Align::End, horizontal_color(mark, palette));
    }
    for (index, mark) in widget.vertical.iter().enumerate() {
        let x = layout.x(mark.at);
        let is_inside = (plot.x - 1.0..=plot.right() + 1.0).contains(&x);
        let Some(text) = mark.label.as_deref().filter(|text| is_inside && !text.is_empty()) else { continue };
        let is_late = x + 6.0 + Face::SMALL.width(text) > plot.right();
        let (x, align) = if is_late { (x - 6.0, Align::End) } else { (x + 6.0, Align::Start) };
        // Neighbours stand at different heights.
        let y = plot.y + 8.0 + Face::SMALL.cap_height() + 18.0 * (index % 3) as f32;
        label(text, x, y, align, vertical_color(mark, palette));
    }
}

fn horizontal_color(mark: &HorizontalMark, palette: &Palette) -> Color {
    mark.color.unwrap_or(palette.annotation)
}

fn vertical_color(mark: &VerticalMark, palette: &Palette) -> Color {
    mark.color.unwrap_or(palette.faint_text)
}

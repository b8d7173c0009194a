//! Paints a share of a circle for the latest value of each series.

use super::arcs::arc;
use super::canvas::{Align, Canvas};
use super::plot::{no_data, title};
use super::text::Face;
use super::ticks::number;
use super::time_series::{MARGIN, TITLE_HEIGHT};
use super::widget::Widget;
use super::{Drawn, LegendLayout};

/// A share that has room for its percentage.
const LABELLED_SHARE_MIN: f64 = 0.05;
/// The radius of the hole, as a share of the circle's.
const HOLE: f32 = 0.55;

pub(super) fn paint(canvas: &mut Canvas, widget: &Widget, drawn: &[Drawn]) {
    let palette = widget.theme.palette();
    title(canvas, widget);
    // Nothing has a negative share.
    let shares: Vec<(&Drawn, f64)> = drawn
        .iter()
        .filter_map(|series| Some((series, series.latest().filter(|value| *value > 0.0)?.min(1e100))))
        .collect();
    let total: f64 = shares.iter().map(|(_, value)| value).sum();
    let labels: Vec<String> = shares
        .iter()
        .map(|(series, value)| format!("{}  {}", series.label, number(*value, widget.is_precise)))
        .collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let top = MARGIN + if widget.title.is_some() { TITLE_HEIGHT } else { 0.0 };
    let inner = canvas.area().inset(MARGIN, top, MARGIN, MARGIN);
    let (legend, area) = LegendLayout::place(&labels, widget.legend, inner);
    if shares.is_empty() {
        return no_data(canvas, area, palette);
    }
    let (center, radius) = (area.center(), area.width.min(area.height) / 2.0);
    let mut from = 0.0;
    for (series, value) in &shares {
        let share = value / total;
        let to = from + share;
        let mut outline = arc(center, radius, from as f32, to as f32);
        outline.extend(arc(center, radius * HOLE, to as f32, from as f32));
        canvas.polygon(&outline, series.color);
        let middle =
            arc(center, radius * (1.0 + HOLE) / 2.0, ((from + to) / 2.0) as f32, ((from + to) / 2.0) as f32);
        if share >= LABELLED_SHARE_MIN && radius > 60.0 {
            let (x, y) = middle[0];
            let place = (x, y + Face::SMALL.cap_height() / 2.0);
            let text = format!("{:.0}%", share * 100.0);
            canvas.text(&text, Face::SMALL, place, Align::Middle, palette.background);
        }
        from = to;
    }
    // Thin gaps tell neighbours of like colors apart.
    if shares.len() > 1 {
        let mut turn = 0.0;
        for (_, value) in &shares {
            let edge = |radius: f32| arc(center, radius, turn as f32, turn as f32)[0];
            canvas.band(&[edge(radius * HOLE - 1.0), edge(radius + 1.0)], 1.5, palette.background);
            turn += value / total;
        }
    }
    let text = number(total, widget.is_precise);
    let face = Face::number((radius * 0.4).clamp(10.0, 48.0));
    if face.width(&text) < radius * HOLE * 1.8 {
        let place = (center.0, center.1 + face.cap_height() / 2.0);
        canvas.text(&text, face, place, Align::Middle, palette.text);
    }
    let colors: Vec<_> = shares.iter().map(|(series, _)| series.color).collect();
    legend.paint(canvas, &colors, palette);
}

//! Widgets as images: what a widget's text asks for, where each part of the picture goes, and the pixels.
//!
//! [`Widget::parse`] reads the text; its [`queries`](Widget::queries) are answered elsewhere; [`render`] lays
//! the answer out and paints it. The layouts ([`time_series`], `legend`, `ticks`) are functions from sizes
//! and values to numbers, and carry the tests; painting follows them and decides nothing.
//!
//! Cost: a picture of 600 × 400 takes a few milliseconds. Lines are thinned to what pixels can show, so time
//! and memory depend on the size of the picture, which is bounded, and on the count of points, which
//! [`Widget::queries`] bounds by coarser periods.

mod arcs;
mod bars;
mod canvas;
mod cells;
mod geometry;
mod labels;
mod legend;
mod pie;
mod plot;
mod text;
mod theme;
mod ticks;
mod time_range;
pub mod time_series;
mod widget;

use canvas::Canvas;
pub use theme::Theme;
pub use widget::{View, Widget, WidgetError};

use crate::WidgetSeries;
use legend::LegendLayout;
use theme::Color;

/// Something to draw, with its color settled.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// What the legend calls it.
    pub label: String,
    /// Its color.
    color: Color,
    /// Whether it belongs to the right axis.
    is_right: bool,
    /// Milliseconds and finite values, ascending by time.
    points: Vec<(i64, f64)>,
    /// Milliseconds between two points; with more between them, the line breaks.
    period_ms: i64,
}

impl Drawn {
    /// The value that stands for the whole series where there is room for one.
    fn latest(&self) -> Option<f64> {
        self.points.last().map(|(_, value)| *value)
    }
}

/// The widget as a PNG file.
pub fn render(widget: &Widget, series: Vec<WidgetSeries>) -> Result<Vec<u8>, WidgetError> {
    let drawn = widget.drawn(series);
    let palette = widget.theme.palette();
    let mut canvas = Canvas::new(widget.width, widget.height, palette.background);
    match widget.view {
        View::TimeSeries => plot::paint(&mut canvas, widget, &drawn),
        View::Bar => bars::paint(&mut canvas, widget, &drawn),
        View::Pie => pie::paint(&mut canvas, widget, &drawn),
        View::SingleValue => cells::paint_numbers(&mut canvas, widget, &drawn),
        View::Gauge => cells::paint_gauges(&mut canvas, widget, &drawn),
    }
    canvas.into_png().map_err(|_| WidgetError::Encoding)
}

#[cfg(test)]
mod tests;

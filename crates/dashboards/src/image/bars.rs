//! Paints a bar for the latest value of each series.

use super::Drawn;
use super::canvas::{Align, Canvas};
use super::geometry::Area;
use super::plot::{no_data, title};
use super::text::Face;
use super::ticks::{ValueScale, number};
use super::time_series::{MARGIN, TITLE_HEIGHT};
use super::widget::Widget;

/// From bar to bar, at most and at least.
const ROW_HEIGHT_MAX: f32 = 64.0;
const ROW_HEIGHT_MIN: f32 = 20.0;
/// The share of the width that labels may take.
const LABEL_SHARE_MAX: f32 = 0.35;

pub(super) fn paint(canvas: &mut Canvas, widget: &Widget, drawn: &[Drawn]) {
    let palette = widget.theme.palette();
    title(canvas, widget);
    let top = MARGIN + if widget.title.is_some() { TITLE_HEIGHT } else { 0.0 };
    let area = canvas.area().inset(MARGIN, top, MARGIN, MARGIN);
    let bars: Vec<(&Drawn, f64)> =
        drawn.iter().filter_map(|series| Some((series, series.latest()?))).collect();
    if bars.is_empty() {
        return no_data(canvas, area, palette);
    }
    let row_height = (area.height / bars.len() as f32).clamp(ROW_HEIGHT_MIN, ROW_HEIGHT_MAX);
    let labels: Vec<_> = bars
        .iter()
        .map(|(series, _)| Face::SMALL.fitted(&series.label, area.width * LABEL_SHARE_MAX))
        .collect();
    let label_width = labels.iter().map(|label| Face::SMALL.width(label)).fold(0.0, f32::max);
    let values: Vec<_> = bars.iter().map(|(_, value)| number(*value, widget.is_precise)).collect();
    let value_width = values.iter().map(|value| Face::SMALL.width(value)).fold(0.0, f32::max);
    let track = area.inset(label_width + 10.0, 0.0, value_width + 10.0, 0.0);
    if !track.is_visible() {
        return;
    }
    let (low, high) =
        bars.iter().fold((0.0f64, 0.0f64), |(low, high), (_, value)| (low.min(*value), high.max(*value)));
    let ends =
        (widget.left.min.or((low == 0.0).then_some(0.0)), widget.left.max.or((high > low).then_some(high)));
    let scale = ValueScale::new((low, high), ends, 5);
    let x = |value: f64| track.x + scale.position(value).clamp(0.0, 1.0) as f32 * track.width;
    let zero = x(0.0);
    for (index, (((series, value), label), text)) in bars.iter().zip(labels).zip(values).enumerate() {
        let y = area.y + (index as f32 + 0.5) * row_height;
        if y + row_height / 2.0 > area.bottom() + 1.0 {
            break;
        }
        let thickness = (row_height * 0.6).round();
        let end = x(*value);
        let bar =
            Area::new(zero.min(end), (y - thickness / 2.0).round(), (end - zero).abs().max(1.0), thickness);
        let row = Area::new(track.x, bar.y, track.width, thickness);
        canvas.rectangle(row, palette.grid.faded(0.6));
        canvas.rectangle(bar, series.color);
        let baseline = y + Face::SMALL.cap_height() / 2.0;
        canvas.text(&label, Face::SMALL, (track.x - 10.0, baseline), Align::End, palette.faint_text);
        canvas.text(&text, Face::SMALL, (track.right() + 10.0, baseline), Align::Start, palette.text);
    }
    canvas.rule((zero, area.y), (zero, area.y + row_height * bars.len() as f32), palette.axis);
}

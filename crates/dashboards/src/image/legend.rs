//! Where the legend's entries go.

use super::canvas::{Align, Canvas};
use super::geometry::Area;
use super::text::Face;
use super::theme::{Color, Palette};

/// `legend.position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegendPosition {
    /// Below the plot, in rows.
    Bottom,
    /// Right of the plot, in a column.
    Right,
    /// Nowhere.
    Hidden,
}

/// From one row of entries to the next.
const ROW_HEIGHT: f32 = 19.0;
/// The side of an entry's colored square.
const SWATCH: f32 = 10.0;
/// Between the square and its text.
const SWATCH_GAP: f32 = 6.0;
/// Between two entries of a row.
const ENTRY_GAP: f32 = 18.0;
/// Between plot and legend.
const PLOT_GAP: f32 = 12.0;
/// Shares of the picture that a legend takes at most.
const HEIGHT_SHARE_MAX: f32 = 0.3;
const WIDTH_SHARE_MAX: f32 = 0.35;

/// A legend's entries, in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LegendLayout {
    pub(super) entries: Vec<Entry>,
    /// How many entries have no room, and where that is said.
    pub(super) more: Option<(String, f32, f32)>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// Which of the labels it is.
    pub(super) index: usize,
    /// What fits of the label.
    pub(super) text: String,
    pub(super) x: f32,
    /// The middle of its row.
    pub(super) y: f32,
}

impl LegendLayout {
    /// Places a legend for `labels` into `area`. Answers it with the area that it leaves.
    pub(super) fn place(labels: &[&str], position: LegendPosition, area: Area) -> (Self, Area) {
        if labels.is_empty() {
            return (Self::default(), area);
        }
        match position {
            LegendPosition::Hidden => (Self::default(), area),
            LegendPosition::Bottom => Self::below(labels, area),
            LegendPosition::Right => Self::beside(labels, area),
        }
    }

    fn below(labels: &[&str], area: Area) -> (Self, Area) {
        let rows_max = (area.height * HEIGHT_SHARE_MAX / ROW_HEIGHT).floor();
        let (mut entries, mut x, mut row) = (Vec::new(), area.x, 0.0);
        for (index, label) in labels.iter().enumerate() {
            let text = Face::SMALL.fitted(label, area.width - SWATCH - SWATCH_GAP);
            let width = SWATCH + SWATCH_GAP + Face::SMALL.width(&text);
            if x > area.x && x + width > area.right() {
                (x, row) = (area.x, row + 1.0);
            }
            if row >= rows_max {
                break;
            }
            entries.push(Entry { index, text: text.into_owned(), x, y: row });
            x += width + ENTRY_GAP;
        }
        let rows = entries.last().map_or(0.0, |entry| entry.y + 1.0);
        if rows == 0.0 {
            return (Self::default(), area);
        }
        let more = Self::make_room_for_more(&mut entries, labels.len(), area.right());
        let left = area.inset(0.0, 0.0, 0.0, rows * ROW_HEIGHT + PLOT_GAP);
        let top = left.bottom() + PLOT_GAP + ROW_HEIGHT / 2.0;
        for entry in &mut entries {
            entry.y = top + entry.y * ROW_HEIGHT;
        }
        let more = more.map(|(text, x, row)| (text, x, top + row * ROW_HEIGHT));
        (Self { entries, more }, left)
    }

    /// Takes entries away from the end until `+3 more` fits behind the last.
    fn make_room_for_more(entries: &mut Vec<Entry>, count: usize, right: f32) -> Option<(String, f32, f32)> {
        while entries.len() < count {
            let last = entries.last()?;
            let end = last.x + SWATCH + SWATCH_GAP + Face::SMALL.width(&last.text) + ENTRY_GAP;
            let text = format!("+{} more", count - entries.len());
            if end + Face::SMALL.width(&text) <= right {
                return Some((text, end, last.y));
            }
            entries.pop();
        }
        None
    }

    fn beside(labels: &[&str], area: Area) -> (Self, Area) {
        let text_max = area.width * WIDTH_SHARE_MAX - SWATCH - SWATCH_GAP;
        let texts: Vec<_> = labels.iter().map(|label| Face::SMALL.fitted(label, text_max)).collect();
        let rows_max = (area.height / ROW_HEIGHT).floor() as usize;
        let shown = if texts.len() > rows_max { rows_max.saturating_sub(1) } else { texts.len() };
        let widest = texts.iter().map(|text| Face::SMALL.width(text)).fold(0.0, f32::max);
        if shown == 0 || widest == 0.0 {
            return (Self::default(), area);
        }
        let left = area.inset(0.0, 0.0, SWATCH + SWATCH_GAP + widest + PLOT_GAP + 4.0, 0.0);
        let x = left.right() + PLOT_GAP + 4.0;
        let row = |index: usize| area.y + (index as f32 + 0.5) * ROW_HEIGHT;
        let entries = texts.into_iter().take(shown).enumerate();
        let entries: Vec<_> =
            entries.map(|(index, text)| Entry { index, text: text.into_owned(), x, y: row(index) }).collect();
        let hidden = labels.len() - shown;
        let more = (hidden > 0).then(|| (format!("+{hidden} more"), x + SWATCH + SWATCH_GAP, row(shown)));
        (Self { entries, more }, left)
    }

    pub(super) fn paint(&self, canvas: &mut Canvas, colors: &[Color], palette: &Palette) {
        let baseline = |y: f32| y + Face::SMALL.cap_height() / 2.0;
        for entry in &self.entries {
            let top = (entry.y - SWATCH / 2.0).round();
            canvas.rectangle(Area::new(entry.x.round(), top, SWATCH, SWATCH), colors[entry.index]);
            let place = (entry.x + SWATCH + SWATCH_GAP, baseline(entry.y));
            canvas.text(&entry.text, Face::SMALL, place, Align::Start, palette.text);
        }
        if let Some((text, x, y)) = &self.more {
            canvas.text(text, Face::SMALL, (*x, baseline(*y)), Align::Start, palette.faint_text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { x: 10.0, y: 10.0, width: 300.0, height: 200.0 };

    #[test]
    fn a_row_that_is_full_goes_on_below() {
        let labels = ["web-server-1", "web-server-2", "web-server-3", "db"];
        let (legend, left) = LegendLayout::place(&labels, LegendPosition::Bottom, AREA);
        let places: Vec<_> = legend.entries.iter().map(|entry| (entry.x.round(), entry.y)).collect();
        assert_eq!(places, [(10.0, 181.5), (111.0, 181.5), (213.0, 181.5), (10.0, 200.5)]);
        assert_eq!(left, Area::new(10.0, 10.0, 300.0, 150.0));
        assert_eq!(legend.more, None);
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let labels = vec!["a-series-with-a-long-name"; 30];
        for position in [LegendPosition::Bottom, LegendPosition::Right] {
            let (legend, _) = LegendLayout::place(&labels, position, AREA);
            let (text, ..) = legend.more.expect("not all have room");
            assert_eq!(text, format!("+{} more", 30 - legend.entries.len()), "{position:?}");
        }
    }

    #[test]
    fn a_legend_leaves_most_of_the_picture() {
        let labels = vec!["a-series-with-a-very-long-name-that-goes-on-and-on-and-on-and-on"; 30];
        let (_, below) = LegendLayout::place(&labels, LegendPosition::Bottom, AREA);
        assert!(below.height >= AREA.height * 0.6, "{below:?}");
        let (_, beside) = LegendLayout::place(&labels, LegendPosition::Right, AREA);
        assert!(beside.width >= AREA.width * 0.6, "{beside:?}");
    }

    #[test]
    fn no_area_has_no_legend() {
        for position in [LegendPosition::Bottom, LegendPosition::Right, LegendPosition::Hidden] {
            let nothing = Area::new(0.0, 0.0, 1.0, 1.0);
            assert_eq!(LegendLayout::place(&["a"], position, nothing), (LegendLayout::default(), nothing));
        }
    }
}

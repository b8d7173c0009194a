//! Text: how wide it is, how much of it fits, and its glyphs.

use std::borrow::Cow;
use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _};

/// Labels are cut to that many characters before anything looks at them.
const CHARACTERS_MAX: usize = 512;

static REGULAR: LazyLock<FontRef<'static>> =
    LazyLock::new(|| embedded(include_bytes!("../../assets/NotoSans-Regular.ttf")));
static BOLD: LazyLock<FontRef<'static>> =
    LazyLock::new(|| embedded(include_bytes!("../../assets/NotoSans-Bold.ttf")));

fn embedded(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the embedded font is one")
}

/// A size and weight of letters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Face {
    /// Pixels from line to line, about.
    pub(super) size: f32,
    pub(super) is_bold: bool,
}

impl Face {
    /// Ticks and legends.
    pub(super) const SMALL: Self = Self { size: 15.0, is_bold: false };
    /// The widget's title.
    pub(super) const TITLE: Self = Self { size: 19.0, is_bold: true };

    /// Large numbers.
    pub(super) fn number(size: f32) -> Self {
        Self { size, is_bold: true }
    }

    fn font(self) -> &'static FontRef<'static> {
        if self.is_bold { &BOLD } else { &REGULAR }
    }

    /// How far capitals reach above the baseline.
    pub(super) fn cap_height(self) -> f32 {
        // Noto Sans: 714 of 1362 units between ascender and descender.
        self.size * 0.524
    }

    /// How wide `text` is.
    pub(super) fn width(self, text: &str) -> f32 {
        let font = self.font().as_scaled(PxScale::from(self.size));
        shown(text).map(|letter| font.h_advance(font.glyph_id(letter))).sum()
    }

    /// As much of `text` as `width_max` has room for.
    pub(super) fn fitted(self, text: &str, width_max: f32) -> Cow<'_, str> {
        let cleaned: String = shown(text).collect();
        if self.width(&cleaned) <= width_max {
            return cleaned.into();
        }
        let font = self.font().as_scaled(PxScale::from(self.size));
        let mut width = self.width("…");
        let mut kept = String::new();
        for letter in cleaned.chars() {
            width += font.h_advance(font.glyph_id(letter));
            if width > width_max {
                break;
            }
            kept.push(letter);
        }
        kept.truncate(kept.trim_end().len());
        if kept.is_empty() { "".into() } else { format!("{kept}…").into() }
    }

    /// Calls `plot` with every pixel that `text` touches, and how much of it is covered (0 to 1). `x` is
    /// where the text begins, `baseline` where its letters stand.
    pub(super) fn rasterize(self, text: &str, x: f32, baseline: f32, mut plot: impl FnMut(i32, i32, f32)) {
        let scale = PxScale::from(self.size);
        let font = self.font().as_scaled(scale);
        let mut caret = x;
        for letter in shown(text) {
            let id = font.glyph_id(letter);
            // Whole pixels from line to line keep the letters' feet sharp.
            let glyph = id.with_scale_and_position(scale, ab_glyph::point(caret, baseline.round()));
            if let Some(outline) = self.font().outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
                outline.draw(|x, y, coverage| {
                    plot(left.saturating_add(x as i32), top.saturating_add(y as i32), coverage);
                });
            }
            caret += font.h_advance(id);
        }
    }
}

/// The letters that are drawn for `text`: a line, of bounded length.
fn shown(text: &str) -> impl Iterator<Item = char> {
    text.chars().take(CHARACTERS_MAX).map(|letter| if letter.is_control() { ' ' } else { letter })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_does_not_fit_ends_in_an_ellipsis() {
        let face = Face::SMALL;
        assert_eq!(face.fitted("CPU", 100.0), "CPU");
        let fitted = face.fitted("CPUUtilization of i-0123456789", 100.0);
        assert!(fitted.starts_with("CPUUtil") && fitted.ends_with('…'), "{fitted}");
        assert!(face.width(&fitted) <= 100.0);
        assert_eq!(face.fitted("CPU", 3.0), "");
    }

    #[test]
    fn control_characters_take_the_place_of_a_space() {
        assert_eq!(Face::SMALL.fitted("a\nb", 100.0), "a b");
    }
}

//! Colors.

/// A color and how much of it covers what is below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Color {
    pub(super) red: u8,
    pub(super) green: u8,
    pub(super) blue: u8,
    pub(super) opacity: f32,
}

impl Color {
    const fn rgb(hex: u32) -> Self {
        let [_, red, green, blue] = hex.to_be_bytes();
        Self { red, green, blue, opacity: 1.0 }
    }

    /// Reads `#rgb` or `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        match digits.len() {
            3 => {
                let short = u32::from_str_radix(digits, 16).ok()?;
                let [red, green, blue] = [short >> 8, (short >> 4) & 15, short & 15].map(|digit| digit * 17);
                Some(Self::rgb(red << 16 | green << 8 | blue))
            }
            6 => u32::from_str_radix(digits, 16).ok().map(Self::rgb),
            _ => None,
        }
    }

    /// The color, seen through.
    pub(super) fn faded(self, opacity: f32) -> Self {
        Self { opacity: self.opacity * opacity, ..self }
    }
}

/// `theme` of a widget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark signs on white.
    #[default]
    Light,
    /// Light signs on dark blue.
    Dark,
}

/// What a theme's parts look like.
pub(super) struct Palette {
    pub(super) background: Color,
    pub(super) text: Color,
    pub(super) faint_text: Color,
    pub(super) grid: Color,
    pub(super) axis: Color,
    /// Lines of annotations that have no color of their own.
    pub(super) annotation: Color,
    /// Colors of series, in turn.
    pub(super) series: &'static [Color],
}

static LIGHT: Palette = Palette {
    background: Color::rgb(0xffffff),
    text: Color::rgb(0x16191f),
    faint_text: Color::rgb(0x545b64),
    grid: Color::rgb(0xeaeded),
    axis: Color::rgb(0xaab7b8),
    annotation: Color::rgb(0xd13212),
    series: &[
        Color::rgb(0x1f77b4),
        Color::rgb(0xff7f0e),
        Color::rgb(0x2ca02c),
        Color::rgb(0xd62728),
        Color::rgb(0x9467bd),
        Color::rgb(0x8c564b),
        Color::rgb(0xe377c2),
        Color::rgb(0x7f7f7f),
        Color::rgb(0xbcbd22),
        Color::rgb(0x17becf),
        Color::rgb(0xaec7e8),
        Color::rgb(0xffbb78),
        Color::rgb(0x98df8a),
        Color::rgb(0xff9896),
        Color::rgb(0xc5b0d5),
    ],
};

static DARK: Palette = Palette {
    background: Color::rgb(0x0f1b2a),
    text: Color::rgb(0xe9ebed),
    faint_text: Color::rgb(0x9ba7b6),
    grid: Color::rgb(0x223143),
    axis: Color::rgb(0x414d5c),
    annotation: Color::rgb(0xff5d64),
    series: &[
        Color::rgb(0x539fe5),
        Color::rgb(0xff9933),
        Color::rgb(0x5fc95f),
        Color::rgb(0xff6b6b),
        Color::rgb(0xb088d9),
        Color::rgb(0xc48b7c),
        Color::rgb(0xf097d3),
        Color::rgb(0xa9b1bb),
        Color::rgb(0xd9da4f),
        Color::rgb(0x3fd6e6),
        Color::rgb(0xaec7e8),
        Color::rgb(0xffbb78),
        Color::rgb(0x98df8a),
        Color::rgb(0xff9896),
        Color::rgb(0xc5b0d5),
    ],
};

impl Theme {
    pub(super) fn palette(self) -> &'static Palette {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_three_or_six_hexadecimal_digits() {
        assert_eq!(Color::parse("#1f77b4"), Some(Color::rgb(0x1f77b4)));
        assert_eq!(Color::parse("#fA0"), Some(Color::rgb(0xffaa00)));
        for text in ["", "#", "red", "#12345", "#+12345", "1f77b4", "#ü00"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }
}

//! The error of all codecs: what is wrong with a document.

use std::fmt;

use crate::bounds::Excess;

/// The longest text that a [`Malformed`] keeps, in bytes: `serde` quotes values, and values may be megabytes.
const TEXT_BYTES_MAX: usize = 256;

/// A document that does not decode (or, on our side, a shape that does not encode).
///
/// Nobody acts on the kind of the mistake, so there is one text, and it is the client's to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(Box<str>);

impl Malformed {
    /// Says what is wrong. The text is cut to 256 bytes.
    pub fn new(text: impl fmt::Display) -> Self {
        use fmt::Write as _;
        let mut cut = Cut(String::new());
        // The only error of `Cut` is to be full.
        let _ = write!(cut, "{text}");
        Self(cut.0.into_boxed_str())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

impl serde::de::Error for Malformed {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(text)
    }
}

impl serde::ser::Error for Malformed {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(text)
    }
}

impl From<Excess> for Malformed {
    fn from(excess: Excess) -> Self {
        Self::new(excess)
    }
}

/// A text that takes no more than [`TEXT_BYTES_MAX`].
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = TEXT_BYTES_MAX - self.0.len();
        let fits = text.floor_char_boundary(room);
        self.0.push_str(&text[..fits]);
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = Malformed::new("ü".repeat(1000)).to_string();
        assert_eq!(text, "ü".repeat(128));
    }
}

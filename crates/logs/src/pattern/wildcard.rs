//! Texts in which `*` stands for anything.

use memchr::memmem::Finder;

/// A compiled text with any number of wildcards.
#[derive(Clone, Debug)]
pub(crate) struct Wildcard {
    start: Vec<u8>,
    /// What lies between two wildcards, in this order.
    middle: Vec<Finder<'static>>,
    /// `None` without any wildcard: the text is `start` and nothing else.
    end: Option<Vec<u8>>,
}

impl Wildcard {
    pub(crate) fn new(pattern: &str) -> Self {
        let mut pieces: Vec<&[u8]> = pattern.split('*').map(str::as_bytes).collect();
        let end = if pieces.len() > 1 { pieces.pop().map(<[u8]>::to_vec) } else { None };
        let (start, middle) = pieces.split_first().map_or((&[][..], &[][..]), |(start, rest)| (*start, rest));
        let middle = middle.iter().filter(|piece| !piece.is_empty());
        let middle = middle.map(|piece| Finder::new(piece).into_owned()).collect();
        Self { start: start.to_vec(), middle, end }
    }

    /// Whether all of `text` matches.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let Some(end) = &self.end else { return text == self.start };
        let Some(mut rest) = text.strip_prefix(self.start.as_slice()) else { return false };
        for piece in &self.middle {
            // The leftmost occurrence leaves the most to the pieces behind it.
            let Some(at) = piece.find(rest) else { return false };
            rest = &rest[at + piece.needle().len()..];
        }
        rest.ends_with(end)
    }
}

//! A shape: the text that messages have in common, with named gaps.

use std::ops::Range;

/// Stands around the name of a slot in a shape's text. Messages that contain it are not shaped.
pub(crate) const MARK: char = '\u{11}';

/// What messages of one shape have in common. Its text is literals and slot names in turn, with [`MARK`]
/// between them: `{"user":"␑$.user␑"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    text: String,
    /// One more than slots: what stands before, between and behind them.
    literals: Vec<Range<usize>>,
    slots: Vec<Range<usize>>,
}

impl Shape {
    /// The shape of `message` without its `slots`, which are called `names`. `None` if it contains a
    /// [`MARK`].
    pub(super) fn new(message: &str, slots: &[Range<u32>], names: &[String]) -> Option<Self> {
        debug_assert_eq!(slots.len(), names.len(), "every slot has a name");
        let mut text = String::with_capacity(message.len());
        let mut done = 0;
        for (slot, name) in slots.iter().zip(names) {
            text.push_str(message.get(done..slot.start as usize)?);
            text.push(MARK);
            text.push_str(name);
            text.push(MARK);
            done = slot.end as usize;
        }
        text.push_str(message.get(done..)?);
        let shape = Self::parse(text)?;
        (shape.slots.len() == slots.len()).then_some(shape)
    }

    /// Reads a shape's text. `None` if it is not one.
    pub(crate) fn parse(text: String) -> Option<Self> {
        let (mut literals, mut slots, mut start) = (Vec::new(), Vec::new(), 0);
        for (part, piece) in text.split(MARK).enumerate() {
            let range = start..start + piece.len();
            start = range.end + MARK.len_utf8();
            if part % 2 == 0 { literals.push(range) } else { slots.push(range) }
        }
        (literals.len() == slots.len() + 1).then_some(Self { text, literals, slots })
    }

    /// The same whose slots are called `names`, as many as it has.
    pub(super) fn renamed(&self, names: &[String]) -> Self {
        let mut renamed = Self { text: String::new(), literals: Vec::new(), slots: Vec::new() };
        let add = |text: &mut String, piece: &str| {
            let start = text.len();
            text.push_str(piece);
            start..text.len()
        };
        let mut names = names.iter();
        for literal in self.literals() {
            renamed.literals.push(add(&mut renamed.text, literal));
            if let Some(name) = names.next() {
                renamed.text.push(MARK);
                renamed.slots.push(add(&mut renamed.text, name));
                renamed.text.push(MARK);
            }
        }
        renamed
    }

    /// As [`Self::parse`] reads it.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before, between and behind the slots; one more than there are slots.
    pub(crate) fn literals(&self) -> impl ExactSizeIterator<Item = &str> {
        self.literals.iter().map(|range| &self.text[range.clone()])
    }

    /// The text that the literals are ranges of, and these.
    pub(crate) fn literal_ranges(&self) -> (&[u8], &[Range<usize>]) {
        (self.text.as_bytes(), &self.literals)
    }

    /// The names of the slots.
    pub(crate) fn slots(&self) -> impl ExactSizeIterator<Item = &str> {
        self.slots.iter().map(|range| &self.text[range.clone()])
    }

    /// Whether `message` has this shape, if these are its slots.
    pub(super) fn fits(&self, message: &[u8], slots: &[Range<u32>]) -> bool {
        let starts = std::iter::once(0).chain(slots.iter().map(|slot| slot.end as usize));
        let ends = slots.iter().map(|slot| slot.start as usize).chain([message.len()]);
        let pieces = starts.zip(ends).map(|(start, end)| &message[start..end]);
        slots.len() == self.slots.len() && self.literals().map(str::as_bytes).eq(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_its_text() {
        let names = ["$.a".to_owned(), "$2".to_owned()];
        let shape = Shape::new("x=1, y=22", &[2..3, 7..9], &names).expect("a shape");
        assert_eq!(shape.as_str(), "x=\u{11}$.a\u{11}, y=\u{11}$2\u{11}");
        assert_eq!(Shape::parse(shape.as_str().to_owned()).as_ref(), Some(&shape));
        assert_eq!(shape.literals().collect::<Vec<_>>(), ["x=", ", y=", ""]);
        assert_eq!(shape.slots().collect::<Vec<_>>(), ["$.a", "$2"]);
        let renamed = shape.renamed(&["$.b".to_owned(), "$2r".to_owned()]);
        assert_eq!(renamed.as_str(), "x=\u{11}$.b\u{11}, y=\u{11}$2r\u{11}");
        assert_eq!(Shape::parse(renamed.as_str().to_owned()), Some(renamed));
        assert!(shape.fits(b"x=777, y=", &[2..5, 9..9]));
        assert!(!shape.fits(b"x=777, y= ", &[2..5, 9..9]));
        assert!(!shape.fits(b"x=1", std::slice::from_ref(&(2..3))));
    }

    #[test]
    fn what_holds_a_mark_has_no_shape() {
        assert_eq!(Shape::new("x\u{11}1", std::slice::from_ref(&(2..3)), &["a".to_owned()]), None);
        assert_eq!(Shape::parse("a\u{11}b".to_owned()), None);
    }
}

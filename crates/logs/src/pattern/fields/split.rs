//! Cuts a message into fields.

use memchr::memchr;

/// A field's place in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'m> {
    /// Where it begins, its bracket or quote included.
    pub(super) start: usize,
    /// What it says, without bracket or quote.
    pub(super) text: &'m [u8],
}

/// The fields of a message, one after the other: what lies between blanks, and what stands in `[…]` or `"…"`,
/// blanks and all. A bracket or quote that nothing closes before a blank or the end is part of an ordinary
/// field.
pub(super) struct Split<'m> {
    message: &'m [u8],
    /// Where the next field begins, or blanks before it.
    start: usize,
    brackets: Closings,
    quotes: Closings,
}

impl<'m> Split<'m> {
    pub(super) fn new(message: &'m [u8]) -> Self {
        Self { message, start: 0, brackets: Closings::new(b']'), quotes: Closings::new(b'"') }
    }
}

impl<'m> Iterator for Split<'m> {
    type Item = Piece<'m>;

    fn next(&mut self) -> Option<Piece<'m>> {
        let message = self.message;
        self.start += message[self.start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let start = self.start;
        let closing = match message.get(start)? {
            b'[' => self.brackets.first_from(message, start + 1),
            b'"' => self.quotes.first_from(message, start + 1),
            _ => None,
        };
        let (end, text) = match closing {
            Some(at) => (at + 1, &message[start + 1..at]),
            None => {
                let length = message[start..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
                (start + length, &message[start..start + length])
            }
        };
        self.start = end;
        Some(Piece { start, text })
    }
}

/// Where groups of one kind can be closed: a closing character with a blank or the end behind it. Remembers
/// the last answer, so that a message full of opening brackets is searched once and not once a bracket.
struct Closings {
    close: u8,
    /// The first closing from some place on that lies behind us.
    known: Option<Option<usize>>,
}

impl Closings {
    fn new(close: u8) -> Self {
        Self { close, known: None }
    }

    /// The first one from `from` on, which only grows.
    fn first_from(&mut self, message: &[u8], from: usize) -> Option<usize> {
        match self.known {
            Some(None) => return None,
            Some(Some(at)) if at >= from => return Some(at),
            _ => {}
        }
        let mut after = from;
        let first = loop {
            let Some(at) = memchr(self.close, &message[after..]).map(|at| after + at) else { break None };
            if message.get(at + 1).is_none_or(u8::is_ascii_whitespace) {
                break Some(at);
            }
            after = at + 1;
        };
        self.known = Some(first);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: &[&str]) {
        let text = |piece: Piece<'_>| String::from_utf8(piece.text.to_vec()).expect("text");
        let texts: Vec<_> = Split::new(message.as_bytes()).map(text).collect();
        assert_eq!(texts, expected, "{message}");
    }

    #[test]
    fn fields_lie_between_blanks() {
        check("", &[]);
        check("  ", &[]);
        check("a", &["a"]);
        check(" a  b\tc\n", &["a", "b", "c"]);
        check("größe ü", &["größe", "ü"]);
    }

    #[test]
    fn brackets_and_quotes_group() {
        check("a [b c] d", &["a", "b c", "d"]);
        check("\"GET / HTTP/1.1\" 200", &["GET / HTTP/1.1", "200"]);
        check("[] \"\"", &["", ""]);
        check("[a]b] c", &["a]b", "c"]);
        check("[a \"b] c\"", &["a \"b", "c\""]);
        check("[a] [b] \"c d\" [e f]", &["a", "b", "c d", "e f"]);
    }

    #[test]
    fn what_is_not_closed_is_an_ordinary_field() {
        check("[a b", &["[a", "b"]);
        check("\"a b", &["\"a", "b"]);
        check("a\"b c\"", &["a\"b", "c\""]);
        check("[x]y z", &["[x]y", "z"]);
        check("[ [ [", &["[", "[", "["]);
    }
}

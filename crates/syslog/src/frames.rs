//! Messages out of a stream of bytes, by both ways of RFC 6587.
//!
//! A frame that begins with a digit other than 0 is counted: `LENGTH SP MESSAGE`. Any other ends at a line
//! feed: messages begin with `<`, so the two cannot be confused.

use bytes::{Buf, Bytes, BytesMut};

/// The largest message. What is longer is cut there, and its rest skipped. RFC 5424 asks for 2 KiB at least.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// The most digits that a length may have.
const DIGITS_MAX: usize = 7;

/// Takes bytes as they come, and gives messages.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: BytesMut,
    skip: Skip,
}

/// What is left of a message that was cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skip {
    #[default]
    Nothing,
    Bytes(usize),
    Line,
}

impl Frames {
    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// How many bytes wait for the rest of their message. Below [`MESSAGE_BYTES_MAX`] and a length's digits
    /// once [`Self::next_message`] has answered `None`.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next message that is whole, without its frame; empty ones are left out.
    pub fn next_message(&mut self) -> Option<Bytes> {
        loop {
            self.skip_rest()?;
            let message = match self.length() {
                Length::Unknown => return None,
                Length::Counted { digits, bytes } => self.counted(digits, bytes)?,
                Length::Line => self.line()?,
            };
            if !message.is_empty() {
                return Some(message);
            }
        }
    }

    /// What is left at the end of a connection, if it is the beginning of a message.
    pub fn finish(mut self) -> Option<Bytes> {
        let message = match (self.skip, self.length()) {
            (Skip::Nothing, Length::Line) => self.buffer.split(),
            (Skip::Nothing, Length::Counted { digits, .. }) => self.buffer.split_off(digits + 1),
            _ => return None,
        };
        let message = trimmed(message.freeze());
        (!message.is_empty()).then_some(message)
    }

    /// `None`: all there is was skipped, and more is to be.
    fn skip_rest(&mut self) -> Option<()> {
        match self.skip {
            Skip::Nothing => {}
            Skip::Bytes(left) => {
                let skipped = left.min(self.buffer.len());
                self.buffer.advance(skipped);
                self.skip = if skipped == left { Skip::Nothing } else { Skip::Bytes(left - skipped) };
            }
            Skip::Line => match self.buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    self.buffer.advance(end + 1);
                    self.skip = Skip::Nothing;
                }
                None => self.buffer.clear(),
            },
        }
        (self.skip == Skip::Nothing).then_some(())
    }

    fn length(&self) -> Length {
        match self.buffer.first() {
            None => return Length::Unknown,
            Some(b'1'..=b'9') => {}
            Some(_) => return Length::Line,
        }
        let digits = self.buffer.iter().take(DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
        match self.buffer.get(digits) {
            None if digits <= DIGITS_MAX => Length::Unknown,
            Some(b' ') => {
                let number =
                    self.buffer[..digits].iter().fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'));
                Length::Counted { digits, bytes: number }
            }
            _ => Length::Line,
        }
    }

    fn counted(&mut self, digits: usize, bytes: usize) -> Option<Bytes> {
        let taken = bytes.min(MESSAGE_BYTES_MAX);
        if self.buffer.len() < digits + 1 + taken {
            return None;
        }
        self.buffer.advance(digits + 1);
        let message = self.buffer.split_to(taken).freeze();
        if taken < bytes {
            self.skip = Skip::Bytes(bytes - taken);
        }
        Some(trimmed(message))
    }

    fn line(&mut self) -> Option<Bytes> {
        let searched = self.buffer.len().min(MESSAGE_BYTES_MAX + 1);
        match self.buffer[..searched].iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = self.buffer.split_to(end).freeze();
                self.buffer.advance(1);
                Some(trimmed(line))
            }
            None if searched > MESSAGE_BYTES_MAX => {
                let line = self.buffer.split_to(MESSAGE_BYTES_MAX).freeze();
                self.skip = Skip::Line;
                Some(trimmed(line))
            }
            None => None,
        }
    }
}

/// How the next frame is delimited.
enum Length {
    /// More bytes will tell.
    Unknown,
    Counted {
        digits: usize,
        bytes: usize,
    },
    Line,
}

/// Without what senders put at the end of messages: line ends, and NUL as some do.
fn trimmed(mut message: Bytes) -> Bytes {
    while let Some(b'\r' | b'\n' | 0) = message.last() {
        message.truncate(message.len() - 1);
    }
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(pieces: &[&[u8]]) -> Vec<String> {
        let mut frames = Frames::default();
        let mut messages = Vec::new();
        for piece in pieces {
            frames.push(piece);
            messages.extend(std::iter::from_fn(|| frames.next_message()));
            assert!(frames.waiting() <= MESSAGE_BYTES_MAX + DIGITS_MAX + 1);
        }
        messages.extend(frames.finish());
        messages.iter().map(|message| String::from_utf8_lossy(message).into_owned()).collect()
    }

    #[test]
    fn frames_are_counted_or_lines_and_may_be_mixed() {
        assert_eq!(
            messages(&[b"5 <1>ab<2>line\r\n\n6 <3>c\nd<4>end"]),
            ["<1>ab", "<2>line", "<3>c\nd", "<4>end"]
        );
        assert_eq!(messages(&[b"1234 no length\n"]), ["no length"], "cut short, and told what there is");
        assert_eq!(messages(&[b"2026-01-01 a line\n"]), ["2026-01-01 a line"]);
        assert_eq!(messages(&[b"123456789 too long a length\n"]), ["123456789 too long a length"]);
        assert_eq!(messages(&[b"0 <1>x\n"]), ["0 <1>x"]);
    }

    #[test]
    fn long_messages_are_cut_and_their_rest_skipped() {
        let long = "x".repeat(MESSAGE_BYTES_MAX + 10);
        let cut = &long[..MESSAGE_BYTES_MAX];
        assert_eq!(messages(&[format!("{long}\n<1>next\n").as_bytes()]), [cut, "<1>next"]);
        let counted = format!("{} {long}7 <1>next", long.len());
        assert_eq!(messages(&[counted.as_bytes()]), [cut, "<1>next"]);
    }

    proptest! {
        #[test]
        fn however_bytes_are_cut_into_pieces_the_messages_are_the_same(
            bytes in "([1-9] |<[0-9]>|[a-z ]|\n|[0-9]){0,60}", cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let bytes = bytes.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                pieces.push(&bytes[start..cut]);
                start = cut;
            }
            prop_assert_eq!(messages(&pieces), messages(&[bytes]));
        }
    }
}

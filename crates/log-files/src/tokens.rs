//! Words, and what is known of those that occur somewhere: lets a search for a word pass over most rows.
//!
//! A *token* is a run of ASCII letters, digits, `-` and `_` that nothing longer continues. A pattern that
//! looks for text needs certain [`Token`]s to occur, as a whole or as a part of a longer one
//! ([`Token::of_text`]); what is known of a row group tells whether they can:
//!
//!  - *texts*: what shapes have in common, and tokens without a digit. There are few, they are kept whole,
//!    once a file;
//!  - *keys*: for each unit of rows a binary fuse filter over the hashes of tokens that have a digit and at
//!    least [`KEY_LEN_MIN`] characters: ten bits each, one in 256 is found in error. Shorter numbers occur
//!    everywhere;
//!  - *outlines*: for each length that tokens with a digit have, which characters occur in those. What is
//!    looked for is part of a longer token only if one is long enough and has its characters: so an
//!    identifier that is as long as any is never searched for in vain. Tokens of more than 32 characters are
//!    also in the filter piece by piece.
//!
//! [`crate::token_collector`] gathers that, [`crate::token_index`] keeps and asks it.
//!
//! What always holds: what is passed over has no event that matches.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

/// Shorter tokens that have a digit are not in the filter.
pub(crate) const KEY_LEN_MIN: usize = 6;
/// Outlines are kept for lengths below this; longer tokens share the last one.
pub(crate) const LENGTHS: usize = 64;
/// Longer tokens of letters and digits, if they have an outline of their own, are also in the filter as their
/// pieces of [`PIECE_LEN`] characters at every [`PIECE_STEP`]th place: hashes and the like, in which shorter
/// identifiers would else be looked for in vain.
pub(crate) const WHOLE_LEN_MAX: usize = 32;
pub(crate) const PIECE_LEN: usize = 16;
pub(crate) const PIECE_STEP: usize = 8;

/// Something that must occur in a message for it to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    text: Vec<u8>,
    /// Whether nothing continues it.
    whole: bool,
}

impl Token {
    /// What it consists of.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether nothing continues it.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// What begins each character that a JSON document names by its number, of those that tokens have:
    /// `\u0041`.
    pub(crate) fn json_escape() -> Self {
        Self { text: b"u00".to_vec(), whole: false }
    }

    /// Whether it is that.
    pub(crate) fn is_json_escape(&self) -> bool {
        *self == Self::json_escape()
    }

    /// The same, whatever continues it.
    pub(crate) fn into_part(self) -> Self {
        Self { whole: false, ..self }
    }

    /// The tokens of any message that contains `text`. The first and the last may be parts of longer ones.
    pub fn of_text(text: &[u8]) -> Vec<Self> {
        let whole = |run: &Range<usize>| run.start > 0 && run.end < text.len();
        runs(text, 0..text.len()).map(|run| Self { whole: whole(&run), text: text[run].to_vec() }).collect()
    }

    /// The tokens of any message that contains `text` where nothing that could be part of a token stands
    /// before or behind it.
    pub fn of_delimited_text(text: &[u8]) -> Vec<Self> {
        runs(text, 0..text.len()).map(|run| Self { whole: true, text: text[run].to_vec() }).collect()
    }
}

/// The numbers from 0 to 63 of the bytes that tokens have: digits, letters, `-` and `_`; 64 for all others.
const NUMBERS: [u8; 256] = {
    let mut numbers = [64; 256];
    let (mut byte, mut next) = (0, 0);
    while byte < 256 {
        if (byte as u8).is_ascii_digit() {
            numbers[byte] = (byte as u8) - b'0';
        } else if (byte as u8).is_ascii_alphabetic() {
            numbers[byte] = 10 + next;
            next += 1;
        }
        byte += 1;
    }
    numbers[b'-' as usize] = 62;
    numbers[b'_' as usize] = 63;
    numbers
};
/// The outlines of all digits, and of what joins.
pub(crate) const DIGITS: Outline = (1 << 10) - 1;
pub(crate) const JOINERS: Outline = 0b11 << 62;

/// Whether a token may contain this byte.
pub(crate) const fn is_token(byte: u8) -> bool {
    NUMBERS[byte as usize] < 64
}

/// The token runs in `range` of `text`.
pub(crate) fn runs(text: &[u8], range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        while at < range.end && !is_token(text[at]) {
            at += 1;
        }
        let start = at;
        while at < range.end && is_token(text[at]) {
            at += 1;
        }
        (start < at).then_some(start..at)
    })
}

/// The token runs in `text`, each with its outline.
pub(crate) fn outlined_runs(text: &[u8]) -> impl Iterator<Item = (&[u8], Outline)> {
    let mut rest = text.iter();
    std::iter::from_fn(move || {
        let number = |byte: &u8| NUMBERS[*byte as usize];
        loop {
            let start = rest.as_slice();
            let mut outline = 0;
            let len = rest.position(|byte| {
                let is_end = number(byte) == 64;
                outline |= u64::from(!is_end) << (number(byte) & 63);
                is_end
            });
            match (len, start.len()) {
                (None, 0) => return None,
                (Some(0), _) => {}
                (len, all) => return Some((&start[..len.unwrap_or(all)], outline)),
            }
        }
    })
}

/// Which characters occur: the bit of each one's number.
pub(crate) type Outline = u64;

pub(crate) fn outline(token: &[u8]) -> Outline {
    token.iter().fold(0, |outline, byte| outline | 1 << (NUMBERS[*byte as usize] & 63))
}

/// The outlines of tokens by length; those that have [`LENGTHS`] characters or more share the last one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outlines {
    /// Of tokens of letters and digits.
    plain: Vec<Outline>,
    /// Of tokens with `-` or `_`.
    joined: Vec<Outline>,
    /// Of the runs of letters and digits in the latter: what has neither `-` nor `_` is in one of those, if
    /// it is in the token.
    pieces: Vec<Outline>,
}

/// Whether a text may be in a longer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    Yes,
    /// Only if all of its pieces at some place are in the filter.
    IfPiecesOccur,
    No,
}

impl Default for Outlines {
    fn default() -> Self {
        Self { plain: vec![0; LENGTHS], joined: vec![0; LENGTHS], pieces: vec![0; LENGTHS] }
    }
}

impl Outlines {
    pub(crate) fn is_complete(&self) -> bool {
        [&self.plain, &self.joined, &self.pieces].iter().all(|outlines| outlines.len() == LENGTHS)
    }

    pub(crate) fn add(&mut self, token: &[u8], of_token: Outline) {
        let length = |token: &[u8]| token.len().min(LENGTHS - 1);
        if of_token & JOINERS == 0 {
            self.plain[length(token)] |= of_token;
            return;
        }
        self.joined[length(token)] |= of_token;
        for piece in token.split(|byte| !byte.is_ascii_alphanumeric()) {
            self.pieces[length(piece)] |= outline(piece);
        }
    }

    /// Whether `text` may be a token.
    pub(crate) fn may_be(&self, text: &[u8]) -> bool {
        let outline = outline(text);
        let outlines = if outline & JOINERS == 0 { &self.plain } else { &self.joined };
        outlines[text.len().min(LENGTHS - 1)] & outline == outline
    }

    /// Whether `text` may be in a token that is longer.
    pub(crate) fn may_be_within(&self, text: &[u8]) -> Within {
        let outline = outline(text);
        let fits = |outlines: &[Outline], length: usize| outlines[length] & outline == outline;
        let longer = (text.len() + 1).min(LENGTHS - 1)..LENGTHS;
        if outline & JOINERS != 0 {
            return if { longer }.any(|length| fits(&self.joined, length)) {
                Within::Yes
            } else {
                Within::No
            };
        }
        let holds_a_piece = text.len() >= PIECE_LEN + PIECE_STEP - 1;
        let in_pieces = |length: usize| holds_a_piece && length > WHOLE_LEN_MAX && length < LENGTHS - 1;
        let plain: Vec<usize> = { longer }.filter(|length| fits(&self.plain, *length)).collect();
        if (text.len().min(LENGTHS - 1)..LENGTHS).any(|length| fits(&self.pieces, length))
            || plain.iter().any(|length| !in_pieces(*length))
        {
            Within::Yes
        } else if plain.is_empty() {
            Within::No
        } else {
            Within::IfPiecesOccur
        }
    }

    /// Bytes that they take in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        3 * LENGTHS * size_of::<Outline>()
    }
}

pub(crate) fn key(token: &[u8]) -> u64 {
    XxHash3_64::oneshot(token)
}

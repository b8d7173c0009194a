//! Which words occur where: lets a search for a word pass over whole row groups.
//!
//! A *token* is a run of ASCII letters, digits, `-` and `_` that nothing longer continues. A pattern that
//! looks for text needs certain [`Token`]s to occur, as a whole or as a part of a longer one
//! ([`Token::of_text`]); what is known of a row group tells whether they can:
//!
//!  - *texts*: what shapes have in common, and tokens without a digit. There are few, they are kept whole,
//!    once a file;
//!  - *keys*: a binary fuse filter over the hashes of tokens that have a digit and at least [`KEY_LEN_MIN`]
//!    characters: nine bits each, one in 256 is found in error. Shorter numbers occur everywhere;
//!  - *outlines*: for each length that tokens with a digit have, which characters occur in those. What is
//!    looked for is part of a longer token only if one is long enough and has its characters: so an
//!    identifier that is as long as any is never searched for in vain. Tokens of more than 32 characters are
//!    also in the filter piece by piece.
//!
//! What always holds: a row group that is passed over has no event that matches.

use std::ops::Range;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter, FilterRef};

use crate::MalformedFile;
use crate::requirement::Requirement;
use crate::shape::PartsSink;
use crate::token_texts::TokenTexts;

/// Shorter tokens that have a digit are not in the filter.
const KEY_LEN_MIN: usize = 6;
/// Outlines are kept for lengths below this; longer tokens share the last one.
const LENGTHS: usize = 64;
/// Longer tokens of letters and digits, if they have an outline of their own, are also in the filter as their
/// pieces of [`PIECE_LEN`] characters at every [`PIECE_STEP`]th place: hashes and the like, in which shorter
/// identifiers would else be looked for in vain.
const WHOLE_LEN_MAX: usize = 32;
const PIECE_LEN: usize = 16;
const PIECE_STEP: usize = 8;
/// How many bytes of tokens without a digit are kept for a row group. Beyond that they count as if they had
/// one.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// How many row groups a file has at most: a set of them is the bits of a `u64`.
pub(crate) const ROW_GROUPS_MAX: usize = 64;

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
const DIGITS: Outline = (1 << 10) - 1;
const JOINERS: Outline = 0b11 << 62;

/// Whether a token may contain this byte.
pub(crate) const fn is_token(byte: u8) -> bool {
    NUMBERS[byte as usize] < 64
}

/// The token runs in `range` of `text`.
fn runs(text: &[u8], range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
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

/// Which characters occur: the bit of each one's number.
type Outline = u64;

fn outline(token: &[u8]) -> Outline {
    token.iter().fold(0, |outline, byte| outline | 1 << (NUMBERS[*byte as usize] & 63))
}

/// The outlines of tokens by length; those that have [`LENGTHS`] characters or more share the last one.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outlines {
    /// Of tokens of letters and digits.
    plain: Vec<Outline>,
    /// Of tokens with `-` or `_`.
    joined: Vec<Outline>,
    /// Of the runs of letters and digits in the latter: what has neither `-` nor `_` is in one of those, if
    /// it is in the token.
    pieces: Vec<Outline>,
}

impl Default for Outlines {
    fn default() -> Self {
        Self { plain: vec![0; LENGTHS], joined: vec![0; LENGTHS], pieces: vec![0; LENGTHS] }
    }
}

impl Outlines {
    fn is_complete(&self) -> bool {
        [&self.plain, &self.joined, &self.pieces].iter().all(|outlines| outlines.len() == LENGTHS)
    }

    fn add(&mut self, token: &[u8], of_token: Outline) {
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
    fn may_be(&self, text: &[u8]) -> bool {
        let outline = outline(text);
        let outlines = if outline & JOINERS == 0 { &self.plain } else { &self.joined };
        outlines[text.len().min(LENGTHS - 1)] & outline == outline
    }

    /// Whether `text` may be in a token that is longer. `pieces_occur` tells whether its pieces are in the
    /// filter.
    fn may_be_within(&self, text: &[u8], pieces_occur: impl Fn() -> bool) -> bool {
        let outline = outline(text);
        let fits = |outlines: &[Outline], length: usize| outlines[length] & outline == outline;
        let longer = (text.len() + 1).min(LENGTHS - 1)..LENGTHS;
        if outline & JOINERS != 0 {
            return { longer }.any(|length| fits(&self.joined, length));
        }
        let holds_a_piece = text.len() >= PIECE_LEN + PIECE_STEP - 1;
        let in_pieces = |length: usize| holds_a_piece && length > WHOLE_LEN_MAX && length < LENGTHS - 1;
        { longer }.any(|length| fits(&self.plain, length) && (!in_pieces(length) || pieces_occur()))
            || (text.len().min(LENGTHS - 1)..LENGTHS).any(|length| fits(&self.pieces, length))
    }
}

fn key(token: &[u8]) -> u64 {
    XxHash3_64::oneshot(token)
}

/// Collects what is to be known of one row group.
#[derive(Debug)]
pub(crate) struct TokenCollector {
    texts: HashSet<Box<[u8]>>,
    text_bytes: usize,
    keys: HashSet<u64>,
    outlines: Outlines,
}

impl Default for TokenCollector {
    fn default() -> Self {
        Self { texts: HashSet::new(), text_bytes: 0, keys: HashSet::new(), outlines: Outlines::default() }
    }
}

impl TokenCollector {
    /// All of it, with the filter in place of the keys.
    pub(crate) fn finish(self) -> KnownTokens {
        let keys: Vec<u64> = self.keys.into_iter().collect();
        let mut filter = Vec::new();
        if !keys.is_empty() {
            let made = BinaryFuse8::try_from(&keys).expect("different keys always make a filter");
            filter.resize(BinaryFuse8::DESCRIPTOR_LEN, 0);
            made.dma_copy_descriptor_to(&mut filter);
            filter.extend_from_slice(made.dma_fingerprints());
        }
        KnownTokens { texts: self.texts.into_iter().collect(), outlines: self.outlines, filter }
    }

    fn token(&mut self, token: &[u8]) {
        let outline = outline(token);
        if outline & DIGITS == 0 {
            if self.texts.contains(token) {
                return;
            }
            if self.text_bytes + token.len() <= TEXT_BYTES_MAX {
                self.text_bytes += token.len();
                self.texts.insert(token.into());
                return;
            }
        }
        self.outlines.add(token, outline);
        if token.len() >= KEY_LEN_MIN {
            self.keys.insert(key(token));
        }
        if (WHOLE_LEN_MAX + 1..LENGTHS - 1).contains(&token.len()) && outline & JOINERS == 0 {
            self.keys.extend(token.windows(PIECE_LEN).step_by(PIECE_STEP).map(key));
        }
    }
}

impl PartsSink for TokenCollector {
    fn literal(&mut self, text: &[u8]) {
        // A literal is one of a shape's, of which there are few.
        self.texts.insert(text.into());
    }

    fn part(&mut self, message: &[u8], part: Range<usize>) {
        let before = message[..part.start].iter().rev().take_while(|byte| is_token(**byte)).count();
        let behind = message[part.end..].iter().take_while(|byte| is_token(**byte)).count();
        for run in runs(message, part.start - before..part.end + behind) {
            self.token(&message[run]);
        }
    }
}

/// What is known of the tokens of one row group.
#[derive(Debug)]
pub(crate) struct KnownTokens {
    texts: Vec<Box<[u8]>>,
    outlines: Outlines,
    /// Descriptor and fingerprints; empty without keys.
    filter: Vec<u8>,
}

/// What is known of the row groups of a file, without the keys. A format on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TokenIndex {
    texts: TokenTexts,
    row_groups: Vec<RowGroupTokens>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RowGroupTokens {
    outlines: Outlines,
    /// Where among the file's keys the descriptor and the fingerprints of the filter are; empty if it has no
    /// keys.
    keys: Range<u32>,
}

impl TokenIndex {
    /// Puts together what is known of the row groups of a file, in their order. The filters' bytes come
    /// beside it.
    pub(crate) fn new(known: Vec<KnownTokens>) -> (Self, Vec<u8>) {
        debug_assert!(known.len() <= ROW_GROUPS_MAX, "sets of row groups have 64 bits");
        let mut texts: HashMap<Box<[u8]>, u64> = HashMap::new();
        let (mut row_groups, mut filters) = (Vec::new(), Vec::new());
        for (row_group, tokens) in known.into_iter().enumerate() {
            for text in tokens.texts {
                *texts.entry(text).or_default() |= 1 << row_group;
            }
            let start = filters.len() as u32;
            filters.extend_from_slice(&tokens.filter);
            row_groups.push(RowGroupTokens { outlines: tokens.outlines, keys: start..filters.len() as u32 });
        }
        let mut texts: Vec<_> = texts.into_iter().collect();
        texts.sort_unstable();
        let mut joined = TokenTexts::default();
        for (text, row_groups) in texts {
            joined.push(&text, row_groups);
        }
        (Self { texts: joined, row_groups }, filters)
    }

    /// What is known of one row group, if there is such a one. `filters` are those that came beside it.
    pub(crate) fn of_row_group(&self, filters: &[u8], row_group: usize) -> Option<KnownTokens> {
        let known = self.row_groups.get(row_group)?;
        let texts = self.texts.iter().filter(|(_, row_groups)| row_groups & 1 << row_group != 0);
        Some(KnownTokens {
            texts: texts.map(|(text, _)| text.into()).collect(),
            outlines: known.outlines.clone(),
            filter: filters.get(known.keys.start as usize..known.keys.end as usize)?.to_vec(),
        })
    }

    /// Whether it fits filters of that many bytes.
    pub(crate) fn check(&self, filter_bytes: usize) -> Result<(), MalformedFile> {
        let fits = |tokens: &RowGroupTokens| {
            let len = tokens.keys.len();
            tokens.outlines.is_complete()
                && tokens.keys.end as usize <= filter_bytes
                && (len == 0 || len > BinaryFuse8::DESCRIPTOR_LEN)
        };
        let fits = self.row_groups.len() <= ROW_GROUPS_MAX && self.row_groups.iter().all(fits);
        fits.then_some(()).ok_or(MalformedFile("its token index does not fit its filters"))
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.texts.memory_bytes() + self.row_groups.len() * (3 * LENGTHS * size_of::<Outline>() + 64)
    }

    /// In which row groups messages may be that meet all `requirements`, as bits. `filters` are those that
    /// came beside it.
    pub(crate) fn candidates(&self, filters: &[u8], requirements: &[Requirement]) -> u64 {
        let all = (0..self.row_groups.len()).fold(0, |all, row_group| all | 1 << row_group);
        requirements.iter().fold(all, |left, requirement| {
            let alternatives = requirement.alternatives().iter();
            alternatives.fold(0, |found, tokens| found | self.of_tokens(filters, tokens, left & !found))
        })
    }

    /// In which of the row groups `among` all of `tokens` may occur.
    fn of_tokens(&self, filters: &[u8], tokens: &[Token], among: u64) -> u64 {
        tokens
            .iter()
            .fold(among, |left, token| if left == 0 { 0 } else { left & self.of_token(filters, token) })
    }

    fn of_token(&self, filters: &[u8], token: &Token) -> u64 {
        let mut candidates = self.texts.row_groups_with(&token.text);
        let key = key(&token.text);
        for (row_group, known) in self.row_groups.iter().enumerate() {
            if candidates & 1 << row_group == 0 && known.may_hold(filters, token, key) {
                candidates |= 1 << row_group;
            }
        }
        candidates
    }
}

impl RowGroupTokens {
    /// Whether a token that is not among the texts can be, or be in, one that has a digit.
    fn may_hold(&self, filters: &[u8], token: &Token, key_of_token: u64) -> bool {
        let text = token.text.as_slice();
        let pieces_occur = || {
            let at = |start: usize| text[start..].windows(PIECE_LEN).step_by(PIECE_STEP);
            (0..PIECE_STEP).any(|start| at(start).all(|piece| self.holds_key(filters, key(piece))))
        };
        if !token.whole && self.outlines.may_be_within(text, pieces_occur) {
            return true;
        }
        self.outlines.may_be(text) && (text.len() < KEY_LEN_MIN || self.holds_key(filters, key_of_token))
    }

    fn holds_key(&self, filters: &[u8], key: u64) -> bool {
        if self.keys.is_empty() {
            return false;
        }
        let filter = &filters[self.keys.start as usize..self.keys.end as usize];
        let (descriptor, fingerprints) = filter.split_at(BinaryFuse8::DESCRIPTOR_LEN);
        BinaryFuse8Ref::from_dma(descriptor, fingerprints).contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(messages: &[&str]) -> (TokenIndex, Vec<u8>) {
        let collected = messages.iter().map(|message| {
            let mut collector = TokenCollector::default();
            collector.part(message.as_bytes(), 0..message.len());
            collector.finish()
        });
        TokenIndex::new(collected.collect())
    }

    fn check(messages: &[&str], sought: &str, expected: u64) {
        let (index, filters) = index(messages);
        let required = Requirement::of_text(sought.as_bytes());
        let candidates = index.candidates(&filters, required.as_slice());
        assert_eq!(candidates, expected, "{sought} in {messages:?}");
    }

    #[test]
    fn row_groups_that_cannot_hold_a_word_are_passed_over() {
        let messages = ["trace=4d183e132f2ff29c took 12", "user unknown", "v2-beta of 77"];
        check(&messages, "4d183e132f2ff29c", 0b001);
        check(&messages, "4d183e132f2ff29d", 0b000);
        // As long as it is shorter than some identifier of the same characters, it may be in that.
        check(&messages, "4d183e", 0b001);
        check(&messages, "nknow", 0b010);
        check(&messages, "user unknown", 0b010);
        check(&messages, "user known", 0b010);
        check(&messages, "unknown user", 0b010);
        check(&messages, "x user known x", 0b000);
        check(&messages, "beta", 0b100);
        check(&messages, "", 0b111);
        check(&messages, "= ()", 0b111);
    }

    proptest! {
        /// Whatever part of a message is looked for: its row group is never passed over.
        #[test]
        fn no_row_group_is_passed_over_in_error(
            messages in proptest::collection::vec("[ab01 é=_-]{0,40}|[a-f0-9_]{30,80}", 1..5),
            which in any::<prop::sample::Index>(),
            from in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
        ) {
            let texts: Vec<&str> = messages.iter().map(String::as_str).collect();
            let (index, filters) = index(&texts);
            let which = which.index(messages.len());
            let message = messages[which].as_bytes();
            let (a, b) = (from.index(message.len() + 1), to.index(message.len() + 1));
            let sought = &message[a.min(b)..a.max(b)];
            let candidates = index.of_tokens(&filters, &Token::of_text(sought), u64::MAX);
            prop_assert!(candidates & 1 << which != 0, "{:?}", String::from_utf8_lossy(sought));
            let whole = index.of_tokens(&filters, &Token::of_delimited_text(message), u64::MAX);
            prop_assert!(whole & 1 << which != 0);
        }
    }
}

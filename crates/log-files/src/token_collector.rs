//! Gathers what is to be known of the tokens of one row group, once its rows are in their order.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashSet};
use xorf::{BinaryFuse8, DmaSerializable};

use crate::file::unit_rows;
use crate::shape::{ShapedRows, Sorted};
use crate::tokens::{
    DIGITS, JOINERS, KEY_LEN_MIN, LENGTHS, Outline, Outlines, PIECE_LEN, PIECE_STEP, WHOLE_LEN_MAX, is_token,
    key, outlined_runs,
};

/// How many bytes of tokens without a digit are kept for a row group. Beyond that they count as if they had
/// one.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What is known of the tokens of one row group.
#[derive(Debug)]
pub(crate) struct KnownTokens {
    pub(crate) texts: Vec<Box<[u8]>>,
    pub(crate) outlines: Outlines,
    /// How many rows a unit has.
    pub(crate) unit_rows: usize,
    /// The filter of each unit: descriptor and fingerprints; empty without keys.
    pub(crate) filters: Vec<Vec<u8>>,
}

impl KnownTokens {
    /// Of the rows of `sorted`, in that order. `message` gives what the one of that number says.
    pub(crate) fn of<'m>(sorted: &Sorted, message: impl Fn(u32) -> &'m [u8]) -> Self {
        let shaped = sorted.shaped.iter().map(|shaped| shaped.rows.len());
        let mut collector = TokenCollector::new(shaped.sum::<usize>() + sorted.plain.rows.len());
        for shaped in &sorted.shaped {
            collector.shaped(shaped, &message);
        }
        collector.plain(sorted.plain.rows.iter().map(|row| message(*row)));
        collector.finish()
    }

    /// Of rows with these messages, in that order.
    pub(crate) fn of_plain<'m>(messages: impl ExactSizeIterator<Item = &'m [u8]>) -> Self {
        let mut collector = TokenCollector::new(messages.len());
        collector.plain(messages);
        collector.finish()
    }
}

#[derive(Debug)]
struct TokenCollector {
    hashing: DefaultHashBuilder,
    unit_rows: usize,
    /// How many rows were looked at.
    row: usize,
    texts: HashSet<Box<[u8]>>,
    text_bytes: usize,
    outlines: Outlines,
    /// Of each unit.
    keys: Vec<Keys>,
}

/// Hashes of tokens, which need not be hashed again.
type Keys = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// What hashes to itself.
#[derive(Clone, Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = key(bytes);
    }
}

/// Hashes of values that a slot had lately, each in one place.
struct Seen([u64; Seen::PLACES]);

impl Seen {
    const PLACES: usize = 32;

    /// Whether a value of that hash was there; afterwards it is.
    fn knows(&mut self, hash: u64) -> bool {
        let place = &mut self.0[hash as usize % Self::PLACES];
        std::mem::replace(place, hash) == hash
    }
}

impl TokenCollector {
    fn new(rows: usize) -> Self {
        let unit_rows = unit_rows(rows);
        Self {
            hashing: DefaultHashBuilder::default(),
            unit_rows,
            row: 0,
            texts: HashSet::new(),
            text_bytes: 0,
            outlines: Outlines::default(),
            keys: vec![Keys::default(); rows.div_ceil(unit_rows)],
        }
    }

    fn unit(&self, offset: usize) -> usize {
        (self.row + offset) / self.unit_rows
    }

    /// Adds the rows of a shape: column after column, as values recur in these.
    fn shaped<'m>(&mut self, shaped: &ShapedRows, message: &impl Fn(u32) -> &'m [u8]) {
        // What of each message was looked at.
        let mut done: Vec<u32> = vec![0; shaped.rows.len()];
        let literals: Vec<&str> = shaped.shape.literals().collect();
        for literal in &literals {
            self.texts.insert(literal.as_bytes().into());
        }
        for (slot, texts) in shaped.slots.iter().enumerate() {
            // If a token may reach from it into another slot, its value does not tell.
            let separates =
                |gap: usize| gap == 0 || gap + 1 == literals.len() || !literals[gap].bytes().all(is_token);
            let is_apart = separates(slot) && separates(slot + 1);
            let stands_alone = is_apart
                && !literals[slot].bytes().last().is_some_and(is_token)
                && !literals[slot + 1].bytes().next().is_some_and(is_token);
            let (mut unit, mut seen) = (self.unit(0), Seen([0; Seen::PLACES]));
            for (index, (row, done)) in shaped.rows.iter().zip(&mut done).enumerate() {
                let of_row = self.unit(index);
                if of_row != unit {
                    (unit, seen) = (of_row, Seen([0; Seen::PLACES]));
                }
                let text = texts.get(index);
                let start = *done as usize + literals[slot].len();
                let end = start + text.len();
                *done = end as u32;
                let mut hasher = self.hashing.build_hasher();
                hasher.write(text);
                if is_apart && seen.knows(hasher.finish() | 1) {
                    continue;
                }
                if stands_alone {
                    self.tokens(unit, text);
                } else {
                    self.part(unit, message(*row), start..end);
                }
            }
        }
        self.row += shaped.rows.len();
    }

    /// Adds rows whose messages are kept as they are.
    fn plain<'m>(&mut self, messages: impl Iterator<Item = &'m [u8]>) {
        for message in messages {
            self.tokens(self.unit(0), message);
            self.row += 1;
        }
    }

    /// Adds the tokens of `message` that are in `part`, wholly or not.
    fn part(&mut self, unit: usize, message: &[u8], part: Range<usize>) {
        let before = message[..part.start].iter().rev().take_while(|byte| is_token(**byte)).count();
        let behind = message[part.end..].iter().take_while(|byte| is_token(**byte)).count();
        self.tokens(unit, &message[part.start - before..part.end + behind]);
    }

    /// Adds the tokens of a text that none reaches out of.
    fn tokens(&mut self, unit: usize, text: &[u8]) {
        for (token, outline) in outlined_runs(text) {
            self.token(unit, token, outline);
        }
    }

    fn token(&mut self, unit: usize, token: &[u8], outline: Outline) {
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
        let keys = &mut self.keys[unit];
        if token.len() >= KEY_LEN_MIN {
            keys.insert(key(token));
        }
        if (WHOLE_LEN_MAX + 1..LENGTHS - 1).contains(&token.len()) && outline & JOINERS == 0 {
            keys.extend(token.windows(PIECE_LEN).step_by(PIECE_STEP).map(key));
        }
    }

    /// All of it, with filters in place of the keys.
    fn finish(self) -> KnownTokens {
        KnownTokens {
            texts: self.texts.into_iter().collect(),
            outlines: self.outlines,
            unit_rows: self.unit_rows,
            filters: self.keys.into_iter().map(filter).collect(),
        }
    }
}

fn filter(keys: Keys) -> Vec<u8> {
    let mut filter = Vec::new();
    if !keys.is_empty() {
        let keys: Vec<u64> = keys.into_iter().collect();
        let made = BinaryFuse8::try_from(&keys).expect("different keys always make a filter");
        filter.resize(BinaryFuse8::DESCRIPTOR_LEN, 0);
        made.dma_copy_descriptor_to(&mut filter);
        filter.extend_from_slice(made.dma_fingerprints());
    }
    filter
}

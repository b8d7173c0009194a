//! What is known of the tokens of a file: where those that a search requires may be.

use std::ops::Range;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter, FilterRef};

use crate::MalformedFile;
use crate::file::{Part, Units};
use crate::requirement::Requirement;
use crate::row_ranges::RowRanges;
use crate::token_collector::KnownTokens;
use crate::token_texts::TokenTexts;
use crate::tokens::{KEY_LEN_MIN, Outlines, PIECE_LEN, PIECE_STEP, Token, Within, key};

/// How many row groups a file has at most: a set of them is the bits of a `u64`.
pub(crate) const ROW_GROUPS_MAX: usize = 64;

/// What is known of the row groups of a file, without the keys. A format on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TokenIndex {
    texts: TokenTexts,
    row_groups: Vec<RowGroupTokens>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RowGroupTokens {
    outlines: Outlines,
    unit_rows: u32,
    /// For each unit, where among the file's filters the descriptor and the fingerprints of its own are;
    /// empty if it has no keys.
    filters: Vec<Range<u32>>,
}

/// As version 1 of files has it: a filter for each row group.
#[derive(Deserialize)]
pub(crate) struct TokenIndexV1 {
    texts: TokenTexts,
    row_groups: Vec<(Outlines, Range<u32>)>,
}

impl From<TokenIndexV1> for TokenIndex {
    fn from(TokenIndexV1 { texts, row_groups }: TokenIndexV1) -> Self {
        let row_group = |(outlines, filter): (Outlines, Range<u32>)| RowGroupTokens {
            outlines,
            unit_rows: u32::MAX,
            filters: vec![filter],
        };
        Self { texts, row_groups: row_groups.into_iter().map(row_group).collect() }
    }
}

/// Where in a file messages may be that meet some requirements.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// The units of each row group, as far as anything is known.
    row_groups: Vec<Units>,
}

impl Candidates {
    /// Anywhere.
    pub const ANYWHERE: Self = Self { row_groups: Vec::new() };

    /// The rows of a part in which such messages may be.
    pub fn rows_of(&self, part: &Part) -> RowRanges {
        let start = part.rows.start;
        self.row_groups.get(part.row_group).map_or_else(
            || RowRanges::first(part.rows.len()),
            |units| units.rows_in(&part.rows).map(|rows| rows.start - start..rows.end - start).collect(),
        )
    }
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
            let mut place = |filter: &Vec<u8>| {
                let start = filters.len() as u32;
                filters.extend_from_slice(filter);
                start..filters.len() as u32
            };
            row_groups.push(RowGroupTokens {
                outlines: tokens.outlines,
                unit_rows: tokens.unit_rows as u32,
                filters: tokens.filters.iter().map(&mut place).collect(),
            });
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
        let of_units = known
            .filters
            .iter()
            .map(|place| filters.get(place.start as usize..place.end as usize).map(<[u8]>::to_vec));
        Some(KnownTokens {
            texts: texts.map(|(text, _)| text.into()).collect(),
            outlines: known.outlines.clone(),
            unit_rows: known.unit_rows as usize,
            filters: of_units.collect::<Option<_>>()?,
        })
    }

    /// Whether it fits filters of that many bytes.
    pub(crate) fn check(&self, filter_bytes: usize) -> Result<(), MalformedFile> {
        let is_filter = |place: &Range<u32>| {
            let len = place.len();
            place.end as usize <= filter_bytes && (len == 0 || len > BinaryFuse8::DESCRIPTOR_LEN)
        };
        let fits = |tokens: &RowGroupTokens| {
            tokens.outlines.is_complete() && tokens.unit_rows > 0 && tokens.filters.iter().all(is_filter)
        };
        let fits = self.row_groups.len() <= ROW_GROUPS_MAX && self.row_groups.iter().all(fits);
        fits.then_some(()).ok_or(MalformedFile("its token index does not fit its filters"))
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        let row_group = |tokens: &RowGroupTokens| {
            tokens.outlines.memory_bytes() + size_of_val(tokens.filters.as_slice()) + 64
        };
        self.texts.memory_bytes() + self.row_groups.iter().map(row_group).sum::<usize>()
    }

    /// Where messages may be that meet all `requirements`. `filters` are those that came beside it.
    pub(crate) fn candidates(&self, filters: &[u8], requirements: &[Requirement]) -> Candidates {
        let known = self.row_groups.iter();
        let mut left: Vec<Units> = known.map(|known| Units::all(known.unit_rows as usize)).collect();
        for requirement in requirements {
            let mut found: Vec<Units> = left.iter().map(|units| units.none_of()).collect();
            for tokens in requirement.alternatives() {
                let sought = left.iter().zip(&found).map(|(left, found)| left.without(*found)).collect();
                let of_tokens = self.of_tokens(filters, tokens, sought);
                for (found, of_tokens) in found.iter_mut().zip(of_tokens) {
                    *found = found.or(of_tokens);
                }
            }
            left = found;
        }
        Candidates { row_groups: left }
    }

    /// In which of the units `among` all of `tokens` may occur.
    fn of_tokens(&self, filters: &[u8], tokens: &[Token], among: Vec<Units>) -> Vec<Units> {
        tokens.iter().fold(among, |left, token| self.of_token(filters, token, left))
    }

    fn of_token(&self, filters: &[u8], token: &Token, mut left: Vec<Units>) -> Vec<Units> {
        if left.iter().all(|units| units.is_empty()) {
            return left;
        }
        let key = key(token.text());
        let in_texts = self.texts.row_groups_with(token.text());
        for (row_group, (known, units)) in self.row_groups.iter().zip(&mut left).enumerate() {
            if !units.is_empty() && in_texts & 1 << row_group == 0 {
                *units = known.units_with(filters, token, key, *units);
            }
        }
        left
    }
}

impl RowGroupTokens {
    /// In which of the units `among` a token that is not in the texts may be, or be in, one with a digit.
    fn units_with(&self, filters: &[u8], token: &Token, key_of_token: u64, among: Units) -> Units {
        let text = token.text();
        let with = |holds: &dyn Fn(&Range<u32>) -> bool| {
            let found = among.numbers(self.filters.len()).filter(|unit| holds(&self.filters[*unit]));
            found.fold(among.none_of(), Units::with)
        };
        let holds_pieces = |filter: &Range<u32>| {
            let at = |start: usize| text[start..].windows(PIECE_LEN).step_by(PIECE_STEP);
            (0..PIECE_STEP).any(|start| at(start).all(|piece| holds_key(filters, filter, key(piece))))
        };
        let mut found = among.none_of();
        if !token.is_whole() {
            match self.outlines.may_be_within(text) {
                Within::Yes => return among,
                Within::IfPiecesOccur => found = with(&holds_pieces),
                Within::No => {}
            }
        }
        if !self.outlines.may_be(text) {
            return found;
        }
        if text.len() < KEY_LEN_MIN {
            return among;
        }
        found.or(with(&|filter| holds_key(filters, filter, key_of_token)))
    }
}

fn holds_key(filters: &[u8], filter: &Range<u32>, key: u64) -> bool {
    if filter.is_empty() {
        return false;
    }
    let filter = &filters[filter.start as usize..filter.end as usize];
    let (descriptor, fingerprints) = filter.split_at(BinaryFuse8::DESCRIPTOR_LEN);
    BinaryFuse8Ref::from_dma(descriptor, fingerprints).contains(&key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each message in a row group of its own.
    fn index(messages: &[&str]) -> (TokenIndex, Vec<u8>) {
        let known = messages.iter().map(|message| KnownTokens::of_plain(std::iter::once(message.as_bytes())));
        TokenIndex::new(known.collect())
    }

    /// The row groups in which something may be, as bits.
    fn found(candidates: &Candidates) -> u64 {
        let numbered = candidates.row_groups.iter().enumerate();
        numbered.fold(0, |found, (row_group, units)| found | u64::from(!units.is_empty()) << row_group)
    }

    fn check(messages: &[&str], sought: &str, expected: u64) {
        let (index, filters) = index(messages);
        let required = Requirement::of_text(sought.as_bytes());
        let candidates = index.candidates(&filters, required.as_slice());
        assert_eq!(found(&candidates), expected, "{sought} in {messages:?}");
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
            let of_text = Requirement::of_text(sought);
            let candidates = index.candidates(&filters, of_text.as_slice());
            prop_assert!(found(&candidates) & 1 << which != 0, "{:?}", String::from_utf8_lossy(sought));
            let whole = Requirement::of_delimited_text(message);
            prop_assert!(found(&index.candidates(&filters, whole.as_slice())) & 1 << which != 0);
        }
    }
}

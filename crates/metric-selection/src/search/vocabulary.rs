//! The distinct strings of all series, each cut into tokens once.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use roaring::RoaringBitmap;

use super::postings::Postings;
use super::tokens::{Pattern, folded, pieces, whole};

/// A string's number, in the order in which they came.
pub(super) type TextId = u32;

/// Strings by themselves, by their whole and by their tokens.
///
/// A whole is not stored: it is as long as the string and most often as rare, so its table holds numbers
/// only, and compares with the string itself.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    texts: Vec<Box<str>>,
    by_text: HashTable<TextId>,
    by_whole: HashTable<TextId>,
    by_token: HashMap<Box<str>, Postings, RandomState>,
    hasher: RandomState,
}

impl Vocabulary {
    /// The number of `text`, which is a new one if it was never seen. `None` if numbers have run out.
    pub(super) fn intern(&mut self, text: &str) -> Option<TextId> {
        if let Some(known) = self.find(text) {
            return Some(known);
        }
        let new = TextId::try_from(self.texts.len()).ok()?;
        self.texts.push(text.into());
        let Self { texts, hasher, .. } = self;
        self.by_text.insert_unique(hasher.hash_one(text), new, |id| hasher.hash_one(&*texts[*id as usize]));
        self.by_whole
            .insert_unique(hash_whole(hasher, text), new, |id| hash_whole(hasher, &texts[*id as usize]));
        self.add_tokens(text, new);
        Some(new)
    }

    fn add_tokens(&mut self, text: &str, id: TextId) {
        let mut token = String::new();
        for piece in pieces(text) {
            token.clear();
            token.extend(folded(piece.text));
            if let Some(known) = self.by_token.get_mut(token.as_str()) {
                known.insert(id);
            } else {
                self.by_token.insert(token.as_str().into(), Postings::One(id));
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The string that is `text`.
    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        let same = |id: &TextId| &*self.texts[*id as usize] == text;
        self.by_text.find(self.hasher.hash_one(text), same).copied()
    }

    /// The strings in which `pattern` is found.
    pub(super) fn matching(&self, pattern: &Pattern) -> RoaringBitmap {
        let mut found = self.with_tokens(&pattern.needed_tokens());
        if !pattern.is_single_piece() {
            found = found.iter().filter(|id| pattern.occurs_in(&self.texts[*id as usize])).collect();
        }
        let hash = hash_whole(&self.hasher, pattern.whole());
        found.extend(
            self.by_whole.iter_hash(hash).filter(|id| pattern.is_whole_of(&self.texts[**id as usize])),
        );
        found
    }

    /// The strings that have all of `tokens`.
    fn with_tokens(&self, tokens: &[&str]) -> RoaringBitmap {
        let sets: Option<Vec<&Postings>> = tokens.iter().map(|token| self.by_token.get(*token)).collect();
        let mut sets = sets.unwrap_or_default();
        sets.sort_by_key(|set| set.len());
        let Some((rarest, others)) = sets.split_first() else { return RoaringBitmap::new() };
        let mut found = rarest.to_bitmap();
        others.iter().for_each(|other| other.restrict(&mut found));
        found
    }
}

fn hash_whole(hasher: &RandomState, text: &str) -> u64 {
    let mut state = hasher.build_hasher();
    whole(text).for_each(|character| character.hash(&mut state));
    state.finish()
}

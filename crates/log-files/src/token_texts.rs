//! The texts of a file that are kept whole, end to end: one search goes through all of them, and opening a
//! file takes two or three pieces of memory and not one for each of thousands.

use std::fmt;

use memchr::memmem;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Texts, and in which row groups they occur. On disk: a sequence of pairs.
#[derive(Debug, Default)]
pub(crate) struct TokenTexts {
    bytes: Vec<u8>,
    /// Where each text ends in `bytes`.
    ends: Vec<u32>,
    /// The row groups of each, as bits.
    row_groups: Vec<u64>,
}

impl TokenTexts {
    /// Adds a text. All of them together have less than 4 GiB.
    pub(crate) fn push(&mut self, text: &[u8], row_groups: u64) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.row_groups.push(row_groups);
    }

    /// Each text with its row groups.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], u64)> {
        (0..self.ends.len()).map(|number| {
            let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
            (&self.bytes[start as usize..self.ends[number] as usize], self.row_groups[number])
        })
    }

    /// In which row groups a text contains `sought`, which is not empty.
    pub(crate) fn row_groups_with(&self, sought: &[u8]) -> u64 {
        let finder = memmem::Finder::new(sought);
        let (mut at, mut found) = (0, 0);
        while let Some(offset) = finder.find(&self.bytes[at..]) {
            let (start, end) = (at + offset, at + offset + sought.len());
            let number = self.ends.partition_point(|end| *end as usize <= start);
            let end_of_text = self.ends[number] as usize;
            if end <= end_of_text {
                found |= self.row_groups[number];
                at = end_of_text;
            } else {
                // It began in one text and ended in another.
                at = start + 1;
            }
        }
        found
    }

    /// Bytes that it takes in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.ends.as_slice()) + size_of_val(self.row_groups.as_slice())
    }
}

impl Serialize for TokenTexts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for TokenTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = TokenTexts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts with their row groups")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<TokenTexts, A::Error> {
                let mut texts = TokenTexts::default();
                while let Some((text, row_groups)) = pairs.next_element::<(&[u8], u64)>()? {
                    texts.push(text, row_groups);
                }
                Ok(texts)
            }
        }
        deserializer.deserialize_seq(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_must_be_in_one_text() {
        let mut texts = TokenTexts::default();
        for (text, row_groups) in [("", 1), ("abc", 0b10), ("cab", 0b100), ("", 1), ("bcabc", 0b1000)] {
            texts.push(text.as_bytes(), row_groups);
        }
        let found = |sought: &str| texts.row_groups_with(sought.as_bytes());
        assert_eq!((found("abc"), found("c"), found("cab")), (0b1010, 0b1110, 0b1100));
        assert_eq!((found("cca"), found("abb"), found("bcc"), found("x")), (0, 0, 0, 0));
    }

    #[test]
    fn pairs_are_stored_as_any_pairs_of_bytes_and_numbers_are() {
        let pairs: Vec<(Vec<u8>, u64)> =
            vec![(b"GET".to_vec(), 3), (Vec::new(), 0), (vec![0, 255], u64::MAX)];
        let stored = postcard::to_stdvec(&pairs).expect("stored");
        let texts: TokenTexts = postcard::from_bytes(&stored).expect("read");
        assert!(texts.iter().eq(pairs.iter().map(|(text, row_groups)| (text.as_slice(), *row_groups))));
        assert_eq!(postcard::to_stdvec(&texts).expect("stored"), stored);
    }
}

//! Words that must stand near data for them to be what they look like.
//!
//! Source: CloudWatch Logs user guide, "Managed data identifiers": a keyword is within 30 characters of the
//! data, in any case; a blank in it may be missing, or be an underscore or a hyphen.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// How far away a keyword may be, in characters.
const DISTANCE_MAX: usize = 30;
/// Keywords of up to this length are whole words: `mc` is in too many others.
const WHOLE_WORD_CHARACTERS_MAX: usize = 4;

/// Several keywords.
#[derive(Debug)]
pub(crate) struct Keywords {
    /// Short ones, between word boundaries, and long ones.
    regex: Regex,
}

impl Keywords {
    /// `words` are of ours, in lower case.
    pub(crate) fn new(words: &[&str]) -> Self {
        let mut words: Vec<&str> = words.to_vec();
        // Of two that begin alike the longer one counts.
        words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
        let pattern = |word: &&str| {
            let text = regex::escape(word).replace(' ', "[ _-]?");
            match word.chars().count() <= WHOLE_WORD_CHARACTERS_MAX && word.chars().all(char::is_alphanumeric)
            {
                true => format!(r"\b{text}(?:\b|_)"),
                false => text,
            }
        };
        let alternatives: Vec<String> = words.iter().map(pattern).collect();
        let regex = RegexBuilder::new(&alternatives.join("|")).case_insensitive(true).build();
        Self { regex: regex.expect("escaped words make an expression") }
    }

    /// Where keywords are.
    pub(crate) fn find_in(&self, text: &str) -> Vec<Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range()).collect()
    }
}

/// Whether one of `keywords`, which are in order, is near `data` and not a part of it.
pub(crate) fn is_near(text: &str, keywords: &[Range<usize>], data: &Range<usize>) -> bool {
    // Looks at no more than the distance, however far away a keyword is.
    let close = |between: Range<usize>| text[between].chars().nth(DISTANCE_MAX).is_none();
    // Of those before the data the last one to end is the nearest, of those after it the first.
    let ended = keywords.partition_point(|keyword| keyword.end <= data.start);
    let begun = keywords.partition_point(|keyword| keyword.start < data.end);
    let before = ended.checked_sub(1).and_then(|nearest| keywords.get(nearest));
    before.is_some_and(|keyword| close(keyword.end..data.start))
        || keywords.get(begun).is_some_and(|keyword| close(data.end..keyword.start))
}

//! operations.txt: which operations are wanted, from which botocore.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// The file, parsed.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The release of botocore whose models count.
    pub(super) botocore: String,
    /// Operations by service, each in the order of names.
    pub(super) services: BTreeMap<String, BTreeMap<String, Wish>>,
}

/// How an operation is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// Whether its input borrows from the request's body.
    pub(super) borrowed: bool,
}

impl Wanted {
    /// Reads lines of `service Operation [borrowed]` and one of `botocore <release>`; `#` starts a comment
    /// line.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut botocore = None;
        let mut services: BTreeMap<String, BTreeMap<String, Wish>> = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let wish = match words.as_slice() {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                ["botocore", release] => {
                    botocore = Some((*release).to_owned());
                    continue;
                }
                [_, _] => Wish { borrowed: false },
                [_, _, "borrowed"] => Wish { borrowed: true },
                _ => bail!("line {}: `{line}` is not `service Operation [borrowed]`", index + 1),
            };
            let operations = services.entry(words[0].to_owned()).or_default();
            if operations.insert(words[1].to_owned(), wish).is_some() {
                bail!("line {}: {} is listed twice", index + 1, words[1]);
            }
        }
        Ok(Self { botocore: botocore.context("no line `botocore <release>`")?, services })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_are_skipped_and_operations_sorted() {
        let wanted =
            Wanted::parse("# why\nbotocore 1.2.3\n\nlogs PutLogEvents borrowed\nlogs CreateLogGroup\n")
                .expect("well-formed");
        assert_eq!(wanted.botocore, "1.2.3");
        let logs: Vec<_> =
            wanted.services["logs"].iter().map(|(name, wish)| (name.as_str(), wish.borrowed)).collect();
        assert_eq!(logs, [("CreateLogGroup", false), ("PutLogEvents", true)]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["logs PutLogEvents", "botocore 1\nlogs PutLogEvents owned", "botocore 1\nlogs A\nlogs A"]
        {
            assert!(Wanted::parse(text).is_err(), "{text}");
        }
    }
}

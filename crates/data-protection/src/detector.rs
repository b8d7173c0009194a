//! Looking for sensitive data in texts, and masking it.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::managed::{self, Managed};
use crate::policy::{CUSTOM_REGEX_BYTES_MAX, Identifier};

/// The detectors of a policy's identifiers. AWS's own are compiled once for all policies.
#[derive(Debug, Default)]
pub struct Detectors {
    detectors: Vec<Detector>,
}

#[derive(Debug)]
enum Detector {
    Managed(&'static Managed),
    Custom {
        name: String,
        regex: Regex,
    },
    /// For what cannot be told any more: everything.
    Everything {
        name: String,
    },
}

/// Sensitive data in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<'d> {
    /// What it is.
    pub identifier: &'d str,
    /// Where it is, in bytes. Never splits a character.
    pub range: Range<usize>,
}

impl Detectors {
    /// Makes detectors of identifiers that a policy once had. One that is no longer understood takes every
    /// text whole: what was to be protected stays so.
    pub fn new<'i>(identifiers: impl IntoIterator<Item = &'i Identifier>) -> Self {
        let detector = |identifier: &Identifier| {
            let everything = || Detector::Everything { name: identifier.name().to_owned() };
            match identifier {
                Identifier::Managed(name) => managed::find(name).map_or_else(everything, Detector::Managed),
                Identifier::Custom(custom) => {
                    RegexBuilder::new(&custom.regex).size_limit(CUSTOM_REGEX_BYTES_MAX).build().map_or_else(
                        |_| everything(),
                        |regex| Detector::Custom { name: custom.name.clone(), regex },
                    )
                }
            }
        };
        Self { detectors: identifiers.into_iter().map(detector).collect() }
    }

    /// All findings in a text, by identifier and then by place. Those of different identifiers may overlap.
    pub fn find<'d>(&'d self, text: &str) -> Vec<Finding<'d>> {
        let mut findings = Vec::new();
        for detector in &self.detectors {
            let mut add = |identifier: &'d str, range: Range<usize>| {
                if !range.is_empty() {
                    findings.push(Finding { identifier, range });
                }
            };
            match detector {
                Detector::Managed(managed) => {
                    managed.find_in(text).into_iter().for_each(|range| add(managed.name, range));
                }
                Detector::Custom { name, regex } => {
                    regex.find_iter(text).for_each(|found| add(name, found.range()));
                }
                Detector::Everything { name } => add(name, 0..text.len()),
            }
        }
        findings
    }
}

/// The text with every character of the findings replaced by `*`.
pub fn mask(text: &str, findings: &[Finding<'_>]) -> String {
    let mut ranges: Vec<Range<usize>> = findings.iter().map(|finding| finding.range.clone()).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        let start = range.start.max(end);
        if start < range.end {
            masked.push_str(&text[end..start]);
            masked.extend(text[start..range.end].chars().map(|_| '*'));
            end = range.end;
        }
    }
    masked.push_str(&text[end..]);
    masked
}

//! AWS's managed data identifiers: which there are, and how one finds data.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

use crate::identifiers::IDENTIFIERS;
use crate::keywords::{Keywords, is_near};

/// Identifiers of AWS that a pattern cannot tell, or whose forms are not written down here.
#[rustfmt::skip]
const UNSUPPORTED: &[&str] = &[
    "Address", "Name", "HealthcareProcedureCode-US",
    "DriversLicense-AT", "DriversLicense-AU", "DriversLicense-BE", "DriversLicense-BG", "DriversLicense-CY",
    "DriversLicense-CZ", "DriversLicense-DK", "DriversLicense-EE", "DriversLicense-FI", "DriversLicense-GR",
    "DriversLicense-HR", "DriversLicense-HU", "DriversLicense-IE", "DriversLicense-LT", "DriversLicense-LU",
    "DriversLicense-LV", "DriversLicense-MT", "DriversLicense-NL", "DriversLicense-PL", "DriversLicense-PT",
    "DriversLicense-RO", "DriversLicense-SE", "DriversLicense-SI", "DriversLicense-SK",
];

/// Whether an identifier can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Supported,
    Unsupported,
}

/// What is known of `name`; `None` if AWS has no such identifier.
pub(crate) fn known(name: &str) -> Option<Known> {
    match find(name) {
        Some(_) => Some(Known::Supported),
        None => UNSUPPORTED.contains(&name).then_some(Known::Unsupported),
    }
}

/// The identifier of that name.
pub(crate) fn find(name: &str) -> Option<&'static Managed> {
    IDENTIFIERS.iter().find(|managed| managed.name == name)
}

/// A kind of data.
#[derive(Debug)]
pub(crate) struct Managed {
    /// AWS's name.
    pub(crate) name: &'static str,
    /// The form of the data.
    pattern: &'static str,
    /// What the data must satisfy besides.
    check: Option<fn(&str) -> bool>,
    /// One of these is near the data; none is needed if there are none.
    keywords: &'static [&'static str],
    /// A form that says enough without a keyword.
    alone: Option<&'static str>,
    compiled: OnceLock<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    keywords: Option<Keywords>,
    alone: Option<Regex>,
}

/// A kind of data that its form tells.
pub(crate) const fn plain(name: &'static str, pattern: &'static str) -> Managed {
    near(name, pattern, &[])
}

/// A kind of data that needs a keyword.
pub(crate) const fn near(
    name: &'static str,
    pattern: &'static str,
    keywords: &'static [&'static str],
) -> Managed {
    Managed { name, pattern, check: None, keywords, alone: None, compiled: OnceLock::new() }
}

/// A kind of data with a check besides its form.
pub(crate) const fn checked(
    name: &'static str,
    pattern: &'static str,
    check: fn(&str) -> bool,
    keywords: &'static [&'static str],
) -> Managed {
    Managed { name, pattern, check: Some(check), keywords, alone: None, compiled: OnceLock::new() }
}

/// A kind of data with a form that needs a keyword and one that does not.
pub(crate) const fn or_alone(
    name: &'static str,
    pattern: &'static str,
    keywords: &'static [&'static str],
    alone: &'static str,
) -> Managed {
    Managed { name, pattern, check: None, keywords, alone: Some(alone), compiled: OnceLock::new() }
}

impl Managed {
    /// Where such data are in a text, in order.
    pub(crate) fn find_in(&self, text: &str) -> Vec<Range<usize>> {
        let Compiled { regex, keywords, alone } = self.compiled();
        let data = regex.find_iter(text).map(|found| found.range());
        let mut data: Vec<Range<usize>> =
            data.filter(|range| self.check.is_none_or(|check| check(&text[range.clone()]))).collect();
        // Most texts hold nothing of the form, and need no search for keywords.
        if let Some(keywords) = keywords.as_ref().filter(|_| !data.is_empty()) {
            let keywords = keywords.find_in(text);
            data.retain(|range| is_near(text, &keywords, range));
        }
        if let Some(alone) = alone {
            data.extend(alone.find_iter(text).map(|found| found.range()));
            data.sort_unstable_by_key(|range| range.start);
            data.dedup();
        }
        data
    }

    fn compiled(&self) -> &Compiled {
        let regex =
            |pattern: &str| Regex::new(pattern).expect("a constant expression, which a test compiles");
        self.compiled.get_or_init(|| Compiled {
            regex: regex(self.pattern),
            keywords: (!self.keywords.is_empty()).then(|| Keywords::new(self.keywords)),
            alone: self.alone.map(regex),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_compiles_and_has_one_place() {
        for managed in &IDENTIFIERS {
            assert!(managed.find_in("").is_empty(), "{}", managed.name);
            assert_eq!(
                IDENTIFIERS.iter().filter(|other| other.name == managed.name).count(),
                1,
                "{}",
                managed.name
            );
            assert!(!UNSUPPORTED.contains(&managed.name), "{}", managed.name);
            let lower = managed.keywords.iter().all(|word| word.to_lowercase() == **word);
            assert!(lower, "{}: keywords are in lower case", managed.name);
        }
    }
}

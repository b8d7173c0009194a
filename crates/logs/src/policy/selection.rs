//! Which groups a policy of the account is about: `LogGroupNamePrefix = "a"`, or the same as a list,
//! `LogGroupNamePrefix IN ["a"]`.

use serde::{Deserialize, Serialize};

/// The longest selection, in bytes (source: CloudWatch Logs API reference, PutAccountPolicy).
pub(crate) const SELECTION_BYTES_MAX: usize = 25 << 10;

/// What the names of the groups begin with; any of these. All groups without one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Prefixes(Vec<String>);

impl Prefixes {
    /// Reads a selection; `None` if it is none.
    pub(crate) fn parse(selection: &str) -> Option<Self> {
        let rest = selection.trim().strip_prefix("LogGroupNamePrefix")?.trim_start();
        let prefixes = match rest.strip_prefix('=') {
            Some(one) => vec![serde_json::from_str(one).ok()?],
            None => serde_json::from_str::<Vec<String>>(rest.strip_prefix("IN")?).ok()?,
        };
        let fits = selection.len() <= SELECTION_BYTES_MAX && !prefixes.is_empty();
        (fits && !prefixes.iter().any(String::is_empty)).then_some(Self(prefixes))
    }

    /// Whether the group called `name` is meant.
    pub(crate) fn selects(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Whether a group could be meant by both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let related = |one: &String| other.0.iter().any(|two| one.starts_with(two) || two.starts_with(one));
        self.0.is_empty() || other.0.is_empty() || self.0.iter().any(related)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_or_a_list_of_them_selects() {
        let check = |selection: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|list| Prefixes(list.iter().map(|one| (*one).to_owned()).collect()));
            assert_eq!(Prefixes::parse(selection), expected, "{selection}");
        };
        check(r#"LogGroupNamePrefix = "/aws/""#, Some(&["/aws/"]));
        check(r#" LogGroupNamePrefix="a" "#, Some(&["a"]));
        check(r#"LogGroupNamePrefix IN ["a", "b"]"#, Some(&["a", "b"]));
        check(r#"LogGroupNamePrefix IN[]"#, None);
        check(r#"LogGroupNamePrefix = """#, None);
        check(r#"LogGroupNamePrefix NOT IN ["a"]"#, None);
        check(r#"LogGroupName = "a""#, None);
        check(r#"LogGroupNamePrefix = a"#, None);
        check("", None);
    }

    #[test]
    fn prefixes_of_each_other_overlap() {
        let parse = |prefix: &str| {
            Prefixes(prefix.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect())
        };
        for (one, other, overlap) in [
            ("my-log", "my-logging", true),
            ("a", "b", false),
            ("a b", "c b1", true),
            ("", "a", true),
            ("aa", "ab", false),
        ] {
            assert_eq!(parse(one).overlaps(&parse(other)), overlap, "{one} and {other}");
            assert_eq!(parse(other).overlaps(&parse(one)), overlap, "{other} and {one}");
        }
    }
}

//! Form parameters, and the order in which their paths make a tree.
//!
//! `Dimensions.member.2.Name=Host` is a path and a value. Once parameters are sorted by path, everything
//! below any point of the tree is one run of them, so the tree needs no nodes of its own: [`de`](super::de)
//! reads the runs.

use std::borrow::Cow;
use std::cmp::Ordering;

use percent_encoding::percent_decode;

use crate::Malformed;
use crate::bounds::DEPTH_MAX;

/// How many parameters a request may have.
pub const PARAMETERS_MAX: usize = 100_000;

/// One parameter, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter<'de> {
    pub(super) path: Cow<'de, str>,
    pub(super) value: Cow<'de, str>,
}

/// The parameters of `form`, sorted so that each run with a common beginning of the path lies together, and
/// list elements by their number. A path that is given twice is refused: which one counts would be a guess.
pub(super) fn parse(form: &[u8]) -> Result<Vec<Parameter<'_>>, Malformed> {
    let mut parameters = Vec::new();
    for (path, value) in pairs(form) {
        if parameters.len() == PARAMETERS_MAX {
            return Err(Malformed::new(format_args!("more than {PARAMETERS_MAX} parameters")));
        }
        let path = unescape(path)?;
        if path.bytes().filter(|&byte| byte == b'.').count() >= DEPTH_MAX as usize {
            return Err(Malformed::new(format_args!(
                "parameter `{path}` is nested deeper than {DEPTH_MAX} levels"
            )));
        }
        parameters.push(Parameter { path, value: unescape(value)? });
    }
    parameters.sort_by(|one, other| compare(&one.path, &other.path));
    match parameters.windows(2).find(|pair| pair[0].path == pair[1].path) {
        Some(pair) => Err(Malformed::new(format_args!("parameter `{}` is given twice", pair[0].path))),
        None => Ok(parameters),
    }
}

/// The value of the first parameter named `name`, which is a name without escapes.
pub(crate) fn first_value<'a>(form: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let (_, value) = pairs(form).take(PARAMETERS_MAX).find(|(path, _)| *path == name.as_bytes())?;
    unescape(value).ok()
}

/// Splits `a=1&b=2` into still escaped names and values.
fn pairs(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|&byte| byte == b'&').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()).map(|pair| {
        match memchr::memchr(b'=', pair) {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        }
    })
}

/// Undoes form-urlencoding; borrows where there is nothing to undo.
fn unescape(text: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let not_utf8 = |_| Malformed::new("a parameter is not valid UTF-8");
    if !text.contains(&b'+') {
        return percent_decode(text).decode_utf8().map_err(not_utf8);
    }
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    let text = percent_decode(&spaced).decode_utf8().map_err(not_utf8)?;
    Ok(Cow::Owned(text.into_owned()))
}

/// Orders paths part by part; numbers among them by value (`2` before `10`).
fn compare(one: &str, other: &str) -> Ordering {
    // Most paths of a large request have long beginnings in common: only the first part that differs counts.
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let start = memchr::memrchr(b'.', &one.as_bytes()[..same]).map_or(0, |dot| dot + 1);
    let (mut one, mut other) = (one[start..].split('.'), other[start..].split('.'));
    loop {
        let order = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => compare_parts(one, other),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_parts(one: &str, other: &str) -> Ordering {
    match (number(one), number(other)) {
        // `1` and `01` are two places.
        (Some(a), Some(b)) => a.cmp(&b).then_with(|| one.cmp(other)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

/// The number that a part of a path is: the place in a list.
pub(super) fn number(part: &str) -> Option<u64> {
    if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &str, expected: &[(&str, &str)]) {
        let parameters = parse(form.as_bytes()).expect("parses");
        let found: Vec<(&str, &str)> =
            parameters.iter().map(|parameter| (&*parameter.path, &*parameter.value)).collect();
        assert_eq!(found, expected, "{form}");
    }

    #[test]
    fn escapes_and_plus_signs_are_undone_in_names_and_values() {
        check("a=x%20y+z%2Bw&b%2Ec=%C3%BC", &[("a", "x y z+w"), ("b.c", "ü")]);
    }

    #[test]
    fn runs_lie_together_and_list_elements_are_in_order_of_number() {
        check(
            "L.member.10.X=c&A=1&L.member.9.Y=b&L.member.9.X=a&Lx=2",
            &[("A", "1"), ("L.member.9.X", "a"), ("L.member.9.Y", "b"), ("L.member.10.X", "c"), ("Lx", "2")],
        );
    }

    proptest::proptest! {
        #[test]
        fn order_is_that_of_the_parts(one in "[ab12.]{0,8}", other in "[ab12.]{0,8}") {
            let by_parts = || {
                let differing = one.split('.').zip(other.split('.')).map(|(a, b)| compare_parts(a, b)).find(|order| order.is_ne());
                differing.unwrap_or_else(|| one.split('.').count().cmp(&other.split('.').count()))
            };
            proptest::prop_assert_eq!(compare(&one, &other), by_parts());
        }
    }

    #[test]
    fn empty_pairs_and_missing_values_are_harmless() {
        check("&&a&b=&=c&\r\n", &[("", "c"), ("a", ""), ("b", "")]);
    }

    #[test]
    fn what_would_be_a_guess_is_refused() {
        for (form, complaint) in [
            ("Name=a&Name=b", "parameter `Name` is given twice"),
            ("Name=%ff", "a parameter is not valid UTF-8"),
        ] {
            assert_eq!(parse(form.as_bytes()), Err(Malformed::new(complaint)), "{form}");
        }
    }

    #[test]
    fn number_and_depth_of_parameters_are_bounded() {
        assert!(parse("a=&".repeat(PARAMETERS_MAX + 1).as_bytes()).is_err());
        assert!(parse("a.".repeat(DEPTH_MAX as usize).as_bytes()).is_err());
        assert!(parse("a.".repeat(DEPTH_MAX as usize - 1).as_bytes()).is_ok());
    }
}

//! Patterns of ARNs.

/// A pattern that a whole ARN fits or not: `*` stands for any text, also for none and also across colons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnPattern(String);

impl ArnPattern {
    /// The pattern of that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `arn` fits, in time linear in both lengths for each `*`.
    pub fn fits(&self, arn: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = arn.strip_prefix(first) else { return false };
        let mut last = None;
        // Taking each piece between stars as early as it comes leaves the most room for those behind it.
        for piece in pieces {
            if let Some(before) = last.replace(piece) {
                let Some(start) = rest.find(before) else { return false };
                rest = &rest[start + before.len()..];
            }
        }
        last.map_or(rest.is_empty(), |last| rest.ends_with(last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let check = |pattern: &str, arn: &str, expected: bool| {
            assert_eq!(ArnPattern::new(pattern).fits(arn), expected, "{pattern} {arn}");
        };
        check("arn:aws:lambda:*:function:a", "arn:aws:lambda:eu-west-1:1:function:a", true);
        check("arn:aws:lambda:*:function:a", "arn:aws:lambda:eu-west-1:1:function:ab", false);
        check("arn:*:b*:*", "arn:x:boo:1", true);
        check("arn:*:b*:*", "arn:x:oo:1", false);
        check("arn:c", "arn:c", true);
        check("arn:c", "arn:cd", false);
        check("a*a", "a", false);
        check("*", "", true);
        check("**x*", "yxz", true);
    }

    proptest! {
        #[test]
        fn it_decides_as_a_backtracking_matcher_does(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(ArnPattern::new(pattern.clone()).fits(&text), obvious(pattern.as_bytes(), text.as_bytes()));
        }
    }

    fn obvious(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skipped| obvious(rest, &text[skipped..])),
            Some((byte, rest)) => {
                text.split_first().is_some_and(|(head, tail)| head == byte && obvious(rest, tail))
            }
        }
    }
}

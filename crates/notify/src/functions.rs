//! Functions: where an invocation of a Lambda function goes, by configuration.

/// HTTP endpoints that stand in for functions, by patterns of their ARNs. The longest pattern that fits decides.
#[derive(Clone, Debug, Default)]
pub struct Functions(Vec<(String, String)>);

impl Functions {
    /// Pairs of an ARN pattern, in which `*` stands for any text, and an absolute URL.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
        Self(pairs)
    }

    /// The URL to which the function of that ARN is posted.
    pub(crate) fn url_of(&self, arn: &str) -> Option<&str> {
        self.0.iter().find(|(pattern, _)| fits(pattern, arn)).map(|(_, url)| url.as_str())
    }
}

/// Taking each piece between stars as early as it comes leaves the most room for those behind it.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            let Some(start) = rest.find(before) else { return false };
            rest = &rest[start + before.len()..];
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pattern_that_fits_decides() {
        let pairs = [("arn:*:b*:*", "http://b"), ("arn:*:function:a", "http://a"), ("arn:c", "http://c")];
        let functions = Functions::new(pairs.map(|(pattern, url)| (pattern.to_owned(), url.to_owned())));
        for (arn, expected) in [
            ("arn:aws:lambda:function:a", Some("http://a")),
            ("arn:b:function:a", Some("http://a")),
            ("arn:aws:lambda:function:ab", None),
            ("arn:x:boo:1", Some("http://b")),
            ("arn:c", Some("http://c")),
            ("arn:cd", None),
        ] {
            assert_eq!(functions.url_of(arn), expected, "{arn}");
        }
    }
}

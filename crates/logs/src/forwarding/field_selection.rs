//! Selection by system fields: `@aws.region NOT IN ["cn-north-1"] AND @aws.account = "123456789012"`.
//!
//! The fields tell where an event comes from. All events of one group come from its own account and region
//! here, so an expression selects all of a group's events or none (source: CloudWatch Logs API reference,
//! PutSubscriptionFilter).

use groundwatch_core::Scope;

/// How deep parentheses may nest.
const DEPTH_MAX: usize = 32;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldSelection {
    /// One of these.
    Any(Vec<Self>),
    /// All of these.
    All(Vec<Self>),
    /// The field is one of the values, or none of them.
    Is { field: SystemField, values: Vec<String>, negated: bool },
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SystemField {
    /// `@aws.account`
    Account,
    /// `@aws.region`
    Region,
}

/// Why an expression is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub struct FieldSelectionError {
    /// What would have been right.
    pub expected: &'static str,
    /// Where.
    pub at: usize,
}

impl SystemField {
    /// What the field is for all that is of `scope`.
    pub(crate) fn value(self, scope: &Scope) -> String {
        match self {
            Self::Account => scope.account.to_string(),
            Self::Region => scope.region.as_str().to_owned(),
        }
    }
}

impl FieldSelection {
    /// Parses an expression. The length is the caller's to bound (AWS: 2000 characters).
    pub(crate) fn parse(text: &str) -> Result<Self, FieldSelectionError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let parsed = parser.any()?;
        parser.skip_blanks();
        if parser.at < text.len() { Err(parser.expected("AND, OR or the end")) } else { Ok(parsed) }
    }

    /// Whether events of `scope` are selected.
    pub(crate) fn selects(&self, scope: &Scope) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.selects(scope)),
            Self::All(parts) => parts.iter().all(|part| part.selects(scope)),
            Self::Is { field, values, negated } => values.contains(&field.value(scope)) != *negated,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<FieldSelection, FieldSelectionError> {
        let mut parts = vec![self.all()?];
        while self.take_word("OR") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { FieldSelection::Any(parts) })
    }

    fn all(&mut self) -> Result<FieldSelection, FieldSelectionError> {
        let mut parts = vec![self.one()?];
        while self.take_word("AND") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { FieldSelection::All(parts) })
    }

    fn one(&mut self) -> Result<FieldSelection, FieldSelectionError> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(self.expected("fewer parentheses"));
            }
            let inner = self.any()?;
            self.depth -= 1;
            return if self.take(")") { Ok(inner) } else { Err(self.expected(")")) };
        }
        let field = if self.take("@aws.account") {
            SystemField::Account
        } else if self.take("@aws.region") {
            SystemField::Region
        } else {
            return Err(self.expected("@aws.account or @aws.region"));
        };
        let (negated, is_list) = if self.take("!=") {
            (true, false)
        } else if self.take("=") {
            (false, false)
        } else if self.take_word("NOT") {
            if !self.take_word("IN") {
                return Err(self.expected("IN"));
            }
            (true, true)
        } else if self.take_word("IN") {
            (false, true)
        } else {
            return Err(self.expected("=, !=, IN or NOT IN"));
        };
        let values = if is_list { self.list()? } else { vec![self.string()?] };
        Ok(FieldSelection::Is { field, values, negated })
    }

    fn list(&mut self) -> Result<Vec<String>, FieldSelectionError> {
        if !self.take("[") {
            return Err(self.expected("["));
        }
        let mut values = vec![self.string()?];
        while self.take(",") {
            values.push(self.string()?);
        }
        if self.take("]") { Ok(values) } else { Err(self.expected("]")) }
    }

    /// A text in double or single quotes; neither accounts nor regions hold quotes.
    fn string(&mut self) -> Result<String, FieldSelectionError> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote));
        let quote = quote.ok_or_else(|| self.expected("a quoted text"))?;
        let length = rest[1..].find(quote).ok_or_else(|| self.expected("a closing quote"))?;
        self.at += length + 2;
        Ok(rest[1..=length].to_owned())
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// A word in any case, with an end.
    fn take_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let found = rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
            && !rest[word.len()..].starts_with(|next: char| next.is_alphanumeric());
        if found {
            self.at += word.len();
        }
        found
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn expected(&self, expected: &'static str) -> FieldSelectionError {
        FieldSelectionError { expected, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// In account 000000000000 and region us-east-1.
    fn check(text: &str, expected: bool) {
        assert_eq!(
            FieldSelection::parse(text).map(|parsed| parsed.selects(&Scope::default())),
            Ok(expected),
            "{text}"
        );
    }

    #[test]
    fn fields_are_compared_with_where_events_come_from() {
        check(r#"@aws.region = "us-east-1""#, true);
        check(r#"@aws.region != "us-east-1""#, false);
        check(r#"@aws.account IN ["1", "000000000000"]"#, true);
        check(r#"@aws.region NOT IN ["cn-north-1"]"#, true);
        check(r#"@aws.region not in ['us-east-1']"#, false);
    }

    #[test]
    fn and_binds_tighter_than_or() {
        check(r#"@aws.region = "us-east-1" OR @aws.region = "x" AND @aws.account = "1""#, true);
        check(r#"(@aws.region = "us-east-1" OR @aws.region = "x") AND @aws.account = "1""#, false);
    }

    #[test]
    fn errors_tell_what_was_expected_where() {
        for (text, expected, at) in [
            ("", "@aws.account or @aws.region", 0),
            ("@aws.zone = \"x\"", "@aws.account or @aws.region", 0),
            ("@aws.region ~ \"x\"", "=, !=, IN or NOT IN", 12),
            ("@aws.region = x", "a quoted text", 14),
            ("@aws.region IN [\"x\"", "]", 19),
            ("(@aws.region = \"x\"", ")", 18),
            ("@aws.region = \"x\" ,", "AND, OR or the end", 18),
        ] {
            assert_eq!(FieldSelection::parse(text), Err(FieldSelectionError { expected, at }), "{text}");
        }
        assert!(FieldSelection::parse(&"(".repeat(2000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC*|[@aws.regionNOTIANDcu()\\[\\]=!\"', x]*") {
            let _ = FieldSelection::parse(&text);
        }
    }
}

//! What must occur in a message for a pattern to match, so that a search can pass over what has it nowhere.
//!
//! Only what is certain counts: the required texts of the plain form. Text in JSON may be escaped, numbers may be written
//! in several ways, and fields may be stripped; those forms look at every message.

use groundwatch_log_files::Token;

use super::{Pattern, Sign, Sought};

/// Tokens that occur in every message that matches `pattern`.
pub(super) fn required_tokens(pattern: &Pattern) -> Vec<Token> {
    let Pattern::Terms(terms) = pattern else { return Vec::new() };
    let required = terms.terms.iter().filter(|term| term.sign == Sign::Required);
    let texts = required.filter_map(|term| match &term.sought {
        Sought::Text(text) => Some(text),
        Sought::Regex(_) => None,
    });
    texts.flat_map(|text| Token::of_text(text.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, texts: &[&str]) {
        let pattern = Pattern::parse(pattern).expect(pattern);
        let expected: Vec<Token> = texts.iter().flat_map(|text| Token::of_text(text.as_bytes())).collect();
        assert_eq!(required_tokens(&pattern), expected, "{pattern}");
    }

    #[test]
    fn only_what_must_occur_is_required() {
        check("ERROR", &["ERROR"]);
        check("ERROR \"disk is full\"", &["ERROR", "disk is full"]);
        check("-ERROR", &[]);
        check("ERROR -WARN", &["ERROR"]);
        check("?ERROR ?WARN", &[]);
        check("?ERROR WARN", &["WARN"]);
        check("%ERR[0-9]+%", &[]);
        check("%ERR[0-9]+% disk", &["disk"]);
        check("\" \"", &[]);
        check("{ $.level = ERROR }", &[]);
        check("[level=ERROR]", &[]);
    }
}

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

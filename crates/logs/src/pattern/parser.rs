//! Which form a pattern has, and its tree.

use super::Pattern;
use super::error::{PatternError, PatternProblem};
use super::lexer::Lexer;
use super::terms::{Sign, Term, TermPattern};

/// The first character that is not blank decides the form.
pub(super) fn parse(text: &str) -> Result<Pattern, PatternError> {
    let start = text.len() - text.trim_start().len();
    let refused = |problem| Err(PatternError::new(problem, text, start..start + 1));
    match text[start..].chars().next() {
        Some('{') => refused(PatternProblem::JsonUnsupported),
        Some('[') => refused(PatternProblem::SpaceDelimitedUnsupported),
        _ => parse_terms(text).map(Pattern::Terms),
    }
}

fn parse_terms(text: &str) -> Result<TermPattern, PatternError> {
    let mut lexer = Lexer::new(text);
    let mut terms = Vec::new();
    while let Some(word) = lexer.next_word()? {
        let term = Term { sign: word.sign, text: word.text };
        if term.sign == Sign::Excluded && term.is_blank() {
            return Err(PatternError::new(PatternProblem::BlankExcluded, text, word.span));
        }
        terms.push(term);
    }
    Ok(TermPattern { terms })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PatternProblem::*;
    use super::*;

    /// `position` counts characters from 1; `part` is what the span covers.
    fn refused(pattern: &str, problem: PatternProblem, position: usize, part: &str) {
        let error = Pattern::parse(pattern).expect_err(pattern);
        assert_eq!((&error.problem, error.position), (&problem, position), "{pattern}");
        assert_eq!(&pattern[error.span], part, "{pattern}");
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_position() {
        refused("{ $.level = \"ERROR\" }", JsonUnsupported, 1, "{");
        refused("  { $.a = 1 }", JsonUnsupported, 3, "{");
        refused("[ip, user, ...]", SpaceDelimitedUnsupported, 1, "[");
        refused("%ERR|WARN%", RegexUnsupported, 1, "%");
        refused("ERROR %x%", RegexUnsupported, 7, "%");
        refused("-%x%", RegexUnsupported, 2, "%");
    }

    #[test]
    fn special_characters_need_quotes() {
        refused("a=b", NeedsQuotes('='), 2, "=");
        refused("größe (mm)", NeedsQuotes('('), 7, "(");
        refused("user@host", NeedsQuotes('@'), 5, "@");
        refused("100%", NeedsQuotes('%'), 4, "%");
        refused("ab\"c\"", NeedsQuotes('"'), 3, "\"");
        refused("x ??y", NeedsQuotes('?'), 4, "?");
        refused("*", NeedsQuotes('*'), 1, "*");
    }

    #[test]
    fn phrases_end_and_signs_have_terms() {
        refused("\"abc", Unclosed, 1, "\"abc");
        refused("a \"b\\\"", Unclosed, 3, "\"b\\\"");
        refused("\"a\"b", BlankAfterPhrase, 4, "b");
        refused("\"a\"\"b\"", BlankAfterPhrase, 4, "\"");
        refused("-", SignWithoutTerm('-'), 1, "-");
        refused("a ? b", SignWithoutTerm('?'), 3, "?");
        refused("a -\" \"", BlankExcluded, 3, "-\" \"");
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused_inside_it(text in "\\PC*|[-?\"\\\\%{\\[ a-cé]*") {
            match Pattern::parse(&text) {
                Ok(pattern) => {
                    prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
                }
                Err(error) => prop_assert!(text.get(error.span).is_some_and(|part| !part.is_empty())),
            }
        }
    }
}

//! A pattern compiled to decide on bytes.

use memchr::memmem::Finder;

use super::Pattern;
use super::terms::{Sign, TermPattern};

/// Decides whether a message matches. Cheap to share between requests, made once a pattern.
#[derive(Clone, Debug)]
pub struct Matcher {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Terms(TermMatcher),
}

impl Matcher {
    /// Compiles a pattern.
    pub fn new(pattern: &Pattern) -> Self {
        let form = match pattern {
            Pattern::Terms(terms) => Form::Terms(TermMatcher::new(terms)),
        };
        Self { form }
    }

    /// Whether it is known to match every message, so that none need be looked at.
    pub fn matches_all(&self) -> bool {
        match &self.form {
            Form::Terms(terms) => terms.matches_all(),
        }
    }

    /// Whether `message` matches.
    pub fn matches(&self, message: &[u8]) -> bool {
        match &self.form {
            Form::Terms(terms) => terms.matches(message),
        }
    }
}

/// All of `required` and none of `excluded`; and one of `any` unless that is empty.
#[derive(Clone, Debug, Default)]
struct TermMatcher {
    required: Vec<Finder<'static>>,
    excluded: Vec<Finder<'static>>,
    any: Vec<Finder<'static>>,
}

impl TermMatcher {
    fn new(pattern: &TermPattern) -> Self {
        let finders = |sign: Sign| -> Vec<Finder<'static>> {
            let terms = pattern.terms.iter().filter(|term| term.sign == sign && !term.is_blank());
            terms.map(|term| Finder::new(term.text.as_bytes()).into_owned()).collect()
        };
        // `?` counts only where every term has it, and a blank one among them is found everywhere.
        let any_counts = pattern.terms.iter().all(|term| term.sign == Sign::Optional && !term.is_blank());
        Self {
            required: finders(Sign::Required),
            excluded: finders(Sign::Excluded),
            any: if any_counts { finders(Sign::Optional) } else { Vec::new() },
        }
    }

    fn matches_all(&self) -> bool {
        self.required.is_empty() && self.excluded.is_empty() && self.any.is_empty()
    }

    fn matches(&self, message: &[u8]) -> bool {
        let occurs = |finder: &Finder<'_>| finder.find(message).is_some();
        self.required.iter().all(occurs)
            && !self.excluded.iter().any(occurs)
            && (self.any.is_empty() || self.any.iter().any(occurs))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::terms::Term;
    use super::*;

    /// Which of `messages` match, each marked with `+` if it should and `-` if not.
    fn check(pattern: &str, messages: &[&str]) {
        let matcher = Matcher::new(&Pattern::parse(pattern).expect(pattern));
        for marked in messages {
            let (mark, message) = marked.split_at(1);
            assert_eq!(matcher.matches(message.as_bytes()), mark == "+", "`{pattern}` on `{message}`");
        }
    }

    #[test]
    fn a_term_is_a_case_sensitive_substring() {
        check("ERROR", &["+ERROR", "+an ERROR here", "+ERRORCODE", "+MyERROR", "-error", "-ERR OR", "-x"]);
        check("é", &["+café", "-cafe"]);
        check("a.b", &["+a.b", "-axb"]);
        check("/var/log", &["+in /var/log/x", "-/var/lib"]);
        check("10:30", &["+at 10:30:01", "-at 10-30"]);
        check("i-0abc", &["+i-0abc", "-i 0abc"]);
        check("a_b", &["+a_b", "-a b"]);
    }

    #[test]
    fn several_terms_are_all_needed_in_any_order() {
        check("ERROR timeout", &["+ERROR: timeout", "+timeout ERROR", "-ERROR", "-timeout", "-"]);
        check("a\tb\n c", &["+cba", "-ab"]);
        check("a a", &["+a", "-b"]);
    }

    #[test]
    fn a_phrase_is_exact() {
        check("\"out of memory\"", &["+out of memory!", "-out  of memory", "-memory of out"]);
        check("\"a=b\"", &["+x a=b y", "-a = b"]);
        check("\"say \\\"hi\\\"\"", &["+they say \"hi\" now", "-say hi"]);
        check("\"C:\\\\temp\"", &["+C:\\temp", "-C:\\\\temp"]);
        check("\"C:\\temp\"", &["+C:\\temp", "-C:temp"]);
        check("\"{ $.a = 1 }\"", &["+{ $.a = 1 }", "-a"]);
        check("\"100%\"", &["+100%", "-100"]);
        check("\"ERROR\" \"42\"", &["+42 ERROR", "-ERROR"]);
    }

    #[test]
    fn exclusion_needs_absence() {
        check("ERROR -timeout", &["+ERROR", "-ERROR timeout", "-timeout", "-x"]);
        check("ERROR -\"by user\"", &["+ERROR by", "-ERROR by user"]);
        check("-debug", &["+x", "+", "-debug"]);
        check("-debug -trace", &["+x", "-debug", "-trace"]);
        check("--x", &["+x", "--x"]);
    }

    #[test]
    fn optional_terms_count_only_among_themselves() {
        check("?ERROR ?WARN", &["+ERROR", "+WARN", "+ERROR WARN", "-INFO"]);
        check("?ERROR", &["+ERROR", "-x"]);
        check("?\"a b\" ?c", &["+a b", "+c", "-a", "-b"]);
        check("?ERROR ?WARN INFO", &["+INFO", "+INFO ERROR", "-ERROR", "-WARN"]);
        check("?ERROR -x", &["+y", "-x", "-ERROR x"]);
    }

    #[test]
    fn an_empty_pattern_and_blank_phrases_match_everything() {
        for pattern in ["", "  ", "\" \"", "\"\"", "?\" \"", "?\" \" ?a", "\" \" \"  \""] {
            check(pattern, &["+", "+x", "+no-blank"]);
            assert!(Matcher::new(&Pattern::parse(pattern).expect(pattern)).matches_all(), "{pattern}");
        }
        check("\" \" a", &["+a", "-b"]);
    }

    /// The meaning, told as plainly as possible.
    fn obviously_matches(pattern: &TermPattern, message: &str) -> bool {
        let occurs = |term: &Term| term.is_blank() || message.contains(&term.text);
        if pattern.terms.iter().all(|term| term.sign == Sign::Optional) {
            return pattern.terms.is_empty() || pattern.terms.iter().any(occurs);
        }
        pattern.terms.iter().all(|term| match term.sign {
            Sign::Required => occurs(term),
            Sign::Excluded => !occurs(term),
            Sign::Optional => true,
        })
    }

    fn any_pattern() -> impl Strategy<Value = TermPattern> {
        let sign = prop_oneof![Just(Sign::Required), Just(Sign::Optional), Just(Sign::Excluded)];
        let term = (sign, "[abé \"\\\\-]{1,3}").prop_map(|(sign, text)| Term { sign, text });
        let term = term.prop_filter("refused", |term| term.sign != Sign::Excluded || !term.is_blank());
        proptest::collection::vec(term, 0..4).prop_map(|terms| TermPattern { terms })
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_obvious_one(pattern in any_pattern(), message in "[abé \"\\\\-]{0,8}") {
            let printed = pattern.to_string();
            prop_assert_eq!(Pattern::parse(&printed), Ok(Pattern::Terms(pattern.clone())), "{}", printed);
            let matcher = Matcher::new(&Pattern::Terms(pattern.clone()));
            prop_assert_eq!(matcher.matches(message.as_bytes()), obviously_matches(&pattern, &message));
        }
    }
}

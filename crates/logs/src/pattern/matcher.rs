//! A pattern compiled to decide on bytes.

use std::collections::BTreeMap;

use groundwatch_log_files::{MalformedFile, Messages, Requirement};

use super::automaton::Automata;
use super::fields::FieldMatcher;
use super::json::JsonMatcher;
use super::required;
use super::terms::TermMatcher;
use super::{Pattern, Selector};

/// What a pattern finds in a message that matches: values by `$.selector` as it was written, by `$name` or by
/// `$1`. Terms extract nothing.
pub type Extracted = BTreeMap<String, String>;

/// Decides whether a message matches. Cheap to share between requests, made once a pattern.
#[derive(Clone, Debug)]
pub struct Matcher {
    form: Form,
    required: Vec<Requirement>,
    /// Each of them accepts every message that matches.
    automata: Vec<Automata>,
}

#[derive(Clone, Debug)]
enum Form {
    Terms(TermMatcher),
    Json(JsonMatcher),
    Fields(FieldMatcher),
}

impl Matcher {
    /// Compiles a pattern.
    pub fn new(pattern: &Pattern) -> Self {
        Self::with_references(pattern, &[])
    }

    /// Compiles a pattern that extracts what `references` select, too. Only JSON patterns need to be told:
    /// the other forms extract all that they have.
    pub fn with_references(pattern: &Pattern, references: &[Selector]) -> Self {
        let form = match pattern {
            Pattern::Terms(terms) => Form::Terms(TermMatcher::new(terms)),
            Pattern::Json(json) => Form::Json(JsonMatcher::new(json, references)),
            Pattern::Fields(fields) => Form::Fields(FieldMatcher::new(fields)),
        };
        let automata = match pattern {
            Pattern::Terms(terms) => terms.required_expressions(),
            Pattern::Json(_) | Pattern::Fields(_) => Vec::new(),
        };
        let automata = automata.iter().filter_map(|expression| Automata::of(expression)).collect();
        Self { form, required: required::of_pattern(pattern), automata }
    }

    /// What every message that matches meets.
    pub fn requirements(&self) -> &[Requirement] {
        &self.required
    }

    /// Which of some messages may match, as rows, ascending; `None` if all may.
    pub fn candidates(&self, messages: &Messages) -> Result<Option<Vec<u32>>, MalformedFile> {
        if let Some(rows) = messages.candidates(&self.required)? {
            return Ok(Some(rows));
        }
        let accepted =
            self.automata.iter().filter_map(|automata| automata.with(|states| messages.accepted(states)));
        accepted
            .reduce(|both, other| {
                let other = other?;
                Ok(both?.into_iter().filter(|row| other.binary_search(row).is_ok()).collect())
            })
            .transpose()
    }

    /// Whether it is known to match every message, so that none need be looked at.
    pub fn matches_all(&self) -> bool {
        match &self.form {
            Form::Terms(terms) => terms.matches_all(),
            Form::Json(_) | Form::Fields(_) => false,
        }
    }

    /// Whether `message` matches.
    pub fn matches(&self, message: &[u8]) -> bool {
        match &self.form {
            Form::Terms(terms) => terms.matches(message),
            Form::Json(json) => json.matches(message),
            Form::Fields(fields) => fields.matches(message),
        }
    }

    /// What is found in `message`; `None` if it does not match.
    pub fn extracted(&self, message: &[u8]) -> Option<Extracted> {
        match &self.form {
            Form::Terms(terms) => terms.matches(message).then(Extracted::new),
            Form::Json(json) => json.extracted(message),
            Form::Fields(fields) => fields.extracted(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{JsonCondition, JsonTest, Operand, Operator, Sign, Sought, Term, TermPattern};
    use super::*;

    fn check(pattern: &str, message: &str, expected: bool) {
        let matcher = Matcher::new(&Pattern::parse(pattern).expect(pattern));
        assert_eq!(matcher.matches(message.as_bytes()), expected, "`{pattern}` on `{message}`");
    }

    #[test]
    fn an_empty_pattern_and_blank_phrases_match_everything() {
        for pattern in ["", "  ", "\" \"", "\"\"", "?\" \"", "?\" \" ?a", "\" \" \"  \""] {
            check(pattern, "", true);
            check(pattern, "x", true);
            assert!(Matcher::new(&Pattern::parse(pattern).expect(pattern)).matches_all(), "{pattern}");
        }
    }

    #[test]
    fn any_white_space_separates() {
        check("a\tb\n c", "cba", true);
        check("a\tb\n c", "ab", false);
        check("{\n\t$.a\t=\n1 }", "{\"a\":1}", true);
        check("[\ta\n=1 ,\tb]", "1\t2", true);
    }

    #[test]
    fn regular_expressions_do_not_split_characters() {
        check("%^.{3}$%", "äöü", true);
        check("%^.$%", "äöü", false);
    }

    /// The meaning, told as plainly as possible.
    fn obviously_matches(pattern: &TermPattern, message: &str) -> bool {
        let occurs = |term: &Term| match &term.sought {
            Sought::Text(text) => term.is_blank() || message.contains(text.as_str()),
            Sought::Regex(_) => unreachable!("none is made here"),
        };
        if pattern.terms.iter().all(|term| term.sign == Sign::Optional) {
            return pattern.terms.is_empty() || pattern.terms.iter().any(occurs);
        }
        pattern.terms.iter().all(|term| match term.sign {
            Sign::Required => occurs(term),
            Sign::Excluded => !occurs(term),
            Sign::Optional => true,
        })
    }

    fn any_term_pattern() -> impl Strategy<Value = TermPattern> {
        let sign = prop_oneof![Just(Sign::Required), Just(Sign::Optional), Just(Sign::Excluded)];
        let term = (sign, "[abé \"\\\\-]{1,3}");
        let term = term.prop_map(|(sign, text)| Term { sign, sought: Sought::Text(text) });
        let term = term.prop_filter("refused", |term| term.sign != Sign::Excluded || !term.is_blank());
        proptest::collection::vec(term, 0..4).prop_map(|terms| TermPattern { terms })
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            (-3_i64..3).prop_map(|number| json!(number as f64 / 2.0)),
            "[ab1\"\\\\é\n]{0,3}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[abc]", inner, 0..3)
                    .prop_map(|object| Value::Object(object.into_iter().collect())),
            ]
        });
        proptest::collection::btree_map("[abc]", value, 0..4)
            .prop_map(|object| Value::Object(object.into_iter().collect()))
    }

    /// All values that the steps of a selector such as `.a.*[0]` lead to.
    fn obviously_selected<'v>(value: &'v Value, steps: &[&str]) -> Vec<&'v Value> {
        let Some((step, rest)) = steps.split_first() else { return vec![value] };
        let next: Vec<&Value> = match (*step, value) {
            (".*", Value::Object(object)) => object.values().collect(),
            ("[*]", Value::Array(array)) => array.iter().collect(),
            ("[0]", Value::Array(array)) => array.first().into_iter().collect(),
            (property, Value::Object(object)) => object.get(&property[1..]).into_iter().collect(),
            _ => Vec::new(),
        };
        next.into_iter().flat_map(|value| obviously_selected(value, rest)).collect()
    }

    fn obviously_holds(condition: &JsonCondition, values: &[&Value]) -> bool {
        let holds = |value: &&Value| match (&condition.test, value) {
            (JsonTest::Null, value) => value.is_null(),
            (JsonTest::Boolean(wanted), value) => value.as_bool() == Some(*wanted),
            (JsonTest::Compare(comparison), Value::Number(number)) => {
                let Operand::Number(wanted) = &comparison.operand else { return false };
                let (left, right) = (number.as_f64().expect("small"), wanted.parse().expect("a number"));
                match comparison.operator {
                    Operator::Equal => left == right,
                    Operator::NotEqual => left != right,
                    Operator::Less => left < right,
                    _ => left >= right,
                }
            }
            (JsonTest::Compare(comparison), Value::String(text)) => {
                let Operand::Number(wanted) = &comparison.operand else { return false };
                match comparison.operator {
                    Operator::Equal => text == wanted,
                    Operator::NotEqual => text != wanted,
                    _ => false,
                }
            }
            (JsonTest::Compare(comparison), Value::Bool(_)) => comparison.operator == Operator::NotEqual,
            _ => false,
        };
        if condition.test == JsonTest::NotExists { values.is_empty() } else { values.iter().any(holds) }
    }

    proptest! {
        #[test]
        fn terms_agree_with_the_obvious_matcher(
            pattern in any_term_pattern(), message in "[abé \"\\\\-]{0,8}",
        ) {
            let printed = pattern.to_string();
            prop_assert_eq!(Pattern::parse(&printed), Ok(Pattern::Terms(pattern.clone())), "{}", printed);
            let matcher = Matcher::new(&Pattern::Terms(pattern.clone()));
            prop_assert_eq!(matcher.matches(message.as_bytes()), obviously_matches(&pattern, &message));
        }

        #[test]
        fn one_pass_over_json_agrees_with_the_whole_tree(
            object in any_json(),
            steps in proptest::collection::vec(prop::sample::select(vec![".a", ".b", ".c", "[0]"]), 1..4),
            wildcard in prop::sample::select(vec!["", ".*", "[*]"]),
            test in prop::sample::select(vec!["= 1", "!= 1", "< 0", ">= 1", "IS NULL", "IS TRUE", "NOT EXISTS"]),
            pretty in any::<bool>(),
        ) {
            let mut steps = steps;
            if !wildcard.is_empty() {
                steps.push(wildcard);
            }
            let pattern = format!("{{ ${} {test} }}", steps.concat());
            let message = if pretty { format!("{object:#}") } else { object.to_string() };
            let parsed = Pattern::parse(&pattern).expect("a pattern");
            let Pattern::Json(json) = &parsed else { panic!("not JSON") };
            let values = obviously_selected(&object, &steps);
            let expected = obviously_holds(json.expression.first_condition(), &values);
            let matches = Matcher::new(&parsed).matches(message.as_bytes());
            prop_assert_eq!(matches, expected, "{} on {}", pattern, message);
        }

        #[test]
        fn any_text_parses_and_prints_or_is_refused_inside_it(
            text in "\\PC*|[-?\"\\\\%{\\[ a-cé]*|\\{[$.a\\[\\]*=!<>&|() 10\"%INULLOTEXS]*\\}|\\[[ab,. =!<>&|()10\"%*]*\\]",
            message in "\\PC*|[{\\[\"a:1,\\]} ]*",
        ) {
            match Pattern::parse(&text) {
                Ok(pattern) => {
                    prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern.clone()));
                    let matcher = Matcher::new(&pattern);
                    let extracted = matcher.extracted(message.as_bytes());
                    prop_assert_eq!(matcher.matches(message.as_bytes()), extracted.is_some());
                }
                Err(error) => prop_assert!(text.get(error.span).is_some()),
            }
        }
    }
}

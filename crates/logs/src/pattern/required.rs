//! What must occur in a message for a pattern to match, so that a search can pass over what has it nowhere.
//!
//! Only what is certain counts. Texts and what regular expressions spell out are found in a message as they
//! are, except in JSON, where any character may be [escaped](Requirement::of_json_text). Numbers may be
//! written in several ways, and so say nothing; of a JSON value that is compared with one, its property must
//! still be there.

use groundwatch_log_files::Requirement;
use regex_syntax::hir::{Hir, HirKind};

use super::json::Step;
use super::{
    Comparison, Expression, Field, FieldPattern, JsonCondition, JsonTest, Operand, Operator, Pattern, Regexp,
    Sign, Sought, Term, TermPattern,
};

/// What every message that matches `pattern` meets.
pub(super) fn of_pattern(pattern: &Pattern) -> Vec<Requirement> {
    match pattern {
        Pattern::Terms(terms) => of_terms(terms),
        Pattern::Json(json) => of_expression(&json.expression, &of_json_condition),
        Pattern::Fields(fields) => of_fields(fields),
    }
}

fn of_terms(TermPattern { terms }: &TermPattern) -> Vec<Requirement> {
    if terms.iter().all(|term| term.sign == Sign::Optional) {
        return any(terms.iter().map(of_term));
    }
    terms.iter().filter(|term| term.sign == Sign::Required).flat_map(of_term).collect()
}

fn of_term(term: &Term) -> Vec<Requirement> {
    match &term.sought {
        Sought::Text(text) => Requirement::of_text(text.as_bytes()).into_iter().collect(),
        Sought::Regex(regexp) => of_regexp(regexp),
    }
}

fn of_fields(pattern: &FieldPattern) -> Vec<Requirement> {
    let conditions = pattern.fields.iter().filter_map(|field| match field {
        Field::Conditional(expression) => Some(expression),
        Field::Unnamed | Field::Named(_) | Field::Ellipsis => None,
    });
    conditions
        .flat_map(|expression| of_expression(expression, &|condition| of_field(&condition.comparison)))
        .collect()
}

fn of_field(comparison: &Comparison) -> Vec<Requirement> {
    match (comparison.operator, &comparison.operand) {
        (Operator::Equal, Operand::Text(text)) => {
            text.split('*').filter_map(|piece| Requirement::of_text(piece.as_bytes())).collect()
        }
        (Operator::Equal, Operand::Regex(regexp)) => of_regexp(regexp),
        _ => Vec::new(),
    }
}

fn of_json_condition(JsonCondition { selector, test }: &JsonCondition) -> Vec<Requirement> {
    let comparison = match test {
        JsonTest::NotExists => return Vec::new(),
        JsonTest::Null | JsonTest::Boolean(_) => None,
        JsonTest::Compare(comparison) => Some(comparison),
    };
    let properties = selector.steps.iter().filter_map(|step| match step {
        Step::Property(name) => Some(name.as_str()),
        Step::AnyProperty | Step::Element(_) | Step::AnyElement => None,
    });
    let pieces = match comparison {
        Some(Comparison { operator: Operator::Equal, operand: Operand::Text(text) })
            if !may_be_number(text) =>
        {
            text.split('*')
        }
        _ => "".split('*'),
    };
    properties.chain(pieces).filter_map(|text| Requirement::of_json_text(text.as_bytes())).collect()
}

/// Whether a number could compare as this text, whichever way the message writes it.
fn may_be_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"*+-.eEinfNa".contains(&byte))
}

fn of_expression<C>(
    expression: &Expression<C>,
    of_condition: &impl Fn(&C) -> Vec<Requirement>,
) -> Vec<Requirement> {
    let of_part = |part| of_expression(part, of_condition);
    match expression {
        Expression::Condition(condition) => of_condition(condition),
        Expression::All(parts) => parts.iter().flat_map(of_part).collect(),
        Expression::Any(parts) => any(parts.iter().map(of_part)),
    }
}

fn of_regexp(regexp: &Regexp) -> Vec<Requirement> {
    regexp.parsed().as_ref().map_or_else(Vec::new, of_hir)
}

fn of_hir(hir: &Hir) -> Vec<Requirement> {
    match hir.kind() {
        HirKind::Literal(literal) => Requirement::of_text(&literal.0).into_iter().collect(),
        HirKind::Concat(parts) => parts.iter().flat_map(of_hir).collect(),
        HirKind::Alternation(parts) => any(parts.iter().map(of_hir)),
        HirKind::Capture(capture) => of_hir(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of_hir(&repetition.sub),
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => Vec::new(),
    }
}

/// What is left if one of several must hold.
fn any(parts: impl Iterator<Item = Vec<Requirement>>) -> Vec<Requirement> {
    Requirement::one_of(parts.map(Requirement::strictest)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use groundwatch_core::{Scope, Timestamp};
    use groundwatch_log_files::{
        EventKey, FileWriter, GroupId, Layout, LogFile, LogStreamId, RowRanges, StreamAddress,
    };
    use proptest::prelude::*;

    use super::super::Matcher;
    use super::*;

    fn text(text: &str) -> Option<Requirement> {
        Requirement::of_text(text.as_bytes())
    }

    fn json(text: &str) -> Option<Requirement> {
        Requirement::of_json_text(text.as_bytes())
    }

    fn either<const N: usize>(alternatives: [Option<Requirement>; N]) -> Option<Requirement> {
        Requirement::one_of(alternatives)
    }

    fn check(pattern: &str, expected: &[Option<Requirement>]) {
        let pattern = Pattern::parse(pattern).expect(pattern);
        let expected: Vec<Requirement> = expected.iter().flatten().cloned().collect();
        assert_eq!(of_pattern(&pattern), expected, "{pattern}");
    }

    #[test]
    fn terms_require_what_must_occur() {
        check("ERROR", &[text("ERROR")]);
        check("ERROR \"disk is full\"", &[text("ERROR"), text("disk is full")]);
        check("-ERROR", &[]);
        check("ERROR -WARN", &[text("ERROR")]);
        check("?ERROR ?WARN", &[either([text("ERROR"), text("WARN")])]);
        check("?ERROR ?\" \"", &[]);
        check("?ERROR WARN", &[text("WARN")]);
        check("\" \"", &[]);
    }

    #[test]
    fn regular_expressions_require_what_they_spell_out() {
        check("%ERR[0-9]+% disk", &[text("ERR"), text("disk")]);
        check("%took [0-9]+ years?%", &[text("took "), text(" year")]);
        check("%status=9[0-9]|took%", &[either([text("status=9"), text("took")])]);
        check("%a+b*c{2,}d?%", &[text("a"), text("c")]);
        check("%status|[0-9]+%", &[]);
        check("-%ERR%", &[]);
    }

    #[test]
    fn json_requires_properties_and_texts() {
        check("{ $.level = ERROR }", &[json("level"), json("ERROR")]);
        check("{ $.a.bc[0] = \"x*y z\" }", &[json("a"), json("bc"), json("x"), json("y z")]);
        check("{ $.level != ERROR }", &[json("level")]);
        check("{ $.status = 404 }", &[json("status")]);
        check("{ $.status = \"404*\" }", &[json("status")]);
        check("{ $.status = %ERR% }", &[json("status")]);
        check("{ $.gone NOT EXISTS }", &[]);
        check("{ $.a IS NULL && $.b > 1 }", &[json("a"), json("b")]);
        check("{ $.user = \"me!\" || $.owner IS TRUE }", &[either([json("user"), json("owner")])]);
        check("{ $.user = me || $.gone NOT EXISTS }", &[]);
    }

    #[test]
    fn fields_require_texts_and_regular_expressions() {
        check("[ip, user = a*me, status = 404, ...]", &[text("a"), text("me")]);
        check("[w = %ERR% || w = \"no entry\"]", &[either([text("ERR"), text("no entry")])]);
        check("[w != ERR]", &[]);
    }

    fn any_message() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-c1 =\\-]{0,12}",
            "status=[19][0-9] took [ab]{1,3} [0-9]{1,2}ms",
            r#"\{"(user|us\\u0065r|user\\t)":"[ab1]{0,3}(\\u0061|\\t)?[ab1]{0,3}","n":(1|1\.0|10e-1|"1"|true)\}"#,
            r#"\{"a":\{"user":["x1","[ab]{1,2}"]\}\}"#,
            "[ab]{1,3} \"[ab ]{1,4}\" \\[[ab1 ]{1,4}\\] 1",
        ]
    }

    fn any_pattern() -> impl Strategy<Value = String> {
        prop_oneof![
            "[?]?[a-c1]{1,3}( [?]?[a-c1]{1,3}| -c)?",
            "\"[a-c1 =-]{1,4}\"",
            "%(a+b?|[ab]1|took [ab]+|status=9[0-9]|1ms|ab?|b-)[|]?(c1|a)?%",
            r"%\^?([ab]|\[\^a\]|\[0-9\]\+m|\.\??|\.\*|=1?|: ){1,3}(1|ms)?\$?%( [ab1])?",
            r#"\{ \$\.(user|n|a\.user\[1\]|a\.\*) (=|!=) ([ab]{1,3}|[ab]\*|\*b\*|1|"1"|true|%[ab]%) \}"#,
            r#"\{ \$\.user = [ab1]{1,3} \|\| \$\.n (= 1|IS TRUE|NOT EXISTS) \}"#,
            r"\[a (=|!=) [ab]{1,2}, b = ([ab]\*|\*b|%a+b%), \.\.\.\]",
        ]
    }

    /// Messages in a file, and the file with its bytes.
    fn file_of(messages: &[String]) -> (Arc<LogFile>, bytes::Bytes) {
        let mut writer = FileWriter::new(Layout::Shaped);
        let stream = writer.stream(&Arc::new(StreamAddress {
            scope: Scope::default(),
            group: "group".to_owned(),
            group_id: GroupId::from_u128(1),
            stream: "stream".to_owned(),
            stream_id: LogStreamId::from_u128(2),
        }));
        for (index, message) in (0..).zip(messages) {
            let key = EventKey { timestamp: Timestamp::EPOCH, sequence: 1, index };
            writer.push(stream, key, Timestamp::EPOCH, message.as_bytes()).expect("written");
        }
        let written = writer.finish().expect("finished");
        let tail = written.bytes.slice(written.bytes.len() - written.tail_bytes as usize..);
        let file = LogFile::open(&tail, written.bytes.len() as u64).expect("opens");
        (Arc::new(file), written.bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// Neither what is known of a row group nor what is known of its rows may pass over a match.
        #[test]
        fn no_match_is_passed_over(
            // Of a few messages often repeated, shapes are made.
            different in proptest::collection::vec(any_message(), 1..8),
            times in 1_usize..12,
            patterns in proptest::collection::vec(any_pattern(), 12),
        ) {
            let messages: Vec<String> = different.iter().cycle().take(different.len() * times).cloned().collect();
            let (file, bytes) = file_of(&messages);
            let filters = file.filters().expect("has filters");
            let filters = &bytes[filters.start as usize..filters.end as usize];
            let part = &file.parts()[0];
            let range = file.bytes_of(part).expect("is somewhere");
            let row_group = bytes.slice(range.start as usize..range.end as usize);
            let stored = file.messages(part, &row_group, &RowRanges::first(messages.len())).expect("reads");
            let said = stored.texts(&RowRanges::first(messages.len())).expect("reads");
            for text in patterns {
                let pattern = Pattern::parse(&text).expect(&text);
                let matcher = Matcher::new(&pattern);
                let expected = messages.iter().filter(|message| matcher.matches(message.as_bytes())).count();
                let candidates = matcher.candidates(&stored).expect("reads");
                let mut found = 0;
                for row in 0..messages.len() {
                    let mut message = Vec::new();
                    said.append(row, &mut message);
                    let may = candidates.as_ref().is_none_or(|rows| rows.binary_search(&(row as u32)).is_ok());
                    found += usize::from(may && matcher.matches(&message));
                }
                prop_assert_eq!(found, expected, "`{}`", text);
                let candidates = file.candidates(filters, matcher.requirements());
                let passed_over = candidates.rows_of(part).is_empty();
                prop_assert!(expected == 0 || !passed_over, "`{}` is passed over", text);
            }
        }
    }
}

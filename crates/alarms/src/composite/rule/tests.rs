//! The language by example, and its properties.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Rule;
use super::ast::{Expression, Quorum, Reference, StateTest};
use crate::alarm::StateValue;

fn parse(text: &str) -> Expression {
    Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).expression().clone()
}

/// `text` is read as `printed` says, which is read the same way again.
fn check(text: &str, printed: &str) {
    let expression = parse(text);
    assert_eq!(expression.to_string(), printed);
    assert_eq!(parse(printed), expression, "{printed}");
}

#[test]
fn rules_read_and_print() {
    check("ALARM(cpu)", "ALARM(cpu)");
    check("  alarm ( cpu )", "ALARM(cpu)");
    check("ALARM(a) OR ALARM(b) AND OK(c)", "ALARM(a) OR ALARM(b) AND OK(c)");
    check("(ALARM(a) OR ALARM(b)) AND OK(c)", "(ALARM(a) OR ALARM(b)) AND OK(c)");
    check("(((TRUE)))", "TRUE");
    check("NOT NOT False", "NOT NOT FALSE");
    check("NOT ALARM(a) AND TRUE", "NOT ALARM(a) AND TRUE");
    check("NOT (ALARM(a) AND TRUE)", "NOT (ALARM(a) AND TRUE)");
    check("INSUFFICIENT_DATA(OK)", "INSUFFICIENT_DATA(OK)");
    check("OK(\"a, (b) \\\"c\\\" \\\\ d\")", "OK(\"a, (b) \\\"c\\\" \\\\ d\")");
    check("OK(\"plain\")", "OK(plain)");
    check("OK(back\\slash)", "OK(back\\slash)");
    check(
        "ALARM(arn:aws:cloudwatch:eu-west-1:000000000000:alarm:x:y)",
        "ALARM(arn:aws:cloudwatch:eu-west-1:000000000000:alarm:x:y)",
    );
    check("AT_LEAST(2,NOT ok,(a,\"b c\",d))", "AT_LEAST(2, NOT OK, (a, \"b c\", d))");
    check("AT_LEAST(50%, ALARM, (a, b))", "AT_LEAST(50%, ALARM, (a, b))");
}

#[test]
fn errors_point_into_the_rule() {
    for (text, message, start, end) in [
        ("", "The rule ends at char 0, must be: a condition", 0, 0),
        ("ALARM", "The rule ends at char 5, must be: '('", 5, 5),
        ("ALARM(a", "The rule ends at char 7, must be: ')'", 7, 7),
        ("ALARM()", "Unsupported token ')' at char 6", 6, 7),
        ("ALARM(a b)", "Unsupported token 'b' at char 8, must be: ')'", 8, 9),
        ("ALARM(\"\")", "Unsupported token '\"\"' at char 6", 6, 8),
        ("BROKEN(a)", "Unsupported token 'BROKEN' at char 0", 0, 6),
        ("ALARM(a) XOR OK(b)", "Unsupported token 'XOR' at char 9", 9, 12),
        ("TRUE AND", "The rule ends at char 8, must be: a condition", 8, 8),
        ("OK(\"a)", "Unclosed quotes at char 3", 3, 6),
        ("()", "Unsupported token ')' at char 1", 1, 2),
        ("AT_LEAST(0, OK, (a))", "AT_LEAST needs a number from 1 to 1, or 1% to 100% at char 9", 9, 10),
        ("AT_LEAST(101%, OK, (a))", "AT_LEAST needs a number from 1 to 1, or 1% to 100% at char 9", 9, 13),
        ("AT_LEAST(2, OK, (a))", "AT_LEAST needs a number from 1 to 1, or 1% to 100% at char 9", 9, 10),
        ("AT_LEAST(+1, OK, (a))", "Unsupported token '+1' at char 9", 9, 11),
        ("AT_LEAST(1, MAYBE, (a))", "Unsupported token 'MAYBE' at char 12", 12, 17),
    ] {
        let error = Rule::parse(text).expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
        assert_eq!((error.span.start, error.span.end), (start, end), "{text}");
    }
}

#[test]
fn rules_are_bounded() {
    let chain =
        |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<Vec<_>>().join(" OR ");
    let check = |text: &str, message: Option<&str>| {
        let error = Rule::parse(text).err().map(|error| error.to_string());
        let without_place = error.as_ref().and_then(|error| error.split(" at char ").next());
        assert_eq!(without_place, message);
    };
    check(&chain(100, &|index| format!("OK(a{index})")), None);
    check(&chain(101, &|index| format!("OK(a{index})")), Some("More than 100 different alarms"));
    check(&chain(500, &|_| "TRUE".to_owned()), None);
    check(&chain(501, &|_| "TRUE".to_owned()), Some("More than 500 elements"));
    check(&format!("{}TRUE", "NOT ".repeat(499)), None);
    check(&format!("{}TRUE", "NOT ".repeat(2500)), Some("More than 500 levels of nesting"));
    check(&"(".repeat(10_000), Some("More than 500 levels of nesting"));
}

#[test]
fn rules_hold_by_the_states_of_alarms() {
    let states = BTreeMap::from([
        ("a", StateValue::Alarm),
        ("b", StateValue::Ok),
        ("c", StateValue::InsufficientData),
    ]);
    for (text, holds) in [
        ("ALARM(a)", true),
        ("ALARM(b)", false),
        ("OK(b) AND INSUFFICIENT_DATA(c)", true),
        ("NOT ALARM(a) OR OK(b)", true),
        ("NOT (ALARM(a) OR OK(b))", false),
        ("ALARM(b) AND ALARM(b) OR ALARM(a)", true),
        ("ALARM(gone) OR OK(gone) OR INSUFFICIENT_DATA(gone)", false),
        ("ALARM(arn:aws:cloudwatch:us-east-1:000000000000:alarm:a)", true),
        ("AT_LEAST(2, NOT ALARM, (a, b, c))", true),
        ("AT_LEAST(2, ALARM, (a, b, c))", false),
        // A third of three, rounded up, is one; 34 % of three are two.
        ("AT_LEAST(33%, ALARM, (a, b, c))", true),
        ("AT_LEAST(34%, ALARM, (a, b, c))", false),
        ("AT_LEAST(100%, NOT OK, (a, c))", true),
    ] {
        assert_eq!(parse(text).holds(&|name| states.get(name).copied()), holds, "{text}");
    }
}

#[test]
fn an_arn_names_the_alarm_after_its_seventh_colon() {
    for (text, name) in [
        ("arn:aws:cloudwatch:us-east-1:000000000000:alarm:x:y", "x:y"),
        ("arn:aws:sns:us-east-1:000000000000:alarm:x", "arn:aws:sns:us-east-1:000000000000:alarm:x"),
        ("x:y", "x:y"),
    ] {
        assert_eq!(Reference(text.to_owned()).name(), name);
    }
}

fn expression() -> impl Strategy<Value = Expression> {
    let reference = "[ -~ü]{1,6}".prop_map(Reference);
    let state = prop::sample::select(vec![StateValue::Ok, StateValue::Alarm, StateValue::InsufficientData]);
    let test = (state.clone(), any::<bool>()).prop_map(|(state, negated)| StateTest { state, negated });
    let at_least = (1..=100_usize, any::<bool>(), test, prop::collection::vec(reference.clone(), 1..4))
        .prop_map(|(number, percent, test, alarms)| {
            let quorum =
                if percent { Quorum::Percent(number) } else { Quorum::Count(number % alarms.len() + 1) };
            Expression::AtLeast { quorum, test, alarms }
        });
    let leaf = prop_oneof![
        any::<bool>().prop_map(Expression::Constant),
        (state, reference).prop_map(|(state, alarm)| Expression::Is(state, alarm)),
        at_least,
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
            several.clone().prop_map(Expression::And),
            several.prop_map(Expression::Or),
        ]
    })
}

proptest! {
    #[test]
    fn a_printed_rule_reads_as_itself(expression in expression()) {
        let printed = expression.to_string();
        prop_assert_eq!(Rule::parse(&printed).map(|rule| rule.expression().clone()), Ok(expression));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(?s)([()\", \\\\%0-9]|AND|OR|NOT|OK|ALARM|AT_LEAST|TRUE|.){0,40}") {
        let _ = Rule::parse(&text);
    }
}

//! What holds for every query: no text panics, and what is printed parses to the same.

use groundwatch_metric_selection::insights::{
    Condition, Function, Label, Located, Order, Query, Source, Value,
};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[aB1_]{1,3}", "[a\"'\\\\ ./ä]{1,4}", Just("limit".to_owned()), Just("Count".to_owned())]
}

fn function() -> impl Strategy<Value = Function> {
    use Function::{Avg, Count, Max, Min, Sum};
    prop_oneof![Just(Avg), Just(Count), Just(Max), Just(Min), Just(Sum)]
}

fn label() -> impl Strategy<Value = Located<Label>> {
    let label = prop_oneof![
        name().prop_map(Label::Dimension),
        Just(Label::AccountId),
        name().prop_map(Label::Tag),
        Just(Label::Dimension("tag.x".to_owned())),
    ];
    label.prop_map(|node| Located { node, span: 0..0, position: 1 })
}

fn condition() -> impl Strategy<Value = Condition> {
    (label(), any::<bool>(), prop::option::of("[a\"'\\\\ ä]{0,4}")).prop_map(|(label, equal, text)| {
        let value = match text {
            None if label.node == Label::AccountId => Value::CurrentAccount,
            text => Value::Text(text.unwrap_or_default()),
        };
        Condition { label, equal, value }
    })
}

fn source() -> impl Strategy<Value = Source> {
    let schema = (name(), prop::collection::hash_set(name(), 0..3)).prop_map(|(namespace, dimensions)| {
        Source::Schema { namespace, dimensions: dimensions.into_iter().collect() }
    });
    prop_oneof![name().prop_map(Source::Namespace), schema]
}

fn query() -> impl Strategy<Value = Query> {
    let order = (function(), any::<bool>()).prop_map(|(function, descending)| Order { function, descending });
    let parts = (
        function(),
        name(),
        source(),
        prop::collection::vec(condition(), 0..3),
        prop::collection::vec(label(), 0..3),
        prop::option::of(order),
        prop::option::of(1..=500_usize),
    );
    parts.prop_map(|(function, metric, from, conditions, labels, order_by, limit)| {
        let mut group_by: Vec<Located<Label>> = Vec::new();
        for label in labels {
            if !group_by.contains(&label) {
                group_by.push(label);
            }
        }
        Query { function, metric, from, conditions, group_by, order_by, limit }
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = Query::parse(&text);
    }

    #[test]
    fn no_text_of_the_language_panics(
        tail in "(SELECT |AVG|FROM |SCHEMA|WHERE |AND |GROUP BY |ORDER BY |LIMIT |AWS|tag|AccountId|5|x|ä|[(),.;=!<'\"\\\\]| ){0,25}",
        head in prop_oneof![Just(""), Just("SELECT AVG(x) FROM y "), Just("SELECT AVG(x) FROM y WHERE z = 'a' ")],
    ) {
        let text = format!("{head}{tail}");
        match Query::parse(&text) {
            Ok(query) => prop_assert_eq!(Query::parse(&query.to_string()), Ok(query)),
            Err(error) => prop_assert!(text.get(error.span).is_some(), "the span is within the text"),
        }
    }

    #[test]
    fn what_is_printed_parses_to_the_same(query in query()) {
        let printed = query.to_string();
        prop_assert_eq!(Query::parse(&printed), Ok(query), "{}", printed);
    }
}

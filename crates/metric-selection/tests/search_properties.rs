//! What holds for every search: no text panics, what is printed parses to the same, and the index finds what
//! looking at each series finds.

mod common;

use common::{Catalog, Series};
use groundwatch_metric_selection::search::{Condition, Property, Query, Schema, Term};
use proptest::prelude::*;

/// Few letters, so that terms meet strings often.
const STRING: &str = "[aAbB12/_ -]{1,6}";

fn word() -> impl Strategy<Value = String> {
    prop_oneof![20 => "[aAbB12]([aAbB12/_,-]{0,4}[aAbB12])?", 1 => Just("NOT".to_owned())]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![word(), "[aA\"\\\\() ,=]{1,4}", Just("NOT".to_owned()), Just("MetricName".to_owned())]
}

fn term() -> impl Strategy<Value = Condition> {
    prop_oneof![word().prop_map(Term::Partial), name().prop_map(Term::Exact)].prop_map(Condition::Term)
}

fn property() -> impl Strategy<Value = Property> {
    prop_oneof![Just(Property::Namespace), Just(Property::MetricName), name().prop_map(Property::Dimension)]
}

fn combined(inner: impl Strategy<Value = Condition> + Clone + 'static) -> BoxedStrategy<Condition> {
    prop_oneof![
        inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
        prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
        prop::collection::vec(inner, 2..4).prop_map(Condition::Any),
    ]
    .boxed()
}

fn condition() -> impl Strategy<Value = Condition> {
    let values = term().prop_recursive(2, 6, 3, combined);
    let within =
        (property(), values).prop_map(|(property, values)| Condition::Within(property, Box::new(values)));
    prop_oneof![term(), within].prop_recursive(3, 12, 3, combined)
}

fn query() -> impl Strategy<Value = Query> {
    let schema = (name(), prop::collection::vec(name(), 0..3))
        .prop_map(|(namespace, dimensions)| Schema { namespace, dimensions });
    (prop::option::of(schema), condition())
        .prop_map(|(schema, condition)| Query { schema, condition: Some(condition) })
}

fn series() -> impl Strategy<Value = Series> {
    let dimensions = prop::collection::btree_map("[aAbB]{1,2}", STRING, 0..3);
    (STRING, STRING, dimensions).prop_map(|(namespace, name, dimensions)| Series {
        namespace,
        name,
        dimensions: dimensions.into_iter().collect(),
    })
}

fn agree(catalog: &Catalog, query: &Query) -> Result<(), TestCaseError> {
    let found: Vec<u32> = catalog.index().search(query).iter().collect();
    let matching =
        (0..).zip(&catalog.series).filter(|(_, series)| series.with(|metric| query.matches(metric)));
    prop_assert_eq!(found, matching.map(|(number, _)| number).collect::<Vec<u32>>(), "{}", query);
    Ok(())
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = Query::parse(&text);
    }

    #[test]
    fn no_text_of_the_language_panics(text in "([{}(),=\"\\\\]| |AND|OR|NOT|MetricName|a1|:x|ä){0,30}") {
        if let Ok(query) = Query::parse(&text) {
            prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
        } else if let Err(error) = Query::parse(&text) {
            prop_assert!(text.get(error.span).is_some(), "the span is within the text");
        }
    }

    #[test]
    fn what_is_printed_parses_to_the_same(query in query()) {
        let printed = query.to_string();
        prop_assume!(printed.chars().count() <= 1024);
        prop_assert_eq!(Query::parse(&printed), Ok(query), "{}", printed);
    }

    #[test]
    fn the_index_finds_what_looking_at_each_series_finds(
        series in prop::collection::vec(series(), 0..20),
        query in query(),
    ) {
        agree(&Catalog { series, ..Catalog::default() }, &query)?;
    }

    /// Terms and schema are taken from the series themselves, so that most searches find something.
    #[test]
    fn the_index_agrees_where_much_is_found(
        series in prop::collection::vec(series(), 1..30),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..7), 1..4),
        any in any::<bool>(),
    ) {
        let conditions = picks.iter().map(|(at, what)| {
            let Series { namespace, name, dimensions } = at.get(&series);
            let (dimension, value) = dimensions.first().cloned().unwrap_or_default();
            match what {
                0 => format!("\"{name}\""),
                1 => format!("Namespace=\"{namespace}\""),
                2 => format!("\"{dimension}x\"=\"{value}x\""),
                3 => format!("NOT \"{value}x\""),
                4 => format!("{{\"{namespace}\",\"x{dimension}\"}}"),
                5 => format!("a{}", name.replace(' ', "-")),
                _ => format!("MetricName={}a", name.replace(' ', "-")),
            }
        });
        let mut conditions: Vec<String> = conditions.collect();
        conditions.sort_by_key(|condition| !condition.starts_with('{'));
        let text = conditions.join(if any && !conditions[0].starts_with('{') { " OR " } else { " " });
        if let Ok(query) = Query::parse(&text) {
            agree(&Catalog { series, ..Catalog::default() }, &query)?;
        }
    }
}

//! Runs the examples of both references.

mod common;

use common::{Catalog, Series};
use groundwatch_metric_selection::insights::{self, Bucket, Plan};
use groundwatch_metric_selection::search::{self, tokens};

const SEARCH: &str = include_str!("../src/search/reference.md");
const INSIGHTS: &str = include_str!("../src/insights/reference.md");

/// The lines of all blocks of a kind.
fn lines<'a>(reference: &'a str, kind: &str) -> Vec<&'a str> {
    let fence = format!("```{kind}\n");
    let blocks = reference.split(&fence).skip(1);
    blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines()).collect()
}

/// The lines, each cut at its arrow; there must be some.
fn examples<'a>(reference: &'a str, kind: &str) -> Vec<(&'a str, &'a str)> {
    let examples = lines(reference, kind).into_iter().map(|line| line.split_once('→').expect("an arrow"));
    let examples: Vec<_> = examples.map(|(example, expected)| (example.trim(), expected.trim())).collect();
    assert!(!examples.is_empty(), "no examples of {kind}");
    examples
}

fn search_catalog() -> Catalog {
    let series = (0..).zip(lines(SEARCH, "series")).map(|(number, line)| {
        let (stated, series) = line.split_once(' ').expect("a number");
        assert_eq!(stated, format!("{number}"));
        Series::parse(series)
    });
    Catalog { series: series.collect(), ..Catalog::default() }
}

#[test]
fn searches_find_what_the_reference_says() {
    let index = search_catalog().index();
    for (search, expected) in examples(SEARCH, "search") {
        let query = search::Query::parse(search).expect(search);
        let found: Vec<String> = index.search(&query).iter().map(|series| series.to_string()).collect();
        assert_eq!(found.join(" "), expected, "{search}");
    }
}

#[test]
fn strings_have_the_tokens_that_the_reference_says() {
    for (text, expected) in examples(SEARCH, "tokens") {
        assert_eq!(tokens(text).join(" "), expected, "{text}");
    }
}

#[test]
fn searches_are_refused_as_the_reference_says() {
    for (search, expected) in examples(SEARCH, "refused") {
        assert_eq!(search::Query::parse(search).expect_err(search).to_string(), expected, "{search}");
    }
}

/// The series, and the values of each in the two periods.
fn insights_catalog() -> (Catalog, Vec<Vec<(i64, Bucket)>>) {
    let mut catalog = Catalog::default();
    let mut data = Vec::new();
    for line in lines(INSIGHTS, "series") {
        let (series, values) = line.split_once(" : ").expect("values");
        catalog.series.push(Series::parse(series));
        let values = (0..).zip(values.split_whitespace()).filter(|(_, value)| *value != "-");
        data.push(values.map(|(at, value)| (at, Bucket::of(value.parse().expect("a number")))).collect());
    }
    (catalog, data)
}

fn results(query: &str) -> Result<String, insights::InsightsError> {
    let (catalog, data) = insights_catalog();
    let plan = Plan::new(&insights::Query::parse(query)?, &catalog)?;
    let results = plan.aggregate(&plan.select(&catalog), |series| data[series as usize].clone());
    let shown = results.iter().map(|result| {
        let value = |period: i64| {
            let point = result.points.iter().find(|(start, _)| *start == period);
            point.map_or("-".to_owned(), |(_, value)| value.to_string())
        };
        format!("{}: {} {}", result.label, value(0), value(1))
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}

#[test]
fn queries_answer_what_the_reference_says() {
    for (query, expected) in examples(INSIGHTS, "insights") {
        assert_eq!(results(query).expect(query), expected, "{query}");
    }
}

#[test]
fn queries_are_refused_as_the_reference_says() {
    for (query, expected) in examples(INSIGHTS, "refused") {
        assert_eq!(results(query).expect_err(query).to_string(), expected, "{query}");
    }
}

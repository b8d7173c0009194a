//! SQL that Metrics Insights does not have, so that it can be refused by name.

use super::error::InsightsProblem;

const CONDITIONS: &str = "WHERE takes `label = 'value'` and `label != 'value'`, joined by AND";
const CLAUSES: &str = "a query is SELECT, FROM, WHERE, GROUP BY, ORDER BY and LIMIT, in this order";
const ONE_FUNCTION: &str = "SELECT takes one of AVG, COUNT, MAX, MIN and SUM of one metric";
const ONE_ORDER: &str = "ORDER BY takes one of AVG(), COUNT(), MAX(), MIN() and SUM()";
const ONE_SOURCE: &str = "FROM takes one namespace or SCHEMA(namespace, labels)";

/// Words of SQL, in capitals, and what there is instead.
const WORDS: &[(&[&str], &str)] = &[
    (
        &[
            "OR", "NOT", "IN", "LIKE", "ILIKE", "RLIKE", "REGEXP", "SIMILAR", "BETWEEN", "IS", "EXISTS",
            "NULL",
        ],
        CONDITIONS,
    ),
    (
        &[
            "HAVING",
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "OFFSET",
            "FETCH",
            "WINDOW",
            "QUALIFY",
            "WITH",
            "INSERT",
            "UPDATE",
            "DELETE",
        ],
        CLAUSES,
    ),
    (&["DISTINCT", "ALL", "TOP", "CASE", "CAST", "OVER", "AS"], ONE_FUNCTION),
    (&["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "LATERAL"], ONE_SOURCE),
    (&["NULLS"], ONE_ORDER),
];

/// The clause whose rules apply where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    /// Behind what SELECT takes.
    Selected,
    From,
    Where,
    GroupBy,
    OrderBy,
    Limit,
}

/// The problem with `word`, which cannot stand where it was found, if it is known SQL.
pub(super) fn word(word: &str) -> Option<InsightsProblem> {
    let capitals = word.to_ascii_uppercase();
    let (_, instead) = WORDS.iter().find(|(words, _)| words.contains(&capitals.as_str()))?;
    Some(unsupported(format!("`{capitals}`"), instead))
}

/// The problem with a symbol, likewise.
pub(super) fn symbol(clause: Clause, symbol: char) -> Option<InsightsProblem> {
    let (construct, instead) = match (clause, symbol) {
        (Clause::Select | Clause::Selected, ',') => ("a second item in SELECT".to_owned(), ONE_FUNCTION),
        (Clause::Select, '*') => ("`*`".to_owned(), ONE_FUNCTION),
        (Clause::From, ',') => ("a second source in FROM".to_owned(), ONE_SOURCE),
        (Clause::From, '(') => ("a query in FROM".to_owned(), ONE_SOURCE),
        (Clause::Where, '(') => ("a parenthesis in WHERE".to_owned(), CONDITIONS),
        (Clause::Where, '<' | '>' | '~') => (format!("operator `{symbol}`"), CONDITIONS),
        (Clause::OrderBy, ',') => ("a second item in ORDER BY".to_owned(), ONE_ORDER),
        (Clause::Limit, ',') => ("an offset in LIMIT".to_owned(), "LIMIT takes one number"),
        (_, '+' | '-' | '*' | '/' | '%') => {
            (format!("arithmetic `{symbol}`"), "refer to the query by its Id in a metric math expression")
        }
        _ => return None,
    };
    Some(unsupported(construct, instead))
}

/// The problem with a function that is none of the five.
pub(super) fn function(name: &str) -> InsightsProblem {
    unsupported(format!("function `{name}`"), ONE_FUNCTION)
}

/// The problem with `ORDER BY MAX(metric)`.
pub(super) fn order_argument() -> InsightsProblem {
    unsupported("an argument in ORDER BY".to_owned(), ONE_ORDER)
}

/// The problem with a second query behind `;`.
pub(super) fn second_query() -> InsightsProblem {
    unsupported("a second query".to_owned(), CLAUSES)
}

fn unsupported(construct: String, instead: &'static str) -> InsightsProblem {
    InsightsProblem::Unsupported { construct, instead }
}

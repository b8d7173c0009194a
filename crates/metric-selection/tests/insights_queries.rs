//! Which queries are understood and which are refused, with name and place.

use groundwatch_metric_selection::insights::{
    Condition, Function, InsightsProblem, Label, Located, Order, Query, Source, Value,
};

/// `query` prints as `expected`, which parses to the same.
fn prints(query: &str, expected: &str) {
    let parsed = Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(parsed.to_string(), expected, "{query}");
    assert_eq!(Query::parse(expected).as_ref(), Ok(&parsed), "{query}");
}

/// It prints as it is written.
fn same(query: &str) {
    prints(query, query);
}

#[test]
fn every_part_finds_its_place() {
    let query = "SELECT SUM(RequestCount) FROM SCHEMA(\"AWS/ApplicationELB\", LoadBalancer, AvailabilityZone) \
                 WHERE LoadBalancer = 'app/load-balancer-1' AND AvailabilityZone != 'a' \
                 GROUP BY AvailabilityZone ORDER BY MAX() DESC LIMIT 5";
    let label = |name: &str| Located { node: Label::Dimension(name.to_owned()), span: 0..0, position: 1 };
    let condition = |name, equal, value: &str| Condition {
        label: label(name),
        equal,
        value: Value::Text(value.to_owned()),
    };
    let expected = Query {
        function: Function::Sum,
        metric: "RequestCount".to_owned(),
        from: Source::Schema {
            namespace: "AWS/ApplicationELB".to_owned(),
            dimensions: vec!["LoadBalancer".to_owned(), "AvailabilityZone".to_owned()],
        },
        conditions: vec![
            condition("LoadBalancer", true, "app/load-balancer-1"),
            condition("AvailabilityZone", false, "a"),
        ],
        group_by: vec![label("AvailabilityZone")],
        order_by: Some(Order { function: Function::Max, descending: true }),
        limit: Some(5),
    };
    assert_eq!(Query::parse(query), Ok(expected));
}

#[test]
fn clauses_are_optional() {
    same("SELECT AVG(CPUUtilization) FROM \"AWS/EC2\"");
    same("SELECT COUNT(Latency) FROM Shop");
    same("SELECT MAX(Latency) FROM SCHEMA(Shop)");
    same("SELECT MIN(Latency) FROM SCHEMA(Shop, Host, Az)");
    same("SELECT SUM(Latency) FROM Shop WHERE Host = 'a'");
    same("SELECT SUM(Latency) FROM Shop WHERE Host != 'a' AND Az = 'b' AND Az != 'c'");
    same("SELECT SUM(Latency) FROM Shop GROUP BY Host");
    same("SELECT SUM(Latency) FROM Shop GROUP BY Host, Az, Rack");
    same("SELECT SUM(Latency) FROM Shop ORDER BY SUM() ASC");
    same("SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY COUNT() DESC");
    same("SELECT SUM(Latency) FROM Shop LIMIT 1");
    same("SELECT SUM(Latency) FROM Shop GROUP BY Host LIMIT 500");
}

#[test]
fn keywords_are_known_in_any_case() {
    prints(
        "select avg(Latency) from schema(Shop, Host) where Host = 'a' and Host != 'b' group by Host \
         order by max() desc limit 3",
        "SELECT AVG(Latency) FROM SCHEMA(Shop, Host) WHERE Host = 'a' AND Host != 'b' GROUP BY Host \
         ORDER BY MAX() DESC LIMIT 3",
    );
    prints("Select Sum(x) From y Order By Min() Asc", "SELECT SUM(x) FROM y ORDER BY MIN() ASC");
}

#[test]
fn blanks_mean_nothing() {
    prints(
        "  SELECT\n\tAVG ( x )\nFROM SCHEMA ( \"a b\" ,c )WHERE d='e'AND f!='g'",
        "SELECT AVG(x) FROM SCHEMA(\"a b\", c) WHERE d = 'e' AND f != 'g'",
    );
    prints(
        "SELECT AVG(x)FROM\"n\"GROUP BY a,b ORDER BY AVG()LIMIT 7",
        "SELECT AVG(x) FROM n GROUP BY a, b ORDER BY AVG() ASC LIMIT 7",
    );
}

#[test]
fn ascending_is_the_default() {
    prints("SELECT AVG(x) FROM y ORDER BY AVG()", "SELECT AVG(x) FROM y ORDER BY AVG() ASC");
}

#[test]
fn a_semicolon_may_end_it() {
    prints("SELECT AVG(x) FROM y;", "SELECT AVG(x) FROM y");
    prints("SELECT AVG(x) FROM y LIMIT 3 ; ", "SELECT AVG(x) FROM y LIMIT 3");
}

#[test]
fn names_keep_their_case_and_may_be_quoted() {
    prints("SELECT AVG(\"latency\") FROM \"Shop\"", "SELECT AVG(latency) FROM Shop");
    same("SELECT AVG(\"My.Metric\") FROM \"a-b\" GROUP BY \"c d\"");
    same("SELECT AVG(5XXError) FROM \"AWS/ApiGateway\"");
    same("SELECT AVG(_x) FROM _");
    same("SELECT AVG(\"größe\") FROM \"温度\"");
}

#[test]
fn reserved_words_are_names_in_quotes() {
    same("SELECT AVG(\"LIMIT\") FROM \"select\" WHERE \"User\" = 'x' GROUP BY \"Value\"");
    same("SELECT SUM(\"Count\") FROM SCHEMA(\"AWS/ApiGateway\", \"Method\")");
}

#[test]
fn quotes_are_escaped() {
    prints("SELECT AVG(\"Bytes\\\"Input\\\"\") FROM x", "SELECT AVG(\"Bytes\\\"Input\\\"\") FROM x");
    prints("SELECT AVG(\"Bob\\'s\") FROM x", "SELECT AVG(\"Bob's\") FROM x");
    prints("SELECT AVG(a) FROM b WHERE c = 'Bob\\'s'", "SELECT AVG(a) FROM b WHERE c = 'Bob\\'s'");
    prints("SELECT AVG(a) FROM b WHERE c = 'a\"b'", "SELECT AVG(a) FROM b WHERE c = 'a\"b'");
    prints("SELECT AVG(a) FROM b WHERE c = 'C:\\temp'", "SELECT AVG(a) FROM b WHERE c = 'C:\\\\temp'");
    prints("SELECT AVG(a) FROM b WHERE c = ''", "SELECT AVG(a) FROM b WHERE c = ''");
    prints("SELECT AVG(a) FROM b WHERE c = 'x; -- OR 1'", "SELECT AVG(a) FROM b WHERE c = 'x; -- OR 1'");
}

#[test]
fn labels_of_the_system() {
    same("SELECT AVG(a) FROM b WHERE AWS.AccountId = '111122223333'");
    same("SELECT AVG(a) FROM b WHERE AWS.AccountId != CURRENT_ACCOUNT_ID() GROUP BY AWS.AccountId");
    prints("SELECT AVG(a) FROM b GROUP BY \"AWS.AccountId\"", "SELECT AVG(a) FROM b GROUP BY AWS.AccountId");
    prints(
        "SELECT AVG(a) FROM b WHERE AWS.AccountId=current_account_id ( )",
        "SELECT AVG(a) FROM b WHERE AWS.AccountId = CURRENT_ACCOUNT_ID()",
    );
    same("SELECT AVG(a) FROM b WHERE tag.env = 'prod' GROUP BY tag.\"aws:stack name\", tag.team");
    same("SELECT AVG(a) FROM b GROUP BY \"tag.env\", tag.env");
    same("SELECT AVG(a) FROM b GROUP BY tag, AWS");
}

/// `part` is what the error points at; `position` is checked to be where that first stands as a whole.
fn refused(query: &str, part: &str, message: &str) {
    let error = Query::parse(query).expect_err(query);
    assert_eq!(error.problem.to_string(), message, "{query}");
    assert_eq!(&query[error.span.clone()], part, "{query}");
    assert_eq!(error.position, query[..error.span.start].chars().count() + 1, "{query}");
}

const CONDITIONS: &str = "WHERE takes `label = 'value'` and `label != 'value'`, joined by AND";
const CLAUSES: &str = "a query is SELECT, FROM, WHERE, GROUP BY, ORDER BY and LIMIT, in this order";
const ONE_FUNCTION: &str = "SELECT takes one of AVG, COUNT, MAX, MIN and SUM of one metric";
const ONE_ORDER: &str = "ORDER BY takes one of AVG(), COUNT(), MAX(), MIN() and SUM()";
const ONE_SOURCE: &str = "FROM takes one namespace or SCHEMA(namespace, labels)";
const MATH: &str = "refer to the query by its Id in a metric math expression";

fn unsupported(query: &str, part: &str, construct: &str, instead: &str) {
    refused(query, part, &format!("{construct} is not supported: {instead}"));
}

#[test]
fn conditions_of_other_sql_are_refused_by_name() {
    unsupported("SELECT AVG(a) FROM b WHERE c = 'd' OR e = 'f'", "OR", "`OR`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c IN ('d', 'e')", "IN", "`IN`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c like 'd%'", "like", "`LIKE`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c NOT IN ('d')", "NOT", "`NOT`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE NOT c = 'd'", "NOT", "`NOT`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c IS NULL", "IS", "`IS`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c BETWEEN 'd' AND 'e'", "BETWEEN", "`BETWEEN`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c < 'd'", "<", "operator `<`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c<>'d'", "<", "operator `<`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE c >= 'd'", ">", "operator `>`", CONDITIONS);
    unsupported("SELECT AVG(a) FROM b WHERE (c = 'd')", "(", "a parenthesis in WHERE", CONDITIONS);
    unsupported(
        "SELECT AVG(a) FROM b WHERE c = 'd' AND (e = 'f')",
        "(",
        "a parenthesis in WHERE",
        CONDITIONS,
    );
}

#[test]
fn a_second_thing_is_refused_by_name() {
    unsupported("SELECT AVG(a), MAX(a) FROM b", ",", "a second item in SELECT", ONE_FUNCTION);
    unsupported("SELECT AVG(a, b) FROM c", ",", "a second item in SELECT", ONE_FUNCTION);
    unsupported("SELECT AVG(a) FROM b, c", ",", "a second source in FROM", ONE_SOURCE);
    unsupported("SELECT AVG(a) FROM b JOIN c", "JOIN", "`JOIN`", ONE_SOURCE);
    unsupported("SELECT AVG(a) FROM (SELECT AVG(a) FROM b)", "(", "a query in FROM", ONE_SOURCE);
    unsupported("SELECT AVG(a) FROM b ORDER BY MAX(), MIN()", ",", "a second item in ORDER BY", ONE_ORDER);
    unsupported("SELECT AVG(a) FROM b ORDER BY MAX(a)", "a", "an argument in ORDER BY", ONE_ORDER);
    unsupported("SELECT AVG(a) FROM b; SELECT AVG(a) FROM b", "SELECT", "a second query", CLAUSES);
    unsupported("SELECT AVG(a) FROM b LIMIT 3, 4", ",", "an offset in LIMIT", "LIMIT takes one number");
    unsupported("SELECT AVG(a) FROM b LIMIT 3 OFFSET 4", "OFFSET", "`OFFSET`", CLAUSES);
    unsupported("SELECT AVG(a) FROM b UNION SELECT AVG(a) FROM c", "UNION", "`UNION`", CLAUSES);
    unsupported("SELECT AVG(a) FROM b GROUP BY c HAVING AVG(a) > 3", "HAVING", "`HAVING`", CLAUSES);
}

#[test]
fn what_select_cannot_compute_is_refused_by_name() {
    unsupported("SELECT P99(a) FROM b", "P99", "function `P99`", ONE_FUNCTION);
    unsupported("SELECT STDDEV(a) FROM b", "STDDEV", "function `STDDEV`", ONE_FUNCTION);
    unsupported("SELECT * FROM b", "*", "`*`", ONE_FUNCTION);
    unsupported("SELECT COUNT(*) FROM b", "*", "`*`", ONE_FUNCTION);
    unsupported("SELECT DISTINCT a FROM b", "DISTINCT", "`DISTINCT`", ONE_FUNCTION);
    unsupported("SELECT AVG(DISTINCT a) FROM b", "DISTINCT", "`DISTINCT`", ONE_FUNCTION);
    unsupported("SELECT AVG(a) AS x FROM b", "AS", "`AS`", ONE_FUNCTION);
    unsupported("SELECT AVG(a) / 2 FROM b", "/", "arithmetic `/`", MATH);
    unsupported("SELECT AVG(a) * 2 FROM b", "*", "arithmetic `*`", MATH);
    unsupported("SELECT AVG(a) + AVG(c) FROM b", "+", "arithmetic `+`", MATH);
    unsupported("SELECT AVG(a + c) FROM b", "+", "arithmetic `+`", MATH);
    unsupported("SELECT -AVG(a) FROM b", "-", "arithmetic `-`", MATH);
    unsupported("SELECT AVG(a) FROM b ORDER BY MAX() * 2", "*", "arithmetic `*`", MATH);
    refused("SELECT a FROM b", "a", "expected AVG, COUNT, MAX, MIN or SUM, found `a`");
}

#[test]
fn names_that_need_quotes_are_told_so() {
    refused("SELECT AVG(a) FROM AWS/EC2", "AWS/", "a name with `/` must be surrounded by double quotes");
    refused(
        "SELECT AVG(a) FROM SCHEMA(AWS/EC2, b)",
        "AWS/",
        "a name with `/` must be surrounded by double quotes",
    );
    refused("SELECT AVG(My.Metric) FROM b", "My.", "a name with `.` must be surrounded by double quotes");
    refused(
        "SELECT MIN(EBSByteBalance%) FROM b",
        "EBSByteBalance%",
        "a name with `%` must be surrounded by double quotes",
    );
    refused("SELECT AVG(a) FROM b GROUP BY c-d", "c-", "a name with `-` must be surrounded by double quotes");
    refused("SELECT AVG(größe) FROM b", "grö", "a name with `ö` must be surrounded by double quotes");
    refused(
        "SELECT AVG(a) FROM b GROUP BY aws.AccountId",
        "aws.",
        "a name with `.` must be surrounded by double quotes",
    );
}

#[test]
fn reserved_words_are_told_in_awss_words() {
    let message = |word: &str| format!("Reserved keyword '{word}' must be surrounded by double quotes");
    refused("SELECT SUM(Count) FROM \"AWS/ApiGateway\"", "Count", &message("Count"));
    refused("SELECT AVG(a) FROM b GROUP BY Method", "Method", &message("Method"));
    refused("SELECT AVG(a) FROM limit", "limit", &message("limit"));
    refused("SELECT AVG(a) FROM b WHERE value = 'c'", "value", &message("value"));
    refused("SELECT AVG(a) FROM SCHEMA(b, Resource, System)", "System", &message("System"));
    refused("SELECT AVG(a) FROM b GROUP BY tag.user", "user", &message("user"));
    refused("SELECT AVG(a) FROM WHERE c = 'd'", "WHERE", &message("WHERE"));
}

#[test]
fn values_stand_in_single_quotes() {
    let message =
        |found: &str| format!("a label's value must be surrounded by single quotes, found `{found}`");
    refused("SELECT AVG(a) FROM b WHERE c = d", "d", &message("d"));
    refused("SELECT AVG(a) FROM b WHERE c = \"d\"", "\"d\"", &message("\"d\""));
    refused("SELECT AVG(a) FROM b WHERE c != 5", "5", &message("5"));
    refused("SELECT AVG(a) FROM b WHERE c = ", "", "expected a value in single quotes, found the end");
    refused("SELECT AVG(a) FROM b WHERE c == 'd'", "=", "expected a value in single quotes, found `=`");
    refused(
        "SELECT AVG(a) FROM b WHERE c = CURRENT_ACCOUNT_ID()",
        "CURRENT_ACCOUNT_ID",
        "`CURRENT_ACCOUNT_ID()` can only be compared with `AWS.AccountId`",
    );
}

#[test]
fn what_is_missing_is_said() {
    refused("", "", "expected SELECT, found the end");
    refused("   ", "", "expected SELECT, found the end");
    refused("AVG(a) FROM b", "AVG", "expected SELECT, found `AVG`");
    refused("SELECT", "", "expected AVG, COUNT, MAX, MIN or SUM, found the end");
    refused("SELECT AVG a FROM b", "a", "expected `(`, found `a`");
    refused("SELECT AVG() FROM b", ")", "expected a metric's name, found `)`");
    refused("SELECT AVG('a') FROM b", "'a'", "expected a metric's name, found `'a'`");
    refused("SELECT AVG(a FROM b", "FROM", "expected `)`, found `FROM`");
    refused("SELECT AVG(a)", "", "expected FROM, found the end");
    refused("SELECT AVG(a) WHERE b = 'c'", "WHERE", "expected FROM, found `WHERE`");
    refused("SELECT AVG(a) FROM", "", "expected a namespace or SCHEMA, found the end");
    refused("SELECT AVG(a) FROM SCHEMA", "", "expected `(`, found the end");
    refused("SELECT AVG(a) FROM SCHEMA()", ")", "expected a namespace, found `)`");
    refused("SELECT AVG(a) FROM SCHEMA(b,)", ")", "expected a dimension's name, found `)`");
    refused("SELECT AVG(a) FROM SCHEMA(b c)", "c", "expected `,` or `)`, found `c`");
    refused("SELECT AVG(a) FROM b c", "c", "expected WHERE, GROUP BY, ORDER BY, LIMIT or the end, found `c`");
    refused("SELECT AVG(a) FROM b WHERE c", "", "expected `=` or `!=`, found the end");
    refused(
        "SELECT AVG(a) FROM b WHERE c = 'd' e = 'f'",
        "e",
        "expected AND, GROUP BY, ORDER BY, LIMIT or the end, found `e`",
    );
    refused("SELECT AVG(a) FROM b GROUP c", "c", "expected BY, found `c`");
    refused("SELECT AVG(a) FROM b GROUP BY", "", "expected a label, found the end");
    refused("SELECT AVG(a) FROM b GROUP BY c d", "d", "expected `,`, ORDER BY, LIMIT or the end, found `d`");
    refused(
        "SELECT AVG(a) FROM b ORDER BY c",
        "c",
        "expected AVG(), COUNT(), MAX(), MIN() or SUM(), found `c`",
    );
    refused("SELECT AVG(a) FROM b ORDER BY MAX", "", "expected `(`, found the end");
    refused(
        "SELECT AVG(a) FROM b ORDER BY MAX() UP",
        "UP",
        "expected ASC, DESC, LIMIT or the end, found `UP`",
    );
    refused("SELECT AVG(a) FROM b LIMIT", "", "expected a number, found the end");
    refused("SELECT AVG(a) FROM b LIMIT ten", "ten", "expected a number, found `ten`");
    refused("SELECT AVG(a) FROM b LIMIT 5 5", "5", "expected the end, found `5`");
}

#[test]
fn clauses_have_one_order() {
    refused("SELECT AVG(a) FROM b LIMIT 5 GROUP BY c", "GROUP", "expected the end, found `GROUP`");
    refused(
        "SELECT AVG(a) FROM b GROUP BY c WHERE d = 'e'",
        "WHERE",
        "expected `,`, ORDER BY, LIMIT or the end, found `WHERE`",
    );
}

#[test]
fn limits_have_a_range() {
    refused("SELECT AVG(a) FROM b LIMIT 0", "0", "LIMIT must be between 1 and 500, found 0");
    refused("SELECT AVG(a) FROM b LIMIT 501", "501", "LIMIT must be between 1 and 500, found 501");
    let digits = "9".repeat(50);
    let message = format!("LIMIT must be between 1 and 500, found {}…", "9".repeat(40));
    refused(&format!("SELECT AVG(a) FROM b LIMIT {digits}"), &digits, &message);
    unsupported("SELECT AVG(a) FROM b LIMIT -1", "-", "arithmetic `-`", MATH);
}

#[test]
fn a_label_stands_once_in_a_list() {
    refused("SELECT AVG(a) FROM b GROUP BY c, d, c", "c", "`c` stands twice");
    refused("SELECT AVG(a) FROM b GROUP BY tag.x, tag.x", "tag.x", "`tag.x` stands twice");
    refused("SELECT AVG(a) FROM SCHEMA(b, c, \"c\")", "\"c\"", "`c` stands twice");
}

#[test]
fn quotes_must_end() {
    refused("SELECT AVG(a) FROM \"b", "\"b", "the quote has no end");
    refused("SELECT AVG(a) FROM b WHERE c = 'd\\'", "'d\\'", "the quote has no end");
    refused("SELECT AVG(\"\") FROM b", "\"\") FROM b", "nothing stands between the quotes");
}

#[test]
fn queries_are_bounded() {
    let name = "ä".repeat(2048 - "SELECT AVG(a) FROM \"\"".len());
    assert!(Query::parse(&format!("SELECT AVG(a) FROM \"{name}\"")).is_ok());
    let error = Query::parse(&format!("SELECT AVG(a) FROM \"{name}x\"")).expect_err("too long");
    assert_eq!(error.problem, InsightsProblem::TooLong);
}

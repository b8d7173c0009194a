//! Whole searches over a small catalog: schema, properties, operators, and what is refused.

mod common;

use common::Catalog;
use groundwatch_metric_selection::search::{Query, SearchError, SearchProblem};

/// Numbers are those that the expectations name, from 0.
const CATALOG: &str = "
    AWS/EC2 CPUUtilization InstanceId=i-0aa
    AWS/EC2 CPUUtilization InstanceId=i-0bb
    AWS/EC2 CPUUtilization InstanceType=t2.micro
    AWS/EC2 CPUUtilization InstanceType=m5.large
    AWS/EC2 CPUUtilization
    AWS/EC2 NetworkPacketsIn InstanceId=i-0aa
    AWS/ECS CPUUtilization ClusterName=prod ServiceName=web
    AWS/Lambda Errors FunctionName=ProjectA-ingest
    AWS/Lambda Invocations FunctionName=ProjectA-ingest
    AWS/Lambda Invocations FunctionName=other
    AWS/NetworkELB ConsumedLCUs LoadBalancer=net/edge/1
    AWS/NetworkELB NewFlowCount LoadBalancer=net/edge/1
    Shop CustomCount1 Stage=prod
    Shop Orders CustomCount1=x
    Shop Orders Stage=CPUUtilization
    My_Namespace ErrorCount Dimension@Name=a
";

/// `search` finds exactly the series with the numbers in `expected`, straight and through the index.
fn check(search: &str, expected: &[u32]) {
    let catalog = Catalog::parse(CATALOG);
    let query = Query::parse(search).unwrap_or_else(|error| panic!("{search}: {error}"));
    let found: Vec<u32> = catalog.index().search(&query).iter().collect();
    assert_eq!(found, expected, "{search}");
    let matching =
        (0..).zip(&catalog.series).filter(|(_, series)| series.with(|metric| query.matches(metric)));
    assert_eq!(
        matching.map(|(number, _)| number).collect::<Vec<u32>>(),
        expected,
        "{search}, series by series"
    );
    let printed = query.to_string();
    assert_eq!(Query::parse(&printed), Ok(query), "{search} printed as {printed}");
}

#[test]
fn a_schema_names_all_dimensions() {
    check("{AWS/EC2,InstanceId}", &[0, 1, 5]);
    check("{AWS/EC2, InstanceType}", &[2, 3]);
    check("{AWS/ECS, ServiceName, ClusterName}", &[6]);
    check("{AWS/ECS,ClusterName,ServiceName,ClusterName}", &[6]);
    check("{AWS/ECS,ClusterName}", &[]);
    check("{AWS/EC2,InstanceId,InstanceType}", &[]);
    check("{AWS/EC2,instanceid}", &[]);
    check("{aws/ec2,InstanceId}", &[]);
    check("{Unknown}", &[]);
    check("{AWS/EC2,Unknown}", &[]);
}

#[test]
fn a_namespace_alone_admits_any_dimensions() {
    check("{AWS/EC2}", &[0, 1, 2, 3, 4, 5]);
    check("{Shop}, \"CustomCount1\"", &[12, 13]);
    check("{ AWS/EC2 } NetworkPacketsIn", &[5]);
}

#[test]
fn names_with_special_characters_stand_in_quotes() {
    check("{\"My Namespace\", \"Dimension@Name\"}, ErrorCount", &[15]);
    check("{\"My Namespace\",\"Dimension@Name\"}", &[15]);
    check("{\"AWS/EC2\",\"InstanceId\"} MetricName=\"CPUUtilization\"", &[0, 1]);
    check("{My,Dimension@Name}", &[]);
}

#[test]
fn a_comma_behind_the_schema_is_passed() {
    check("{AWS/EC2,InstanceId}, CPUUtilization", &[0, 1]);
    check("{AWS/EC2,InstanceId} , CPUUtilization", &[0, 1]);
    check("{AWS/EC2,InstanceId},", &[0, 1, 5]);
}

#[test]
fn a_term_is_looked_for_everywhere() {
    check("CPUUtilization", &[0, 1, 2, 3, 4, 6, 14]);
    check("\"CPUUtilization\"", &[0, 1, 2, 3, 4, 6, 14]);
    check("\"CustomCount1\"", &[12, 13]);
    check("\"Stage\"", &[12, 14]);
    check("stage", &[12, 14]);
    check("prod", &[6, 12]);
    check("instance", &[0, 1, 2, 3, 5]);
    check("\"AWS/EC2\"", &[0, 1, 2, 3, 4, 5]);
    check("network", &[5, 10, 11]);
    check("nothing", &[]);
}

#[test]
fn properties_restrict_where_is_looked() {
    check("MetricName=\"CPUUtilization\"", &[0, 1, 2, 3, 4, 6]);
    check("MetricName=CPU", &[0, 1, 2, 3, 4, 6]);
    check("MetricName = cpu", &[0, 1, 2, 3, 4, 6]);
    check("MetricName=\"CPU\"", &[]);
    check("Namespace=Lambda", &[7, 8, 9]);
    check("Namespace=\"AWS/Lambda\"", &[7, 8, 9]);
    check("Namespace=\"Lambda\"", &[]);
    check("InstanceType=micro", &[2]);
    check("InstanceType=\"t2.micro\" Namespace=\"AWS/EC2\"", &[2]);
    check("InstanceType=\"t2\"", &[]);
    check("Stage=CPUUtilization", &[14]);
    check("Stage=prod", &[12]);
    check("stage=prod", &[]);
    check("Unknown=prod", &[]);
    check("\"Stage\"=\"prod\"", &[12]);
    check("\"MetricName\"=\"CPUUtilization\"", &[]);
}

#[test]
fn a_property_may_have_several_values() {
    check("InstanceId=(\"i-0aa\" OR \"i-0bb\")", &[0, 1, 5]);
    check(
        "{\"AWS/EC2\",\"InstanceId\"} MetricName=\"CPUUtilization\" \"InstanceId\"=(\"i-0aa\" OR \"i-0cc\")",
        &[0],
    );
    check("MetricName=(CPU AND Utilization)", &[0, 1, 2, 3, 4, 6]);
    check("MetricName=(network OR (orders AND NOT x))", &[5, 13, 14]);
}

#[test]
fn and_is_said_or_not() {
    check("{AWS/EC2,InstanceId} network AND packets", &[5]);
    check("{AWS/EC2,InstanceId} network packets", &[5]);
    check("prod orders", &[]);
    check("prod web", &[6]);
}

#[test]
fn or_yields_either() {
    check("{AWS/NetworkELB, LoadBalancer} \"ConsumedLCUs\" OR flow", &[10, 11]);
    check("MetricName=\"CPUUtilization\" AND (\"AWS/ECS\" OR \"AWS/ES\")", &[6]);
    check("errors OR orders OR nothing", &[7, 13, 14]);
}

#[test]
fn and_binds_tighter_than_or() {
    check("web OR prod CustomCount1", &[6, 12]);
    check("(web OR prod) CustomCount1", &[12]);
    check("CustomCount1 prod OR web", &[6, 12]);
    check("CustomCount1 AND (prod OR web)", &[12]);
}

#[test]
fn not_leaves_out() {
    check("{AWS/EC2,InstanceId} MetricName=\"CPUUtilization\" NOT i-0aa", &[1]);
    check("NOT Namespace=AWS", &[12, 13, 14, 15]);
    check("NOT NOT Namespace=Shop", &[12, 13, 14]);
    check("{AWS/EC2} NOT \"InstanceId\" NOT \"InstanceType\"", &[4]);
    check("{Shop} NOT (orders OR prod)", &[]);
    check("{Shop} NOT (orders prod)", &[12, 13, 14]);
    check("NOT aws NOT shop", &[15]);
    check("NOT aws OR lambda", &[7, 8, 9, 12, 13, 14, 15]);
}

#[test]
fn groups_nest() {
    check(
        "{AWS/Lambda,FunctionName} MetricName=\"Errors\" OR (MetricName=\"Invocations\" AND (ProjectA OR ProjectB))",
        &[7, 8],
    );
    check("(EC2 OR ELB) AND MetricName=CPUUtilization", &[0, 1, 2, 3, 4]);
    check("((((prod))))", &[6, 12]);
}

#[test]
fn operators_are_upper_case() {
    check("and", &[]);
    check("prod or web", &[]);
    check("not prod", &[]);
}

/// `part` is what the error points at, `position` where that begins, in characters from 1.
fn refused(search: &str, part: &str, position: usize, message: &str) {
    let error = Query::parse(search).expect_err(search);
    assert_eq!(&search[error.span.clone()], part, "{search}: {error}");
    assert_eq!(error.position, position, "{search}: {error}");
    assert_eq!(error.problem.to_string(), message, "{search}");
}

#[test]
fn what_is_missing_is_said() {
    refused("", "", 1, "a search needs a schema in braces, a search term, or both");
    refused("   ", "", 4, "a search needs a schema in braces, a search term, or both");
    refused("{}", "}", 2, "expected a namespace, found `}`");
    refused("{AWS/EC2,}", "}", 10, "expected a dimension name, found `}`");
    refused("{,InstanceId}", ",", 2, "expected a namespace, found `,`");
    refused("a AND", "", 6, "expected a search term, found the end");
    refused("a OR", "", 5, "expected a search term, found the end");
    refused("NOT", "", 4, "expected a search term, found the end");
    refused("a AND OR b", "OR", 7, "expected a search term, found `OR`");
    refused("OR b", "OR", 1, "expected a search term, found `OR`");
    refused("(a", "", 3, "expected a search term or `)`, found the end");
    refused("a)", ")", 2, "expected a search term or the end, found `)`");
    refused("()", ")", 2, "expected a search term, found `)`");
    refused("MetricName=", "", 12, "expected a value, or values in parentheses, found the end");
    refused("=a", "=", 1, "expected a search term, found `=`");
    refused("a=b=c", "=", 4, "expected a search term or the end, found `=`");
    refused("größe=", "", 7, "expected a value, or values in parentheses, found the end");
}

#[test]
fn unclosed_things_are_pointed_at() {
    refused("a \"b c", "\"b c", 3, "the quote has no end");
    refused("a \"b\\\"", "\"b\\\"", 3, "the quote has no end");
    refused(
        "{AWS/EC2",
        "",
        9,
        "expected `,` or `}` (a name with special characters stands in double quotes), found the end",
    );
    refused(
        "{My Namespace}",
        "Namespace",
        5,
        "expected `,` or `}` (a name with special characters stands in double quotes), found `Namespace`",
    );
}

#[test]
fn what_has_no_meaning_is_refused() {
    refused("a * b", "*", 3, "`*` has no letter or digit to search for");
    refused("a && b", "&&", 3, "`&&` has no letter or digit to search for");
    refused("MetricName=-", "-", 12, "`-` has no letter or digit to search for");
    refused("a \"\"", "\"\"", 3, "nothing stands between the quotes");
    refused("a {AWS/EC2}", "{", 3, "expected a search term or the end, found `{`");
    refused("{A} {B}", "{", 5, "expected a search term (a schema comes first, and once), found `{`");
    refused("a}", "}", 2, "expected a search term or the end, found `}`");
    refused("Stage=(Host=a)", "Host", 8, "`Host=` stands within another property");
}

#[test]
fn other_accounts_are_refused_by_name() {
    let message = "`:aws.AccountId` is not supported: only series of the caller's own account are searched";
    refused("cpu :aws.AccountId = 111122223333", ":aws.AccountId", 5, message);
    refused(":aws.AccountId='LOCAL' cpu", ":aws.AccountId", 1, message);
}

#[test]
fn searches_are_bounded() {
    let longest = "ä".repeat(1024);
    assert!(Query::parse(&longest).is_ok());
    let problem = |search: &str| Query::parse(search).map_err(|SearchError { problem, .. }| problem);
    assert_eq!(problem(&"ä".repeat(1025)), Err(SearchProblem::TooLong));
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Query::parse(&nested(32)).is_ok());
    assert_eq!(problem(&nested(33)), Err(SearchProblem::TooDeep));
    assert_eq!(problem(&"NOT ".repeat(100)), Err(SearchProblem::TooDeep));
    assert!(Query::parse(&"(a) NOT b ".repeat(100)).is_ok());
}

#[test]
fn searches_print_in_one_form() {
    let prints = |search: &str, expected: &str| {
        assert_eq!(Query::parse(search).expect(search).to_string(), expected);
    };
    prints("  {\"AWS/EC2\", InstanceId},  cpu   idle", "{AWS/EC2,InstanceId} cpu AND idle");
    prints("a NOT b OR (c)", "a AND NOT b OR c");
    prints("(a b) c", "(a AND b) AND c");
    prints("NOT (a OR b)", "NOT (a OR b)");
    prints("\"Stage\" = (\"x\" y)", "Stage=(\"x\" AND y)");
    prints("{A} *cpu* -x-y-", "{A} cpu AND x-y");
    prints("\"NOT\"=a", "\"NOT\"=a");
    prints("\"MetricName\"=a MetricName=b", "\"MetricName\"=a AND MetricName=b");
    prints("{\"a,b\",\"c d\"}", "{\"a,b\",\"c d\"}");
    prints("\"Traffic(Net)\"", "\"Traffic\\(Net\\)\"");
}

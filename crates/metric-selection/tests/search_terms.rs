//! Which terms find which strings: the guide's examples, and what follows from the rules that reconcile them.

use groundwatch_metric_selection::Metric;
use groundwatch_metric_selection::search::{Query, TokenIndex};

/// `terms` each find a metric called `name`, straight and through the index.
fn finds(name: &str, terms: &[&str]) {
    terms.iter().for_each(|term| check(name, term, true));
}

/// None of `terms` finds it.
fn misses(name: &str, terms: &[&str]) {
    terms.iter().for_each(|term| check(name, term, false));
}

fn check(name: &str, term: &str, expected: bool) {
    let query = Query::parse(&format!("MetricName={term}")).expect(term);
    let metric = Metric { namespace: "N", name, dimensions: &[] };
    assert_eq!(query.matches(metric), expected, "{term} in {name}");
    let mut index = TokenIndex::new();
    index.insert(7, metric);
    assert_eq!(index.search(&query).contains(7), expected, "{term} in {name}, through the index");
}

#[test]
fn one_token_is_found_in_any_case() {
    finds("CustomCount1", &["count", "Count", "COUNT", "custom", "Custom", "CUSTOM", "1"]);
}

#[test]
fn a_term_that_case_cuts_elsewhere_is_not_found() {
    misses("CustomCount1", &["couNT", "cuSTom", "cOUNT"]);
}

#[test]
fn a_part_of_a_token_is_not_found() {
    misses("CustomCount1", &["coun", "ount", "Custo", "c", "ustom"]);
    misses("CPUUtilization", &["Util", "CP", "ization"]);
}

#[test]
fn several_tokens_are_found_in_a_row_with_their_case() {
    finds("CustomCount1", &["CustomCount", "Count1", "CustomCount1"]);
    misses("CustomCount1", &["customcount", "count1", "customCount", "Custom1", "CountCustom", "Custom-1"]);
    finds("DiskReadOps", &["ReadOps", "DiskRead", "DiskReadOps"]);
    misses("DiskReadOps", &["DiskOps", "readops", "READOPS", "readOps"]);
}

#[test]
fn the_whole_string_is_a_token_of_its_own() {
    finds("CustomCount1", &["customcount1", "CUSTOMCOUNT1", "CustomCOUNT1"]);
    finds("Project2-trial333", &["project2trial333", "PROJECT2TRIAL333", "Project2trial333"]);
    finds("CPUUtilization", &["cpuutilization", "CPUUTILIZATION", "CPUUtilization"]);
    misses("Project2-trial333", &["project2trial", "2Trial333", "project2"]);
}

#[test]
fn separators_are_all_alike() {
    let terms = ["network/errors", "network+errors", "network-errors", "Network_Errors"];
    finds("Network-Errors-2", &terms);
    finds("NetworkErrors2", &terms);
    finds("Network-Errors_2", &terms);
    finds(
        "NetworkErrors2",
        &["network.errors.2", "Network,Errors", "network--errors", "-network-", "errors|2"],
    );
    misses("NetworkErrors2", &["errors/network", "network/2", "networkerrors"]);
}

#[test]
fn words_between_separators_are_found_in_any_case() {
    finds("NetworkErrors2", &["NETWORK/errors", "Network_ERRORS"]);
    finds("NetworkErrors2Total", &["network/Errors2", "NETWORK/Errors2"]);
    misses("NetworkErrors2Total", &["netWORK/errors", "network/errors2"]);
}

#[test]
fn camel_case_finds_what_separators_keep_apart() {
    finds("Network-Errors-2", &["NetworkErrors", "NetworkErrors2", "Errors2"]);
    misses("network-errors-2", &["NetworkErrors", "Errors2"]);
    finds("network-errors-2", &["NetworkErrors2", "errors2"]);
}

#[test]
fn a_run_of_capitals_ends_before_the_next_word() {
    finds("SDBFailure", &["sdb", "failure", "SDB", "SDBFailure", "sdbfailure"]);
    misses("SDBFailure", &["sdbf", "SDBF", "sdBFailure2"]);
    finds("CPUUtilization", &["CPU", "cpu", "utilization", "Utilization"]);
    finds("ConsumedLCUs", &["consumed", "lc", "us", "LCUs", "ConsumedLCUs"]);
    misses("ConsumedLCUs", &["lcus", "lcu"]);
}

#[test]
fn digits_are_tokens() {
    finds("t2.micro", &["t2.micro", "micro", "t2", "2", "t", "t2-micro", "2/micro"]);
    misses("t2.micro", &["t3.micro", "T2", "t2.nano"]);
    finds("i-1234567890123456", &["i-1234567890123456", "1234567890123456", "i"]);
    finds("i-0abc12de", &["i-0abc12de", "abc12", "0abc", "de"]);
    misses("i-0abc12de", &["i-0abc12d", "0ABC12de", "i-abc"]);
    finds("AWS/EC2", &["EC2", "aws", "AWS", "AWS/EC2", "aws/EC2", "awsec2", "ec"]);
    misses("AWS/EC2", &["ec2", "aws/ec2x", "aws/ecs", "EC3"]);
    finds("HTTPCode_Target_5XX_Count", &["5XX", "xx", "target", "HTTPCode", "http", "Target_5XX"]);
    misses("HTTPCode_Target_5XX_Count", &["5xx", "4XX", "Target_Count"]);
}

#[test]
fn projects_by_letter() {
    finds("my-ProjectA-function", &["ProjectA", "project", "a", "my-ProjectA", "function"]);
    misses("my-ProjectA-function", &["ProjectB", "projecta", "ProjectAlpha"]);
    misses("ProjectAlpha", &["ProjectA"]);
}

#[test]
fn quotes_want_the_whole_string_to_the_letter() {
    finds("CustomCount1", &["\"CustomCount1\""]);
    misses("CustomCount1", &["\"customcount1\"", "\"Custom\"", "\"CustomCount\"", "\" CustomCount1\""]);
    finds("Network-Errors-2", &["\"Network-Errors-2\""]);
    misses("Network-Errors-2", &["\"Network_Errors_2\"", "\"NetworkErrors2\""]);
    finds("Custom:Name[Special Characters", &["\"Custom:Name[Special Characters\""]);
    misses("ConnectionErrors", &["\"Errors\"", "\"errors\""]);
}

#[test]
fn escapes_in_quotes() {
    finds(r"Europe\France Traffic(Network)", &[r#""Europe\\France Traffic\(Network\)""#]);
    finds(r"Europe\France Traffic(Network)", &[r#""Europe\France Traffic(Network)""#]);
    finds(r#"say "hi""#, &[r#""say \"hi\"""#]);
    finds("Bob's", &[r#""Bob\'s""#, r#""Bob's""#]);
    misses(r"a\b", &[r#""a\\\\b""#, r#""ab""#]);
    finds(r"a\", &[r#""a\\""#]);
}

//! Which series a query reads, and what it makes of them. All values are worked out by hand.

mod common;

use common::Catalog;
use groundwatch_metric_selection::insights::{Bucket, Plan, Query};

const CATALOG: &str = "
    AWS/EC2 Cpu InstanceId=i-1
    AWS/EC2 Cpu InstanceId=i-2
    AWS/EC2 Cpu InstanceType=t2.micro
    AWS/EC2 Cpu
    AWS/EC2 Cpu InstanceId=i-1 Az=a
    AWS/EC2 Cpu InstanceId=i-2 Az=b
    AWS/EC2 Network InstanceId=i-1
    Shop Cpu InstanceId=i-1
    Shop cpu InstanceId=i-1
";

/// `query` reads exactly these series.
fn reads(query: &str, expected: &[u32]) {
    let catalog = Catalog::parse(CATALOG);
    let plan = Plan::new(&Query::parse(query).expect(query), &catalog).expect(query);
    let mut series: Vec<u32> =
        plan.select(&catalog).groups.into_iter().flat_map(|group| group.series).collect();
    series.sort_unstable();
    assert_eq!(series, expected, "{query}");
}

#[test]
fn from_a_namespace_reads_whatever_the_dimensions() {
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\"", &[0, 1, 2, 3, 4, 5]);
    reads("SELECT AVG(Cpu) FROM Shop", &[7]);
    reads("SELECT AVG(cpu) FROM Shop", &[8]);
    reads("SELECT AVG(Cpu) FROM shop", &[]);
    reads("SELECT AVG(Absent) FROM Shop", &[]);
}

#[test]
fn from_a_schema_reads_exactly_those_dimensions() {
    reads("SELECT AVG(Cpu) FROM SCHEMA(\"AWS/EC2\")", &[3]);
    reads("SELECT AVG(Cpu) FROM SCHEMA(\"AWS/EC2\", InstanceId)", &[0, 1]);
    reads("SELECT AVG(Cpu) FROM SCHEMA(\"AWS/EC2\", InstanceId, Az)", &[4, 5]);
    reads("SELECT AVG(Cpu) FROM SCHEMA(\"AWS/EC2\", Az, InstanceId)", &[4, 5]);
    reads("SELECT AVG(Cpu) FROM SCHEMA(\"AWS/EC2\", Az)", &[]);
}

#[test]
fn where_wants_values() {
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\" WHERE InstanceId = 'i-1'", &[0, 4]);
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\" WHERE InstanceId = 'i-1' AND Az = 'a'", &[4]);
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\" WHERE InstanceId = 'I-1'", &[]);
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\" WHERE InstanceId = 'i-1' AND InstanceId = 'i-2'", &[]);
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\" WHERE InstanceId = 'i'", &[]);
}

#[test]
fn not_equal_admits_series_without_the_label() {
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\" WHERE InstanceId != 'i-1'", &[1, 2, 3, 5]);
    reads("SELECT AVG(Cpu) FROM SCHEMA(\"AWS/EC2\", InstanceId) WHERE InstanceId != 'i-1'", &[1]);
    reads("SELECT AVG(Cpu) FROM \"AWS/EC2\" WHERE InstanceId = 'i-2' AND Az != 'b'", &[1]);
}

/// Labels of the system need a catalog that supplies them.
#[test]
fn labels_that_the_catalog_lacks_are_refused_by_name() {
    let refused = |query: &str, part: &str, position: usize| {
        let error = Plan::new(&Query::parse(query).expect(query), &Catalog::default()).expect_err(query);
        assert_eq!(error.to_string(), format!("label `{part}` is not supported at character {position}"));
        assert_eq!(&query[error.span], part);
    };
    refused("SELECT AVG(a) FROM b WHERE AWS.AccountId = '1'", "AWS.AccountId", 28);
    refused("SELECT AVG(a) FROM b WHERE AWS.AccountId = CURRENT_ACCOUNT_ID()", "AWS.AccountId", 28);
    refused("SELECT AVG(a) FROM b GROUP BY c, tag.env", "tag.env", 34);
    refused("SELECT AVG(a) FROM \"ä\" GROUP BY tag.\"a b\" LIMIT 3", "tag.\"a b\"", 33);
}

/// Three hosts in two zones, one host without zone. Buckets at 0 and 60.
const HOSTS: &str = "
    Shop Latency Host=h1 Az=a
    Shop Latency Host=h2 Az=a
    Shop Latency Host=h3 Az=b
    Shop Latency Host=h4
    Shop Latency Host=h5 Az=c
";

fn bucket(values: &[f64]) -> Bucket {
    let mut bucket = Bucket::of(values[0]);
    values[1..].iter().for_each(|value| bucket.merge(&Bucket::of(*value)));
    bucket
}

/// The buckets of each series of [`HOSTS`]; the last has none.
fn buckets(series: u32) -> Vec<(i64, Bucket)> {
    match series {
        0 => vec![(0, bucket(&[1.0, 2.0, 3.0])), (60, bucket(&[10.0]))],
        1 => vec![(0, bucket(&[8.0])), (60, bucket(&[20.0, 30.0]))],
        2 => vec![(60, bucket(&[5.0, 7.0]))],
        3 => vec![(0, bucket(&[100.0]))],
        _ => vec![],
    }
}

fn results(query: &str, catalog: &Catalog) -> String {
    let plan = Plan::new(&Query::parse(query).expect(query), catalog).expect(query);
    let results = plan.aggregate(&plan.select(catalog), buckets);
    let lines = results.iter().map(|result| {
        let points: Vec<String> = result.points.iter().map(|(at, value)| format!("{at}:{value}")).collect();
        format!("{}|{}", result.label, points.join(" "))
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// Results as `label|start:value start:value`.
fn check(query: &str, expected: &str) {
    assert_eq!(results(query, &Catalog::parse(HOSTS)), expected, "{query}");
}

#[test]
fn without_groups_all_is_one() {
    check("SELECT SUM(Latency) FROM Shop", "Latency|0:114 60:72");
    check("SELECT COUNT(Latency) FROM Shop", "Latency|0:5 60:5");
    check("SELECT MIN(Latency) FROM Shop", "Latency|0:1 60:5");
    check("SELECT MAX(Latency) FROM Shop", "Latency|0:100 60:30");
}

/// (1+2+3+8+100) / 5 and (10+20+30+5+7) / 5, not the mean of the hosts' means.
#[test]
fn the_mean_is_over_observations() {
    check("SELECT AVG(Latency) FROM Shop", "Latency|0:22.8 60:14.4");
    check("SELECT AVG(Latency) FROM Shop WHERE Az = 'a'", "Latency|0:3.5 60:20");
}

#[test]
fn without_data_there_is_one_empty_result() {
    check("SELECT AVG(Latency) FROM Shop WHERE Host = 'h5'", "Latency|");
    check("SELECT AVG(Latency) FROM Nowhere", "Latency|");
    check("SELECT AVG(Latency) FROM Nowhere GROUP BY Host", "");
}

#[test]
fn groups_are_named_by_value_and_ordered_by_it() {
    check("SELECT SUM(Latency) FROM Shop GROUP BY Host", "h1|0:6 60:10, h2|0:8 60:50, h3|60:12, h4|0:100");
    check("SELECT MAX(Latency) FROM Shop WHERE Az = 'a' GROUP BY Az", "a|0:8 60:30");
}

#[test]
fn what_lacks_the_label_is_other() {
    check("SELECT SUM(Latency) FROM Shop GROUP BY Az", "Other|0:100, a|0:14 60:60, b|60:12");
    check("SELECT SUM(Latency) FROM Shop GROUP BY Nothing", "Other|0:114 60:72");
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Az, Host",
        "Other h4|0:100, a h1|0:6 60:10, a h2|0:8 60:50, b h3|60:12",
    );
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host, Az",
        "h1 a|0:6 60:10, h2 a|0:8 60:50, h3 b|60:12, h4 Other|0:100",
    );
}

/// Maxima of the sums: h1 10, h2 50, h3 12, h4 100.
#[test]
fn order_by_ranks_by_the_results_points() {
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY MAX() DESC",
        "h4|0:100, h2|0:8 60:50, h3|60:12, h1|0:6 60:10",
    );
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY MAX()",
        "h1|0:6 60:10, h3|60:12, h2|0:8 60:50, h4|0:100",
    );
    // Means of the sums: 8, 29, 12, 100; their totals: 16, 58, 12, 100; minima: 6, 8, 12, 100.
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY AVG() ASC",
        "h1|0:6 60:10, h3|60:12, h2|0:8 60:50, h4|0:100",
    );
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY SUM() ASC",
        "h3|60:12, h1|0:6 60:10, h2|0:8 60:50, h4|0:100",
    );
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY MIN() DESC",
        "h4|0:100, h3|60:12, h2|0:8 60:50, h1|0:6 60:10",
    );
}

#[test]
fn equals_come_by_group_in_either_direction() {
    // Numbers of points: h1 2, h2 2, h3 1, h4 1.
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY COUNT() DESC",
        "h1|0:6 60:10, h2|0:8 60:50, h3|60:12, h4|0:100",
    );
    check(
        "SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY COUNT() ASC",
        "h3|60:12, h4|0:100, h1|0:6 60:10, h2|0:8 60:50",
    );
}

#[test]
fn limit_keeps_the_first() {
    check("SELECT SUM(Latency) FROM Shop GROUP BY Host LIMIT 2", "h1|0:6 60:10, h2|0:8 60:50");
    check("SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY MAX() DESC LIMIT 1", "h4|0:100");
    check("SELECT SUM(Latency) FROM Shop GROUP BY Host ORDER BY MAX() LIMIT 2", "h1|0:6 60:10, h3|60:12");
    check("SELECT SUM(Latency) FROM Shop ORDER BY MAX() LIMIT 1", "Latency|0:114 60:72");
}

#[test]
fn groups_without_data_do_not_count_to_the_limit() {
    let reversed = "Shop Latency Host=a\nShop Latency Host=b\nShop Latency Host=c\n";
    let mut catalog = Catalog::parse(reversed);
    catalog.series.swap(0, 2);
    // Series 0 and 1, the hosts c and b, have data; a is series 2 and has one bucket.
    assert_eq!(results("SELECT COUNT(Latency) FROM Shop GROUP BY Host LIMIT 1", &catalog), "a|60:2");
    let empty_first = "Shop Latency Host=d\nShop Latency Host=c\nShop Latency Host=b\nShop Latency Host=e\n";
    let mut catalog = Catalog::parse(empty_first);
    catalog.series.push(catalog.series[0].clone());
    catalog.series[4].dimensions[0].1 = "a".to_owned();
    assert_eq!(results("SELECT COUNT(Latency) FROM Shop GROUP BY Host LIMIT 1", &catalog), "b|60:2");
}

#[test]
fn a_real_value_other_is_a_group_of_its_own() {
    let catalog = Catalog::parse("Shop Latency Az=Other\nShop Latency\nShop Latency Az=z\n");
    assert_eq!(
        results("SELECT COUNT(Latency) FROM Shop GROUP BY Az", &catalog),
        "Other|0:3 60:1, Other|0:1 60:2, z|60:2",
    );
}

#[test]
fn accounts_and_tags_where_the_catalog_has_them() {
    let mut catalog = Catalog::parse(HOSTS);
    catalog.account = Some("111122223333".to_owned());
    let tag = |value: &str| Some(value.to_owned());
    catalog.env = Some(vec![tag("prod"), tag("test"), None, tag("prod"), None]);
    let check = |query: &str, expected: &str| assert_eq!(results(query, &catalog), expected, "{query}");
    check("SELECT SUM(Latency) FROM Shop GROUP BY AWS.AccountId", "111122223333|0:114 60:72");
    check("SELECT SUM(Latency) FROM Shop WHERE AWS.AccountId = CURRENT_ACCOUNT_ID()", "Latency|0:114 60:72");
    check("SELECT SUM(Latency) FROM Shop WHERE AWS.AccountId != CURRENT_ACCOUNT_ID()", "Latency|");
    check("SELECT SUM(Latency) FROM Shop WHERE AWS.AccountId = '0'", "Latency|");
    check("SELECT SUM(Latency) FROM Shop GROUP BY tag.env", "Other|60:12, prod|0:106 60:10, test|0:8 60:50");
    check("SELECT SUM(Latency) FROM Shop WHERE tag.env = 'prod' GROUP BY Host", "h1|0:6 60:10, h4|0:100");
    check("SELECT SUM(Latency) FROM Shop WHERE tag.env != 'prod' GROUP BY Host", "h2|0:8 60:50, h3|60:12");
}

/// A catalog of hosts `0…`, of which each has one point: its own number.
fn many(hosts: u32) -> (Catalog, impl Fn(u32) -> Vec<(i64, Bucket)>) {
    let lines: Vec<String> = (0..hosts).map(|host| format!("Shop Latency Host={host:05}")).collect();
    (Catalog::parse(&lines.join("\n")), |series| vec![(0, Bucket::of(f64::from(series)))])
}

#[test]
fn at_most_500_groups_are_answered() {
    let (catalog, buckets) = many(1200);
    let labels = |query: &str| -> Vec<String> {
        let plan = Plan::new(&Query::parse(query).expect(query), &catalog).expect(query);
        plan.aggregate(&plan.select(&catalog), &buckets).into_iter().map(|result| result.label).collect()
    };
    let first = labels("SELECT AVG(Latency) FROM Shop GROUP BY Host");
    assert_eq!((first.len(), first[0].as_str(), first[499].as_str()), (500, "00000", "00499"));
    let largest = labels("SELECT AVG(Latency) FROM Shop GROUP BY Host ORDER BY MAX() DESC");
    assert_eq!((largest.len(), largest[0].as_str(), largest[499].as_str()), (500, "01199", "00700"));
    let top = labels("SELECT AVG(Latency) FROM Shop GROUP BY Host ORDER BY MAX() DESC LIMIT 3");
    assert_eq!(top, ["01199", "01198", "01197"]);
}

#[test]
fn at_most_10_000_series_are_read() {
    let query = Query::parse("SELECT COUNT(Latency) FROM Shop").expect("a query");
    for (hosts, truncated) in [(10_000, false), (10_001, true)] {
        let (catalog, buckets) = many(hosts);
        let plan = Plan::new(&query, &catalog).expect("a plan");
        let selected = plan.select(&catalog);
        assert_eq!(selected.truncated, truncated, "{hosts}");
        assert_eq!(plan.aggregate(&selected, buckets)[0].points, [(0, 10_000.0)], "{hosts}");
    }
}

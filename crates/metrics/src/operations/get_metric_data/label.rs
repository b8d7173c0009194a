//! Default labels: the metric's name, and what tells queries with the same name apart.

use super::query::Query;

/// The label of each query, should it have none of its own.
///
/// Recorded: if returned queries have the same name, their statistics are appended if these differ, and then their periods if
/// these differ; a difference in unit or dimensions is not shown.
pub(super) fn defaults(queries: &[Query]) -> Vec<String> {
    queries.iter().map(|query| default(query, queries)).collect()
}

fn default(query: &Query, queries: &[Query]) -> String {
    let mut label = query.metric.name.clone();
    let same_name =
        || queries.iter().filter(|other| other.label.is_none() && other.metric.name == query.metric.name);
    if same_name().any(|other| other.statistic_text != query.statistic_text) {
        label.push(' ');
        label.push_str(&query.statistic_text);
    }
    if same_name().any(|other| other.period != query.period) {
        label.push(' ');
        label.push_str(&query.period.as_secs().to_string());
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MetricId, Period, Statistic};

    fn query(text: &str) -> Query {
        let mut words = text.split(' ');
        let mut word = || words.next().expect("name, statistic and period").to_owned();
        let (name, statistic_text, period) = (word(), word(), word());
        Query {
            id: "q".to_owned(),
            metric: MetricId { name, ..MetricId::default() },
            statistic: statistic_text.parse::<Statistic>().expect("a statistic"),
            statistic_text,
            period: Period::from_secs(period.parse().expect("seconds")).expect("a period"),
            unit: None,
            label: None,
        }
    }

    #[track_caller]
    fn check(queries: &[&str], labels: &[&str]) {
        let queries: Vec<Query> = queries.iter().copied().map(query).collect();
        assert_eq!(defaults(&queries), labels);
    }

    #[test]
    fn only_what_differs_is_appended() {
        check(&["m Sum 60"], &["m"]);
        check(&["m Sum 60", "n Sum 60"], &["m", "n"]);
        check(&["m Sum 60", "m Minimum 30"], &["m Sum 60", "m Minimum 30"]);
        check(&["m Sum 60", "m Minimum 60"], &["m Sum", "m Minimum"]);
        check(&["m Sum 60", "m Sum 30"], &["m 60", "m 30"]);
        check(&["m Sum 60", "m Sum 60"], &["m", "m"]);
        check(&["m Sum 60", "m p90 60", "n Sum 60"], &["m Sum", "m p90", "n"]);
    }

    #[test]
    fn queries_with_labels_of_their_own_do_not_count() {
        let mut queries = [query("m Sum 60"), query("m Average 60")];
        queries[1].label = Some("mine".to_owned());
        assert_eq!(defaults(&queries)[0], "m");
    }
}

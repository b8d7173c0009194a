//! What is asked about the day.

use anyhow::Context as _;
use bytes::Bytes;
use groundwatch_core::Timestamp;
use serde_json::{Value, json};

use crate::corpus::metrics::{Fleet, Series};

/// A question, which takes one request or several one after the other.
pub(super) struct Question {
    pub(super) text: String,
    pub(super) operation: &'static str,
    pub(super) bodies: Vec<Bytes>,
    /// A member of the answer, which must not be empty.
    member: &'static str,
}

impl Question {
    /// Whether an answer answers it.
    pub(super) fn check(&self, answer: &[u8]) -> anyhow::Result<()> {
        let answer: Value = serde_json::from_slice(answer).context("the answer is not JSON")?;
        let member = &answer[self.member];
        let members = member.as_array().map(Vec::len).or(member.as_str().map(str::len)).unwrap_or(0);
        anyhow::ensure!(members > 0, "an answer without {}: {answer}", self.member);
        for result in answer["MetricDataResults"].as_array().into_iter().flatten() {
            let points = result["Values"].as_array().map_or(0, Vec::len);
            anyhow::ensure!(
                points > 0 && result["StatusCode"] == "Complete",
                "a result without points: {result}"
            );
        }
        Ok(())
    }
}

/// All questions, about a fleet's series in a range of time.
pub(super) fn all(fleet: &Fleet, namespace: &str, (start, end): (Timestamp, Timestamp)) -> Vec<Question> {
    let data = |queries: Vec<Value>| {
        let body = json!({
            "StartTime": start.as_secs(), "EndTime": end.as_secs(), "MetricDataQueries": queries,
        });
        Bytes::from(body.to_string())
    };
    let question =
        |text: &str, operation, bodies, member| Question { text: text.to_owned(), operation, bodies, member };
    let of_data = |text: &str, queries: Vec<Value>| {
        question(text, "GetMetricData", vec![data(queries)], "MetricDataResults")
    };
    let expression = |id: &str, text: String| json!({ "Id": id, "Expression": text, "Period": 300 });
    let series = fleet.series();
    let cpu = |cpus: &str| {
        let query = format!(r#"Namespace="{namespace}" MetricName="CPUUserTime" ({cpus})"#);
        move |stat: &str| format!("AVG(SEARCH('{query}', '{stat}', 300))")
    };
    let average = cpu("cpu=cpu0 OR cpu=cpu1")("Average");
    let p99 = ["cpu=cpu0 OR cpu=cpu1", "cpu=cpu2 OR cpu=cpu3"].into_iter().zip(["a", "b"]);
    let top = format!(
        r#"SELECT AVG(CPUUserTime) FROM SCHEMA("{namespace}", InstanceId, Service, cpu) GROUP BY InstanceId ORDER BY AVG() DESC LIMIT 10"#
    );
    let statistics = json!({
        "Namespace": namespace, "MetricName": series[0].metric_name, "Dimensions": dimensions(&series[0]),
        "StartTime": start.as_secs(), "EndTime": end.as_secs(), "Period": 300, "Statistics": ["Average"],
    });
    let host = json!([{ "Name": "InstanceId", "Value": series[series.len() / 2].dimensions[0].1 }]);
    let list = json!({ "Namespace": namespace, "Dimensions": host });
    let spread = |count: usize| (0..count).map(|number| &series[number * 97 % series.len()]);
    let hundred =
        spread(100).enumerate().map(|(number, series)| metric(number, namespace, series, "Average"));
    let thousand: Vec<Value> =
        spread(1000).enumerate().map(|(number, series)| metric(number, namespace, series, "p99")).collect();
    let images = images(series, namespace, (start, end)).into_iter().map(|(text, widget)| {
        let body = json!({ "MetricWidget": widget.to_string() });
        question(text, "GetMetricWidgetImage", vec![Bytes::from(body.to_string())], "MetricWidgetImage")
    });
    let questions = vec![
        question(
            "GetMetricStatistics, one series, 5 minutes",
            "GetMetricStatistics",
            vec![Bytes::from(statistics.to_string())],
            "Datapoints",
        ),
        of_data("GetMetricData, 100 series, 5 minutes", hundred.collect()),
        of_data(
            "AVG of SEARCH over all series (it takes the first 500), 5 minutes",
            vec![expression("e", format!(r#"AVG(SEARCH('Namespace="{namespace}"', 'Average', 300))"#))],
        ),
        of_data("AVG of SEARCH over two processors of every host, 5 minutes", vec![expression("e", average)]),
        of_data("Metrics Insights, top 10 of 1,000 series by host, 5 minutes", vec![expression("q", top)]),
        of_data(
            "p99 of 1,000 series by two SEARCHes, 5 minutes",
            p99.map(|(cpus, id)| expression(id, cpu(cpus)("p99"))).collect(),
        ),
        question(
            "p99 of 1,000 series, all points, in three requests",
            "GetMetricData",
            thousand.chunks(334).map(|queries| data(queries.to_vec())).collect(),
            "MetricDataResults",
        ),
        question("ListMetrics of a host", "ListMetrics", vec![Bytes::from(list.to_string())], "Metrics"),
    ];
    questions.into_iter().chain(images).collect()
}

/// Pictures of the whole range, 600 × 400 pixels unless they say otherwise.
fn images(
    series: &[Series],
    namespace: &str,
    (start, end): (Timestamp, Timestamp),
) -> [(&'static str, Value); 4] {
    let rows = |count: usize| -> Vec<Value> {
        let chosen = (0..count).map(|number| &series[number * 97 % series.len()]);
        let row = |series: &Series| {
            let dimensions = series.dimensions.iter().flat_map(|(name, value)| [*name, value.as_str()]);
            [namespace, series.metric_name].into_iter().chain(dimensions).collect()
        };
        chosen.map(row).collect()
    };
    let widget = |count: usize, more: Value| {
        let mut widget =
            json!({ "metrics": rows(count), "start": start.to_iso8601(), "end": end.to_iso8601() });
        let more = more.as_object().into_iter().flatten();
        more.for_each(|(key, value)| widget[key] = value.clone());
        widget
    };
    let annotations = json!({
        "horizontal": [{ "value": 50, "label": "half", "fill": "above" }],
        "vertical": [{ "value": start.to_iso8601(), "label": "begin" }],
    });
    [
        ("image, 10 lines", widget(10, json!({ "title": "Lines" }))),
        ("image, 10 areas stacked", widget(10, json!({ "stacked": true }))),
        (
            "image, dark, 10 lines and annotations",
            widget(10, json!({ "theme": "dark", "annotations": annotations })),
        ),
        ("image, 100 lines, 1200 x 600", widget(100, json!({ "width": 1200, "height": 600 }))),
    ]
}

fn metric(number: usize, namespace: &str, series: &Series, stat: &str) -> Value {
    let metric = json!({
        "Namespace": namespace, "MetricName": series.metric_name, "Dimensions": dimensions(series),
    });
    json!({ "Id": format!("m{number}"), "MetricStat": { "Metric": metric, "Period": 300, "Stat": stat } })
}

fn dimensions(series: &Series) -> Value {
    series.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
}

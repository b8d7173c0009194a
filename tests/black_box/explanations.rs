//! Why an answer is as it is: asked for by a header, told beside the answer, in every protocol.

use serde_json::{Value, json};

use crate::harness::{Answer, Server};

const AUTHORIZATION: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-central-1/monitoring/aws4_request, \
     SignedHeaders=host, Signature=0",
);
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const ASKING: (&str, &str) = ("x-groundwatch-explain", "true");

/// A server that has a value in Seconds and one in Count of the metric `Shop/Latency`, a minute old.
async fn server_with_two_units() -> Server {
    let server = Server::start_with_manual_clock().await;
    let datum =
        |unit: &str| json!({ "MetricName": "Latency", "Unit": unit, "Value": 2, "Timestamp": 1_767_225_540 });
    let body = json!({ "Namespace": "Shop", "MetricData": [datum("Seconds"), datum("Count")] });
    let put = granite(&server, "PutMetricData", &[], &body).await;
    assert_eq!(put.status, 200, "{}", put.text());
    server
}

async fn granite(server: &Server, operation: &str, more: &[(&str, &str)], body: &Value) -> Answer {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let json = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", &target), AUTHORIZATION];
    server.post("/", &[&json, more].concat(), body.to_string().as_bytes()).await
}

/// The explanation that an answer points to.
async fn explanation(server: &Server, answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let path = answer.header("x-groundwatch-explain").expect("the path of an explanation").to_owned();
    let explanation = server.request("GET", &path, &[], &[]).await;
    assert_eq!((explanation.status, explanation.header("content-type")), (200, Some("application/json")));
    explanation.json()
}

fn metric_data() -> Value {
    let metric = json!({ "Namespace": "Shop", "MetricName": "Latency" });
    let stat = json!({ "Metric": metric, "Period": 60, "Stat": "Sum" });
    let query = json!({ "Id": "m", "MetricStat": stat });
    json!({ "StartTime": 1_767_225_000, "EndTime": 1_767_225_600, "MetricDataQueries": [query] })
}

#[tokio::test]
async fn an_answer_points_to_its_explanation_and_stays_what_it_is() {
    let server = server_with_two_units().await;
    let plain = granite(&server, "GetMetricData", &[], &metric_data()).await;
    assert_eq!(plain.header("x-groundwatch-explain"), None, "nobody asked");
    let explained = granite(&server, "GetMetricData", &[ASKING], &metric_data()).await;
    assert_eq!(explained.body, plain.body);
    let explanation = explanation(&server, &explained).await;
    let query = &explanation["queries"][0];
    assert_eq!((&query["id"], &query["kind"]), (&json!("m"), &json!("metric")));
    assert_eq!(query["range"], json!(["2025-12-31T23:50:00Z", "2026-01-01T00:00:00Z"]));
    let series = &query["series"][0];
    assert_eq!((&series["namespace"], &series["unit"]), (&json!("Shop"), &json!("Count")));
    assert_eq!(query["dropped"], json!(["data in Seconds: no unit was asked for"]));
}

#[tokio::test]
async fn statistics_over_query_are_explained_too() {
    let server = server_with_two_units().await;
    let body = b"Action=GetMetricStatistics&Version=2010-08-01&Namespace=Shop&MetricName=None&Period=60\
                 &StartTime=2025-12-31T23:50:00Z&EndTime=2026-01-01T00:00:00Z&Statistics.member.1=Sum";
    let answer = server.post("/", &[FORM, AUTHORIZATION, ASKING], body).await;
    assert!(answer.text().contains("<GetMetricStatisticsResult>"), "{}", answer.text());
    let explanation = explanation(&server, &answer).await;
    let why = "everything: there is no metric of that name in that namespace";
    assert_eq!(explanation["queries"][0]["dropped"], json!([why]));
}

#[tokio::test]
async fn what_was_refused_and_what_nobody_asked_for_has_no_explanation() {
    let server = server_with_two_units().await;
    let mut wrong = metric_data();
    wrong["EndTime"] = json!(1);
    let refused = granite(&server, "GetMetricData", &[ASKING], &wrong).await;
    assert_eq!((refused.status, refused.header("x-groundwatch-explain")), (400, None));
    let unknown = server.request("GET", "/_groundwatch/explain/none", &[], &[]).await;
    assert_eq!(unknown.status, 404);
}

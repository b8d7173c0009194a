//! Log anomaly detectors by the clock: what they learn, what they find, and what can be said to them.

use serde_json::{Value, json};

use crate::harness::Server;
use crate::log_configuration::{call, done};

/// 2026-01-01T00:00:00Z, where the manual clock stands.
const START_MS: i64 = 1_767_225_600_000;
const MINUTE_MS: i64 = 60_000;

async fn put(server: &Server, at_ms: i64, messages: &[&str]) {
    let events: Vec<Value> =
        messages.iter().map(|message| json!({ "timestamp": at_ms, "message": message })).collect();
    let input = json!({ "logGroupName": "/app", "logStreamName": "s", "logEvents": events });
    done(server, "PutLogEvents", input).await;
}

/// A server with a detector that has learnt half an hour of requests, sixteen minutes after it was made; and
/// the detector's ARN.
async fn server_with_detector() -> (Server, String) {
    let server = Server::start_with_manual_clock().await;
    done(&server, "CreateLogGroup", json!({ "logGroupName": "/app" })).await;
    done(&server, "CreateLogStream", json!({ "logGroupName": "/app", "logStreamName": "s" })).await;
    for minute in 1..=30 {
        put(&server, START_MS - (31 - minute) * MINUTE_MS, &["INFO request 17 took 5 ms"; 10]).await;
    }
    let groups = done(&server, "DescribeLogGroups", json!({})).await;
    let group = groups["logGroups"][0]["logGroupArn"].clone();
    let create = json!({ "logGroupArnList": [group], "detectorName": "d", "evaluationFrequency": "ONE_MIN" });
    let created = done(&server, "CreateLogAnomalyDetector", create.clone()).await;
    let again = call(&server, "CreateLogAnomalyDetector", create).await;
    assert_eq!(again, Err("LimitExceededException".to_owned()), "a group has one");
    server.advance("PT1M").await;
    let arn = created["anomalyDetectorArn"].as_str().expect("an ARN").to_owned();
    assert_eq!(status(&server, &arn).await, "TRAINING");
    server.advance("PT15M").await;
    assert_eq!(status(&server, &arn).await, "ANALYZING");
    (server, arn)
}

async fn status(server: &Server, arn: &str) -> String {
    let detector = done(server, "GetLogAnomalyDetector", json!({ "anomalyDetectorArn": arn })).await;
    detector["anomalyDetectorStatus"].as_str().expect("a status").to_owned()
}

async fn anomalies(server: &Server, more: Value) -> Vec<Value> {
    done(server, "ListAnomalies", more).await["anomalies"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_new_pattern_is_told_with_its_tokens() {
    let (server, arn) = server_with_detector().await;
    put(
        &server,
        START_MS + 16 * MINUTE_MS,
        &["INFO request 18 took 9 ms", "ERROR disk 7 is full", "ERROR disk 8 is full"],
    )
    .await;
    server.advance("PT1M").await;
    let found = anomalies(&server, json!({ "anomalyDetectorArn": arn })).await;
    let [anomaly] = found.as_slice() else { panic!("one: {found:?}") };
    assert_eq!(anomaly["patternString"], "ERROR disk <*> is full");
    assert_eq!(
        (&anomaly["priority"], &anomaly["state"], &anomaly["active"]),
        (&json!("HIGH"), &json!("Active"), &json!(true))
    );
    assert_eq!(anomaly["histogram"], json!({ (START_MS + 16 * MINUTE_MS).to_string(): 2 }));
    let tokens = anomaly["patternTokens"].as_array().expect("a list");
    let varying = tokens.iter().find(|token| token["isDynamic"] == true).expect("one varies");
    assert_eq!(
        *varying,
        json!({ "dynamicTokenPosition": 1, "isDynamic": true, "tokenString": "<*>", "enumerations": { "7": 1, "8": 1 },
            "inferredTokenName": "Number-1" })
    );
    assert_eq!(anomaly["anomalyId"].as_str().map(str::len), Some(36));
    assert_eq!(anomaly["patternId"].as_str().map(str::len), Some(32));

    // What was found and learnt survives a crash.
    let server = server.kill_and_restart(&["--clock", "manual"]);
    assert_eq!(anomalies(&server, json!({})).await.len(), 1);
}

#[tokio::test]
async fn a_pattern_that_comes_far_more_often_is_told() {
    let (server, _) = server_with_detector().await;
    put(&server, START_MS + 16 * MINUTE_MS, &["INFO request 1 took 2 ms"; 200]).await;
    server.advance("PT1M").await;
    let found = anomalies(&server, json!({})).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["patternString"], "INFO request <*> took <*> ms");
    assert!(found[0]["description"].as_str().is_some_and(|text| text.contains("rose to 200")), "{found:?}");
}

#[tokio::test]
async fn an_anomaly_is_suppressed_and_accepted() {
    let (server, arn) = server_with_detector().await;
    put(&server, START_MS + 16 * MINUTE_MS, &["WARN slow"]).await;
    server.advance("PT1M").await;
    let id = anomalies(&server, json!({})).await[0]["anomalyId"].clone();
    let suppress = json!({ "anomalyDetectorArn": arn, "anomalyId": id, "suppressionType": "LIMITED",
        "suppressionPeriod": { "value": 5, "suppressionUnit": "MINUTES" } });
    done(&server, "UpdateAnomaly", suppress).await;
    let suppressed = anomalies(&server, json!({ "suppressionState": "SUPPRESSED" })).await;
    assert_eq!(suppressed[0]["suppressedUntil"], START_MS + 22 * MINUTE_MS);
    assert_eq!(suppressed[0]["state"], "Suppressed");
    assert_eq!(anomalies(&server, json!({ "suppressionState": "UNSUPPRESSED" })).await, Vec::<Value>::new());
    server.advance("PT5M").await;
    assert_eq!(anomalies(&server, json!({ "suppressionState": "UNSUPPRESSED" })).await.len(), 1);
    done(&server, "UpdateAnomaly", json!({ "anomalyDetectorArn": arn, "anomalyId": id, "baseline": true }))
        .await;
    assert_eq!(anomalies(&server, json!({})).await[0]["state"], "Baseline");

    let neither = json!({ "anomalyDetectorArn": arn, "suppressionType": "INFINITE" });
    assert_eq!(call(&server, "UpdateAnomaly", neither).await, Err("InvalidParameterException".to_owned()));
    let unknown =
        json!({ "anomalyDetectorArn": arn, "anomalyId": "0".repeat(36), "suppressionType": "INFINITE" });
    assert_eq!(call(&server, "UpdateAnomaly", unknown).await, Err("ResourceNotFoundException".to_owned()));
}

#[tokio::test]
async fn a_detector_is_paused_listed_and_deleted() {
    let (server, arn) = server_with_detector().await;
    done(&server, "UpdateLogAnomalyDetector", json!({ "anomalyDetectorArn": arn, "enabled": false })).await;
    assert_eq!(status(&server, &arn).await, "PAUSED");
    put(&server, START_MS + 16 * MINUTE_MS, &["ERROR unseen"]).await;
    server.advance("PT5M").await;
    done(&server, "UpdateLogAnomalyDetector", json!({ "anomalyDetectorArn": arn, "enabled": true })).await;
    server.advance("PT5M").await;
    assert_eq!(
        anomalies(&server, json!({})).await,
        Vec::<Value>::new(),
        "what passed meanwhile is not looked at"
    );
    let listed = done(&server, "ListLogAnomalyDetectors", json!({})).await;
    assert_eq!(listed["anomalyDetectors"][0]["detectorName"], "d");
    assert_eq!(listed["anomalyDetectors"][0]["anomalyVisibilityTime"], 21);
    done(&server, "TagResource", json!({ "resourceArn": arn, "tags": { "team": "red" } })).await;
    done(&server, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["other"] })).await;
    let tags = done(&server, "ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags["tags"], json!({ "team": "red" }));
    done(&server, "DeleteLogAnomalyDetector", json!({ "anomalyDetectorArn": arn })).await;
    let gone = call(&server, "GetLogAnomalyDetector", json!({ "anomalyDetectorArn": arn })).await;
    assert_eq!(gone, Err("ResourceNotFoundException".to_owned()));
}

#[tokio::test]
async fn a_detector_without_a_pattern_tells_none() {
    let (server, arn) = server_with_detector().await;
    let detector = done(&server, "GetLogAnomalyDetector", json!({ "anomalyDetectorArn": arn })).await;
    assert_eq!(detector.get("filterPattern"), None);
}

//! Everything that was acknowledged is there after a restart, orderly or not.

use std::io::{Read, Write};
use std::net::TcpStream;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricDatum, StateValue, Statistic};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use crate::harness::{Server, binary};

async fn fill(server: &Server) {
    let cloudwatch = server.cloudwatch();
    cloudwatch
        .put_metric_data()
        .namespace("App")
        .metric_data(MetricDatum::builder().metric_name("Errors").value(7.0).build())
        .send()
        .await
        .expect("accepted");
    cloudwatch
        .put_metric_alarm()
        .alarm_name("errors")
        .namespace("App")
        .metric_name("Errors")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(5.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .expect("accepted");
    server.advance("PT1M").await;
    let logs = server.logs();
    logs.create_log_group().log_group_name("/app").send().await.expect("created");
    logs.create_log_stream().log_group_name("/app").log_stream_name("s").send().await.expect("created");
    logs.put_log_events()
        .log_group_name("/app")
        .log_stream_name("s")
        .log_events(
            InputLogEvent::builder().timestamp(1_767_225_600_000).message("kept").build().expect("complete"),
        )
        .send()
        .await
        .expect("accepted");
    server.sns().create_topic().name("alerts").send().await.expect("created");
}

async fn check(server: &Server) {
    server.set_clock("2026-01-01T00:01:00Z").await;
    let cloudwatch = server.cloudwatch();
    assert_eq!(cloudwatch.list_metrics().send().await.expect("answered").metrics().len(), 1);
    let alarms = cloudwatch.describe_alarms().send().await.expect("answered");
    assert_eq!(alarms.metric_alarms()[0].state_value(), Some(&StateValue::Alarm));
    let history = cloudwatch.describe_alarm_history().send().await.expect("answered");
    assert_eq!(history.alarm_history_items().len(), 2, "created, and one transition: {history:?}");
    let logs = server.logs();
    let events = logs.filter_log_events().log_group_name("/app").send().await.expect("answered");
    assert_eq!(events.events()[0].message(), Some("kept"));
    assert_eq!(events.events().len(), 1);
    let topics = server.sns().list_topics().send().await.expect("answered");
    assert_eq!(topics.topics().len(), 1);
}

#[tokio::test]
async fn all_of_it_survives_sigkill() {
    let server = Server::start_with_manual_clock().await;
    fill(&server).await;
    check(&server).await;
    let server = server.kill_and_restart(&["--clock", "manual"]);
    check(&server).await;
}

#[tokio::test]
async fn all_of_it_survives_an_orderly_stop() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let flags = ["--clock", "manual"];
    let server = Server::start_in(directory.path(), &flags);
    server.set_clock("2026-01-01T00:00:00Z").await;
    fill(&server).await;
    assert!(server.stop(), "SIGTERM ends it with success");
    check(&Server::start_in(directory.path(), &flags)).await;
}

#[tokio::test]
async fn a_second_server_is_locked_out() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let _first = Server::start_in(directory.path(), &[]);
    let second = std::process::Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path())
        .output()
        .expect("it runs");
    assert!(!second.status.success());
    let message = String::from_utf8_lossy(&second.stderr);
    assert!(
        message.contains("in use by another server")
            && message.contains(&*directory.path().to_string_lossy()),
        "{message}"
    );
}

#[test]
fn a_second_signal_ends_at_once_what_the_first_waits_for() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address()).expect("connects");
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        .expect("writes");
    let mut asked = [0; 12];
    stream.read_exact(&mut asked).expect("reads");
    assert_eq!(&asked, b"HTTP/1.1 100", "the server waits for the body");
    assert_eq!(server.end_by(&["-TERM", "-INT"]), Some(130));
}

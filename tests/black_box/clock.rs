//! The endpoints that are not AWS's: health and the clock.

use crate::harness::Server;

#[tokio::test]
async fn health_answers_when_it_is_ready() {
    let server = Server::start();
    let answer = server.request("GET", "/_groundwatch/health", &[], b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], "ok");
}

#[tokio::test]
async fn a_real_clock_cannot_be_moved() {
    let server = Server::start();
    let answer = server.post("/_groundwatch/clock", &[], br#"{"advance":"PT1M"}"#).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("--clock manual"), "{}", answer.text());
}

#[tokio::test]
async fn a_manual_clock_tells_where_it_stands() {
    let server = Server::start_with_manual_clock().await;
    server.advance("PT90S").await;
    let answer = server.request("GET", "/_groundwatch/clock", &[], b"").await;
    assert_eq!(answer.json()["now"], "2026-01-01T00:01:30Z");
}

#[tokio::test]
async fn nonsense_does_not_move_a_clock() {
    let server = Server::start_with_manual_clock().await;
    for body in [
        "",
        "{}",
        "[]",
        r#"{"advance":"-PT1M"}"#,
        r#"{"advance":"soon"}"#,
        r#"{"set":"noon"}"#,
        r#"{"advance":"P9999Y"}"#,
    ] {
        let answer = server.post("/_groundwatch/clock", &[], body.as_bytes()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    let answer = server.request("GET", "/_groundwatch/clock", &[], b"").await;
    assert_eq!(answer.json()["now"], "2026-01-01T00:00:00Z");
}

//! Asks a real server for every operation that AWS's models know, and holds docs/compatibility.md against the
//! answers.
//!
//! `GROUNDWATCH_BLESS=1` rewrites the page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use groundwatch_api::{Operation, Protocol, SERVICES, Service};

use crate::harness::Server;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");

const INTRODUCTION: &str = "\
# Compatibility

Which operations of AWS's services this release answers. A missing operation is rejected with an error that
names it (`NotImplemented`, status 501), and so is a parameter whose effect is missing.
[differences.md](differences.md) lists what answers differently from AWS, and why.

A test makes this page by asking a running server for every operation: `GROUNDWATCH_BLESS=1 cargo test -p
groundwatch-server --test black_box compatibility`.
";

/// Whether the server knows what to do with an operation, told by an empty request.
async fn is_served(server: &Server, service: &Service, operation: &str) -> bool {
    let scope = format!("Credential=1/20260101/us-east-1/{}/aws4_request", service.signing_name);
    let authorization = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
    let json_version = service.protocols.iter().find_map(|protocol| match protocol {
        Protocol::Json10 => Some("1.0"),
        Protocol::Json11 => Some("1.1"),
        Protocol::Query | Protocol::RpcV2Cbor => None,
    });
    let answer = if let Some(version) = json_version {
        let content_type = format!("application/x-amz-json-{version}");
        let target = format!("{}.{operation}", service.target_prefix);
        let headers = [
            ("Content-Type", content_type.as_str()),
            ("X-Amz-Target", &target),
            ("Authorization", &authorization),
        ];
        server.post("/", &headers, b"{}").await
    } else {
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", authorization.as_str()),
        ];
        let body = format!("Action={operation}&Version={}", service.api_version);
        server.post("/", &headers, body.as_bytes()).await
    };
    assert!(
        answer.status == 501 || !answer.text().contains("UnknownOperation"),
        "{operation}: {}",
        answer.text()
    );
    answer.status != 501
}

/// What the shapes were generated for, as `service operation`.
fn generated() -> BTreeSet<String> {
    fn name<O: Operation>() -> String {
        format!("{} {}", O::SERVICE.name, O::NAME)
    }
    macro_rules! names {
        ($($operation:path,)*) => { BTreeSet::from([$(name::<$operation>()),*]) };
    }
    let mut all = groundwatch_api::for_each_operation!(names);
    all.extend(groundwatch_api::for_each_streaming_operation!(names));
    all
}

fn table(page: &mut String, service: &Service, served: &BTreeSet<&str>) {
    let (done, all) = (served.len(), service.operations.len());
    let _ = write!(page, "\n## {}: {done} of {all}\n\n| operation | |\n| --- | --- |\n", service.name);
    for operation in service.operations {
        let _ = writeln!(
            page,
            "| {operation} | {} |",
            if served.contains(operation) { "yes" } else { "refused" }
        );
    }
}

#[tokio::test]
async fn the_page_says_what_the_server_does() {
    let server = Server::start();
    let generated = generated();
    let mut page = INTRODUCTION.to_owned();
    for service in SERVICES {
        let mut served = BTreeSet::new();
        for operation in service.operations {
            let is_served = is_served(&server, service, operation).await;
            let id = format!("{} {operation}", service.name);
            assert_eq!(
                is_served,
                generated.contains(&id),
                "{id}: crates/api/operations.txt and routes.rs disagree"
            );
            if is_served {
                served.insert(*operation);
            }
        }
        table(&mut page, service, &served);
    }
    if std::env::var_os("GROUNDWATCH_BLESS").is_some() {
        std::fs::write(Path::new(PAGE), &page).expect("the page is written");
    }
    let present = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(present == page, "docs/compatibility.md is out of date: run this test with GROUNDWATCH_BLESS=1");
}

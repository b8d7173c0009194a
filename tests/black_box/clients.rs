//! Other people's clients: boto3 of 2024 and of today, and the SDK for JavaScript, where their runtimes are installed.

use std::process::Command;

use crate::harness::Server;

#[test]
fn boto3_and_javascript_agree() {
    let server = Server::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/run");
    let output = Command::new(script).arg(&server.url).output().expect("the script runs");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "a client disagrees; see its output above");
}

//! Other people's clients: boto3 of 2024 and of today, the SDK for JavaScript, and log shippers, where their
//! runtimes are installed.

use std::net::TcpListener;
use std::process::Command;

use crate::harness::Server;

#[test]
fn clients_and_shippers_agree() {
    let syslog = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let listen = format!("tcp://{syslog},udp://{syslog}");
    let server = Server::start_in(directory.path(), &["--tls", "auto", "--syslog-listen", &listen]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/run");
    let output = Command::new(script)
        .args([server.url.as_str(), &syslog.to_string()])
        .output()
        .expect("the script runs");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "a client disagrees; see its output above");
}

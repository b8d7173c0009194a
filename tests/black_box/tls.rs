//! TLS beside plain HTTP on one port, and HTTP/2 for clients that offer it.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::{ACCOUNT, Server};

/// A connection that trusts the server's own authority, and offers `protocol`.
async fn connect(server: &Server, data_dir: &Path, protocol: &str) -> TlsStream<TcpStream> {
    let authority = CertificateDer::from_pem_file(data_dir.join("tls/ca.pem")).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(authority).expect("an authority");
    let ring = rustls::crypto::ring::default_provider();
    let mut config = ClientConfig::builder_with_provider(ring.into())
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let socket = TcpStream::connect(server.address()).await.expect("the server listens");
    let host = ServerName::try_from("streaming-localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(host, socket).await.expect("a handshake")
}

fn create_log_group(server: &Server, name: &str) -> Request<Full<Bytes>> {
    let scope = format!("{ACCOUNT}/20260101/eu-central-1/logs/aws4_request");
    let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
    Request::post(format!("https://{}/", server.address()))
        .header("authorization", signed)
        .header("x-amz-target", "Logs_20140328.CreateLogGroup")
        .header("content-type", "application/x-amz-json-1.1")
        .header("host", server.address())
        .body(Full::from(format!("{{\"logGroupName\":\"{name}\"}}")))
        .expect("a request")
}

#[tokio::test]
async fn one_port_takes_https_in_both_versions_and_http() {
    let data_dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start_in(data_dir.path(), &["--tls", "auto"]);

    let stream = TokioIo::new(connect(&server, data_dir.path(), "http/1.1").await);
    let (mut client, connection) = hyper::client::conn::http1::handshake(stream).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    let answer = client.send_request(create_log_group(&server, "one")).await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_11));

    let stream = TokioIo::new(connect(&server, data_dir.path(), "h2").await);
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (mut client, connection) = handshake.expect("HTTP/2");
    tokio::spawn(connection);
    let mut two = create_log_group(&server, "two");
    two.headers_mut().remove("host");
    let answer = client.send_request(two).await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
    assert!(answer.into_body().collect().await.expect("a body").to_bytes().is_empty());

    let groups = server.logs().describe_log_groups().send().await.expect("over plain HTTP");
    let names: Vec<_> = groups.log_groups().iter().filter_map(|group| group.log_group_name()).collect();
    assert_eq!(names, ["one", "two"]);
}

//! The protocols that the load generator speaks, and the head of a request in each of them.

use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};

/// A protocol of CloudWatch. Logs has JSON alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// Smithy RPC v2 with CBOR, as today's SDKs for Rust, Go and JavaScript send.
    Cbor,
    /// AWS JSON, as today's boto3 and AWS CLI send.
    Json,
    /// AWS Query, as older SDKs send.
    Query,
}

impl Protocol {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cbor => "CBOR",
            Self::Json => "JSON",
            Self::Query => "query",
        }
    }
}

/// A service as a request addresses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// CloudWatch.
    Monitoring,
    /// CloudWatch Logs.
    Logs,
    /// SQS, in JSON.
    Sqs,
    /// SNS, by the query protocol.
    Sns,
}

/// Everything of an operation's requests but their bodies.
#[derive(Clone, Debug)]
pub(crate) struct RequestHead {
    path: String,
    headers: HeaderMap,
}

impl RequestHead {
    /// The head of `operation` for a server that is addressed as `host`.
    pub(crate) fn new(
        service: Service,
        operation: &'static str,
        protocol: Protocol,
        address: &Address,
    ) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, address.host.clone());
        headers.insert(AUTHORIZATION, address.authorization(service));
        let mut put = |name: HeaderName, value: &str| {
            headers.insert(name, HeaderValue::from_str(value).expect("made of ASCII names here"));
        };
        let mut path = String::from("/");
        match protocol {
            Protocol::Cbor => {
                put(CONTENT_TYPE, "application/cbor");
                put(ACCEPT, "application/cbor");
                put(HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor");
                path = format!("/service/{}/operation/{operation}", service.target_prefix());
            }
            Protocol::Json => {
                let version = if service == Service::Logs { "1.1" } else { "1.0" };
                put(CONTENT_TYPE, &format!("application/x-amz-json-{version}"));
                let target = format!("{}.{operation}", service.target_prefix());
                put(HeaderName::from_static("x-amz-target"), &target);
            }
            Protocol::Query => put(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8"),
        }
        Self { path, headers }
    }

    /// The head of a request to a door that is not AWS's.
    pub(crate) fn of_door(path: &str, address: &Address) -> Self {
        let headers = HeaderMap::from_iter([(HOST, address.host.clone())]);
        Self { path: path.to_owned(), headers }
    }

    pub(crate) fn request<B>(&self, body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse().expect("a path made of ASCII names");
        *request.headers_mut() = self.headers.clone();
        request
    }
}

impl Service {
    const fn signing_name(self) -> &'static str {
        match self {
            Self::Monitoring => "monitoring",
            Self::Logs => "logs",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
        }
    }

    const fn target_prefix(self) -> &'static str {
        match self {
            Self::Monitoring => "GraniteServiceVersion20100801",
            Self::Logs => "Logs_20140328",
            Self::Sqs => "AmazonSQS",
            Self::Sns => "AmazonSimpleNotificationService",
        }
    }
}

/// Where requests go, and in whose name.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Host and port as in the `Host` header.
    pub host: HeaderValue,
    /// The access key, whose twelve digits name the account in development mode.
    pub access_key: String,
    /// The region of the credential scope.
    pub region: String,
}

impl Address {
    /// A credential scope is all that a server in development mode reads; the signature is a placeholder.
    fn authorization(&self, service: Service) -> HeaderValue {
        let text = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{}/aws4_request, SignedHeaders=host, Signature=0",
            self.access_key,
            self.region,
            service.signing_name()
        );
        HeaderValue::from_str(&text).expect("the arguments were checked to be plain ASCII words")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(service: Service, operation: &'static str, protocol: Protocol) -> Request<()> {
        let address = Address {
            host: HeaderValue::from_static("127.0.0.1:4566"),
            access_key: "000000000000".into(),
            region: "us-east-1".into(),
        };
        RequestHead::new(service, operation, protocol, &address).request(())
    }

    #[test]
    fn each_protocol_names_the_operation_in_its_own_place() {
        let cbor = head(Service::Monitoring, "PutMetricData", Protocol::Cbor);
        assert_eq!(cbor.uri().path(), "/service/GraniteServiceVersion20100801/operation/PutMetricData");
        assert_eq!(cbor.headers()["smithy-protocol"], "rpc-v2-cbor");

        let json = head(Service::Logs, "PutLogEvents", Protocol::Json);
        assert_eq!(json.uri().path(), "/");
        assert_eq!(json.headers()["x-amz-target"], "Logs_20140328.PutLogEvents");
        assert_eq!(json.headers()["content-type"], "application/x-amz-json-1.1");

        let query = head(Service::Monitoring, "PutMetricData", Protocol::Query);
        assert_eq!(query.headers()["content-type"], "application/x-www-form-urlencoded; charset=utf-8");
    }

    #[test]
    fn credential_scope_names_account_region_and_service() {
        let request = head(Service::Logs, "PutLogEvents", Protocol::Json);
        let authorization = request.headers()["authorization"].to_str().expect("ASCII");
        assert!(authorization.contains("Credential=000000000000/20260101/us-east-1/logs/aws4_request"));
    }
}

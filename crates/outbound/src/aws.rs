//! Calls as AWS's services take them, signed: for endpoints that stand in for AWS.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use groundwatch_core::Timestamp;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::HttpRequest;

/// An endpoint that speaks as AWS does, and who calls it.
#[derive(Clone)]
pub struct AwsEndpoint {
    pub(crate) url: Url,
    pub(crate) credentials: Credentials,
    /// What signatures name; otherwise the region in the ARN.
    pub(crate) region: Option<String>,
}

/// Without the URL's password and the secret key.
impl fmt::Debug for AwsEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsEndpoint").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// One call of an AWS service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsCall {
    /// The name that signatures have for the service, such as `lambda`.
    pub service: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, percent-encoded as it is to be sent, and the query string if there is one. Begins with `/`.
    pub path_and_query: String,
    /// Names in lower case, and values without line breaks.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

impl AwsCall {
    /// A call in AWS's JSON protocol of `version` (`1.0` or `1.1`); `target` is the value of `X-Amz-Target`,
    /// such as `Firehose_20150804.PutRecordBatch`.
    pub fn json(service: &'static str, version: &str, target: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![
            ("content-type", format!("application/x-amz-json-{version}")),
            ("x-amz-target", target.to_owned()),
        ];
        Self { service, method: Method::POST, path_and_query: "/".to_owned(), headers, body: body.into() }
    }

    /// A call in AWS's query protocol. `parameters` are all but `Action` and `Version`.
    pub fn query<'a>(
        service: &'static str,
        api_version: &str,
        action: &str,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", api_version)
            .extend_pairs(parameters)
            .finish();
        let headers = vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
        Self { service, method: Method::POST, path_and_query: "/".to_owned(), headers, body: body.into() }
    }

    /// An asynchronous invocation of a Lambda function, by its name or ARN.
    pub fn invoke_function(function: &str, payload: impl Into<Bytes>) -> Self {
        let function = utf8_percent_encode(function, NON_ALPHANUMERIC);
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-amz-invocation-type", "Event".to_owned()),
        ];
        Self::rest(
            "lambda",
            Method::POST,
            format!("/2015-03-31/functions/{function}/invocations"),
            headers,
            payload,
        )
    }

    /// A call in one of AWS's REST protocols.
    pub fn rest(
        service: &'static str,
        method: Method,
        path_and_query: impl Into<String>,
        headers: Vec<(&'static str, String)>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self { service, method, path_and_query: path_and_query.into(), headers, body: body.into() }
    }
}

/// A call that cannot be signed: its URL or a header is malformed.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign the request: {0}")]
pub(crate) struct SigningError(String);

impl AwsEndpoint {
    /// The request for `call`, signed at `now` for the service's name in `region`.
    pub(crate) fn request(
        &self,
        call: &AwsCall,
        region: &str,
        now: Timestamp,
        timeout: Duration,
    ) -> Result<HttpRequest, SigningError> {
        let url = format!("{}{}", self.url.as_str().trim_end_matches('/'), call.path_and_query);
        let mut request = HttpRequest {
            method: call.method.clone(),
            url,
            headers: call.headers.clone(),
            body: call.body.clone(),
            timeout,
        };
        let region = self.region.as_deref().unwrap_or(region);
        let signed = signed_headers(&request, &self.credentials, call.service, region, now)?;
        request.headers.extend(signed);
        Ok(request)
    }
}

fn signed_headers(
    request: &HttpRequest,
    credentials: &Credentials,
    service: &str,
    region: &str,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, SigningError> {
    let wrong = |error: &dyn fmt::Display| SigningError(error.to_string());
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::UNIX_EPOCH + now.since(Timestamp::EPOCH))
        .settings(settings(service))
        .build()
        .map_err(|error| wrong(&error))?
        .into();
    let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(
        request.method.as_str(),
        request.url.as_str(),
        headers,
        SignableBody::Bytes(&request.body),
    )
    .map_err(|error| wrong(&error))?;
    let (instructions, _signature) = sign(signable, &params).map_err(|error| wrong(&error))?.into_parts();
    let (headers, _parameters) = instructions.into_parts();
    Ok(headers.into_iter().map(|header| (header.name(), header.value().to_owned())).collect())
}

/// S3 has rules of its own: the path is signed as it is sent, and the body's hash travels along.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> AwsEndpoint {
        AwsEndpoint {
            url: Url::parse("https://example.amazonaws.com/").expect("a URL"),
            credentials: Credentials::new(
                "AKIDEXAMPLE",
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                None,
                None,
                "test",
            ),
            region: None,
        }
    }

    /// The example `post-vanilla` of AWS's test suite for signatures, version 4.
    #[test]
    fn signatures_are_those_of_awss_examples() {
        let call = AwsCall::rest("service", Method::POST, "/", Vec::new(), "");
        let now = Timestamp::parse_iso8601("2015-08-30T12:36:00Z").expect("a time");
        let request = endpoint().request(&call, "us-east-1", now, Duration::from_secs(1)).expect("signed");
        let authorization = request.headers.iter().find(|(name, _)| *name == "authorization");
        assert_eq!(
            authorization.map(|(_, value)| value.as_str()),
            Some(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, \
                 Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
            )
        );
    }

    #[test]
    fn a_query_call_is_a_form() {
        let call = AwsCall::query("ec2", "2016-11-15", "StopInstances", [("InstanceId.1", "i-0 1")]);
        assert_eq!(call.body, "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-0+1");
    }

    #[test]
    fn secrets_are_not_printed() {
        let printed = format!("{:?}", endpoint());
        assert!(!printed.contains("wJalr"), "{printed}");
    }

    #[test]
    fn s3_gets_the_hash_of_the_body() {
        let call = AwsCall::rest("s3", Method::PUT, "/bucket/a%20b", Vec::new(), "x");
        let request =
            endpoint().request(&call, "us-east-1", Timestamp::EPOCH, Duration::from_secs(1)).expect("signed");
        assert_eq!(request.url, "https://example.amazonaws.com/bucket/a%20b");
        assert!(request.headers.iter().any(|(name, _)| *name == "x-amz-content-sha256"));
    }
}

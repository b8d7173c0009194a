//! Whom a request claims to come from: SigV4's credential scope, and the caller that it stands for.

use groundwatch_api::Fault;
use groundwatch_core::{AccountId, Caller, Region, Scope};
use http::header;
use http::request::Parts;

use crate::fault;
use crate::query::first_value;
use crate::request::text;

/// The longest access key id, region or service name that is taken.
const NAME_LENGTH_MAX: usize = 128;
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signed request says about its signer: `access key id/date/region/service/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The access key id.
    pub access_key_id: String,
    /// The day of the signature, `20260102`.
    pub date: String,
    /// The region that is addressed.
    pub region: String,
    /// The signing name of the service that is addressed, such as `monitoring`.
    pub service: String,
}

impl Credential {
    /// Reads the credential from the `Authorization` header or from a presigned query string; `None` for a
    /// request that is not signed, or in a manner that is not AWS's (such as `Bearer`).
    pub fn of(head: &Parts) -> Result<Option<Self>, Fault> {
        if let Some(authorization) = text(&head.headers, header::AUTHORIZATION.as_str()) {
            return Self::in_header(authorization);
        }
        match first_value(head.uri.query().unwrap_or_default().as_bytes(), "X-Amz-Credential") {
            Some(scope) => Self::parse(&scope).map(Some),
            None => Ok(None),
        }
    }

    fn in_header(authorization: &str) -> Result<Option<Self>, Fault> {
        let (algorithm, parameters) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if algorithm != ALGORITHM {
            return if algorithm.starts_with("AWS4-") {
                Err(fault::incomplete_signature("only the signature algorithm AWS4-HMAC-SHA256 is supported"))
            } else {
                Ok(None)
            };
        }
        let scope = parameters.split(',').find_map(|parameter| parameter.trim().strip_prefix("Credential="));
        let scope = scope.ok_or_else(|| {
            fault::incomplete_signature("Authorization header requires 'Credential' parameter")
        })?;
        Self::parse(scope).map(Some)
    }

    fn parse(scope: &str) -> Result<Self, Fault> {
        // From the end: an access key id may hold slashes.
        let mut parts = scope.rsplitn(5, '/');
        let mut part = || parts.next().filter(|part| is_plain(part)).map(str::to_owned);
        match (part(), part(), part(), part(), part()) {
            (Some(end), Some(service), Some(region), Some(date), Some(access_key_id))
                if end == "aws4_request" =>
            {
                Ok(Self { access_key_id, date, region, service })
            }
            _ => Err(fault::incomplete_signature(
                "the credential must be of the form <access key id>/<date>/<region>/<service>/aws4_request",
            )),
        }
    }
}

fn is_plain(part: &str) -> bool {
    (1..=NAME_LENGTH_MAX).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A request whose caller is still to be believed.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Method, path, query string and headers: what is signed.
    pub head: &'a Parts,
    /// What it says of itself; `None` if it is not signed.
    pub credential: Option<&'a Credential>,
    /// The body as it came over the wire, still compressed: what is hashed.
    pub body: &'a [u8],
}

/// Decides who is calling. Verification of signatures is one more implementation.
pub trait Authenticator: Send + Sync + 'static {
    /// The caller, or the error that refuses it.
    fn authenticate(&self, claim: &Claim<'_>) -> Result<Caller, Fault>;
}

/// Believes everyone, for development on a loopback address: an access key id of twelve digits is the
/// account's number; any other, and none at all, is the account `000000000000`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DevelopmentAuthenticator;

impl Authenticator for DevelopmentAuthenticator {
    fn authenticate(&self, claim: &Claim<'_>) -> Result<Caller, Fault> {
        let Some(credential) = claim.credential else {
            let scope = Scope { account: AccountId::DEFAULT, region: region_of_host(claim.head) };
            return Ok(Caller { scope, access_key_id: String::new() });
        };
        let account = credential.access_key_id.parse().unwrap_or(AccountId::DEFAULT);
        let scope = Scope { account, region: Region::new(&credential.region) };
        Ok(Caller { scope, access_key_id: credential.access_key_id.clone() })
    }
}

/// The region in a host name such as `monitoring.eu-central-1.amazonaws.com`; the default region for any
/// other.
fn region_of_host(head: &Parts) -> Region {
    let host = text(&head.headers, header::HOST.as_str()).or(head.uri.host()).unwrap_or_default();
    let second_label = host.split('.').nth(1).filter(|_| host.split('.').count() > 2);
    match second_label.filter(|label| looks_like_region(label)) {
        Some(region) => Region::new(region),
        None => Region::default(),
    }
}

/// `eu-central-1`: words and a number.
fn looks_like_region(label: &str) -> bool {
    let mut words = label.rsplit('-');
    let number = words.next().unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let others: Vec<&str> = words.collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    label.len() <= NAME_LENGTH_MAX && is_number && others.len() >= 2 && others.iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(request: http::request::Builder) -> Parts {
        request.body(()).expect("a request").into_parts().0
    }

    fn caller(request: http::request::Builder) -> Result<Caller, Fault> {
        let head = head(request);
        let credential = Credential::of(&head)?;
        DevelopmentAuthenticator.authenticate(&Claim {
            head: &head,
            credential: credential.as_ref(),
            body: b"",
        })
    }

    fn check(request: http::request::Builder, account: &str, region: &str) {
        let scope = caller(request).expect("a caller").scope;
        assert_eq!((scope.account.to_string().as_str(), scope.region.as_str()), (account, region));
    }

    #[test]
    fn the_credential_scope_names_account_and_region() {
        let signed = |credential: &str| {
            let value = format!(
                "AWS4-HMAC-SHA256 Credential={credential}/20260102/eu-west-3/monitoring/aws4_request, \
                 SignedHeaders=host, Signature=00"
            );
            Request::builder().header("authorization", value)
        };
        check(signed("123456789012"), "123456789012", "eu-west-3");
        check(signed("AKIAIOSFODNN7EXAMPLE"), "000000000000", "eu-west-3");
        check(signed("odd/key"), "000000000000", "eu-west-3");
    }

    #[test]
    fn a_presigned_query_string_names_them_too() {
        let uri = "/?Action=A&X-Amz-Credential=123456789012%2F20260102%2Feu-west-3%2Fsns%2Faws4_request";
        check(Request::builder().uri(uri), "123456789012", "eu-west-3");
    }

    #[test]
    fn an_unsigned_request_takes_the_region_from_the_host() {
        let host = |name: &str| Request::builder().header("host", name);
        check(host("monitoring.eu-central-1.amazonaws.com"), "000000000000", "eu-central-1");
        check(host("logs.us-gov-west-1.example:4566"), "000000000000", "us-gov-west-1");
        for other in ["localhost:4566", "127.0.0.1:4566", "a.eu-x.c", "a.b-c-.d", ""] {
            check(host(other), "000000000000", "us-east-1");
        }
        check(Request::builder().header("authorization", "Bearer abc"), "000000000000", "us-east-1");
    }

    #[test]
    fn half_a_signature_is_refused() {
        for value in [
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 SignedHeaders=host",
            "AWS4-HMAC-SHA256 Credential=AKID/20260102/eu-west-3/monitoring",
            "AWS4-HMAC-SHA256 Credential=AKID/20260102//monitoring/aws4_request",
            "AWS4-ECDSA-P256-SHA256 Credential=AKID/20260102/monitoring/aws4_request",
        ] {
            let fault = caller(Request::builder().header("authorization", value)).expect_err(value);
            assert_eq!(fault.shape, &fault::INCOMPLETE_SIGNATURE, "{value}");
        }
    }
}

//! Who owns a thing, and who is calling.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Arn, Timestamp};

/// An AWS account: twelve decimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// `000000000000`: whom every access key belongs to that does not name an account.
    pub const DEFAULT: Self = Self(0);

    /// The number behind the digits, below 10¹².
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The account of that number; `None` from 10¹² on.
    pub const fn from_u64(number: u64) -> Option<Self> {
        if number < 1_000_000_000_000 { Some(Self(number)) } else { None }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

/// A text that is not twelve digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account id has exactly 12 digits")]
pub struct InvalidAccountId;

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, InvalidAccountId> {
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidAccountId);
        }
        text.parse().map(Self).map_err(|_| InvalidAccountId)
    }
}

impl Serialize for AccountId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An AWS region's name, such as `eu-central-1`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// The region of that name. Any name is accepted: a self-hosted endpoint may serve regions of its own.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The region's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that its ARNs begin with: regions in China and of the US government have their own.
    pub fn partition(&self) -> &'static str {
        if self.0.starts_with("cn-") {
            "aws-cn"
        } else if self.0.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::new("us-east-1")
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Region {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer).map(|name| Self::new(&name))
    }
}

/// The account and region that own a resource: nothing is visible across two scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The owning account.
    pub account: AccountId,
    /// The region it lives in.
    pub region: Region,
}

impl Scope {
    /// The ARN of a resource in this scope, e.g. `scope.arn("cloudwatch", "alarm:a")`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        Arn::format(service, &self.region, self.account, resource)
    }
}

/// The id of one request, as `x-amzn-RequestId` shows it (a UUID).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub String);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is calling, as far as the request's credentials tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The account and region that the call addresses.
    pub scope: Scope,
    /// The access key id; empty for an unsigned request.
    pub access_key_id: String,
}

/// One call of an operation: all that a handler may know besides its typed input.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// The request's id.
    pub request_id: RequestId,
    /// When the request arrived, by the server's clock.
    pub received: Timestamp,
    /// Whether the caller also wants to know why the answer is as it is. No operation of AWS has such a wish:
    /// it comes beside the request, and so does what is made of it.
    pub explain: bool,
    /// Whether the caller announces that the log events of the request carry metrics, which a header of AWS's
    /// says beside the request.
    pub announces_metrics: bool,
    /// The trace that the call is a part of, as its header `X-Amzn-Trace-Id` says.
    pub trace: Option<String>,
}

impl Call {
    /// A call without any wishes beside its input.
    pub fn new(caller: Caller, request_id: RequestId, received: Timestamp) -> Self {
        Self { caller, request_id, received, explain: false, announces_metrics: false, trace: None }
    }

    /// The account and region that the call addresses.
    pub fn scope(&self) -> &Scope {
        &self.caller.scope
    }
}

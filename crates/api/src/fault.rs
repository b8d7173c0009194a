//! An AWS error on its way to a client.

use std::fmt;

/// An error shape as AWS's model names it. Generated, one static a shape:
/// `cloudwatch::errors::RESOURCE_NOT_FOUND`.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorShape {
    /// The shape's name, which JSON and CBOR put into `__type`: `InvalidParameterValueException`. A name with
    /// a `#` brings its own namespace instead of the service's.
    pub shape: &'static str,
    /// The code of the query protocol, which often differs: `InvalidParameterValue`.
    pub code: &'static str,
    /// HTTP status over the query protocol. Others may collapse it; that is `groundwatch-wire`'s business.
    pub status: u16,
}

impl ErrorShape {
    /// A fault of this shape with a message.
    pub fn with(&'static self, message: impl Into<String>) -> Fault {
        Fault { shape: self, message: Some(message.into()), details: Vec::new() }
    }

    /// A fault of this shape without any message, as AWS answers in a few places.
    pub fn bare(&'static self) -> Fault {
        Fault { shape: self, message: None, details: Vec::new() }
    }
}

/// What a handler answers instead of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which error.
    pub shape: &'static ErrorShape,
    /// What the client reads.
    pub message: Option<String>,
    /// Further string members of the error shape, by name.
    pub details: Vec<(&'static str, String)>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{}: {message}", self.shape.shape),
            None => f.write_str(self.shape.shape),
        }
    }
}

impl std::error::Error for Fault {}

/// Errors that any service may answer.
pub mod common {
    use super::ErrorShape;

    /// Our own failure; the details are in our log, never in the answer.
    pub static INTERNAL_FAILURE: ErrorShape =
        ErrorShape { shape: "InternalFailure", code: "InternalFailure", status: 500 };
    /// A violated constraint, as AWS's framework reports it before the service itself has seen the request.
    /// Recorded over JSON and CBOR: the namespace is the framework's, not the service's.
    pub static VALIDATION: ErrorShape = ErrorShape {
        shape: "com.amazon.coral.validate#ValidationException",
        code: "ValidationError",
        status: 400,
    };
    /// A parameter that must be there is not, as SQS reports it; its model does not have the error.
    pub static MISSING_PARAMETER: ErrorShape =
        ErrorShape { shape: "MissingRequiredParameterException", code: "MissingParameter", status: 400 };
    /// Over a budget (memory, queue): SDKs retry it with back-off.
    pub static THROTTLING: ErrorShape =
        ErrorShape { shape: "ThrottlingException", code: "Throttling", status: 400 };
    /// Storage cannot take writes now (a full disk, an I/O error): SDKs retry it.
    pub static SERVICE_UNAVAILABLE: ErrorShape =
        ErrorShape { shape: "ServiceUnavailableException", code: "ServiceUnavailable", status: 503 };
}

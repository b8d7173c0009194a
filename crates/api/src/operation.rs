//! What an operation is, and what it means to implement one.

use std::fmt::Debug;
use std::future::Future;

use groundwatch_core::Call;
use serde::{Deserialize, Serialize};

use crate::validate::Validate;
use crate::{ErrorShape, Fault};

/// A protocol in which a service can be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Form parameters in, XML out.
    Query,
    /// JSON documents with `X-Amz-Target`; the content type says `application/x-amz-json-1.0`.
    Json10,
    /// As `Json10`, with `application/x-amz-json-1.1`.
    Json11,
    /// Smithy RPC v2 with CBOR documents.
    RpcV2Cbor,
}

/// An AWS service as its clients address it. One static a service, generated.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// The name of our module for it: `cloudwatch`, `logs`, `sns`.
    pub name: &'static str,
    /// The service in a SigV4 credential scope: `monitoring`, `logs`, `sns`.
    pub signing_name: &'static str,
    /// The protocols that it speaks.
    pub protocols: &'static [Protocol],
    /// What stands before the dot in `X-Amz-Target`, and the service id of RPC v2; empty if it has neither.
    pub target_prefix: &'static str,
    /// `Version` of the query protocol, which is the model's version in any case.
    pub api_version: &'static str,
    /// The namespace of XML answers; empty if it never answers in XML.
    pub xml_namespace: &'static str,
    /// The namespace of shapes in `__type`, such as `com.amazonaws.cloudwatch.v2010_08_01`; empty where AWS
    /// sends bare names.
    pub shape_namespace: &'static str,
    /// Whether it once spoke the query protocol only, and so answers errors in JSON and CBOR with
    /// `x-amzn-query-error`.
    pub query_compatible: bool,
    /// The error that reports a violated constraint.
    pub validation_error: &'static ErrorShape,
    /// How it reports that a member of the input itself is missing, where it has words of its own for that.
    pub missing: Option<Missing>,
    /// Error codes whose message is another one over the query protocol.
    pub query_messages: &'static [(&'static str, &'static str)],
    /// Every operation that the service has in AWS, implemented here or not, sorted.
    pub operations: &'static [&'static str],
    /// Lists and maps that the query protocol writes in a manner of its own.
    pub flattened: &'static [Flattened],
    /// The parameter of the query protocol that the request's path gives if the form does not; empty if none
    /// does.
    pub path_parameter: &'static str,
}

/// How a service reports that a member of the input is missing.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    /// The error.
    pub shape: &'static ErrorShape,
    /// What stands before and behind the member's name in the message.
    pub text: (&'static str, &'static str),
}

impl Missing {
    /// The fault that says that `member` is missing.
    pub fn fault(&self, member: &str) -> Fault {
        let (before, behind) = self.text;
        self.shape.with(format!("{before}{member}{behind}"))
    }
}

/// A list or map whose elements the query protocol writes without a level of their own, under a name of their
/// own: SQS's `Entries` are `SendMessageBatchRequestEntry.1` and so on, not `Entries.member.1`.
#[derive(Debug, PartialEq, Eq)]
pub struct Flattened {
    /// Our name of the structure that has it.
    pub structure: &'static str,
    /// The member's name, as other protocols have it.
    pub member: &'static str,
    /// The name of each element.
    pub element: &'static str,
    /// What an element of a map calls its key and its value; empty for a list.
    pub entry: (&'static str, &'static str),
}

/// An operation: a type without values that ties a name to its input and output shapes. Generated.
pub trait Operation: Send + Sync + 'static {
    /// The service it belongs to.
    const SERVICE: &'static Service;
    /// Its name, such as `PutMetricData`.
    const NAME: &'static str;
    /// The error that reports a violated constraint.
    const VALIDATION_ERROR: &'static ErrorShape = Self::SERVICE.validation_error;
    /// Whether AWS models an output: without one, answers have no body (or no `…Result` element).
    const HAS_OUTPUT: bool;
    /// What it takes. Inputs of the busiest operations borrow from the request's body.
    type Input<'a>: Deserialize<'a> + Serialize + Validate + Debug + Send + 'a;
    /// What it answers: a shape, or an [`EventStream`](crate::EventStream).
    type Output: Debug + Send + 'static;
}

/// Implements one operation. A service crate has one `impl Handle<Op> for TheService` an operation.
pub trait Handle<O: Operation>: Send + Sync + 'static {
    /// Does the operation. `input` has passed its constraint table (lengths, ranges, patterns, enums,
    /// required members); rules that span members are the handler's own.
    fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: O::Input<'a>,
    ) -> impl Future<Output = Result<O::Output, Fault>> + Send + 'a;
}

//! What is to be sent, in the words of every way that it may go.

use bytes::Bytes;

use crate::AwsCall;

/// One thing on its way to the target of an ARN.
#[derive(Clone, Debug)]
pub struct OutboundMessage {
    /// Whom it is for; the first target whose pattern fits takes it.
    pub arn: String,
    /// Tells it from all others for that ARN, and stays the same when it is sent again: receivers know
    /// repeats by it. A webhook gets it as the header `x-groundwatch-delivery-id`, a command as
    /// `GROUNDWATCH_DELIVERY_ID`, and in a folder it is the file's name.
    pub id: String,
    /// What a webhook gets as body, a command on its standard input, and a folder as file.
    pub body: Bytes,
    /// What `body` is, such as `application/json`.
    pub content_type: &'static str,
    /// More headers for a webhook: names in lower case, values without line breaks.
    pub headers: Vec<(&'static str, String)>,
    /// The call that AWS would make; `None`: an AWS-compatible endpoint cannot take it.
    pub aws: Option<AwsCall>,
    /// The body of OpenSearch's `_bulk`, whose documents have ids so that repeats do no harm; `None`: it
    /// cannot take it.
    pub bulk: Option<Bytes>,
}

impl OutboundMessage {
    /// A message of JSON, which webhooks, commands and folders can take.
    pub fn json(arn: impl Into<String>, id: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let (arn, id, body) = (arn.into(), id.into(), body.into());
        Self { arn, id, body, content_type: "application/json", headers: Vec::new(), aws: None, bulk: None }
    }

    /// The same, which an AWS-compatible endpoint can take by that call.
    #[must_use]
    pub fn with_aws(self, call: AwsCall) -> Self {
        Self { aws: Some(call), ..self }
    }

    /// The same, which OpenSearch can take by that body of `_bulk`.
    #[must_use]
    pub fn with_bulk(self, body: impl Into<Bytes>) -> Self {
        Self { bulk: Some(body.into()), ..self }
    }
}

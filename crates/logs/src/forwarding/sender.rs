//! Bringing one message to an ARN: in the form that its target takes.

use std::sync::Arc;

use groundwatch_core::{Arn, BoxFuture, Scope};
use groundwatch_outbound::{AwsCall, Outbound, OutboundMessage, Outcome, Route};
use serde_json::{Value, json};

use super::message::{Message, MessageType};
use super::vendor::Vendor;

/// A message, and whom it is for.
#[derive(Clone, Copy)]
pub(crate) struct Addressed<'a> {
    /// On whose behalf.
    pub(crate) scope: &'a Scope,
    /// The receiver.
    pub(crate) arn: &'a str,
    /// Stays the same when the message is sent again.
    pub(crate) id: &'a str,
    /// Messages with equal keys stay in order in a data stream.
    pub(crate) partition_key: &'a str,
    pub(crate) message: &'a Message,
}

/// The queues and topics of this server, which need no target.
pub trait LocalServices: Send + Sync {
    /// Puts `body` into the queue, or publishes it to the topic, whose ARN this is, on behalf of `scope`.
    fn deliver<'a>(&'a self, scope: &'a Scope, arn: &'a str, body: String) -> BoxFuture<'a, Outcome>;
}

/// Delivers messages to their destinations. Cheap to clone.
#[derive(Clone)]
pub struct MessageSender {
    outbound: Outbound,
    local: Arc<dyn LocalServices>,
}

impl MessageSender {
    /// By the operator's targets; queues and topics without one are this server's own.
    pub fn new(outbound: Outbound, local: Arc<dyn LocalServices>) -> Self {
        Self { outbound, local }
    }

    /// The operator's targets.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Tries once to bring a message to its receiver.
    pub(crate) async fn deliver(&self, addressed: &Addressed<'_>) -> Outcome {
        let Addressed { scope, arn, id, message, .. } = *addressed;
        let vendor = match Vendor::of(arn) {
            Ok(vendor) => vendor,
            Err(error) => return Outcome::Refused { reason: error.to_string() },
        };
        let Some(target) = self.outbound.target(arn) else {
            if matches!(vendor, Vendor::Queue | Vendor::Topic) {
                let body = String::from_utf8(message.to_lambda_event()).expect("JSON is UTF-8");
                return self.local.deliver(scope, arn, body).await;
            }
            return Outcome::Refused { reason: format!("no target is configured for {arn}") };
        };
        let outgoing = match &target.route {
            Route::OpenSearch(_) if message.message_type == MessageType::ControlMessage => {
                // It would become a document. That there is a target has to do.
                return Outcome::Accepted { answer: bytes::Bytes::new() };
            }
            Route::OpenSearch(_) => OutboundMessage::json(arn, id, "").with_bulk(message.to_bulk()),
            Route::Aws(_) => match call(vendor, addressed) {
                Some(call) => OutboundMessage::json(arn, id, "").with_aws(call),
                None => OutboundMessage::json(arn, id, ""),
            },
            Route::Webhook(_) | Route::Command(_) | Route::Folder(_) => {
                OutboundMessage::json(arn, id, plain_body(vendor, message))
            }
        };
        let outcome = self.outbound.deliver(&outgoing).await;
        if matches!((vendor, &target.route), (Vendor::Firehose, Route::Aws(_))) {
            return judge_firehose(outcome);
        }
        outcome
    }
}

/// What leaves as it is: functions get their event, queues and topics the same, all else the message's JSON.
fn plain_body(vendor: Vendor, message: &Message) -> Vec<u8> {
    match vendor {
        Vendor::Lambda | Vendor::Queue | Vendor::Topic => message.to_lambda_event(),
        _ => message.to_json(),
    }
}

/// The call that AWS makes; `None` where it makes none.
fn call(vendor: Vendor, addressed: &Addressed<'_>) -> Option<AwsCall> {
    let Addressed { arn, message, .. } = *addressed;
    let resource = Arn::parse(arn).ok()?.resource;
    let named = |prefix: &str| resource.strip_prefix(prefix).unwrap_or(resource);
    Some(match vendor {
        Vendor::Kinesis => {
            let body = json!({
                "StreamName": named("stream/"),
                "StreamARN": arn,
                "PartitionKey": addressed.partition_key,
                "Data": message.to_base64(),
            });
            AwsCall::json("kinesis", "1.1", "Kinesis_20131202.PutRecord", body.to_string())
        }
        Vendor::Firehose => {
            let body = json!({
                "DeliveryStreamName": named("deliverystream/"),
                "Records": [{ "Data": message.to_base64() }],
            });
            AwsCall::json("firehose", "1.1", "Firehose_20150804.PutRecordBatch", body.to_string())
        }
        Vendor::Lambda => {
            // Colons of an ARN are fine in a path.
            let path = format!("/2015-03-31/functions/{arn}/invocations");
            let headers = vec![
                ("content-type", "application/json".to_owned()),
                ("x-amz-invocation-type", "Event".to_owned()),
            ];
            AwsCall::rest("lambda", http::Method::POST, path, headers, message.to_lambda_event())
        }
        Vendor::Queue => {
            let arn = Arn::parse(arn).ok()?;
            let body = String::from_utf8(message.to_lambda_event()).expect("JSON is UTF-8");
            // AWS's queues are found by URL; those who stand in for it look at account and name.
            let url = format!("https://sqs.{}.amazonaws.com/{}/{}", arn.region, arn.account, arn.resource);
            let body = json!({ "QueueUrl": url, "MessageBody": body });
            AwsCall::json("sqs", "1.0", "AmazonSQS.SendMessage", body.to_string())
        }
        Vendor::Topic => {
            let body = String::from_utf8(message.to_lambda_event()).expect("JSON is UTF-8");
            let parameters = [("TopicArn", arn), ("Message", body.as_str())];
            AwsCall::query("sns", "2010-03-31", "Publish", parameters)
        }
        Vendor::Destination | Vendor::Other => return None,
    })
}

/// Firehose answers 200 also when it took nothing.
fn judge_firehose(outcome: Outcome) -> Outcome {
    let Outcome::Accepted { answer } = &outcome else { return outcome };
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    if answer["FailedPutCount"].as_u64().unwrap_or(0) == 0 {
        return outcome;
    }
    let code = answer["RequestResponses"][0]["ErrorCode"].as_str().unwrap_or("no code");
    let is_throttled = code.contains("Unavailable") || code.contains("Throttl");
    Outcome::Unavailable { reason: format!("Firehose did not take the record: {code}"), is_throttled }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Timestamp;

    use super::*;

    #[test]
    fn each_vendor_gets_the_call_that_aws_makes() {
        let message = Message::control("x", Timestamp::EPOCH);
        let check = |arn: &str, service: &str, path: &str, part: &str| {
            let scope = Scope::default();
            let addressed = Addressed { scope: &scope, arn, id: "1", partition_key: "k", message: &message };
            let call = call(Vendor::of(arn).expect("an ARN"), &addressed).expect("a call");
            assert_eq!((call.service, call.path_and_query.as_str()), (service, path), "{arn}");
            let body = String::from_utf8_lossy(&call.body);
            assert!(body.contains(part), "{arn}: {body}");
        };
        check("arn:aws:kinesis:us-east-1:1:stream/s", "kinesis", "/", r#""StreamName":"s""#);
        check(
            "arn:aws:firehose:us-east-1:1:deliverystream/d",
            "firehose",
            "/",
            r#""DeliveryStreamName":"d""#,
        );
        let function = "arn:aws:lambda:us-east-1:1:function:f";
        check(function, "lambda", &format!("/2015-03-31/functions/{function}/invocations"), "awslogs");
        check("arn:aws:sqs:us-east-1:1:q", "sqs", "/", "amazonaws.com/1/q");
        check("arn:aws:sns:us-east-1:1:t", "sns", "/", "Action=Publish");
    }

    #[test]
    fn a_record_that_firehose_did_not_take_is_sent_again() {
        let accepted = |answer: &'static str| Outcome::Accepted { answer: answer.as_bytes().into() };
        assert!(matches!(judge_firehose(accepted(r#"{"FailedPutCount":0}"#)), Outcome::Accepted { .. }));
        let failed =
            r#"{"FailedPutCount":1,"RequestResponses":[{"ErrorCode":"ServiceUnavailableException"}]}"#;
        assert!(matches!(judge_firehose(accepted(failed)), Outcome::Unavailable { is_throttled: true, .. }));
    }
}

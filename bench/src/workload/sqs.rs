//! Messages through one queue of SQS: each connection sends one, receives one, and deletes what it received,
//! over and over.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::Session;
use crate::client::{Connection, Failure};
use crate::load::{Amount, Plan, Work};
use crate::protocol::{Protocol, RequestHead, Service};
use crate::report::{Checked, Report};

/// The size of each message's body.
const BODY_BYTES: usize = 256;

/// The requests of one cycle.
struct Cycle {
    send: (RequestHead, Value),
    receive: (RequestHead, Value),
    delete: RequestHead,
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Queue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    receipt_handle: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    attributes: std::collections::BTreeMap<String, String>,
}

/// Measures cycles on a queue of this run's own, checks that it is empty afterwards, and deletes it.
pub(crate) async fn run(session: &Session, plan: Plan) -> anyhow::Result<Report> {
    let head = |operation| session.head(Service::Sqs, operation, Protocol::Json);
    let mut connection = session.endpoint.connection();
    let input = json!({ "QueueName": format!("bench-{}", session.id()) });
    let Queue { queue_url } = connection.call_json(&head("CreateQueue"), &input).await?;
    let workers = (0..session.args.connections).map(|number| {
        let body = format!("{number:0BODY_BYTES$}");
        Cycle {
            send: (head("SendMessage"), json!({ "QueueUrl": queue_url, "MessageBody": body })),
            // Whoever has sent a message finds one: the wait is for those that are on their way.
            receive: (head("ReceiveMessage"), json!({ "QueueUrl": queue_url, "WaitTimeSeconds": 1 })),
            delete: head("DeleteMessage"),
            queue_url: queue_url.clone(),
        }
    });
    let (_, measured) = session.measure("sqs", plan, workers.collect()).await?;

    let input = json!({ "QueueUrl": queue_url, "AttributeNames": ["All"] });
    let left: Attributes = connection.call_json(&head("GetQueueAttributes"), &input).await?;
    let input = json!({ "QueueUrl": queue_url });
    let _: IgnoredAny = connection.call_json(&head("DeleteQueue"), &input).await?;

    let setting = format!(
        "send, receive and delete one message of {BODY_BYTES} bytes, three requests a cycle, {} connections",
        session.args.connections
    );
    let pid = session.server.map(|server| server.pid);
    let mut report = Report::new("sqs", setting, "cycles", &measured, pid);
    report.checked = Some(check(&left));
    Ok(report)
}

/// Every message that was sent was received and deleted, unless a connection was cut in between.
fn check(left: &Attributes) -> Checked {
    let counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    let mismatches = counts.iter().filter_map(|name| match left.attributes.get(*name).map(String::as_str) {
        Some("0") => None,
        other => Some(format!("{name} is {}, not 0", other.unwrap_or("missing"))),
    });
    Checked { what: "that the queue is empty".to_owned(), mismatches: mismatches.collect() }
}

impl Work for Cycle {
    async fn step(&mut self, connection: &mut Connection) -> Result<Amount, Failure> {
        let _: IgnoredAny = connection.call_json(&self.send.0, &self.send.1).await?;
        let Received { messages } = connection.call_json(&self.receive.0, &self.receive.1).await?;
        let Some(message) = messages.first() else {
            let message = "the queue has no message for who has sent one".to_owned();
            return Err(Failure::Refused { code: "NothingReceived".to_owned(), message });
        };
        let input = json!({ "QueueUrl": self.queue_url, "ReceiptHandle": message.receipt_handle });
        let _: IgnoredAny = connection.call_json(&self.delete, &input).await?;
        Ok(Amount { bytes: message.body.len() as u64, items: 1 })
    }
}

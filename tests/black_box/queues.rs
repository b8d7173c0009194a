//! SQS as clients of both of its protocols put it on the wire, and an alarm that arrives in a queue.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricDatum, StateValue, Statistic};
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, Answer, Server};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");

fn signed() -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/eu-central-1/sqs/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature=0000"
    )
}

/// A call as the SDKs of today make it; the status, the code of an error, and the answer.
async fn call(server: &Server, operation: &str, input: Value) -> (u16, Option<String>, Value) {
    let headers = [
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", &format!("AmazonSQS.{operation}")),
        ("Authorization", &signed()),
        ("x-amzn-query-mode", "true"),
    ];
    let answer = server.post("/", &headers, input.to_string().as_bytes()).await;
    let code = answer.header("x-amzn-query-error").map(str::to_owned);
    (answer.status, code, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

/// A call that must go well.
async fn ok(server: &Server, operation: &str, input: Value) -> Value {
    let (status, code, answer) = call(server, operation, input).await;
    assert_eq!((status, code), (200, None), "{operation}: {answer}");
    answer
}

/// A call of old, to where the queue's URL leads.
async fn query(server: &Server, path: &str, form: &str) -> Answer {
    server.post(path, &[FORM, ("Authorization", &signed())], form.as_bytes()).await
}

async fn create(server: &Server, name: &str, attributes: Value) -> String {
    let input = json!({"QueueName": name, "Attributes": attributes});
    ok(server, "CreateQueue", input).await["QueueUrl"].as_str().expect("told").to_owned()
}

async fn receive(server: &Server, url: &str) -> Vec<Value> {
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]});
    ok(server, "ReceiveMessage", input).await["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_message_with_attributes_goes_through_a_queue() {
    let server = Server::start_with_manual_clock().await;
    let url = create(&server, "orders", json!({"VisibilityTimeout": "45"})).await;
    assert_eq!(url, format!("{}/{ACCOUNT}/orders", server.url));
    let sent = ok(
        &server,
        "SendMessage",
        json!({
            "QueueUrl": url,
            "MessageBody": "This is a test message",
            "MessageAttributes": {"city": {"DataType": "String", "StringValue": "Any City"}},
        }),
    )
    .await;
    assert_eq!(sent["MD5OfMessageBody"], "fafb00f5732ab283681e124bf8747ed1");

    let input =
        json!({"QueueUrl": url, "MessageAttributeNames": ["All"], "AttributeNames": ["SentTimestamp"]});
    let received = ok(&server, "ReceiveMessage", input.clone()).await;
    let message = &received["Messages"][0];
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(message["MessageAttributes"]["city"]["StringValue"], "Any City");
    assert_eq!(message["Attributes"], json!({"SentTimestamp": "1767225600000"}));
    assert_eq!(ok(&server, "ReceiveMessage", input.clone()).await, json!({}), "it is hidden");
    server.advance("PT45S").await;
    let again = ok(&server, "ReceiveMessage", input).await["Messages"][0].clone();
    let handle = again["ReceiptHandle"].clone();
    ok(&server, "DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await;
    server.advance("PT45S").await;
    assert!(receive(&server, &url).await.is_empty());
}

#[tokio::test]
async fn old_clients_speak_query_to_the_queues_own_path() {
    let server = Server::start_with_manual_clock().await;
    let created = query(
        &server,
        "/",
        "Action=CreateQueue&Version=2012-11-05&QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7\
         &Tag.1.Key=team&Tag.1.Value=a",
    )
    .await;
    let url = format!("{}/{ACCOUNT}/q", server.url);
    assert!(created.text().contains(&format!("<QueueUrl>{url}</QueueUrl>")), "{}", created.text());
    let path = format!("/{ACCOUNT}/q");
    let form = |action: &str| format!("Action={action}&Version=2012-11-05&QueueUrl={url}");

    let sent = query(
        &server,
        &path,
        &form(
            "SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=one\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=Number\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=5\
             &SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=two\
             &SendMessageBatchRequestEntry.2.DelaySeconds=1800",
        ),
    )
    .await;
    for part in [
        "<SendMessageBatchResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><SendMessageBatchResult>",
        "<SendMessageBatchResultEntry><Id>a</Id>",
        "<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>InvalidParameterValue</Code>",
    ] {
        assert!(sent.text().contains(part), "{part}: {}", sent.text());
    }
    let received =
        query(&server, &path, &form("ReceiveMessage&AttributeName.1=All&MessageAttributeName.1=All")).await;
    for part in [
        "<ReceiveMessageResult><Message><MessageId>",
        "<Body>one</Body>",
        "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>",
        "<MessageAttribute><Name>n</Name><Value><StringValue>5</StringValue><DataType>Number</DataType></Value>",
    ] {
        assert!(received.text().contains(part), "{part}: {}", received.text());
    }
    let told = query(&server, &path, &form("GetQueueAttributes&AttributeName.1=VisibilityTimeout")).await;
    assert!(
        told.text().contains(
            "<GetQueueAttributesResult><Attribute><Name>VisibilityTimeout</Name><Value>7</Value></Attribute>"
        ),
        "{}",
        told.text()
    );
    let tags = query(&server, &path, &form("ListQueueTags")).await;
    assert!(tags.text().contains("<Tag><Key>team</Key><Value>a</Value></Tag>"), "{}", tags.text());
    // As in AWS's guide: the path alone says which queue.
    let bare =
        query(&server, &path, "Action=GetQueueAttributes&AttributeName.1=QueueArn&Version=2012-11-05").await;
    assert!(bare.text().contains(&format!("{ACCOUNT}:q</Value>")), "{}", bare.text());
    let missing = query(&server, "/", "Action=GetQueueUrl&Version=2012-11-05&QueueName=missing").await;
    assert_eq!(missing.status, 400);
    assert!(missing.text().contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"));
    // recorded: over this protocol the message is another one.
    let message = "<Message>The specified queue does not exist for this wsdl version.</Message>";
    assert!(missing.text().contains(message), "{}", missing.text());
    let incomplete = query(&server, &path, &form("SendMessage")).await;
    assert!(incomplete.text().contains("<Code>MissingParameter</Code>"), "{}", incomplete.text());
    let message = "<Message>The request must contain the parameter MessageBody.</Message>";
    assert!(incomplete.text().contains(message), "{}", incomplete.text());
}

#[tokio::test]
async fn errors_have_both_of_their_names() {
    let server = Server::start();
    let url = create(&server, "q", json!({})).await;
    for (operation, input, status, code, shape) in [
        (
            "GetQueueUrl",
            json!({"QueueName": "missing"}),
            400,
            "AWS.SimpleQueueService.NonExistentQueue",
            "com.amazonaws.sqs#QueueDoesNotExist",
        ),
        (
            "DeleteMessage",
            json!({"QueueUrl": url, "ReceiptHandle": "x"}),
            404,
            "ReceiptHandleIsInvalid",
            "com.amazonaws.sqs#ReceiptHandleIsInvalid",
        ),
        (
            "SetQueueAttributes",
            json!({"QueueUrl": url, "Attributes": {"Colour": "red"}}),
            400,
            "InvalidAttributeName",
            "com.amazonaws.sqs#InvalidAttributeName",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "q", "Attributes": {"DelaySeconds": "5"}}),
            400,
            "QueueAlreadyExists",
            "com.amazonaws.sqs#QueueNameExists",
        ),
        (
            "SendMessage",
            json!({"QueueUrl": url}),
            400,
            "MissingParameter",
            "com.amazonaws.sqs#MissingRequiredParameterException",
        ),
        (
            "CreateQueue",
            json!({"QueueName": "r", "Attributes": {"DeduplicationScope": "queue"}}),
            400,
            "InvalidAttributeName",
            "com.amazonaws.sqs#InvalidAttributeName",
        ),
        (
            "CancelMessageMoveTask",
            json!({"TaskHandle": "nonsense"}),
            400,
            "InvalidParameterValue",
            "com.amazonaws.sqs#InvalidParameterValueException",
        ),
    ] {
        let (found, header, answer) = call(&server, operation, input).await;
        assert_eq!((found, header), (status, Some(format!("{code};Sender"))), "{operation}: {answer}");
        assert_eq!(answer["__type"], shape);
    }
}

/// The bodies of what is received now, at most `count`, hidden for so long.
async fn bodies(server: &Server, url: &str, count: u32, timeout_secs: u32) -> Vec<String> {
    let wish = json!({"QueueUrl": url, "MaxNumberOfMessages": count, "VisibilityTimeout": timeout_secs});
    let answer = ok(server, "ReceiveMessage", wish).await;
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| message["Body"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn a_message_carries_the_trace_of_its_request() {
    let server = Server::start();
    let url = create(&server, "q", json!({"VisibilityTimeout": "0"})).await;
    let own = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-own"}});
    for (body, attributes) in [("a", json!({})), ("b", own)] {
        let headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", "AmazonSQS.SendMessage"),
            ("Authorization", &signed()),
            ("X-Amzn-Trace-Id", "Root=1-header"),
        ];
        let message = json!({"QueueUrl": url, "MessageBody": body, "MessageSystemAttributes": attributes});
        assert_eq!(server.post("/", &headers, message.to_string().as_bytes()).await.status, 200);
    }
    ok(&server, "SendMessage", json!({"QueueUrl": url, "MessageBody": "c"})).await;
    let received = receive(&server, &url).await;
    let traces: Vec<_> = received.iter().map(|message| &message["Attributes"]["AWSTraceHeader"]).collect();
    assert_eq!(traces, [&json!("Root=1-header"), &json!("Root=1-own"), &Value::Null]);
}

/// Recorded from AWS: a group that was received from stands behind the others when it is free again.
#[tokio::test]
async fn message_groups_take_turns() {
    let server = Server::start_with_manual_clock().await;
    let attributes = json!({"FifoQueue": "True", "ContentBasedDeduplication": "True"});
    let url = create(&server, "q.fifo", attributes).await;
    for body in ["g1-m1", "g2-m1", "g2-m2", "g3-m1", "g1-m2"] {
        let message = json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": body[..2]});
        ok(&server, "SendMessage", message).await;
    }
    assert_eq!(bodies(&server, &url, 3, 0).await, ["g1-m1", "g1-m2", "g2-m1"]);
    assert_eq!(bodies(&server, &url, 10, 0).await, ["g3-m1", "g1-m1", "g1-m2", "g2-m1", "g2-m2"]);
    assert_eq!(bodies(&server, &url, 2, 30).await.len(), 2);
    // A purge makes room for repetitions.
    ok(&server, "PurgeQueue", json!({"QueueUrl": url})).await;
    ok(&server, "SendMessage", json!({"QueueUrl": url, "MessageBody": "g1-m1", "MessageGroupId": "g1"}))
        .await;
    assert_eq!(bodies(&server, &url, 10, 30).await, ["g1-m1"]);
}

/// Recorded from AWS: what was received before a message was dead counts on in the dead-letter queue, and a
/// receipt whose time is over still hides its message while nobody else has received it.
#[tokio::test]
async fn receipts_count_beyond_their_queue_and_their_time() {
    let server = Server::start_with_manual_clock().await;
    let dead = create(&server, "dead", json!({})).await;
    let policy = json!({
        "deadLetterTargetArn": format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:dead"),
        "maxReceiveCount": 2,
    });
    let url = create(&server, "q", json!({"RedrivePolicy": policy.to_string()})).await;
    ok(&server, "SendMessage", json!({"QueueUrl": url, "MessageBody": "m"})).await;
    let received = receive(&server, &url).await;
    server.advance("PT31S").await;
    let late = json!({
        "QueueUrl": url,
        "ReceiptHandle": received[0]["ReceiptHandle"],
        "VisibilityTimeout": 60,
    });
    ok(&server, "ChangeMessageVisibility", late).await;
    assert!(bodies(&server, &url, 1, 0).await.is_empty());
    server.advance("PT60S").await;
    assert_eq!(bodies(&server, &url, 1, 0).await, ["m"]);
    assert!(bodies(&server, &url, 1, 0).await.is_empty());
    let wish = json!({"QueueUrl": dead, "AttributeNames": ["ApproximateReceiveCount"]});
    let answer = ok(&server, "ReceiveMessage", wish).await;
    assert_eq!(answer["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "3");
}

#[tokio::test]
async fn what_was_acknowledged_survives_sigkill() {
    let server = Server::start();
    let url = create(&server, "q", json!({"VisibilityTimeout": "0"})).await;
    for number in 0..20 {
        ok(&server, "SendMessage", json!({"QueueUrl": url, "MessageBody": number.to_string()})).await;
    }
    for message in receive(&server, &url).await {
        let handle = message["ReceiptHandle"].clone();
        ok(&server, "DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await;
    }
    let server = server.kill_and_restart(&[]);
    let mut bodies = Vec::new();
    let input = json!({"QueueUrl": "q", "MaxNumberOfMessages": 10, "VisibilityTimeout": 60});
    for message in ok(&server, "ReceiveMessage", input).await["Messages"].as_array().expect("some") {
        bodies.push(message["Body"].as_str().expect("told").parse::<u32>().expect("a number"));
    }
    bodies.sort_unstable();
    assert_eq!(bodies, (10..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_long_poll_ends_when_the_clock_says_so() {
    let server = Server::start_with_manual_clock().await;
    let url = create(&server, "q", json!({"DelaySeconds": "15"})).await;
    ok(&server, "SendMessage", json!({"QueueUrl": url, "MessageBody": "late"})).await;
    let input = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
    let waiting = ok(&server, "ReceiveMessage", input);
    let moving = async {
        // Whichever comes first: the poll begins after the message appeared, or is woken by it.
        server.advance("PT15S").await;
    };
    let (received, ()) = tokio::join!(waiting, moving);
    assert_eq!(received["Messages"][0]["Body"], "late");
}

/// The state of the alarm of that name.
async fn state(server: &Server, name: &str) -> StateValue {
    let described = server.cloudwatch().describe_alarms().alarm_names(name).send().await.expect("described");
    described.metric_alarms()[0].state_value().expect("told").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_watches_how_many_messages_wait() {
    let server = Server::start_with_manual_clock().await;
    let url = create(&server, "orders", json!({})).await;
    let queue = Dimension::builder().name("QueueName").value("orders").build();
    let depth = server
        .cloudwatch()
        .put_metric_alarm()
        .alarm_name("depth")
        .namespace("AWS/SQS")
        .metric_name("ApproximateNumberOfMessagesVisible")
        .dimensions(queue)
        .statistic(Statistic::Maximum)
        .period(60)
        .evaluation_periods(1)
        .threshold(1.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold);
    depth.send().await.expect("put");
    server.advance("PT1M").await;
    assert_eq!(state(&server, "depth").await, StateValue::Ok, "an empty queue says so");
    for body in ["a", "b"] {
        ok(&server, "SendMessage", json!({"QueueUrl": url, "MessageBody": body})).await;
    }
    server.advance("PT1M").await;
    assert_eq!(state(&server, "depth").await, StateValue::Alarm);
    for message in receive(&server, &url).await {
        let handle = message["ReceiptHandle"].clone();
        ok(&server, "DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await;
    }
    server.advance("PT1M").await;
    assert_eq!(state(&server, "depth").await, StateValue::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_arrives_in_a_queue_through_its_topic() {
    let server = Server::start_with_manual_clock().await;
    let url = create(&server, "alarms", json!({})).await;
    let queue_arn = format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:alarms");
    let (sns, cloudwatch) = (server.sns(), server.cloudwatch());
    let topic = sns.create_topic().name("alerts").send().await.expect("created");
    let topic_arn = topic.topic_arn().expect("an ARN").to_owned();
    let subscribe = sns.subscribe().topic_arn(&topic_arn).protocol("sqs").endpoint(&queue_arn);
    subscribe.send().await.expect("subscribed");
    cloudwatch
        .put_metric_alarm()
        .alarm_name("hot")
        .namespace("App")
        .metric_name("Heat")
        .statistic(Statistic::Maximum)
        .period(60)
        .evaluation_periods(1)
        .threshold(10.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .alarm_actions(&topic_arn)
        .send()
        .await
        .expect("put");
    let datum = MetricDatum::builder().metric_name("Heat").value(11.0).build();
    cloudwatch.put_metric_data().namespace("App").metric_data(datum).send().await.expect("put");
    server.advance("PT3M").await;

    let messages = receive(&server, &url).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    let envelope: Value =
        serde_json::from_str(messages[0]["Body"].as_str().expect("told")).expect("SNS's JSON");
    assert_eq!((&envelope["Type"], &envelope["TopicArn"]), (&json!("Notification"), &json!(topic_arn)));
    let alarm: Value =
        serde_json::from_str(envelope["Message"].as_str().expect("told")).expect("the alarm's JSON");
    assert_eq!((&alarm["AlarmName"], &alarm["NewStateValue"]), (&json!("hot"), &json!("ALARM")));

    let all = server.cloudwatch().list_metrics().namespace("AWS/SNS").send().await.expect("listed");
    let names: Vec<_> = all.metrics().iter().map(|metric| metric.metric_name().expect("a name")).collect();
    assert_eq!(names, ["NumberOfMessagesPublished", "NumberOfNotificationsDelivered", "PublishSize"]);
}

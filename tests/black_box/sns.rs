//! SNS through the SDK: looking after topics and subscriptions, filters, FIFO, signatures, mail.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry, Tag};
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, Server};

/// How long a delivery may take before a test gives up; it comes within milliseconds.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);

async fn sqs(server: &Server, operation: &str, body: &Value) -> Value {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/eu-central-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
    );
    let target = format!("AmazonSQS.{operation}");
    let headers = [
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", target.as_str()),
        ("Authorization", authorization.as_str()),
    ];
    let answer = server.post("/", &headers, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// A queue's URL and ARN.
async fn queue(server: &Server, name: &str, attributes: Value) -> (String, String) {
    let created = sqs(server, "CreateQueue", &json!({ "QueueName": name, "Attributes": attributes })).await;
    let url = created["QueueUrl"].as_str().expect("a URL").to_owned();
    (url, format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:{name}"))
}

/// The bodies of all messages that are in the queue now.
async fn received(server: &Server, url: &str) -> Vec<String> {
    let received =
        sqs(server, "ReceiveMessage", &json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 })).await;
    let messages = received["Messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| message["Body"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn topics_and_subscriptions_are_looked_after() {
    let server = Server::start_with_manual_clock().await;
    let sns = server.sns();
    let topic = sns.create_topic().name("alerts").send().await.expect("created");
    let arn = topic.topic_arn().expect("an ARN");
    let (_, queue_arn) = queue(&server, "q", json!({})).await;
    let subscribed = sns.subscribe().topic_arn(arn).protocol("sqs").endpoint(&queue_arn).send().await;
    let subscription = subscribed.expect("subscribed").subscription_arn.expect("an ARN");

    let set = sns.set_topic_attributes().topic_arn(arn).attribute_name("DisplayName").attribute_value("A");
    set.send().await.expect("set");
    let add = sns.add_permission().topic_arn(arn).label("p").aws_account_id("999999999999");
    add.action_name("Publish").send().await.expect("added");
    let shown = sns.get_topic_attributes().topic_arn(arn).send().await.expect("shown");
    let shown = shown.attributes().expect("attributes");
    assert_eq!((shown["DisplayName"].as_str(), shown["SubscriptionsConfirmed"].as_str()), ("A", "1"));
    assert!(shown["Policy"].contains("arn:aws:iam::999999999999:root"));
    sns.remove_permission().topic_arn(arn).label("p").send().await.expect("removed");

    let tag = Tag::builder().key("team").value("x").build().expect("a tag");
    sns.tag_resource().resource_arn(arn).tags(tag.clone()).send().await.expect("tagged");
    let listed = sns.list_tags_for_resource().resource_arn(arn).send().await.expect("listed");
    assert_eq!(listed.tags(), [tag]);
    sns.untag_resource().resource_arn(arn).tag_keys("team").send().await.expect("untagged");

    let all = sns.list_subscriptions().send().await.expect("listed");
    let by_topic = sns.list_subscriptions_by_topic().topic_arn(arn).send().await.expect("listed");
    assert_eq!(all.subscriptions(), by_topic.subscriptions());
    assert_eq!(all.subscriptions()[0].endpoint(), Some(queue_arn.as_str()));
    let set = sns.set_subscription_attributes().subscription_arn(&subscription);
    set.attribute_name("RawMessageDelivery").attribute_value("true").send().await.expect("set");
    let shown =
        sns.get_subscription_attributes().subscription_arn(&subscription).send().await.expect("shown");
    assert_eq!(shown.attributes().expect("attributes")["RawMessageDelivery"], "true");

    sns.delete_topic().topic_arn(arn).send().await.expect("deleted");
    let gone = sns.get_subscription_attributes().subscription_arn(&subscription).send().await;
    assert!(gone.expect_err("gone").into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn queues_get_what_they_want_before_the_publisher_has_an_answer() {
    let server = Server::start_with_manual_clock().await;
    let sns = server.sns();
    let topic = sns.create_topic().name("alerts").send().await.expect("created");
    let arn = topic.topic_arn().expect("an ARN");
    let (url, queue_arn) = queue(&server, "q", json!({})).await;
    let subscribe = sns.subscribe().topic_arn(arn).protocol("sqs").endpoint(&queue_arn);
    subscribe.attributes("FilterPolicy", r#"{"store": ["a"]}"#).send().await.expect("subscribed");
    let entry = |id: &str, store: &str| {
        let value = MessageAttributeValue::builder().data_type("String").string_value(store).build();
        PublishBatchRequestEntry::builder()
            .id(id)
            .message(format!("for {store}"))
            .message_attributes("store", value.expect("a value"))
            .build()
            .expect("an entry")
    };
    let batch = sns.publish_batch().topic_arn(arn);
    let batch =
        batch.publish_batch_request_entries(entry("1", "a")).publish_batch_request_entries(entry("2", "b"));
    assert_eq!(batch.send().await.expect("published").successful().len(), 2);
    let bodies = received(&server, &url).await;
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let body: Value = serde_json::from_str(&bodies[0]).expect("JSON");
    assert_eq!(body["Message"], "for a");
    assert_eq!(body["MessageAttributes"]["store"], json!({ "Type": "String", "Value": "a" }));

    let certificate = body["SigningCertURL"].as_str().expect("a link");
    let path = certificate.strip_prefix(&server.url).expect("it leads back to this server");
    let answer = server.request("GET", path, &[], b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().starts_with("-----BEGIN CERTIFICATE-----"), "{}", answer.text());
}

#[tokio::test]
async fn a_fifo_topic_takes_no_message_twice() {
    let server = Server::start_with_manual_clock().await;
    let sns = server.sns();
    let created = sns.create_topic().name("t.fifo").attributes("FifoTopic", "true").send().await;
    let arn = created.expect("created").topic_arn.expect("an ARN");
    let (url, queue_arn) = queue(&server, "q.fifo", json!({ "FifoQueue": "true" })).await;
    let subscribe = sns.subscribe().topic_arn(&arn).protocol("sqs").endpoint(&queue_arn);
    subscribe.attributes("RawMessageDelivery", "true").send().await.expect("subscribed");
    for (text, id) in [("one", "1"), ("one again", "1"), ("two", "2")] {
        let publish = sns.publish().topic_arn(&arn).message(text).message_group_id("g");
        publish.message_deduplication_id(id).send().await.expect("published");
    }
    assert_eq!(received(&server, &url).await, ["one", "two"]);
}

/// AWS's CloudWatch guide: messages of one alarm are one group. The topic here deduplicates by ids only, which
/// CloudWatch has to give.
#[tokio::test]
async fn alarms_publish_to_fifo_topics_in_order() {
    let server = Server::start_with_manual_clock().await;
    let sns = server.sns();
    let created = sns.create_topic().name("t.fifo").attributes("FifoTopic", "true").send().await;
    let arn = created.expect("created").topic_arn.expect("an ARN");
    let (url, queue_arn) = queue(&server, "q.fifo", json!({ "FifoQueue": "true" })).await;
    sns.subscribe().topic_arn(&arn).protocol("sqs").endpoint(&queue_arn).send().await.expect("subscribed");
    let cloudwatch = server.cloudwatch();
    let alarm = cloudwatch.put_metric_alarm().alarm_name("cpu").namespace("Shop").metric_name("cpu");
    let alarm = alarm.statistic(Statistic::Average).period(60).evaluation_periods(1).threshold(1.0);
    let alarm = alarm.comparison_operator(ComparisonOperator::GreaterThanThreshold);
    let alarm = alarm.treat_missing_data("ignore").alarm_actions(&arn).ok_actions(&arn);
    alarm.send().await.expect("accepted");
    let states = [StateValue::Alarm, StateValue::Ok, StateValue::Alarm];
    for state in &states {
        let set = cloudwatch.set_alarm_state().alarm_name("cpu").state_reason("drill");
        set.state_value(state.clone()).send().await.expect("accepted");
        server.advance("PT1S").await;
    }
    let asked = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["MessageGroupId"] });
    let received = sqs(&server, "ReceiveMessage", &asked).await;
    let messages = received["Messages"].as_array().expect("messages");
    let group = &messages[0]["Attributes"]["MessageGroupId"];
    assert!(messages.iter().all(|message| message["Attributes"]["MessageGroupId"] == *group));
    let told: Vec<String> = messages
        .iter()
        .map(|message| {
            let envelope: Value =
                serde_json::from_str(message["Body"].as_str().expect("text")).expect("JSON");
            let alarm: Value =
                serde_json::from_str(envelope["Message"].as_str().expect("text")).expect("JSON");
            alarm["NewStateValue"].as_str().expect("a state").to_owned()
        })
        .collect();
    assert_eq!(told, states.map(|state| state.as_str().to_owned()));
}

#[tokio::test]
async fn a_message_of_a_fifo_topic_is_not_signed() {
    let server = Server::start_with_manual_clock().await;
    let sns = server.sns();
    let created = sns.create_topic().name("t.fifo").attributes("FifoTopic", "true").send().await;
    let arn = created.expect("created").topic_arn.expect("an ARN");
    let (url, queue_arn) = queue(&server, "q", json!({})).await;
    sns.subscribe().topic_arn(&arn).protocol("sqs").endpoint(&queue_arn).send().await.expect("subscribed");
    let publish = sns.publish().topic_arn(&arn).message("one").message_group_id("g");
    publish.message_deduplication_id("1").send().await.expect("published");
    let wish = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
    let answer = sqs(&server, "ReceiveMessage", &wish).await;
    // recorded: nor does a standard queue get to know the group.
    assert_eq!(answer["Messages"][0]["Attributes"]["MessageGroupId"], Value::Null);
    let body = answer["Messages"][0]["Body"].as_str().expect("text");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let members: Vec<&String> = body.as_object().expect("an object").keys().collect();
    let expected =
        ["Message", "MessageId", "SequenceNumber", "Timestamp", "TopicArn", "Type", "UnsubscribeURL"];
    assert_eq!(members, expected);
}

/// Refusals that were recorded from AWS: the form, and code and message of the answer.
#[tokio::test]
async fn refusals_read_as_aws_words_them() {
    let server = Server::start_with_manual_clock().await;
    let sns = server.sns();
    let created = sns.create_topic().name("t").send().await;
    let arn = created.expect("created").topic_arn.expect("an ARN");
    let (_, queue_arn) = queue(&server, "q", json!({})).await;
    let subscribe = sns.subscribe().topic_arn(&arn).protocol("sqs").endpoint(&queue_arn).send().await;
    let subscription = subscribe.expect("subscribed").subscription_arn.expect("an ARN");
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/eu-central-1/sns/aws4_request, SignedHeaders=host, Signature=0"
    );
    let headers =
        [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", authorization.as_str())];
    let attribute = "MessageAttributes.entry.1";
    let entry = "PublishBatchRequestEntries.member.1";
    for (form, code, message) in [
        (
            "Action=Publish&Message=m&TopicArn=nonsense".to_owned(),
            "InvalidParameter",
            "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
        ),
        (
            format!("Action=Publish&Message=m&TargetArn={arn}").replace(":t", ":endpoint/GCM/a/b"),
            "InvalidParameter",
            "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified",
        ),
        (
            format!(
                "Action=Publish&Message=m&TopicArn={arn}&{attribute}.Name=a%5E&{attribute}.Value.DataType=String&{attribute}.Value.StringValue=x"
            ),
            "ParameterValueInvalid",
            "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.",
        ),
        (
            format!(
                "Action=Publish&Message=m&TopicArn={arn}&{attribute}.Name=a&{attribute}.Value.DataType=Number&{attribute}.Value.BinaryValue=eA=="
            ),
            "ParameterValueInvalid",
            "The message attribute 'a' with type 'Number' must use field 'String'.",
        ),
        (
            format!("Action=PublishBatch&TopicArn={arn}&{entry}.Id=a.b&{entry}.Message=m"),
            "InvalidBatchEntryId",
            "The Id of a batch entry in the batch request contains an impermissible character: a.b",
        ),
        (
            format!(
                "Action=PublishBatch&TopicArn={arn}&{entry}.Id=a&{entry}.Message=m&{entry}.MessageStructure=json"
            ),
            "InvalidParameter",
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        ),
        (
            format!(
                "Action=SetSubscriptionAttributes&SubscriptionArn={subscription}&AttributeName=RawMessageDelivery&AttributeValue="
            ),
            "InvalidParameter",
            "Invalid parameter: RawMessageDelivery: Invalid value []. Must be true or false.",
        ),
        (
            format!(
                "Action=Subscribe&TopicArn={arn}&Protocol=sqs&Endpoint={queue_arn}&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=x"
            ),
            "InvalidParameter",
            "Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [x]. Must be true or false.",
        ),
        (
            "Action=Unsubscribe".to_owned(),
            "InvalidParameter",
            "Invalid parameter: SubscriptionArn Reason: no value for required parameter",
        ),
        (
            format!("Action=Unsubscribe&SubscriptionArn={arn}"),
            "InvalidParameter",
            "Invalid parameter: SubscriptionId",
        ),
        (
            format!("Action=ConfirmSubscription&TopicArn={arn}&Token=nonsense"),
            "InvalidParameter",
            "Invalid token",
        ),
        (
            format!("Action=ConfirmSubscription&TopicArn={arn}x&Token=51b2ff3e"),
            "InvalidParameter",
            "Invalid parameter: Token",
        ),
        (
            format!(
                "Action=TagResource&ResourceArn={arn}&Tags.member.1.Key=k&Tags.member.1.Value=1&Tags.member.2.Key=k&Tags.member.2.Value=1"
            ),
            "InvalidParameter",
            "Invalid parameter: Duplicated keys are not allowed.",
        ),
    ] {
        let answer = server.post("/", &headers, format!("Version=2010-03-31&{form}").as_bytes()).await;
        let text = answer.text().replace("&apos;", "'").replace("&#39;", "'");
        let expected = format!("<Code>{code}</Code><Message>{message}</Message>");
        assert!(text.contains(&expected), "{form}: {text}");
    }
}

/// A mail server that takes everything, and hands over what it was told between `DATA` and the final dot.
fn mail_server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("smtp://{}", listener.local_addr().expect("bound"));
    let (sender, mails) = channel();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let mut answers = socket.try_clone().expect("a second handle");
            let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
            let _ = answers.write_all(b"220 sink\r\n");
            while let Some(line) = lines.next() {
                let answer: &[u8] = match line.get(..4).unwrap_or_default() {
                    "DATA" => {
                        let _ = answers.write_all(b"354 go on\r\n");
                        let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                        let _ = sender.send(mail.join("\n"));
                        b"250 taken\r\n"
                    }
                    "QUIT" => b"221 bye\r\n",
                    _ => b"250 ok\r\n",
                };
                let _ = answers.write_all(answer);
            }
        }
    });
    (url, mails)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_box_confirms_by_its_link_and_gets_mail() {
    let (smtp_url, mails) = mail_server();
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::start_in(directory.path(), &["--smtp-url", &smtp_url]);
    let next = || tokio::task::block_in_place(|| mails.recv_timeout(DELIVERY_TIMEOUT)).expect("a mail");
    let sns = server.sns();
    let topic = sns.create_topic().name("alerts").send().await.expect("created");
    let arn = topic.topic_arn().expect("an ARN");
    let subscribe = sns.subscribe().topic_arn(arn).protocol("email").endpoint("someone@example.com");
    subscribe.send().await.expect("subscribed");
    // Long lines are folded in transfer: `=` at the end of a line, and `=3D` for `=`.
    let mail = next().replace("=\n", "").replace("=3D", "=");
    assert!(mail.contains("To: someone@example.com"), "{mail}");
    let (_, link) = mail.split_once(&format!("{}/?Action=ConfirmSubscription", server.url)).expect("a link");
    let link = link.lines().next().expect("a line").trim();
    let answer = server.request("GET", &format!("/?Action=ConfirmSubscription{link}"), &[], b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    sns.publish().topic_arn(arn).subject("it burns").message("in the attic").send().await.expect("published");
    let mail = next();
    assert!(mail.contains("Subject: it burns") && mail.contains("in the attic"), "{mail}");
}

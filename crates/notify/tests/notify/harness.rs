//! A service on a directory of its own, with subscribers that write down what they get.

use std::collections::HashMap;
use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use groundwatch_api::sns::{
    ConfirmSubscription, ConfirmSubscriptionInput, CreateTopic, CreateTopicInput, Publish, PublishInput,
    Subscribe, SubscribeInput,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{BoxFuture, Call, Caller, Clock, ManualClock, Region, RequestId, Scope, Timestamp};
use groundwatch_notify::{
    Email, MailError, MailSender, Notify, NotifyConfig, QueueError, QueueMessage, QueueSender, Transports,
};
use groundwatch_outbound::{HttpAnswer, HttpClient, HttpError, HttpRequest, Outbound, TargetConfig};
use groundwatch_storage::Catalog;

/// Where links lead to.
pub(crate) const BASE_URL: &str = "http://groundwatch.test:4566";

/// What stands in for the function `known`.
pub(crate) const FUNCTION_URL: &str = "http://functions.test/known";

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_767_225_600);

pub(crate) struct Sns {
    pub(crate) notify: Notify,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) inbox: Arc<Inbox>,
    backlog_bytes_max: usize,
    dir: tempfile::TempDir,
}

impl Sns {
    pub(crate) fn new() -> Self {
        Self::with_backlog(NotifyConfig::BACKLOG_BYTES_MAX)
    }

    pub(crate) fn with_backlog(backlog_bytes_max: usize) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::new(START));
        let inbox = Arc::new(Inbox {
            clock: clock.clone(),
            answers: Mutex::default(),
            received: Mutex::default(),
            queued: Mutex::default(),
            queue_errors: Mutex::default(),
            letters: Mutex::default(),
        });
        let notify = open(dir.path(), &clock, &inbox, backlog_bytes_max);
        Self { notify, clock, inbox, backlog_bytes_max, dir }
    }

    /// The same data under a new service, as after a restart.
    pub(crate) fn restart(self) -> Self {
        let Self { notify, clock, inbox, backlog_bytes_max, dir } = self;
        drop(notify);
        let notify = open(dir.path(), &clock, &inbox, backlog_bytes_max);
        Self { notify, clock, inbox, backlog_bytes_max, dir }
    }

    /// Lets what is due now happen.
    pub(crate) async fn settle(&self) {
        self.advance(Duration::ZERO).await;
    }

    /// Moves the clock on, stopping at every due time.
    pub(crate) async fn advance(&self, duration: Duration) {
        let target = self.clock.now() + duration;
        let activities = self.notify.activities();
        loop {
            let due = activities.iter().filter_map(|activity| Some((activity.next_due()?, activity)));
            let Some((due, activity)) = due.min_by_key(|(due, _)| *due).filter(|(due, _)| *due <= target)
            else {
                break;
            };
            let moment = due.max(self.clock.now());
            self.clock.set(moment);
            activity.run(moment).await;
            assert!(activity.next_due().is_none_or(|due| due > moment), "{} stays due", activity.name());
        }
        self.clock.set(target);
    }

    pub(crate) async fn create_topic(&self, name: &str) -> String {
        let input = CreateTopicInput { name: Some(name.to_owned()), ..Default::default() };
        let output = self.call(input, handle::<CreateTopic, _>).await.expect("a topic");
        output.topic_arn.expect("an ARN")
    }

    pub(crate) async fn subscribe(&self, topic_arn: &str, url: &str) -> Result<String, Fault> {
        self.call(subscribe_input(topic_arn, url), handle::<Subscribe, _>)
            .await
            .map(|output| output.subscription_arn.expect("always answered"))
    }

    /// A subscription that has shaken hands.
    pub(crate) async fn subscribed(&self, topic_arn: &str, url: &str) -> String {
        self.subscribe(topic_arn, url).await.expect("subscribed");
        self.settle().await;
        let token = self.inbox.last(url).text("Token");
        let arn = self.confirm(topic_arn, &token).await.expect("confirmed");
        self.inbox.forget(url);
        arn
    }

    pub(crate) async fn confirm(&self, topic_arn: &str, token: &str) -> Result<String, Fault> {
        let input = ConfirmSubscriptionInput {
            topic_arn: Some(topic_arn.to_owned()),
            token: Some(token.to_owned()),
            ..Default::default()
        };
        Handle::<ConfirmSubscription>::handle(&self.notify, &unsigned_call(), input)
            .await
            .map(|output| output.subscription_arn.expect("always answered"))
    }

    pub(crate) async fn publish(&self, topic_arn: &str, message: &str) -> Result<String, Fault> {
        let input = PublishInput {
            topic_arn: Some(topic_arn.to_owned()),
            message: Some(message.to_owned()),
            ..Default::default()
        };
        self.call(input, handle::<Publish, _>).await.map(|output| output.message_id.expect("always answered"))
    }

    /// Makes a signed call of the default account.
    pub(crate) async fn call<'a, I, O>(
        &'a self,
        input: I,
        operation: impl AsyncFnOnce(&'a Notify, Call, I) -> Result<O, Fault>,
    ) -> Result<O, Fault> {
        operation(&self.notify, signed_call("us-east-1", "000000000000"), input).await
    }
}

/// The operation `O`, whose input borrows nothing, as a function.
pub(crate) async fn handle<O, I>(notify: &Notify, call: Call, input: I) -> Result<O::Output, Fault>
where
    O: for<'a> Operation<Input<'a> = I>,
    Notify: Handle<O>,
{
    Handle::<O>::handle(notify, &call, input).await
}

pub(crate) fn subscribe_input(topic_arn: &str, url: &str) -> SubscribeInput {
    let protocol = url.split_once(':').map_or(url, |(scheme, _)| scheme);
    SubscribeInput {
        topic_arn: Some(topic_arn.to_owned()),
        protocol: Some(protocol.to_owned()),
        endpoint: Some(url.to_owned()),
        ..Default::default()
    }
}

pub(crate) fn signed_call(region: &str, account: &str) -> Call {
    let scope = Scope { account: account.parse().expect("an account"), region: Region::new(region) };
    let caller = Caller { scope, access_key_id: "test".to_owned() };
    Call::new(caller, RequestId("00000000-0000-0000-0000-000000000000".to_owned()), START)
}

/// What following a link amounts to.
pub(crate) fn unsigned_call() -> Call {
    Call { caller: Caller::default(), ..signed_call("us-east-1", "000000000000") }
}

fn open(dir: &Path, clock: &Arc<ManualClock>, inbox: &Arc<Inbox>, backlog_bytes_max: usize) -> Notify {
    let catalog = Catalog::open(&dir.join("catalog.db")).expect("a catalog");
    let known = TargetConfig {
        arn: "arn:aws:lambda:*:function:known".to_owned(),
        webhook: Some(FUNCTION_URL.to_owned()),
        ..TargetConfig::default()
    };
    let targets = vec![known.check(|_| None).expect("a target")];
    let outbound = Outbound::new(targets, inbox.clone(), clock.clone());
    let config = NotifyConfig { backlog_bytes_max, ..NotifyConfig::new(BASE_URL) };
    Notify::open(
        &catalog,
        clock.clone(),
        Transports { web: inbox.clone(), outbound, queues: Some(inbox.clone()), mail: Some(inbox.clone()) },
        &config,
    )
    .expect("opens")
}

/// How a subscriber answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Status(u16),
    Unreachable,
    /// Not before this is notified, then 200.
    Held(Arc<tokio::sync::Notify>),
    /// Never.
    Hangs,
}

/// All subscribers. Each answers 200 unless told otherwise.
pub(crate) struct Inbox {
    clock: Arc<ManualClock>,
    answers: Mutex<HashMap<String, Answer>>,
    received: Mutex<Vec<Received>>,
    /// What queues took, in order.
    pub(crate) queued: Mutex<Vec<QueueMessage>>,
    /// What queues say from now on, by ARN, instead of taking a message.
    pub(crate) queue_errors: Mutex<HashMap<String, QueueError>>,
    /// What was mailed, in order.
    pub(crate) letters: Mutex<Vec<Email>>,
}

impl QueueSender for Inbox {
    fn send(&self, message: QueueMessage) -> BoxFuture<'_, Result<(), QueueError>> {
        let error = self.queue_errors.lock().expect("not poisoned").get(&message.queue_arn).cloned();
        if error.is_none() {
            self.queued.lock().expect("not poisoned").push(message);
        }
        Box::pin(async move { error.map_or(Ok(()), Err) })
    }
}

impl MailSender for Inbox {
    fn send(&self, email: Email) -> BoxFuture<'_, Result<(), MailError>> {
        self.letters.lock().expect("not poisoned").push(email);
        Box::pin(async { Ok(()) })
    }
}

/// A request that a subscriber got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: Timestamp,
    pub(crate) post: HttpRequest,
}

impl Received {
    /// A member of the JSON in the body.
    pub(crate) fn text(&self, member: &str) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.post.body).expect("JSON");
        body[member].as_str().unwrap_or_default().to_owned()
    }
}

impl Inbox {
    pub(crate) fn answer(&self, url: &str, answer: Answer) {
        self.answers.lock().expect("not poisoned").insert(url.to_owned(), answer);
    }

    /// What the subscriber at `url` got, in order.
    pub(crate) fn received(&self, url: &str) -> Vec<Received> {
        let received = self.received.lock().expect("not poisoned");
        received.iter().filter(|received| received.post.url == url).cloned().collect()
    }

    /// The `Message` members of what the subscriber at `url` got.
    pub(crate) fn messages(&self, url: &str) -> Vec<String> {
        self.received(url).iter().map(|received| received.text("Message")).collect()
    }

    pub(crate) fn last(&self, url: &str) -> Received {
        self.received(url).pop().expect("something was received")
    }

    pub(crate) fn forget(&self, url: &str) {
        self.received.lock().expect("not poisoned").retain(|received| received.post.url != url);
    }
}

impl HttpClient for Inbox {
    fn send(&self, post: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
        Box::pin(async move {
            let answer = self.answers.lock().expect("not poisoned").get(&post.url).cloned();
            let at = self.clock.now();
            self.received.lock().expect("not poisoned").push(Received { at, post });
            match answer.unwrap_or(Answer::Status(200)) {
                Answer::Status(status) => Ok(HttpAnswer { status, ..HttpAnswer::default() }),
                Answer::Unreachable => Err(HttpError::Unreachable { reason: "refused".to_owned() }),
                Answer::Held(gate) => {
                    gate.notified().await;
                    Ok(HttpAnswer { status: 200, ..HttpAnswer::default() })
                }
                Answer::Hangs => pending().await,
            }
        })
    }
}

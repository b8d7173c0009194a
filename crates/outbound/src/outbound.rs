//! Delivering a message: by the target of its ARN, once.

use std::sync::Arc;

use groundwatch_core::{Arn, BoxFuture, SharedClock, SystemClock};
use tokio::sync::Semaphore;
use url::Url;

use crate::{
    AwsEndpoint, HttpAnswer, HttpClient, HttpError, HttpRequest, OutboundMessage, Outcome, Route, Target,
    bulk, command, folder,
};

/// How many commands run at once; more wait for their turn.
const COMMANDS_MAX: usize = 8;

/// The region that signatures name when neither configuration nor ARN do.
const REGION_DEFAULT: &str = "us-east-1";

/// The operator's targets, and the means to reach them. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    targets: Arc<[Target]>,
    client: Arc<dyn HttpClient>,
    clock: SharedClock,
    commands: Arc<Semaphore>,
}

impl Outbound {
    /// Delivers to `targets`, the first of which that fits counts, through `client`. `clock` dates
    /// signatures: it has to agree with the clocks of those who check them.
    pub fn new(targets: Vec<Target>, client: Arc<dyn HttpClient>, clock: SharedClock) -> Self {
        Self { targets: targets.into(), client, clock, commands: Arc::new(Semaphore::new(COMMANDS_MAX)) }
    }

    /// Without targets: everything is refused.
    pub fn closed() -> Self {
        Self::new(Vec::new(), Arc::new(NoClient), Arc::new(SystemClock))
    }

    /// The target of `arn`, if there is one.
    pub fn target(&self, arn: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.pattern.fits(arn))
    }

    /// Tries once to bring `message` to the target of its ARN. When it is `Accepted`, the other side has taken
    /// over: a file is on disk, a command has ended well, a server has answered. A message may be delivered
    /// again whose first delivery went well: an answer was lost, or a crash came in between.
    pub async fn deliver(&self, message: &OutboundMessage) -> Outcome {
        let Some(target) = self.target(&message.arn) else {
            return Outcome::refused(format!("no target is configured for {}", message.arn));
        };
        let cannot = || {
            let kind = target.route.kind();
            Outcome::refused(format!("what is for {} cannot go to a target of kind {kind}", message.arn))
        };
        match &target.route {
            Route::Webhook(url) => self.post(url, target, message).await,
            Route::Aws(endpoint) => self.call(endpoint, target, message).await.unwrap_or_else(cannot),
            Route::OpenSearch(url) => self.index(url, target, message).await.unwrap_or_else(cannot),
            Route::Command(arguments) => {
                let _turn = self.commands.acquire().await.expect("never closed");
                command::run(arguments, message, target.timeout).await
            }
            Route::Folder(path) => folder::write(path, message).await,
        }
    }

    async fn post(&self, url: &Url, target: &Target, message: &OutboundMessage) -> Outcome {
        let mut headers = vec![
            ("content-type", message.content_type.to_owned()),
            ("x-groundwatch-arn", message.arn.clone()),
            ("x-groundwatch-delivery-id", message.id.clone()),
        ];
        headers.extend(message.headers.iter().cloned());
        let request = HttpRequest::post(url.as_str(), headers, message.body.clone(), target.timeout);
        Outcome::of_http(self.client.send(request).await)
    }

    async fn call(
        &self,
        endpoint: &AwsEndpoint,
        target: &Target,
        message: &OutboundMessage,
    ) -> Option<Outcome> {
        let call = message.aws.as_ref()?;
        let region = Arn::parse(&message.arn).map(|arn| arn.region).unwrap_or_default();
        let region = if region.is_empty() { REGION_DEFAULT } else { region };
        Some(match endpoint.request(call, region, self.clock.now(), target.timeout) {
            Ok(request) => Outcome::of_http(self.client.send(request).await),
            Err(error) => Outcome::refused(error.to_string()),
        })
    }

    async fn index(&self, url: &Url, target: &Target, message: &OutboundMessage) -> Option<Outcome> {
        let body = message.bulk.clone()?;
        let url = format!("{}/{}", url.as_str().trim_end_matches('/'), bulk::PATH);
        let headers = vec![("content-type", "application/x-ndjson".to_owned())];
        let request = HttpRequest::post(url, headers, body, target.timeout);
        Some(bulk::judge(Outcome::of_http(self.client.send(request).await)))
    }
}

/// Stands where nothing is sent.
struct NoClient;

impl HttpClient for NoClient {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
        Box::pin(async { Err(HttpError::Refused { reason: "nothing is sent from here".to_owned() }) })
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{ManualClock, Timestamp};
    use parking_lot::Mutex;

    use super::*;
    use crate::{AwsCall, TargetConfig};

    /// Accepts everything, and remembers it.
    #[derive(Default)]
    struct Recorder(Mutex<Vec<HttpRequest>>);

    impl HttpClient for Recorder {
        fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
            self.0.lock().push(request);
            let body = bytes::Bytes::from_static(br#"{"errors":false}"#);
            Box::pin(async { Ok(HttpAnswer { status: 200, body }) })
        }
    }

    /// Delivers to one target, and tells what was sent.
    async fn deliver(target: &str, message: &OutboundMessage) -> (Outcome, Vec<HttpRequest>) {
        let config: TargetConfig = toml::from_str(target).expect("a target");
        let recorder = Arc::new(Recorder::default());
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
        let targets = vec![config.check(|_| None).expect("valid")];
        let outcome = Outbound::new(targets, recorder.clone(), clock).deliver(message).await;
        (outcome, std::mem::take(&mut recorder.0.lock()))
    }

    fn message() -> OutboundMessage {
        OutboundMessage::json("arn:aws:lambda:eu-west-1:000000000000:function:f", "7", "{}")
    }

    #[tokio::test]
    async fn a_webhook_gets_the_body_and_knows_repeats() {
        let (outcome, sent) = deliver("arn = '*:function:f'\nwebhook = 'http://a.test/f'", &message()).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }));
        assert_eq!((sent[0].url.as_str(), &sent[0].body[..]), ("http://a.test/f", &b"{}"[..]));
        assert!(sent[0].headers.contains(&("x-groundwatch-delivery-id", "7".to_owned())));
    }

    #[tokio::test]
    async fn an_aws_compatible_endpoint_gets_awss_call_signed_for_the_arns_region() {
        let target = "arn = '*'\naws = { endpoint = 'http://aws.test/', access-key-id = 'a', secret-access-key = 'b' }";
        let call = AwsCall::json("ssm", "1.1", "AmazonSSM.CreateOpsItem", "{}");
        let (outcome, sent) = deliver(target, &message().with_aws(call)).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }));
        let header = |name| sent[0].headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        assert_eq!(header("x-amz-target").map(String::as_str), Some("AmazonSSM.CreateOpsItem"));
        let authorization = header("authorization").expect("signed");
        assert!(
            authorization.contains("Credential=a/20260101/eu-west-1/ssm/aws4_request"),
            "{authorization}"
        );
    }

    #[tokio::test]
    async fn opensearch_gets_a_bulk() {
        let target = "arn = '*'\nopensearch = 'http://search.test/base/'";
        let (outcome, sent) = deliver(target, &message().with_bulk("{}\n")).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }));
        assert!(sent[0].url.starts_with("http://search.test/base/_bulk?filter_path=errors"));
    }

    #[tokio::test]
    async fn what_has_no_way_is_refused_by_name() {
        let check = async |target: &str, expected: &str| {
            let (outcome, sent) = deliver(target, &message()).await;
            assert_eq!(outcome, Outcome::refused(expected));
            assert!(sent.is_empty());
        };
        let arn = message().arn;
        check("arn = 'arn:x'\nfolder = '/nowhere'", &format!("no target is configured for {arn}")).await;
        check(
            "arn = '*'\nopensearch = 'http://search.test'",
            &format!("what is for {arn} cannot go to a target of kind opensearch"),
        )
        .await;
    }
}

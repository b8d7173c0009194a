//! Syslog's way into log groups: what `--syslog-listen` and its dependencies mean.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use groundwatch_api::logs::borrowed::{InputLogEvent, PutLogEventsInput};
use groundwatch_api::logs::{
    CreateLogGroup, CreateLogGroupInput, CreateLogStream, CreateLogStreamInput, PutLogEvents, errors,
};
use groundwatch_api::{Fault, Handle, Operation, validate};
use groundwatch_core::{AccountId, BoxFuture, Call, Caller, Region, RequestId, Scope, SharedClock};
use groundwatch_logs::Logs;
use groundwatch_syslog::{Address, Batch, Event, Receiver, Sink, SinkError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;

/// What one `PutLogEvents` takes beside 10,000 events: bytes, with 26 for every event.
const BATCH_BYTES_MAX: usize = 1 << 20;
const EVENT_OVERHEAD_BYTES: usize = 26;

/// The settings of syslog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyslogConfig {
    /// Where to listen; nowhere unless told.
    pub(crate) listen: Vec<Address>,
    /// The group, which is created if it is missing.
    pub(crate) log_group: String,
    /// The stream, in which `{host}` and `{program}` stand for what a message names.
    pub(crate) log_stream: String,
    /// The account and region in which the group is.
    pub(crate) scope: Scope,
}

impl SyslogConfig {
    pub(crate) fn new(
        listen: Option<&str>,
        log_group: Option<String>,
        log_stream: Option<String>,
        account: Option<&str>,
        region: Option<&str>,
    ) -> anyhow::Result<Self> {
        let listen: Vec<Address> = listen
            .iter()
            .flat_map(|list| list.split(','))
            .map(|address| address.trim().parse())
            .collect::<Result<_, _>>()
            .context("syslog-listen is not valid")?;
        for address in &listen {
            ensure!(
                address.socket().ip().is_loopback(),
                "cannot listen for syslog on {}: anyone could write there, so only loopback addresses are allowed",
                address.socket()
            );
        }
        Ok(Self {
            listen,
            log_group: log_group.unwrap_or_else(|| "syslog".to_owned()),
            log_stream: log_stream.unwrap_or_else(|| "{host}".to_owned()),
            scope: Scope {
                account: account
                    .map(str::parse)
                    .transpose()
                    .context("syslog-account is not an account")?
                    .unwrap_or(AccountId::DEFAULT),
                region: Region::new(region.unwrap_or("us-east-1")),
            },
        })
    }
}

/// Stores messages in the configured group.
pub(crate) struct SyslogSink {
    config: SyslogConfig,
    logs: Arc<Logs>,
    clock: SharedClock,
}

impl SyslogSink {
    pub(crate) fn new(config: SyslogConfig, logs: Arc<Logs>, clock: SharedClock) -> Self {
        Self { config, logs, clock }
    }

    async fn store_all(&self, batch: &Batch) -> Result<(), Fault> {
        let stream =
            self.config.log_stream.replace("{host}", &batch.host).replace("{program}", &batch.program);
        let mut events = batch.events.as_slice();
        while !events.is_empty() {
            let (now, later) = events.split_at(fitting(events));
            match self.put(&stream, now).await {
                Err(fault) if is(&fault, &errors::RESOURCE_NOT_FOUND_EXCEPTION) => {
                    self.create(&stream).await?;
                    self.put(&stream, now).await?;
                }
                stored => stored?,
            }
            events = later;
        }
        Ok(())
    }

    async fn put(&self, stream: &str, events: &[Event]) -> Result<(), Fault> {
        let call = self.own_call();
        let event = |event: &Event| InputLogEvent {
            timestamp: Some(event.at.as_millis()),
            message: Some(Cow::Owned(event.text.clone())),
        };
        let input = PutLogEventsInput {
            log_group_name: Some(Cow::Borrowed(&self.config.log_group)),
            log_stream_name: Some(Cow::Borrowed(stream)),
            log_events: Some(events.iter().map(event).collect()),
            ..PutLogEventsInput::default()
        };
        self.checked::<PutLogEvents>(&call, input).await.map(|_| ())
    }

    async fn create(&self, stream: &str) -> Result<(), Fault> {
        let call = self.own_call();
        let group = Some(self.config.log_group.clone());
        let input = CreateLogGroupInput { log_group_name: group.clone(), ..CreateLogGroupInput::default() };
        there(self.checked::<CreateLogGroup>(&call, input).await.map(|_| ()))?;
        let input = CreateLogStreamInput { log_group_name: group, log_stream_name: Some(stream.to_owned()) };
        there(self.checked::<CreateLogStream>(&call, input).await.map(|_| ()))
    }

    /// A call of the server's own.
    fn own_call(&self) -> Call {
        let caller = Caller { scope: self.config.scope.clone(), access_key_id: String::new() };
        let request_id = RequestId(Uuid::new_v4().to_string());
        Call::new(caller, request_id, self.clock.now())
    }

    async fn checked<'a, O: Operation>(
        &'a self,
        call: &'a Call,
        input: O::Input<'a>,
    ) -> Result<O::Output, Fault>
    where
        Logs: Handle<O>,
    {
        validate::check::<O>(&input)?;
        Handle::<O>::handle(&*self.logs, call, input).await
    }
}

impl Sink for SyslogSink {
    fn store<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            self.store_all(batch).await.map_err(|fault| {
                let message = fault.to_string();
                let passes = fault.shape.status >= 500 || is(&fault, &errors::THROTTLING_EXCEPTION);
                if passes { SinkError::Later(message) } else { SinkError::Never(message) }
            })
        })
    }
}

/// How many of the first events fit in one call: one at least, whose size the syslog crate bounds.
fn fitting(events: &[Event]) -> usize {
    let mut bytes = 0;
    let fit = events.iter().take_while(|event| {
        bytes += event.text.len() + EVENT_OVERHEAD_BYTES;
        bytes <= BATCH_BYTES_MAX && event.at.as_millis() - events[0].at.as_millis() <= 24 * 60 * 60 * 1000
    });
    fit.count().max(1)
}

/// What exists already is as good as created.
fn there(created: Result<(), Fault>) -> Result<(), Fault> {
    match created {
        Err(fault) if is(&fault, &errors::RESOURCE_ALREADY_EXISTS_EXCEPTION) => Ok(()),
        other => other,
    }
}

fn is(fault: &Fault, shape: &'static groundwatch_api::ErrorShape) -> bool {
    std::ptr::eq(fault.shape, shape)
}

/// Receives syslog where it is configured.
pub(crate) async fn receive_syslog(
    config: &Config,
    logs: Arc<Logs>,
    clock: SharedClock,
) -> anyhow::Result<Receiving> {
    let stop = CancellationToken::new();
    if config.syslog.listen.is_empty() {
        return Ok(Receiving { task: None, stop });
    }
    let receiver =
        Receiver::bind(&config.syslog.listen, clock.clone()).await.context("cannot listen for syslog")?;
    let addresses: Vec<String> = receiver.addresses()?.iter().map(ToString::to_string).collect();
    tracing::info!(addresses = addresses.join(", "), "receiving syslog");
    let sink = Arc::new(SyslogSink::new(config.syslog.clone(), logs, clock));
    Ok(Receiving { task: Some(tokio::spawn(receiver.serve(sink, stop.clone()))), stop })
}

/// The receiving of syslog, if there is any.
pub(crate) struct Receiving {
    task: Option<tokio::task::JoinHandle<()>>,
    stop: CancellationToken,
}

impl Receiving {
    /// Receives no more, and waits until what came is stored, for `grace` at most.
    pub(crate) async fn stop(self, grace: Duration) {
        self.stop.cancel();
        if let Some(task) = self.task
            && tokio::time::timeout(grace, task).await.is_err()
        {
            tracing::warn!("syslog messages are lost: they could not be stored before the end");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_a_list_of_loopback_ones() {
        let listen = |list: &str| {
            SyslogConfig::new(Some(list), None, None, None, None).map(|config| config.listen.len())
        };
        assert_eq!(listen("tcp://127.0.0.1:1514, udp://[::1]:1514").expect("valid"), 2);
        assert!(listen("tcp://0.0.0.0:1514").is_err());
        assert!(listen("127.0.0.1:1514").is_err());
        assert_eq!(SyslogConfig::new(None, None, None, None, None).expect("valid").listen, []);
    }
}

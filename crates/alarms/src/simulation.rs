//! A small world in which alarms live: a clock that is moved, metrics that are made up, topics that remember.

use std::sync::Arc;

use groundwatch_api::cloudwatch::{
    self as api, AlarmHistoryItem, CompositeAlarm, DeleteAlarmsInput, DescribeAlarmHistoryInput,
    DescribeAlarmsInput, MetricAlarm, PutCompositeAlarmInput, PutMetricAlarmInput, SetAlarmStateInput,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{BoxFuture, Call, Caller, Clock, ManualClock, RequestId, Scope, Timestamp};
use groundwatch_outbound::{HttpAnswer, HttpClient, HttpError, HttpRequest, Outbound, Target, TargetConfig};
use groundwatch_storage::Catalog;
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::effects::delivery::{Notification, Notifier, NotifyError};
use crate::effects::event::{AlarmEvent, EventSink, EventSinkError};
use crate::evaluation::cadence::Timing;
use crate::{Alarms, Dependencies};

pub(crate) use metrics::Metrics;

mod actions;
mod bands;
mod composite;
mod contributors;
mod evaluation;
mod foresight;
mod hindsight;
mod math;
mod metrics;
mod muting;
mod operations;
mod properties;
mod scenarios;
mod warming_up;
mod windows;

/// Times of day, all of 2026-01-02 unless they say otherwise.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_iso8601(&format!("2026-01-02T{text}Z")).expect("a time of day")
}

/// What the simulated world consists of. It begins at noon.
pub(crate) struct World {
    alarms: Alarms,
    /// Who calls, and that at noon; no handler asks when.
    caller: Call,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) topics: Arc<Topics>,
    pub(crate) bus: Arc<Bus>,
    dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::new(at("12:00:00")));
        let metrics = Metrics::new(clock.clone());
        let (topics, bus) = (Arc::default(), Arc::default());
        let alarms = open(&dir, &clock, &metrics, &topics, &bus);
        let caller = Caller { scope: Scope::default(), access_key_id: String::new() };
        let caller = Call::new(caller, RequestId(String::new()), clock.now());
        Self { alarms, caller, clock, metrics, topics, bus, dir }
    }

    /// Closes everything but the clock, the metrics, the topics and the bus, and opens it again from what is
    /// stored.
    pub(crate) fn restart(self) -> Self {
        let Self { alarms, caller, clock, metrics, topics, bus, dir } = self;
        drop(alarms);
        let alarms = open(&dir, &clock, &metrics, &topics, &bus);
        Self { alarms, caller, clock, metrics, topics, bus, dir }
    }

    /// Moves the clock to `target`, running what is due on the way at its time, as the server does.
    pub(crate) async fn advance_to(&self, target: Timestamp) {
        loop {
            let activities = self.alarms.activities();
            let due = activities.iter().filter_map(|activity| Some((activity.next_due()?, activity)));
            let Some((due, activity)) = due.min_by_key(|(due, _)| *due).filter(|(due, _)| *due <= target)
            else {
                break;
            };
            let moment = due.max(self.clock.now());
            self.clock.set(moment);
            activity.run(moment).await;
        }
        self.clock.set(target);
    }

    /// Moves the clock to `target` without stopping on the way, and then runs what is due.
    pub(crate) async fn jump_to(&self, target: Timestamp) {
        self.clock.set(target);
        self.advance_to(target).await;
    }

    /// Runs what is due now.
    pub(crate) async fn settle(&self) {
        self.advance_to(self.clock.now()).await;
    }

    pub(crate) async fn call<'a, O: Operation>(&'a self, input: O::Input<'a>) -> Result<O::Output, Fault>
    where
        Alarms: Handle<O>,
    {
        Handle::<O>::handle(&self.alarms, &self.caller, input).await
    }

    pub(crate) async fn put(&self, input: PutMetricAlarmInput) {
        self.call::<api::PutMetricAlarm>(input).await.expect("a good definition");
    }

    pub(crate) async fn set_state(&self, name: &str, state: &str) {
        let input = SetAlarmStateInput {
            alarm_name: Some(name.to_owned()),
            state_value: Some(state.into()),
            state_reason: Some("by hand".to_owned()),
            state_reason_data: None,
        };
        self.call::<api::SetAlarmState>(input).await.expect("an alarm of that name");
    }

    pub(crate) async fn describe(&self, name: &str) -> Option<MetricAlarm> {
        let input = DescribeAlarmsInput {
            alarm_names: Some(vec![name.to_owned()]),
            ..DescribeAlarmsInput::default()
        };
        let output = self.call::<api::DescribeAlarms>(input).await.expect("a good question");
        output.metric_alarms?.pop()
    }

    pub(crate) async fn describe_composite(&self, name: &str) -> Option<CompositeAlarm> {
        let input = DescribeAlarmsInput {
            alarm_names: Some(vec![name.to_owned()]),
            alarm_types: Some(vec![api::AlarmType::CompositeAlarm]),
            ..DescribeAlarmsInput::default()
        };
        let output = self.call::<api::DescribeAlarms>(input).await.expect("a good question");
        output.composite_alarms?.pop()
    }

    /// Puts a composite alarm with that rule whose actions publish to topics named `ok` and `alarm`.
    pub(crate) async fn put_rule(&self, name: &str, rule: &str) {
        self.call::<api::PutCompositeAlarm>(composite(name, rule)).await.expect("a good rule");
    }

    pub(crate) async fn delete(&self, names: &[&str]) -> Result<(), String> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let input = DeleteAlarmsInput { alarm_names: Some(names) };
        let outcome = self.call::<api::DeleteAlarms>(input).await;
        outcome.map(|_| ()).map_err(|fault| fault.message.unwrap_or_default())
    }

    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub(crate) async fn state(&self, name: &str) -> String {
        let alarm = self.describe(name).await.expect("an alarm of that name");
        alarm.state_value.expect("always there").as_str().to_owned()
    }

    /// The whole history, oldest first.
    pub(crate) async fn history_items(&self) -> Vec<AlarmHistoryItem> {
        let mut items = Vec::new();
        let mut next_token = None;
        loop {
            let input = DescribeAlarmHistoryInput {
                next_token,
                scan_by: Some(api::ScanBy::TimestampAscending),
                alarm_types: Some(vec![api::AlarmType::MetricAlarm, api::AlarmType::CompositeAlarm]),
                ..DescribeAlarmHistoryInput::default()
            };
            let page = self.call::<api::DescribeAlarmHistory>(input).await.expect("a good question");
            items.extend(page.alarm_history_items.expect("always there"));
            next_token = page.next_token;
            if next_token.is_none() {
                return items;
            }
        }
    }

    /// The history as lines, oldest first: `12:01:00 cpu: Alarm updated from OK to ALARM`.
    pub(crate) async fn history(&self) -> Vec<String> {
        let line = |item: AlarmHistoryItem| {
            let time = item.timestamp.expect("always there").0.strftime("%H:%M:%S");
            let name = item.alarm_name.expect("always there");
            format!("{time} {name}: {}", item.history_summary.expect("always there"))
        };
        self.history_items().await.into_iter().map(line).collect()
    }

    /// The transitions among the history: `12:01:00 OK to ALARM`.
    pub(crate) async fn transitions(&self) -> Vec<String> {
        let lines = self.history().await.into_iter();
        lines
            .filter_map(|line| {
                let (time, _) = line.split_once(' ')?;
                let (_, states) = line.split_once("Alarm updated from ")?;
                Some(format!("{time} {states}"))
            })
            .collect()
    }
}

fn open(
    dir: &TempDir,
    clock: &Arc<ManualClock>,
    metrics: &Arc<Metrics>,
    topics: &Arc<Topics>,
    bus: &Arc<Bus>,
) -> Alarms {
    let catalog = Catalog::open(&dir.path().join("catalog.db")).expect("a catalog");
    let outbound = Outbound::new(targets(), topics.clone(), clock.clone());
    let dependencies = Dependencies {
        reader: metrics.clone(),
        notifier: topics.clone(),
        outbound,
        events: Some(bus.clone()),
    };
    Alarms::open(&catalog, clock.clone(), Timing::EXACT, dependencies).expect("readable alarms")
}

/// An alarm on the metric of its own name that is breached above 1 in one period of one minute.
pub(crate) fn alarm(name: &str) -> PutMetricAlarmInput {
    PutMetricAlarmInput {
        alarm_name: Some(name.to_owned()),
        namespace: Some("Shop".to_owned()),
        metric_name: Some(name.to_owned()),
        statistic: Some(api::Statistic::Average),
        period: Some(60),
        evaluation_periods: Some(1),
        threshold: Some(1.0),
        comparison_operator: Some(api::ComparisonOperator::GreaterThanThreshold),
        ..PutMetricAlarmInput::default()
    }
}

/// A composite alarm with that rule whose actions publish to topics named `ok` and `alarm`.
pub(crate) fn composite(name: &str, rule: &str) -> PutCompositeAlarmInput {
    let topic = |name| Some(vec![format!("arn:aws:sns:us-east-1:000000000000:{name}")]);
    PutCompositeAlarmInput {
        alarm_name: Some(name.to_owned()),
        alarm_rule: Some(rule.to_owned()),
        ok_actions: topic("ok"),
        alarm_actions: topic("alarm"),
        ..PutCompositeAlarmInput::default()
    }
}

/// Topics that remember what was published, or refuse it.
#[derive(Default)]
pub(crate) struct Topics {
    /// Subjects with the topic's name before them.
    pub(crate) published: Mutex<Vec<String>>,
    /// What webhooks got.
    pub(crate) ordered: Mutex<Vec<String>>,
    pub(crate) refusal: Mutex<Option<NotifyError>>,
    /// Notified when something is published.
    pub(crate) told: tokio::sync::Notify,
    /// Webhooks do not answer.
    pub(crate) hangs: std::sync::atomic::AtomicBool,
}

impl Notifier for Topics {
    fn notify<'a>(
        &'a self,
        _: &'a Scope,
        notification: Notification<'a>,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            let Notification { topic_arn, subject, .. } = notification;
            assert!(!topic_arn.ends_with(":mistake"), "a mistake");
            if let Some(refusal) = &*self.refusal.lock() {
                return Err(refusal.clone());
            }
            let topic = topic_arn.rsplit(':').next().unwrap_or_default();
            let subject = subject.trim_end_matches(" in US East (N. Virginia)");
            self.published.lock().push(format!("{topic} {subject}"));
            self.told.notify_one();
            Ok(())
        })
    }
}

/// Functions, instances and scaling policies are reached by webhooks; there is no target for anything else.
fn targets() -> Vec<Target> {
    let target = |arn: &str| {
        let webhook = Some("http://target.test".to_owned());
        let config = TargetConfig { arn: arn.to_owned(), webhook, ..TargetConfig::default() };
        config.check(|_| None).expect("a target")
    };
    vec![target("arn:aws:lambda:*"), target("arn:aws:automate:*"), target("arn:aws:autoscaling:*")]
}

/// Topics stand in for the network too: webhooks are refused together with topics.
impl HttpClient for Topics {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, HttpError>> {
        let answer = match &*self.refusal.lock() {
            Some(NotifyError::Temporary(reason)) => Err(HttpError::Unreachable { reason: reason.clone() }),
            Some(NotifyError::Permanent(_)) => Ok(HttpAnswer { status: 400, ..HttpAnswer::default() }),
            None => {
                self.ordered.lock().push(String::from_utf8_lossy(&request.body).into_owned());
                Ok(HttpAnswer { status: 200, ..HttpAnswer::default() })
            }
        };
        let hangs = self.hangs.load(std::sync::atomic::Ordering::Relaxed);
        Box::pin(async move { if hangs { std::future::pending().await } else { answer } })
    }
}

/// An event bus that remembers.
#[derive(Default)]
pub(crate) struct Bus {
    pub(crate) events: Mutex<Vec<AlarmEvent>>,
}

impl Bus {
    /// Without the changes of configurations.
    pub(crate) fn state_changes(&self) -> Vec<AlarmEvent> {
        let events = self.events.lock();
        events.iter().filter(|event| event.detail_type.ends_with("State Change")).cloned().collect()
    }
}

impl EventSink for Bus {
    fn listens(&self, _: &Scope) -> bool {
        true
    }

    fn publish<'a>(
        &'a self,
        _: &'a Scope,
        event: &'a AlarmEvent,
    ) -> BoxFuture<'a, Result<(), EventSinkError>> {
        Box::pin(async move {
            self.events.lock().push(event.clone());
            Ok(())
        })
    }
}

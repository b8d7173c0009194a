//! One page of one lane: read, made into messages, sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use groundwatch_core::{SharedClock, Timestamp};
use groundwatch_outbound::{Backoff, Outcome};

use super::cursor::Cursor;
use super::destination::Destination;
use super::lanes::{LaneKey, Place, SentPart, Step, StepEnd};
use super::measures::ForwardingMeasures;
use super::message::{ForwardedEvent, Message, MessageType};
use super::sender::{Addressed, MessageSender};
use super::subscription::{CompiledSubscription, Distribution};
use super::subscriptions::Subscriptions;
use super::vendor::Vendor;
use crate::directory::Directory;
use crate::event_key::EventKey;
use crate::incarnation::LogStreamId;
use crate::pattern::Extracted;
use crate::shelf::Shelf;
use crate::store::{Found, LogStore, Step as Read, StoreError};
use crate::treatment::Treatment;
use crate::view::Views;

/// A page ends when it has this much text. One event may be larger.
const PAGE_BYTES_MAX: usize = 256 << 10;
/// A page also ends when this much text was looked at, so that a pattern that lets little through is noted,
/// too.
const SCAN_BYTES_MAX: usize = 16 << 20;

/// Failed attempts are repeated until the event is a day old, as AWS does (source: CloudWatch Logs user
/// guide, subscriptions).
pub(super) const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60),
    give_up_after: Duration::from_secs(24 * 60 * 60),
};
/// After a refusal AWS leaves a subscription alone for ten minutes, and drops what comes meanwhile; here it
/// waits.
const REFUSAL_WAIT: Duration = Duration::from_secs(600);

/// What steps need.
#[derive(Clone)]
pub(crate) struct Forwarding {
    pub(crate) store: LogStore,
    pub(crate) directory: Directory,
    pub(crate) destinations: Shelf<Destination>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) sender: MessageSender,
    pub(crate) measures: Arc<ForwardingMeasures>,
    pub(crate) clock: SharedClock,
}

/// What a page holds.
struct Page {
    messages: Vec<OutgoingMessage>,
    /// The cursor when all of it is done with.
    after: Cursor,
}

/// A message, and where it comes from.
struct OutgoingMessage {
    part: SentPart,
    /// When the first of its events arrived.
    arrived: Timestamp,
    text_bytes: u64,
    message: Message,
}

impl Forwarding {
    /// Takes one step.
    pub(super) async fn take(&self, step: &Step) -> StepEnd {
        let Some((subscription, treatment)) = self.still_there(&step.key, &step.place) else {
            return StepEnd::Gone;
        };
        let now = self.clock.now();
        let Some(cursor) = step.cursor.in_pass(self.store.visible_through(), now) else {
            return StepEnd::Sent(step.cursor.clone());
        };
        let page = match self.read(&subscription, &treatment, &step.place, &step.key, &cursor, now).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    group = step.place.group,
                    "log events that are to be sent on cannot be read"
                );
                let wait = BACKOFF.wait(step.failures + 1, Duration::ZERO, &step.key.sender());
                return StepEnd::Again { wait: wait.unwrap_or(BACKOFF.longest), cursor, sent: Vec::new() };
            }
        };
        self.send(step, &subscription, page, cursor).await
    }

    fn still_there(&self, lane: &LaneKey, place: &Place) -> Option<(Arc<CompiledSubscription>, Treatment)> {
        let group = self.directory.group(&place.scope, &place.group).ok()?;
        let is_same = group.id == lane.group;
        let subscription = self.subscriptions.of_lane(lane, place).filter(|_| is_same)?;
        Some((subscription, self.directory.treatment(&place.scope, &place.group, &group)))
    }

    /// Reads a page of events that match, as messages of one stream each, in the order of their first events.
    async fn read(
        &self,
        subscription: &CompiledSubscription,
        treatment: &Treatment,
        place: &Place,
        lane: &LaneKey,
        cursor: &Cursor,
        now: Timestamp,
    ) -> Result<Page, StoreError> {
        let mut range = cursor.range();
        range.from = range.from.max(EventKey::before(treatment.expired_before(now)));
        let mut messages: Vec<OutgoingMessage> = Vec::new();
        let mut of_stream: BTreeMap<LogStreamId, usize> = BTreeMap::new();
        let (mut text_bytes, mut scanned_bytes) = (0, 0);
        let mut boundary = None;
        let system_fields: BTreeMap<_, _> = subscription.system_fields(&place.scope, &place.group).collect();
        let mut merge = match subscription.selects(&place.scope) {
            true => self.store.read_newer(lane.group, range, cursor.through).await?,
            false => return Ok(Page { messages, after: cursor.after_page(None) }),
        };
        loop {
            let found = match merge.next().await? {
                Read::End => break,
                Read::Paused(at) => {
                    boundary = Some(at);
                    break;
                }
                Read::Event(found) => found,
            };
            scanned_bytes += found.message.len();
            let next = found.key.successor();
            let is_meant = cursor.covers(found.key.sequence) && self.directory.holds_stream(&found.address);
            if is_meant && let Some((text, extracted)) = matching(subscription, treatment, &found) {
                text_bytes += text.len();
                let index = *of_stream.entry(found.address.stream_id).or_insert_with(|| {
                    messages.push(first_of(&found, subscription));
                    messages.len() - 1
                });
                let fields = subscription.extracts.then(|| named(extracted));
                messages[index].push(&found, text, fields, &system_fields);
            }
            if text_bytes >= PAGE_BYTES_MAX || scanned_bytes >= SCAN_BYTES_MAX {
                boundary = Some(next);
                break;
            }
        }
        Ok(Page { messages, after: cursor.after_page(boundary) })
    }

    /// Sends the messages of a page, one after the other.
    async fn send(
        &self,
        step: &Step,
        subscription: &CompiledSubscription,
        page: Page,
        cursor: Cursor,
    ) -> StepEnd {
        let mut sent = step.sent.clone();
        for outgoing in page.messages {
            if sent.contains(&outgoing.part) {
                continue;
            }
            let outcome = self.deliver(step, subscription, &outgoing).await;
            let now = self.clock.now();
            self.measures.attempt(step, subscription, &outgoing.counts(), &outcome, now);
            let (reason, refused) = match outcome {
                Outcome::Accepted { .. } => {
                    sent.push(outgoing.part);
                    continue;
                }
                Outcome::Refused { reason } => (reason, true),
                Outcome::Unavailable { reason, .. } => (reason, false),
            };
            let age = now.since(outgoing.arrived);
            let wait = match refused {
                true => Some(REFUSAL_WAIT).filter(|wait| age + *wait <= BACKOFF.give_up_after),
                false => BACKOFF.wait(step.failures + 1, age, &step.key.sender()),
            };
            let (group, filter) = (&step.place.group, &subscription.name);
            if let Some(wait) = wait {
                tracing::warn!(
                    group,
                    filter,
                    reason,
                    wait_secs = wait.as_secs(),
                    "log events wait for their receiver"
                );
                return StepEnd::Again { wait, cursor, sent };
            }
            let events = outgoing.message.log_events.len();
            tracing::error!(
                group,
                filter,
                reason,
                events,
                "log events are given up: their receiver did not take them for a day"
            );
            sent.push(outgoing.part);
        }
        StepEnd::Sent(page.after)
    }

    async fn deliver(
        &self,
        step: &Step,
        subscription: &CompiledSubscription,
        outgoing: &OutgoingMessage,
    ) -> Outcome {
        let named = &subscription.subscription.destination_arn;
        let arn = match self.receiver(named) {
            Ok(arn) => arn,
            Err(reason) => return Outcome::Refused { reason },
        };
        let first = outgoing.part.1.to_digits();
        let id = format!(
            "{first}-{:08x}",
            crc32fast::hash(
                format!("{}\0{}\0{}", step.key.filter, step.place.group, outgoing.part.2.to_digits())
                    .as_bytes(),
            )
        );
        let spread = match subscription.subscription.distribution {
            Distribution::ByLogStream => &outgoing.message.log_stream,
            Distribution::Random => &first,
        };
        let partition_key =
            format!("{:08x}", crc32fast::hash(format!("{}\0{spread}", step.place.group).as_bytes()));
        let addressed = Addressed {
            scope: &step.place.scope,
            arn: &arn,
            id: &id,
            partition_key: &partition_key,
            message: &outgoing.message,
        };
        self.sender.deliver(&addressed).await
    }

    /// The ARN behind `arn`: itself, or the stream that a destination stands for.
    pub(super) fn receiver(&self, arn: &str) -> Result<String, String> {
        if Vendor::of(arn) != Ok(Vendor::Destination) {
            return Ok(arn.to_owned());
        }
        let found = super::destination::find(&self.destinations, arn);
        found
            .map(|(_, destination)| destination.target_arn.clone())
            .ok_or_else(|| format!("{arn} does not exist"))
    }
}

impl OutgoingMessage {
    fn push(
        &mut self,
        found: &Found,
        text: String,
        extracted_fields: Option<BTreeMap<String, String>>,
        system_fields: &BTreeMap<&'static str, String>,
    ) {
        self.part.2 = found.key;
        self.arrived = self.arrived.min(found.ingested);
        self.text_bytes += text.len() as u64;
        self.message.log_events.push(ForwardedEvent {
            id: found.key.to_digits(),
            timestamp: found.key.timestamp.as_millis(),
            message: text,
            extracted_fields,
            system_fields: system_fields.clone(),
        });
    }

    /// (events, bytes of text)
    fn counts(&self) -> (u64, u64) {
        (self.message.log_events.len() as u64, self.text_bytes)
    }
}

/// The text of an event that the subscription lets through, and what its pattern finds in it: the text as
/// readers see it, or what the group's transformer makes of it.
fn matching(
    subscription: &CompiledSubscription,
    treatment: &Treatment,
    found: &Found,
) -> Option<(String, Extracted)> {
    let shown = treatment.masked(found.ingested, &found.message);
    let text = match subscription.subscription.on_transformed {
        true => Views::new(treatment, &found.address, found.ingested).transformed(&found.message, &shown),
        false => Cow::Borrowed(shown.as_ref()),
    };
    let extracted = subscription.matcher.extracted(&text)?;
    // Only UTF-8 is accepted, and checksums guard what was stored.
    Some((String::from_utf8_lossy(&text).into_owned(), extracted))
}

/// A message without events yet, for the stream of `found`.
fn first_of(found: &Found, subscription: &CompiledSubscription) -> OutgoingMessage {
    OutgoingMessage {
        part: (found.address.stream_id, found.key, found.key),
        arrived: found.ingested,
        text_bytes: 0,
        message: Message {
            message_type: MessageType::DataMessage,
            owner: found.address.scope.account.to_string(),
            log_group: found.address.group.clone(),
            log_stream: found.address.stream.clone(),
            subscription_filters: vec![subscription.name.clone()],
            log_events: Vec::new(),
        },
    }
}

/// What a pattern found, by the fields' names without `$`.
fn named(extracted: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let plain = |name: String| name.strip_prefix('$').map_or(name.clone(), str::to_owned);
    extracted.into_iter().map(|(name, text)| (plain(name), text)).collect()
}

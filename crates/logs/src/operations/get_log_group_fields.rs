//! `GetLogGroupFields`: which fields the events of a group have.

use std::time::Duration;

use groundwatch_api::logs::{
    GetLogGroupFields, GetLogGroupFieldsInput, GetLogGroupFieldsOutput, LogGroupField,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp};

use crate::discovered_fields::FieldCounts;
use crate::error::LogsError;
use crate::event_key::{EventKey, KeyRange};
use crate::logs::Logs;
use crate::store::{Direction, Query, Step, StreamAddress, Streams};

/// How far around a given moment is looked.
const AROUND: Duration = Duration::from_secs(8 * 60);
/// How far back without one.
const BACK: Duration = Duration::from_secs(15 * 60);

/// How many events are looked at, the newest of those in question, and how much text.
const EVENTS_MAX: usize = 20_000;
const SCAN_BYTES_MAX: usize = 64 << 20;

impl Handle<GetLogGroupFields> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: GetLogGroupFieldsInput,
    ) -> Result<GetLogGroupFieldsOutput, Fault> {
        let (name, group) = self.named_group(
            call.scope(),
            input.log_group_name.as_deref(),
            input.log_group_identifier.as_deref(),
        )?;
        let (from, to) = asked_range(input.time, call.received);
        let treatment = self.directory.treatment(call.scope(), &name, &group);
        let from = from.max(treatment.expired_before(call.received));
        let exists = |address: &StreamAddress| self.directory.holds_stream(address);
        let query = Query {
            group: group.id,
            streams: Streams::Those(&exists),
            range: KeyRange { from: EventKey::before(from), to: EventKey::after(to) },
            direction: Direction::Backward,
            matcher: None,
            events_max: EVENTS_MAX,
            bytes_max: SCAN_BYTES_MAX,
        };
        let mut merge = self.store.read(query).await.map_err(LogsError::from)?;
        let mut counts = FieldCounts::default();
        for _ in 0..EVENTS_MAX {
            match merge.next().await.map_err(LogsError::from)? {
                Step::Event(event) => counts.add(&event.message),
                Step::End | Step::Paused(_) => break,
            }
        }
        let field = |(name, percent)| LogGroupField { name: Some(name), percent: Some(i32::from(percent)) };
        let fields = counts.percentages().into_iter().map(field).collect();
        Ok(GetLogGroupFieldsOutput { log_group_fields: Some(fields) })
    }
}

/// The first and the last moment in question; `secs` is the middle.
fn asked_range(secs: Option<i64>, now: Timestamp) -> (Timestamp, Timestamp) {
    match secs {
        Some(secs) => {
            let middle = Timestamp::from_millis(secs.saturating_mul(1000));
            (middle - AROUND, middle + AROUND)
        }
        None => (now - BACK, now),
    }
}

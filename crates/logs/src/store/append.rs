//! The way in: budget, number, journal, appearance.

use bytes::Bytes;
use groundwatch_core::Timestamp;
use groundwatch_storage::{Position, StreamId};

use super::event_batch::EventBatch;
use super::record::Record;
use super::{Arrival, LogStore, State, StoreError, StreamAddress};
use crate::metric_sink::AdmittedMetrics;

impl LogStore {
    /// Stores the events of one request, and returns their sequence. They are durable and visible when this
    /// returns `Ok`. `events` are (milliseconds since 1970, text), judged by [`crate::ingestion::judge`];
    /// `message_bytes` is their text in all. `metrics` are those that the events give rise to: they are
    /// durable and visible with the events, or not at all.
    ///
    /// Over the budget it waits for a flush, up to [`super::StoreOptions::room_wait`]. Errors:
    /// [`StoreError::Overloaded`] or [`StoreError::FlushFails`] if there is no room then; else the journal's.
    /// Nothing of a failed batch is visible. If the caller gives up waiting, that is not known, as after any
    /// broken connection.
    pub async fn append<'a>(
        &self,
        address: &StreamAddress,
        ingested: Timestamp,
        events: impl ExactSizeIterator<Item = (i64, &'a [u8])> + Clone,
        message_bytes: usize,
        metrics: Option<Box<dyn AdmittedMetrics + '_>>,
    ) -> Result<u64, StoreError> {
        let bytes = EventBatch::encoded_len(events.len(), message_bytes);
        let ticket = self.admit(bytes, ingested).await?;
        let sequence = ticket.sequence;
        let payload = Bytes::from(Record::encode(address, sequence, ingested, events, message_bytes));
        // The head keeps the very bytes that the journal writes.
        let record = Record::decode(payload.clone()).map_err(StoreError::internal)?;
        let position = match metrics {
            None => self.inner.journal.append(StreamId::LOGS, payload).await?,
            Some(metrics) => {
                let whole = [vec![(StreamId::LOGS, payload)], metrics.records()].concat();
                let positions = self.inner.journal.append_whole(whole).await?;
                metrics.durable(&positions[1..]);
                positions[0]
            }
        };
        ticket.durable(position, record);
        self.visible(sequence).await;
        Ok(sequence)
    }

    /// A number for a batch of that size, once there is room for it.
    async fn admit(&self, bytes: usize, arrived: Timestamp) -> Result<Ticket<'_>, StoreError> {
        match self.try_admit(bytes, arrived) {
            Err(StoreError::Overloaded) => {}
            admitted => return admitted,
        }
        let _waiting = Waiting::begin(self, bytes)?;
        let admitted = async {
            loop {
                let room = self.inner.room.notified();
                match self.try_admit(bytes, arrived) {
                    Err(StoreError::Overloaded) => room.await,
                    admitted => return admitted,
                }
            }
        };
        let admitted = tokio::time::timeout(self.inner.options.room_wait, admitted).await;
        admitted.unwrap_or(Err(StoreError::Overloaded))
    }

    /// The same, if there is room now.
    fn try_admit(&self, bytes: usize, arrived: Timestamp) -> Result<Ticket<'_>, StoreError> {
        let mut state = self.inner.state.write();
        if state.memory_bytes() + bytes > self.inner.options.head_bytes_max {
            let fails = state.flush_failed_at.is_some();
            return Err(if fails { StoreError::FlushFails } else { StoreError::Overloaded });
        }
        state.under_way_bytes += bytes;
        Ok(Ticket { store: self, sequence: state.arrivals.begin(), bytes, arrived, settled: false })
    }

    /// Waits until the batch of that number has appeared.
    async fn visible(&self, sequence: u64) {
        if *self.inner.visible_through.borrow() >= sequence {
            return;
        }
        let mut visible_through = self.inner.visible_through.subscribe();
        // It fails only without a sender, and that is in `self`.
        let _ = visible_through.wait_for(|through| *through >= sequence).await;
    }

    fn settle(&self, bytes: usize, settle: impl FnOnce(&mut State) -> Vec<Record>) {
        let mut state = self.inner.state.write();
        state.under_way_bytes -= bytes;
        let appeared = settle(&mut state);
        let listeners = self.inner.listeners.read();
        let arrivals: Vec<_> = match listeners.is_empty() {
            true => Vec::new(),
            false => appeared.iter().map(|record| (record.address.clone(), record.batch.clone())).collect(),
        };
        for record in appeared {
            state.head.insert(record);
        }
        let through = state.arrivals.visible_through();
        let flush_is_due = state.head.memory_bytes() >= self.inner.options.flush_bytes;
        // Under the lock, so that it only grows.
        self.inner.visible_through.send_replace(through);
        drop(state);
        for (address, batch) in &arrivals {
            let arrival = Arrival {
                address,
                sequence: batch.sequence(),
                ingested: batch.ingested(),
                last_event: batch.last_key().timestamp,
                events: batch.len() as u64,
                bytes: batch.billed_bytes(),
            };
            listeners.iter().for_each(|listener| listener.arrived(&arrival));
        }
        drop(listeners);
        if flush_is_due {
            self.inner.flush_due_changed.notify_waiters();
            self.inner.flush_due_changed.notify_one();
        }
    }
}

impl State {
    /// What events take in memory, those under way included.
    pub(super) fn memory_bytes(&self) -> usize {
        let frozen = self.frozen.as_ref().map_or(0, |frozen| frozen.head.memory_bytes());
        self.head.memory_bytes() + frozen + self.under_way_bytes
    }
}

/// A batch that waits for room. Its request is in memory, too: so there are not many.
struct Waiting<'a> {
    store: &'a LogStore,
    bytes: usize,
}

impl<'a> Waiting<'a> {
    /// What waits takes no more than this part of the budget.
    const PART: usize = 8;

    fn begin(store: &'a LogStore, bytes: usize) -> Result<Self, StoreError> {
        let mut state = store.inner.state.write();
        if state.waiting_bytes + bytes > store.inner.options.head_bytes_max / Self::PART {
            return Err(StoreError::Overloaded);
        }
        state.waiting_bytes += bytes;
        Ok(Self { store, bytes })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.store.inner.state.write().waiting_bytes -= self.bytes;
    }
}

/// A batch on its way. However its request ends, those behind it do not wait for it forever.
struct Ticket<'a> {
    store: &'a LogStore,
    sequence: u64,
    bytes: usize,
    arrived: Timestamp,
    settled: bool,
}

impl Ticket<'_> {
    fn durable(mut self, position: Position, record: Record) {
        self.settled = true;
        let sequence = self.sequence;
        self.store.settle(self.bytes, |state| state.arrivals.durable(sequence, position, record));
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.settled {
            let sequence = self.sequence;
            self.store.settle(self.bytes, |state| {
                // What was flushed meanwhile may lie behind it in the journal, and was not released then.
                state.head.begin(self.arrived);
                state.arrivals.failed(sequence)
            });
        }
    }
}

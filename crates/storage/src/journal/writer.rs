//! The thread that writes: takes all that waits, writes it at once, syncs once, answers everybody.

use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::file::{AppendError, LogFile};
use super::format::{FileHeader, RECORD_HEADER_BYTES, RecordHeader, file_name};
use super::recovery::{ClosedFile, Releases, Tail, unreleased};
use super::{JournalOptions, Position, StreamId};
use crate::StorageError;
use crate::disk::Disk;

/// How many bytes are gathered into one write at most, as long as there are several records.
const BATCH_BYTES: usize = 16 << 20;
/// How many records are gathered into one write at most.
const BATCH_RECORDS: usize = 16_384;

/// What the writer is asked to do.
pub(super) enum Message {
    /// Make a record durable.
    Append(Append),
    /// Make records durable that make one whole.
    AppendWhole(Vec<Append>),
    /// A stream needs its records through this position no more.
    Release { stream: StreamId, through: Position },
}

/// A record that waits to be written.
pub(super) struct Append {
    pub(super) stream: StreamId,
    pub(super) payload: Bytes,
    pub(super) payload_checksum: u32,
    /// How many of those behind it make one whole with it.
    pub(super) followers: u8,
    /// Given back when the record is answered.
    pub(super) reserved: Reservation,
    pub(super) done: oneshot::Sender<Result<Position, StorageError>>,
}

impl Append {
    /// How long the record is in a file.
    fn bytes(&self) -> usize {
        RECORD_HEADER_BYTES as usize + self.payload.len()
    }
}

/// A part of the queue's budget, given back when dropped.
pub(super) struct Reservation {
    waiting_bytes: Arc<AtomicUsize>,
    bytes: usize,
}

impl Reservation {
    /// Takes `bytes` of a budget; `None` if so much is not left. An idle queue takes one record of any size.
    pub(super) fn take(waiting_bytes: &Arc<AtomicUsize>, bytes: usize, budget: usize) -> Option<Self> {
        let taken = waiting_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
            (waiting == 0 || waiting + bytes <= budget).then_some(waiting + bytes)
        });
        taken.ok().map(|_| Self { waiting_bytes: Arc::clone(waiting_bytes), bytes })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.waiting_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Writes the journal.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    options: JournalOptions,
    releases: Releases,
    tail: Tail,
    /// The file to write to; there is none at the start, and after a failure.
    file: Option<LogFile>,
    /// Others who hold this still read old files.
    files_in_use: Arc<()>,
    overdue: Arc<Mutex<BTreeSet<StreamId>>>,
}

impl Writer {
    /// Goes on where the files end.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        options: JournalOptions,
        releases: Releases,
        tail: Tail,
        files_in_use: Arc<()>,
    ) -> Self {
        let writer =
            Self { disk, options, releases, tail, file: None, files_in_use, overdue: Arc::default() };
        writer.note_overdue();
        writer
    }

    /// The streams that keep the oldest file although too many bytes are held, as they change.
    pub(super) fn overdue(&self) -> Arc<Mutex<BTreeSet<StreamId>>> {
        Arc::clone(&self.overdue)
    }

    /// Serves until the last sender is gone.
    pub(super) fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut batch = Vec::new();
        while let Some(message) = messages.blocking_recv() {
            let mut bytes = 0;
            let mut next = Some(message);
            while let Some(message) = next {
                match message {
                    Message::Append(append) => {
                        bytes += append.bytes();
                        batch.push(append);
                    }
                    Message::AppendWhole(appends) => {
                        bytes += appends.iter().map(Append::bytes).sum::<usize>();
                        batch.extend(appends);
                    }
                    Message::Release { stream, through } => self.release(stream, through),
                }
                let full = bytes >= BATCH_BYTES || batch.len() >= BATCH_RECORDS;
                next = if full { None } else { messages.try_recv().ok() };
            }
            if !batch.is_empty() {
                self.write(&mut batch, bytes as u64);
            }
        }
        self.close();
    }

    /// Writes a batch, and answers it.
    pub(super) fn write(&mut self, batch: &mut Vec<Append>, bytes: u64) {
        let first = self.tail.next_position;
        // Also if this fails, these positions are not used again: what is left of it can never pass for a
        // later one.
        self.tail.next_position = Position(first.0 + batch.len() as u64);
        let outcome = self.try_write(batch, first, bytes);
        let positions = (first.0..).map(Position);
        for (append, position) in batch.drain(..).zip(positions) {
            if outcome.is_ok() {
                self.tail.marks.insert(append.stream, position);
            }
            drop((append.payload, append.reserved));
            // Who no longer waits does not mind.
            let _ = append.done.send(outcome.clone().map(|()| position));
        }
    }

    fn try_write(&mut self, batch: &[Append], first: Position, bytes: u64) -> Result<(), StorageError> {
        let file = self.file_for(first, bytes)?;
        let number = file.number;
        let records = batch.iter().zip((first.0..).map(Position));
        let records = records.map(|(append, position)| Outgoing {
            position,
            stream: append.stream,
            payload: &append.payload,
            payload_checksum: append.payload_checksum,
            followers: append.followers,
        });
        append_batch(file, records).map_err(|error| match error {
            AppendError::Undone(source) => failed("write", number, source),
            AppendError::Broken(source) => {
                self.leave_file();
                tracing::warn!(file = file_name(number), %source, "the journal goes on in a new file");
                failed("write", number, source)
            }
        })
    }

    /// The file for a batch that begins with the position `first`: a new one if there is none with enough
    /// room.
    fn file_for(&mut self, first: Position, bytes: u64) -> Result<&mut LogFile, StorageError> {
        let room = |file: &LogFile| !file.has_records() || file.length + bytes <= self.options.file_bytes;
        if self.file.as_ref().is_some_and(|file| !room(file)) {
            self.leave_file();
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => self.create_file(first)?,
        };
        Ok(self.file.insert(file))
    }

    /// Makes durable now what was found at the start and may be in the machine's memory only. After an error,
    /// the first append tries again.
    pub(super) fn settle(&mut self) -> Result<(), StorageError> {
        if !self.tail.carried.is_empty() {
            self.file = Some(self.create_file(self.tail.next_position)?);
        }
        Ok(())
    }

    /// Creates the next file, which seals the last one, and begins with what that one could not prove to
    /// hold.
    fn create_file(&mut self, first_position: Position) -> Result<LogFile, StorageError> {
        let number = self.tail.next_number;
        self.tail.next_number += 1;
        match self.try_create_file(number, first_position) {
            Ok(file) => {
                self.remove_stale();
                Ok(file)
            }
            Err(source) => {
                if self.disk.remove(&file_name(number)).is_err() {
                    self.tail.stale.push(number);
                }
                Err(failed("create", number, source))
            }
        }
    }

    fn try_create_file(&mut self, number: u64, first_position: Position) -> io::Result<LogFile> {
        let carried = &self.tail.carried;
        let header = FileHeader {
            number,
            salt: uuid::Uuid::new_v4().as_u64_pair().0,
            first_position: carried.first().map_or(first_position, |record| record.position),
            previous: self.tail.seal,
            carried_bytes: carried
                .iter()
                .map(|record| RECORD_HEADER_BYTES + record.payload.len() as u64)
                .sum(),
            marks: self.tail.marks.clone(),
        };
        let mut file = LogFile::create(&*self.disk, &header, self.options.file_bytes)?;
        if !carried.is_empty() {
            let records = carried.iter().map(|record| Outgoing {
                position: record.position,
                stream: record.stream,
                payload: &record.payload,
                payload_checksum: crc32fast::hash(&record.payload),
                // The file counts with all of them only.
                followers: 0,
            });
            append_batch(&mut file, records).map_err(AppendError::into_source)?;
            self.tail.marks.extend(carried.iter().map(|record| (record.stream, record.position)));
            self.tail.carried.clear();
        }
        Ok(file)
    }

    /// Writes to the current file no more.
    fn leave_file(&mut self) {
        if let Some(mut file) = self.file.take() {
            file.finish();
            if file.has_records() {
                self.tail.seal = file.seal();
                let (number, bytes, marks) = (file.number, file.length, self.tail.marks.clone());
                self.tail.closed.push_back(ClosedFile { number, bytes, marks });
                self.note_overdue();
            } else {
                self.tail.stale.push(file.number);
            }
        }
    }

    pub(super) fn release(&mut self, stream: StreamId, through: Position) {
        let released = self.releases.entry(stream).or_default();
        *released = through.max(*released);
        let releases = &self.releases;
        let is_needed = |file: &ClosedFile| unreleased(&file.marks, releases).next().is_some();
        while let Some(file) = self.tail.closed.pop_front_if(|file| !is_needed(file)) {
            self.tail.stale.push(file.number);
        }
        self.note_overdue();
        self.remove_stale();
    }

    fn note_overdue(&self) {
        let closed = &self.tail.closed;
        let held_bytes: u64 = closed.iter().map(|file| file.bytes).sum();
        let oldest = closed.front().filter(|_| held_bytes > self.options.held_bytes);
        let keepers = oldest.into_iter().flat_map(|file| unreleased(&file.marks, &self.releases));
        *self.overdue.lock() = keepers.collect();
    }

    /// Removes files that do not count. What cannot be removed now is tried again later.
    fn remove_stale(&mut self) {
        // What is to be carried over is still in one of these files.
        if Arc::strong_count(&self.files_in_use) > 1 || !self.tail.carried.is_empty() {
            return;
        }
        self.tail.stale.retain(|number| match self.disk.remove(&file_name(*number)) {
            Ok(()) => false,
            Err(source) => source.kind() != io::ErrorKind::NotFound,
        });
    }

    /// Ends the file with a record of the journal's own. It shows that all before it was once durable, so
    /// that damage to the last batch of a server that was stopped in good order is not mistaken for a torn
    /// write.
    pub(super) fn close(&mut self) {
        if !self.file.as_ref().is_some_and(LogFile::has_records) {
            return;
        }
        let (done, _) = oneshot::channel();
        let waiting_bytes = Arc::default();
        let end = Append {
            stream: StreamId::JOURNAL,
            payload: Bytes::new(),
            payload_checksum: crc32fast::hash(&[]),
            followers: 0,
            reserved: Reservation { waiting_bytes, bytes: 0 },
            done,
        };
        let first = self.tail.next_position;
        if let Err(error) = self.try_write(&[end], first, RECORD_HEADER_BYTES) {
            tracing::warn!(%error, "cannot mark the journal's end");
        }
        self.leave_file();
    }
}

/// A record on its way to a file.
struct Outgoing<'a> {
    position: Position,
    stream: StreamId,
    payload: &'a Bytes,
    payload_checksum: u32,
    followers: u8,
}

/// Appends records as one batch, without copying their payloads.
fn append_batch<'a>(
    file: &mut LogFile,
    records: impl Iterator<Item = Outgoing<'a>> + Clone,
) -> Result<(), AppendError> {
    let batch = u32::try_from(file.length).expect("files are left long before 4 GiB");
    let mut bytes = 0;
    let headers: Vec<_> = records
        .clone()
        .map(|Outgoing { position, stream, payload, payload_checksum, followers }| {
            let length = payload.len() as u32;
            bytes += RECORD_HEADER_BYTES + u64::from(length);
            RecordHeader { length, payload_checksum, position, batch, stream, followers }.encode(file.salt)
        })
        .collect();
    let mut parts: Vec<_> = headers
        .iter()
        .zip(records)
        .flat_map(|(header, record)| [IoSlice::new(header), IoSlice::new(record.payload)])
        .collect();
    file.append(&mut parts, bytes)
}

fn failed(action: &str, number: u64, source: io::Error) -> StorageError {
    StorageError::io(action, &Path::new("journal").join(file_name(number)), source)
}

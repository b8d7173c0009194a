//! Reads one journal file from its first record on, with bounded memory.

use std::io;
use std::path::Path;

use bytes::Bytes;

use super::format::{
    FileHeader, HEADER_BYTES, HeaderError, Marks, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader, file_name,
};
use super::{Position, Record};
use crate::StorageError;
use crate::disk::{Disk, DiskFile};

/// How much is read at once; longer payloads are read by themselves.
const WINDOW_BYTES: u64 = 1 << 20;

/// A file that was opened for reading.
pub(super) struct Source {
    name: String,
    file: Box<dyn DiskFile>,
    length: u64,
}

impl Source {
    /// Opens the file of that number.
    pub(super) fn open(disk: &dyn Disk, number: u64) -> Result<Self, StorageError> {
        let name = file_name(number);
        let failed = |source| StorageError::io("read", Path::new(&name), source);
        let file = disk.open(&name).map_err(failed)?;
        let length = file.length().map_err(failed)?;
        Ok(Self { name, file, length })
    }

    /// The file's header.
    pub(super) fn header(&self) -> Result<Result<FileHeader, HeaderError>, StorageError> {
        Ok(FileHeader::decode(&self.read(0, HEADER_BYTES)?))
    }

    /// Whether anything but zeros follows the header block.
    pub(super) fn has_data(&self) -> Result<bool, StorageError> {
        Ok(self.data_end(HEADER_BYTES)? > HEADER_BYTES)
    }

    /// Where the last byte ends that is not zero, at `from` or behind it; `from` if there is none.
    fn data_end(&self, from: u64) -> Result<u64, StorageError> {
        let mut end = from;
        let mut at = from;
        while at < self.length {
            let window = self.read(at, WINDOW_BYTES)?;
            if let Some(last) = window.iter().rposition(|byte| *byte != 0) {
                end = at + last as u64 + 1;
            }
            at += WINDOW_BYTES;
        }
        Ok(end)
    }

    /// Up to `count` bytes from `offset` on; fewer only at the file's end.
    fn read(&self, offset: u64, count: u64) -> Result<Vec<u8>, StorageError> {
        let there = self.length.saturating_sub(offset).min(count);
        let mut bytes = vec![0; there as usize];
        let read: io::Result<usize> = self.file.read_at(&mut bytes, offset);
        let read = read.map_err(|source| StorageError::io("read", Path::new(&self.name), source))?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// A walk over the records of a file.
pub(super) struct Scan {
    source: Source,
    salt: u64,
    /// Where the next record begins.
    at: u64,
    /// Where the last one ends.
    limit: u64,
    /// The record before has this position and batch.
    last: Option<(Position, u32)>,
    window: Vec<u8>,
    window_at: u64,
}

/// What a walk comes upon.
pub(super) enum Found {
    /// A record, the batch that it was written with, and how many of those behind it make one whole with it.
    Record { record: Record, batch: u32, followers: u8 },
    /// Something that is no record, up to the next one. If it has a genuine header, its payload is wrong.
    Damage { offset: u64, header: Option<RecordHeader>, reason: &'static str },
}

impl Scan {
    /// The records of a file between its header and byte `limit`.
    pub(super) fn new(source: Source, header: &FileHeader, limit: u64) -> Self {
        Self {
            source,
            salt: header.salt,
            at: HEADER_BYTES,
            limit,
            last: header.first_position.0.checked_sub(1).map(|position| (Position(position), 0)),
            window: Vec::new(),
            window_at: 0,
        }
    }

    /// What comes next; `None` at the limit.
    pub(super) fn next(&mut self) -> Result<Option<Found>, StorageError> {
        if self.at >= self.limit {
            return Ok(None);
        }
        let offset = self.at;
        let header = self.header_at(offset)?;
        let reason = match header {
            None => "there is no record where one must begin",
            Some(header) if !self.follows(&header, offset) => "a record is out of order",
            Some(header) => match self.payload_of(&header, offset)? {
                Some(payload) => {
                    self.at = offset + RECORD_HEADER_BYTES + u64::from(header.length);
                    self.last = Some((header.position, header.batch));
                    let record = Record { position: header.position, stream: header.stream, payload };
                    let RecordHeader { batch, followers, .. } = header;
                    return Ok(Some(Found::Record { record, batch, followers }));
                }
                None => "a record's payload is not what was written",
            },
        };
        self.at = self.next_header(offset + 1)?;
        Ok(Some(Found::Damage { offset, header, reason }))
    }

    /// The file as damage names it.
    pub(super) fn corrupt(&self, offset: u64, reason: &str) -> StorageError {
        corrupt(&self.source.name, Some(offset), reason)
    }

    /// Whether a record at `offset` can come after the last one.
    fn follows(&self, header: &RecordHeader, offset: u64) -> bool {
        let (position, batch) = self.last.unwrap_or_default();
        (self.last.is_none() || header.position > position)
            && header.batch >= batch
            && u64::from(header.batch) <= offset
    }

    fn header_at(&mut self, offset: u64) -> Result<Option<RecordHeader>, StorageError> {
        let salt = self.salt;
        Ok(RecordHeader::decode(self.peek(offset, RECORD_HEADER_BYTES)?, salt))
    }

    /// The payload behind a header at `offset`; `None` if it is not the one that was written.
    fn payload_of(&mut self, header: &RecordHeader, offset: u64) -> Result<Option<Bytes>, StorageError> {
        let begin = offset + RECORD_HEADER_BYTES;
        let length = u64::from(header.length);
        if begin + length > self.limit {
            return Ok(None);
        }
        let payload = if length <= WINDOW_BYTES / 4 {
            Bytes::copy_from_slice(self.peek(begin, length)?)
        } else {
            Bytes::from(self.source.read(begin, length)?)
        };
        let genuine = payload.len() as u64 == length && crc32fast::hash(&payload) == header.payload_checksum;
        Ok(genuine.then_some(payload))
    }

    /// Where the next header is that may follow the last record, at `from` or behind it; the limit if there
    /// is none.
    fn next_header(&mut self, from: u64) -> Result<u64, StorageError> {
        let mut at = from;
        while at + RECORD_HEADER_BYTES <= self.limit {
            let window = self.window_from(at)?;
            match memchr::memmem::find(window, &RECORD_MAGIC) {
                Some(distance) => {
                    at += distance as u64;
                    if self.header_at(at)?.is_some_and(|header| self.follows(&header, at)) {
                        return Ok(at);
                    }
                    at += 1;
                }
                // The magic may begin in the last bytes of this window.
                None if window.len() >= RECORD_MAGIC.len() => {
                    at += (window.len() - RECORD_MAGIC.len() + 1) as u64;
                }
                None => break,
            }
        }
        Ok(self.limit)
    }

    /// Whatever part of the file is at hand from `offset` on: at least a record's header, except at the end.
    fn window_from(&mut self, offset: u64) -> Result<&[u8], StorageError> {
        self.peek(offset, RECORD_HEADER_BYTES)?;
        let end = (self.limit.saturating_sub(self.window_at)).min(self.window.len() as u64) as usize;
        let begin = ((offset - self.window_at) as usize).min(end);
        Ok(&self.window[begin..end])
    }

    /// Up to `count` bytes from `offset` on, fewer only at the limit or the file's end.
    fn peek(&mut self, offset: u64, count: u64) -> Result<&[u8], StorageError> {
        let count = count.min(self.limit.saturating_sub(offset));
        let window_end = self.window_at + self.window.len() as u64;
        if offset < self.window_at || offset + count > window_end {
            self.window = self.source.read(offset, WINDOW_BYTES)?;
            self.window_at = offset;
        }
        let begin = ((offset - self.window_at) as usize).min(self.window.len());
        let end = (begin + count as usize).min(self.window.len());
        Ok(&self.window[begin..end])
    }
}

/// Where a file ends that no later file seals.
pub(super) struct End {
    /// The length of what is readable.
    pub(super) length: u64,
    /// The length of what is known to be durable, because another batch was begun behind it.
    pub(super) proven_length: u64,
    /// Each stream's last position in the proven part and in all earlier files.
    pub(super) marks: Marks,
    /// The records behind the proven part: the last batch.
    pub(super) last_batch: Vec<Record>,
    /// Records behind those whose followers are not there yet.
    incomplete: Vec<Record>,
    /// How many bytes of a torn write follow what is readable.
    pub(super) torn_bytes: u64,
}

/// Finds the end of the last file: it is where the last batch that was written in full ends.
///
/// What is unreadable is torn if no later batch was begun behind it; else it was once durable, and stays
/// inside.
pub(super) fn find_end(source: Source, header: &FileHeader) -> Result<End, StorageError> {
    let limit = source.length;
    let mut scan = Scan::new(source, header, limit);
    let mut end = End {
        length: HEADER_BYTES,
        proven_length: HEADER_BYTES,
        marks: header.marks.clone(),
        last_batch: Vec::new(),
        incomplete: Vec::new(),
        torn_bytes: 0,
    };
    let mut torn_from = None;
    while let Some(found) = scan.next()? {
        match found {
            Found::Record { record, batch, followers } => {
                // What else is left of the torn batch does not count.
                if torn_from.is_none_or(|torn_from| u64::from(batch) > torn_from) {
                    torn_from = None;
                    end.prove(batch);
                    end.incomplete.push(record);
                    if followers == 0 {
                        end.last_batch.append(&mut end.incomplete);
                        end.length = scan.at;
                    }
                }
            }
            Found::Damage { offset, header, .. } => match (torn_from, header) {
                (None, _) => torn_from = Some(offset),
                (Some(before), Some(header)) if u64::from(header.batch) > before => {
                    end.prove(header.batch);
                    torn_from = Some(offset);
                }
                _ => {}
            },
        }
    }
    end.torn_bytes = scan.source.data_end(end.length)? - end.length;
    Ok(end)
}

impl End {
    /// A batch began at this byte: all that precedes it was durable by then.
    fn prove(&mut self, batch: u32) {
        let begin = u64::from(batch).max(HEADER_BYTES);
        if begin > self.proven_length {
            self.proven_length = begin;
            self.length = self.length.max(begin);
            // What lacks here is damaged, not torn: the rest of its whole stays.
            let proven = self.last_batch.drain(..).chain(self.incomplete.drain(..));
            self.marks.extend(proven.map(|record| (record.stream, record.position)));
        }
    }
}

/// Names damage in a journal file.
pub(super) fn corrupt(name: &str, offset: Option<u64>, reason: &str) -> StorageError {
    let place = match offset {
        Some(offset) => format!("journal/{name} at byte {offset}"),
        None => format!("journal/{name}"),
    };
    StorageError::Corrupt { place, reason: reason.to_owned() }
}

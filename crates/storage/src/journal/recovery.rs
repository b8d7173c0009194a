//! Finds the journal's files, and reads what was not released.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use super::format::{FileHeader, HEADER_BYTES, HeaderError, Marks, Seal, file_name, file_number};
use super::scan::{End, Found, Scan, Source, corrupt, find_end};
use super::{Position, Record, StreamId};
use crate::StorageError;
use crate::disk::Disk;

/// Through which position each stream's records are needed no more.
pub(super) type Releases = HashMap<StreamId, Position>;

/// The streams that need some of the records up to `marks`.
pub(super) fn unreleased(marks: &Marks, releases: &Releases) -> impl Iterator<Item = StreamId> {
    let needed =
        marks.iter().filter(|(stream, last)| releases.get(stream).is_none_or(|through| through < last));
    needed.map(|(stream, _)| *stream)
}

/// What the files are, and how writing goes on.
pub(super) struct Plan {
    /// The files that count, oldest first, with what is wrong in between.
    items: VecDeque<Item>,
    /// Where writing goes on.
    pub(super) tail: Tail,
}

/// How the journal ends.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// The last file, as the next one must seal it.
    pub(super) seal: Seal,
    /// Each stream's last position in what is sealed.
    pub(super) marks: Marks,
    /// The records behind what can be sealed: the next file has to begin with them.
    pub(super) carried: Vec<Record>,
    /// Larger than every number in use.
    pub(super) next_number: u64,
    /// Larger than every position in use.
    pub(super) next_position: Position,
    /// The files that are complete, oldest first.
    pub(super) closed: VecDeque<ClosedFile>,
    /// Files that do not count, or will not when the next file has sealed what does; removed then.
    pub(super) stale: Vec<u64>,
}

/// A file that is complete, and counts.
#[derive(Debug)]
pub(super) struct ClosedFile {
    pub(super) number: u64,
    pub(super) bytes: u64,
    /// Each stream's last position at its end.
    pub(super) marks: Marks,
}

enum Item {
    File { number: u64, header: FileHeader, limit: u64 },
    Problem(StorageError),
}

/// What is said of the file that is looked for next, going from the newest to the oldest.
enum Wanted {
    /// Nothing: the newest one with a smaller number.
    Below(u64),
    /// The newer file sealed it, and says up to where each stream had got.
    Sealed(Seal, Marks),
}

/// Reads the headers, follows them from the newest file to the oldest, and finds the end of the newest.
///
/// Errors: [`StorageError::TooNew`], [`StorageError::Io`]. Damage is not an error here: the recovery tells of
/// it.
pub(super) fn plan(disk: &dyn Disk, releases: &Releases) -> Result<Plan, StorageError> {
    let mut files = read_headers(disk)?;
    let next_number = files.last_key_value().map_or(1, |(number, _)| number + 1);
    let mut tail = Tail { next_number, next_position: Position(1), ..Tail::default() };
    let mut items = VecDeque::new();
    let mut wanted = Wanted::Below(next_number);
    loop {
        let (number, sealed) = match &wanted {
            Wanted::Below(bound) => match files.range(..bound).next_back() {
                None => break,
                Some((number, _)) => (*number, None),
            },
            Wanted::Sealed(seal, marks) => {
                if seal.number == 0 || unreleased(marks, releases).next().is_none() {
                    break;
                }
                (seal.number, Some(seal.length))
            }
        };
        let header = match files.remove(&number) {
            Some(Ok(header)) => header,
            Some(Err(reason)) => {
                if sealed.is_some() || Source::open(disk, number)?.has_data()? {
                    items.push_front(Item::Problem(corrupt(&file_name(number), None, reason)));
                } else {
                    // The power failed while it was created.
                    tail.stale.push(number);
                }
                wanted = Wanted::Below(number);
                continue;
            }
            None => {
                let reason = "it is missing, and not all of its records were released";
                items.push_front(Item::Problem(corrupt(&file_name(number), None, reason)));
                wanted = Wanted::Below(number);
                continue;
            }
        };
        let limit = match sealed {
            Some(limit) => limit,
            None => {
                let end = find_end(Source::open(disk, number)?, &header)?;
                if end.length < HEADER_BYTES + header.carried_bytes {
                    // The power failed before it held what it was to carry: the file before still does.
                    tail.stale.push(number);
                    wanted = Wanted::Below(number);
                    continue;
                }
                let limit = end.length;
                tail.go_on_after(number, &header, end);
                limit
            }
        };
        wanted = Wanted::Sealed(header.previous, header.marks.clone());
        items.push_front(Item::File { number, header, limit });
    }
    tail.stale.extend(files.iter().filter(|(_, header)| header.is_ok()).map(|(number, _)| number));
    // Released positions are never used again, even if the files are gone.
    for through in releases.values() {
        tail.next_position = tail.next_position.max(Position(through.0 + 1));
    }
    tail.closed = closed_files(&items, &tail);
    Ok(Plan { items, tail })
}

impl Tail {
    /// Takes into account a file that no later one seals. The newest of them is where writing goes on.
    fn go_on_after(&mut self, number: u64, header: &FileHeader, end: End) {
        if end.torn_bytes > 0 {
            let file = file_name(number);
            tracing::warn!(file, at = end.length, bytes = end.torn_bytes, "cut a torn write off the journal");
        }
        let last = end.last_batch.last().map(|record| record.position).max(end.marks.values().max().copied());
        let first_free = last.map_or(Position(0), |last| Position(last.0 + 1));
        self.next_position = self.next_position.max(header.first_position).max(first_free);
        if self.seal != Seal::default() {
            return;
        }
        self.carried = end.last_batch;
        self.carried.retain(|record| record.stream != StreamId::JOURNAL);
        self.marks = end.marks;
        if end.proven_length > HEADER_BYTES {
            self.seal = Seal { number, length: end.proven_length };
        } else {
            // Nothing in it would be left to seal. So starts without appends leave no trace, too.
            self.seal = header.previous;
            self.stale.push(number);
        }
    }
}

fn read_headers(disk: &dyn Disk) -> Result<BTreeMap<u64, Result<FileHeader, &'static str>>, StorageError> {
    let names = disk.list().map_err(|source| StorageError::io("list", Path::new("journal"), source))?;
    let mut files = BTreeMap::new();
    for number in names.iter().filter_map(|name| file_number(name)) {
        let header = match Source::open(disk, number)?.header()? {
            Ok(header) if header.number != number => Err("it has another file's number"),
            Ok(header) => Ok(header),
            Err(HeaderError::Damaged(reason)) => Err(reason),
            Err(HeaderError::TooNew(found)) => {
                let place = format!("journal/{}", file_name(number));
                return Err(StorageError::TooNew {
                    place,
                    found: found.into(),
                    known: super::format::VERSION.into(),
                });
            }
        };
        files.insert(number, header);
    }
    Ok(files)
}

/// All files. The marks at their end are in the next file's header.
fn closed_files(items: &VecDeque<Item>, tail: &Tail) -> VecDeque<ClosedFile> {
    let mut closed = VecDeque::new();
    let mut marks = &tail.marks;
    for item in items.iter().rev() {
        if let Item::File { number, header, limit } = item
            && !tail.stale.contains(number)
        {
            closed.push_front(ClosedFile { number: *number, bytes: *limit, marks: marks.clone() });
            marks = &header.marks;
        }
    }
    closed
}

/// All records that were not released, in the order of their positions.
///
/// An item may be an error that names a damaged place; what follows it is read nevertheless. Memory is
/// bounded by the longest record. A write that was torn by a crash is no error: nobody was told that it had
/// succeeded.
pub struct Recovery {
    disk: Arc<dyn Disk>,
    releases: Releases,
    items: VecDeque<Item>,
    scan: Option<Scan>,
    /// As long as this lives, the journal deletes no file.
    _files: Arc<()>,
}

impl Recovery {
    pub(super) fn new(disk: Arc<dyn Disk>, releases: Releases, plan: Plan, files: Arc<()>) -> (Self, Tail) {
        (Self { disk, releases, items: plan.items, scan: None, _files: files }, plan.tail)
    }

    /// Whether all files are there, as far as is known before they are read.
    pub(crate) fn is_whole(&self) -> bool {
        self.items.iter().all(|item| matches!(item, Item::File { .. }))
    }

    /// The next record or problem of the file that is being read.
    fn next_in_file(&mut self) -> Option<Result<Record, StorageError>> {
        let scan = self.scan.as_mut()?;
        loop {
            match scan.next() {
                Ok(None) => return None,
                Ok(Some(Found::Damage { offset, reason, .. })) => {
                    return Some(Err(scan.corrupt(offset, reason)));
                }
                Ok(Some(Found::Record { record, .. })) => {
                    let released = self.releases.get(&record.stream);
                    if record.stream != StreamId::JOURNAL
                        && released.is_none_or(|through| record.position > *through)
                    {
                        return Some(Ok(record));
                    }
                }
                Err(error) => {
                    self.scan = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Iterator for Recovery {
    type Item = Result<Record, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.next_in_file() {
                return Some(found);
            }
            self.scan = None;
            match self.items.pop_front()? {
                Item::Problem(problem) => return Some(Err(problem)),
                Item::File { number, header, limit } => match Source::open(&*self.disk, number) {
                    Ok(source) => self.scan = Some(Scan::new(source, &header, limit)),
                    Err(error) => return Some(Err(error)),
                },
            }
        }
    }
}

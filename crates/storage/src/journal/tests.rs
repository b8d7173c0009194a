//! The journal on a disk that fails: what was acknowledged is found again, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::format::{FileHeader, HEADER_BYTES, RECORD_HEADER_BYTES, file_name};
use super::recovery::{self, Recovery, Releases};
use super::writer::{Append, Message, Reservation, Writer};
use super::{JournalOptions, Position, Record, StreamId};
use crate::StorageError;
use crate::simulation::SimulatedDisk;

/// Small, so that a test sees many files.
const OPTIONS: JournalOptions =
    JournalOptions { queue_bytes: 1 << 20, file_bytes: 20_000, held_bytes: 60_000 };
const STREAM: StreamId = StreamId(1);

/// A journal without a thread: a test says what is gathered into one batch.
struct Server {
    disk: SimulatedDisk,
    writer: Writer,
    releases: Releases,
    /// Whether all that was recovered is known to be durable.
    settled: bool,
}

impl Server {
    /// Starts on a disk; also returns what is recovered.
    fn start(disk: &SimulatedDisk, releases: &Releases) -> (Self, Vec<Result<Record, StorageError>>) {
        let shared: Arc<dyn crate::Disk> = Arc::new(disk.clone());
        let plan = recovery::plan(&*shared, releases).expect("the disk can be read");
        let files = Arc::new(());
        let (recovery, tail) = Recovery::new(Arc::clone(&shared), releases.clone(), plan, Arc::clone(&files));
        let mut writer = Writer::new(shared, OPTIONS, releases.clone(), tail, files);
        let settled = writer.settle().is_ok();
        let recovered = recovery.collect();
        (Self { disk: disk.clone(), writer, releases: releases.clone(), settled }, recovered)
    }

    /// Starts on an empty disk.
    fn new(seed: u64) -> Self {
        Self::start(&SimulatedDisk::new(seed), &Releases::new()).0
    }

    /// Appends payloads in one batch.
    fn append(&mut self, payloads: &[(StreamId, Vec<u8>)]) -> Vec<Result<Position, StorageError>> {
        self.append_as(payloads, false)
    }

    /// Appends payloads in one batch, each by itself or all as one whole.
    fn append_as(
        &mut self,
        payloads: &[(StreamId, Vec<u8>)],
        as_whole: bool,
    ) -> Vec<Result<Position, StorageError>> {
        let (mut batch, mut answers, mut bytes) = (Vec::new(), Vec::new(), 0);
        for ((stream, payload), behind) in payloads.iter().zip((0..payloads.len()).rev()) {
            let followers = if as_whole { behind as u8 } else { 0 };
            let (done, answer) = oneshot::channel();
            let reserved = Reservation::take(&Arc::default(), 0, 0).expect("an idle queue takes anything");
            let payload_checksum = crc32fast::hash(payload);
            bytes += RECORD_HEADER_BYTES + payload.len() as u64;
            let payload = Bytes::from(payload.clone());
            batch.push(Append { stream: *stream, payload, payload_checksum, followers, reserved, done });
            answers.push(answer);
        }
        self.writer.write(&mut batch, bytes);
        answers.into_iter().map(|mut answer| answer.try_recv().expect("answered")).collect()
    }

    fn append_one(&mut self, payload: &str) -> Result<Position, StorageError> {
        self.append(&[(STREAM, payload.as_bytes().to_vec())]).remove(0)
    }

    fn release(&mut self, stream: StreamId, through: Position) {
        self.releases.insert(stream, through);
        self.writer.release(stream, through);
    }

    /// Stops in good order and starts again.
    fn restart(mut self) -> (Self, Vec<Result<Record, StorageError>>) {
        self.writer.close();
        Self::start(&self.disk, &self.releases)
    }

    /// Loses power and starts again.
    fn crash(self) -> (Self, Vec<Result<Record, StorageError>>) {
        Self::start(&self.disk.crash(), &self.releases)
    }

    /// Is killed and starts again: what it wrote is still there, synced or not.
    fn kill(self) -> (Self, Vec<Result<Record, StorageError>>) {
        Self::start(&self.disk, &self.releases)
    }
}

/// The payloads of a recovery without damage.
fn payloads(recovered: Vec<Result<Record, StorageError>>) -> Vec<String> {
    let payload = |record: Record| String::from_utf8(record.payload.to_vec()).expect("text");
    recovered.into_iter().map(|record| payload(record.expect("no damage"))).collect()
}

#[test]
fn acknowledged_records_survive_every_way_to_stop() {
    let mut server = Server::new(1);
    server.append_one("a").expect("written");
    let (mut server, recovered) = server.crash();
    assert_eq!(payloads(recovered), ["a"]);
    server.append_one("b").expect("written");
    let (mut server, recovered) = server.restart();
    assert_eq!(payloads(recovered), ["a", "b"]);
    server.append_one("c").expect("written");
    let (_, recovered) = server.kill();
    assert_eq!(payloads(recovered), ["a", "b", "c"]);
}

#[test]
fn full_disk_refuses_and_recovers_by_itself() {
    let mut server = Server::new(2);
    server.append_one("before").expect("written");
    server.disk.set_capacity(server.disk.used_bytes());
    // More than what was reserved.
    let long = vec![b'x'; 30_000];
    for _ in 0..3 {
        let refused = server.append(&[(STREAM, b"small".to_vec()), (STREAM, long.clone())]);
        assert!(refused.iter().all(|answer| matches!(answer, Err(StorageError::Full { .. }))), "{refused:?}");
    }
    server.disk.set_capacity(u64::MAX);
    server.append_one("after").expect("there is space again");
    let (_, recovered) = server.crash();
    assert_eq!(payloads(recovered), ["before", "after"]);
}

#[test]
fn what_was_refused_does_not_come_back() {
    for seed in 0..64 {
        let mut server = Server::new(seed);
        server.append_one("before").expect("written");
        // A part of the batch is written, often with whole records in it.
        server.disk.fail_call_after(0);
        let batch = vec![(STREAM, b"refused".to_vec()); 8];
        assert!(server.append(&batch).iter().all(Result::is_err));
        assert_eq!(payloads(server.kill().1), ["before"], "seed {seed}");
    }
}

#[test]
fn full_disk_leaves_no_files_behind() {
    let mut server = Server::new(3);
    server.disk.set_capacity(HEADER_BYTES + 10);
    for _ in 0..50 {
        assert!(matches!(server.append_one("refused"), Err(StorageError::Full { .. })));
    }
    assert!(server.disk.names().len() <= 1, "{:?}", server.disk.names());
    server.disk.set_capacity(u64::MAX);
    server.append_one("fits").expect("there is space again");
    assert_eq!(payloads(server.crash().1), ["fits"]);
}

#[test]
fn file_is_never_written_again_after_a_failed_sync() {
    let mut server = Server::new(4);
    server.append_one("a").expect("written");
    let before = server.disk.names();
    server.disk.fail_sync_after(0);
    assert!(matches!(server.append_one("lost"), Err(StorageError::Io { .. })));
    let contents = server.disk.contents(&before[0]);
    server.append_one("b").expect("goes on in a new file");
    assert_eq!(server.disk.contents(&before[0]), contents);
    assert_eq!(server.disk.names().len(), 2);
    assert_eq!(payloads(server.crash().1), ["a", "b"]);
}

#[test]
fn released_files_are_deleted_and_released_records_stay_away() {
    let mut server = Server::new(5);
    let other = StreamId(2);
    let payload = vec![7; 5_000];
    let kept = server.append(&[(other, payload.clone())]).remove(0).expect("written");
    let mut last = kept;
    for _ in 0..20 {
        last = server.append(&[(STREAM, payload.clone())]).remove(0).expect("written");
    }
    let files = server.disk.names().len();
    server.release(STREAM, last);
    assert_eq!(server.disk.names().len(), files, "the first file is needed by the other stream");
    server.release(other, kept);
    assert_eq!(server.disk.names().len(), 1);
    let (mut server, recovered) = server.restart();
    assert!(recovered.is_empty());
    let next = server.append_one("next").expect("written");
    assert!(next > last, "positions are never used twice");
    assert_eq!(payloads(server.crash().1), ["next"]);
}

#[test]
fn a_stream_that_keeps_too_many_bytes_is_overdue() {
    let mut server = Server::new(7);
    let (idle, busy) = (StreamId(1), StreamId(2));
    let overdue = |server: &Server| Vec::from_iter(server.writer.overdue().lock().iter().copied());
    let kept = server.append(&[(idle, vec![7; 10])]).remove(0).expect("written");
    for (records, expected) in [(10, vec![]), (10, vec![idle])] {
        for _ in 0..records {
            let last = server.append(&[(busy, vec![7; 5_000])]).remove(0).expect("written");
            server.release(busy, last);
        }
        assert_eq!(overdue(&server), expected);
    }
    let (mut server, _) = server.restart();
    assert_eq!(overdue(&server), [idle], "after a restart, too");
    server.release(idle, kept);
    assert_eq!(overdue(&server), []);
}

#[test]
fn positions_go_on_even_if_all_files_are_lost() {
    let releases = Releases::from([(STREAM, Position(41))]);
    let (mut server, _) = Server::start(&SimulatedDisk::new(11), &releases);
    assert_eq!(server.append_one("a").expect("written"), Position(42));
}

#[test]
fn starts_without_appends_leave_no_files() {
    let mut server = Server::new(6);
    server.append_one("a").expect("written");
    for _ in 0..5 {
        server = server.restart().0;
    }
    assert_eq!(server.disk.names().len(), 1);
}

#[test]
fn missing_file_is_reported_and_the_rest_is_read() {
    let mut server = Server::new(7);
    for round in 0..12 {
        let payload = vec![round; 5_000];
        server.append(&[(STREAM, payload)]).remove(0).expect("written");
    }
    let names = server.disk.names();
    assert!(names.len() >= 3);
    crate::Disk::remove(&server.disk, &names[1]).expect("removed");
    let (_, recovered) = server.restart();
    let problems: Vec<_> = recovered.iter().filter_map(|item| item.as_ref().err()).collect();
    assert!(
        matches!(&problems[..], [StorageError::Corrupt { place, .. }] if place.contains(&names[1])),
        "{problems:?}"
    );
    assert_eq!(recovered.iter().filter(|item| item.is_ok()).count(), 9);
}

#[test]
fn newer_format_is_refused() {
    let mut server = Server::new(8);
    server.append_one("a").expect("written");
    let name = server.disk.names().remove(0);
    let mut contents = server.disk.contents(&name).expect("the file");
    let header = &mut contents[..HEADER_BYTES as usize];
    header[8] = 9;
    header[12..16].fill(0);
    let checksum = crc32fast::hash(header);
    header[12..16].copy_from_slice(&checksum.to_le_bytes());
    server.disk.overwrite(&name, contents);
    let error = recovery::plan(&server.disk, &Releases::new()).err();
    assert!(matches!(error, Some(StorageError::TooNew { found: 9, .. })), "{error:?}");
}

#[test]
fn payload_that_looks_like_records_is_a_payload() {
    let mut server = Server::new(9);
    server.append_one("a").expect("written");
    let name = server.disk.names().remove(0);
    let contents = server.disk.contents(&name).expect("the file");
    let image = contents[HEADER_BYTES as usize..][..33].to_vec();
    server.append(&[(STREAM, image.repeat(20))]).remove(0).expect("written");
    // Damage the header in front of the images: they have this file's salt, yet none may pass for a record.
    let mut contents = server.disk.contents(&name).expect("the file");
    contents[HEADER_BYTES as usize + 33 + 5] ^= 1;
    server.disk.overwrite(&name, contents);
    assert_eq!(payloads(server.kill().1), ["a"]);
}

/// A journal with `a`, `b` and `c` in batches of their own, not stopped; with the bytes of its file, and
/// where the records begin.
fn three_records() -> (Server, String, Vec<u8>, [usize; 3]) {
    let mut server = Server::new(13);
    for payload in ["a", "b", "c"] {
        server.append_one(payload).expect("written");
    }
    let name = server.disk.names().remove(0);
    let contents = server.disk.contents(&name).expect("the file");
    let (header, record) = (HEADER_BYTES as usize, RECORD_HEADER_BYTES as usize + 1);
    (server, name, contents, [header, header + record, header + 2 * record])
}

#[test]
fn damage_before_a_torn_write_is_reported() {
    let (server, name, mut contents, [_, b, c]) = three_records();
    contents[b + RECORD_HEADER_BYTES as usize] ^= 1;
    contents[c + RECORD_HEADER_BYTES as usize] ^= 1;
    server.disk.overwrite(&name, contents);
    let (_, mut recovered) = server.kill();
    let damage = recovered.remove(1);
    assert!(
        matches!(damage, Err(StorageError::Corrupt { .. })),
        "b was acknowledged before c was begun: {damage:?}"
    );
    assert_eq!(payloads(recovered), ["a"]);
}

#[test]
fn whole_is_torn_as_a_whole() {
    let record = |payload: &str| RECORD_HEADER_BYTES as usize + payload.len();
    let begin = HEADER_BYTES as usize + record("before");
    let end = begin + record("one") + record("two") + record("three");
    for cut in begin..=end {
        let mut server = Server::new(14);
        server.append_one("before").expect("written");
        let whole = ["one", "two", "three"].map(|payload| (STREAM, payload.as_bytes().to_vec()));
        server.append_as(&whole, true);
        let name = server.disk.names().remove(0);
        let mut contents = server.disk.contents(&name).expect("the file");
        contents[cut..].fill(0);
        server.disk.overwrite(&name, contents);
        let expected = if cut < end { vec!["before"] } else { vec!["before", "one", "two", "three"] };
        assert_eq!(payloads(server.kill().1), expected, "cut at {}", cut - begin);
    }
}

#[test]
fn record_that_comes_a_second_time_does_not_count() {
    let (server, name, mut contents, [a, b, c]) = three_records();
    let end = c + (b - a);
    let copy = contents[c..end].to_vec();
    contents[end..][..copy.len()].copy_from_slice(&copy);
    server.disk.overwrite(&name, contents);
    assert_eq!(payloads(server.kill().1), ["a", "b", "c"]);
}

/// A journal of some files with known records, stopped in good order.
fn several_files() -> (SimulatedDisk, Vec<Record>) {
    let mut server = Server::new(10);
    let mut records = Vec::new();
    for round in 0_u8..14 {
        let batch: Vec<_> = (0..3)
            .map(|index| (StreamId(1 + index % 2), vec![round * 3 + index; usize::from(round) * 197]))
            .collect();
        let answers = server.append(&batch);
        for ((stream, payload), answer) in batch.into_iter().zip(answers) {
            records.push(Record { position: answer.expect("written"), stream, payload: payload.into() });
        }
    }
    server.writer.close();
    assert!(server.disk.names().len() > 2);
    (server.disk, records)
}

#[test]
fn damage_names_file_and_offset() {
    let (disk, records) = several_files();
    let name = disk.names().remove(0);
    let mut contents = disk.contents(&name).expect("the file");
    // The first record with a payload is the fourth; the three before it are headers only.
    let offset = HEADER_BYTES as usize + 3 * RECORD_HEADER_BYTES as usize;
    contents[offset + 40] ^= 4;
    disk.overwrite(&name, contents);
    let (_, recovered) = Server::start(&disk, &Releases::new());
    let Err(StorageError::Corrupt { place, reason }) = &recovered[3] else { panic!("{:?}", recovered[3]) };
    assert_eq!(place, &format!("journal/{} at byte {offset}", file_name(1)));
    assert_eq!(reason, "a record's payload is not what was written");
    assert_eq!(recovered.len(), records.len(), "all others are read");
}

proptest! {
    #[test]
    fn any_flipped_bit_is_reported_or_harmless(file: prop::sample::Index, byte: prop::sample::Index, bit in 0_u8..8) {
        let (disk, records) = several_files();
        let names = disk.names();
        let name = file.get(&names);
        let mut contents = disk.contents(name).expect("the file");
        let byte = byte.index(contents.len());
        contents[byte] ^= 1_u8 << bit;
        disk.overwrite(name, contents);
        let (_, recovered) = Server::start(&disk, &Releases::new());
        let (good, bad): (Vec<_>, Vec<_>) = recovered.into_iter().partition(Result::is_ok);
        let good: Vec<_> = good.into_iter().flatten().collect();
        prop_assert!(good.is_sorted_by_key(|record| record.position));
        prop_assert!(good.iter().all(|record| records.contains(record)), "nothing that was not appended");
        prop_assert!(good.len() == records.len() || !bad.is_empty(), "a loss is reported");
    }

    #[test]
    fn foreign_bytes_as_a_file_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..9_000), keep_header: bool) {
        let (disk, _) = several_files();
        let name = disk.names().pop().expect("a file");
        let mut contents = disk.contents(&name).expect("the file");
        contents.truncate(if keep_header { HEADER_BYTES as usize } else { 0 });
        contents.extend(&bytes);
        disk.overwrite(&name, contents);
        Server::start(&disk, &Releases::new());
        let _ = FileHeader::decode(&bytes);
    }
}

/// What may happen to a server.
#[derive(Clone, Debug)]
enum Event {
    /// Records of these sizes arrive together.
    /// Records with the lengths of their payloads; each by itself, or all as one whole.
    Append(Vec<(u8, u16)>, bool),
    FailCall(u64),
    FailSync(u64),
    /// Is killed within one of its calls: nothing succeeds until it starts again.
    Halt(u64),
    /// Only so many more bytes fit.
    Fill(u64),
    FreeSpace,
    /// A stream releases this part of what was acknowledged to it.
    Release(u8, prop::sample::Index),
    /// Stops in this manner, and starts again with something wrong.
    Stop(Stop, Option<StartFault>),
}

#[derive(Clone, Debug)]
enum Stop {
    InGoodOrder,
    PowerLoss,
    Kill,
}

/// What goes wrong while it starts, or soon after.
#[derive(Clone, Copy, Debug)]
enum StartFault {
    Call(u64),
    Sync(u64),
    Halt(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let record = (1_u8..4, prop_oneof![0_u16..64, 0_u16..6_000]);
    let stop = prop_oneof![Just(Stop::InGoodOrder), Just(Stop::PowerLoss), Just(Stop::Kill)];
    let start_fault = prop_oneof![
        (0_u64..6).prop_map(StartFault::Call),
        (0_u64..3).prop_map(StartFault::Sync),
        (0_u64..6).prop_map(StartFault::Halt),
    ];
    prop_oneof![
        8 => (prop::collection::vec(record, 1..5), any::<bool>())
            .prop_map(|(records, as_whole)| Event::Append(records, as_whole)),
        1 => (0_u64..12).prop_map(Event::FailCall),
        1 => (0_u64..4).prop_map(Event::FailSync),
        1 => (0_u64..6).prop_map(Event::Halt),
        1 => (0_u64..10_000).prop_map(Event::Fill),
        1 => Just(Event::FreeSpace),
        1 => (1_u8..4, any::<prop::sample::Index>()).prop_map(|(stream, part)| Event::Release(stream, part)),
        4 => (stop, prop::option::of(start_fault)).prop_map(|(stop, fault)| Event::Stop(stop, fault)),
    ]
}

/// What a record's fate is, as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Acknowledged(Position),
    /// Refused, or not answered: it may be found again or not.
    InDoubt,
}

/// All records that were ever appended, in order; each payload begins with the record's index.
#[derive(Default)]
struct Model {
    records: Vec<(StreamId, Vec<u8>, Fate)>,
    /// Which of them were appended as one whole.
    wholes: Vec<std::ops::Range<usize>>,
}

impl Model {
    fn next_payload(&self, length: u16) -> Vec<u8> {
        let index = self.records.len() as u64;
        let filler = (0..length).map(|byte| (u64::from(byte) ^ index) as u8);
        index.to_le_bytes().into_iter().chain(filler).collect()
    }

    /// Checks a recovery; what it found is certain from now on if it is known to be durable.
    fn check(&mut self, recovered: Vec<Result<Record, StorageError>>, releases: &Releases, settled: bool) {
        let mut found = BTreeMap::new();
        let mut last = None;
        for record in recovered {
            let record = record.expect("nothing was damaged");
            let index = record.payload.first_chunk().map(|index| u64::from_le_bytes(*index) as usize);
            let index = index.expect("only what was appended is found");
            let (stream, payload, fate) = &mut self.records[index];
            assert_eq!((*stream, &payload[..]), (record.stream, &record.payload[..]));
            assert!(last < Some(record.position), "positions increase");
            last = Some(record.position);
            assert_eq!(found.insert(index, record.position), None, "found once");
            assert_eq!(found.last_key_value(), Some((&index, &record.position)), "found in order");
            match fate {
                Fate::Acknowledged(position) => assert_eq!(*position, record.position),
                Fate::InDoubt if !settled => {}
                Fate::InDoubt => *fate = Fate::Acknowledged(record.position),
            }
        }
        for whole in &self.wholes {
            let is_released = |index: usize| {
                let (stream, _, fate) = &self.records[index];
                let through = releases.get(stream);
                matches!(fate, Fate::Acknowledged(position) if through.is_some_and(|through| position <= through))
            };
            let there = whole.clone().filter(|index| !is_released(*index));
            let found: Vec<bool> = there.map(|index| found.contains_key(&index)).collect();
            assert!(found.iter().all(|one| *one == found[0]), "all of {whole:?} or nothing: {found:?}");
        }
        for (index, (stream, _, fate)) in self.records.iter().enumerate() {
            if let Fate::Acknowledged(position) = fate {
                let released = releases.get(stream).is_some_and(|through| position <= through);
                assert_eq!(found.contains_key(&index), !released, "record {index}");
            }
        }
    }
}

proptest! {
    #[test]
    fn acknowledged_records_are_recovered_once_and_in_order_and_nothing_else(
        seed: u64, events in prop::collection::vec(event(), 1..60),
    ) {
        let mut server = Server::new(seed);
        let mut model = Model::default();
        let last = [Event::Stop(Stop::PowerLoss, None), Event::Stop(Stop::InGoodOrder, None)];
        for event in events.into_iter().chain(last) {
            match event {
                Event::Append(sizes, as_whole) => {
                    let first = model.records.len();
                    for (stream, length) in sizes {
                        let payload = model.next_payload(length);
                        model.records.push((StreamId(stream), payload, Fate::InDoubt));
                    }
                    if as_whole {
                        model.wholes.push(first..model.records.len());
                    }
                    let batch: Vec<_> =
                        model.records[first..].iter().map(|(stream, payload, _)| (*stream, payload.clone())).collect();
                    for (record, answer) in model.records[first..].iter_mut().zip(server.append_as(&batch, as_whole)) {
                        if let Ok(position) = answer {
                            record.2 = Fate::Acknowledged(position);
                        }
                    }
                }
                Event::FailCall(successes) => server.disk.fail_call_after(successes),
                Event::FailSync(successes) => server.disk.fail_sync_after(successes),
                Event::Halt(successes) => server.disk.halt_after(successes),
                Event::Fill(room) => server.disk.set_capacity(server.disk.used_bytes() + room),
                Event::FreeSpace => server.disk.set_capacity(u64::MAX),
                Event::Release(stream, part) => {
                    let stream = StreamId(stream);
                    let acknowledged: Vec<_> = model.records.iter().filter_map(|(owner, _, fate)| match fate {
                        Fate::Acknowledged(position) if *owner == stream => Some(*position),
                        _ => None,
                    }).collect();
                    if !acknowledged.is_empty() {
                        let through = *part.get(&acknowledged);
                        let before = server.releases.get(&stream).copied().unwrap_or_default();
                        server.release(stream, through.max(before));
                    }
                }
                Event::Stop(stop, fault) => {
                    server.disk.clear_faults();
                    if matches!(stop, Stop::InGoodOrder) {
                        server.writer.close();
                    }
                    let disk = if matches!(stop, Stop::PowerLoss) { server.disk.crash() } else { server.disk };
                    match fault {
                        Some(StartFault::Call(successes)) => disk.fail_call_after(successes),
                        Some(StartFault::Sync(successes)) => disk.fail_sync_after(successes),
                        Some(StartFault::Halt(successes)) => disk.halt_after(successes),
                        None => {}
                    }
                    let (next, recovered) = Server::start(&disk, &server.releases);
                    model.check(recovered, &next.releases, next.settled);
                    server = next;
                }
            }
        }
    }
}

#[test]
fn an_idle_queue_takes_one_record_of_any_size_and_a_busy_one_keeps_its_budget() {
    let waiting = Arc::default();
    let first = Reservation::take(&waiting, 100, 10);
    assert!(first.is_some());
    assert!(Reservation::take(&waiting, 1, 10).is_none());
    drop(first);
    assert!(Reservation::take(&waiting, 1, 10).is_some());
    // A message is small: what it carries is shared.
    assert!(size_of::<Message>() <= 128);
}

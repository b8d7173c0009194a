//! A disk in memory that behaves as badly as a real one may.
//!
//! It keeps apart what a running program sees and what a power loss would leave. Until a file is synced, any
//! part of each write may reach the medium or not, sector by sector and in any order. A failed sync loses
//! what was written before it for good, although the program goes on to see it. All chance comes from the
//! seed.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Disk, DiskFile};

/// What the medium writes as a whole.
const SECTOR_BYTES: u64 = 512;

/// Room for segments, which are written to the machine's file system. Clones are the same room.
#[derive(Clone, Debug, Default)]
pub struct SegmentRoom {
    /// How many more there is room for, if that is limited.
    left: Arc<Mutex<Option<u64>>>,
}

impl SegmentRoom {
    /// From now on there is room for so many more.
    pub fn limit(&self, segments: Option<u64>) {
        *self.left.lock() = segments;
    }

    /// Takes the room of one.
    pub(crate) fn take(&self) -> io::Result<()> {
        match &mut *self.left.lock() {
            None => Ok(()),
            Some(0) => Err(io::ErrorKind::StorageFull.into()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct SimulatedDisk {
    machine: Arc<Mutex<Machine>>,
}

/// All files, and what is to go wrong.
struct Machine {
    files: Vec<File>,
    /// The directory as the program sees it: names to indices in `files`.
    names: BTreeMap<String, usize>,
    /// The directory as a power loss would leave it, apart from changes that were not synced.
    durable_names: BTreeMap<String, usize>,
    chance: Chance,
    capacity_bytes: u64,
    /// How many calls succeed before one fails.
    calls_left: Option<u64>,
    /// How many syncs of files succeed before one fails.
    syncs_left: Option<u64>,
    /// How many calls succeed before all have no effect.
    calls_until_halt: Option<u64>,
    /// The power is off: every call fails.
    off: bool,
}

/// A file's bytes, seen and durable.
#[derive(Clone, Default)]
struct File {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Not synced yet, oldest first.
    pending: Vec<Write>,
}

#[derive(Clone)]
enum Write {
    Bytes { offset: u64, bytes: Vec<u8> },
    Length(u64),
}

impl SimulatedDisk {
    /// An empty disk without a limit.
    pub fn new(seed: u64) -> Self {
        Self::from_machine(Machine {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            chance: Chance(seed),
            capacity_bytes: u64::MAX,
            calls_left: None,
            syncs_left: None,
            calls_until_halt: None,
            off: false,
        })
    }

    fn from_machine(machine: Machine) -> Self {
        Self { machine: Arc::new(Mutex::new(machine)) }
    }

    /// Lets `successes` calls that change anything succeed, then one fail.
    pub fn fail_call_after(&self, successes: u64) {
        self.machine.lock().calls_left = Some(successes);
    }

    /// Lets `successes` syncs of files succeed, then one fail.
    pub fn fail_sync_after(&self, successes: u64) {
        self.machine.lock().syncs_left = Some(successes);
    }

    /// Lets `successes` calls that change anything succeed; from then on all fail without effect, as if the
    /// program had been killed. [`SimulatedDisk::clear_faults`] starts it again.
    pub fn halt_after(&self, successes: u64) {
        self.machine.lock().calls_until_halt = Some(successes);
    }

    /// Limits how many bytes all files hold together; a write beyond it is done in part and fails.
    pub fn set_capacity(&self, bytes: u64) {
        self.machine.lock().capacity_bytes = bytes;
    }

    /// Takes back what was arranged to fail, and the limit.
    pub fn clear_faults(&self) {
        let mut machine = self.machine.lock();
        machine.calls_left = None;
        machine.syncs_left = None;
        machine.calls_until_halt = None;
        machine.capacity_bytes = u64::MAX;
    }

    /// How many bytes all files hold together.
    pub fn used_bytes(&self) -> u64 {
        self.machine.lock().used_bytes()
    }

    /// The names of all files, ascending.
    pub fn names(&self) -> Vec<String> {
        self.machine.lock().names.keys().cloned().collect()
    }

    /// The bytes of a file as a running program sees them; `None` if there is no such file.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let machine = self.machine.lock();
        machine.names.get(name).map(|index| machine.files[*index].seen.clone())
    }

    /// Replaces a file's bytes, durably: how a test damages what was written, or brings an old file.
    pub fn overwrite(&self, name: &str, bytes: Vec<u8>) {
        let mut machine = self.machine.lock();
        machine.files.push(File { seen: bytes.clone(), durable: bytes, pending: Vec::new() });
        let index = machine.files.len() - 1;
        machine.names.insert(name.to_owned(), index);
        machine.durable_names.insert(name.to_owned(), index);
    }

    /// Cuts the power. Returns the disk that the machine finds when it starts again; this one is dead.
    pub fn crash(&self) -> Self {
        let mut machine = self.machine.lock();
        machine.off = true;
        let mut chance = Chance(machine.chance.next());
        let mut files = machine.files.clone();
        for file in &mut files {
            for write in std::mem::take(&mut file.pending) {
                file.persist_in_part(&write, &mut chance);
            }
            file.seen = file.durable.clone();
        }
        let mut names = machine.durable_names.clone();
        for (name, index) in &machine.names {
            if !names.contains_key(name) && chance.coin() {
                names.insert(name.clone(), *index);
            }
        }
        names.retain(|name, _| machine.names.contains_key(name) || chance.coin());
        Self::from_machine(Machine {
            files,
            durable_names: names.clone(),
            names,
            chance,
            capacity_bytes: u64::MAX,
            calls_left: None,
            syncs_left: None,
            calls_until_halt: None,
            off: false,
        })
    }

    fn file(&self, index: usize) -> Box<dyn DiskFile> {
        Box::new(SimulatedFile { machine: Arc::clone(&self.machine), index })
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut machine = self.machine.lock();
        machine.change()?;
        if machine.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        machine.files.push(File::default());
        let index = machine.files.len() - 1;
        machine.names.insert(name.to_owned(), index);
        Ok(self.file(index))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let machine = self.machine.lock();
        machine.powered()?;
        let index = machine.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.file(*index))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let machine = self.machine.lock();
        machine.powered()?;
        Ok(machine.names.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.change()?;
        machine.names.remove(name).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.change()?;
        machine.durable_names = machine.names.clone();
        Ok(())
    }
}

impl Machine {
    fn powered(&self) -> io::Result<()> {
        if self.off { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    /// Begins a call that changes something, unless nothing has an effect any more.
    fn begin(&mut self) -> io::Result<()> {
        self.powered()?;
        match &mut self.calls_until_halt {
            Some(0) => Err(io::Error::other("the program was killed")),
            Some(count) => {
                *count -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Begins a call that changes something, unless it is the one to fail.
    fn change(&mut self) -> io::Result<()> {
        self.begin()?;
        count_down(&mut self.calls_left)
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().map(|index| self.files[*index].seen.len() as u64).sum()
    }

    /// By how much the file at `index` may grow.
    fn room_bytes(&self) -> u64 {
        self.capacity_bytes.saturating_sub(self.used_bytes())
    }
}

/// Counts a success, or fails when there is none left; fails once.
fn count_down(left: &mut Option<u64>) -> io::Result<()> {
    match left {
        Some(0) => {
            *left = None;
            Err(io::Error::other("simulated fault"))
        }
        Some(count) => {
            *count -= 1;
            Ok(())
        }
        None => Ok(()),
    }
}

impl File {
    /// Makes an unsynced write durable.
    fn persist(&mut self, write: &Write) {
        match write {
            Write::Length(length) => self.durable.resize(*length as usize, 0),
            Write::Bytes { offset, bytes } => put(&mut self.durable, *offset, bytes),
        }
    }

    /// Makes any sectors of an unsynced write durable.
    fn persist_in_part(&mut self, write: &Write, chance: &mut Chance) {
        match write {
            Write::Length(_) if chance.coin() => self.persist(write),
            Write::Length(_) => {}
            Write::Bytes { offset, bytes } => {
                // All, nothing, a prefix, or whatever sectors.
                let manner = chance.below(4);
                let prefix = chance.below(bytes.len() as u64 + 1) as usize;
                let mut begin = 0;
                while begin < bytes.len() {
                    let at = offset + begin as u64;
                    let sector_end = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
                    let end = bytes.len().min((sector_end - offset) as usize);
                    let kept = match manner {
                        0 => true,
                        1 => false,
                        2 => end <= prefix,
                        _ => chance.coin(),
                    };
                    if kept {
                        put(&mut self.durable, at, &bytes[begin..end]);
                    }
                    begin = end;
                }
            }
        }
    }
}

fn put(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let begin = offset as usize;
    let end = begin + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[begin..end].copy_from_slice(bytes);
}

struct SimulatedFile {
    machine: Arc<Mutex<Machine>>,
    index: usize,
}

impl DiskFile for SimulatedFile {
    fn write_at(&mut self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.begin()?;
        let fault = count_down(&mut machine.calls_left);
        let mut bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let growth =
            (offset + bytes.len() as u64).saturating_sub(machine.files[self.index].seen.len() as u64);
        let lacking = growth.saturating_sub(machine.room_bytes());
        let mut kept = bytes.len() as u64 - lacking.min(bytes.len() as u64);
        if fault.is_err() {
            kept = machine.chance.below(kept + 1);
        }
        bytes.truncate(kept as usize);
        let file = &mut machine.files[self.index];
        if !bytes.is_empty() {
            put(&mut file.seen, offset, &bytes);
            file.pending.push(Write::Bytes { offset, bytes });
        }
        fault?;
        if lacking > 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let machine = self.machine.lock();
        machine.powered()?;
        let seen = &machine.files[self.index].seen;
        let rest = seen.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&self) -> io::Result<u64> {
        let machine = self.machine.lock();
        machine.powered()?;
        Ok(machine.files[self.index].seen.len() as u64)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.change()?;
        let file = &mut machine.files[self.index];
        file.seen.resize(length as usize, 0);
        file.pending.push(Write::Length(length));
        Ok(())
    }

    fn preallocate(&mut self, length: u64) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.change()?;
        let room = machine.room_bytes();
        let file = &mut machine.files[self.index];
        if length.saturating_sub(file.seen.len() as u64) > room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if file.seen.len() < length as usize {
            file.seen.resize(length as usize, 0);
            file.pending.push(Write::Length(length));
        }
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut machine = self.machine.lock();
        machine.begin()?;
        let fault = count_down(&mut machine.calls_left).and_then(|()| count_down(&mut machine.syncs_left));
        let mut chance = Chance(machine.chance.next());
        let file = &mut machine.files[self.index];
        let pending = std::mem::take(&mut file.pending);
        match fault {
            Ok(()) => pending.iter().for_each(|write| file.persist(write)),
            // What the medium did not take is marked as clean: no later sync will write it.
            Err(_) => pending.iter().for_each(|write| file.persist_in_part(write, &mut chance)),
        }
        fault
    }
}

/// A small generator of chance (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

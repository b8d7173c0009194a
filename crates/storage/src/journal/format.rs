//! What a journal file looks like, version 1. All numbers are little-endian.
//!
//! ```text
//! file    header block (4096 bytes)  record  record  …  end of what is valid  [zeros, or the rest of a torn write]
//!
//! header   0 magic "GWJOURNL"      record   0 magic "GWr1"
//!          8 version u32                    4 checksum u32 of salt and bytes 8..32
//!         12 checksum u32                   8 checksum u32 of the payload
//!         16 number u64                    12 length u32 of the payload
//!         24 salt u64                      16 position u64
//!         32 first position u64            24 batch u32: where in the file its batch begins
//!         40 previous: number u64          28 stream u8, 29 followers u8, then two zeros
//!         48 previous: length u64          32 payload
//!         56 carried bytes u64
//!         64 marks: count u32, then
//!            (stream u8, position u64) each
//! ```
//!
//! - The header block's length, magic, version and checksum stay as they are in every version to come.
//! - A **header** is synced before the first record is written. It *seals* the file before it: the bytes of
//!   that file behind `previous.length` are not part of the journal, whatever they look like. So a file that
//!   was torn, or whose sync failed, needs no repair: it is left, and the next file's header says how much of
//!   it counts.
//! - After a crash it is unknown whether the last batch was synced: what is read may be in the machine's
//!   memory only. It is not sealed but **carried**: the next file begins with its records, `carried bytes`
//!   long, and does not count before these are complete.
//! - The **marks** are each stream's last position in all earlier files, so that a missing file is told apart
//!   from one that was deleted because everything in it had been released.
//! - All records of one **batch** are written together and synced together, and a batch is only begun when
//!   the one before it was synced. So if a record is unreadable but a later batch began behind it, it was
//!   once durable and has been damaged; if none did, it is the torn end of the last write.
//! - A record's **followers** are the records right behind it, of the same batch, that it makes sense with
//!   only. A torn end in which one of them is missing takes it away too.
//! - The **salt** is chance. Nothing that was left on the disk, and nothing that a client sends as payload,
//!   is ever mistaken for a record of this file.

use std::collections::BTreeMap;

use super::{Position, StreamId};

/// The newest version of the format that this release reads, and the one that it writes.
pub(super) const VERSION: u32 = 1;
/// How long a header block is; records begin behind it.
pub(super) const HEADER_BYTES: u64 = 4096;
/// How long a record is besides its payload.
pub(super) const RECORD_HEADER_BYTES: u64 = 32;
/// The longest payload.
pub(super) const PAYLOAD_BYTES_MAX: usize = 64 << 20;
/// What every record begins with.
pub(super) const RECORD_MAGIC: [u8; 4] = *b"GWr1";

const FILE_MAGIC: [u8; 8] = *b"GWJOURNL";

/// The name of the journal file of that number.
pub(super) fn file_name(number: u64) -> String {
    format!("{number:016}.log")
}

/// The number of a journal file; `None` for a name that is not one's.
pub(super) fn file_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let number = digits.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

/// How much of a file counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seal {
    /// The file; 0 if there is none.
    pub(super) number: u64,
    /// How many of its bytes are valid.
    pub(super) length: u64,
}

/// Each stream's last position.
pub(super) type Marks = BTreeMap<StreamId, Position>;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    /// Grows from file to file.
    pub(super) number: u64,
    /// Chance that goes into the records' checksums.
    pub(super) salt: u64,
    /// No record has a smaller position.
    pub(super) first_position: Position,
    /// The file before this one.
    pub(super) previous: Seal,
    /// How many bytes of records are carried over from the file before; without them this file does not
    /// count.
    pub(super) carried_bytes: u64,
    /// Each stream's last position in all files before this one.
    pub(super) marks: Marks,
}

/// Why a header block cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// A newer release wrote it.
    TooNew(u32),
    /// It is not what was written.
    Damaged(&'static str),
}

impl FileHeader {
    /// The header block.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(HEADER_BYTES as usize);
        block.extend(FILE_MAGIC);
        block.extend(VERSION.to_le_bytes());
        block.extend([0; 4]);
        let Self { number, salt, first_position, previous, carried_bytes, marks } = self;
        for number in [number, salt, &first_position.0, &previous.number, &previous.length, carried_bytes] {
            block.extend(number.to_le_bytes());
        }
        block.extend((marks.len() as u32).to_le_bytes());
        for (stream, position) in marks {
            block.push(stream.0);
            block.extend(position.0.to_le_bytes());
        }
        block.resize(HEADER_BYTES as usize, 0);
        let checksum = crc32fast::hash(&block);
        block[12..16].copy_from_slice(&checksum.to_le_bytes());
        block
    }

    /// Reads a header block.
    pub(super) fn decode(block: &[u8]) -> Result<Self, HeaderError> {
        if block.len() as u64 != HEADER_BYTES {
            return Err(HeaderError::Damaged("the header is cut short"));
        }
        if block[..8] != FILE_MAGIC {
            return Err(HeaderError::Damaged("it does not begin like a journal file"));
        }
        let mut unsigned = block.to_vec();
        unsigned[12..16].fill(0);
        if crc32fast::hash(&unsigned) != u32_at(block, 12) {
            return Err(HeaderError::Damaged("the header's checksum is wrong"));
        }
        let version = u32_at(block, 8);
        if version > VERSION {
            return Err(HeaderError::TooNew(version));
        }
        let marks = block[68..].chunks_exact(9).take(u32_at(block, 64) as usize);
        Ok(Self {
            number: u64_at(block, 16),
            salt: u64_at(block, 24),
            first_position: Position(u64_at(block, 32)),
            previous: Seal { number: u64_at(block, 40), length: u64_at(block, 48) },
            carried_bytes: u64_at(block, 56),
            marks: marks.map(|mark| (StreamId(mark[0]), Position(u64_at(mark, 1)))).collect(),
        })
    }
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    /// The payload's length in bytes.
    pub(super) length: u32,
    /// The payload's checksum.
    pub(super) payload_checksum: u32,
    /// The record's position.
    pub(super) position: Position,
    /// Where in the file the record's batch begins: everything before was synced when this was written.
    pub(super) batch: u32,
    /// Whose record it is.
    pub(super) stream: StreamId,
    /// How many of the records behind it make one whole with it.
    pub(super) followers: u8,
}

impl RecordHeader {
    /// The header's bytes, in a file of that salt.
    pub(super) fn encode(&self, salt: u64) -> [u8; RECORD_HEADER_BYTES as usize] {
        let mut bytes = [0; RECORD_HEADER_BYTES as usize];
        bytes[..4].copy_from_slice(&RECORD_MAGIC);
        bytes[8..12].copy_from_slice(&self.payload_checksum.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.length.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.position.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.batch.to_le_bytes());
        bytes[28] = self.stream.0;
        bytes[29] = self.followers;
        let checksum = salted_checksum(salt, &bytes[8..]);
        bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a header in a file of that salt; `None` if these bytes are none.
    pub(super) fn decode(bytes: &[u8], salt: u64) -> Option<Self> {
        let bytes = bytes.get(..RECORD_HEADER_BYTES as usize)?;
        let genuine = bytes[..4] == RECORD_MAGIC && salted_checksum(salt, &bytes[8..]) == u32_at(bytes, 4);
        let length = u32_at(bytes, 12);
        (genuine && length as usize <= PAYLOAD_BYTES_MAX).then(|| Self {
            length,
            payload_checksum: u32_at(bytes, 8),
            position: Position(u64_at(bytes, 16)),
            batch: u32_at(bytes, 24),
            stream: StreamId(bytes[28]),
            followers: bytes[29],
        })
    }
}

fn salted_checksum(salt: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// The number at `offset` of bytes that are known to be long enough.
fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> FileHeader {
        FileHeader {
            number: 7,
            salt: 0x1234_5678_9abc_def0,
            first_position: Position(900),
            previous: Seal { number: 6, length: 12_345 },
            carried_bytes: 77,
            marks: (1..=255).map(|stream| (StreamId(stream), Position(u64::from(stream) * 3))).collect(),
        }
    }

    #[test]
    fn a_header_with_all_streams_survives_its_block() {
        assert_eq!(FileHeader::decode(&header().encode()), Ok(header()));
    }

    #[test]
    fn a_newer_version_is_told_apart_from_damage() {
        let mut block = header().encode();
        block[8] = 2;
        assert!(matches!(FileHeader::decode(&block), Err(HeaderError::Damaged(_))));
        block[12..16].fill(0);
        let checksum = crc32fast::hash(&block);
        block[12..16].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(FileHeader::decode(&block), Err(HeaderError::TooNew(2)));
    }

    #[test]
    fn only_names_that_this_module_makes_are_journal_files() {
        assert_eq!(file_number(&file_name(42)), Some(42));
        for name in ["42.log", "0000000000000042.log.bak", "000000000000004x.log", "+000000000000042.log"] {
            assert_eq!(file_number(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_flipped_bit_of_a_header_block_is_noticed(bit in 0..HEADER_BYTES as usize * 8) {
            let mut block = header().encode();
            block[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(FileHeader::decode(&block).is_err());
        }

        #[test]
        fn record_headers_survive_and_any_flipped_bit_is_noticed(
            length in 0..=PAYLOAD_BYTES_MAX as u32, payload_checksum: u32, position: u64, batch: u32, stream: u8,
            followers: u8, salt: u64, bit in 0..256_usize,
        ) {
            let (position, stream) = (Position(position), StreamId(stream));
            let header = RecordHeader { length, payload_checksum, position, batch, stream, followers };
            let mut bytes = header.encode(salt);
            prop_assert_eq!(RecordHeader::decode(&bytes, salt), Some(header));
            prop_assert_eq!(RecordHeader::decode(&bytes, !salt), None);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(RecordHeader::decode(&bytes, salt), None);
        }
    }
}

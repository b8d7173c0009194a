//! What one `PutLogEvents` leaves in the journal: everything that is needed to have it again.
//!
//! `version u8 · address · event batch`. The version is 1; the parts are described in [`super::address`] and
//! [`super::event_batch`]. Length and checksum are the journal's.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use groundwatch_core::Timestamp;

use super::StreamAddress;
use super::event_batch::{EventBatch, MalformedBatch};

const VERSION: u8 = 1;

/// A journal record that this release cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A newer release wrote it: run that release.
    #[error("log record has version {0}, this release reads version {VERSION}")]
    Version(u8),
    /// The address in front is not one.
    #[error("log record has no address")]
    Address,
    /// What follows the address is not a batch.
    #[error(transparent)]
    Batch(#[from] MalformedBatch),
}

/// A record: whose events, and the events.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The stream that they belong to.
    pub address: Arc<StreamAddress>,
    /// The events, sharing the record's bytes.
    pub batch: EventBatch,
}

impl Record {
    /// Writes a record; `events` as [`EventBatch::encode`] takes them, `message_bytes` their text in all.
    pub(super) fn encode<'a>(
        address: &StreamAddress,
        sequence: u64,
        ingested: Timestamp,
        events: impl ExactSizeIterator<Item = (i64, &'a [u8])> + Clone,
        message_bytes: usize,
    ) -> Vec<u8> {
        let batch_len = EventBatch::encoded_len(events.len(), message_bytes);
        let mut payload = Vec::with_capacity(1 + address.encoded_len() + batch_len);
        payload.push(VERSION);
        address.encode(&mut payload);
        EventBatch::encode(&mut payload, sequence, 0, ingested, events);
        payload
    }

    /// Reads a record.
    pub(super) fn decode(mut payload: Bytes) -> Result<Self, RecordError> {
        match payload.try_get_u8() {
            Ok(VERSION) => {}
            Ok(version) => return Err(RecordError::Version(version)),
            Err(_) => return Err(RecordError::Address),
        }
        let address = StreamAddress::decode(&mut payload).ok_or(RecordError::Address)?;
        Ok(Self { address: Arc::new(address), batch: EventBatch::decode(payload)? })
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_core::{AccountId, Region, Scope};
    use proptest::prelude::*;

    use super::*;
    use crate::incarnation::{GroupId, LogStreamId};

    fn any_address() -> impl Strategy<Value = StreamAddress> {
        let ids = (0..1_000_000_000_000_u64, any::<u128>(), any::<u128>());
        (ids, "[a-z0-9-]{0,12}", "[a-zA-Z/]{1,20}", "\\PC{1,20}").prop_map(
            |((account, group_id, stream_id), region, group, stream)| StreamAddress {
                scope: Scope {
                    account: AccountId::from_u64(account).expect("below 10^12"),
                    region: Region::new(&region),
                },
                group,
                group_id: GroupId::from_u128(group_id),
                stream,
                stream_id: LogStreamId::from_u128(stream_id),
            },
        )
    }

    fn encoded(address: &StreamAddress, sequence: u64) -> Vec<u8> {
        let events = [(5, "one".as_bytes()), (9, "zwölf".as_bytes())];
        Record::encode(address, sequence, Timestamp::from_millis(11), events.into_iter(), 9)
    }

    proptest! {
        #[test]
        fn a_record_is_read_back_whole(address in any_address(), sequence in any::<u64>()) {
            let payload = encoded(&address, sequence);
            prop_assert_eq!(payload.len(), payload.capacity(), "one allocation of the right size");
            let record = Record::decode(payload.into()).expect("just encoded");
            prop_assert_eq!(&*record.address, &address);
            prop_assert_eq!(record.batch.sequence(), sequence);
            prop_assert_eq!(record.batch.message(1), "zwölf".as_bytes());
        }

        #[test]
        fn any_bytes_are_refused_or_read_without_panic(
            address in any_address(), at in any::<prop::sample::Index>(), with in any::<u8>(),
        ) {
            let mut payload = encoded(&address, 1);
            let at = at.index(payload.len());
            payload[at] = with;
            let _ = Record::decode(payload.into());
        }

        #[test]
        fn a_cut_record_is_refused(address in any_address(), cut in any::<prop::sample::Index>()) {
            let payload = encoded(&address, 1);
            prop_assert!(Record::decode(Bytes::copy_from_slice(&payload[..cut.index(payload.len())])).is_err());
        }
    }

    #[test]
    fn a_newer_version_is_named() {
        assert_eq!(Record::decode(Bytes::from_static(&[2, 0])).err(), Some(RecordError::Version(2)));
    }

    /// The format of version 1, byte by byte: changing it needs a new version.
    #[test]
    fn version_1_stays_as_it_is() {
        let address = StreamAddress {
            scope: Scope::default(),
            group: "g".to_owned(),
            group_id: GroupId::from_u128(3),
            stream: "s".to_owned(),
            stream_id: LogStreamId::from_u128(4),
        };
        let events = [(1000_i64, b"a".as_slice()), (1002, b"bc")];
        let payload = Record::encode(&address, 6, Timestamp::from_millis(7), events.into_iter(), 3);
        let mut expected = vec![1];
        expected.extend(0_u64.to_le_bytes());
        expected.extend(3_u128.to_le_bytes());
        expected.extend(4_u128.to_le_bytes());
        expected.extend(b"\x09\0us-east-1\x01\0g\x01\0s");
        expected.extend(6_u64.to_le_bytes());
        expected.extend([0, 0, 0, 0, 2, 0, 0, 0]);
        expected.extend(7_i64.to_le_bytes());
        expected.extend(1000_i64.to_le_bytes());
        expected.extend([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        expected.extend(b"abc");
        assert_eq!(payload, expected);
    }
}

//! Which stream events belong to: by names for people and listings, by incarnations for the truth.

use bytes::{Buf, BufMut, Bytes};
use groundwatch_core::{AccountId, Region, Scope};

use crate::incarnation::{GroupId, LogStreamId};

/// A stream in one life of it, with its group in one life of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamAddress {
    /// Who owns it.
    pub scope: Scope,
    /// The group's name.
    pub group: String,
    /// The group's incarnation.
    pub group_id: GroupId,
    /// The stream's name.
    pub stream: String,
    /// The stream's incarnation.
    pub stream_id: LogStreamId,
}

impl StreamAddress {
    /// How many bytes [`Self::encode`] appends.
    pub fn encoded_len(&self) -> usize {
        8 + 16 + 16 + 3 * 2 + self.scope.region.as_str().len() + self.group.len() + self.stream.len()
    }

    /// Appends the address: account u64, group id and stream id u128, then region, group and stream, each as
    /// its length (u16) and its text; integers little-endian.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64_le(self.scope.account.as_u64());
        out.put_u128_le(self.group_id.as_u128());
        out.put_u128_le(self.stream_id.as_u128());
        for text in [self.scope.region.as_str(), &self.group, &self.stream] {
            debug_assert!(text.len() <= usize::from(u16::MAX), "names have at most 512 characters");
            out.put_u16_le(text.len() as u16);
            out.extend_from_slice(text.as_bytes());
        }
    }

    /// Takes an address off the front of `bytes`; `None` if there is none.
    pub fn decode(bytes: &mut Bytes) -> Option<Self> {
        let account = AccountId::from_u64(bytes.try_get_u64_le().ok()?)?;
        let group_id = GroupId::from_u128(bytes.try_get_u128_le().ok()?);
        let stream_id = LogStreamId::from_u128(bytes.try_get_u128_le().ok()?);
        let mut text = || {
            let len = usize::from(bytes.try_get_u16_le().ok()?);
            let text = (len <= bytes.len()).then(|| bytes.split_to(len))?;
            String::from_utf8(text.into()).ok()
        };
        let region = Region::new(&text()?);
        let (group, stream) = (text()?, text()?);
        Some(Self { scope: Scope { account, region }, group, group_id, stream, stream_id })
    }
}

//! Receipt handles: which receipt of which message, in a form that tells a foreign or damaged one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// One receipt of one message. A message that is received again has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) queue: Uuid,
    pub(crate) sequence: u64,
    /// How often the message had been received then, this time included.
    pub(crate) receives: u32,
}

/// Queue, sequence, receives, checksum.
const HANDLE_BYTES: usize = 16 + 8 + 4 + 4;

impl Receipt {
    pub(crate) fn to_handle(self) -> String {
        let mut bytes = [0; HANDLE_BYTES];
        bytes[..16].copy_from_slice(self.queue.as_bytes());
        bytes[16..24].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[24..28].copy_from_slice(&self.receives.to_be_bytes());
        let checksum = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&checksum.to_be_bytes());
        STANDARD.encode(bytes)
    }

    /// The receipt of a handle that [`Receipt::to_handle`] made; `None` for anything else.
    pub(crate) fn parse(handle: &str) -> Option<Self> {
        // A longer one is none, and need not be decoded.
        let bytes = STANDARD.decode(handle.get(..).filter(|handle| handle.len() <= 64)?).ok()?;
        let bytes: [u8; HANDLE_BYTES] = bytes.try_into().ok()?;
        let (queue, rest) = bytes.split_first_chunk::<16>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (receives, checksum) = rest.split_first_chunk::<4>()?;
        (checksum == crc32fast::hash(&bytes[..28]).to_be_bytes()).then_some(Self {
            queue: Uuid::from_bytes(*queue),
            sequence: u64::from_be_bytes(*sequence),
            receives: u32::from_be_bytes(*receives),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_leads_back_to_its_receipt_and_nothing_else_is_one() {
        let receipt = Receipt { queue: Uuid::from_u128(9), sequence: 1 << 40, receives: 3 };
        let handle = receipt.to_handle();
        assert_eq!(Receipt::parse(&handle), Some(receipt));
        for other in ["", "garbage", &handle[1..], &handle.replace('A', "B"), &"A".repeat(10_000), "ü"] {
            assert_eq!(Receipt::parse(other), None, "{other}");
        }
    }
}

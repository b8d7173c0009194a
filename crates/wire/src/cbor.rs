//! CBOR (RFC 8949), as Smithy's RPC v2 uses it.
//!
//! A codec of its own, because none at hand does all of what AWS clients rely on: strings that borrow from
//! the body, tag 1 around timestamps, numbers in whatever width and kind they come, and bounds on everything.

mod de;
mod head;
mod ser;

use serde::{Deserialize, Serialize};

use crate::Malformed;

/// Reads one document, which must be the whole of `body`.
pub fn decode<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Malformed> {
    de::decode(body)
}

/// Writes one document.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Malformed> {
    ser::encode(value)
}

//! JSON as AWS's protocols use it, on sonic-rs.
//!
//! sonic-rs checks UTF-8, borrows strings without escapes from the body, and is fast. What it leaves to us:
//! bounds (it skips ignored members recursively without any, which a hostile body turns into a stack
//! overflow), and the texts that AWS sends for doubles that JSON has no numbers for.

mod de;
mod ser;

use serde::{Deserialize, Serialize};

use crate::Malformed;

/// Reads one document, which must be the whole of `body`. An empty body is an empty object, as AWS has it.
pub fn decode<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Malformed> {
    de::decode(if body.is_empty() { b"{}" } else { body })
}

/// Writes one document.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Malformed> {
    ser::encode(value)
}

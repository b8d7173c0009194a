//! Opaque paging tokens: what a `NextToken` carries, written so that a foreign or damaged one is recognised.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::stable_hash;

/// The longest token that [`decode`] looks at, in bytes: a metric with 30 long dimensions needs 54,000.
const TOKEN_LENGTH_MAX: usize = 128 * 1024;

/// A token that carries `cursor` for the listing named `listing` (so that one listing refuses another's
/// token).
pub fn encode(listing: &str, cursor: &str) -> String {
    let mut bytes = checksum(listing, cursor).to_be_bytes().to_vec();
    bytes.extend_from_slice(cursor.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor in a token that [`encode`] made for the same listing; `None` for anything else.
pub fn decode(listing: &str, token: &str) -> Option<String> {
    if token.len() > TOKEN_LENGTH_MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (sum, cursor) = bytes.split_first_chunk()?;
    let cursor = String::from_utf8(cursor.to_vec()).ok()?;
    (u64::from_be_bytes(*sum) == checksum(listing, &cursor)).then_some(cursor)
}

fn checksum(listing: &str, cursor: &str) -> u64 {
    stable_hash(listing.bytes().chain([0]).chain(cursor.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_listing_reads_its_token() {
        let token = encode("DescribeAlarms", "cpu/ü");
        assert_eq!(decode("DescribeAlarms", &token).as_deref(), Some("cpu/ü"));
        assert_eq!(decode("ListMetrics", &token), None);
        for damaged in ["", "zz", &token[1..], "00000000000000000", "+111111111111111"] {
            assert_eq!(decode("DescribeAlarms", damaged), None, "{damaged}");
        }
    }
}

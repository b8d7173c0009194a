//! Opaque paging tokens: what a `NextToken` carries, written so that a foreign or damaged one is recognised.

use crate::stable_hash;

/// The longest token that [`decode`] looks at, in bytes: a metric with 30 long dimensions needs 80,000.
const TOKEN_LENGTH_MAX: usize = 128 * 1024;

/// A token that carries `cursor` for the listing named `listing` (so that one listing refuses another's
/// token).
pub fn encode(listing: &str, cursor: &str) -> String {
    let checksum = checksum(listing, cursor);
    let mut token = format!("{checksum:016x}");
    for byte in cursor.bytes() {
        token.push_str(&format!("{byte:02x}"));
    }
    token
}

/// The cursor in a token that [`encode`] made for the same listing; `None` for anything else.
pub fn decode(listing: &str, token: &str) -> Option<String> {
    if token.len() > TOKEN_LENGTH_MAX || token.len() < 16 || !token.is_ascii() {
        return None;
    }
    let (sum, digits) = token.split_at(16);
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok()
        })
        .collect();
    let cursor = String::from_utf8(bytes?).ok()?;
    (u64::from_str_radix(sum, 16).ok()? == checksum(listing, &cursor)).then_some(cursor)
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

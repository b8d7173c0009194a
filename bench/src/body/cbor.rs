//! The part of CBOR (RFC 8949) that a `PutMetricData` needs, written with definite lengths.

pub(super) fn map(members: usize, out: &mut Vec<u8>) {
    head(5, members as u64, out);
}

pub(super) fn array(items: usize, out: &mut Vec<u8>) {
    head(4, items as u64, out);
}

pub(super) fn text(text: &str, out: &mut Vec<u8>) {
    head(3, text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn double(value: f64, out: &mut Vec<u8>) {
    out.push(DOUBLE);
    out.extend_from_slice(&value.to_be_bytes());
}

/// What stands before the eight bytes of a timestamp: tag 1, and that a double follows.
pub(super) fn timestamp_head(out: &mut Vec<u8>) {
    head(6, 1, out);
    out.push(DOUBLE);
}

const DOUBLE: u8 = 0xFB;

/// A major type with its argument in the shortest form.
fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match argument {
        0..24 => out.push(major | argument as u8),
        24..0x100 => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend_from_slice(&(argument as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend_from_slice(&(argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&mut Vec<u8>), bytes: &[u8]) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(out, bytes);
    }

    /// Bytes from the table in appendix A of RFC 8949, where it has the value.
    #[test]
    fn values_have_the_bytes_of_the_rfc() {
        check(|out| map(0, out), &[0xA0]);
        check(|out| map(5, out), &[0xA5]);
        check(|out| array(25, out), &[0x98, 0x19]);
        check(|out| array(1_000, out), &[0x99, 0x03, 0xE8]);
        check(|out| array(1_000_000, out), &[0x9A, 0x00, 0x0F, 0x42, 0x40]);
        check(|out| array(1_000_000_000_000, out), &[0x9B, 0, 0, 0, 0xE8, 0xD4, 0xA5, 0x10, 0]);
        check(|out| text("IETF", out), &[0x64, 0x49, 0x45, 0x54, 0x46]);
        check(|out| double(1.1, out), &[0xFB, 0x3F, 0xF1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A]);
        check(timestamp_head, &[0xC1, 0xFB]);
    }
}

//! The few primitives that the journal records, the head and the blocks are written with.

/// Bytes that are not what was written. Where it happened is known to whoever reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damaged(pub &'static str);

/// Appends `number` in LEB128: seven bits a byte, the lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number, so that small ones of either sign are short.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_varint(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// Appends `text` after its length in bytes.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends `value` after its length in bytes.
pub(crate) fn put_float(out: &mut Vec<u8>, value: f64) {
    let (bytes, length) = float_bytes(value);
    out.push(length);
    out.extend_from_slice(&bytes[..usize::from(length)]);
}

/// The bytes of `value`, highest first, and how many there are before the rest is zero: whole numbers are
/// short.
pub(crate) fn float_bytes(value: f64) -> ([u8; 8], u8) {
    let bits = value.to_bits();
    (bits.to_be_bytes(), 8 - (bits.trailing_zeros() / 8).min(8) as u8)
}

/// Reads what the functions above wrote, never beyond the end.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.rest.split_first().ok_or(Damaged("bytes are missing"))?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged("bytes are missing"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damaged("a number is too long"))
    }

    /// A number that is a count or an index, so it must fit into memory.
    pub(crate) fn index(&mut self) -> Result<usize, Damaged> {
        usize::try_from(self.varint()?).map_err(|_| Damaged("a count is too large"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Damaged> {
        let number = self.varint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = self.index()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Damaged("a text is not UTF-8"))
    }

    pub(crate) fn float(&mut self) -> Result<f64, Damaged> {
        let length = self.byte()?;
        self.float_of(length)
    }

    /// A float of which `length` bytes were written.
    pub(crate) fn float_of(&mut self, length: u8) -> Result<f64, Damaged> {
        let written = self.bytes(usize::from(length))?;
        let mut bytes = [0; 8];
        bytes.get_mut(..written.len()).ok_or(Damaged("a float is too long"))?.copy_from_slice(written);
        Ok(f64::from_bits(u64::from_be_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number: u64, signed: i64, value: f64, text: String) {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            put_signed(&mut out, signed);
            put_float(&mut out, value);
            put_text(&mut out, &text);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.varint(), Ok(number));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.float().map(f64::to_bits), Ok(value.to_bits()));
            prop_assert_eq!(reader.text(), Ok(text.as_str()));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Reader::new(&bytes).varint();
            let _ = Reader::new(&bytes).float();
            let _ = Reader::new(&bytes).text();
        }
    }

    #[test]
    fn whole_numbers_are_short() {
        let mut out = Vec::new();
        put_float(&mut out, 1.0);
        put_float(&mut out, 0.0);
        put_float(&mut out, 1000.0);
        assert_eq!(out.len(), 3 + 1 + 4);
    }
}

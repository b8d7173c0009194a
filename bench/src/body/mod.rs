//! Request bodies that are encoded ahead and dated at the last moment.
//!
//! The client shares the machine with the server that it measures, so a request must cost it next to nothing.
//! A [`StampedBody`] is encoded once; each time that it is sent, only its timestamps are written over in
//! place, which works because every protocol has a form of timestamps whose width does not depend on the
//! moment.

mod cbor;
pub mod log_events;
pub mod metric_data;

use bytes::{Bytes, BytesMut};
use groundwatch_core::Timestamp;

/// An encoded body whose timestamps can be replaced.
#[derive(Debug)]
pub struct StampedBody {
    bytes: Bytes,
    form: StampForm,
    stamps: Vec<Stamp>,
}

/// How a protocol writes a timestamp in a fixed width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampForm {
    /// `1767323045678`: what Logs takes.
    Millis,
    /// `1767323045.678`: what CloudWatch takes in JSON.
    Seconds,
    /// Eight big-endian bytes of a double, in seconds: what follows tag 1 and the head `FB` in CBOR.
    DoubleSeconds,
    /// `2026-01-02T03%3A04%3A05.678Z`: ISO 8601 inside a form.
    FormIso8601,
}

/// A place for a timestamp.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    offset: usize,
    /// How much older than the newest timestamp in the body.
    age_ms: u32,
}

impl StampedBody {
    /// The body with its newest timestamp at `newest`, and the others as much older as they were made.
    ///
    /// Writes in place if what the last call returned has been dropped since, and into a copy otherwise.
    pub fn stamped(&mut self, newest: Timestamp) -> Bytes {
        let taken = std::mem::take(&mut self.bytes);
        let mut bytes = taken.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        let mut text = Text::default();
        let mut age_ms_written = None;
        for stamp in &self.stamps {
            if age_ms_written != Some(stamp.age_ms) {
                let age = std::time::Duration::from_millis(stamp.age_ms.into());
                text = self.form.write(newest - age);
                age_ms_written = Some(stamp.age_ms);
            }
            let text = text.as_bytes();
            bytes[stamp.offset..stamp.offset + text.len()].copy_from_slice(text);
        }
        self.bytes = bytes.freeze();
        self.bytes.clone()
    }

    /// Its size, whatever the moment.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl StampForm {
    const fn width(self) -> usize {
        match self {
            Self::Millis => 13,
            Self::Seconds => 14,
            Self::DoubleSeconds => 8,
            Self::FormIso8601 => 28,
        }
    }

    /// Always [`Self::width`] bytes for moments between 2001-09-09 and 2286-11-20; other moments are moved
    /// there.
    fn write(self, moment: Timestamp) -> Text {
        let millis = moment.as_millis().clamp(1_000_000_000_000, 9_999_999_999_999);
        match self {
            Self::Millis => Text::of(millis.to_string().as_bytes()),
            Self::Seconds => Text::of(format!("{}.{:03}", millis / 1000, millis % 1000).as_bytes()),
            Self::DoubleSeconds => Text::of(&(millis as f64 / 1000.0).to_be_bytes()),
            Self::FormIso8601 => {
                let text = Timestamp::from_millis(millis).strftime("%Y-%m-%dT%H%%3A%M%%3A%S.%3fZ");
                Text::of(text.as_bytes())
            }
        }
    }
}

/// A timestamp as it goes into a body.
#[derive(Clone, Copy, Default)]
struct Text {
    bytes: [u8; 28],
    length: usize,
}

impl Text {
    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 28];
        bytes[..text.len()].copy_from_slice(text);
        Self { bytes, length: text.len() }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A body in the making.
struct BodyWriter {
    bytes: Vec<u8>,
    form: StampForm,
    stamps: Vec<Stamp>,
}

impl BodyWriter {
    fn new(form: StampForm) -> Self {
        Self { bytes: Vec::new(), form, stamps: Vec::new() }
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends `text` as a JSON string with its quotes.
    fn json_string(&mut self, text: &str) {
        serde_json::to_writer(&mut self.bytes, text).expect("a Vec takes everything, and every str is JSON");
    }

    /// Leaves room for a timestamp that is this much older than the newest one in the body.
    fn stamp(&mut self, age_ms: u32) {
        self.stamps.push(Stamp { offset: self.bytes.len(), age_ms });
        self.bytes.resize(self.bytes.len() + self.form.width(), b'0');
    }

    fn finish(self) -> StampedBody {
        StampedBody { bytes: self.bytes.into(), form: self.form, stamps: self.stamps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Timestamp = Timestamp::from_millis(1_767_323_045_678);

    #[test]
    fn every_form_has_its_width_at_all_times() {
        for form in [StampForm::Millis, StampForm::Seconds, StampForm::DoubleSeconds, StampForm::FormIso8601]
        {
            for moment in [Timestamp::MIN, MOMENT, Timestamp::from_secs(1_767_323_045), Timestamp::MAX] {
                assert_eq!(form.write(moment).length, form.width(), "{form:?} {moment}");
            }
        }
    }

    #[test]
    fn forms_are_what_the_protocols_take() {
        assert_eq!(StampForm::Millis.write(MOMENT).as_bytes(), b"1767323045678");
        assert_eq!(StampForm::Seconds.write(MOMENT).as_bytes(), b"1767323045.678");
        assert_eq!(StampForm::FormIso8601.write(MOMENT).as_bytes(), b"2026-01-02T03%3A04%3A05.678Z");
        assert_eq!(StampForm::DoubleSeconds.write(MOMENT).as_bytes(), 1_767_323_045.678_f64.to_be_bytes());
    }

    #[test]
    fn stamps_keep_their_distance_from_the_newest() {
        let mut body = BodyWriter::new(StampForm::Millis);
        body.text("[");
        body.stamp(1_500);
        body.text(",");
        body.stamp(0);
        body.text("]");
        let mut body = body.finish();
        assert_eq!(body.stamped(MOMENT), "[1767323044178,1767323045678]");
        let later = MOMENT + std::time::Duration::from_secs(3);
        assert_eq!(body.stamped(later), "[1767323047178,1767323048678]");
    }

    #[test]
    fn body_that_is_still_being_sent_is_not_written_over() {
        let mut body = BodyWriter::new(StampForm::Millis);
        body.stamp(0);
        let mut body = body.finish();
        let sending = body.stamped(MOMENT);
        let next = body.stamped(MOMENT + std::time::Duration::from_millis(1));
        assert_eq!((&sending[..], &next[..]), (&b"1767323045678"[..], &b"1767323045679"[..]));
    }

    #[test]
    fn body_that_was_sent_is_written_in_place() {
        let mut body = BodyWriter::new(StampForm::Millis);
        body.stamp(0);
        let mut body = body.finish();
        let first = body.stamped(MOMENT).as_ptr();
        assert_eq!(body.stamped(MOMENT).as_ptr(), first);
    }
}

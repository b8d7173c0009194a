//! Answers that are streams of events: `application/vnd.amazon.eventstream`.
//!
//! Each event is one frame: total length, length of the headers, CRC-32 of these two, headers, payload,
//! CRC-32 of all before it; integers are big-endian. A header is its name's length, its name, the type 7 (a
//! text), the text's length in two bytes, and the text. Source: Smithy, "Event Stream Specification", amazon
//! eventstream encoding.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use groundwatch_api::{Event, EventStream, Fault, Protocol};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::codec::{answer, content_type};
use crate::response::{Body, Response};
use crate::{Malformed, cbor, fault, json};

const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Lengths and CRCs of a frame.
const FRAME_OVERHEAD_BYTES: usize = 16;

/// The type of headers that are texts.
const TEXT: u8 = 7;

/// The answer that tells of events as they come.
pub(crate) fn respond<E: Event>(protocol: Protocol, events: EventStream<E>) -> Response {
    // Clients take nothing before it.
    let first = frame(
        &[
            (":message-type", "event"),
            (":event-type", "initial-response"),
            (":content-type", content_type(protocol)),
        ],
        &encode(protocol, &Nothing {}).unwrap_or_default(),
    );
    let frames = events.map(move |event| match event {
        Ok(event) => event_frame(protocol, &event),
        Err(fault) => fault_frame(protocol, &fault),
    });
    let mut response = answer(protocol, StatusCode::OK, Bytes::new());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    *response.body_mut() = Body::Stream(Box::pin(stream::iter([first]).chain(frames)));
    response
}

/// A structure without members.
#[derive(Serialize)]
struct Nothing {}

/// What a fault says in a stream.
#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

fn event_frame<E: Event>(protocol: Protocol, event: &E) -> Bytes {
    match encode(protocol, event) {
        Ok(payload) => {
            let headers = [
                (":message-type", "event"),
                (":event-type", event.kind()),
                (":content-type", payload_type(protocol)),
            ];
            frame(&headers, &payload)
        }
        Err(error) => {
            tracing::error!(event = event.kind(), %error, "an event does not encode");
            fault_frame(protocol, &fault::internal_failure())
        }
    }
}

fn fault_frame(protocol: Protocol, fault: &Fault) -> Bytes {
    let message = Message { message: fault.message.as_deref().unwrap_or_default() };
    let headers = [
        (":message-type", "exception"),
        (":exception-type", fault.shape.shape),
        (":content-type", payload_type(protocol)),
    ];
    frame(&headers, &encode(protocol, &message).unwrap_or_default())
}

fn payload_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::RpcV2Cbor => "application/cbor",
        Protocol::Query | Protocol::Json10 | Protocol::Json11 => "application/json",
    }
}

fn encode<T: Serialize>(protocol: Protocol, value: &T) -> Result<Vec<u8>, Malformed> {
    match protocol {
        Protocol::RpcV2Cbor => cbor::encode(value),
        // No service that speaks the query protocol streams.
        Protocol::Query | Protocol::Json10 | Protocol::Json11 => json::encode(value),
    }
}

/// One frame. Header names are ours, and short.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let headers_len: usize = headers.iter().map(|(name, text)| 4 + name.len() + text.len()).sum();
    let total = FRAME_OVERHEAD_BYTES + headers_len + payload.len();
    let mut frame = BytesMut::with_capacity(total);
    frame.put_u32(total as u32);
    frame.put_u32(headers_len as u32);
    frame.put_u32(crc32fast::hash(&frame));
    for (name, text) in headers {
        frame.put_u8(name.len() as u8);
        frame.put_slice(name.as_bytes());
        frame.put_u8(TEXT);
        frame.put_u16(text.len() as u16);
        frame.put_slice(text.as_bytes());
    }
    frame.put_slice(payload);
    frame.put_u32(crc32fast::hash(&frame));
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector `int_text`-like of the specification, made by hand: lengths and CRCs are those of
    /// zlib.
    #[test]
    fn a_frame_without_headers_has_the_known_checksums() {
        // The empty message of the specification's test vectors.
        let expected = [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
        assert_eq!(&frame(&[], b"")[..], expected);
    }

    #[test]
    fn headers_are_texts_with_their_lengths() {
        let frame = frame(&[(":event-type", "x")], b"{}");
        let headers = &frame[12..frame.len() - 6];
        assert_eq!(headers, b"\x0b:event-type\x07\x00\x01x");
        assert_eq!(u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize, frame.len());
    }
}

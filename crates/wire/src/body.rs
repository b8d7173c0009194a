//! Bodies into memory: bounded in size, in time, and in all of them together.

mod gzip;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use groundwatch_api::Fault;
use http::HeaderMap;
use http::header;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fault;
use crate::request::text;

/// The largest body that is read, in bytes as they come over the wire. AWS's largest is PutLogEvents: 1 MiB
/// of messages, which escapes in JSON can make six times as long.
pub const WIRE_BYTES_MAX: usize = 16 << 20;

/// The largest body after decompression, in bytes. AWS states no limit; PutMetricData with the most data,
/// dimensions and values stays below 20 MB in JSON.
pub const UNPACKED_BYTES_MAX: usize = 64 << 20;

/// How many bytes all bodies that are in work may take together. Beyond it requests are throttled.
pub const TOTAL_BYTES_MAX: usize = 512 << 20;

/// How long the next piece of a body may take to arrive.
const STALL_MAX: Duration = Duration::from_secs(30);

/// How long a whole body may take to arrive, which lets 16 MiB come in over a line of 0.5 Mbit/s.
const ARRIVAL_MAX: Duration = Duration::from_secs(300);

/// How much of a refused body is read past at most, so that its client sees the refusal.
const DISCARDED_BYTES_MAX: usize = 64 << 20;

/// For how long a refused body is read past at most.
const DISCARD_MAX: Duration = Duration::from_secs(10);

/// A body's buffer starts no larger than this, whatever the header claims.
const INITIAL_BYTES_MAX: usize = 2 << 20;

/// Bodies up to this size are unpacked on the spot; unpacking larger ones would keep a worker from its other
/// connections.
const UNPACK_HERE_BYTES_MAX: usize = 64 << 10;

/// Reads bodies, and knows how much memory they may still take.
#[derive(Clone, Debug)]
pub struct Intake {
    /// A permit a byte.
    budget: Arc<Semaphore>,
}

/// A body in memory, for which memory is set aside until it is dropped.
#[derive(Debug)]
pub struct Received {
    /// The body.
    pub bytes: Bytes,
    _reserved: OwnedSemaphorePermit,
}

impl Default for Intake {
    fn default() -> Self {
        Self { budget: Arc::new(Semaphore::new(TOTAL_BYTES_MAX)) }
    }
}

impl Intake {
    /// Reads a body as it comes over the wire.
    pub async fn receive<B>(&self, headers: &HeaderMap, body: B) -> Result<Received, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        let arrival = tokio::time::timeout(ARRIVAL_MAX, self.receive_all(headers, body));
        arrival.await.unwrap_or_else(|_| Err(fault::body_stalled()))
    }

    async fn receive_all<B>(&self, headers: &HeaderMap, mut body: B) -> Result<Received, Fault>
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        let announced = announced_length(headers).unwrap_or(0);
        if announced > WIRE_BYTES_MAX {
            return Err(fault::too_large(WIRE_BYTES_MAX));
        }
        // What is announced may never come: memory is set aside as bytes arrive.
        let mut reserved = self.reserve(0)?;
        let mut buffer = BytesMut::new();
        while let Some(piece) = next_piece(&mut body).await? {
            if buffer.is_empty() && piece.len() == announced {
                // All of it in the connection's own buffer: nothing to copy.
                self.extend(&mut reserved, announced)?;
                return Ok(Received { bytes: piece, _reserved: reserved });
            }
            let length = buffer.len() + piece.len();
            if length > WIRE_BYTES_MAX {
                return Err(fault::too_large(WIRE_BYTES_MAX));
            }
            self.extend(&mut reserved, length)?;
            if buffer.capacity() == 0 {
                buffer.reserve(announced.clamp(piece.len(), INITIAL_BYTES_MAX.max(piece.len())));
            }
            buffer.extend_from_slice(&piece);
        }
        Ok(Received { bytes: buffer.freeze(), _reserved: reserved })
    }

    /// Undoes the content encoding.
    pub async fn unpack(&self, headers: &HeaderMap, received: Received) -> Result<Received, Fault> {
        match encoding(headers)? {
            Encoding::Identity => Ok(received),
            Encoding::Gzip if received.bytes.len() <= UNPACK_HERE_BYTES_MAX => self.gunzip(&received.bytes),
            Encoding::Gzip => {
                let intake = self.clone();
                let unpacked = tokio::task::spawn_blocking(move || intake.gunzip(&received.bytes)).await;
                unpacked.unwrap_or_else(|_| Err(fault::internal_failure()))
            }
        }
    }

    fn gunzip(&self, packed: &[u8]) -> Result<Received, Fault> {
        let mut reserved = self.reserve(0)?;
        let bytes = gzip::unpack(packed, UNPACKED_BYTES_MAX, |length| self.extend(&mut reserved, length))?;
        Ok(Received { bytes: bytes.into(), _reserved: reserved })
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Fault> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.budget).try_acquire_many_owned(permits).map_err(|_| fault::out_of_body_memory())
    }

    /// Sets aside more, until it is `bytes` in all.
    fn extend(&self, reserved: &mut OwnedSemaphorePermit, bytes: usize) -> Result<(), Fault> {
        if let Some(more) = bytes.checked_sub(reserved.num_permits()).filter(|more| *more > 0) {
            reserved.merge(self.reserve(more)?);
        }
        Ok(())
    }
}

/// Reads past what is left of a refused body, beside the answer.
///
/// Most clients look for an answer only when they have sent everything, and closing the connection while
/// bytes of theirs are under way would take the answer from them: they would see a broken connection, and try
/// again.
pub(crate) fn discard<B>(headers: &HeaderMap, mut body: B)
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    // Who asks before sending the body is told instead not to.
    if body.is_end_stream() || headers.contains_key(header::EXPECT) {
        return;
    }
    tokio::spawn(tokio::time::timeout(DISCARD_MAX, async move {
        let mut bytes = 0;
        while bytes < DISCARDED_BYTES_MAX {
            let Ok(Some(piece)) = next_piece(&mut body).await else { return };
            bytes += piece.len();
        }
    }));
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    text(headers, header::CONTENT_LENGTH.as_str())?.parse().ok()
}

async fn next_piece<B>(body: &mut B) -> Result<Option<Bytes>, Fault>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    loop {
        match tokio::time::timeout(STALL_MAX, body.frame()).await {
            Err(_) => return Err(fault::body_stalled()),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(fault::body_broke_off()),
            Ok(Some(Ok(frame))) => {
                // Trailers hold nothing for us.
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
        }
    }
}

enum Encoding {
    Identity,
    Gzip,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Fault> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Encoding::Identity) };
    let value = value.to_str().unwrap_or("?").trim();
    if value.is_empty() || value.eq_ignore_ascii_case("identity") {
        Ok(Encoding::Identity)
    } else if value.eq_ignore_ascii_case("gzip") || value.eq_ignore_ascii_case("x-gzip") {
        Ok(Encoding::Gzip)
    } else {
        Err(fault::unknown_encoding(value))
    }
}

#[cfg(test)]
mod tests;

//! Syslog over TCP and UDP: messages of RFC 5424 and RFC 3164 become log events.
//!
//! Owns the sockets ([`Receiver`]), the framing of TCP ([`Frames`]), what is read from a message
//! ([`Event::read`]), and batches. Does not own where events are stored (a [`Sink`]), or who may send: like
//! everything without signatures, it belongs on loopback addresses.
//!
//! The way through: socket → [`Frames`] → [`Event::read`] → a bounded queue → batches → [`Sink`].
//!
//! What always holds: nothing that is sent causes a panic or memory without measure. What came over TCP waits
//! for the sink, and holds its sender up; what comes over UDP while the queue is full is lost, counted and
//! said in the log.

mod address;
mod collector;
mod event;
mod frames;
mod receiver;

pub use address::{Address, AddressError};
pub use collector::{Batch, Sink, SinkError};
pub use event::Event;
pub use frames::{Frames, MESSAGE_BYTES_MAX};
pub use receiver::Receiver;

//! Metric streams: the metrics of each minute, forwarded to the target of a Firehose ARN.
//!
//! Owns the [definitions](Streams) of streams, what of a minute belongs to one ([`stream`]), AWS's three
//! output formats ([`format`]), and the [sender](StreamSender) that sends minute after minute. Does not own
//! reading metrics (asks a [`MinuteSource`]), where a Firehose ARN leads (`groundwatch-outbound`, by the
//! operator's targets), or the API of tagging.
//!
//! The way through: a minute is over, and a minute more for late samples → [`MinuteSource`], page by page →
//! the filters of the stream → [`format`] (measures to bytes, pure) → [`records`] → accepted → the stream's
//! cursor moves on, durably, to the next minute that has data ([`outlook`]).
//!
//! What always holds: minutes are sent in order, and none is left out, also over a restart or while the
//! target is away (up to a day); a minute that was sent in part is sent again with the same ids. A stream
//! that was stopped sends nothing of the meantime, as in AWS. A clock that goes back is followed: what it
//! tells then is sent as it comes, and not waited for.

mod error;
mod fault;
mod format;
mod operations;
mod outlook;
mod records;
mod sender;
mod source;
mod stream;

pub use error::StreamError;
pub use sender::StreamSender;
pub use source::{Measure, MinuteSource, SourceError, StreamedMetric};
pub use stream::Streams;

//! Transformers of CloudWatch Logs: what a pipeline of processors makes of the text of a log event.
//!
//! Owns the rules that a pipeline must keep (which processors come first, how many of each), all processors
//! of the service model but `parseToOCSF`, which is rejected, and the limits of what they may produce. Does
//! not own where pipelines are kept, when they run, or who reads what comes out (`groundwatch-logs` does). It
//! knows AWS's shapes of processors, for a pipeline is kept as it was given, and no clock: the moment of an
//! event is an argument.
//!
//! The way through: `pipeline` (shapes to processors, with the rules that span them) → `parsers` (text to
//! fields) → `mutators` and `converters` (fields to fields), all of them on one [`event`] whose fields are
//! named by `path`.
//!
//! What always holds: the same pipeline makes the same of the same event; nothing an event holds makes it
//! panic, run longer than its length allows, or grow beyond [`OUTPUT_BYTES_MAX`]. An event that a processor
//! cannot do is an
//! [`EventError`]: its original text stands then, and no half-transformed one.
//!
//! Where AWS's guide is silent, the rule here is: a parser or converter that cannot read its source fails the
//! event; any other processor passes over a key that is not there or not of its type.

mod converters;
mod event;
mod mutators;
mod parsers;
mod path;
mod pipeline;

pub use event::{EVENT_BYTES_MAX, EventError, FIELDS_MAX, OUTPUT_BYTES_MAX, Origin};
pub use pipeline::{Cause, ConfigError, Transformer};

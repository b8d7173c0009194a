//! Patterns of log messages: what many messages have in common, with `<*>` where they vary.
//!
//! Owns splitting a message into tokens, deciding which of them vary, and gathering messages of one kind.
//! Does not own what is done with patterns (`groundwatch-logs` looks for unusual ones), where they are kept,
//! or which messages are looked at. It knows no clock and no chance: the same messages in the same order make
//! the same patterns.
//!
//! The way through: [`Token`]s of a message → [`Pattern`] → [`Patterns`], which finds the known pattern that
//! a message belongs to, generalises it if need be, or adds it.
//!
//! What always holds: only the first [`MESSAGE_CHARACTERS_MAX`] characters of a message count; there are
//! never more than [`PATTERNS_MAX`] patterns of at most [`TOKENS_MAX`] tokens, and what does not fit belongs
//! to none.
//!
//! The idea is that of Drain: messages of one kind have as many tokens, begin alike and differ in few places.
//! A token that looks like a number, a time or an identifier varies from the start, so that most kinds are
//! recognised without a single comparison.

mod pattern;
mod patterns;
mod token;

pub use pattern::{Pattern, PatternId};
pub use patterns::{Belongs, PATTERNS_MAX, Patterns};
pub use token::{MESSAGE_CHARACTERS_MAX, TOKENS_MAX, Token, VariableKind};

//! What every other crate speaks of: time, the account and region that own a thing, and who is calling.
//!
//! Owns [`Timestamp`] and [`Clock`], [`AccountId`], [`Region`], [`Scope`], [`Caller`], [`Arn`], [`Tags`], the
//! opaque [paging tokens](page_token), the [`intake`] window of data, [`JavaDouble`] and the [`Activity`] that
//! background work implements. Does not own
//! AWS's shapes (`groundwatch-api`), how they travel (`groundwatch-wire`) or where anything is kept
//! (`groundwatch-storage`).
//!
//! What always holds: nothing in the workspace reads the machine's clock except [`SystemClock`].

mod activity;
mod arn;
mod clock;
mod identity;
pub mod intake;
mod java_double;
pub mod page_token;
mod stable_hash;
mod tags;
mod time;

pub use activity::{Activity, BoxFuture};
pub use arn::{Arn, ArnError};
pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use identity::{AccountId, Call, Caller, InvalidAccountId, Region, RequestId, Scope};
pub use java_double::JavaDouble;
pub use stable_hash::stable_hash;
pub use tags::{TagChange, TagError, Tags};
pub use time::{InvalidTimestamp, Timestamp};

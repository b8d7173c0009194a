//! Sending events on: destinations and subscriptions.

mod account;
mod courier;
mod cursor;
mod destination;
mod error;
mod field_selection;
mod lanes;
mod message;
mod subscription;
mod vendor;

pub use courier::{Courier, LocalServices};
pub(crate) use destination::{Destination, check_access_policy, check_destination, destination_arn};
pub use error::{Destined, ForwardingError};
pub(crate) use field_selection::FieldSelection;

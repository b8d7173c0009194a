//! Sending events on: destinations, and subscriptions of groups and accounts.
//!
//! The way through: an arrival makes the [`lanes`] of its subscriptions due → [`forwarder`] takes them, some
//! at once → each [`step`] reads a page of what arrived behind its [`cursor`], makes a [`message`] a stream
//! of what matches, and has the [`sender`] bring it away → the cursor moves on, and is noted.
//!
//! What always holds: an acknowledged event that matches is sent at least once, unless its receiver refuses
//! it for a day. Events of a stream that arrive together are sent in their order. What waits takes no memory
//! but a cursor: the store has the events.

mod account;
mod cursor;
mod destination;
mod error;
mod field_selection;
mod forwarder;
mod lanes;
mod measures;
mod message;
mod sender;
mod step;
mod subscription;
mod subscriptions;
mod vendor;

pub(crate) use account::{excluded_groups, subscription as account_subscription};
pub(crate) use destination::{Destination, check_access_policy, check_destination, destination_arn};
pub use error::{Destined, ForwardingError};
pub(crate) use field_selection::FieldSelection;
pub use forwarder::LogForwarding;
pub(crate) use lanes::Place;
pub(crate) use measures::ForwardingMeasures;
pub use sender::{LocalServices, MessageSender};
pub(crate) use step::Forwarding;
pub(crate) use subscription::{Distribution, Subscription};
pub(crate) use subscriptions::{AccountSubscription, Subscriptions, places};

use groundwatch_core::{Scope, Timestamp};
use groundwatch_outbound::Outcome;

use self::message::Message;
use self::sender::Addressed;
use self::vendor::Vendor;
use crate::shelf::Shelf;

/// Checks that `scope` may send to `arn`, and that a message gets through: AWS's control message.
pub(crate) async fn try_out(
    sender: &MessageSender,
    destinations: &Shelf<Destination>,
    scope: &Scope,
    arn: &str,
    at: Timestamp,
) -> Result<(), ForwardingError> {
    let named = Vendor::of(arn)?;
    let unreachable = |vendor: Vendor, reason| ForwardingError::Unreachable { vendor: vendor.into(), reason };
    let mut receiver = arn.to_owned();
    if named == Vendor::Destination {
        let missing = || unreachable(named, format!("{arn} does not exist"));
        let (owner, destination) = destination::find(destinations, arn).ok_or_else(missing)?;
        if !destination.admits(owner.account, scope.account) {
            return Err(ForwardingError::NotAdmitted);
        }
        receiver.clone_from(&destination.target_arn);
    }
    let vendor = Vendor::of(&receiver)?;
    let message = Message::control(vendor.control_text(), at);
    let addressed =
        Addressed { scope, arn: &receiver, id: "control", partition_key: "control", message: &message };
    match sender.deliver(&addressed).await {
        Outcome::Accepted { .. } => Ok(()),
        Outcome::Refused { reason } | Outcome::Unavailable { reason, .. } => Err(unreachable(named, reason)),
    }
}

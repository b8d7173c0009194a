//! What a change of state brings about: history, notifications, events and other actions.
//!
//! `transition` decides (pure): what is written, what is sent, what is withheld. `history`, `message`, `event`
//! and `action_request` say it in AWS's words, `alarm_shape` and `metric_json` are what these share. `outbox`
//! sends each `delivery` until it has arrived or failed for good.

pub(crate) mod action_request;
pub(crate) mod action_target;
pub(crate) mod alarm_shape;
pub(crate) mod complaints;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod history;
pub(crate) mod message;
pub(crate) mod metric_json;
pub(crate) mod outbox;
pub(crate) mod transition;

//! Getting messages to subscribers: what waits is in the [`outbox`], [`lanes`] say which is next, the
//! [`deliverer`] attempts it by a [`sender`], and [`retry`] says what an outcome means.

pub(crate) mod deliverer;
pub(crate) mod lanes;
pub(crate) mod mail;
pub(crate) mod outbox;
pub(crate) mod queue;
pub(crate) mod retry;
pub(crate) mod sender;

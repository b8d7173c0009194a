//! A service that takes every operation and answers each with an empty output.

use groundwatch_api::{Fault, Handle, Operation, for_each_operation};
use groundwatch_core::{Call, ManualClock, Timestamp};
use groundwatch_wire::{DevelopmentAuthenticator, Router};
use std::sync::Arc;

pub(crate) struct Sink;

macro_rules! take_all {
    ($($operation:ty,)+) => {
        $(impl Handle<$operation> for Sink {
            async fn handle<'a>(
                &'a self,
                _call: &'a Call,
                _input: <$operation as Operation>::Input<'a>,
            ) -> Result<<$operation as Operation>::Output, Fault> {
                Ok(Default::default())
            }
        })+

        /// A router that serves all operations by a [`Sink`].
        pub(crate) fn router() -> Router {
            let sink = Arc::new(Sink);
            let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_322_853)));
            Router::new(clock, Arc::new(DevelopmentAuthenticator))$(.on::<$operation, Sink>(Arc::clone(&sink)))+
        }
    };
}

for_each_operation!(take_all);

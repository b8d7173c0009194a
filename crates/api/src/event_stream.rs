//! Answers that are a stream of events rather than one document.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::Serialize;

use crate::Fault;

/// One event of a stream: an enum with a variant for each kind, generated.
pub trait Event: Serialize + Send + 'static {
    /// Which kind it is, as the model calls it.
    fn kind(&self) -> &'static str;
}

/// Events as they come. A [`Fault`] ends it, and is told to the client in the stream. Whoever stops reading
/// drops it.
pub struct EventStream<E>(Pin<Box<dyn Stream<Item = Result<E, Fault>> + Send>>);

impl<E> EventStream<E> {
    /// The events of `stream`.
    pub fn new(stream: impl Stream<Item = Result<E, Fault>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }
}

impl<E> Stream for EventStream<E> {
    type Item = Result<E, Fault>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().0.as_mut().poll_next(context)
    }
}

impl<E> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}

/// Declares the events of a stream. Each is written as its structure, without a name around it: the name
/// travels beside it.
macro_rules! events {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($variant:ident($type:ty) = $wire:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("`", $wire, "`.")] $variant($type),)+
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(event) => event.serialize(serializer),)+
                }
            }
        }

        impl $crate::Event for $name {
            fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $wire,)+
                }
            }
        }
    };
}

pub(crate) use events;

//! What the tests and the examples of this crate share.

#![allow(dead_code, reason = "no test or example uses all of it")]

pub(crate) mod form;
pub(crate) mod markup;
pub(crate) mod mutation;
pub(crate) mod sink;

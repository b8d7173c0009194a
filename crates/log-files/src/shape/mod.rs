//! Shapes: what makes messages small without losing a byte of them.
//!
//! Messages of a group repeat each other: the same keys in the same order, the same sentence around other
//! numbers. A [`Sorter`] [cuts](cut) each message into a [`Shape`], which many messages share, and what
//! varies, and sorts the latter into columns of like things, which compress several times better than lines
//! do, in less time. JSON fields become columns that are called by their selectors (`$.http.status`); slots
//! of other lines are called `$1`, `$2` and so on, with a letter behind it for values of another
//! [manner], so that numbers and names that stand at one place of different lines do not share a column.
//!
//! What always holds: a shape's literals with its slots' texts between them are the message, byte for byte.

mod cut;
mod form;
mod manner;
mod sorter;

pub(crate) use form::Shape;
pub(crate) use manner::{Kind, Manner};
pub(crate) use sorter::{Columns, ShapedRows, Sorted, Sorter};

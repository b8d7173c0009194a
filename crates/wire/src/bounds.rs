//! How much one request may ask a codec to build: depth, structures and list elements.
//!
//! The size of a body alone is no bound on memory: in CBOR an empty structure is one byte on the wire and
//! hundreds in memory. Every codec counts against one [`Bounds`] a document.

use std::cell::Cell;

/// How deep lists, maps and structures may nest. AWS's shapes end below ten; what is deeper can only be
/// ignored members.
pub const DEPTH_MAX: u32 = 64;

/// How many structures (and maps) one document may hold. The largest legal request, PutMetricData with 1,000
/// data of 30 dimensions, has about 32,000.
pub const STRUCTURES_MAX: u32 = 100_000;

/// How many list elements one document may hold. The largest legal request, PutMetricData with 1,000 data of
/// 150 values and 150 counts, has about 330,000.
pub const ELEMENTS_MAX: u32 = 500_000;

/// What is left of the bounds while a document is read.
#[derive(Debug)]
pub(crate) struct Bounds {
    depth: Cell<u32>,
    structures: Cell<u32>,
    elements: Cell<u32>,
}

/// Which bound a document broke. The text goes to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    #[error("nested deeper than {DEPTH_MAX} levels")]
    Depth,
    #[error("more than {STRUCTURES_MAX} structures")]
    Structures,
    #[error("more than {ELEMENTS_MAX} list elements")]
    Elements,
}

impl Bounds {
    pub(crate) fn new() -> Self {
        Self {
            depth: Cell::new(DEPTH_MAX),
            structures: Cell::new(STRUCTURES_MAX),
            elements: Cell::new(ELEMENTS_MAX),
        }
    }

    /// One level down. The caller calls [`Bounds::leave`] when it is up again; after an error nobody asks any
    /// more.
    #[inline]
    pub(crate) fn enter(&self) -> Result<(), Excess> {
        take_one(&self.depth).ok_or(Excess::Depth)
    }

    #[inline]
    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get() + 1);
    }

    #[inline]
    pub(crate) fn structure(&self) -> Result<(), Excess> {
        take_one(&self.structures).ok_or(Excess::Structures)
    }

    #[inline]
    pub(crate) fn element(&self) -> Result<(), Excess> {
        take_one(&self.elements).ok_or(Excess::Elements)
    }
}

#[inline]
fn take_one(left: &Cell<u32>) -> Option<()> {
    left.set(left.get().checked_sub(1)?);
    Some(())
}

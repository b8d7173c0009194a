//! Data protection policies of CloudWatch Logs: what is sensitive in a text, and the text with that masked.
//!
//! Owns the form of policy documents with AWS's rules, the managed data identifiers that a pattern can
//! recognise, custom identifiers, and masking. Does not own where policies are kept, which events they
//! concern, or where findings go (`groundwatch-logs` does). It knows no AWS service and no clock.
//!
//! The way through: [`Policy`] (a document, checked) → [`Identifier`]s → [`Detectors`] (ready to look at
//! texts) → [`Finding`]s → [`mask`].
//!
//! What always holds: looking at a text takes time in proportion to its length; a masked text has as many
//! characters as the text, and is the same wherever nothing was found. A managed identifier that AWS has and
//! this crate cannot recognise is rejected with an error that names it, never passed over: a policy that was
//! accepted protects what it names.
//!
//! AWS's patterns are its own. These follow what its guide says of each kind of data, so that they find what
//! the guide shows, and may differ at the edges.

mod checks;
mod detector;
mod identifiers;
mod keywords;
mod managed;
mod policy;

pub use detector::{Detectors, Finding, mask};
pub use policy::{Custom, Identifier, Policy, PolicyError};

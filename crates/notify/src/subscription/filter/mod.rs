//! Filter policies: which messages a subscription wants. Pure.
//!
//! `policy` (what a policy says) ← `parser` (from JSON, with AWS's rules and words) ; `matcher` (whether a
//! message is wanted) asks `condition` (one operator on one value).

mod condition;
mod matcher;
mod parser;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use matcher::Unwanted;
pub use parser::FilterPolicyError;
pub(crate) use policy::{Filter, FilterPolicy, FilterScope};

//! What names a document or a ledger's entries.

use groundwatch_core::Scope;

/// A name within an account and region. Ordered by scope, then by name (bytewise).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The owning account and region.
    pub scope: Scope,
    /// The name, any text; parts of a compound name are best joined with `\0`.
    pub name: String,
}

impl Key {
    /// The key of `name` in `scope`.
    pub fn new(scope: &Scope, name: impl Into<String>) -> Self {
        Self { scope: scope.clone(), name: name.into() }
    }
}

//! Starting over when somebody else was quicker.

use crate::StorageError;

/// How often a change is tried. Each failure means that another change of the same document succeeded, so only
/// as many as there are changes at once can fail in a row.
const ATTEMPTS_MAX: usize = 256;

/// An error that may say that the catalog expected another version of a document.
pub trait MayConflict {
    /// Whether it is a [`StorageError::Conflict`].
    fn is_conflict(&self) -> bool;
}

impl MayConflict for StorageError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}

/// Does `change`, which reads, decides and commits, and does it anew when a concurrent change made its batch
/// fail; the last attempt's outcome stands, conflict or not.
pub async fn despite_conflicts<T, E, F>(change: impl Fn() -> F) -> Result<T, E>
where
    E: MayConflict,
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..ATTEMPTS_MAX {
        match change().await {
            Err(error) if error.is_conflict() => {}
            settled => return settled,
        }
    }
    change().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::Key;

    #[tokio::test]
    async fn only_conflicts_are_tried_again() {
        let key = || Key::new(&groundwatch_core::Scope::default(), "alarm");
        let tries = Cell::new(0);
        let change = || {
            tries.set(tries.get() + 1);
            let outcome = match tries.get() {
                1..=3 => Err(StorageError::Conflict { kind: "alarm", key: key() }),
                _ => Err(StorageError::Overloaded),
            };
            async { outcome }
        };
        let settled: Result<(), _> = despite_conflicts(change).await;
        assert!(matches!(settled, Err(StorageError::Overloaded)), "{settled:?}");
        assert_eq!(tries.get(), 4);
    }
}

//! Storage: keeps bytes and documents, and knows nothing of AWS.

mod catalog;
mod error;
mod journal;
mod key;
mod lock;

pub use catalog::{
    Batch, Catalog, Document, Documents, Entry, Expect, Ledger, LedgerCursor, LedgerItem, LedgerQuery,
};
pub use error::StorageError;
pub use journal::{Position, StreamId};
pub use key::Key;
pub(crate) use lock::DirLock;

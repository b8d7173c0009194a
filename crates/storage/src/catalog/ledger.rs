//! Ledgers: entries that are only ever added, by key and time. They stay on disk.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use groundwatch_core::{Scope, Timestamp};
use rusqlite::{Connection, ToSql, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::{Batch, Catalog, Change};
use crate::{Key, StorageError};

/// How many entries are deleted in one transaction, so that others do not wait long.
const EXPIRED_PER_COMMIT: usize = 5_000;

/// Something that happened, such as an alarm's transition. Its JSON form is a format on disk.
pub trait Entry: Serialize + DeserializeOwned + Send + 'static {
    /// Tells this type's entries from all others, forever.
    const KIND: &'static str;
}

/// All entries of one type. Cheap to clone.
pub struct Ledger<T> {
    catalog: Catalog,
    entry: PhantomData<fn() -> T>,
}

/// Which entries to read.
#[derive(Clone, Debug)]
pub struct LedgerQuery {
    /// Entries of this account and region.
    pub scope: Scope,
    /// Entries of this name only; `None`: of all names.
    pub name: Option<String>,
    /// Not before this moment.
    pub from: Timestamp,
    /// Before this moment.
    pub to: Timestamp,
    /// Only what follows the entry of this cursor, in the direction of the query.
    pub after: Option<LedgerCursor>,
    /// How many at most.
    pub limit: usize,
    /// Descending by time instead of ascending.
    pub newest_first: bool,
}

/// An entry's place in the order of time; entries of one moment are ordered as they were committed.
///
/// Its text form fits into a paging token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerCursor {
    at: Timestamp,
    sequence: i64,
}

/// One entry as it was read.
#[derive(Clone, Debug)]
pub struct LedgerItem<T> {
    /// Whom it is about.
    pub key: Key,
    /// When it happened.
    pub at: Timestamp,
    /// Continues a query after this entry.
    pub cursor: LedgerCursor,
    /// What happened.
    pub entry: T,
}

impl<T> Clone for Ledger<T> {
    fn clone(&self) -> Self {
        Self { catalog: self.catalog.clone(), entry: PhantomData }
    }
}

impl<T: Entry> Ledger<T> {
    /// The ledger of this type of entry.
    pub fn open(catalog: &Catalog) -> Self {
        Self { catalog: catalog.clone(), entry: PhantomData }
    }

    /// Adds to the batch: an entry about `key` that happened `at`.
    #[expect(clippy::needless_pass_by_value, reason = "an entry is given away, as a document is")]
    pub fn append(&self, batch: &mut Batch, key: Key, at: Timestamp, entry: T) {
        if let Some(body) = batch.encode(T::KIND, &key, &entry) {
            batch.push(Change::Append { kind: T::KIND, key, at, body }, |_| {});
        }
    }

    /// The entries that `query` asks for, as of the last commit.
    ///
    /// Errors: [`StorageError::Corrupt`] names an entry that cannot be read as a `T`.
    pub async fn read(&self, query: LedgerQuery) -> Result<Vec<LedgerItem<T>>, StorageError> {
        let catalog = self.catalog.clone();
        let read = tokio::task::spawn_blocking(move || {
            catalog.inner.readers.with(|connection| select(connection, &query))
        });
        read.await.map_err(|_| StorageError::shut_down())?
    }

    /// Deletes all entries that happened before `before`; returns how many.
    pub async fn expire(&self, before: Timestamp) -> Result<u64, StorageError> {
        let mut total = 0;
        loop {
            let (count, deleted) = oneshot::channel();
            let mut batch = Batch::new();
            batch.push(Change::Expire { kind: T::KIND, before, limit: EXPIRED_PER_COMMIT }, move |number| {
                let _ = count.send(number);
            });
            self.catalog.commit(batch).await?;
            let deleted = deleted.await.map_err(|_| StorageError::shut_down())?;
            total += deleted;
            if deleted < EXPIRED_PER_COMMIT as u64 {
                return Ok(total);
            }
        }
    }
}

fn select<T: Entry>(
    connection: &Connection,
    query: &LedgerQuery,
) -> Result<Vec<LedgerItem<T>>, StorageError> {
    let failed = |source| StorageError::sqlite("read", source);
    let (order, beyond) = if query.newest_first { ("DESC", "<") } else { ("ASC", ">") };
    let named = if query.name.is_some() { "AND name = ?6" } else { "AND ?6 IS NULL" };
    let sql = format!(
        "SELECT name, at, sequence, body FROM entries
         WHERE kind = ?1 AND account = ?2 AND region = ?3 AND at >= ?4 AND at < ?5 {named}
           AND (at, sequence) {beyond} (?7, ?8)
         ORDER BY at {order}, sequence {order} LIMIT ?9"
    );
    // Before the first entry of either direction.
    let outside = if query.newest_first { i64::MAX } else { i64::MIN };
    let after =
        query.after.unwrap_or(LedgerCursor { at: Timestamp::from_millis(outside), sequence: outside });
    let parameters: &[&dyn ToSql] = params![
        T::KIND,
        query.scope.account.as_u64(),
        query.scope.region.as_str(),
        query.from.as_millis(),
        query.to.as_millis(),
        query.name,
        after.at.as_millis(),
        after.sequence,
        i64::try_from(query.limit).unwrap_or(i64::MAX),
    ];
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    let mut items = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let name: String = row.get(0).map_err(failed)?;
        let at = Timestamp::from_millis(row.get(1).map_err(failed)?);
        let sequence = row.get(2).map_err(failed)?;
        let body = row.get_ref(3).map_err(failed)?.as_str().map_err(|source| failed(source.into()))?;
        let entry = serde_json::from_str(body).map_err(|error| StorageError::Corrupt {
            place: format!("catalog.db: {} {sequence} of `{name}`", T::KIND),
            reason: error.to_string(),
        })?;
        let key = Key { scope: query.scope.clone(), name };
        items.push(LedgerItem { key, at, cursor: LedgerCursor { at, sequence }, entry });
    }
    Ok(items)
}

impl fmt::Display for LedgerCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.at.as_millis(), self.sequence)
    }
}

/// A text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a ledger's cursor")]
pub struct InvalidCursor;

impl FromStr for LedgerCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (at, sequence) = text.split_once('/').ok_or(InvalidCursor)?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| InvalidCursor);
        Ok(Self { at: Timestamp::from_millis(number(at)?), sequence: number(sequence)? })
    }
}

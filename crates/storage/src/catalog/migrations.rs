//! The catalog's tables, as the list of steps that made them.
//!
//! A released step is never edited: a change is a new step at the end. `PRAGMA user_version` counts the steps
//! that a file has seen, so a file of any earlier release is brought up to date, and a newer one is refused.

use rusqlite::{Connection, TransactionBehavior};

use crate::StorageError;

/// All steps, oldest first.
const STEPS: &[&str] = &[
    // 1: documents, ledgers' entries, what the journal may forget.
    "
    CREATE TABLE documents (
        kind    TEXT    NOT NULL,
        account INTEGER NOT NULL,
        region  TEXT    NOT NULL,
        name    TEXT    NOT NULL,
        version INTEGER NOT NULL,
        body    TEXT    NOT NULL,
        PRIMARY KEY (kind, account, region, name)
    ) WITHOUT ROWID;

    CREATE TABLE entries (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        kind     TEXT    NOT NULL,
        account  INTEGER NOT NULL,
        region   TEXT    NOT NULL,
        name     TEXT    NOT NULL,
        at       INTEGER NOT NULL,
        body     TEXT    NOT NULL
    );
    CREATE INDEX entries_by_time ON entries (kind, account, region, at);
    CREATE INDEX entries_by_name ON entries (kind, account, region, name, at);

    CREATE TABLE releases (
        stream  INTEGER PRIMARY KEY,
        through INTEGER NOT NULL
    );

    CREATE TABLE counters (
        name  TEXT    PRIMARY KEY,
        value INTEGER NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO counters VALUES ('revision', 0);
    ",
];

/// Brings the catalog to this release's tables, in one transaction. Refuses one without any, unless it
/// `may_be_new`.
pub(super) fn migrate(connection: &mut Connection, may_be_new: bool) -> Result<(), StorageError> {
    let failed = |source| StorageError::sqlite("migrate", source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let seen: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let corrupt = || StorageError::Corrupt {
        place: "catalog.db".to_owned(),
        reason: format!("its user_version is {seen}"),
    };
    let seen = usize::try_from(seen).ok().filter(|seen| may_be_new || *seen > 0).ok_or_else(corrupt)?;
    let missing = STEPS.get(seen..).ok_or_else(|| StorageError::TooNew {
        place: "catalog.db".to_owned(),
        found: seen as u64,
        known: STEPS.len() as u64,
    })?;
    for step in missing {
        transaction.execute_batch(step).map_err(failed)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "user_version", STEPS.len() as i64).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

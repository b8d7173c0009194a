//! The thread that owns the connection that writes.

use groundwatch_core::{Scope, Timestamp};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use tokio::sync::{mpsc, oneshot};

use super::batch::{Change, Expect, Step};
use crate::{Key, StorageError};

/// How many changes are gathered into one transaction at most, as long as there are several batches.
const CHANGES_PER_TRANSACTION: usize = 10_000;

/// A batch that waits to be written.
pub(super) struct Request {
    pub(super) steps: Vec<Step>,
    pub(super) done: oneshot::Sender<Result<(), StorageError>>,
}

/// Writes batches, in the order of their arrival.
pub(super) struct Writer {
    connection: Connection,
    /// The revision of the last change. Only grows, also over restarts, so no version ever comes back.
    revision: u64,
    /// A sync failed: what the file holds is known again only after it was opened anew.
    mistrusted: bool,
}

/// What follows in memory from one change, with the change's number.
type FollowUp = (Box<dyn FnOnce(u64) + Send>, u64);

/// A batch that is in the open transaction.
struct Applied {
    follow_ups: Vec<FollowUp>,
    done: oneshot::Sender<Result<(), StorageError>>,
}

impl Writer {
    /// Takes over the connection of an up-to-date catalog.
    pub(super) fn new(connection: Connection) -> Result<Self, StorageError> {
        let revision = connection
            .query_row("SELECT value FROM counters WHERE name = 'revision'", [], |row| row.get(0))
            .map_err(|source| StorageError::sqlite("read", source))?;
        Ok(Self { connection, revision, mistrusted: false })
    }

    /// Serves until the last sender is gone.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut changes = first.steps.len();
            let mut group = vec![first];
            while changes < CHANGES_PER_TRANSACTION {
                let Ok(next) = requests.try_recv() else { break };
                changes += next.steps.len();
                group.push(next);
            }
            self.write(group);
        }
    }

    /// Writes a group of batches in one transaction, changes memory accordingly, and answers everybody.
    fn write(&mut self, group: Vec<Request>) {
        let mut failed = self.begin().err();
        let mut applied = Vec::with_capacity(group.len());
        for request in group {
            if let Some(error) = &failed {
                answer(request.done, Err(error.clone()));
                continue;
            }
            match self.apply(request.steps) {
                Ok(follow_ups) => applied.push(Applied { follow_ups, done: request.done }),
                Err(error) => {
                    // SQLite gives up the whole transaction by itself when, say, the disk is full.
                    if self.connection.is_autocommit() {
                        failed = Some(error.clone());
                    }
                    answer(request.done, Err(error));
                }
            }
        }
        let outcome = failed.map_or_else(|| self.finish(), Err);
        for batch in applied {
            if outcome.is_ok() {
                batch.follow_ups.into_iter().for_each(|(follow_up, number)| follow_up(number));
            }
            answer(batch.done, outcome.clone());
        }
    }

    fn begin(&self) -> Result<(), StorageError> {
        if self.mistrusted {
            return Err(StorageError::Closed {
                reason: "a sync of the catalog failed, so restart the server",
            });
        }
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|source| StorageError::sqlite("write", source))
    }

    /// Applies one batch in a savepoint; after an error, nothing of it is left.
    fn apply(&mut self, steps: Vec<Step>) -> Result<Vec<FollowUp>, StorageError> {
        let failed = |source| StorageError::sqlite("write", source);
        self.connection.execute_batch("SAVEPOINT batch").map_err(failed)?;
        let mut follow_ups = Vec::with_capacity(steps.len());
        for step in steps {
            match self.change(step.change) {
                Ok(number) => follow_ups.push((step.then, number)),
                Err(error) => {
                    if !self.connection.is_autocommit() {
                        self.connection.execute_batch("ROLLBACK TO batch; RELEASE batch").map_err(failed)?;
                    }
                    return Err(error);
                }
            }
        }
        self.connection.execute_batch("RELEASE batch").map_err(failed)?;
        Ok(follow_ups)
    }

    /// Makes one change; returns its number.
    fn change(&mut self, change: Change) -> Result<u64, StorageError> {
        self.revision += 1;
        let revision = self.revision;
        let outcome = match change {
            Change::Put { kind, key, body, expect } => {
                self.check(kind, &key, expect)?;
                let Key { scope: Scope { account, region }, name } = &key;
                self.execute(
                    "INSERT INTO documents (kind, account, region, name, version, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
                    params![kind, account.as_u64(), region.as_str(), name, revision, body],
                )
            }
            Change::Remove { kind, key, expect } => {
                self.check(kind, &key, expect)?;
                let Key { scope: Scope { account, region }, name } = &key;
                self.execute(
                    "DELETE FROM documents WHERE kind = ?1 AND account = ?2 AND region = ?3 AND name = ?4",
                    params![kind, account.as_u64(), region.as_str(), name],
                )
            }
            Change::Append { kind, key: Key { scope: Scope { account, region }, name }, at, body } => self.execute(
                "INSERT INTO entries (kind, account, region, name, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![kind, account.as_u64(), region.as_str(), name, at.as_millis(), body],
            ),
            Change::Expire { kind, before, limit } => {
                return self.expire(kind, before, limit).map_err(|source| StorageError::sqlite("write", source));
            }
            Change::Release { stream, through } => self.execute(
                "INSERT INTO releases (stream, through) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET through = max(through, excluded.through)",
                params![stream.0, through.0],
            ),
        };
        outcome.map(|_| revision).map_err(|source| StorageError::sqlite("write", source))
    }

    /// Whether the document is as expected.
    fn check(&self, kind: &'static str, key: &Key, expect: Expect) -> Result<(), StorageError> {
        if expect == Expect::Any {
            return Ok(());
        }
        let Key { scope: Scope { account, region }, name } = key;
        let failed = |source| StorageError::sqlite("read", source);
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT version FROM documents WHERE kind = ?1 AND account = ?2 AND region = ?3 AND name = ?4",
            )
            .map_err(failed)?;
        let current = statement
            .query_row(params![kind, account.as_u64(), region.as_str(), name], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if expect.is_met_by(current) {
            Ok(())
        } else {
            Err(StorageError::Conflict { kind, key: key.clone() })
        }
    }

    /// Deletes up to `limit` entries older than `before`, scope by scope, so that an index finds them all.
    fn expire(&self, kind: &str, before: Timestamp, limit: usize) -> rusqlite::Result<u64> {
        // No account is negative, so this precedes all scopes.
        let (mut account, mut region) = (-1_i64, String::new());
        let mut deleted = 0;
        while deleted < limit {
            let next = self
                .connection
                .prepare_cached(
                    "SELECT account, region FROM entries
                     WHERE kind = ?1 AND (account, region) > (?2, ?3) ORDER BY account, region LIMIT 1",
                )?
                .query_row(params![kind, account, region], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some(scope) = next else { break };
            (account, region) = scope;
            deleted += self.execute(
                "DELETE FROM entries WHERE sequence IN (
                     SELECT sequence FROM entries
                     WHERE kind = ?1 AND account = ?2 AND region = ?3 AND at < ?4 LIMIT ?5)",
                params![kind, account, region, before.as_millis(), limit - deleted],
            )?;
        }
        Ok(deleted as u64)
    }

    fn execute(&self, sql: &str, params: &[&dyn ToSql]) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }

    /// Makes the open transaction durable; after an error, nothing of it is left.
    fn finish(&mut self) -> Result<(), StorageError> {
        let committed = self
            .execute("UPDATE counters SET value = ?1 WHERE name = 'revision'", params![self.revision])
            .and_then(|_| self.connection.execute_batch("COMMIT"));
        committed.map_err(|source| {
            self.mistrusted = is_failed_sync(&source);
            if !self.connection.is_autocommit()
                && let Err(source) = self.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%source, "cannot roll back a transaction of the catalog");
                self.mistrusted = true;
            }
            StorageError::sqlite("write", source)
        })
    }
}

/// Whether what was written before may or may not have reached the disk, so that trying again proves nothing.
fn is_failed_sync(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};
    error
        .sqlite_error()
        .is_some_and(|error| matches!(error.extended_code, SQLITE_IOERR_FSYNC | SQLITE_IOERR_DIR_FSYNC))
}

/// Answers one batch. Who no longer waits does not mind.
fn answer(done: oneshot::Sender<Result<(), StorageError>>, outcome: Result<(), StorageError>) {
    let _ = done.send(outcome);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{connection, migrations};

    /// A writer without a thread, on a catalog of its own.
    fn writer(dir: &tempfile::TempDir) -> Writer {
        let mut connection = connection::open_writer(&dir.path().join("catalog.db")).expect("opened");
        migrations::migrate(&mut connection, true).expect("migrated");
        Writer::new(connection).expect("a writer")
    }

    fn put(name: &str, body_bytes: usize, expect: Expect) -> Step {
        let change = Change::Put {
            kind: "test",
            key: Key::new(&Scope::default(), name),
            body: "x".repeat(body_bytes),
            expect,
        };
        Step { change, then: Box::new(|_| {}) }
    }

    /// Writes batches as one group; returns their answers.
    fn write(writer: &mut Writer, batches: Vec<Vec<Step>>) -> Vec<Result<(), StorageError>> {
        let (requests, answers): (Vec<_>, Vec<_>) = batches
            .into_iter()
            .map(|steps| {
                let (done, answer) = oneshot::channel();
                (Request { steps, done }, answer)
            })
            .unzip();
        writer.write(requests);
        answers.into_iter().map(|mut answer| answer.try_recv().expect("answered")).collect()
    }

    fn names(writer: &Writer) -> Vec<String> {
        let mut statement =
            writer.connection.prepare("SELECT name FROM documents ORDER BY name").expect("valid");
        let names = statement.query_map([], |row| row.get(0)).expect("rows");
        names.collect::<Result<_, _>>().expect("names")
    }

    #[test]
    fn conflict_fails_its_own_batch_only() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut writer = writer(&dir);
        let answers = write(
            &mut writer,
            vec![
                vec![put("a", 1, Expect::Absent)],
                vec![put("b", 1, Expect::Any), put("a", 1, Expect::Absent)],
                vec![put("c", 1, Expect::Absent), put("c", 1, Expect::Present)],
            ],
        );
        assert!(answers[0].is_ok() && answers[2].is_ok());
        assert!(
            matches!(&answers[1], Err(StorageError::Conflict { key, .. }) if key.name == "a"),
            "{answers:?}"
        );
        assert_eq!(names(&writer), ["a", "c"]);
    }

    #[test]
    fn full_disk_fails_the_group_and_later_ones_succeed() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut writer = writer(&dir);
        let limit = |writer: &Writer, pages: i64| {
            writer.connection.pragma_update(None, "max_page_count", pages).expect("limited");
        };
        limit(&writer, 30);
        let answers = write(
            &mut writer,
            vec![
                vec![put("a", 10, Expect::Any)],
                vec![put("b", 1 << 20, Expect::Any)],
                vec![put("c", 10, Expect::Any)],
            ],
        );
        assert!(matches!(answers[1], Err(StorageError::Full { .. })), "{answers:?}");
        let expected: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .zip(&answers)
            .filter(|(_, answer)| answer.is_ok())
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names(&writer), expected, "what was answered is what is there");
        limit(&writer, 1 << 20);
        assert!(write(&mut writer, vec![vec![put("d", 1 << 20, Expect::Absent)]])[0].is_ok());
    }

    #[test]
    fn versions_never_come_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut first = writer(&dir);
        write(&mut first, vec![vec![put("a", 1, Expect::Any)]]);
        let revision = first.revision;
        drop(first);
        let mut second = writer(&dir);
        assert_eq!(second.revision, revision);
        write(&mut second, vec![vec![put("a", 1, Expect::Version(revision))]]);
        assert!(second.revision > revision);
    }
}

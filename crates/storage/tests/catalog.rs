//! Documents and ledgers, as services use them.

use groundwatch_core::{Region, Scope, Timestamp};
use groundwatch_storage::{
    Batch, Catalog, Document, Documents, Entry, Expect, Key, Ledger, LedgerQuery, StorageError,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Alarm {
    threshold: f64,
}

impl Document for Alarm {
    const KIND: &'static str = "alarm";
}

/// What an earlier or foreign program may have written under the same kind.
#[derive(Debug, Serialize, Deserialize)]
struct ForeignAlarm {
    threshold: String,
}

impl Document for ForeignAlarm {
    const KIND: &'static str = "alarm";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Transition(u32);

impl Entry for Transition {
    const KIND: &'static str = "transition";
}

fn open(dir: &TempDir) -> Catalog {
    Catalog::open(&dir.path().join("catalog.db")).expect("opened")
}

fn scope(region: &str) -> Scope {
    Scope { region: Region::new(region), ..Scope::default() }
}

fn key(name: &str) -> Key {
    Key::new(&scope("eu-central-1"), name)
}

async fn put(
    catalog: &Catalog,
    alarms: &Documents<Alarm>,
    name: &str,
    threshold: f64,
    expect: Expect,
) -> Result<(), StorageError> {
    let mut batch = Batch::new();
    alarms.put(&mut batch, key(name), Alarm { threshold }, expect);
    catalog.commit(batch).await
}

#[tokio::test]
async fn documents_survive_a_restart_with_their_versions() {
    let dir = tempfile::tempdir().expect("a directory");
    let version = {
        let catalog = open(&dir);
        let alarms = Documents::open(&catalog).expect("loaded");
        put(&catalog, &alarms, "cpu", 1.5, Expect::Absent).await.expect("committed");
        alarms.version(&key("cpu"))
    };
    let alarms: Documents<Alarm> = Documents::open(&open(&dir)).expect("loaded");
    assert_eq!(alarms.get(&key("cpu")).as_deref(), Some(&Alarm { threshold: 1.5 }));
    assert_eq!(alarms.version(&key("cpu")), version);
    assert!(version.is_some());
}

#[tokio::test]
async fn numbers_survive_a_restart_to_the_last_bit() {
    let dir = tempfile::tempdir().expect("a directory");
    let numbers = [5.466535739528636e-11, 0.1 + 0.2, f64::MAX, 5e-324, -0.0];
    let catalog = open(&dir);
    let alarms = Documents::open(&catalog).expect("loaded");
    for number in numbers {
        put(&catalog, &alarms, &number.to_string(), number, Expect::Absent).await.expect("committed");
    }
    drop((alarms, catalog));
    let alarms: Documents<Alarm> = Documents::open(&open(&dir)).expect("loaded");
    for number in numbers {
        let kept = alarms.get(&key(&number.to_string())).expect("kept").threshold;
        assert_eq!(kept.to_bits(), number.to_bits(), "{number}");
    }
}

#[tokio::test]
async fn expectations_decide_whether_a_batch_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = open(&dir);
    let alarms = Documents::open(&catalog).expect("loaded");
    put(&catalog, &alarms, "there", 1.0, Expect::Any).await.expect("committed");
    let version = alarms.version(&key("there")).expect("a version");
    for (name, expect, is_met) in [
        ("there", Expect::Absent, false),
        ("there", Expect::Version(version + 1), false),
        ("there", Expect::Version(version), true),
        ("there", Expect::Version(version), false),
        ("there", Expect::Present, true),
        ("missing", Expect::Present, false),
        ("missing", Expect::Version(version), false),
        ("missing", Expect::Absent, true),
    ] {
        let before = alarms.get(&key(name));
        let outcome = put(&catalog, &alarms, name, 2.0, expect).await;
        assert_eq!(outcome.is_ok(), is_met, "{name} {expect:?}: {outcome:?}");
        if !is_met {
            assert!(matches!(outcome, Err(StorageError::Conflict { .. })), "{name} {expect:?}");
            assert_eq!(alarms.get(&key(name)), before, "memory is untouched");
        }
    }
}

#[tokio::test]
async fn list_is_by_name_within_scope_and_prefix() {
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = open(&dir);
    let alarms = Documents::open(&catalog).expect("loaded");
    let mut batch = Batch::new();
    for name in ["b", "a", "ab", "abc", "ac", "ü"] {
        alarms.put(&mut batch, key(name), Alarm { threshold: 0.0 }, Expect::Any);
    }
    alarms.put(&mut batch, Key::new(&scope("eu-west-1"), "abx"), Alarm { threshold: 0.0 }, Expect::Any);
    catalog.commit(batch).await.expect("committed");
    let check = |prefix: &str, after: Option<&str>, limit: usize, expected: &[&str]| {
        let listed = alarms.list(&scope("eu-central-1"), prefix, after, limit);
        let names: Vec<_> = listed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "{prefix:?} after {after:?}");
    };
    check("", None, 99, &["a", "ab", "abc", "ac", "b", "ü"]);
    check("ab", None, 99, &["ab", "abc"]);
    check("ab", Some("ab"), 99, &["abc"]);
    check("ab", Some("a"), 1, &["ab"]);
    check("ab", Some("b"), 99, &[]);
    check("z", None, 99, &[]);
    assert_eq!(alarms.len(), 7);
    let check_scan = |prefix: &str, limit: usize, expected: &[&str], more_after: Option<&str>| {
        let mut found = Vec::new();
        let wanted = |name: &str, _: &Alarm| name != "ab";
        let last = alarms.scan(&scope("eu-central-1"), prefix, None, limit, wanted, &mut found);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names.as_slice(), last.as_deref()), (expected, more_after), "{prefix:?}, {limit}");
    };
    check_scan("", 99, &["a", "abc", "ac", "b", "ü"], None);
    check_scan("", 2, &["a"], Some("ab"));
    check_scan("ab", 2, &["abc"], Some("abc"));
    check_scan("ab", 3, &["abc"], None);
}

#[tokio::test]
async fn all_who_open_a_kind_see_the_same_documents() {
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = open(&dir);
    let (writer, reader) =
        (Documents::open(&catalog).expect("loaded"), Documents::<Alarm>::open(&catalog).expect("joined"));
    put(&catalog, &writer, "cpu", 1.0, Expect::Any).await.expect("committed");
    assert!(reader.get(&key("cpu")).is_some());
    let mut batch = Batch::new();
    reader.remove(&mut batch, key("cpu"), Expect::Present);
    catalog.commit(batch).await.expect("committed");
    assert!(writer.is_empty());
}

#[tokio::test]
async fn document_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    {
        let catalog = open(&dir);
        let alarms: Documents<ForeignAlarm> = Documents::open(&catalog).expect("loaded");
        let mut batch = Batch::new();
        alarms.put(&mut batch, key("odd"), ForeignAlarm { threshold: "high".to_owned() }, Expect::Any);
        catalog.commit(batch).await.expect("committed");
    }
    let error = Documents::<Alarm>::open(&open(&dir)).err().expect("it is refused");
    assert!(
        matches!(&error, StorageError::Corrupt { place, .. } if place == "catalog.db: alarm `odd`"),
        "{error}"
    );
}

#[tokio::test]
async fn catalog_of_a_newer_release_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(&dir));
    let connection = rusqlite::Connection::open(dir.path().join("catalog.db")).expect("opened");
    connection.pragma_update(None, "user_version", 1000).expect("changed");
    drop(connection);
    let error = Catalog::open(&dir.path().join("catalog.db")).err().expect("it is refused");
    assert!(matches!(error, StorageError::TooNew { found: 1000, .. }), "{error}");
}

#[tokio::test]
async fn file_that_is_no_catalog_is_reported() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(
        dir.path().join("catalog.db"),
        "not a database, but long enough to have a header".repeat(20),
    )
    .expect("written");
    let error = Catalog::open(&dir.path().join("catalog.db")).err().expect("it is refused");
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
}

/// A ledger with two entries a second, for two alarms.
async fn ledger(catalog: &Catalog) -> Ledger<Transition> {
    let ledger = Ledger::open(catalog);
    let mut batch = Batch::new();
    for number in 0..10 {
        let name = if number % 2 == 0 { "even" } else { "odd" };
        ledger.append(&mut batch, key(name), Timestamp::from_secs(i64::from(number / 2)), Transition(number));
    }
    ledger.append(&mut batch, Key::new(&scope("eu-west-1"), "even"), Timestamp::from_secs(1), Transition(99));
    catalog.commit(batch).await.expect("committed");
    ledger
}

fn everything() -> LedgerQuery {
    LedgerQuery {
        scope: scope("eu-central-1"),
        name: None,
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        after: None,
        limit: 100,
        newest_first: false,
    }
}

async fn numbers(ledger: &Ledger<Transition>, query: LedgerQuery) -> Vec<u32> {
    ledger.read(query).await.expect("read").into_iter().map(|item| item.entry.0).collect()
}

#[tokio::test]
async fn ledger_reads_by_name_and_time_in_both_directions() {
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = open(&dir);
    let ledger = ledger(&catalog).await;
    assert_eq!(numbers(&ledger, everything()).await, (0..10).collect::<Vec<_>>());
    let newest = LedgerQuery { newest_first: true, limit: 3, ..everything() };
    assert_eq!(numbers(&ledger, newest).await, [9, 8, 7]);
    let odd = LedgerQuery { name: Some("odd".to_owned()), ..everything() };
    assert_eq!(numbers(&ledger, odd).await, [1, 3, 5, 7, 9]);
    let range = LedgerQuery { from: Timestamp::from_secs(1), to: Timestamp::from_secs(3), ..everything() };
    assert_eq!(numbers(&ledger, range).await, [2, 3, 4, 5]);
}

#[tokio::test]
async fn ledger_pages_neither_repeat_nor_skip() {
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = open(&dir);
    let ledger = ledger(&catalog).await;
    for newest_first in [false, true] {
        let mut query = LedgerQuery { limit: 3, newest_first, ..everything() };
        let mut seen = Vec::new();
        loop {
            let page = ledger.read(query.clone()).await.expect("read");
            let Some(last) = page.last() else { break };
            // As it travels in a paging token.
            query.after = Some(last.cursor.to_string().parse().expect("a cursor"));
            seen.extend(page.iter().map(|item| item.entry.0));
        }
        let mut expected: Vec<_> = (0..10).collect();
        if newest_first {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn expire_deletes_what_is_older_in_all_scopes() {
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = open(&dir);
    let ledger = ledger(&catalog).await;
    assert_eq!(ledger.expire(Timestamp::from_secs(2)).await.expect("expired"), 5);
    assert_eq!(numbers(&ledger, everything()).await, [4, 5, 6, 7, 8, 9]);
    let elsewhere = LedgerQuery { scope: scope("eu-west-1"), ..everything() };
    assert!(numbers(&ledger, elsewhere).await.is_empty());
}

#[tokio::test]
async fn concurrent_batches_are_all_committed() {
    let dir = tempfile::tempdir().expect("a directory");
    let catalog = open(&dir);
    let alarms: Documents<Alarm> = Documents::open(&catalog).expect("loaded");
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let (catalog, alarms) = (catalog.clone(), alarms.clone());
            tokio::spawn(async move {
                put(&catalog, &alarms, &format!("alarm {number}"), 0.0, Expect::Absent).await
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("committed");
    }
    assert_eq!(alarms.len(), 200);
}

//! Typed documents: JSON in the catalog, values in memory.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use groundwatch_core::{AccountId, Region, Scope};
use parking_lot::RwLock;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Batch, Catalog, Change, Expect};
use crate::{Key, StorageError};

/// Something small that is kept by name: an alarm, a topic, a log group.
///
/// Its JSON form is a format on disk: members are added with `#[serde(default)]` and never change their
/// meaning.
pub trait Document: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Tells this type's documents from all others, forever. Two types never share one.
    const KIND: &'static str;
}

/// All documents of one type, in memory. Cheap to clone; all who open a type see the same documents.
pub struct Documents<T> {
    view: Arc<View<T>>,
}

struct View<T> {
    documents: RwLock<BTreeMap<Key, Stored<T>>>,
}

struct Stored<T> {
    version: u64,
    value: Arc<T>,
}

impl<T> Clone for Documents<T> {
    fn clone(&self) -> Self {
        Self { view: Arc::clone(&self.view) }
    }
}

impl<T: Document> Documents<T> {
    /// Loads all documents of this type, or joins those who did.
    ///
    /// Errors: [`StorageError::Corrupt`] names a document that cannot be read as a `T`.
    pub fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        // Nobody can change documents of a kind that nobody has opened: the lock makes loading exclusive.
        let mut views = catalog.inner.views.lock();
        if let Some(view) = views.get(T::KIND) {
            let view = Arc::clone(view).downcast::<View<T>>();
            return Ok(Self { view: view.expect("a kind belongs to one type") });
        }
        let view = Arc::new(View { documents: RwLock::new(load::<T>(catalog)?) });
        views.insert(T::KIND, Arc::clone(&view) as Arc<dyn Any + Send + Sync>);
        Ok(Self { view })
    }

    /// The document, as of the last commit.
    pub fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.view.documents.read().get(key).map(|stored| Arc::clone(&stored.value))
    }

    /// The document's version, for [`Expect::Version`]. Versions only grow, also when a name is used again.
    pub fn version(&self, key: &Key) -> Option<u64> {
        self.view.documents.read().get(key).map(|stored| stored.version)
    }

    /// The document together with its version.
    pub fn get_versioned(&self, key: &Key) -> Option<(u64, Arc<T>)> {
        self.view.documents.read().get(key).map(|stored| (stored.version, Arc::clone(&stored.value)))
    }

    /// Up to `limit` documents of a scope whose names begin with `prefix` and come after the name `after`,
    /// ascending by name. Takes time in proportion to what it returns.
    pub fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<T>)> {
        let start = first_after(scope, prefix, after);
        let documents = self.view.documents.read();
        documents
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| key.scope == *scope && key.name.starts_with(prefix))
            .take(limit)
            .map(|(key, stored)| (key.name.clone(), Arc::clone(&stored.value)))
            .collect()
    }

    /// Looks at up to `limit` documents as [`Self::list`] finds them, and adds those to `found` that are
    /// `wanted`; the others are not copied. Returns the last name that was looked at if there may be more.
    pub fn scan(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        mut wanted: impl FnMut(&str, &T) -> bool,
        found: &mut Vec<(String, Arc<T>)>,
    ) -> Option<String> {
        let start = first_after(scope, prefix, after);
        let documents = self.view.documents.read();
        let (mut seen, mut last) = (0, None);
        for (key, stored) in documents.range((start, Bound::Unbounded)).take(limit) {
            if key.scope != *scope || !key.name.starts_with(prefix) {
                return None;
            }
            (seen, last) = (seen + 1, Some(&key.name));
            if wanted(&key.name, &stored.value) {
                found.push((key.name.clone(), Arc::clone(&stored.value)));
            }
        }
        last.filter(|_| seen == limit).cloned()
    }

    /// As [`Self::list`], descending: up to `limit` documents whose names come before the name `before`.
    pub fn list_descending(
        &self,
        scope: &Scope,
        prefix: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<T>)> {
        let start = Key::new(scope, prefix);
        let mut end = after_all(scope, prefix);
        if let Some(before) = before {
            end = end.min(Key::new(scope, before));
        }
        if start >= end {
            return Vec::new();
        }
        let documents = self.view.documents.read();
        documents
            .range(start..end)
            .rev()
            .take(limit)
            .map(|(key, stored)| (key.name.clone(), Arc::clone(&stored.value)))
            .collect()
    }

    /// Every document of this type, ascending by key.
    pub fn all(&self) -> Vec<(Key, Arc<T>)> {
        let documents = self.view.documents.read();
        documents.iter().map(|(key, stored)| (key.clone(), Arc::clone(&stored.value))).collect()
    }

    /// How many documents of this type there are.
    pub fn len(&self) -> usize {
        self.view.documents.read().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds to the batch: create the document, or replace it.
    pub fn put(&self, batch: &mut Batch, key: Key, value: T, expect: Expect) {
        let Some(body) = batch.encode(T::KIND, &key, &value) else { return };
        let view = Arc::clone(&self.view);
        let value = Arc::new(value);
        let change = Change::Put { kind: T::KIND, key: key.clone(), body, expect };
        batch.push(change, move |version| {
            view.documents.write().insert(key, Stored { version, value });
        });
    }

    /// Adds to the batch: remove the document. With [`Expect::Any`], a missing one is fine.
    pub fn remove(&self, batch: &mut Batch, key: Key, expect: Expect) {
        let view = Arc::clone(&self.view);
        batch.push(Change::Remove { kind: T::KIND, key: key.clone(), expect }, move |_| {
            view.documents.write().remove(&key);
        });
    }
}

/// Where a listing begins.
fn first_after(scope: &Scope, prefix: &str, after: Option<&str>) -> Bound<Key> {
    match after {
        Some(after) if after >= prefix => Bound::Excluded(Key::new(scope, after)),
        _ => Bound::Included(Key::new(scope, prefix)),
    }
}

/// The first key behind all of a scope whose names begin with `prefix`.
fn after_all(scope: &Scope, prefix: &str) -> Key {
    let mut name = prefix.to_owned();
    while let Some(last) = name.pop() {
        // The next character in code point order, which is the order of UTF-8. The gap is that of the
        // surrogates.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            name.push(next);
            return Key::new(scope, name);
        }
    }
    // No region's name stands between another and itself with a zero character behind it.
    let region = Region::new(&format!("{}\0", scope.region));
    Key::new(&Scope { account: scope.account, region }, "")
}

fn load<T: Document>(catalog: &Catalog) -> Result<BTreeMap<Key, Stored<T>>, StorageError> {
    let failed = |source| StorageError::sqlite("read", source);
    catalog.inner.readers.with(|connection| {
        let mut statement = connection
            .prepare(
                "SELECT account, region, name, version, body FROM documents
                 WHERE kind = ?1 ORDER BY account, region, name",
            )
            .map_err(failed)?;
        let mut rows = statement.query([T::KIND]).map_err(failed)?;
        let mut documents = Vec::new();
        let mut scope = Scope::default();
        while let Some(row) = rows.next().map_err(failed)? {
            let corrupt = |name: &str, reason: String| StorageError::Corrupt {
                place: format!("catalog.db: {} `{name}`", T::KIND),
                reason,
            };
            let account: u64 = row.get(0).map_err(failed)?;
            let region = row.get_ref(1).map_err(failed)?.as_str().map_err(|source| failed(source.into()))?;
            let name: String = row.get(2).map_err(failed)?;
            // Rows of a scope follow each other: they share one copy of the region's name.
            if scope.account.as_u64() != account || scope.region.as_str() != region {
                let account = AccountId::from_u64(account)
                    .ok_or_else(|| corrupt(&name, format!("{account} is not an account")))?;
                scope = Scope { account, region: Region::new(region) };
            }
            let version = row.get(3).map_err(failed)?;
            let body = row.get_ref(4).map_err(failed)?.as_str().map_err(|source| failed(source.into()))?;
            let value = serde_json::from_str(body).map_err(|error| corrupt(&name, error.to_string()))?;
            documents.push((Key { scope: scope.clone(), name }, Stored { version, value: Arc::new(value) }));
        }
        Ok(documents.into_iter().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_next_text_that_does_not_begin_with_it() {
        let scope = Scope::default();
        for (prefix, end) in [("a", "b"), ("a\u{10ffff}", "b"), ("x\u{d7ff}", "x\u{e000}"), ("g\0", "g\u{1}")]
        {
            assert_eq!(after_all(&scope, prefix), Key::new(&scope, end), "{prefix:?}");
        }
        for prefix in ["", "\u{10ffff}"] {
            assert_eq!(after_all(&scope, prefix).scope.region.as_str(), "us-east-1\0", "{prefix:?}");
        }
    }
}

//! Stored configuration: the documents of one type, with all that is needed to change them.

use std::sync::Arc;

use groundwatch_core::{Scope, Tags};
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key, StorageError};
use tokio::sync::Mutex;

use crate::error::LogsError;

/// A document with tags.
pub(crate) trait HasTags: Document + Clone {
    /// Its tags.
    fn tags(&self) -> &Tags;
    /// It with other tags.
    fn with_tags(&self, tags: Tags) -> Self;
}

/// Implements [`HasTags`] for documents with a field `tags`.
macro_rules! has_tags {
    ($($document:ty),+) => {
        $(impl $crate::shelf::HasTags for $document {
            fn tags(&self) -> &groundwatch_core::Tags {
                &self.tags
            }

            fn with_tags(&self, tags: groundwatch_core::Tags) -> Self {
                Self { tags, ..self.clone() }
            }
        })+
    };
}
pub(crate) use has_tags;

/// The documents of one type. Changes are made one after the other, so that what a change was checked against
/// still holds when it is written; reads wait for nobody. Cheap to clone.
pub(crate) struct Shelf<T> {
    catalog: Catalog,
    documents: Documents<T>,
    writing: Arc<Mutex<()>>,
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self {
            catalog: self.catalog.clone(),
            documents: self.documents.clone(),
            writing: Arc::clone(&self.writing),
        }
    }
}

impl<T: Document + Clone> Shelf<T> {
    /// Loads the documents.
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self { catalog: catalog.clone(), documents: Documents::open(catalog)?, writing: Arc::default() })
    }

    /// The document of that name.
    pub(crate) fn get(&self, scope: &Scope, name: &str) -> Option<Arc<T>> {
        self.documents.get(&Key::new(scope, name))
    }

    /// Up to `limit` documents whose names begin with `prefix` and come after `after`, by name.
    pub(crate) fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Arc<T>)> {
        self.documents.list(scope, prefix, after, limit)
    }

    /// Every document.
    pub(crate) fn all(&self) -> Vec<(Key, Arc<T>)> {
        self.documents.all()
    }

    /// Writes what `change` makes of the document of that name, or of there being none.
    pub(crate) async fn change(
        &self,
        scope: &Scope,
        name: &str,
        change: impl FnOnce(Option<&T>) -> Result<T, LogsError> + Send,
    ) -> Result<T, LogsError> {
        let _turn = self.writing.lock().await;
        let changed = change(self.get(scope, name).as_deref())?;
        let mut batch = Batch::new();
        self.documents.put(&mut batch, Key::new(scope, name), changed.clone(), Expect::Any);
        self.catalog.commit(batch).await?;
        Ok(changed)
    }

    /// Removes the document of that name, if `allow` does not object to it, and tells whether there was one.
    pub(crate) async fn remove(
        &self,
        scope: &Scope,
        name: &str,
        allow: impl FnOnce(&T) -> Result<(), LogsError> + Send,
    ) -> Result<bool, LogsError> {
        let _turn = self.writing.lock().await;
        let Some(document) = self.get(scope, name) else { return Ok(false) };
        allow(&document)?;
        let mut batch = Batch::new();
        self.documents.remove(&mut batch, Key::new(scope, name), Expect::Any);
        self.catalog.commit(batch).await?;
        Ok(true)
    }

    /// Removes the documents that `unwanted` says yes to, such as those of a group that is gone.
    pub(crate) async fn remove_all(
        &self,
        unwanted: impl Fn(&Key, &T) -> bool + Send,
    ) -> Result<(), StorageError> {
        let _turn = self.writing.lock().await;
        let mut batch = Batch::new();
        for (key, document) in self.documents.all() {
            if unwanted(&key, &document) {
                self.documents.remove(&mut batch, key, Expect::Any);
            }
        }
        self.catalog.commit(batch).await
    }
}

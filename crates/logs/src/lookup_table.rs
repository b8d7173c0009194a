//! Lookup tables: CSV that queries join with. The catalog keeps what is known of a table, a segment its text.

use std::sync::Arc;

use bytes::Bytes;
use groundwatch_core::{Scope, TagChange, Tags, Timestamp};
use groundwatch_storage::{
    Batch, Catalog, Document, Documents, Expect, Key, SegmentId, SegmentMeta, SegmentObject, Segments,
    Storage, StorageError,
};
use serde::{Deserialize, Serialize};

use crate::error::LogsError;
use crate::store::StoreError;

/// How many tables an account has in a region. Ours: AWS tells no number.
pub(crate) const TABLES_MAX: usize = 100;
/// The largest text of a table, in bytes. Source: CloudWatch Logs API reference, CreateLookupTable.
pub(crate) const BODY_BYTES_MAX: usize = 10 << 20;
const SEGMENT_KIND: &str = "log-lookup-tables";
const COMPRESSION_LEVEL: i32 = 3;

/// What is known of a lookup table without its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LookupTable {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows, the one of the names not counted.
    pub rows: u64,
    /// The length of its text.
    pub size_bytes: u64,
    /// When its text last changed.
    pub updated: Timestamp,
    /// Kept and shown. Groundwatch does not encrypt with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Tags by key.
    #[serde(default)]
    pub tags: Tags,
    /// Where its text is.
    segment: SegmentId,
}

impl Document for LookupTable {
    const KIND: &'static str = "log-lookup-table";
}

/// Why a lookup table is refused, or is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupTableError {
    /// There is none of that ARN.
    #[error("lookup table does not exist")]
    Missing,
    /// There is one of that name already.
    #[error("lookup table exists already")]
    Exists,
    /// The account has as many as it can have.
    #[error("an account has at most {TABLES_MAX} lookup tables")]
    TooMany,
    /// Neither a text nor a query, or both.
    #[error("a lookup table is made of either a text or a query")]
    BodyOrQuery,
    /// The text is longer than it can be.
    #[error("the text has {size_bytes} bytes and may have {BODY_BYTES_MAX}")]
    TooLarge {
        /// Its length.
        size_bytes: usize,
    },
    /// The text is not CSV with a row of names.
    #[error("the text is not CSV: {reason}")]
    Csv {
        /// What is wrong, and where.
        reason: String,
    },
}

/// What a CSV text holds.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    columns: Vec<String>,
    rows: u64,
}

/// Reads a CSV text: a row of different names, then rows of as many values.
fn shape(body: &str) -> Result<Shape, LookupTableError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(LookupTableError::TooLarge { size_bytes: body.len() });
    }
    let wrong = |reason: String| LookupTableError::Csv { reason };
    let mut reader = csv::Reader::from_reader(body.as_bytes());
    let columns: Vec<String> =
        reader.headers().map_err(|error| wrong(error.to_string()))?.iter().map(str::to_owned).collect();
    if columns.is_empty() {
        return Err(wrong("the first row names no columns".into()));
    }
    for (index, column) in columns.iter().enumerate() {
        if column.trim().is_empty() {
            return Err(wrong(format!("column {} has no name", index + 1)));
        }
        if columns[..index].contains(column) {
            return Err(wrong(format!("two columns are called '{column}'")));
        }
    }
    let mut rows = 0;
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| wrong(error.to_string()))? {
        rows += 1;
    }
    Ok(Shape { columns, rows })
}

/// What a request says of a table besides its name.
pub(crate) struct Content {
    /// The CSV text.
    pub body: String,
    /// What it is for.
    pub description: Option<String>,
    /// See [`LookupTable::kms_key_id`].
    pub kms_key_id: Option<String>,
    /// When this was said.
    pub now: Timestamp,
}

/// All lookup tables. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LookupTables {
    catalog: Catalog,
    segments: Segments,
    documents: Documents<LookupTable>,
}

impl LookupTables {
    pub(crate) fn open(storage: &Storage) -> Result<Self, StorageError> {
        let (catalog, segments) = (storage.catalog.clone(), storage.segments.clone());
        Ok(Self { documents: Documents::open(&catalog)?, catalog, segments })
    }

    /// Tables of a scope by name, whose names begin with `prefix`.
    pub(crate) fn list(&self, scope: &Scope, prefix: &str) -> Vec<(String, Arc<LookupTable>)> {
        self.documents.list(scope, prefix, None, TABLES_MAX)
    }

    /// The table of that name.
    pub(crate) fn get(&self, scope: &Scope, name: &str) -> Result<Arc<LookupTable>, LogsError> {
        self.documents.get(&Key::new(scope, name)).ok_or(LookupTableError::Missing.into())
    }

    /// The text of a table.
    pub(crate) async fn body(&self, scope: &Scope, name: &str) -> Result<String, LogsError> {
        let table = self.get(scope, name)?;
        let segment = self.segments.list(SEGMENT_KIND).into_iter().find(|meta| *meta.id() == table.segment);
        // The table was replaced or deleted since.
        let segment = segment.ok_or(LookupTableError::Missing)?;
        let compressed = self.segments.read(&segment).await?;
        let text = zstd::bulk::decompress(&compressed, BODY_BYTES_MAX).map_err(StoreError::internal)?;
        Ok(String::from_utf8(text).map_err(StoreError::internal)?)
    }

    /// Adds a table.
    pub(crate) async fn create(
        &self,
        scope: &Scope,
        name: &str,
        content: Content,
        tags: Tags,
    ) -> Result<(), LogsError> {
        let shape = shape(&content.body)?;
        if self.documents.get(&Key::new(scope, name)).is_some() {
            return Err(LookupTableError::Exists.into());
        }
        if self.list(scope, "").len() >= TABLES_MAX {
            return Err(LookupTableError::TooMany.into());
        }
        let mut batch = Batch::new();
        let (table, written) = self.written(&mut batch, scope, content, shape, tags).await?;
        self.documents.put(&mut batch, Key::new(scope, name), table, Expect::Absent);
        self.commit(batch, written).await.map_err(|error| match error {
            StorageError::Conflict { .. } => LookupTableError::Exists.into(),
            error => error.into(),
        })
    }

    /// Replaces a table's text, and what else `content` says anew.
    pub(crate) async fn update(&self, scope: &Scope, name: &str, content: Content) -> Result<(), LogsError> {
        let shape = shape(&content.body)?;
        let key = Key::new(scope, name);
        let (version, known) = self.documents.get_versioned(&key).ok_or(LookupTableError::Missing)?;
        let content = Content {
            description: content.description.or_else(|| known.description.clone()),
            // AWS's reference: an empty key takes the key away.
            kms_key_id: match content.kms_key_id {
                Some(key) => Some(key).filter(|key| !key.is_empty()),
                None => known.kms_key_id.clone(),
            },
            ..content
        };
        let mut batch = Batch::new();
        let (table, written) = self.written(&mut batch, scope, content, shape, known.tags.clone()).await?;
        self.segments.unregister(&mut batch, &known.segment);
        self.documents.put(&mut batch, key, table, Expect::Version(version));
        Ok(self.commit(batch, written).await?)
    }

    /// Changes a table's tags.
    pub(crate) async fn change_tags(
        &self,
        scope: &Scope,
        name: &str,
        change: &TagChange,
    ) -> Result<(), LogsError> {
        let key = Key::new(scope, name);
        let (version, known) = self.documents.get_versioned(&key).ok_or(LookupTableError::Missing)?;
        let changed = LookupTable { tags: known.tags.changed(change)?, ..(*known).clone() };
        let mut batch = Batch::new();
        self.documents.put(&mut batch, key, changed, Expect::Version(version));
        Ok(self.catalog.commit(batch).await?)
    }

    /// Removes a table.
    pub(crate) async fn delete(&self, scope: &Scope, name: &str) -> Result<(), LogsError> {
        let key = Key::new(scope, name);
        let (version, known) = self.documents.get_versioned(&key).ok_or(LookupTableError::Missing)?;
        let mut batch = Batch::new();
        self.segments.unregister(&mut batch, &known.segment);
        self.documents.remove(&mut batch, key, Expect::Version(version));
        Ok(self.catalog.commit(batch).await?)
    }

    /// Commits a batch that registers `written`.
    async fn commit(&self, batch: Batch, written: SegmentObject) -> Result<(), StorageError> {
        let committed = self.catalog.commit(batch).await;
        if let Err(error) = &committed {
            self.segments.discard_after(error, vec![written]).await;
        }
        committed
    }

    /// Writes the text, and adds its registration to `batch`.
    async fn written(
        &self,
        batch: &mut Batch,
        scope: &Scope,
        content: Content,
        shape: Shape,
        tags: Tags,
    ) -> Result<(LookupTable, SegmentObject), LogsError> {
        let Content { body, description, kms_key_id, now } = content;
        let compressed =
            zstd::bulk::compress(body.as_bytes(), COMPRESSION_LEVEL).map_err(StoreError::internal)?;
        let object = self.segments.write(SEGMENT_KIND, Bytes::from(compressed)).await?;
        let (segment, written) = (object.id.clone(), object.clone());
        let Shape { columns, rows } = shape;
        let size_bytes = body.len() as u64;
        self.segments.register(
            batch,
            SegmentMeta {
                object,
                scope: Some(scope.clone()),
                from: now,
                to: now,
                rows,
                bytes: size_bytes,
                extra: serde_json::Value::Null,
            },
        );
        let table =
            LookupTable { description, columns, rows, size_bytes, updated: now, kms_key_id, tags, segment };
        Ok((table, written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, columns: &[&str], rows: u64) {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        assert_eq!(shape(body), Ok(Shape { columns, rows }), "{body}");
    }

    #[test]
    fn a_table_has_a_row_of_names_and_rows_of_values() {
        check("id,name\n1,a\n2,b\n", &["id", "name"], 2);
        check("id,name\r\n1,\"a,\r\nb\"", &["id", "name"], 1);
        check("id\n", &["id"], 0);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for body in ["", "\n", "a,a\n", "a,\n", "a,b\n1\n", "a\n1,2\n"] {
            assert!(matches!(shape(body), Err(LookupTableError::Csv { .. })), "{body:?}");
        }
        let large = format!("a\n{}", "x".repeat(BODY_BYTES_MAX));
        assert!(matches!(shape(&large), Err(LookupTableError::TooLarge { .. })));
    }
}

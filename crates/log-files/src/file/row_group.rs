//! A row group that is encoded: just made, or taken over from another file as it is.
//!
//! A file's columns are known only when its last row group is, yet a row group is encoded as soon as it is
//! full: with the columns that it has itself. [`assembled`] puts row groups into one file, where what one of
//! them lacks is nothing in all of its rows. No value is decoded for that; bytes are copied.

use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArrayType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use super::chunk::{self, Contexts};
use super::columns::{self, Column, place};
use super::reader::PartOfFile;
use super::{FIXED_COLUMNS, WriteError};

/// The bytes of a row group with their metadata.
#[derive(Debug)]
pub(super) struct EncodedRowGroup {
    bytes: PartOfFile,
    /// Of the file that the bytes are from.
    metadata: Arc<ParquetMetaData>,
    /// Which row group of that file it is.
    number: usize,
}

impl EncodedRowGroup {
    /// Encodes the columns of `rows` rows: the fixed ones, then those of `slots`.
    pub(super) fn encode(
        columns: Vec<Column>,
        slots: &[String],
        rows: usize,
        level: i32,
    ) -> Result<Self, WriteError> {
        let mut writer = file_writer(slots, 0)?;
        let descriptions = writer.schema_descr().columns().to_vec();
        let mut contexts = Contexts::default();
        let mut row_group = writer.next_row_group()?;
        for ((number, column), descr) in columns.into_iter().enumerate().zip(descriptions) {
            let has_bounds = matches!(number, place::TIMESTAMP | place::LOG_GROUP);
            let (bytes, encoded) = chunk::encode(&column, descr, rows, level, has_bounds, &mut contexts)?;
            row_group.append_column(&bytes, encoded)?;
        }
        row_group.close()?;
        let metadata = Arc::new(writer.finish()?);
        let bytes = Bytes::from(std::mem::take(writer.inner_mut()));
        Ok(Self { bytes: PartOfFile::whole(bytes), metadata, number: 0 })
    }

    /// Row group `number` of the file that has this metadata.
    pub(super) fn of_file(bytes: PartOfFile, metadata: Arc<ParquetMetaData>, number: usize) -> Self {
        Self { bytes, metadata, number }
    }

    /// How many bytes it takes, and maybe more.
    pub(super) fn encoded_len(&self) -> usize {
        self.bytes.bytes_len()
    }

    /// The names of its columns of slots.
    pub(super) fn slots(&self) -> impl Iterator<Item = &str> {
        let columns = self.metadata.row_group(self.number).columns().iter().skip(FIXED_COLUMNS.len());
        columns.map(|column| column.column_descr().name())
    }

    /// Adds it to a file that has the fixed columns, and then these.
    fn append_to(
        &self,
        writer: &mut SerializedFileWriter<Vec<u8>>,
        slots: &[String],
    ) -> Result<(), ParquetError> {
        let own: HashMap<&str, usize> = self.slots().zip(FIXED_COLUMNS.len()..).collect();
        let mut row_group = writer.next_row_group()?;
        let fixed = (0..FIXED_COLUMNS.len()).map(Some);
        let mut nothing = Vec::new();
        for column in fixed.chain(slots.iter().map(|slot| own.get(slot.as_str()).copied())) {
            match column {
                Some(column) => self.append_column(&mut row_group, column)?,
                None => {
                    nothing.resize(self.metadata.row_group(self.number).num_rows() as usize, 0);
                    append_nothing(&mut row_group, &nothing)?;
                }
            }
        }
        row_group.close()?;
        Ok(())
    }

    fn append_column(
        &self,
        row_group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        column: usize,
    ) -> Result<(), ParquetError> {
        let known = self.metadata.row_group(self.number);
        let pages =
            self.metadata.offset_index().and_then(|index| index.get(self.number)?.get(column).cloned());
        let metadata = known.column(column).clone();
        let encoded = ColumnCloseResult {
            bytes_written: metadata.compressed_size() as u64,
            rows_written: known.num_rows() as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: pages,
        };
        row_group.append_column(&self.bytes, encoded)
    }
}

/// Adds a column that has nothing in every row; `levels` is a zero a row.
fn append_nothing(
    row_group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    levels: &[i16],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("a row group has fewer columns than its file".to_owned());
    let mut column = row_group.next_column()?.ok_or_else(missing)?;
    column.typed::<ByteArrayType>().write_batch(&[], Some(levels), None)?;
    column.close()
}

/// A file of these row groups, to which more can be written before it is closed.
pub(super) fn assembled(
    row_groups: Vec<EncodedRowGroup>,
    slots: &[String],
) -> Result<SerializedFileWriter<Vec<u8>>, WriteError> {
    let mut writer = file_writer(slots, row_groups.iter().map(EncodedRowGroup::encoded_len).sum())?;
    for row_group in row_groups {
        row_group.append_to(&mut writer, slots)?;
    }
    Ok(writer)
}

/// A file with the fixed columns, and then these, that takes about so many bytes.
fn file_writer(slots: &[String], bytes: usize) -> Result<SerializedFileWriter<Vec<u8>>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_created_by("groundwatch".to_owned())
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_enabled(false);
    SerializedFileWriter::new(
        Vec::with_capacity(bytes),
        columns::schema(slots)?,
        Arc::new(properties.build()),
    )
}

//! The columns of a file, as Arrow and Parquet have them.

use std::sync::Arc;

use arrow_array::types::{Int32Type, TimestampMillisecondType};
use arrow_array::{
    ArrayRef, DictionaryArray, Int32Array, PrimitiveArray, RecordBatch, StringArray, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use hashbrown::HashMap;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

use super::WriteError;
use super::rows::Rows;
use super::units::unit_rows;
use crate::address::StreamAddress;
use crate::shape::{Kind, Manner};

/// The columns that every file has, in their order; those of slots follow.
pub(crate) const FIXED_COLUMNS: [&str; 10] = [
    "account",
    "region",
    "log_group",
    "log_stream",
    "timestamp",
    "ingestion_time",
    "sequence",
    "position",
    "message",
    "shape",
];

/// Where columns are among [`FIXED_COLUMNS`].
pub(crate) mod place {
    pub(crate) const LOG_STREAM: usize = 3;
    pub(crate) const TIMESTAMP: usize = 4;
    pub(crate) const INGESTION_TIME: usize = 5;
    pub(crate) const SEQUENCE: usize = 6;
    pub(crate) const POSITION: usize = 7;
    pub(crate) const MESSAGE: usize = 8;
    pub(crate) const SHAPE: usize = 9;
}

/// No page reaches this: a unit has less.
const PAGE_BYTES_MAX: usize = 256 << 20;

/// The schema of a file with these columns of slots.
pub(super) fn schema(slots: &[String]) -> Arc<Schema> {
    let names = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let types = [
        (names.clone(), false),
        (names.clone(), false),
        (names.clone(), false),
        (names.clone(), false),
        (time.clone(), false),
        (time, false),
        (DataType::UInt64, false),
        (DataType::Int32, false),
        (DataType::Utf8, true),
        (names, true),
    ];
    let fixed =
        FIXED_COLUMNS.iter().zip(types).map(|(name, (kind, nullable))| Field::new(*name, kind, nullable));
    let slots = slots.iter().map(|slot| Field::new(slot, DataType::Utf8, true));
    Arc::new(Schema::new(fixed.chain(slots).collect::<Vec<_>>()))
}

/// More than a row group has: a column is not encoded in two ways.
const DICTIONARY_BYTES_MAX: usize = 64 << 20;

/// What all writers have in common.
pub(super) fn common_properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by("groundwatch".to_owned())
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::None)
}

/// How a row group of so many rows is written with these columns of slots.
pub(super) fn properties(
    level: i32,
    rows: usize,
    slots: &[String],
    manners: &[Manner],
) -> Result<WriterProperties, ParquetError> {
    let by_delta = |properties: WriterPropertiesBuilder, column: &str, encoding| {
        let path = ColumnPath::from(column);
        properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
    };
    let mut properties = common_properties()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level)?))
        // A page for each unit, and none besides.
        .set_write_batch_size(unit_rows(rows))
        .set_data_page_row_count_limit(unit_rows(rows))
        .set_data_page_size_limit(PAGE_BYTES_MAX)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX);
    properties = by_delta(properties, "timestamp", Encoding::DELTA_BINARY_PACKED);
    properties = by_delta(properties, "position", Encoding::DELTA_BINARY_PACKED);
    properties = by_delta(properties, "message", Encoding::DELTA_LENGTH_BYTE_ARRAY);
    properties = properties
        .set_column_statistics_enabled(ColumnPath::from("timestamp"), EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("log_group"), EnabledStatistics::Chunk);
    for (name, manner) in slots.iter().zip(manners) {
        let path = ColumnPath::new(vec![name.clone()]);
        let level = ZstdLevel::try_new(manner.level)?;
        properties = properties.set_column_compression(path.clone(), Compression::ZSTD(level));
        let encoding = match manner.kind {
            Kind::Repeating => continue,
            Kind::Continuing => Encoding::DELTA_BYTE_ARRAY,
            Kind::Varying => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        };
        properties =
            properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
    }
    Ok(properties.build())
}

/// The columns that do not depend on messages, of `rows` in this order.
pub(super) fn fixed(
    rows: &Rows,
    order: &[u32],
    streams: &[Arc<StreamAddress>],
) -> Result<Vec<ArrayRef>, WriteError> {
    let stream_of = |row: &u32| rows.streams[*row as usize];
    let key_of = |row: &u32| rows.keys[*row as usize];
    let label = |text: &dyn Fn(&StreamAddress) -> String| -> Result<ArrayRef, WriteError> {
        let mut values: Vec<String> = Vec::new();
        let mut known: HashMap<String, i32> = HashMap::new();
        let mut of_stream: HashMap<u32, i32> = HashMap::new();
        let (mut last, mut keys) = (None, Vec::with_capacity(order.len()));
        for stream in order.iter().map(stream_of) {
            let key = match last {
                Some((last, key)) if last == stream => key,
                _ => *of_stream.entry(stream).or_insert_with(|| {
                    let value = text(&streams[stream as usize]);
                    *known.entry(value).or_insert_with_key(|value| {
                        values.push(value.clone());
                        values.len() as i32 - 1
                    })
                }),
            };
            last = Some((stream, key));
            keys.push(key);
        }
        let values = Arc::new(StringArray::from(values));
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), values)?))
    };
    let times = |millis: Vec<i64>| -> ArrayRef {
        Arc::new(PrimitiveArray::<TimestampMillisecondType>::from(millis).with_timezone("UTC"))
    };
    Ok(vec![
        label(&|address| address.scope.account.to_string())?,
        label(&|address| address.scope.region.to_string())?,
        label(&|address| address.group.clone())?,
        label(&|address| address.stream.clone())?,
        times(order.iter().map(|row| key_of(row).timestamp.as_millis()).collect()),
        times(order.iter().map(|row| rows.ingested_ms[*row as usize]).collect()),
        Arc::new(UInt64Array::from_iter_values(order.iter().map(|row| key_of(row).sequence))),
        Arc::new(Int32Array::from_iter_values(order.iter().map(|row| key_of(row).index as i32))),
    ])
}

/// A column of texts in the making: a text or nothing in each row.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    ends: Vec<i32>,
    bytes: Vec<u8>,
    /// The runs of rows that have a text.
    present: Vec<(usize, usize)>,
}

impl TextColumn {
    /// Rows up to `row` that are not there yet have nothing.
    pub(super) fn skip_to(&mut self, row: usize) {
        self.ends.resize(row, self.bytes.len() as i32);
    }

    /// Adds texts, one after the other, with the end of each.
    pub(super) fn extend(&mut self, ends: &[u32], bytes: Vec<u8>) {
        let (start, offset) = (self.ends.len(), self.bytes.len() as i32);
        self.ends.extend(ends.iter().map(|end| offset + *end as i32));
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.extend(bytes);
        }
        self.present.push((start, self.ends.len()));
    }

    /// The column, with `rows` rows.
    pub(super) fn finish(mut self, rows: usize) -> Result<ArrayRef, WriteError> {
        self.skip_to(rows);
        let mut present = vec![false; rows];
        for (start, end) in self.present {
            present[start..end].fill(true);
        }
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        offsets.extend_from_slice(&self.ends);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let nulls = Some(NullBuffer::from(present)).filter(|nulls| nulls.null_count() > 0);
        Ok(Arc::new(StringArray::try_new(offsets, self.bytes.into(), nulls)?))
    }
}

/// A column of shapes without any.
pub(super) fn no_shapes(rows: usize) -> Result<ArrayRef, WriteError> {
    shapes(&[], Int32Array::new_null(rows))
}

/// The column of shapes.
pub(super) fn shapes(texts: &[&str], keys: Int32Array) -> Result<ArrayRef, WriteError> {
    let texts = Arc::new(StringArray::from(texts.to_vec()));
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, texts)?))
}

/// The columns together.
pub(super) fn batch(schema: &Arc<Schema>, columns: Vec<ArrayRef>) -> Result<RecordBatch, WriteError> {
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

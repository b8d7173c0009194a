//! The columns of a file: their names and types, and what a row group has in them before it is encoded.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};

use super::rows::Rows;
use crate::address::StreamAddress;
use crate::shape::Manner;

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
    pub(crate) const LOG_GROUP: usize = 2;
    pub(crate) const LOG_STREAM: usize = 3;
    pub(crate) const TIMESTAMP: usize = 4;
    pub(crate) const INGESTION_TIME: usize = 5;
    pub(crate) const SEQUENCE: usize = 6;
    pub(crate) const POSITION: usize = 7;
    pub(crate) const MESSAGE: usize = 8;
    pub(crate) const SHAPE: usize = 9;
}

/// The schema of a file with these columns of slots.
pub(super) fn schema(slots: &[String]) -> Result<TypePtr, ParquetError> {
    let fixed = FIXED_COLUMNS.iter().enumerate().map(|(place, name)| {
        let time = || LogicalType::timestamp(true, TimeUnit::MILLIS);
        let (physical, logical) = match place {
            place::TIMESTAMP | place::INGESTION_TIME => (PhysicalType::INT64, Some(time())),
            place::SEQUENCE => (PhysicalType::INT64, Some(LogicalType::integer(64, false))),
            place::POSITION => (PhysicalType::INT32, None),
            _ => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let is_optional = matches!(place, place::MESSAGE | place::SHAPE);
        column(name, physical, logical, is_optional)
    });
    let slots =
        slots.iter().map(|slot| column(slot, PhysicalType::BYTE_ARRAY, Some(LogicalType::String), true));
    let fields = fixed.chain(slots).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("log_events").with_fields(fields).build()?))
}

fn column(
    name: &str,
    physical: PhysicalType,
    logical: Option<LogicalType>,
    is_optional: bool,
) -> Result<TypePtr, ParquetError> {
    let repetition = if is_optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let column = Type::primitive_type_builder(name, physical).with_logical_type(logical);
    Ok(Arc::new(column.with_repetition(repetition).build()?))
}

/// What a row group has in one column.
#[derive(Debug)]
pub(super) enum Column {
    /// Few texts, and which of them each row has. Rows behind those have nothing.
    Named { texts: Vec<String>, keys: Vec<u32> },
    /// Numbers that are kept by their differences.
    Running(Vec<i64>),
    /// Numbers of which many are the same.
    Recurring(Vec<i64>),
    /// Texts, and how they are encoded.
    Texts(TextColumn, Manner),
}

/// The columns that do not depend on messages, of `rows` in this order.
pub(super) fn fixed(rows: &Rows, order: &[u32], streams: &[Arc<StreamAddress>]) -> Vec<Column> {
    let stream_of = |row: &u32| rows.streams[*row as usize];
    let key_of = |row: &u32| rows.keys[*row as usize];
    let label = |text: &dyn Fn(&StreamAddress) -> String| {
        let mut texts: Vec<String> = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut of_stream: HashMap<u32, u32> = HashMap::new();
        let (mut last, mut keys) = (None, Vec::with_capacity(order.len()));
        for stream in order.iter().map(stream_of) {
            let key = match last {
                Some((last, key)) if last == stream => key,
                _ => *of_stream.entry(stream).or_insert_with(|| {
                    let value = text(&streams[stream as usize]);
                    *known.entry(value).or_insert_with_key(|value| {
                        texts.push(value.clone());
                        texts.len() as u32 - 1
                    })
                }),
            };
            last = Some((stream, key));
            keys.push(key);
        }
        Column::Named { texts, keys }
    };
    vec![
        label(&|address| address.scope.account.to_string()),
        label(&|address| address.scope.region.to_string()),
        label(&|address| address.group.clone()),
        label(&|address| address.stream.clone()),
        Column::Running(order.iter().map(|row| key_of(row).timestamp.as_millis()).collect()),
        Column::Recurring(order.iter().map(|row| rows.ingested_ms[*row as usize]).collect()),
        Column::Recurring(order.iter().map(|row| key_of(row).sequence as i64).collect()),
        Column::Running(order.iter().map(|row| (key_of(row).index as i32).into()).collect()),
    ]
}

/// A column of texts: a text or nothing in each row.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    /// Where each row's ends; nothing takes nothing.
    ends: Vec<u32>,
    bytes: Vec<u8>,
    /// The runs of rows that have a text.
    present: Vec<Range<usize>>,
}

impl TextColumn {
    /// Rows up to `row` that are not there yet have nothing.
    pub(super) fn skip_to(&mut self, row: usize) {
        self.ends.resize(row, self.bytes.len() as u32);
    }

    /// Adds texts, one after the other, with the end of each.
    pub(super) fn extend(&mut self, ends: &[u32], bytes: Vec<u8>) {
        let (start, offset) = (self.ends.len(), self.bytes.len() as u32);
        self.ends.extend(ends.iter().map(|end| offset + end));
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.extend(bytes);
        }
        self.present.push(start..self.ends.len());
    }

    /// Those of `rows` that have a text, in runs.
    pub(super) fn present_in(&self, rows: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let within = |run: &Range<usize>| run.start.max(rows.start)..run.end.min(rows.end);
        self.present.iter().map(within).filter(|run| !run.is_empty())
    }

    /// What a row that is there has.
    pub(super) fn text(&self, row: usize) -> &[u8] {
        self.texts(row..row + 1)
    }

    /// What rows that are there have, end to end.
    pub(super) fn texts(&self, rows: Range<usize>) -> &[u8] {
        let end = |row: usize| row.checked_sub(1).map_or(0, |last| self.ends[last] as usize);
        &self.bytes[end(rows.start)..end(rows.end)]
    }
}

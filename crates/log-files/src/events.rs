//! The events of one part of a file, decoded step by step: who, where and when first, what they say when it is asked for.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use arrow_array::{DictionaryArray, RecordBatch, StringArray};
use arrow_buffer::ScalarBuffer;
use bytes::Bytes;
use groundwatch_core::Timestamp;

use crate::address::StreamAddress;
use crate::event_key::EventKey;
use crate::file::columns::{place, typed};
use crate::file::{LogFile, MalformedFile, Part};
use crate::shape::Shape;

/// The events of a part. Rows are in the order of the file, which is not that of keys.
#[derive(Clone, Debug)]
pub struct Events {
    file: Arc<LogFile>,
    part: Part,
    bytes: Bytes,
    timestamps: ScalarBuffer<i64>,
    ingested: ScalarBuffer<i64>,
    sequences: ScalarBuffer<u64>,
    positions: ScalarBuffer<i32>,
    /// By number among the file's.
    streams: Vec<u32>,
}

const WRONG_COLUMNS: MalformedFile = MalformedFile("its columns are not those of log events");

impl Events {
    pub(crate) fn new(
        file: Arc<LogFile>,
        part: Part,
        bytes: Bytes,
        columns: &RecordBatch,
    ) -> Result<Self, MalformedFile> {
        let first = place::LOG_STREAM;
        let labels = typed::labels(columns, 0).ok_or(WRONG_COLUMNS)?;
        let group = file.streams_of(part.group);
        let names = labels.values().as_string::<i32>();
        let number = |name: Option<&str>| name.and_then(|name| file.stream_number(&group, name));
        let numbers: Vec<Option<u32>> = names.iter().map(number).collect();
        let of_key = |key: Option<i32>| numbers.get(key? as usize).copied().flatten();
        let streams: Option<Vec<u32>> = labels.keys().iter().map(of_key).collect();
        let streams = streams.ok_or(MalformedFile("an event is of a stream that the index does not name"))?;
        let times = |column| typed::times(columns, column - first).ok_or(WRONG_COLUMNS);
        Ok(Self {
            timestamps: times(place::TIMESTAMP)?,
            ingested: times(place::INGESTION_TIME)?,
            sequences: typed::numbers(columns, place::SEQUENCE - first).ok_or(WRONG_COLUMNS)?,
            positions: typed::positions(columns, place::POSITION - first).ok_or(WRONG_COLUMNS)?,
            streams,
            file,
            part,
            bytes,
        })
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there are none, which never is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the event in `row` stands.
    pub fn key(&self, row: usize) -> EventKey {
        EventKey {
            timestamp: Timestamp::from_millis(self.timestamps[row]),
            sequence: self.sequences[row],
            index: self.positions[row] as u32,
        }
    }

    /// When the event in `row` arrived.
    pub fn ingested(&self, row: usize) -> Timestamp {
        Timestamp::from_millis(self.ingested[row])
    }

    /// The stream of the event in `row`, as a number into [`LogFile::streams`].
    pub fn stream(&self, row: usize) -> u32 {
        self.streams[row]
    }

    /// The stream of the event in `row`.
    pub fn address(&self, row: usize) -> &Arc<StreamAddress> {
        &self.file.streams()[self.streams[row] as usize]
    }

    /// What the events say.
    pub fn messages(&self) -> Result<Messages, MalformedFile> {
        let columns = self.file.columns(&self.part, &self.bytes, |column| column >= place::MESSAGE)?;
        Messages::new(&self.file, &columns)
    }
}

/// What the events of a part say.
#[derive(Clone, Debug)]
pub struct Messages {
    texts: StringArray,
    shapes: DictionaryArray<Int32Type>,
    forms: Vec<Form>,
}

/// A shape with its columns: a text, then a column's value, then a text, and so on.
#[derive(Clone, Debug)]
struct Form {
    shape: Shape,
    columns: Vec<StringArray>,
}

impl Messages {
    fn new(file: &LogFile, columns: &RecordBatch) -> Result<Self, MalformedFile> {
        let texts = typed::texts(columns, 0).ok_or(WRONG_COLUMNS)?;
        let shapes = typed::labels(columns, place::SHAPE - place::MESSAGE).ok_or(WRONG_COLUMNS)?;
        let form = |shape: Option<&str>| -> Option<Form> {
            let shape = Shape::parse(shape?.to_owned())?;
            let column = |slot: &str| typed::texts(columns, file.column(slot)?.checked_sub(place::MESSAGE)?);
            let slots: Option<Vec<StringArray>> = shape.slots().map(column).collect();
            Some(Form { columns: slots?, shape })
        };
        let forms: Option<Vec<Form>> = shapes.values().as_string::<i32>().iter().map(form).collect();
        let forms = forms.ok_or(MalformedFile("it has a shape that does not fit its columns"))?;
        Ok(Self { texts, shapes, forms })
    }

    /// Appends what the event in `row` says.
    pub fn append(&self, row: usize, message: &mut Vec<u8>) {
        let form = self.shapes.key(row).and_then(|form| self.forms.get(form));
        let Some(form) = form else {
            message.extend_from_slice(self.texts.value(row).as_bytes());
            return;
        };
        let mut literals = form.shape.literals();
        message.extend_from_slice(literals.next().unwrap_or_default().as_bytes());
        for (column, literal) in form.columns.iter().zip(literals) {
            message.extend_from_slice(column.value(row).as_bytes());
            message.extend_from_slice(literal.as_bytes());
        }
    }
}

//! The columns of a row group whose messages are kept by shape.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Int32Array};
use hashbrown::HashMap;

use super::WriteError;
use super::columns::{self, Manner, TextColumn};
use super::row_group::EncodedRowGroup;
use super::rows::Rows;
use crate::address::StreamAddress;
use crate::shape::{Columns, Recurrence, Sorted, Sorter, Texts};
use crate::token_collector::KnownTokens;

/// Columns of slots gain little beyond this level of zstd.
const LEVEL: i32 = 1;
/// How many values of a slot tell whether they continue each other.
const SAMPLE: usize = 256;
/// What the number of a value in a dictionary takes, about.
const NUMBER_BYTES: f64 = 1.75;

/// Sorts `rows` by shape and stream, and encodes them. Their slots find a place among `columns` of the file.
pub(super) fn encode(
    rows: &Rows,
    streams: &[Arc<StreamAddress>],
    columns: &mut Columns,
) -> Result<(EncodedRowGroup, KnownTokens), WriteError> {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|row| rows.streams[*row as usize]);
    std::str::from_utf8(&rows.text)?;
    let mut sorter = Sorter::new((0..rows.len()).map(|row| rows.message(row)));
    for row in &order {
        sorter.push(*row, rows.message(*row as usize));
    }
    let sorted = sorter.finish(columns);
    let tokens = KnownTokens::of(&sorted, |row| rows.message(row as usize));
    let shaped = sorted.shaped.iter().flat_map(|shaped| &shaped.rows);
    order.clear();
    order.extend(shaped.chain(&sorted.plain.rows));
    let fixed = columns::fixed(rows, &order, streams)?;
    let slots = Slots::of(&sorted);
    let encoded = EncodedRowGroup::encode(
        all_columns(fixed, &sorted, &slots, rows.len())?,
        &slots.names,
        &slots.manners(&sorted),
        LEVEL,
    )?;
    Ok((encoded, tokens))
}

/// The columns of slots that a row group has.
struct Slots {
    names: Vec<String>,
    by_name: HashMap<String, usize>,
}

impl Slots {
    fn of(sorted: &Sorted) -> Self {
        let mut slots = Self { names: Vec::new(), by_name: HashMap::new() };
        for name in sorted.shaped.iter().flat_map(|shaped| shaped.shape.slots()) {
            if !slots.by_name.contains_key(name) {
                slots.by_name.insert(name.to_owned(), slots.names.len());
                slots.names.push(name.to_owned());
            }
        }
        slots
    }

    /// What the values of each column are like.
    fn manners(&self, sorted: &Sorted) -> Vec<Manner> {
        let mut samples = vec![Sample::default(); self.names.len()];
        for shaped in &sorted.shaped {
            let slots = shaped.slots.iter().zip(&shaped.recurrences);
            for (name, (texts, recurrence)) in shaped.shape.slots().zip(slots) {
                samples[self.by_name[name]].add(texts, recurrence);
            }
        }
        samples.iter().map(Sample::manner).collect()
    }
}

/// What tells of the values of a column.
#[derive(Clone, Debug, Default)]
struct Sample {
    values: usize,
    bytes: usize,
    recurrence: Recurrence,
    /// Of the first ones: their bytes, and those that a value begins with as the one before it did.
    first_bytes: usize,
    same_bytes: usize,
}

impl Sample {
    fn add(&mut self, texts: &Texts, recurrence: &Recurrence) {
        self.values += texts.ends.len();
        self.bytes += texts.bytes.len();
        self.recurrence.and(recurrence);
        let first = || (0..texts.ends.len().min(SAMPLE)).map(|index| texts.get(index));
        for (last, value) in first().zip(first().skip(1)) {
            self.first_bytes += value.len();
            self.same_bytes += last.iter().zip(value).take_while(|(a, b)| a == b).count();
        }
    }

    /// A value that recurs costs its number in place of its bytes, of which compression leaves about half.
    fn manner(&self) -> Manner {
        let fresh = self.recurrence.fresh();
        let continues = self.same_bytes * 2 >= self.first_bytes;
        let saved = (1.0 - fresh) * self.bytes as f64 / 2.0;
        if fresh <= 1.0 / 3.0 || (!continues && saved > self.values as f64 * NUMBER_BYTES) {
            Manner::Repeating
        } else if continues {
            Manner::Continuing
        } else {
            Manner::Varying
        }
    }
}

/// The columns of a row group that was sorted, behind those that do not depend on messages.
fn all_columns(
    fixed: Vec<ArrayRef>,
    sorted: &Sorted,
    slots: &Slots,
    rows: usize,
) -> Result<Vec<ArrayRef>, WriteError> {
    let mut all = fixed;
    let mut texts: Vec<TextColumn> = slots.names.iter().map(|_| TextColumn::default()).collect();
    let mut keys: Vec<Option<i32>> = Vec::with_capacity(rows);
    for (number, shaped) in sorted.shaped.iter().enumerate() {
        for (name, slot) in shaped.shape.slots().zip(&shaped.slots) {
            let column = &mut texts[slots.by_name[name]];
            column.skip_to(keys.len());
            column.extend(&slot.ends, &slot.bytes);
        }
        keys.resize(keys.len() + shaped.rows.len(), Some(number as i32));
    }
    let mut messages = TextColumn::default();
    messages.skip_to(keys.len());
    messages.extend(&sorted.plain.texts.ends, &sorted.plain.texts.bytes);
    keys.resize(rows, None);
    let shapes: Vec<&str> = sorted.shaped.iter().map(|shaped| shaped.shape.as_str()).collect();
    all.push(messages.finish(rows)?);
    all.push(columns::shapes(&shapes, Int32Array::from(keys))?);
    debug_assert!(all.iter().all(|column| column.len() == rows), "every column has every row");
    for column in texts {
        all.push(column.finish(rows)?);
    }
    Ok(all)
}

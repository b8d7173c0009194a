//! The columns of a row group whose messages are kept by shape.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Int32Array};
use hashbrown::HashMap;

use super::WriteError;
use super::columns::{self, TextColumn};
use super::row_group::EncodedRowGroup;
use super::rows::Rows;
use crate::address::StreamAddress;
use crate::shape::{Columns, Manner, Shape, Sorted, Sorter};
use crate::token_collector::KnownTokens;

/// The level of zstd of what does not depend on messages.
const LEVEL: i32 = 1;

/// Sorts `rows` by shape and stream, and encodes them. Their slots find a place among `columns` of the file.
pub(super) fn encode(
    mut rows: Rows,
    streams: &[Arc<StreamAddress>],
    columns: &mut Columns,
) -> Result<(EncodedRowGroup, KnownTokens), WriteError> {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|row| rows.streams[*row as usize]);
    // There and back, so that time does not jump between streams: a jump costs all differences near it.
    let streams_in_order = order.chunk_by_mut(|a, b| rows.streams[*a as usize] == rows.streams[*b as usize]);
    streams_in_order.skip(1).step_by(2).for_each(<[u32]>::reverse);
    std::str::from_utf8(&rows.text)?;
    let mut sorter = Sorter::new((0..rows.len()).map(|row| rows.message(row)));
    for row in &order {
        sorter.push(*row, rows.message(*row as usize));
    }
    let sorted = sorter.finish(columns)?;
    let tokens = KnownTokens::of(&sorted, |row| rows.message(row as usize));
    // From here on the text is in the columns.
    rows.text = Vec::new();
    let shaped = sorted.shaped.iter().flat_map(|shaped| &shaped.rows);
    order.clear();
    order.extend(shaped.chain(&sorted.plain.rows));
    let fixed = columns::fixed(&rows, &order, streams)?;
    let slots = Slots::of(&sorted);
    let manners = slots.manners(&sorted);
    let encoded = EncodedRowGroup::encode(
        all_columns(fixed, sorted, &slots, rows.len())?,
        &slots.names,
        &manners,
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

    /// How each column is encoded: as suits the most of its values.
    fn manners(&self, sorted: &Sorted) -> Vec<Manner> {
        let mut manners = vec![(0, Manner::default()); self.names.len()];
        for shaped in &sorted.shaped {
            for (name, manner) in shaped.shape.slots().zip(&shaped.manners) {
                let known = &mut manners[self.by_name[name]];
                if known.0 < shaped.rows.len() {
                    *known = (shaped.rows.len(), *manner);
                }
            }
        }
        manners.into_iter().map(|(_, manner)| manner).collect()
    }
}

/// The columns of a row group that was sorted, behind those that do not depend on messages.
fn all_columns(
    fixed: Vec<ArrayRef>,
    sorted: Sorted,
    slots: &Slots,
    rows: usize,
) -> Result<Vec<ArrayRef>, WriteError> {
    let mut all = fixed;
    let mut texts: Vec<TextColumn> = slots.names.iter().map(|_| TextColumn::default()).collect();
    let mut keys: Vec<Option<i32>> = Vec::with_capacity(rows);
    let mut shapes: Vec<Shape> = Vec::with_capacity(sorted.shaped.len());
    for shaped in sorted.shaped {
        for (name, slot) in shaped.shape.slots().zip(shaped.slots) {
            let column = &mut texts[slots.by_name[name]];
            column.skip_to(keys.len());
            column.extend(&slot.ends, slot.bytes);
        }
        keys.resize(keys.len() + shaped.rows.len(), Some(shapes.len() as i32));
        shapes.push(shaped.shape);
    }
    let mut messages = TextColumn::default();
    messages.skip_to(keys.len());
    messages.extend(&sorted.plain.texts.ends, sorted.plain.texts.bytes);
    keys.resize(rows, None);
    let shapes: Vec<&str> = shapes.iter().map(Shape::as_str).collect();
    all.push(messages.finish(rows)?);
    all.push(columns::shapes(&shapes, Int32Array::from(keys))?);
    debug_assert!(all.iter().all(|column| column.len() == rows), "every column has every row");
    for column in texts {
        all.push(column.finish(rows)?);
    }
    Ok(all)
}

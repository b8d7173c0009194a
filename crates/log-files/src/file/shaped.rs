//! The columns of a row group whose messages are kept by shape.

use std::sync::Arc;

use hashbrown::HashMap;

use super::WriteError;
use super::columns::{self, Column, TextColumn};
use super::row_group::EncodedRowGroup;
use super::rows::Rows;
use crate::address::StreamAddress;
use crate::shape::{Columns, Manner, Sorted, Sorter};
use crate::token_collector::KnownTokens;

/// The level of zstd of what does not depend on messages.
const LEVEL: i32 = 1;

/// Sorts `rows` by shape and stream, and encodes them. Their slots find a place among `columns` of the file.
pub(super) fn encode(
    mut rows: Rows,
    streams: &[Arc<StreamAddress>],
    columns: &mut Columns,
) -> Result<(EncodedRowGroup, KnownTokens), WriteError> {
    let order = by_stream(&rows, streams.len());
    let mut sorter = Sorter::new((0..rows.len()).map(|row| rows.message(row)));
    for row in &order {
        sorter.push(*row, rows.message(*row as usize));
    }
    let sorted = sorter.finish(columns)?;
    let tokens = KnownTokens::of(&sorted, |row| rows.message(row as usize));
    // From here on the text is in the columns.
    rows.text = Vec::new();
    let shaped = sorted.shaped.iter().flat_map(|shaped| &shaped.rows);
    let order: Vec<u32> = shaped.chain(&sorted.plain.rows).copied().collect();
    let slots = Slots::of(&sorted);
    let manners = slots.manners(&sorted);
    let mut all = columns::fixed(&rows, &order, streams);
    all.extend(of_messages(sorted, &slots, &manners, rows.len()));
    Ok((EncodedRowGroup::encode(all, &slots.names, rows.len(), LEVEL)?, tokens))
}

/// The rows by stream, of which there are so many: there and back, so that time does not jump between them. A
/// jump costs all differences near it.
fn by_stream(rows: &Rows, streams: usize) -> Vec<u32> {
    let mut of_streams = vec![Vec::new(); streams];
    for (stream, row) in rows.streams.iter().zip(0_u32..) {
        of_streams[*stream as usize].push(row);
    }
    of_streams.retain(|rows| !rows.is_empty());
    of_streams.iter_mut().skip(1).step_by(2).for_each(|rows| rows.reverse());
    of_streams.concat()
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
fn of_messages(sorted: Sorted, slots: &Slots, manners: &[Manner], rows: usize) -> Vec<Column> {
    let mut texts: Vec<TextColumn> = slots.names.iter().map(|_| TextColumn::default()).collect();
    let mut shapes = Vec::with_capacity(sorted.shaped.len());
    let mut keys: Vec<u32> = Vec::with_capacity(rows);
    for shaped in sorted.shaped {
        for (name, slot) in shaped.shape.slots().zip(shaped.slots) {
            let column = &mut texts[slots.by_name[name]];
            column.skip_to(keys.len());
            column.extend(&slot.ends, slot.bytes);
        }
        keys.resize(keys.len() + shaped.rows.len(), shapes.len() as u32);
        shapes.push(shaped.shape.as_str().to_owned());
    }
    let mut messages = TextColumn::default();
    messages.skip_to(keys.len());
    messages.extend(&sorted.plain.texts.ends, sorted.plain.texts.bytes);
    let of_plain = [Column::Texts(messages, Manner::default()), Column::Named { texts: shapes, keys }];
    let of_slots = texts.into_iter().zip(manners).map(|(texts, manner)| Column::Texts(texts, *manner));
    of_plain.into_iter().chain(of_slots).collect()
}

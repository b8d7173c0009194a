//! What the events of one part of a file say: shapes and columns, of which messages are put together when
//! they are asked for.
//!
//! Rows of one shape lie together, and so do their values in each column. So a message is put together by
//! adding its place among its neighbours to where these begin. A text is [sought](Messages::candidates) in
//! the columns and not in messages: of most columns one pass over bytes, or over a small dictionary, tells
//! that no message has it. Only columns of messages that may have it are [taken apart](Messages::texts).

mod texts;
mod walk;

pub use texts::MessageTexts;
pub use walk::Automaton;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use memchr::memmem::{self, Finder};

use crate::file::columns::place;
use crate::file::texts::{Place, TextColumn};
use crate::file::{LogFile, MalformedFile, Part, PartColumns};
use crate::requirement::Requirement;
use crate::row_ranges::RowRanges;
use crate::shape::Shape;

/// What the events of a part say.
#[derive(Debug)]
pub struct Messages {
    /// Ascending; what is in none was not asked for.
    runs: Vec<Run>,
    columns: Vec<TextColumn>,
}

/// Rows of one shape that lie together, in each column in one page.
#[derive(Debug)]
struct Run {
    rows: Range<usize>,
    /// `None` for messages that are kept as text.
    shape: Option<Arc<Shape>>,
    /// Of each slot, or of the text, which of the columns has it, and where that of the first row is.
    values: Vec<(usize, Place)>,
}

/// Shorter tokens are not looked for: most rows have them.
const TOKEN_LEN_MIN: usize = 3;

const WRONG_SHAPE: MalformedFile = MalformedFile("it has a shape that does not fit its columns");

impl Messages {
    /// Those in `rows`.
    pub(crate) fn new(
        file: &LogFile,
        part: &Part,
        bytes: &Bytes,
        rows: &RowRanges,
    ) -> Result<Self, MalformedFile> {
        let mut of_part = PartColumns::open(file, part, bytes, rows)?;
        let of_shapes = shapes(&of_part.texts(place::SHAPE)?, rows)?;
        let mut messages = Self { runs: Vec::with_capacity(of_shapes.len()), columns: Vec::new() };
        let mut known: HashMap<usize, usize> = HashMap::new();
        for (rows, shape) in of_shapes {
            let names = shape.iter().flat_map(|shape| shape.slots());
            let slots = names.map(|name| file.column(name).ok_or(WRONG_SHAPE));
            let text = shape.is_none().then_some(Ok(place::MESSAGE));
            let mut columns = Vec::new();
            for column in slots.chain(text) {
                columns.push(match known.entry(column?) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        messages.columns.push(of_part.texts(*new.key())?);
                        *new.insert(messages.columns.len() - 1)
                    }
                });
            }
            messages.add_runs(rows, shape.as_ref(), &columns)?;
        }
        Ok(messages)
    }

    /// Adds rows that lie together: a run, or several where a page ends.
    fn add_runs(
        &mut self,
        rows: Range<usize>,
        shape: Option<&Arc<Shape>>,
        columns: &[usize],
    ) -> Result<(), MalformedFile> {
        let mut start = rows.start;
        while start < rows.end {
            let (mut end, mut values) = (rows.end, Vec::with_capacity(columns.len()));
            for column in columns {
                let (place, page_end) = self.columns[*column].place(start).ok_or(WRONG_SHAPE)?;
                values.push((*column, place));
                end = end.min(page_end);
            }
            self.runs.push(Run { rows: start..end, shape: shape.cloned(), values });
            start = end;
        }
        Ok(())
    }

    /// Bytes that they take in memory, about, once all of them were put together.
    pub fn memory_bytes(&self) -> usize {
        let run = |run: &Run| size_of::<Run>() + size_of_val(run.values.as_slice());
        let runs: usize = self.runs.iter().map(run).sum();
        runs + self.columns.iter().map(TextColumn::memory_bytes).sum::<usize>()
    }

    /// What those of `rows` say that were asked for.
    pub fn texts(&self, rows: &RowRanges) -> Result<MessageTexts<'_>, MalformedFile> {
        MessageTexts::new(self, rows)
    }

    /// The rows whose messages may meet all `requirements`, ascending; `None` if all may.
    pub fn candidates(&self, requirements: &[Requirement]) -> Result<Option<Vec<u32>>, MalformedFile> {
        let strictest = Requirement::strictest(requirements.iter().cloned());
        let Some(strictest) = strictest.filter(|strictest| strictest.strictness() >= TOKEN_LEN_MIN) else {
            return Ok(None);
        };
        let mut rows = vec![false; self.runs.last().map_or(0, |run| run.rows.end)];
        for token in strictest.longest_tokens() {
            self.add_rows_with(token.text(), &mut rows)?;
        }
        let numbered = rows.into_iter().zip(0..).filter(|(may, _)| *may);
        Ok(Some(numbered.map(|(_, row)| row).collect()))
    }

    /// Sets all rows whose messages may contain `token`.
    fn add_rows_with(&self, token: &[u8], rows: &mut [bool]) -> Result<(), MalformedFile> {
        let sought = Finder::new(token);
        for run in &self.runs {
            if run.shape.as_ref().is_some_and(|shape| may_hold_itself(shape, &sought)) {
                rows[run.rows.clone()].fill(true);
            }
        }
        if rows.contains(&false) {
            for column in &self.columns {
                column.rows_with(&sought, |row| rows[row] = true)?;
            }
        }
        Ok(())
    }
}

/// Whether a token may be in messages of this shape without being in one of their slots: in what they have in
/// common, or across the end of a slot.
fn may_hold_itself(shape: &Shape, sought: &Finder<'_>) -> bool {
    let (slots, token) = (shape.slots().len(), sought.needle());
    shape.literals().map(str::as_bytes).enumerate().any(|(place, literal)| {
        let (behind_a_slot, before_a_slot) = (place > 0, place < slots);
        let lengths = || 1..=literal.len().min(token.len());
        sought.find(literal).is_some()
            || (before_a_slot && lengths().any(|len| literal.ends_with(&token[..len])))
            || (behind_a_slot && lengths().any(|len| literal.starts_with(&token[token.len() - len..])))
            || (behind_a_slot && before_a_slot && memmem::find(token, literal).is_some())
    })
}

/// Rows of one shape that lie together, and that shape; `None` for messages that are kept as text.
type OfShape = (Range<usize>, Option<Arc<Shape>>);

/// Those that are asked for, from the column of shapes.
fn shapes(column: &TextColumn, rows: &RowRanges) -> Result<Vec<OfShape>, MalformedFile> {
    let mut found: Vec<OfShape> = Vec::new();
    let mut known: HashMap<&[u8], Arc<Shape>> = HashMap::new();
    let mut done = 0;
    for (shaped, first) in column.runs() {
        found.extend(rows.within(done..shaped.start).map(|rows| (rows, None)));
        done = shaped.end;
        let texts = column.page(first.page).texts()?.part(first.index..first.index + shaped.len());
        let mut start = 0;
        while start < shaped.len() {
            let same = (start..shaped.len()).take_while(|next| texts.are_same(start, *next)).count();
            let text = texts.get(start);
            let shape = match known.get(text) {
                Some(shape) => shape.clone(),
                None => {
                    let parsed = String::from_utf8(text.to_vec()).ok().and_then(Shape::parse);
                    known.entry(text).or_insert(Arc::new(parsed.ok_or(WRONG_SHAPE)?)).clone()
                }
            };
            found.push((shaped.start + start..shaped.start + start + same, Some(shape)));
            start += same;
        }
    }
    found.extend(rows.within(done..usize::MAX).map(|rows| (rows, None)));
    Ok(found)
}

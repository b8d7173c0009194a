//! What the events of one part of a file say: put together from shapes and columns, event by event, when it
//! is asked for.
//!
//! Rows of one shape lie together, and so do their values in each column. So a message is put together by
//! adding its place among its neighbours to where these begin. A text is [sought](Messages::candidates) in
//! the columns and not in messages: of most columns one pass over bytes, or over a small dictionary, tells
//! that no message has it.

mod walk;

pub use walk::Automaton;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use memchr::memmem::Finder;

use crate::file::columns::place;
use crate::file::texts::{TextColumn, Texts};
use crate::file::{LogFile, MalformedFile, Part, PartColumns};
use crate::requirement::Requirement;
use crate::row_ranges::RowRanges;
use crate::shape::Shape;
use crate::tokens::is_token;

/// What the events of a part say.
#[derive(Debug)]
pub struct Messages {
    texts: Texts,
    /// Ascending; what is in none was not asked for.
    runs: Vec<Run>,
    columns: Vec<TextColumn>,
}

/// Rows of one shape that lie together.
#[derive(Debug)]
struct Run {
    rows: Range<usize>,
    /// `None` for messages that are kept as text.
    shape: Option<Arc<Shape>>,
    /// Of each slot, or of the text, the number of the first row's span.
    spans: Vec<usize>,
    /// Of each slot, or of the text, which of the columns has it.
    columns: Vec<usize>,
    /// What the rows have in common, in bytes.
    literal_bytes: usize,
}

/// A message in the making, which is as long already as it is going to be.
struct Pieces<'m> {
    message: &'m mut [u8],
    at: usize,
}

impl Pieces<'_> {
    fn put(&mut self, from: &[u8], piece: Range<usize>) {
        let (at, len) = (self.at, piece.len());
        self.at += len;
        if len <= CHUNK
            && let Some(chunk) = from.get(piece.start..).and_then(<[u8]>::first_chunk::<CHUNK>)
            && let Some(to) = self.message.get_mut(at..).and_then(<[u8]>::first_chunk_mut)
        {
            *to = *chunk;
            return;
        }
        self.message[at..at + len].copy_from_slice(&from[piece]);
    }
}

/// Shorter tokens are not looked for: most rows have them.
const TOKEN_LEN_MIN: usize = 3;

/// Short pieces of messages are copied as if they had this many bytes, which takes no loop and no call: there
/// are dozens in each message. What is too much is overwritten by the next ones.
const CHUNK: usize = 32;

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
        let mut texts = of_part.room_for_messages();
        let shapes = of_part.texts(place::SHAPE, &mut texts)?;
        let mut runs = runs(&shapes, &texts, rows)?;
        let (mut columns, mut known): (Vec<TextColumn>, HashMap<usize, usize>) = Default::default();
        for run in &mut runs {
            let names = run.shape.iter().flat_map(|shape| shape.slots());
            let slots = names.map(|name| file.column(name).ok_or(WRONG_SHAPE));
            let text = run.shape.is_none().then_some(Ok(place::MESSAGE));
            for column in slots.chain(text) {
                let column = match known.entry(column?) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        columns.push(of_part.texts(*new.key(), &mut texts)?);
                        *new.insert(columns.len() - 1)
                    }
                };
                run.spans.push(columns[column].spans_of(&run.rows).ok_or(WRONG_SHAPE)?);
                run.columns.push(column);
            }
        }
        Ok(Self { texts, runs, columns })
    }

    /// Appends what the event in `row` says.
    pub fn append(&self, row: usize, message: &mut Vec<u8>) {
        let run = &self.runs[self.runs.partition_point(|run| run.rows.end <= row)];
        let place = row - run.rows.start;
        let Some(shape) = &run.shape else {
            message.extend_from_slice(self.texts.get(run.spans[0] + place));
            return;
        };
        let (text, literals) = shape.literal_ranges();
        let slots = run.spans.iter().map(|span| self.texts.span(span + place));
        let length = run.literal_bytes + slots.clone().map(|span| span.len()).sum::<usize>();
        let start = message.len();
        message.resize(start + length, 0);
        let mut to = Pieces { message, at: start };
        let mut slots = slots.map(|span| self.texts.place(span));
        for literal in literals {
            to.put(text, literal.clone());
            if let Some((bytes, range)) = slots.next() {
                to.put(bytes, range);
            }
        }
    }

    /// The rows whose messages may meet all `requirements`, ascending; `None` if all may.
    pub fn candidates(&self, requirements: &[Requirement]) -> Option<Vec<u32>> {
        let strictest = Requirement::strictest(requirements.iter().cloned())?;
        if strictest.strictness() < TOKEN_LEN_MIN {
            return None;
        }
        let mut rows = vec![false; self.runs.last().map_or(0, |run| run.rows.end)];
        for token in strictest.longest_tokens() {
            self.add_rows_with(token.text(), &mut rows);
        }
        let numbered = rows.into_iter().zip(0..).filter(|(may, _)| *may);
        Some(numbered.map(|(_, row)| row).collect())
    }

    /// Sets all rows whose messages may contain `token`.
    fn add_rows_with(&self, token: &[u8], rows: &mut [bool]) {
        let sought = Finder::new(token);
        for run in &self.runs {
            if run.shape.as_ref().is_some_and(|shape| may_hold_itself(shape, &sought)) {
                rows[run.rows.clone()].fill(true);
            }
        }
        if rows.contains(&false) {
            for column in &self.columns {
                column.rows_with(&self.texts, &sought, |row| rows[row] = true);
            }
        }
    }
}

/// Whether a token may be in messages of this shape without being in one of their slots: in what they have in
/// common, or across the end of a slot, which takes characters of tokens on both sides.
fn may_hold_itself(shape: &Shape, sought: &Finder<'_>) -> bool {
    let slots = shape.slots().len();
    shape.literals().map(str::as_bytes).enumerate().any(|(place, literal)| {
        let joins = |byte: Option<&u8>| byte.is_none_or(|byte| is_token(*byte));
        let behind_a_slot = place > 0 && joins(literal.first());
        let before_a_slot = place < slots && joins(literal.last());
        // At the ends of a message nothing is joined to what is empty.
        let at_an_end = literal.is_empty() && (place == 0 || place == slots);
        ((behind_a_slot || before_a_slot) && !at_an_end) || sought.find(literal).is_some()
    })
}

/// The runs of rows of one shape, from the column of shapes.
fn runs(shapes: &TextColumn, texts: &Texts, rows: &RowRanges) -> Result<Vec<Run>, MalformedFile> {
    let mut runs: Vec<Run> = Vec::new();
    let mut known: HashMap<&[u8], Arc<Shape>> = HashMap::new();
    let plain = |rows: Range<usize>| Run {
        rows,
        shape: None,
        spans: Vec::new(),
        columns: Vec::new(),
        literal_bytes: 0,
    };
    let mut done = 0;
    for (shaped, span) in shapes.runs() {
        runs.extend(rows.within(done..shaped.start).map(plain));
        done = shaped.end;
        let mut start = 0;
        while start < shaped.len() {
            let text = texts.get(span + start);
            let len = (start..shaped.len()).take_while(|next| texts.are_same(span + start, span + next));
            let len = len.count();
            let shape = match known.get(text) {
                Some(shape) => shape.clone(),
                None => {
                    let parsed = String::from_utf8(text.to_vec()).ok().and_then(Shape::parse);
                    known.entry(text).or_insert(Arc::new(parsed.ok_or(WRONG_SHAPE)?)).clone()
                }
            };
            let of_shape = shaped.start + start..shaped.start + start + len;
            let literal_bytes = shape.literals().map(str::len).sum();
            runs.push(Run { shape: Some(shape), literal_bytes, ..plain(of_shape) });
            start += len;
        }
    }
    runs.extend(rows.within(done..usize::MAX).map(plain));
    Ok(runs)
}

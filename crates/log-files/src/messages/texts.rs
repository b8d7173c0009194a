//! Messages put together from what their rows have in common and the values of their slots.

use std::ops::Range;

use super::{Messages, Run};
use crate::file::MalformedFile;
use crate::file::text_page::TextSlice;
use crate::row_ranges::RowRanges;

/// The messages of some rows.
#[derive(Debug)]
pub struct MessageTexts<'m> {
    /// Ascending.
    runs: Vec<RunTexts<'m>>,
}

/// Of rows of one shape.
#[derive(Debug)]
struct RunTexts<'m> {
    rows: Range<usize>,
    /// What they have in common: ranges of a text. Messages that are kept as text have nothing.
    common: Option<(&'m [u8], &'m [Range<usize>])>,
    common_bytes: usize,
    values: Vec<TextSlice<'m>>,
}

/// A message in the making, which is as long already as it is going to be.
struct Pieces<'m> {
    message: &'m mut [u8],
    at: usize,
}

/// Short pieces of messages are copied as if they had this many bytes, which takes no loop and no call: there
/// are dozens in each message. What is too much is overwritten by the next ones.
const CHUNK: usize = 32;

impl<'m> MessageTexts<'m> {
    pub(super) fn new(messages: &'m Messages, rows: &RowRanges) -> Result<Self, MalformedFile> {
        let runs = messages.runs.iter().filter(|run| rows.within(run.rows.clone()).next().is_some());
        Ok(Self { runs: runs.map(|run| RunTexts::new(messages, run)).collect::<Result<_, _>>()? })
    }

    /// Appends what the event in `row` says, which is one of the rows.
    pub fn append(&self, row: usize, message: &mut Vec<u8>) {
        let run = &self.runs[self.runs.partition_point(|run| run.rows.end <= row)];
        let index = row - run.rows.start;
        let Some((text, literals)) = run.common else {
            message.extend_from_slice(run.values[0].get(index));
            return;
        };
        let values = run.values.iter().map(|values| values.place(index));
        let length = run.common_bytes + values.clone().map(|(_, range)| range.len()).sum::<usize>();
        let start = message.len();
        message.resize(start + length, 0);
        let mut to = Pieces { message, at: start };
        let mut values = values;
        for literal in literals {
            to.put(text, literal.clone());
            if let Some((bytes, range)) = values.next() {
                to.put(bytes, range);
            }
        }
    }
}

impl<'m> RunTexts<'m> {
    fn new(messages: &'m Messages, run: &'m Run) -> Result<Self, MalformedFile> {
        let values = run.values.iter().map(|(column, first)| {
            let texts = messages.columns[*column].page(first.page).texts()?;
            Ok(texts.part(first.index..first.index + run.rows.len()))
        });
        let common = run.shape.as_ref().map(|shape| shape.literal_ranges());
        let common_bytes = common.map_or(0, |(_, literals)| literals.iter().map(Range::len).sum());
        Ok(Self { rows: run.rows.clone(), common, common_bytes, values: values.collect::<Result<_, _>>()? })
    }
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

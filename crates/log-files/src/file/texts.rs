//! Columns of text, decoded for searching: where each text lies among bytes that are decompressed once and
//! copied never.
//!
//! The library's reader makes arrays, for which it copies every text into memory of its own, again and again
//! as that grows; that took half of the time of a search that looks at everything. Here a page is
//! decompressed to the place where it stays, and texts are [`Span`]s of it. Of Parquet's encodings those are
//! read that [`super::FileWriter`] chooses.

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;
use parquet::basic::Encoding;
use zstd::bulk::Decompressor;

use super::MalformedFile;
use super::bits::{Run, delta, hybrid, unpack};
use super::pages::{BYTES_MAX, Chunk, DAMAGED, DataPage, RawPage, RawPages, decompress};

/// The texts of several columns of a row group.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// Where a text lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// How many bytes the text has.
    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// One column among [`Texts`].
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    /// The rows that have a text, ascending, apart from each other.
    present: Vec<Present>,
    areas: Vec<Area>,
}

/// Rows that have a text, and the number of the first one's span; the others follow.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Present {
    rows: Range<usize>,
    span: usize,
}

/// Spans that lie together in some way.
#[derive(Debug)]
enum Area {
    /// One behind the other.
    InOrder { spans: Range<usize> },
    /// Anywhere among these.
    OfDictionary { spans: Range<usize>, entries: Arc<[Span]> },
}

impl Texts {
    /// None yet, with room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), spans: Vec::new() }
    }

    /// The text of that span number.
    pub(crate) fn get(&self, span: usize) -> &[u8] {
        self.text(self.spans[span])
    }

    /// The texts of those span numbers.
    pub(crate) fn texts(&self, spans: Range<usize>) -> impl Iterator<Item = &[u8]> {
        self.spans[spans].iter().map(|span| self.text(*span))
    }

    /// The span of that number.
    pub(crate) fn span(&self, span: usize) -> Span {
        self.spans[span]
    }

    /// All texts, and where among them that of a span is.
    pub(crate) fn place(&self, Span { start, end }: Span) -> (&[u8], Range<usize>) {
        (&self.bytes, start as usize..end as usize)
    }

    /// The text of a span.
    pub(crate) fn text(&self, Span { start, end }: Span) -> &[u8] {
        &self.bytes[start as usize..end as usize]
    }

    /// Whether two spans have the same text.
    pub(crate) fn are_same(&self, span: usize, other: usize) -> bool {
        self.spans[span] == self.spans[other] || self.get(span) == self.get(other)
    }

    /// Adds a column. Its rows are numbered from the first one of the part.
    pub(super) fn read(
        &mut self,
        chunk: &Chunk<'_>,
        zstd: &mut Decompressor<'_>,
    ) -> Result<TextColumn, MalformedFile> {
        let mut reader = RawPages::open(chunk).map_err(|_| DAMAGED)?;
        let mut column = TextColumn::default();
        let mut dictionary = None;
        while let Some(page) = reader.next().map_err(|_| DAMAGED)? {
            match page {
                RawPage::Dictionary { bytes, count, is_compressed } => {
                    let start = decompress(&bytes, is_compressed, zstd, &mut self.bytes).ok_or(DAMAGED)?;
                    dictionary = Some(self.dictionary(start, count).ok_or(DAMAGED)?);
                }
                RawPage::Data(page) => {
                    self.page(&page, chunk, dictionary.as_ref(), zstd, &mut column).ok_or(DAMAGED)?;
                }
            }
        }
        Ok(column)
    }

    /// A dictionary's entries, each with its length before it.
    fn dictionary(&self, mut at: usize, count: usize) -> Option<Arc<[Span]>> {
        let entry = |_| {
            let length = self.bytes.get(at..)?.first_chunk().map(|length| u32::from_le_bytes(*length))?;
            let start = at + 4;
            at = start.checked_add(length as usize).filter(|end| *end <= self.bytes.len())?;
            Some(Span { start: start as u32, end: at as u32 })
        };
        (0..count).map(entry).collect()
    }

    fn page(
        &mut self,
        page: &DataPage,
        chunk: &Chunk<'_>,
        dictionary: Option<&Arc<[Span]>>,
        zstd: &mut Decompressor<'_>,
        column: &mut TextColumn,
    ) -> Option<()> {
        let first_span = self.spans.len();
        let (levels, values) = page.bytes.split_at_checked(page.level_bytes)?;
        let mut present: Vec<Present> = Vec::new();
        let mut count = 0;
        let mut run = |rows: Range<usize>| {
            let rows = page.rows.start + rows.start..page.rows.start + rows.end;
            for asked in chunk.asked_in(&rows) {
                let span = first_span + count + (chunk.part.start + asked.start - rows.start);
                present.push(Present { rows: asked, span });
            }
            count += rows.len();
        };
        if chunk.is_nullable() {
            runs_of_ones(levels, page.rows.len(), run)?;
        } else {
            run(0..page.rows.len());
        }
        let start = decompress(values, page.is_compressed, zstd, &mut self.bytes)?;
        let in_order = match page.encoding {
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                self.keys(start, count, dictionary?)?;
                false
            }
            Encoding::DELTA_LENGTH_BYTE_ARRAY => {
                self.lengths(start, count)?;
                true
            }
            Encoding::DELTA_BYTE_ARRAY => {
                self.beginnings(start, count)?;
                true
            }
            _ => return None,
        };
        if let (Some(first), Some(last)) = (present.first(), present.last()) {
            let spans = first.span..last.span + last.rows.len();
            column.areas.push(match dictionary {
                Some(entries) if !in_order => Area::OfDictionary { spans, entries: entries.clone() },
                _ => Area::InOrder { spans },
            });
        }
        column.present.extend(present);
        Some(())
    }

    /// `RLE_DICTIONARY`: keys of the dictionary's entries.
    fn keys(&mut self, start: usize, count: usize, dictionary: &[Span]) -> Option<()> {
        if count == 0 {
            return Some(());
        }
        let (width, keys) = self.bytes.get(start..)?.split_first()?;
        let (width, spans) = (u32::from(*width), &mut self.spans);
        spans.reserve(count);
        hybrid(keys, width, count, |run| {
            match run {
                Run::Repeated { value, count } => {
                    let span = *dictionary.get(value as usize)?;
                    spans.extend(std::iter::repeat_n(span, count));
                }
                Run::Packed { bytes, count } => {
                    let mut known = true;
                    unpack(bytes, width, count, |key| match dictionary.get(key as usize) {
                        Some(span) => spans.push(*span),
                        None => known = false,
                    })?;
                    known.then_some(())?;
                }
            }
            Some(())
        })?;
        // The keys are needed no more.
        self.bytes.truncate(start);
        Some(())
    }

    /// `DELTA_LENGTH_BYTE_ARRAY`: all lengths, and then all texts.
    fn lengths(&mut self, start: usize, count: usize) -> Option<()> {
        if count == 0 {
            return Some(());
        }
        let mut texts = self.bytes.get(start..)?;
        let first = self.spans.len();
        self.spans.reserve(count);
        delta(&mut texts, count, |length| self.spans.push(Span { start: 0, end: length as u32 }))?;
        let mut at = self.bytes.len() - texts.len();
        for span in &mut self.spans[first..] {
            let end = at.checked_add(span.end as usize).filter(|end| *end <= self.bytes.len())?;
            *span = Span { start: at as u32, end: end as u32 };
            at = end;
        }
        Some(())
    }

    /// `DELTA_BYTE_ARRAY`: how much of the text before it each one begins with, and what follows.
    fn beginnings(&mut self, start: usize, count: usize) -> Option<()> {
        if count == 0 {
            return Some(());
        }
        let mut rest = self.bytes.get(start..)?;
        let mut beginnings = Vec::with_capacity(count);
        delta(&mut rest, count, |length| beginnings.push(length as usize))?;
        let suffixes = self.bytes.len() - rest.len();
        let first = self.spans.len();
        self.lengths(suffixes, count)?;
        let total: usize = beginnings.iter().try_fold(0_usize, |sum, length| sum.checked_add(*length))?;
        self.bytes
            .try_reserve(total.checked_add(self.bytes.len()).filter(|total| *total <= BYTES_MAX)?)
            .ok()?;
        let mut last = Span::default();
        for (length, span) in beginnings.into_iter().zip(&mut self.spans[first..]) {
            let start = self.bytes.len();
            if length > last.len() {
                return None;
            }
            self.bytes.extend_from_within(last.start as usize..last.start as usize + length);
            self.bytes.extend_from_within(span.start as usize..span.end as usize);
            if self.bytes.len() > BYTES_MAX {
                return None;
            }
            last = Span { start: start as u32, end: self.bytes.len() as u32 };
            *span = last;
        }
        Some(())
    }
}

/// Gives the runs of rows whose level is 1.
fn runs_of_ones(levels: &[u8], count: usize, mut each: impl FnMut(Range<usize>)) -> Option<()> {
    let (mut row, mut open) = (0, None);
    let mut level = |is_present: bool, count: usize| {
        match (is_present, open) {
            (true, None) => open = Some(row),
            (false, Some(start)) => {
                each(start..row);
                open = None;
            }
            _ => {}
        }
        row += count;
        (open, row)
    };
    let mut last = (None, 0);
    hybrid(levels, 1, count, |run| {
        match run {
            Run::Repeated { value, count } => last = level(value == 1, count),
            Run::Packed { bytes, count } => unpack(bytes, 1, count, |value| last = level(value == 1, 1))?,
        }
        Some(())
    })?;
    if let (Some(start), end) = last {
        each(start..end);
    }
    Some(())
}

impl TextColumn {
    /// The number of the first of the spans that these rows have; `None` if one of them has no text.
    pub(crate) fn spans_of(&self, rows: &Range<usize>) -> Option<usize> {
        let mut at = self.present.partition_point(|present| present.rows.end <= rows.start);
        let present = self.present.get(at)?;
        let span = present.span + rows.start.checked_sub(present.rows.start)?;
        // A page's end divides what goes on.
        let mut end = present.rows.end;
        let mut next_span = present.span + present.rows.len();
        while end < rows.end {
            at += 1;
            let next = self.present.get(at)?;
            if next.rows.start != end || next.span != next_span {
                return None;
            }
            (end, next_span) = (next.rows.end, next.span + next.rows.len());
        }
        Some(span)
    }

    /// Runs of rows that have a text, each with the number of its first span; the others follow.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        self.present.iter().map(|present| (present.rows.clone(), present.span))
    }

    /// Whether all bytes of these spans pass a test, which gets them in pieces and maybe others of the
    /// column with them.
    pub(crate) fn all_pieces(
        &self,
        texts: &Texts,
        spans: &Range<usize>,
        passes: impl Fn(&[u8]) -> bool,
    ) -> bool {
        self.areas.iter().all(|area| match area {
            Area::InOrder { spans: of_area } => {
                let common = of_area.start.max(spans.start)..of_area.end.min(spans.end);
                let texts_of = texts.spans.get(common).unwrap_or_default();
                texts_of
                    .first()
                    .zip(texts_of.last())
                    .is_none_or(|(first, last)| passes(&texts.bytes[first.start as usize..last.end as usize]))
            }
            Area::OfDictionary { spans: of_area, entries } => {
                let is_apart = of_area.end <= spans.start || spans.end <= of_area.start;
                is_apart || entries.iter().all(|entry| passes(texts.text(*entry)))
            }
        })
    }

    /// Gives the rows whose texts contain what is sought, which is not empty. Some may be given twice.
    pub(crate) fn rows_with(&self, texts: &Texts, sought: &memmem::Finder<'_>, mut each: impl FnMut(usize)) {
        for area in &self.areas {
            match area {
                Area::InOrder { spans } => {
                    let of_area = &texts.spans[spans.clone()];
                    let (Some(first), Some(last)) = (of_area.first(), of_area.last()) else { continue };
                    let start = first.start as usize;
                    let bytes = &texts.bytes[start..last.end as usize];
                    let mut from = 0;
                    while let Some(found) = bytes.get(from..).and_then(|bytes| sought.find(bytes)) {
                        let at = start + from + found;
                        let index = of_area.partition_point(|span| span.end as usize <= at);
                        // It may lie in two texts.
                        if at + sought.needle().len() <= of_area[index].end as usize {
                            self.row_of(spans.start + index).into_iter().for_each(&mut each);
                            from = of_area[index].end as usize - start;
                        } else {
                            from += found + 1;
                        }
                    }
                }
                Area::OfDictionary { spans, entries } => {
                    let holding: Vec<u32> = entries
                        .iter()
                        .filter(|entry| sought.find(texts.text(**entry)).is_some())
                        .map(|entry| entry.start)
                        .collect();
                    if holding.is_empty() {
                        continue;
                    }
                    let numbered = spans.clone().zip(&texts.spans[spans.clone()]);
                    let found = numbered.filter(|(_, span)| holding.binary_search(&span.start).is_ok());
                    found.filter_map(|(number, _)| self.row_of(number)).for_each(&mut each);
                }
            }
        }
    }

    /// The row that has a span.
    fn row_of(&self, span: usize) -> Option<usize> {
        let at = self.present.partition_point(|present| present.span + present.rows.len() <= span);
        let present = self.present.get(at)?;
        Some(present.rows.start + span.checked_sub(present.span)?)
    }
}

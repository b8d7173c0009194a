//! Columns of text, decoded for searching: which rows have a text, and where it lies in [pages](TextPage).

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::MalformedFile;
use super::bits::{Run, hybrid, unpack};
use super::pages::{Chunk, DAMAGED, DataPage, RawPage, RawPages, decompress};
use super::text_page::{Dictionary, TextPage};

/// A column. Its rows are numbered from the first one of the part.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    /// The rows that have a text and are asked for, ascending, apart from each other or at a page's end.
    present: Vec<Present>,
    pages: Vec<TextPage>,
}

/// Rows that have a text, all in one page; they follow each other there, too.
#[derive(Clone, Debug)]
struct Present {
    rows: Range<usize>,
    first: Place,
}

/// Where a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Which page of the column.
    pub(crate) page: usize,
    /// Which of its texts.
    pub(crate) index: usize,
}

impl TextColumn {
    /// Reads the pages of the rows that are asked for.
    pub(super) fn read(chunk: &Chunk<'_>) -> Result<Self, MalformedFile> {
        let mut reader = RawPages::open(chunk).map_err(|_| DAMAGED)?;
        let (mut column, mut dictionary) = (Self::default(), None);
        while let Some(page) = reader.next().map_err(|_| DAMAGED)? {
            match page {
                RawPage::Dictionary { .. } if dictionary.is_some() => return Err(DAMAGED),
                RawPage::Dictionary { bytes, count, is_compressed } => {
                    let mut entries = Vec::new();
                    decompress(&bytes, is_compressed, &mut entries).ok_or(DAMAGED)?;
                    dictionary = Some(Arc::new(Dictionary::new(entries, count).ok_or(DAMAGED)?));
                }
                RawPage::Data(page) => {
                    column.add(&page, chunk, dictionary.as_ref()).ok_or(DAMAGED)?;
                }
            }
        }
        Ok(column)
    }

    fn add(
        &mut self,
        page: &DataPage,
        chunk: &Chunk<'_>,
        dictionary: Option<&Arc<Dictionary>>,
    ) -> Option<()> {
        let number = self.pages.len();
        let (levels, values) = page.bytes.split_at_checked(page.level_bytes)?;
        let mut count = 0;
        let mut run = |rows: Range<usize>| {
            let rows = page.rows.start + rows.start..page.rows.start + rows.end;
            for asked in chunk.asked_in(&rows) {
                let index = count + (chunk.part.start + asked.start - rows.start);
                self.present.push(Present { rows: asked, first: Place { page: number, index } });
            }
            count += rows.len();
        };
        if chunk.is_nullable() {
            runs_of_ones(levels, page.rows.len(), run)?;
        } else {
            run(0..page.rows.len());
        }
        let mut bytes = Vec::new();
        // Most columns have nothing in most rows.
        let is_needed = self.present.last().is_some_and(|present| present.first.page == number);
        if is_needed {
            decompress(values, page.is_compressed, &mut bytes)?;
            self.pages.push(TextPage::new(bytes, count, page.encoding, dictionary)?);
        }
        Some(())
    }

    /// How many bytes its pages take.
    pub(super) fn bytes_len(&self) -> usize {
        self.pages.iter().map(TextPage::bytes_len).sum()
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        let dictionary = self.pages.iter().find_map(TextPage::dictionary);
        let pages = self.pages.iter().map(TextPage::memory_bytes).sum::<usize>();
        pages + size_of_val(self.present.as_slice()) + dictionary.map_or(0, |it| it.memory_bytes())
    }

    /// A page.
    pub(crate) fn page(&self, number: usize) -> &TextPage {
        &self.pages[number]
    }

    /// Where the text of `row` is, and up to which row the following ones are in the same page; `None` if it
    /// has none.
    pub(crate) fn place(&self, row: usize) -> Option<(Place, usize)> {
        let present = self.present.get(self.present.partition_point(|present| present.rows.end <= row))?;
        let offset = row.checked_sub(present.rows.start)?;
        Some((Place { index: present.first.index + offset, ..present.first }, present.rows.end))
    }

    /// Runs of rows that have a text, ascending, each in one page, with the place of the first one's.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Range<usize>, Place)> {
        self.present.iter().map(|present| (present.rows.clone(), present.first))
    }

    /// Gives the rows whose texts contain what is sought, which is not empty.
    pub(crate) fn rows_with(
        &self,
        sought: &Finder<'_>,
        mut each: impl FnMut(usize),
    ) -> Result<(), MalformedFile> {
        let mut of_dictionary: Option<Option<Vec<bool>>> = None;
        for (number, page) in self.pages.iter().enumerate() {
            let holding = match page.dictionary() {
                Some(dictionary) => match of_dictionary.get_or_insert_with(|| dictionary.holding(sought)) {
                    Some(holding) => holding.as_slice(),
                    None => continue,
                },
                None if page.may_contain(sought).ok_or(DAMAGED)? => &[],
                None => continue,
            };
            page.texts()?.with(sought, holding, |index| {
                self.row_of(Place { page: number, index }).into_iter().for_each(&mut each);
            });
        }
        Ok(())
    }

    /// The row whose text is there, if it is asked for.
    fn row_of(&self, place: Place) -> Option<usize> {
        let present = &self.present[..self.present.partition_point(|present| present.first <= place)];
        let Present { rows, first } = present.last().filter(|present| present.first.page == place.page)?;
        Some(rows.start + (place.index - first.index)).filter(|row| *row < rows.end)
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

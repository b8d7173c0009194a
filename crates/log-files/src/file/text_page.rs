//! A page of texts: decompressed when it is read, and taken apart when a text of it is needed.
//!
//! The library's reader makes arrays, for which it copies every text into memory of its own, again and again
//! as that grows; that took half of the time of a search that looks at everything. Here texts stay where they
//! were decompressed. Often no text is needed at all: what a page's texts consist of lies together, and tells
//! at a glance that no text has what is sought. Of Parquet's encodings those are read that
//! [`super::FileWriter`] chooses.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use memchr::memmem::Finder;
use parquet::basic::Encoding;

use super::MalformedFile;
use super::bits::{Run, delta, hybrid, skip_delta, unpack};
use super::pages::{BYTES_MAX, DAMAGED};

/// The texts of a page.
#[derive(Debug)]
pub(crate) struct TextPage {
    /// How many there are.
    count: usize,
    bytes: Vec<u8>,
    encoded: Encoded,
    decoded: OnceLock<Option<Decoded>>,
}

/// How texts are encoded in the bytes of a page.
#[derive(Debug)]
enum Encoded {
    /// `RLE_DICTIONARY`: as the numbers of a dictionary's entries.
    Numbers(Arc<Dictionary>),
    /// `DELTA_LENGTH_BYTE_ARRAY`: all lengths, and then, from here on, all texts.
    Lengths { texts: usize },
    /// `DELTA_BYTE_ARRAY`: how much of the text before it each one begins with; then as before, what follows.
    Beginnings { lengths: usize, texts: usize },
}

/// Texts that recur.
#[derive(Debug)]
pub(crate) struct Dictionary {
    bytes: Vec<u8>,
    entries: Vec<Range<u32>>,
}

#[derive(Debug)]
enum Decoded {
    /// The number of each text's entry, all of which the dictionary has.
    Numbers(Vec<u32>),
    /// Where each text in the page begins, and where the last one ends.
    Bounds(Vec<u32>),
    /// The same in bytes that were put together.
    BoundsIn(Vec<u8>, Vec<u32>),
}

/// Texts of a page, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TextSlice<'p> {
    /// One behind the other in the bytes; one more bound than texts.
    InOrder { bytes: &'p [u8], bounds: &'p [u32] },
    /// The numbers of entries.
    Recurring { dictionary: &'p Dictionary, numbers: &'p [u32] },
}

impl Dictionary {
    /// Of a dictionary's page: entries, each with its length before it.
    pub(super) fn new(bytes: Vec<u8>, count: usize) -> Option<Self> {
        let mut at = 0_usize;
        let entry = |_| {
            let length = bytes.get(at..)?.first_chunk().map(|length| u32::from_le_bytes(*length))?;
            let start = at + 4;
            at = start.checked_add(length as usize).filter(|end| *end <= bytes.len())?;
            Some(start as u32..at as u32)
        };
        let entries = (0..count).map(entry).collect::<Option<_>>()?;
        Some(Self { bytes, entries })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, number: usize) -> &[u8] {
        let Range { start, end } = self.entries[number];
        &self.bytes[start as usize..end as usize]
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|number| self.get(number))
    }

    /// Bytes that it takes in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.entries.as_slice())
    }

    /// For each entry whether it contains what is sought; `None` if none does.
    pub(super) fn holding(&self, sought: &Finder<'_>) -> Option<Vec<bool>> {
        sought.find(&self.bytes)?;
        let holding: Vec<bool> = self.entries().map(|entry| sought.find(entry).is_some()).collect();
        holding.contains(&true).then_some(holding)
    }
}

impl TextPage {
    /// Of the decompressed values of a page.
    pub(super) fn new(
        bytes: Vec<u8>,
        count: usize,
        encoding: Encoding,
        dictionary: Option<&Arc<Dictionary>>,
    ) -> Option<Self> {
        let behind_lengths = |mut rest: &[u8]| {
            if count > 0 {
                skip_delta(&mut rest, count)?;
            }
            Some(bytes.len() - rest.len())
        };
        let encoded = match encoding {
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => Encoded::Numbers(dictionary?.clone()),
            Encoding::DELTA_LENGTH_BYTE_ARRAY => Encoded::Lengths { texts: behind_lengths(&bytes)? },
            Encoding::DELTA_BYTE_ARRAY => {
                let lengths = behind_lengths(&bytes)?;
                Encoded::Beginnings { lengths, texts: behind_lengths(&bytes[lengths..])? }
            }
            _ => return None,
        };
        Some(Self { count, bytes, encoded, decoded: OnceLock::new() })
    }

    /// How many bytes it takes.
    pub(super) fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes that it takes in memory, about, once it was taken apart; without a dictionary.
    pub(super) fn memory_bytes(&self) -> usize {
        let put_together = match self.encoded {
            Encoded::Numbers(_) | Encoded::Lengths { .. } => 0,
            // Most of what continues others are times.
            Encoded::Beginnings { .. } => 4 * self.bytes.len(),
        };
        self.bytes.len() + size_of::<u32>() * self.count + put_together + size_of::<Self>()
    }

    /// The dictionary that has its texts, if one does.
    pub(crate) fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        match &self.encoded {
            Encoded::Numbers(dictionary) => Some(dictionary),
            Encoded::Lengths { .. } | Encoded::Beginnings { .. } => None,
        }
    }

    /// Bytes among which are all those that its texts consist of, unless a dictionary has them.
    pub(crate) fn alphabet(&self) -> &[u8] {
        match self.encoded {
            Encoded::Numbers(_) => &[],
            Encoded::Lengths { texts } | Encoded::Beginnings { texts, .. } => &self.bytes[texts..],
        }
    }

    /// Whether a text may contain what is sought, as far as that is seen without taking the page apart. Asked
    /// of pages without a dictionary.
    pub(super) fn may_contain(&self, sought: &Finder<'_>) -> Option<bool> {
        match self.encoded {
            Encoded::Numbers(_) => Some(true),
            Encoded::Lengths { texts } => Some(sought.find(&self.bytes[texts..]).is_some()),
            // It may begin in one text, and go on in the next.
            Encoded::Beginnings { lengths, .. } => {
                let mut beginnings = Vec::with_capacity(self.count);
                delta(&mut &self.bytes[..], self.count, |length| beginnings.push(length))?;
                let (mut longest, mut beginning) = (0, beginnings.into_iter());
                delta(&mut &self.bytes[lengths..], self.count, |length| {
                    longest = longest.max(length.saturating_add(beginning.next().unwrap_or_default()));
                })?;
                Some(longest >= sought.needle().len() as i64)
            }
        }
    }

    /// All of its texts.
    pub(crate) fn texts(&self) -> Result<TextSlice<'_>, MalformedFile> {
        match (self.decoded.get_or_init(|| self.decode()), &self.encoded) {
            (Some(Decoded::Numbers(numbers)), Encoded::Numbers(dictionary)) => {
                Ok(TextSlice::Recurring { dictionary, numbers })
            }
            (Some(Decoded::Bounds(bounds)), _) => Ok(TextSlice::InOrder { bytes: &self.bytes, bounds }),
            (Some(Decoded::BoundsIn(bytes, bounds)), _) => Ok(TextSlice::InOrder { bytes, bounds }),
            _ => Err(DAMAGED),
        }
    }

    fn decode(&self) -> Option<Decoded> {
        match &self.encoded {
            _ if self.count == 0 => Some(Decoded::Bounds(vec![0])),
            Encoded::Numbers(dictionary) => self.numbers(dictionary.len()).map(Decoded::Numbers),
            Encoded::Lengths { texts } => self.bounds(0, *texts).map(Decoded::Bounds),
            Encoded::Beginnings { lengths, texts } => {
                let rests = self.bounds(*lengths, *texts)?;
                let (bytes, bounds) = self.with_beginnings(&rests)?;
                Some(Decoded::BoundsIn(bytes, bounds))
            }
        }
    }

    fn numbers(&self, entries: usize) -> Option<Vec<u32>> {
        let (width, packed) = self.bytes.split_first()?;
        let (width, mut numbers) = (u32::from(*width), Vec::with_capacity(self.count));
        hybrid(packed, width, self.count, |run| match run {
            Run::Repeated { value, count } => {
                numbers.extend(std::iter::repeat_n(u32::try_from(value).ok()?, count));
                Some(())
            }
            Run::Packed { bytes, count } => unpack(bytes, width, count, |value| numbers.push(value as u32)),
        })?;
        let most = numbers.iter().max().copied().unwrap_or_default();
        ((most as usize) < entries && width <= u32::BITS).then_some(numbers)
    }

    /// The bounds of texts whose lengths and bytes begin here and there.
    fn bounds(&self, lengths: usize, texts: usize) -> Option<Vec<u32>> {
        let mut bounds = Vec::with_capacity(self.count + 1);
        let (mut at, mut fits) = (texts as u64, true);
        bounds.push(texts as u32);
        delta(&mut &self.bytes[lengths..], self.count, |length| {
            at = at.wrapping_add(length as u64);
            fits &= length >= 0 && at <= self.bytes.len() as u64;
            bounds.push(at as u32);
        })?;
        fits.then_some(bounds)
    }

    /// The texts whose rests are known, put together, with their bounds.
    fn with_beginnings(&self, rests: &[u32]) -> Option<(Vec<u8>, Vec<u32>)> {
        let (mut beginnings, mut total) = (Vec::with_capacity(self.count), 0_usize);
        delta(&mut &self.bytes[..], self.count, |length| {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            total = total.saturating_add(length);
            beginnings.push(length);
        })?;
        let total = total.checked_add(self.bytes.len()).filter(|total| *total <= BYTES_MAX)?;
        let (mut bytes, mut bounds) = (Vec::with_capacity(total), Vec::with_capacity(self.count + 1));
        bounds.push(0);
        let mut last = 0_usize;
        for (length, rest) in beginnings.into_iter().zip(rests.windows(2)) {
            let start = bytes.len();
            let beginning = last..last.checked_add(length).filter(|end| *end <= start)?;
            bytes.extend_from_within(beginning);
            bytes.extend_from_slice(&self.bytes[rest[0] as usize..rest[1] as usize]);
            bounds.push(bytes.len() as u32);
            last = start;
        }
        Some((bytes, bounds))
    }
}

impl<'p> TextSlice<'p> {
    /// Those with these numbers.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::InOrder { bytes, bounds } => {
                Self::InOrder { bytes, bounds: &bounds[range.start..=range.end] }
            }
            Self::Recurring { dictionary, numbers } => {
                Self::Recurring { dictionary, numbers: &numbers[range] }
            }
        }
    }

    /// Bytes among which a text is, and where it is.
    #[inline]
    pub(crate) fn place(self, index: usize) -> (&'p [u8], Range<usize>) {
        match self {
            Self::InOrder { bytes, bounds } => (bytes, bounds[index] as usize..bounds[index + 1] as usize),
            Self::Recurring { dictionary, numbers } => {
                let Range { start, end } = dictionary.entries[numbers[index] as usize];
                (&dictionary.bytes, start as usize..end as usize)
            }
        }
    }

    /// A text.
    pub(crate) fn get(self, index: usize) -> &'p [u8] {
        let (bytes, range) = self.place(index);
        &bytes[range]
    }

    /// Whether two texts are the same.
    pub(crate) fn are_same(self, index: usize, other: usize) -> bool {
        match self {
            Self::InOrder { .. } => self.get(index) == self.get(other),
            Self::Recurring { numbers, .. } => numbers[index] == numbers[other],
        }
    }

    /// Gives the numbers of texts that contain what is sought, which is not empty. `holding` says it of the
    /// dictionary's entries.
    pub(super) fn with(self, sought: &Finder<'_>, holding: &[bool], mut each: impl FnMut(usize)) {
        match self {
            Self::InOrder { bytes, bounds } => {
                let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else { return };
                let (mut from, texts) = (*first as usize, &bytes[..*last as usize]);
                while let Some(found) = texts.get(from..).and_then(|texts| sought.find(texts)) {
                    let at = from + found;
                    let index = bounds.partition_point(|bound| *bound as usize <= at) - 1;
                    let end = bounds[index + 1] as usize;
                    // It may lie in two texts.
                    from = if at + sought.needle().len() <= end {
                        each(index);
                        end
                    } else {
                        at + 1
                    };
                }
            }
            Self::Recurring { numbers, .. } => {
                let numbered = numbers.iter().enumerate();
                numbered.filter(|(_, number)| holding[**number as usize]).for_each(|(index, _)| each(index));
            }
        }
    }
}

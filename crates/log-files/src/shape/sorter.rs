//! Sorts the messages of one group by shape, and their slots into columns.

use std::hash::{BuildHasher, Hasher};
use std::io;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use super::cut::{self, Style};
use super::form::Shape;
use super::manner::{Judge, Kind, Manner};

/// Fewer messages than this do not make a shape.
const ROWS_MIN: usize = 8;
/// More shapes are not looked for among the messages of one sorter.
const SHAPES_MAX: usize = 2_048;
/// How many different columns all shapes of a file may have together.
const COLUMNS_MAX: usize = 512;
/// How many messages tell whether lines are better cut by words or by fields.
const SAMPLE: usize = 512;

/// Messages by shape. `rows` are whatever numbers they were pushed with, in that order.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// The shapes that are worth it.
    pub(crate) shaped: Vec<ShapedRows>,
    /// Messages of none of these, with their rows.
    pub(crate) plain: PlainRows,
}

/// Messages that are kept as text.
#[derive(Debug, Default)]
pub(crate) struct PlainRows {
    /// Which.
    pub(crate) rows: Vec<u32>,
    /// Their text.
    pub(crate) texts: Texts,
}

/// The messages of one shape.
#[derive(Debug)]
pub(crate) struct ShapedRows {
    /// What they have in common.
    pub(crate) shape: Shape,
    /// Which.
    pub(crate) rows: Vec<u32>,
    /// A column for each slot.
    pub(crate) slots: Vec<Texts>,
    /// For each slot, how its values are best encoded; known at the end.
    pub(crate) manners: Vec<Manner>,
}

/// How often the values of a slot recur, by some of them: all those whose hashes end alike, so that none that
/// was sampled has a twin that was not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recurrence {
    values: usize,
    sampled: usize,
    distinct: HashSet<u64>,
}

impl Recurrence {
    /// One value in so many is sampled.
    const ONE_IN: u64 = 16;
    /// Of so many different values, some are sampled.
    const SOME: usize = 256;

    /// Counts a value of that hash.
    pub(super) fn add(&mut self, hash: u64) {
        self.values += 1;
        if (hash >> 32).is_multiple_of(Self::ONE_IN) {
            self.sampled += 1;
            self.distinct.insert(hash);
        }
    }

    /// About which part of the values came for the first time, from 0 to 1.
    pub(crate) fn fresh(&self) -> f64 {
        match (self.sampled, self.values) {
            (0, Self::SOME..) => 0.0,
            (0, _) => 1.0,
            (sampled, _) => self.distinct.len() as f64 / sampled as f64,
        }
    }
}

/// The columns of a file that hold slots.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    names: Vec<String>,
    /// By name in lower case: SQL engines do not tell `$.id` from `$.ID`.
    by_name: HashMap<String, usize>,
}

impl Columns {
    /// The names, in the order in which they came.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Makes sure that there are columns for these slots; `false`, and nothing changed, if there cannot be.
    pub(crate) fn take_in<'s>(&mut self, slots: impl Iterator<Item = &'s str>) -> bool {
        let mut new: Vec<(String, &str)> = Vec::new();
        for slot in slots {
            // SQL names columns in quotes, where these need care that nobody takes.
            if slot.contains(['"', '\\']) {
                return false;
            }
            let lower = slot.to_lowercase();
            match self.by_name.get(&lower) {
                Some(found) if self.names[*found] == slot => {}
                Some(_) => return false,
                None if new.iter().any(|(other, _)| *other == lower) => return false,
                None => new.push((lower, slot)),
            }
        }
        if self.names.len() + new.len() > COLUMNS_MAX {
            return false;
        }
        for (lower, slot) in new {
            self.by_name.insert(lower, self.names.len());
            self.names.push(slot.to_owned());
        }
        true
    }
}

/// Texts, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// Where each ends.
    pub(crate) ends: Vec<u32>,
    /// All of them.
    pub(crate) bytes: Vec<u8>,
}

impl Texts {
    /// Adds a text.
    pub(super) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
    }

    /// The text of that number.
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }
}

/// Sorts messages. One for each group and row group of a file.
#[derive(Debug)]
pub(crate) struct Sorter {
    hashing: DefaultHashBuilder,
    style: Style,
    shapes: Vec<Shaping>,
    /// Shapes by the hash of their literals. One of two that collide is kept as text.
    by_hash: HashMap<u64, usize>,
    plain: PlainRows,
    slots: Vec<Range<u32>>,
}

#[derive(Debug)]
struct Shaping {
    rows: ShapedRows,
    style: Style,
    /// For each slot.
    recurrences: Vec<Recurrence>,
}

impl Shaping {
    /// Finds how the values of each slot are best encoded, and calls slots without a name accordingly.
    fn judge(&mut self, judge: &mut Judge) -> io::Result<()> {
        let slots = self.rows.slots.iter().zip(&self.recurrences);
        self.rows.manners =
            slots.map(|(texts, recurrence)| judge.manner(texts, recurrence)).collect::<Result<_, _>>()?;
        if self.style != Style::Json {
            let manners = self.rows.manners.iter().zip(1..);
            let names: Vec<String> = manners.map(|(manner, place)| slot_name(place, manner.kind)).collect();
            self.rows.shape = self.rows.shape.renamed(&names);
        }
        Ok(())
    }
}

/// What the slot at that place of a line without keys is called.
fn slot_name(place: usize, kind: Kind) -> String {
    let letter = match kind {
        Kind::Varying => "",
        Kind::Continuing => "c",
        Kind::Repeating => "r",
    };
    format!("${place}{letter}")
}

impl Sorter {
    /// A sorter for messages like those of `sample`.
    pub(crate) fn new<'m>(sample: impl Iterator<Item = &'m [u8]> + Clone) -> Self {
        let hashing = DefaultHashBuilder::default();
        let lines = sample.filter(|message| !cut::looks_like_json(message)).take(SAMPLE);
        let count = |style| {
            let (mut shapes, mut slots, mut lines_seen) = (HashSet::new(), Vec::new(), 0);
            for line in lines.clone() {
                lines_seen += 1;
                if cut::cut(style, line, &mut slots) {
                    shapes.insert(hash_literals(&hashing, style, line, &slots));
                }
            }
            (shapes.len(), lines_seen)
        };
        let (by_words, lines_seen) = count(Style::Words);
        let few = by_words * 8 <= lines_seen;
        let style = if few || by_words <= count(Style::Fields).0 { Style::Words } else { Style::Fields };
        Self {
            hashing,
            style,
            shapes: Vec::new(),
            by_hash: HashMap::new(),
            plain: PlainRows::default(),
            slots: Vec::new(),
        }
    }

    /// Adds a message.
    pub(crate) fn push(&mut self, row: u32, bytes: &[u8]) {
        let style = if cut::cut(Style::Json, bytes, &mut self.slots) {
            Some(Style::Json)
        } else {
            cut::cut(self.style, bytes, &mut self.slots).then_some(self.style)
        };
        let shape = style.and_then(|style| self.shape(style, bytes));
        let Some(shape) = shape else {
            self.plain.rows.push(row);
            self.plain.texts.push(bytes);
            return;
        };
        let Shaping { rows: shaped, recurrences, .. } = &mut self.shapes[shape];
        shaped.rows.push(row);
        let columns = shaped.slots.iter_mut().zip(recurrences);
        for (slot, (column, recurrence)) in self.slots.iter().zip(columns) {
            let text = &bytes[slot.start as usize..slot.end as usize];
            column.push(text);
            let mut hasher = self.hashing.build_hasher();
            hasher.write(text);
            recurrence.add(hasher.finish());
        }
    }

    /// The messages by shape, and their slots' names in `columns`. Shapes are given up that hardly any
    /// message has, or that there are no columns for.
    pub(crate) fn finish(self, columns: &mut Columns) -> io::Result<Sorted> {
        let mut sorted = Sorted { shaped: Vec::new(), plain: self.plain };
        let mut judge = Judge::new()?;
        for mut shaping in self.shapes {
            if shaping.rows.rows.len() >= ROWS_MIN {
                shaping.judge(&mut judge)?;
                if columns.take_in(shaping.rows.shape.slots()) {
                    sorted.shaped.push(shaping.rows);
                    continue;
                }
            }
            let shaped = shaping.rows;
            let mut message = Vec::new();
            for (index, row) in shaped.rows.iter().enumerate() {
                message.clear();
                let mut slots = shaped.slots.iter();
                for literal in shaped.shape.literals() {
                    message.extend_from_slice(literal.as_bytes());
                    if let Some(slot) = slots.next() {
                        message.extend_from_slice(slot.get(index));
                    }
                }
                sorted.plain.rows.push(*row);
                sorted.plain.texts.push(&message);
            }
        }
        Ok(sorted)
    }

    /// The shape of a message that was just cut in this style; `None` if it is to be kept as text.
    fn shape(&mut self, style: Style, bytes: &[u8]) -> Option<usize> {
        let hash = hash_literals(&self.hashing, style, bytes, &self.slots);
        if let Some(shape) = self.by_hash.get(&hash) {
            return self.shapes[*shape].rows.shape.fits(bytes, &self.slots).then_some(*shape);
        }
        if self.shapes.len() == SHAPES_MAX {
            return None;
        }
        let names = match style {
            Style::Json => cut::json_names(bytes, &self.slots),
            Style::Words | Style::Fields => {
                (1..=self.slots.len()).map(|place| slot_name(place, Kind::default())).collect()
            }
        };
        let shape = Shape::new(std::str::from_utf8(bytes).ok()?, &self.slots, &names)?;
        let slots = names.iter().map(|_| Texts::default()).collect();
        let recurrences = vec![Recurrence::default(); names.len()];
        let rows = ShapedRows { shape, rows: Vec::new(), slots, manners: Vec::new() };
        self.shapes.push(Shaping { rows, style, recurrences });
        self.by_hash.insert(hash, self.shapes.len() - 1);
        Some(self.shapes.len() - 1)
    }
}

fn hash_literals(hashing: &DefaultHashBuilder, style: Style, message: &[u8], slots: &[Range<u32>]) -> u64 {
    let mut hasher = hashing.build_hasher();
    hasher.write_u8(style as u8);
    let mut done = 0;
    for slot in slots {
        hasher.write(&message[done..slot.start as usize]);
        hasher.write_u32(slot.start - done as u32);
        done = slot.end as usize;
    }
    hasher.write(&message[done..]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(messages: &[String]) -> (Sorted, Columns) {
        let mut sorter = Sorter::new(messages.iter().map(|message| message.as_bytes()));
        for (row, message) in messages.iter().enumerate() {
            sorter.push(row as u32, message.as_bytes());
        }
        let mut columns = Columns::default();
        (sorter.finish(&mut columns).expect("nothing is written anywhere"), columns)
    }

    #[test]
    fn json_becomes_columns_and_other_lines_become_slots() {
        let mut messages: Vec<String> = (0..20)
            .map(|n| format!(r#"{{"time":"2026-01-01T00:00:{n:02}Z","http":{{"status":{n}}}}}"#))
            .collect();
        messages.extend((0..20).map(|n| format!("took {n} ms")));
        messages.push("once".to_owned());
        let (sorted, columns) = sorted(&messages);
        assert_eq!(columns.names(), ["$.time", "$.http.status", "$1"]);
        let shapes: Vec<&str> = sorted.shaped.iter().map(|shaped| shaped.shape.as_str()).collect();
        assert_eq!(
            shapes,
            [
                "{\"time\":\"\u{11}$.time\u{11}\",\"http\":{\"status\":\u{11}$.http.status\u{11}}}",
                "took \u{11}$1\u{11} ms"
            ]
        );
        assert_eq!(sorted.shaped[1].slots[0].get(7), b"7");
        assert_eq!(sorted.plain.rows, [40]);
    }

    #[test]
    fn columns_that_differ_in_case_alone_are_not_made() {
        let mut messages: Vec<String> = (0..20).map(|n| format!(r#"{{"id":{n}}}"#)).collect();
        messages.extend((0..20).map(|n| format!(r#"{{"ID":{n}}}"#)));
        let (sorted, columns) = sorted(&messages);
        assert_eq!((columns.names(), sorted.plain.rows.len()), (["$.id".to_owned()].as_slice(), 20));
    }

    proptest! {
        #[test]
        fn every_message_comes_back(
            messages in proptest::collection::vec(
                prop_oneof!["\\PC{0,20}", "a=[0-9]{1,3} b", "\\{\"a\":\"[a-z\"\\\\]{0,4}\",\"b\":[0-9]\\}", "x \u{11}1"], 0..80,
            ),
        ) {
            let (sorted, _) = sorted(&messages);
            let mut back: Vec<Option<Vec<u8>>> = vec![None; messages.len()];
            for (index, row) in sorted.plain.rows.iter().enumerate() {
                back[*row as usize] = Some(sorted.plain.texts.get(index).to_vec());
            }
            for shaped in &sorted.shaped {
                for (index, row) in shaped.rows.iter().enumerate() {
                    let mut message = Vec::new();
                    let mut slots = shaped.slots.iter();
                    for literal in shaped.shape.literals() {
                        message.extend_from_slice(literal.as_bytes());
                        message.extend_from_slice(slots.next().map_or(b"", |slot| slot.get(index)));
                    }
                    back[*row as usize] = Some(message);
                }
            }
            let expected: Vec<_> = messages.iter().map(|message| Some(message.as_bytes().to_vec())).collect();
            prop_assert_eq!(back, expected);
        }
    }
}

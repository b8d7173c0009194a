//! One request's data as one journal record: the only form in which data enter the store, live and at
//! recovery.
//!
//! # Format
//!
//! A version byte (1), then: account (varint), region (text), namespace (text), and data until the end. A
//! datum is
//!
//! | part | form |
//! | --- | --- |
//! | head | one byte: unit × 8 + form |
//! | name | string |
//! | dimensions | varint count, then (string name, string value) each, sorted by name |
//! | second | signed varint: difference to the datum before (the first: to the epoch) |
//! | points | by form: 0 one value of weight 1; 1 a list; 2 a statistic set; 3 a statistic set and a list |
//!
//! A *string* is varint 0 and a text the first time, which gives it the next number from 1, and that number
//! afterwards. A *list* is a varint count, then values and weights in turn; a *statistic set* is sample
//! count, sum, minimum and maximum. Numbers are as [`crate::codec`] has them. The journal checksums records;
//! this format only stays within bounds.

use std::hash::BuildHasher;

use groundwatch_core::{AccountId, Region, Scope};
use hashbrown::HashTable;

use crate::codec::{Damaged, Reader, put_float, put_signed, put_text, put_varint};
use crate::sample::StatisticSet;
use crate::series_key::is_component;
use crate::{Second, Unit};

const VERSION: u8 = 1;
/// More dimensions than any version of the API has allowed; guards allocation while reading.
const DIMENSIONS_MAX: usize = 100;

/// What one datum adds to its series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Points<'a> {
    /// One value, seen once.
    One(f64),
    /// Values with weights.
    List(&'a [(f64, f64)]),
    /// A statistic set whose values are unknown.
    Set(StatisticSet),
    /// A statistic set, and values with weights that describe its distribution.
    Described(StatisticSet, &'a [(f64, f64)]),
}

/// One validated datum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Datum<'d, 's> {
    /// The metric's name.
    pub name: &'s str,
    /// (name, value), sorted by name, no name twice.
    pub dimensions: &'d [(&'s str, &'s str)],
    /// The unit.
    pub unit: Unit,
    /// When; whole minutes for standard resolution.
    pub second: Second,
    /// What.
    pub points: Points<'d>,
}

/// Writes one record. The strings of data must outlive it: the table of strings borrows them.
pub struct RecordWriter<'a> {
    out: Vec<u8>,
    strings: Vec<&'a str>,
    numbers: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    second_before: Second,
}

impl<'a> RecordWriter<'a> {
    /// A record of data in `namespace` of `scope`, of which about `data` are expected.
    pub fn new(scope: &Scope, namespace: &str, data: usize) -> Self {
        let mut out = Vec::with_capacity(64 + 32 * data);
        out.push(VERSION);
        put_varint(&mut out, scope.account.as_u64());
        put_text(&mut out, scope.region.as_str());
        put_text(&mut out, namespace);
        Self {
            out,
            strings: Vec::new(),
            numbers: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            second_before: Second::default(),
        }
    }

    /// Appends a datum.
    pub fn push(&mut self, datum: &Datum<'_, 'a>) {
        let form = match datum.points {
            Points::One(_) => 0,
            Points::List(_) => 1,
            Points::Set(_) => 2,
            Points::Described(..) => 3,
        };
        self.out.push(datum.unit.code() << 3 | form);
        self.put_string(datum.name);
        put_varint(&mut self.out, datum.dimensions.len() as u64);
        for (name, value) in datum.dimensions {
            self.put_string(name);
            self.put_string(value);
        }
        put_signed(&mut self.out, i64::from(datum.second.0) - i64::from(self.second_before.0));
        self.second_before = datum.second;
        match datum.points {
            Points::One(value) => put_float(&mut self.out, value),
            Points::List(list) => self.put_list(list),
            Points::Set(set) => self.put_set(set),
            Points::Described(set, list) => {
                self.put_set(set);
                self.put_list(list);
            }
        }
    }

    /// The finished record.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn put_string(&mut self, text: &'a str) {
        let hash = self.hasher.hash_one(text);
        let strings = &self.strings;
        if let Some(number) = self.numbers.find(hash, |number| strings[*number as usize] == text) {
            put_varint(&mut self.out, u64::from(*number) + 1);
            return;
        }
        let number = self.strings.len() as u32;
        self.strings.push(text);
        let (strings, hasher) = (&self.strings, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| hasher.hash_one(strings[*number as usize]));
        self.out.push(0);
        put_text(&mut self.out, text);
    }

    fn put_list(&mut self, list: &[(f64, f64)]) {
        put_varint(&mut self.out, list.len() as u64);
        for (value, weight) in list {
            put_float(&mut self.out, *value);
            put_float(&mut self.out, *weight);
        }
    }

    fn put_set(&mut self, set: StatisticSet) {
        for number in [set.sample_count, set.sum, set.minimum, set.maximum] {
            put_float(&mut self.out, number);
        }
    }
}

/// Reads one record, datum by datum.
pub struct RecordReader<'a> {
    /// Who owns the data.
    pub scope: Scope,
    /// The namespace of all data.
    pub namespace: &'a str,
    rest: Reader<'a>,
    strings: Vec<&'a str>,
    dimensions: Vec<(&'a str, &'a str)>,
    list: Vec<(f64, f64)>,
    second_before: Second,
}

impl<'a> RecordReader<'a> {
    /// Begins to read `record`.
    pub fn new(record: &'a [u8]) -> Result<Self, Damaged> {
        let mut rest = Reader::new(record);
        if rest.byte()? != VERSION {
            return Err(Damaged("a metrics record has a version that this release does not know"));
        }
        let account =
            AccountId::from_u64(rest.varint()?).ok_or(Damaged("an account has more than 12 digits"))?;
        let region = Region::new(component(rest.text()?)?);
        let namespace = component(rest.text()?)?;
        Ok(Self {
            scope: Scope { account, region },
            namespace,
            rest,
            strings: Vec::new(),
            dimensions: Vec::new(),
            list: Vec::new(),
            second_before: Second::default(),
        })
    }

    /// The next datum; `None` at the end.
    pub fn next_datum(&mut self) -> Result<Option<Datum<'_, 'a>>, Damaged> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let head = self.rest.byte()?;
        let unit = Unit::from_code(head >> 3).ok_or(Damaged("a unit is unknown"))?;
        let name = self.string()?;
        let dimensions = self.rest.index()?;
        if dimensions > DIMENSIONS_MAX {
            return Err(Damaged("a datum has too many dimensions"));
        }
        self.dimensions.clear();
        for _ in 0..dimensions {
            let dimension = (self.string()?, self.string()?);
            self.dimensions.push(dimension);
        }
        let second = i64::from(self.second_before.0).checked_add(self.rest.signed()?);
        let second =
            second.and_then(|second| u32::try_from(second).ok()).ok_or(Damaged("a time is out of range"))?;
        self.second_before = Second(second);
        let points = match head & 7 {
            0 => Points::One(finite(self.rest.float()?)?),
            1 => {
                self.read_list()?;
                Points::List(&self.list)
            }
            2 => Points::Set(self.read_set()?),
            3 => {
                let set = self.read_set()?;
                self.read_list()?;
                Points::Described(set, &self.list)
            }
            _ => return Err(Damaged("a datum has an unknown form")),
        };
        Ok(Some(Datum { name, dimensions: &self.dimensions, unit, second: Second(second), points }))
    }

    fn string(&mut self) -> Result<&'a str, Damaged> {
        match self.rest.index()? {
            0 => {
                let text = component(self.rest.text()?)?;
                self.strings.push(text);
                Ok(text)
            }
            number => self.strings.get(number - 1).copied().ok_or(Damaged("a string is not in the table")),
        }
    }

    fn read_list(&mut self) -> Result<(), Damaged> {
        self.list.clear();
        for _ in 0..self.rest.varint()? {
            let observation = (finite(self.rest.float()?)?, finite(self.rest.float()?)?);
            self.list.push(observation);
        }
        Ok(())
    }

    fn read_set(&mut self) -> Result<StatisticSet, Damaged> {
        let mut number = || finite(self.rest.float()?);
        Ok(StatisticSet { sample_count: number()?, sum: number()?, minimum: number()?, maximum: number()? })
    }
}

fn component(text: &str) -> Result<&str, Damaged> {
    if is_component(text) { Ok(text) } else { Err(Damaged("a name holds a NUL")) }
}

fn finite(number: f64) -> Result<f64, Damaged> {
    if number.is_finite() { Ok(number) } else { Err(Damaged("a number is not finite")) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Owned {
        name: String,
        dimensions: Vec<(String, String)>,
        unit: Unit,
        second: Second,
        set: Option<StatisticSet>,
        list: Vec<(f64, f64)>,
    }

    impl Owned {
        fn points(&self) -> Points<'_> {
            match (self.set, self.list.as_slice()) {
                (Some(set), []) => Points::Set(set),
                (Some(set), list) => Points::Described(set, list),
                (None, [(value, weight)]) if *weight == 1.0 => Points::One(*value),
                (None, list) => Points::List(list),
            }
        }
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |number| number.is_finite()),
            (-9..9i32).prop_map(f64::from)
        ]
    }

    fn owned() -> impl Strategy<Value = Owned> {
        let set =
            (number(), number(), number(), number()).prop_map(|(sample_count, sum, minimum, maximum)| {
                StatisticSet { sample_count, sum, minimum, maximum }
            });
        let parts = ("[ab]{1,2}", vec(("[a-c]", "[ -~]{1,5}"), 0..4), 0u8..27, any::<u32>());
        (parts, proptest::option::of(set), vec((number(), number()), 0..4)).prop_map(
            |((name, dimensions, unit, second), set, list)| Owned {
                name,
                dimensions,
                unit: Unit::from_code(unit).expect("27 units"),
                second: Second(second),
                set,
                list,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(data in vec(owned(), 0..20), account in 0u64..1_000_000_000_000) {
            let account = AccountId::from_u64(account).expect("in range");
            let scope = Scope { account, region: Region::new("eu-central-1") };
            let dimensions: Vec<Vec<(&str, &str)>> = data
                .iter()
                .map(|datum| datum.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
                .collect();
            let mut writer = RecordWriter::new(&scope, "My/App", data.len());
            for (datum, dimensions) in data.iter().zip(&dimensions) {
                let Owned { name, unit, second, .. } = datum;
                writer.push(&Datum { name, dimensions, unit: *unit, second: *second, points: datum.points() });
            }
            let record = writer.finish();
            let mut reader = RecordReader::new(&record).expect("a record");
            prop_assert_eq!(&reader.scope, &scope);
            prop_assert_eq!(reader.namespace, "My/App");
            for (written, dimensions) in data.iter().zip(&dimensions) {
                let read = reader.next_datum().expect("undamaged").expect("a datum");
                prop_assert_eq!(read.name, written.name.as_str());
                prop_assert_eq!(read.dimensions, dimensions.as_slice());
                prop_assert_eq!((read.unit, read.second), (written.unit, written.second));
                prop_assert_eq!(read.points, written.points());
            }
            prop_assert_eq!(reader.next_datum(), Ok(None));
        }

        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in vec(any::<u8>(), 0..200)) {
            bytes.insert(0, VERSION);
            if let Ok(mut reader) = RecordReader::new(&bytes) {
                while let Ok(Some(_)) = reader.next_datum() {}
            }
        }
    }

    #[test]
    fn a_datum_of_known_strings_is_short() {
        let scope = Scope::default();
        let mut writer = RecordWriter::new(&scope, "Bench", 2);
        let datum = Datum {
            name: "cpu_usage",
            dimensions: &[("host", "web-0001")],
            unit: Unit::Percent,
            second: Second(1_767_323_040),
            points: Points::One(12.5),
        };
        writer.push(&datum);
        let before = writer.out.len();
        writer.push(&datum);
        assert_eq!(writer.out.len() - before, 1 + 1 + 1 + 2 + 1 + 3);
    }
}

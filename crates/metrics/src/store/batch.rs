//! A record's data, decoded whole and grouped by shard: what is applied to the head.
//!
//! With a hundred thousand active series nearly every step of finding one is a cache miss, and a lock between
//! two of them makes the processor wait for each in turn. So a shard is locked once for all of a record's
//! data in it, and each step is done for all of them before the next: the misses of one step overlap. That
//! halves the cost of a value.

use std::hash::BuildHasher;
use std::ops::Range;

use super::shard::{SHARDS, shard_of};
use crate::codec::Damaged;
use crate::record::{Points, RecordReader};
use crate::sample::StatisticSet;
use crate::series_key::{namespace_prefix, push_series};
use crate::{Second, Unit};

/// The data of one record.
#[derive(Debug)]
pub(super) struct Batch {
    keys: String,
    lists: Vec<(f64, f64)>,
    data: Vec<Pending>,
    by_shard: [Vec<u32>; SHARDS],
}

/// One datum of a batch.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) hash: u64,
    pub(super) unit: Unit,
    pub(super) second: Second,
    key: Range<usize>,
    points: PendingPoints,
}

/// [`Points`] whose lists lie in the batch.
#[derive(Debug)]
enum PendingPoints {
    One(f64),
    List(Range<usize>),
    Set(Box<StatisticSet>),
    Described(Box<StatisticSet>, Range<usize>),
}

impl Batch {
    /// Decodes `record`, all of it or not at all.
    pub(super) fn decode(record: &[u8], hasher: &impl BuildHasher) -> Result<Self, Damaged> {
        let mut reader = RecordReader::new(record)?;
        let prefix = namespace_prefix(&reader.scope, reader.namespace);
        let mut batch =
            Self { keys: String::new(), lists: Vec::new(), data: Vec::new(), by_shard: Default::default() };
        while let Some(datum) = reader.next_datum()? {
            let key_from = batch.keys.len();
            batch.keys.push_str(&prefix);
            push_series(&mut batch.keys, datum.name, datum.dimensions);
            let key = key_from..batch.keys.len();
            let hash = hasher.hash_one(&batch.keys[key.clone()]);
            let points = match datum.points {
                Points::One(value) => PendingPoints::One(value),
                Points::List(list) => PendingPoints::List(batch.put_list(list)),
                Points::Set(set) => PendingPoints::Set(Box::new(set)),
                Points::Described(set, list) => PendingPoints::Described(Box::new(set), batch.put_list(list)),
            };
            let number =
                u32::try_from(batch.data.len()).map_err(|_| Damaged("a record has too many data"))?;
            batch.by_shard[shard_of(hash)].push(number);
            let (unit, second) = (datum.unit, datum.second);
            batch.data.push(Pending { hash, unit, second, key, points });
        }
        Ok(batch)
    }

    /// How many data there are.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// The data in a shard.
    pub(super) fn of_shard(&self, shard: usize) -> impl ExactSizeIterator<Item = &Pending> {
        self.by_shard[shard].iter().map(|number| &self.data[*number as usize])
    }

    /// All data.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.data.iter()
    }

    /// A datum's series.
    pub(super) fn key(&self, pending: &Pending) -> &str {
        &self.keys[pending.key.clone()]
    }

    /// A datum's points.
    pub(super) fn points(&self, pending: &Pending) -> Points<'_> {
        let list = |range: &Range<usize>| &self.lists[range.clone()];
        match &pending.points {
            PendingPoints::One(value) => Points::One(*value),
            PendingPoints::List(range) => Points::List(list(range)),
            PendingPoints::Set(set) => Points::Set(**set),
            PendingPoints::Described(set, range) => Points::Described(**set, list(range)),
        }
    }

    fn put_list(&mut self, list: &[(f64, f64)]) -> Range<usize> {
        let from = self.lists.len();
        self.lists.extend_from_slice(list);
        from..self.lists.len()
    }
}

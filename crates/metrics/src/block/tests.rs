//! A block written and read back, and blocks that are not what was written.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{BlockIndex, BlockWriter, TRAILER_LENGTH, footer_length};
use crate::codec::Damaged;
use crate::sample::{Observation, Samples, SetSample, StatisticSet};
use crate::store::SeriesId;
use crate::{Second, Unit};

/// Series are numbered by their keys: `s0007` is number 7.
fn number(key: &str) -> Option<SeriesId> {
    key.strip_prefix('s')?.parse().ok().map(SeriesId)
}

fn write(series: &BTreeMap<(u32, u8), Samples>) -> Vec<u8> {
    let mut writer = BlockWriter::new(Second(1_000_000));
    for ((number, unit), samples) in series {
        let unit = Unit::from_code(*unit).expect("a unit");
        writer.push(&format!("s{number:04}"), unit, samples);
    }
    writer.finish().expect("not empty").bytes
}

fn open(block: &[u8]) -> Result<BlockIndex, Damaged> {
    let trailer_at = block.len().checked_sub(TRAILER_LENGTH).ok_or(Damaged("too short"))?;
    let footer_length = footer_length(&block[trailer_at..])? as usize;
    let footer_at = trailer_at.checked_sub(footer_length).ok_or(Damaged("too short"))?;
    BlockIndex::parse(&block[footer_at..], number)
}

/// Everything that a block says about a series, by unit.
fn read(block: &[u8], series: u32, from: Second, until: Second) -> Result<BTreeMap<u8, Samples>, Damaged> {
    let index = open(block)?;
    let mut found: BTreeMap<u8, Samples> = BTreeMap::new();
    for entry in index.find(SeriesId(series), from, until) {
        let page = index.page(entry);
        let bytes = block.get(page.offset as usize..(page.offset + page.length) as usize);
        let page = index.decode(entry, bytes.ok_or(Damaged("beyond the end"))?)?;
        page.read(entry.rows(), from, until, found.entry(entry.unit.code()).or_default())?;
    }
    Ok(found)
}

fn samples() -> impl Strategy<Value = Samples> {
    let second = || (0..2_000_000u32).prop_map(Second);
    let observation = || {
        (second(), -1e6..1e6f64, prop_oneof![Just(1.0), 0.5..9f64])
            .prop_map(|(second, value, weight)| Observation { second, value, weight })
    };
    let set = (second(), 1.0..9f64, -9.0..9f64, any::<bool>()).prop_map(
        |(second, sample_count, sum, described)| {
            let set = StatisticSet { sample_count, sum, minimum: -1.0, maximum: sum + 1.0 };
            SetSample { second, set, described }
        },
    );
    (vec(observation(), 0..30), vec(observation(), 0..3), vec(set, 0..3)).prop_map(|(plain, shapes, sets)| {
        let mut samples = Samples { plain, shapes, sets };
        samples.sort();
        samples
    })
}

fn block() -> impl Strategy<Value = BTreeMap<(u32, u8), Samples>> {
    let all = proptest::collection::btree_map((0..300u32, 0..3u8), samples(), 1..300);
    all.prop_filter("a block has samples", |series| series.values().any(|samples| !samples.is_empty()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(series in block(), probe in any::<proptest::sample::Index>()) {
        let bytes = write(&series);
        let keys: Vec<u32> = series.keys().map(|(number, _)| *number).collect();
        let wanted = keys[probe.index(keys.len())];
        let expected: BTreeMap<u8, Samples> = series
            .iter()
            .filter(|((number, _), samples)| *number == wanted && !samples.is_empty())
            .map(|((_, unit), samples)| (*unit, samples.clone()))
            .collect();
        prop_assert_eq!(read(&bytes, wanted, Second::MIN, Second::MAX), Ok(expected));
    }

    #[test]
    fn a_flipped_bit_is_noticed_or_lies_in_another_page(series in block(), at in any::<proptest::sample::Index>(), bit in 0..8u8) {
        let mut bytes = write(&series);
        let at = at.index(bytes.len());
        let numbers: Vec<u32> = series.keys().map(|(number, _)| *number).collect();
        let read_all = |bytes: &[u8]| -> Vec<_> {
            numbers.iter().map(|number| read(bytes, *number, Second::MIN, Second::MAX)).collect()
        };
        let sound = read_all(&bytes);
        bytes[at] ^= 1 << bit;
        for (damaged, sound) in read_all(&bytes).into_iter().zip(sound) {
            if let Ok(found) = damaged {
                prop_assert_eq!(Ok(found), sound, "a wrong answer at byte {}", at);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = open(&bytes);
    }
}

#[test]
fn a_long_series_is_divided_so_that_a_short_range_is_cheap() {
    let observation = |row: u32| Observation { second: Second(row), value: f64::from(row), weight: 1.0 };
    let long = Samples { plain: (0..100_000).map(observation).collect(), ..Samples::default() };
    let series = BTreeMap::from([
        ((1, 0), long.clone()),
        ((2, 0), Samples { plain: long.plain[..10].to_vec(), ..Samples::default() }),
    ]);
    let bytes = write(&series);
    let index = open(&bytes).expect("a block");
    assert_eq!(index.find(SeriesId(1), Second(50_000), Second(50_060)).count(), 1);
    let found = read(&bytes, 1, Second(50_000), Second(50_060)).expect("undamaged");
    assert_eq!(found[&0].plain, long.plain[50_000..50_060]);
    assert_eq!(read(&bytes, 2, Second::MIN, Second::MAX).expect("undamaged")[&0].len(), 10);
    assert!(bytes.len() < 20_000, "a steady column takes {} bytes", bytes.len());
}

/// A series of a sample: its name and host, the unit, the number of rows of all kinds, and the last value.
type Row = (String, Unit, usize, (f64, f64));

/// What every sample holds, and `more`.
#[track_caller]
fn check_sample(block: &[u8], more: &[Row]) {
    let keys = std::cell::RefCell::new(Vec::new());
    let number = |key: &str| {
        let metric = crate::MetricId::of_key(key)?;
        let host = metric.dimensions.first().map(|(_, value)| value.clone()).unwrap_or_default();
        keys.borrow_mut().push(format!("{} {host}", metric.name));
        Some(SeriesId(keys.borrow().len() as u32 - 1))
    };
    let trailer_at = block.len() - TRAILER_LENGTH;
    let footer_length = footer_length(&block[trailer_at..]).expect("a known version") as usize;
    let index = BlockIndex::parse(&block[trailer_at - footer_length..], number).expect("undamaged");
    let mut found = Vec::new();
    for (entry, key) in index.entries().iter().zip(keys.borrow().iter()) {
        let page = index.page(entry);
        let bytes = &block[page.offset as usize..(page.offset + page.length) as usize];
        let mut samples = Samples::default();
        let page = index.decode(entry, bytes).expect("undamaged");
        page.read(entry.rows(), Second::MIN, Second::MAX, &mut samples).expect("undamaged");
        let values = samples.plain.iter().map(|seen| (seen.value, seen.weight));
        let last =
            values.chain(samples.sets.iter().map(|sample| (sample.set.sum, sample.set.sample_count))).last();
        found.push((key.clone(), entry.unit, samples.len(), last.expect("rows")));
    }
    let row = |key: &str, unit, rows, last| (key.to_owned(), unit, rows, last);
    let mut expected = vec![
        row("latency ", Unit::Milliseconds, 3, (100.0, 0.5)),
        row("load host-0", Unit::None, 50, (4.9, 1.0)),
        row("load host-1", Unit::None, 50, (5.9, 1.0)),
        row("load host-2", Unit::None, 50, (6.9, 1.0)),
        row("sets ", Unit::Count, 1, (10.0, 4.0)),
    ];
    expected.extend_from_slice(more);
    assert_eq!(found, expected);
}

#[test]
fn blocks_of_every_version_are_read() {
    check_sample(include_bytes!("../../tests/data/block-v1.bin"), &[]);
    check_sample(include_bytes!("../../tests/data/block-v2.bin"), &[]);
    let share = ("share ".to_owned(), Unit::Percent, 1024, (100.0 / 6001.0, 1.0));
    check_sample(include_bytes!("../../tests/data/block-v3.bin"), &[share]);
}

/// A block that is read may have been written by another release of the compressor: its bytes may differ, not
/// its meaning.
#[test]
fn what_the_sample_of_this_version_was_written_from_is_written_still() {
    let share = ("share ".to_owned(), Unit::Percent, 1024, (100.0 / 6001.0, 1.0));
    check_sample(&sample_of_this_version(), &[share]);
}

/// What the sample of this version was written from.
fn sample_of_this_version() -> Vec<u8> {
    let scope = groundwatch_core::Scope::default();
    let key = |name: &str, host: Option<u32>| {
        let dimensions = host.map(|host| ("Host".to_owned(), format!("host-{host}"))).into_iter().collect();
        let metric = crate::MetricId { namespace: "Sample".to_owned(), name: name.to_owned(), dimensions };
        metric.key(&scope).expect("a key")
    };
    let seen = |second: u32, value: f64, weight: f64| Observation { second: Second(second), value, weight };
    let plain = |plain: Vec<Observation>| Samples { plain, ..Samples::default() };
    let mut writer = BlockWriter::new(Second(1_000_000));
    let weighted = vec![seen(1_000_060, 1.5, 1.0), seen(1_000_060, 20.0, 3.0), seen(1_000_120, 100.0, 0.5)];
    writer.push(&key("latency", None), Unit::Milliseconds, &plain(weighted));
    for host in 0..3 {
        let value = |row: u32| f64::from(host) + f64::from(row) / 10.0;
        let rows = (0..50).map(|row| seen(1_000_000 + 60 * row, value(row), 1.0));
        writer.push(&key("load", Some(host)), Unit::None, &plain(rows.collect()));
    }
    let set = StatisticSet { sample_count: 4.0, sum: 10.0, minimum: 1.0, maximum: 4.0 };
    let sets = vec![SetSample { second: Second(1_000_060), set, described: false }];
    writer.push(&key("sets", None), Unit::Count, &Samples { sets, ..Samples::default() });
    let shares = (0..1024).map(|row| seen(1_000_000 + 60 * row, 100.0 * f64::from(row % 7) / 6001.0, 1.0));
    writer.push(&key("share", None), Unit::Percent, &plain(shares.collect()));
    writer.finish().expect("not empty").bytes
}

//! The metric store, as a sink of what services say about themselves.

use std::collections::BTreeMap;

use bytes::Bytes;
use groundwatch_core::{BoxFuture, Scope};
use groundwatch_metrics::{Datum, MetricStore, Points, RecordWriter, Second, StatisticSet, Unit};
use groundwatch_own_metrics::{MetricSink, Sample, SinkError, Statistics};

/// How many samples make a record of the journal, which has a largest size.
const SAMPLES_MAX: usize = 50_000;

/// How many records are appended at once.
const RECORDS_MAX: usize = 64;

/// Puts services' own metrics into the metric store.
pub(crate) struct OwnMetrics(pub(crate) MetricStore);

impl MetricSink for OwnMetrics {
    fn put(&self, samples: Vec<Sample>) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            for records in records(&samples).chunks(RECORDS_MAX) {
                self.0.append_whole(records.to_vec()).await?;
            }
            Ok(())
        })
    }
}

/// One record a scope and namespace, unless that has very many samples.
fn records(samples: &[Sample]) -> Vec<Bytes> {
    let mut places: BTreeMap<(&Scope, &str), Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        places.entry((&sample.scope, sample.namespace)).or_default().push(sample);
    }
    let of_place = |((scope, namespace), samples): (&(&Scope, &str), &Vec<&Sample>)| {
        samples.chunks(SAMPLES_MAX).map(|some| record(scope, namespace, some)).collect::<Vec<_>>()
    };
    places.iter().flat_map(of_place).collect()
}

fn record(scope: &Scope, namespace: &str, samples: &[&Sample]) -> Bytes {
    let mut writer = RecordWriter::new(scope, namespace, samples.len());
    for sample in samples {
        let dimensions: Vec<(&str, &str)> =
            sample.dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
        writer.push(&Datum {
            name: sample.name,
            dimensions: &dimensions,
            unit: sample.unit.and_then(Unit::parse).unwrap_or(Unit::None),
            second: Second::nearest(sample.minute),
            points: points(sample.statistics),
        });
    }
    Bytes::from(writer.finish())
}

fn points(statistics: Statistics) -> Points<'static> {
    let Statistics { count, sum, minimum, maximum } = statistics;
    if count == 1 {
        return Points::One(sum);
    }
    Points::Set(StatisticSet { sample_count: count as f64, sum, minimum, maximum })
}

//! `PutMetricData`: validates a request whole, and stores it whole.

use std::fmt;

use bytes::Bytes;
use groundwatch_api::cloudwatch::borrowed::{Dimension, EntityMetricData, MetricDatum, PutMetricDataInput};
use groundwatch_api::cloudwatch::{self, PutMetricData, PutMetricDataOutput};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Timestamp, intake};

use super::{Metrics, shapes};
use crate::record::{Datum, Points, RecordWriter};
use crate::sample::StatisticSet;
use crate::{Second, Unit, fault};

/// What the namespaces of AWS's own services begin with. AWS refuses data of customers there (the text is
/// what its users report); here, too, they are for what the server itself measures.
const RESERVED_NAMESPACES: &str = "AWS/";
/// Data in one request, in `MetricData` and `EntityMetricData` together.
const DATA_MAX: usize = 1000;
/// Elements of `EntityMetricData`.
const ENTITIES_MAX: usize = 2;
/// Distinct `Values` of one datum.
const VALUES_MAX: usize = 150;
/// Values lie between −2³⁶⁰ and 2³⁶⁰.
const MAGNITUDE_MAX: f64 = f64::from_bits((1023 + 360) << 52);

impl Handle<PutMetricData> for Metrics {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutMetricDataInput<'a>,
    ) -> Result<PutMetricDataOutput, Fault> {
        let record = record(call.scope(), call.received, &input)?;
        self.store.append(record).await.map_err(|error| fault::of_store(&error))?;
        Ok(PutMetricDataOutput {})
    }
}

/// The request as a journal record, or what is wrong with the first datum that is wrong.
///
/// Of `EntityMetricData` the data are stored; which entity they belong to is not, for nothing here could show
/// it.
fn record(scope: &Scope, now: Timestamp, input: &PutMetricDataInput<'_>) -> Result<Bytes, Fault> {
    let namespace = input.namespace.as_deref().expect("validated: required");
    check_text(namespace, || "Namespace".to_owned())?;
    if namespace.starts_with(RESERVED_NAMESPACES) {
        return Err(fault::value_invalid(RESERVED_NAMESPACES, "Namespace"));
    }
    let data = input.metric_data.as_deref().unwrap_or_default();
    let entities = input.entity_metric_data.as_deref().unwrap_or_default();
    let count = data.len() + entities.iter().map(|entity| entity_data(entity).len()).sum::<usize>();
    check_request(count, entities, input.strict_entity_validation)?;

    let mut request = Request {
        now,
        writer: RecordWriter::new(scope, namespace, count),
        dimensions: Vec::new(),
        list: Vec::new(),
    };
    for (index, datum) in data.iter().enumerate() {
        request.put(datum, &At { entity: None, index })?;
    }
    for (entity, with_data) in entities.iter().enumerate() {
        for (index, datum) in entity_data(with_data).iter().enumerate() {
            request.put(datum, &At { entity: Some(entity), index })?;
        }
    }
    Ok(Bytes::from(request.writer.finish()))
}

fn check_request(count: usize, entities: &[EntityMetricData<'_>], strict: Option<bool>) -> Result<(), Fault> {
    if count == 0 {
        return Err(fault::missing("MetricData"));
    }
    if count > DATA_MAX {
        return Err(fault::too_many("MetricData", DATA_MAX));
    }
    if entities.len() > ENTITIES_MAX {
        return Err(fault::too_many("EntityMetricData", ENTITIES_MAX));
    }
    if !entities.is_empty() && strict.is_none() {
        return Err(fault::missing("StrictEntityValidation"));
    }
    let keys = |entity: &EntityMetricData<'_>| {
        entity.entity.as_ref()?.key_attributes.as_ref().map(|keys| keys.len())
    };
    for (index, entity) in entities.iter().enumerate() {
        if strict == Some(true) && keys(entity).unwrap_or(0) == 0 {
            return Err(fault::missing(format_args!(
                "EntityMetricData.member.{}.Entity.KeyAttributes",
                index + 1
            )));
        }
    }
    Ok(())
}

fn entity_data<'e, 'a>(entity: &'e EntityMetricData<'a>) -> &'e [MetricDatum<'a>] {
    entity.metric_data.as_deref().unwrap_or_default()
}

/// Where a datum stands in its request. Positions are counted from 1 in every protocol (recorded).
struct At {
    entity: Option<usize>,
    index: usize,
}

impl At {
    fn member(&self, name: &str) -> String {
        format!("{self}.{name}")
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entity) = self.entity {
            write!(f, "EntityMetricData.member.{}.", entity + 1)?;
        }
        write!(f, "MetricData.member.{}", self.index + 1)
    }
}

/// A request on its way into a record, with room that all its data share.
struct Request<'a> {
    now: Timestamp,
    writer: RecordWriter<'a>,
    dimensions: Vec<(&'a str, &'a str)>,
    list: Vec<(f64, f64)>,
}

impl<'a> Request<'a> {
    fn put(&mut self, datum: &'a MetricDatum<'_>, at: &At) -> Result<(), Fault> {
        let name = datum.metric_name.as_deref().expect("validated: required");
        if !has_no_control(name) {
            return Err(fault::value_invalid(name.escape_debug(), at.member("MetricName")));
        }
        read_dimensions(datum.dimensions.as_deref().unwrap_or_default(), at, &mut self.dimensions)?;
        let second = second(datum, self.now, at)?;
        let unit = datum.unit.as_ref().and_then(shapes::unit).unwrap_or(Unit::None);
        let points = points(datum, at, &mut self.list)?;
        self.writer.push(&Datum { name, dimensions: &self.dimensions, unit, second, points });
        Ok(())
    }
}

fn read_dimensions<'a>(
    dimensions: &'a [Dimension<'_>],
    at: &At,
    sorted: &mut Vec<(&'a str, &'a str)>,
) -> Result<(), Fault> {
    sorted.clear();
    for (index, dimension) in dimensions.iter().enumerate() {
        let member = |part: &str| format!("{at}.Dimensions.member.{}.{part}", index + 1);
        let name = dimension.name.as_deref().expect("validated: required");
        let value = dimension.value.as_deref().expect("validated: required");
        check_text(name, || member("Name"))?;
        check_text(value, || member("Value"))?;
        if name.starts_with(':') {
            return Err(fault::value_invalid(name, member("Name")));
        }
        sorted.push((name, value));
    }
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(fault::dimension_name_twice());
    }
    Ok(())
}

/// ASCII without control characters, not all blank.
fn check_text(text: &str, parameter: impl FnOnce() -> String) -> Result<(), Fault> {
    let printable = text.bytes().fold(true, |printable, byte| printable & (0x20..0x7f).contains(&byte));
    if printable && !text.trim_ascii().is_empty() {
        return Ok(());
    }
    Err(fault::value_invalid(text.escape_debug(), parameter()))
}

fn has_no_control(text: &str) -> bool {
    text.bytes().fold(true, |clean, byte| clean & (byte >= 0x20) & (byte != 0x7f))
}

/// The second that a datum is stored at: standard resolution keeps whole minutes.
fn second(datum: &MetricDatum<'_>, now: Timestamp, at: &At) -> Result<Second, Fault> {
    let timestamp = datum.timestamp.map_or(now, |timestamp| timestamp.0);
    if timestamp < now - intake::AGE_MAX {
        let rule = "must specify a time no more than two weeks in the past";
        return Err(fault::parameter_must(at.member("Timestamp"), rule));
    }
    if timestamp > now + intake::AHEAD_MAX {
        let rule = "must specify a time no more than two hours in the future";
        return Err(fault::parameter_must(at.member("Timestamp"), rule));
    }
    let resolution_secs = match datum.storage_resolution {
        None | Some(60) => 60,
        Some(1) => 1,
        Some(other) => return Err(fault::value_invalid(other, at.member("StorageResolution"))),
    };
    let second = Second::containing(timestamp);
    let second = second.ok_or_else(|| fault::value_invalid(timestamp, at.member("Timestamp")))?;
    Ok(second.floor_to(resolution_secs))
}

/// What a datum says. `Values` with `StatisticValues` is no contradiction: the set is exact and the values
/// describe it.
fn points<'l>(datum: &MetricDatum<'_>, at: &At, list: &'l mut Vec<(f64, f64)>) -> Result<Points<'l>, Fault> {
    let values = datum.values.as_deref().filter(|values| !values.is_empty());
    let counts = datum.counts.as_deref();
    if datum.value.is_some() && values.is_some() {
        return Err(fault::mutually_exclusive(at.member("Value"), at.member("Values")));
    }
    if datum.value.is_some() && datum.statistic_values.is_some() {
        return Err(fault::mutually_exclusive(at.member("Value"), at.member("StatisticValues")));
    }
    if counts.is_some_and(|counts| counts.len() != values.map_or(0, <[f64]>::len)) {
        return Err(fault::sizes_differ(at.member("Values"), at.member("Counts")));
    }
    if let Some(value) = datum.value {
        return Ok(Points::One(number(value, || at.member("Value"))?));
    }
    read_list(values.unwrap_or_default(), counts, at, list)?;
    match &datum.statistic_values {
        None if values.is_none() => Err(fault::nothing_to_put(at)),
        None => Ok(Points::List(list)),
        Some(set) => {
            let set = statistic_set(set, at)?;
            match set.sole_value() {
                _ if !list.is_empty() => Ok(Points::Described(set, list)),
                Some(value) => {
                    list.push((value, set.sample_count));
                    Ok(Points::List(list))
                }
                None => Ok(Points::Set(set)),
            }
        }
    }
}

fn read_list(
    values: &[f64],
    counts: Option<&[f64]>,
    at: &At,
    list: &mut Vec<(f64, f64)>,
) -> Result<(), Fault> {
    list.clear();
    if values.len() > VALUES_MAX && distinct(values) > VALUES_MAX {
        return Err(fault::too_many(at.member("Values"), VALUES_MAX));
    }
    for (index, value) in values.iter().enumerate() {
        let member = |name: &str| format!("{at}.{name}.member.{}", index + 1);
        let value = number(*value, || member("Values"))?;
        let count = counts.map_or(1.0, |counts| counts[index]);
        if number(count, || member("Counts"))? < 0.0 {
            return Err(fault::number_invalid(count, member("Counts")));
        }
        // A value that was never seen is no sample.
        if count > 0.0 {
            list.push((value, count));
        }
    }
    Ok(())
}

fn distinct(values: &[f64]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    sorted.len()
}

fn statistic_set(set: &cloudwatch::StatisticSet, at: &At) -> Result<StatisticSet, Fault> {
    let member = |name: &str| format!("{at}.StatisticValues.{name}");
    let read = |value: Option<f64>, name: &str| number(value.expect("validated: required"), || member(name));
    let set = StatisticSet {
        sample_count: read(set.sample_count, "SampleCount")?,
        sum: read(set.sum, "Sum")?,
        minimum: read(set.minimum, "Minimum")?,
        maximum: read(set.maximum, "Maximum")?,
    };
    if set.sample_count <= 0.0 {
        return Err(fault::number_invalid(set.sample_count, member("SampleCount")));
    }
    if set.minimum > set.maximum {
        let rule = format!("must not be greater than the parameter {}", member("Maximum"));
        return Err(fault::parameter_must(member("Minimum"), &rule));
    }
    Ok(set)
}

/// A number that can be stored. Zero loses its sign, which no statistic should show.
fn number(number: f64, parameter: impl FnOnce() -> String) -> Result<f64, Fault> {
    if number.abs() <= MAGNITUDE_MAX {
        Ok(number + 0.0)
    } else {
        Err(fault::number_invalid(number, parameter()))
    }
}

//! What the load generator encodes is what Groundwatch's own wire decodes, in every protocol.

use std::time::Duration;

use groundwatch_api::cloudwatch::PutMetricData;
use groundwatch_api::cloudwatch::borrowed::{MetricDatum, PutMetricDataInput};
use groundwatch_api::logs::PutLogEvents;
use groundwatch_api::{Protocol as Wire, WireTimestamp, validate};
use groundwatch_bench::Protocol;
use groundwatch_bench::body::metric_data::{Datum, encode};
use groundwatch_bench::body::{StampedBody, log_events};
use groundwatch_bench::corpus::logs::{Event, Generator};
use groundwatch_bench::corpus::metrics::{Fleet, Series};
use groundwatch_core::Timestamp;
use groundwatch_wire::decode;

const MOMENT: Timestamp = Timestamp::from_millis(1_767_323_045_678);

fn body(protocol: Protocol, series: &[Series], values: &[f64]) -> StampedBody {
    let data: Vec<Datum<'_>> = series.iter().map(|series| Datum { series, values }).collect();
    encode(protocol, "Bench/äöü & more", &data)
}

/// Series, moment and values of a decoded datum.
fn check(datum: &MetricDatum<'_>, series: &Series, moment: Timestamp, values: &[f64]) {
    assert_eq!(datum.metric_name.as_deref(), Some(series.metric_name));
    assert_eq!(datum.unit.as_ref().map(|unit| unit.as_str()), Some(series.unit));
    let dimensions: Vec<(Option<&str>, Option<&str>)> = datum
        .dimensions
        .iter()
        .flatten()
        .map(|dimension| (dimension.name.as_deref(), dimension.value.as_deref()))
        .collect();
    let expected: Vec<_> =
        series.dimensions.iter().map(|(name, value)| (Some(*name), Some(&**value))).collect();
    assert_eq!(dimensions, expected);
    assert_eq!(datum.timestamp, Some(WireTimestamp(moment)));
    match values {
        &[value] => assert_eq!((datum.value, &datum.values), (Some(value), &None)),
        values => assert_eq!((datum.value, datum.values.as_deref()), (None, Some(values))),
    }
}

#[test]
fn metric_data_are_the_same_in_every_protocol_and_at_every_moment() {
    let fleet = Fleet::new(1, 40);
    for (protocol, wire) in
        [(Protocol::Cbor, Wire::RpcV2Cbor), (Protocol::Json, Wire::Json10), (Protocol::Query, Wire::Query)]
    {
        for values in [&[0.1 + 0.2][..], &[1.0, 2.5e9, 0.0]] {
            let mut body = body(protocol, fleet.series(), values);
            for moment in [MOMENT, MOMENT + Duration::from_millis(12_345)] {
                let bytes = body.stamped(moment);
                let input: PutMetricDataInput<'_> = decode::<PutMetricData>(wire, &bytes).expect("decodes");
                assert_eq!(input.namespace.as_deref(), Some("Bench/äöü & more"));
                let data = input.metric_data.expect("data");
                assert_eq!(data.len(), 40);
                for (datum, series) in data.iter().zip(fleet.series()) {
                    check(datum, series, moment, values);
                }
            }
        }
    }
}

#[test]
fn log_events_keep_messages_and_distances_in_time() {
    let events: Vec<Event> = Generator::new(1).take(2_000).collect();
    let bytes = [log_events::head("/a/b", "c"), log_events::tail(&events).stamped(MOMENT)].concat();
    let input = decode::<PutLogEvents>(Wire::Json11, &bytes).expect("decodes");
    assert_eq!(
        (input.log_group_name.as_deref(), input.log_stream_name.as_deref()),
        (Some("/a/b"), Some("c"))
    );
    let decoded = input.log_events.expect("events");
    assert_eq!(decoded.len(), events.len());
    let newest = events[events.len() - 1].timestamp;
    for (decoded, event) in decoded.iter().zip(&events) {
        assert_eq!(decoded.message.as_deref(), Some(&*event.message));
        assert_eq!(decoded.timestamp, Some((MOMENT - newest.since(event.timestamp)).as_millis()));
    }
}

#[test]
fn requests_satisfy_the_model_s_constraints() {
    let fleet = Fleet::new(1, 1_000);
    let bytes = encode(
        Protocol::Cbor,
        "GroundwatchBench/20260101T000000000",
        &fleet.series().iter().map(|series| Datum { series, values: &[1.0] }).collect::<Vec<_>>(),
    )
    .stamped(MOMENT);
    let input = decode::<PutMetricData>(Wire::RpcV2Cbor, &bytes).expect("decodes");
    validate::check::<PutMetricData>(&input).expect("no violation");
}

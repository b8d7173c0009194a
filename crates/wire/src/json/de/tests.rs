use std::borrow::Cow;

use groundwatch_api::logs::borrowed::PutLogEventsInput;
use groundwatch_api::{WireTimestamp, cloudwatch};
use groundwatch_core::Timestamp;

use crate::bounds::{DEPTH_MAX, ELEMENTS_MAX, STRUCTURES_MAX};
use crate::json::decode;

type Alarm = cloudwatch::PutMetricAlarmInput;

fn check(body: &str, expected: Alarm) {
    assert_eq!(decode(body.as_bytes()), Ok(expected), "{body}");
}

fn refused(body: impl AsRef<[u8]>) {
    let decoded = decode::<Alarm>(body.as_ref());
    assert!(decoded.is_err(), "{} gives {decoded:?}", String::from_utf8_lossy(body.as_ref()));
}

#[test]
fn members_of_every_kind() {
    check("", Alarm::default());
    check(" {} \n", Alarm::default());
    check(r#"{"Threshold":5}"#, Alarm { threshold: Some(5.0), ..Alarm::default() });
    check(r#"{"Threshold":"-Infinity"}"#, Alarm { threshold: Some(f64::NEG_INFINITY), ..Alarm::default() });
    check(r#"{"Period":60.0}"#, Alarm { period: Some(60), ..Alarm::default() });
    check(
        r#"{"AlarmName":null,"ActionsEnabled":true}"#,
        Alarm { actions_enabled: Some(true), ..Alarm::default() },
    );
    check(r#"{"AlarmName":"\u00fc\n"}"#, Alarm { alarm_name: Some("ü\n".to_owned()), ..Alarm::default() });
}

#[test]
fn timestamps_are_epoch_seconds_or_texts() {
    let at = Some(WireTimestamp(Timestamp::from_millis(1_767_322_853_250)));
    for value in ["1767322853.25", "1.76732285325e9", "\"2026-01-02T03:00:53.25Z\""] {
        let body = format!(r#"{{"StartTime":{value}}}"#);
        let input: cloudwatch::GetMetricDataInput = decode(body.as_bytes()).expect(value);
        assert_eq!(input.start_time, at, "{value}");
    }
}

/// Not as it should be: sonic-rs 0.5 reads `-0.0` as `0.0`. They are equal as numbers, so no statistic
/// changes. When this fails, the exception in `tests/round_trip.rs` can go.
#[test]
fn the_sign_of_zero_is_lost() {
    let zero: f64 = decode(b"-0.0").expect("a number");
    assert!(zero == 0.0 && zero.is_sign_positive());
}

#[test]
fn unknown_members_of_any_kind_are_ignored() {
    for ignored in ["1", "-2.5e3", "\"a\\nb\"", "null", "[1,[true],{}]", r#"{"a":{"b":[]}}"#] {
        check(&format!(r#"{{"X":{ignored},"Period":60}}"#), Alarm { period: Some(60), ..Alarm::default() });
    }
}

#[test]
fn what_is_not_json_or_not_the_shape_is_refused() {
    for body in [
        "{",
        "}",
        "[]",
        "null",
        "\"\"",
        "{}{}",
        "{},",
        "{\"AlarmName\"}",
        "{\"AlarmName\":'a'}",
        "{\"AlarmName\":1}",
        "{\"Period\":1.5}",
        "{\"Period\":99999999999}",
        "{\"Dimensions\":{}}",
        "{\"Dimensions\":[[\"a\",\"b\"]]}",
        "{\"X\":[1,]}",
        "{\"X\":tru}",
        "{\"X\":\"\u{1}\"}",
        "[\"name by position\"]",
    ] {
        refused(body);
    }
    refused(b"{\"AlarmName\":\"\xff\"}");
    refused(b"{\"X\":\"\xff\"}");
    refused(b"{\"\xff\":1}");
}

#[test]
fn texts_without_escapes_borrow_from_the_body() {
    let body = br#"{"logEvents":[{"message":"plain"},{"message":"a\tb"}]}"#;
    let input: PutLogEventsInput<'_> = decode(body).expect("decodes");
    let events = input.log_events.expect("events");
    assert!(matches!(events[0].message, Some(Cow::Borrowed("plain"))));
    assert!(matches!(&events[1].message, Some(Cow::Owned(text)) if text == "a\tb"));
}

#[test]
fn depth_is_bounded_for_ignored_members_too() {
    let nested = |levels: u32| {
        let levels = levels as usize;
        format!(r#"{{"X":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
    };
    check(&nested(DEPTH_MAX - 1), Alarm::default());
    refused(nested(DEPTH_MAX));
    refused(nested(10_000_000));
    refused(format!(r#"{{"X":{}"#, r#"{"a":"#.repeat(1_000_000)));
}

#[test]
fn a_small_document_cannot_ask_for_many_elements() {
    let list = |elements: u32, element: &str| {
        let elements = vec![element; elements as usize].join(",");
        format!(r#"{{"Dimensions":[{elements}],"AlarmActions":[]}}"#)
    };
    assert!(decode::<Alarm>(list(STRUCTURES_MAX - 1, "{}").as_bytes()).is_ok());
    refused(list(STRUCTURES_MAX, "{}"));
    let actions = |elements: u32| list(elements, "\"\"").replace("Dimensions", "OKActions");
    // One more is asked for to see the end.
    assert!(decode::<Alarm>(actions(ELEMENTS_MAX - 2).as_bytes()).is_ok());
    refused(actions(ELEMENTS_MAX + 1));
}

//! `PutMetricData` in the three protocols that CloudWatch speaks.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{BodyWriter, StampForm, StampedBody, cbor};
use crate::corpus::metrics::Series;
use crate::protocol::Protocol;

/// One `MetricDatum`: a series and its values, which are at least one. More than one go as `Values`.
#[derive(Clone, Copy, Debug)]
pub struct Datum<'a> {
    /// What the values are of.
    pub series: &'a Series,
    /// `Value` or `Values`.
    pub values: &'a [f64],
}

/// The body of a request that puts `data` into `namespace`; all of them carry the same timestamp.
pub fn encode(protocol: Protocol, namespace: &str, data: &[Datum<'_>]) -> StampedBody {
    match protocol {
        Protocol::Cbor => encode_cbor(namespace, data),
        Protocol::Json => encode_json(namespace, data),
        Protocol::Query => encode_query(namespace, data),
    }
}

fn encode_cbor(namespace: &str, data: &[Datum<'_>]) -> StampedBody {
    let mut body = BodyWriter::new(StampForm::DoubleSeconds);
    let out = &mut body.bytes;
    cbor::map(2, out);
    cbor::text("Namespace", out);
    cbor::text(namespace, out);
    cbor::text("MetricData", out);
    cbor::array(data.len(), out);
    for datum in data {
        let out = &mut body.bytes;
        cbor::map(5, out);
        cbor::text("MetricName", out);
        cbor::text(datum.series.metric_name, out);
        cbor::text("Dimensions", out);
        cbor::array(datum.series.dimensions.len(), out);
        for (name, value) in &datum.series.dimensions {
            cbor::map(2, out);
            cbor::text("Name", out);
            cbor::text(name, out);
            cbor::text("Value", out);
            cbor::text(value, out);
        }
        cbor::text("Timestamp", out);
        cbor::timestamp_head(out);
        body.stamp(0);
        let out = &mut body.bytes;
        match datum.values {
            &[value] => {
                cbor::text("Value", out);
                cbor::double(value, out);
            }
            values => {
                cbor::text("Values", out);
                cbor::array(values.len(), out);
                values.iter().for_each(|&value| cbor::double(value, out));
            }
        }
        cbor::text("Unit", out);
        cbor::text(datum.series.unit, out);
    }
    body.finish()
}

fn encode_json(namespace: &str, data: &[Datum<'_>]) -> StampedBody {
    let mut body = BodyWriter::new(StampForm::Seconds);
    body.text(r#"{"Namespace":"#);
    body.json_string(namespace);
    body.text(r#","MetricData":["#);
    for (index, datum) in data.iter().enumerate() {
        body.text(if index == 0 { r#"{"MetricName":"# } else { r#",{"MetricName":"# });
        body.json_string(datum.series.metric_name);
        body.text(r#","Dimensions":["#);
        for (index, (name, value)) in datum.series.dimensions.iter().enumerate() {
            body.text(if index == 0 { r#"{"Name":"# } else { r#",{"Name":"# });
            body.json_string(name);
            body.text(r#","Value":"#);
            body.json_string(value);
            body.text("}");
        }
        body.text(r#"],"Timestamp":"#);
        body.stamp(0);
        match datum.values {
            [value] => body.text(&format!(r#","Value":{value}"#)),
            values => {
                let values: Vec<String> = values.iter().map(f64::to_string).collect();
                body.text(&format!(r#","Values":[{}]"#, values.join(",")));
            }
        }
        body.text(r#","Unit":"#);
        body.json_string(datum.series.unit);
        body.text("}");
    }
    body.text("]}");
    body.finish()
}

fn encode_query(namespace: &str, data: &[Datum<'_>]) -> StampedBody {
    let mut body = BodyWriter::new(StampForm::FormIso8601);
    body.text(&format!("Action=PutMetricData&Version=2010-08-01&Namespace={}", form(namespace)));
    for (index, datum) in data.iter().enumerate() {
        let member = format!("&MetricData.member.{}", index + 1);
        body.text(&format!("{member}.MetricName={}", form(datum.series.metric_name)));
        for (index, (name, value)) in datum.series.dimensions.iter().enumerate() {
            let dimension = format!("{member}.Dimensions.member.{}", index + 1);
            body.text(&format!("{dimension}.Name={}{dimension}.Value={}", form(name), form(value)));
        }
        body.text(&format!("{member}.Timestamp="));
        body.stamp(0);
        match datum.values {
            [value] => body.text(&format!("{member}.Value={value}")),
            values => {
                for (index, value) in values.iter().enumerate() {
                    body.text(&format!("{member}.Values.member.{}={value}", index + 1));
                }
            }
        }
        body.text(&format!("{member}.Unit={}", form(datum.series.unit)));
    }
    body.finish()
}

/// What a form leaves as it is: RFC 3986's unreserved characters.
const FORM_ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn form(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, FORM_ESCAPED)
}

#[cfg(test)]
mod tests {
    use groundwatch_core::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::corpus::metrics::Fleet;

    const MOMENT: Timestamp = Timestamp::from_millis(1_767_323_045_678);

    fn encoded(protocol: Protocol, values: &[f64]) -> (Vec<u8>, Series) {
        let series = Fleet::new(1, 40).series()[10].clone();
        let mut body = encode(protocol, "Bench/x y", &[Datum { series: &series, values }]);
        (body.stamped(MOMENT).to_vec(), series)
    }

    #[test]
    fn json_reads_back() {
        let (body, series) = encoded(Protocol::Json, &[12.5]);
        let dimensions: Vec<Value> =
            series.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
        let datum = json!({
            "MetricName": series.metric_name, "Dimensions": dimensions, "Timestamp": 1_767_323_045.678, "Value": 12.5,
            "Unit": series.unit,
        });
        let read: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(read, json!({"Namespace": "Bench/x y", "MetricData": [datum]}));
    }

    #[test]
    fn several_values_go_as_a_list() {
        let (body, _) = encoded(Protocol::Json, &[1.0, 2.25]);
        let read: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(read["MetricData"][0]["Values"], json!([1, 2.25]));
        assert_eq!(read["MetricData"][0].get("Value"), None);

        let (body, _) = encoded(Protocol::Query, &[1.0, 2.25]);
        let text = String::from_utf8(body).expect("a form is text");
        assert!(text.contains("&MetricData.member.1.Values.member.1=1&"), "{text}");
        assert!(text.contains("&MetricData.member.1.Values.member.2=2.25&"), "{text}");
    }

    #[test]
    fn query_is_an_escaped_form_with_numbered_members() {
        let (body, series) = encoded(Protocol::Query, &[12.5]);
        let [(first, instance), (second, service), (third, device)] = &series.dimensions[..] else {
            panic!("the tenth series has three dimensions: {series:?}");
        };
        let datum = "&MetricData.member.1";
        let expected = [
            "Action=PutMetricData&Version=2010-08-01&Namespace=Bench%2Fx%20y".to_owned(),
            format!("{datum}.MetricName={}", series.metric_name),
            format!("{datum}.Dimensions.member.1.Name={first}{datum}.Dimensions.member.1.Value={instance}"),
            format!("{datum}.Dimensions.member.2.Name={second}{datum}.Dimensions.member.2.Value={service}"),
            format!("{datum}.Dimensions.member.3.Name={third}{datum}.Dimensions.member.3.Value={device}"),
            format!("{datum}.Timestamp=2026-01-02T03%3A04%3A05.678Z{datum}.Value=12.5"),
            format!("{datum}.Unit={}", series.unit.replace('/', "%2F")),
        ];
        assert_eq!(String::from_utf8(body).expect("a form is text"), expected.concat());
    }

    /// The whole structure, member by member: heads as RFC 8949 defines them, and what they announce.
    #[test]
    fn cbor_has_the_members_that_its_heads_announce() {
        let (body, series) = encoded(Protocol::Cbor, &[12.5]);
        let mut expected = vec![0xA2];
        let text = |text: &str, out: &mut Vec<u8>| {
            let length = u8::try_from(text.len()).expect("names here are short");
            match length {
                0..24 => out.push(0x60 | length),
                _ => out.extend([0x78, length]),
            }
            out.extend(text.as_bytes());
        };
        text("Namespace", &mut expected);
        text("Bench/x y", &mut expected);
        text("MetricData", &mut expected);
        expected.extend([0x81, 0xA5]);
        text("MetricName", &mut expected);
        text(series.metric_name, &mut expected);
        text("Dimensions", &mut expected);
        expected.push(0x83);
        for (name, value) in &series.dimensions {
            expected.push(0xA2);
            text("Name", &mut expected);
            text(name, &mut expected);
            text("Value", &mut expected);
            text(value, &mut expected);
        }
        text("Timestamp", &mut expected);
        expected.extend([0xC1, 0xFB]);
        expected.extend(1_767_323_045.678_f64.to_be_bytes());
        text("Value", &mut expected);
        expected.push(0xFB);
        expected.extend(12.5_f64.to_be_bytes());
        text("Unit", &mut expected);
        text(series.unit, &mut expected);
        assert_eq!(body, expected);
    }
}

use groundwatch_api::{cloudwatch, common, logs, sns};
use http_body_util::BodyExt;

use super::*;

/// Status, `x-amzn-query-error` and body of a fault's answer.
#[track_caller]
fn check(fault: &Fault, dialect: Dialect, status: u16, query_error: Option<&str>, body: &str) {
    let id = RequestId("11111111-2222-3333-4444-555555555555".to_owned());
    let answer = render(fault, &dialect, &id);
    assert_eq!(answer.status(), status);
    let header =
        |name| answer.headers().get(name).map(|value: &HeaderValue| value.to_str().expect("text").to_owned());
    assert_eq!(header("x-amzn-query-error").as_deref(), query_error);
    assert_eq!(header("x-amzn-requestid").as_deref(), Some(id.0.as_str()));
    let collected = futures_util::FutureExt::now_or_never(answer.into_body().collect());
    let bytes = collected.expect("is all there").expect("cannot fail").to_bytes();
    if dialect.protocol == Protocol::RpcV2Cbor {
        let members: BTreeMap<String, String> = cbor::decode(&bytes).expect("a map of texts");
        assert_eq!(format!("{members:?}"), body);
    } else {
        assert_eq!(String::from_utf8_lossy(&bytes), body);
    }
}

fn speaking(protocol: Protocol, service: &'static Service) -> Dialect {
    Dialect { protocol, service: Some(service), query_mode: false }
}

fn in_query_mode(protocol: Protocol, service: &'static Service) -> Dialect {
    Dialect { query_mode: true, ..speaking(protocol, service) }
}

/// SetAlarmState on an unknown alarm, as recorded: without a message, 404 for those who know the statuses of
/// old.
#[test]
fn status_is_collapsed_unless_the_client_knows_better() {
    let fault = cloudwatch::errors::RESOURCE_NOT_FOUND.bare();
    let type_only = r#"{"__type":"com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"}"#;
    let both_codes = Some("ResourceNotFound;Sender");
    check(&fault, speaking(Protocol::Json10, &cloudwatch::SERVICE), 400, both_codes, type_only);
    check(&fault, in_query_mode(Protocol::Json10, &cloudwatch::SERVICE), 404, both_codes, type_only);
    let cbor = r#"{"__type": "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"}"#;
    check(&fault, speaking(Protocol::RpcV2Cbor, &cloudwatch::SERVICE), 400, both_codes, cbor);
    check(&fault, in_query_mode(Protocol::RpcV2Cbor, &cloudwatch::SERVICE), 404, both_codes, cbor);
    check(
        &fault,
        speaking(Protocol::Query, &cloudwatch::SERVICE),
        404,
        None,
        "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><Error><Type>Sender</Type>\
         <Code>ResourceNotFound</Code></Error><RequestId>11111111-2222-3333-4444-555555555555</RequestId>\
         </ErrorResponse>",
    );
}

#[test]
fn both_names_of_a_code_travel() {
    let fault = cloudwatch::errors::INVALID_PARAMETER_VALUE_EXCEPTION.with("no <good>");
    check(
        &fault,
        in_query_mode(Protocol::Json10, &cloudwatch::SERVICE),
        400,
        Some("InvalidParameterValue;Sender"),
        r#"{"__type":"com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException","message":"no <good>"}"#,
    );
    check(
        &fault,
        speaking(Protocol::Query, &sns::SERVICE),
        400,
        None,
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>InvalidParameterValue</Code><Message>no &lt;good&gt;</Message></Error>\
         <RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>",
    );
}

#[test]
fn violated_constraints_are_the_frameworks_in_cloudwatch_and_the_services_in_logs() {
    let wrong = cloudwatch::SERVICE.validation_error.with("1 validation error detected");
    check(
        &wrong,
        in_query_mode(Protocol::Json10, &cloudwatch::SERVICE),
        400,
        Some("ValidationError;Sender"),
        r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"1 validation error detected"}"#,
    );
    let wrong = logs::SERVICE.validation_error.with("1 validation error detected");
    check(
        &wrong,
        speaking(Protocol::Json11, &logs::SERVICE),
        400,
        None,
        r#"{"__type":"InvalidParameterException","message":"1 validation error detected"}"#,
    );
}

#[test]
fn our_own_failures_are_the_receivers() {
    let fault = common::INTERNAL_FAILURE.with("sorry");
    check(
        &fault,
        speaking(Protocol::Json10, &cloudwatch::SERVICE),
        500,
        Some("InternalFailure;Receiver"),
        r#"{"__type":"com.amazon.coral.service#InternalFailure","message":"sorry"}"#,
    );
    let dialect = Dialect { protocol: Protocol::Query, service: None, query_mode: false };
    check(
        &fault,
        dialect,
        500,
        None,
        "<ErrorResponse><Error><Type>Receiver</Type><Code>InternalFailure</Code><Message>sorry</Message></Error>\
         <RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>",
    );
}

#[test]
fn further_members_of_an_error_travel_beside_the_message() {
    let mut fault = logs::errors::RESOURCE_NOT_FOUND_EXCEPTION.with("gone");
    fault.details.push(("resource", "group".to_owned()));
    let json = r#"{"__type":"ResourceNotFoundException","message":"gone","resource":"group"}"#;
    check(&fault, speaking(Protocol::Json11, &logs::SERVICE), 400, None, json);
}

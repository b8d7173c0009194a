//! Structured logs of applications: one JSON object a line, a common head and fields that depend on the
//! message.

use super::{Random, Scene, vocabulary};

pub(super) fn write(random: &mut Random, scene: &Scene<'_>, out: &mut String) {
    let level =
        *random.pick(&["INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "DEBUG", "DEBUG", "WARN", "ERROR"]);
    let (time, service, host) =
        (scene.timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"), scene.service, scene.host);
    let (version, zone) = (random.pick(&vocabulary::VERSIONS), random.pick(&vocabulary::REGIONS));
    put!(
        out,
        r#"{{"time":"{time}","level":"{level}","service":"{service}","version":"{version}","host":"{host}","#
    );
    put!(out, r#""zone":"{zone}","trace_id":"{:032x}","span_id":"{:016x}","#, scene.trace, random.bits());
    match level {
        "ERROR" => failure(random, out),
        "WARN" => slow_call(random, out),
        "DEBUG" => query(random, out),
        _ => business(random, out),
    }
    out.push('}');
}

fn business(random: &mut Random, out: &mut String) {
    let user = vocabulary::user_id(random);
    let duration_ms = random.log_normal(38.0, 0.8);
    put!(out, r#""user_id":{user},"duration_ms":{duration_ms:.3},"#);
    if random.chance(0.5) {
        let order = 90_000_000 + random.below(9_000_000);
        let (items, cents) = (random.between(1, 9), random.log_normal(5_400.0, 0.9) as u64);
        let currency = random.pick(&vocabulary::CURRENCIES);
        put!(out, r#""msg":"order accepted","order":{{"id":"ORD-{order}","items":{items},"#);
        put!(out, r#""amount_cents":{cents},"currency":"{currency}","express":{}}}"#, random.chance(0.2));
    } else {
        let (method, status) = (*random.pick(&["GET", "GET", "GET", "POST"]), vocabulary::status(random));
        put!(
            out,
            r#""msg":"request completed","request_id":"{}","http":{{"method":"{method}","path":""#,
            random.uuid()
        );
        vocabulary::path(random, out);
        let (bytes, client) = (random.log_normal(2_100.0, 1.1) as u64, vocabulary::client_address(random));
        put!(out, r#"","status":{status},"bytes":{bytes},"client_ip":"{client}"}}"#);
    }
}

fn query(random: &mut Random, out: &mut String) {
    let (table, rows) = (random.pick(&vocabulary::TABLES), random.skewed(500));
    let (user, took_us) = (vocabulary::user_id(random), random.log_normal(850.0, 1.0) as u64);
    put!(
        out,
        r#""msg":"query executed","sql":"SELECT * FROM {table} WHERE customer_id = $1 AND state <> $2","#
    );
    put!(
        out,
        r#""args":[{user},"closed"],"rows":{rows},"took_us":{took_us},"pool":{{"idle":{},"busy":{}}}"#,
        random.below(16),
        random.below(16)
    );
}

fn slow_call(random: &mut Random, out: &mut String) {
    let (address, attempt) = (vocabulary::internal_address(random), random.between(1, 4));
    let (target, waited_ms) = (random.pick(&vocabulary::SERVICES), random.log_normal(900.0, 0.5) as u64);
    put!(
        out,
        r#""msg":"upstream call was slow, retrying","upstream":"{target}","address":"{address}:8443","#
    );
    put!(out, r#""attempt":{attempt},"waited_ms":{waited_ms},"deadline_ms":1500"#);
}

fn failure(random: &mut Random, out: &mut String) {
    let (user, cents) = (vocabulary::user_id(random), random.log_normal(5_400.0, 0.9) as u64);
    let reason = *random.pick(&[
        "card declined by issuer",
        "connection reset by peer",
        "deadline exceeded",
        "duplicate key value violates unique constraint \\\"orders_pkey\\\"",
    ]);
    put!(
        out,
        r#""user_id":{user},"amount_cents":{cents},"msg":"payment could not be captured","error":"{reason}","#
    );
    put!(out, r#""provider_ref":"pi_{}","retryable":{}"#, random.uuid(), random.chance(0.5));
}

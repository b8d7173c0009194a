//! Lines of `key=value` pairs, as workers and schedulers write them.

use super::{Random, Scene, vocabulary};

pub(super) fn write(random: &mut Random, scene: &Scene<'_>, out: &mut String) {
    let (time, service, host) =
        (scene.timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"), scene.service, scene.host);
    let level = *random.pick(&["info", "info", "info", "info", "debug", "warn", "error"]);
    put!(out, "ts={time} level={level} svc={service} host={host} trace={:032x}", scene.trace);
    match random.below(3) {
        0 => job(random, out),
        1 => cache(random, out),
        _ => queue(random, out),
    }
}

fn job(random: &mut Random, out: &mut String) {
    let (job, worker) = (random.uuid(), random.below(64));
    let (rows, took_ms) = (random.log_normal(1_300.0, 1.2) as u64, random.log_normal(480.0, 0.9));
    let name = random.pick(&["rebuild-index", "expire-sessions", "send-digest", "sync-stock"]);
    put!(
        out,
        " msg=\"job finished\" job={name} id={job} worker={worker} rows={rows} took_ms={took_ms:.2} outcome=ok"
    );
}

fn cache(random: &mut Random, out: &mut String) {
    let (product, shard) = (vocabulary::product_id(random), random.below(32));
    let (hit, bytes) = (random.chance(0.83), random.log_normal(900.0, 1.0) as u64);
    let ttl_secs = random.below(3_600);
    put!(
        out,
        " msg=\"cache lookup\" key=product:{product}:v3 shard={shard} hit={hit} bytes={bytes} ttl={ttl_secs}s"
    );
}

fn queue(random: &mut Random, out: &mut String) {
    let (message, user) = (random.uuid(), vocabulary::user_id(random));
    let (lag_ms, depth) = (random.log_normal(120.0, 1.3) as u64, random.skewed(20_000));
    let offset = random.below(10_000_000_000);
    put!(
        out,
        " msg=\"message consumed\" queue=order-events partition={} offset={offset} id={message} user={user} ",
        random.below(12)
    );
    put!(out, "lag_ms={lag_ms} depth={depth}");
}

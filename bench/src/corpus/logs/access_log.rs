//! Access logs of web servers and proxies: the combined format, with request time and upstream at its end.

use super::{Random, Scene, vocabulary};

pub(super) fn write(random: &mut Random, scene: &Scene<'_>, out: &mut String) {
    let client = vocabulary::client_address(random);
    put!(out, "{client} - ");
    match random.chance(0.3) {
        true => put!(out, "u{}", vocabulary::user_id(random)),
        false => out.push('-'),
    }
    let time = scene.timestamp.strftime("%d/%b/%Y:%H:%M:%S +0000");
    let method = *random.pick(&["GET", "GET", "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE"]);
    put!(out, " [{time}] \"{method} ");
    vocabulary::path(random, out);
    let (status, bytes) = (vocabulary::status(random), random.log_normal(4_200.0, 1.2) as u64);
    put!(out, " HTTP/1.1\" {status} {bytes} \"");
    match random.chance(0.5) {
        true => {
            out.push_str("https://shop.example.com");
            vocabulary::path(random, out);
        }
        false => out.push('-'),
    }
    let agent = random.pick(&vocabulary::USER_AGENTS);
    let request_secs = random.log_normal(0.024, 0.9);
    let upstream = vocabulary::internal_address(random);
    put!(out, "\" \"{agent}\" rt={request_secs:.3} upstream={upstream}:8080 trace={:032x}", scene.trace);
}

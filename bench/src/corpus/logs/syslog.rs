//! A machine's own log, in the form of RFC 3164: short lines of daemons and of the kernel.

use super::{Random, Scene, vocabulary};

pub(super) fn write(random: &mut Random, scene: &Scene<'_>, out: &mut String) {
    let (time, host) = (scene.timestamp.strftime("%b %e %H:%M:%S"), scene.host);
    put!(out, "{time} {host} ");
    let pid = random.between(300, 65_000);
    let (peer, port) = (vocabulary::client_address(random), random.between(1_024, 65_535));
    match random.below(6) {
        0 => {
            let user = random.pick(&["root", "admin", "ubuntu", "deploy", "oracle", "git"]);
            put!(out, "sshd[{pid}]: Failed password for invalid user {user} from {peer} port {port} ssh2");
        }
        1 => {
            put!(
                out,
                "sshd[{pid}]: Accepted publickey for deploy from {peer} port {port} ssh2: ED25519 SHA256:"
            );
            random.push_hex(43, out);
        }
        2 => {
            let (seconds, length) = (random.below(9_000_000), random.between(40, 1_500));
            put!(out, "kernel: [{seconds}.{:06}] [UFW BLOCK] IN=ens5 OUT= MAC=0a:", random.below(1_000_000));
            random.push_hex(10, out);
            let target = vocabulary::internal_address(random);
            put!(
                out,
                " SRC={peer} DST={target} LEN={length} TOS=0x00 PREC=0x00 TTL={} ID={} PROTO=TCP SPT={port} DPT={}",
                random.between(30, 255),
                random.below(65_536),
                random.pick(&[22, 23, 445, 3389, 8080])
            );
        }
        3 => put!(
            out,
            "systemd[1]: session-{pid}.scope: Deactivated successfully, consumed {:.3}s CPU time.",
            random.log_normal(0.4, 1.0)
        ),
        4 => put!(
            out,
            "CRON[{pid}]: (www-data) CMD (/usr/local/bin/rotate-sessions --older-than {}h)",
            random.between(1, 48)
        ),
        _ => {
            let (offset_us, delay_us) = (random.normal() * 120.0, random.log_normal(900.0, 0.6));
            put!(
                out,
                "chronyd[{pid}]: Selected source {peer}, offset {offset_us:+.1} us, delay {delay_us:.1} us"
            );
        }
    }
}

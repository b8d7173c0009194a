//! Java services: one line a message, and now and then a stack trace, which is one event of many lines.

use super::{Random, Scene, vocabulary};

const LOGGERS: [&str; 6] = [
    "c.e.shop.billing.InvoiceService",
    "c.e.shop.billing.LedgerWriter",
    "c.e.shop.orders.OrderStateMachine",
    "o.s.web.servlet.DispatcherServlet",
    "c.zaxxer.hikari.pool.HikariPool",
    "c.e.shop.common.RetryTemplate",
];

const EXCEPTIONS: [(&str, &str); 5] = [
    ("java.net.SocketTimeoutException", "Read timed out"),
    ("java.lang.IllegalStateException", "Invoice is already closed"),
    ("org.postgresql.util.PSQLException", "ERROR: deadlock detected"),
    ("java.lang.NullPointerException", "Cannot invoke \"Order.customer()\" because \"order\" is null"),
    ("java.util.concurrent.TimeoutException", "Did not observe any item or terminal signal within 2000ms"),
];

const PACKAGES: [&str; 8] = [
    "com.example.shop.billing.InvoiceService",
    "com.example.shop.orders.OrderStateMachine",
    "com.example.shop.common.RetryTemplate",
    "org.springframework.aop.framework.CglibAopProxy$CglibMethodInvocation",
    "org.springframework.transaction.interceptor.TransactionInterceptor",
    "java.util.concurrent.ThreadPoolExecutor$Worker",
    "org.apache.catalina.core.ApplicationFilterChain",
    "io.netty.channel.AbstractChannelHandlerContext",
];

const METHODS: [&str; 9] = [
    "proceed",
    "invoke",
    "doFilter",
    "execute",
    "close",
    "lambda$apply$3",
    "run",
    "fireChannelRead",
    "commit",
];

pub(super) fn write(random: &mut Random, scene: &Scene<'_>, out: &mut String) {
    let time = scene.timestamp.strftime("%Y-%m-%d %H:%M:%S.%3f");
    let (thread, logger) = (random.below(200), random.pick(&LOGGERS));
    let failed = random.chance(0.105);
    let level = if failed { "ERROR" } else { *random.pick(&["INFO", "INFO", "INFO", "DEBUG", "WARN"]) };
    put!(out, "{time} {level:>5} [http-nio-8080-exec-{thread}] [trace={:032x}] {logger} - ", scene.trace);
    match failed {
        true => stack_trace(random, out),
        false => message(random, out),
    }
}

fn message(random: &mut Random, out: &mut String) {
    let (user, invoice) = (vocabulary::user_id(random), random.below(100_000_000));
    match random.below(3) {
        0 => {
            let cents = random.log_normal(6_000.0, 0.9) as u64;
            put!(
                out,
                "Invoice INV-{invoice:08} for customer {user} written, total={}.{:02} EUR",
                cents / 100,
                cents % 100
            );
        }
        1 => {
            let (took_ms, entity) = (random.log_normal(14.0, 0.8) as u64, random.pick(&vocabulary::TABLES));
            put!(
                out,
                "Flushed {} entities of {entity} in {took_ms} ms (session {})",
                random.between(1, 60),
                random.uuid()
            );
        }
        _ => put!(
            out,
            "Order {invoice} moved from RESERVED to PAID after {} ms",
            random.log_normal(700.0, 1.0) as u64
        ),
    }
}

fn stack_trace(random: &mut Random, out: &mut String) {
    let user = vocabulary::user_id(random);
    let (exception, text) = random.pick(&EXCEPTIONS);
    put!(out, "Could not close the invoice of customer {user}\n{exception}: {text}");
    // Code takes a few hundred paths to its errors: frames of one path are always the same.
    let path = random.skewed(300);
    let mut frames = Random::new(path);
    push_frames(&mut frames, 12, 34, out);
    if frames.chance(0.4) {
        let (cause, reason) = frames.pick(&EXCEPTIONS);
        put!(out, "\nCaused by: {cause}: {reason}");
        push_frames(&mut frames, 4, 12, out);
        put!(out, "\n\t... {} common frames omitted", frames.between(10, 60));
    }
}

fn push_frames(frames: &mut Random, least: u64, most: u64, out: &mut String) {
    for _ in 0..frames.between(least, most) {
        let (class, method) = (frames.pick(&PACKAGES), frames.pick(&METHODS));
        let file = class.rsplit('.').next().and_then(|name| name.split('$').next()).unwrap_or(class);
        put!(out, "\n\tat {class}.{method}({file}.java:{})", frames.between(20, 900));
    }
}

//! Words of an imaginary shop: what repeats in its logs.

use super::Random;

pub(super) const SERVICES: [&str; 20] = [
    "checkout",
    "edge-proxy",
    "inventory",
    "billing",
    "search",
    "bastion",
    "storefront",
    "payments",
    "scheduler",
    "api-gateway",
    "recommendations",
    "ledger",
    "image-proxy",
    "accounts",
    "mailer",
    "cart",
    "node-agent",
    "static-assets",
    "fulfilment",
    "notifications",
];

pub(super) const VERSIONS: [&str; 4] = ["4.18.0", "4.18.1", "4.19.0-rc2", "3.7.12"];

pub(super) const REGIONS: [&str; 4] = ["eu-central-1a", "eu-central-1b", "eu-central-1c", "us-east-1d"];

pub(super) const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "SEK"];

pub(super) const TABLES: [&str; 6] =
    ["orders", "order_items", "customers", "sessions", "stock_levels", "invoices"];

pub(super) const ROUTES: [&str; 14] = [
    "/",
    "/api/v2/cart",
    "/api/v2/cart/items",
    "/api/v2/orders",
    "/api/v2/orders/{id}",
    "/api/v2/products/{id}",
    "/api/v2/products/{id}/reviews",
    "/api/v2/search",
    "/api/v2/session",
    "/api/v2/users/{id}/addresses",
    "/healthz",
    "/static/app.{hash}.js",
    "/static/img/{id}.webp",
    "/login",
];

pub(super) const SEARCH_WORDS: [&str; 12] = [
    "running+shoes",
    "kettle",
    "usb-c+cable",
    "garden+hose",
    "tea",
    "winter+jacket",
    "desk+lamp",
    "bike+light",
    "notebook",
    "coffee+grinder",
    "phone+case",
    "yoga+mat",
];

pub(super) const USER_AGENTS: [&str; 9] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "okhttp/4.12.0",
    "python-requests/2.32.3",
    "kube-probe/1.31",
];

/// A path that fits a route: identifiers and hashes are filled in.
pub(super) fn path(random: &mut Random, out: &mut String) {
    let route = random.pick(&ROUTES);
    for piece in route.split_inclusive(['{', '}']) {
        match piece {
            "id}" => put!(out, "{}", product_id(random)),
            "hash}" => random.push_hex(8, out),
            literal => out.push_str(literal.trim_end_matches('{')),
        }
    }
    if *route == "/api/v2/search" {
        let (words, page) = (random.pick(&SEARCH_WORDS), random.skewed(40));
        put!(out, "?q={words}&page={page}");
    }
}

/// One of two million users; some come often.
pub(super) fn user_id(random: &mut Random) -> u64 {
    10_000_000 + random.skewed(2_000_000) * 7
}

/// One of 200,000 products; some are popular.
pub(super) fn product_id(random: &mut Random) -> u64 {
    400_000 + random.skewed(200_000) * 3
}

/// The address of one of 300,000 clients; some come often.
pub(super) fn client_address(random: &mut Random) -> std::net::Ipv4Addr {
    let client = Random::new(random.skewed(300_000)).bits();
    let [a, b, c, d, ..] = client.to_le_bytes();
    // First octets of unicast networks that are not private or loopback.
    std::net::Ipv4Addr::new(a % 98 + 24, b, c, d)
}

/// An address inside the fleet's network.
pub(super) fn internal_address(random: &mut Random) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::new(10, random.below(16) as u8, random.below(256) as u8, random.between(4, 250) as u8)
}

/// An HTTP status, mostly 200.
pub(super) fn status(random: &mut Random) -> u16 {
    match random.below(1000) {
        0..860 => 200,
        860..890 => 304,
        890..915 => 201,
        915..935 => 302,
        935..965 => 404,
        965..975 => 401,
        975..985 => 400,
        985..992 => 500,
        992..996 => 502,
        _ => 503,
    }
}

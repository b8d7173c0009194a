//! Requests that web pages make a browser send: refused unless they are signed, or the page came from here.
//!
//! While signatures are not verified, any page that somebody opens could otherwise post forms to a server on
//! the same machine: browsers send those without asking first. Forms cannot have an `Authorization` header,
//! and for scripts that set one browsers ask first; a credential in the query string proves nothing of that
//! kind.

use groundwatch_api::Fault;
use http::header;
use http::request::Parts;

use crate::fault;
use crate::request::text;

/// Says which kind of page a request comes from. Sent by every browser since 2023.
const FETCH_SITE: &str = "sec-fetch-site";

/// Refuses what comes unsigned from a page of another origin.
pub(crate) fn refuse_foreign_pages(head: &Parts) -> Result<(), Fault> {
    if is_foreign(head) && !head.headers.contains_key(header::AUTHORIZATION) {
        return Err(fault::foreign_page());
    }
    Ok(())
}

fn is_foreign(head: &Parts) -> bool {
    match text(&head.headers, FETCH_SITE) {
        // `none`: typed into the address bar.
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => head.headers.contains_key(header::ORIGIN) && !is_own_origin(head),
    }
}

/// Whether the page came from the host that the request goes to.
fn is_own_origin(head: &Parts) -> bool {
    let host = text(&head.headers, header::HOST.as_str())
        .or_else(|| head.uri.authority().map(http::uri::Authority::as_str));
    let page = text(&head.headers, header::ORIGIN.as_str())
        .and_then(|origin| origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")));
    page.is_some() && page == host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &str)], refused: bool) {
        let mut request = http::Request::post("/?X-Amz-Credential=A/1/r/s/aws4_request");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        assert_eq!(refuse_foreign_pages(&head).is_err(), refused, "{headers:?}");
    }

    #[test]
    fn unsigned_requests_of_other_origins_are_refused() {
        let host = ("host", "127.0.0.1:4566");
        check(&[host], false);
        check(&[host, ("origin", "http://127.0.0.1:4566")], false);
        check(&[host, ("origin", "http://127.0.0.1:8080")], true);
        check(&[host, ("origin", "https://example.com")], true);
        check(&[host, ("origin", "null")], true);
        check(&[host, ("origin", "https://example.com"), ("authorization", "AWS4-HMAC-SHA256 …")], false);
        check(&[host, ("sec-fetch-site", "cross-site")], true);
        check(&[host, ("sec-fetch-site", "same-site")], true);
        check(&[host, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:4566")], false);
        check(&[host, ("sec-fetch-site", "none")], false);
    }
}

//! Which error an answer reports: each protocol has its own place for the code.

use bytes::Bytes;
use hyper::Response;

/// Code and message of an answer that is not a success. An answer in no known form yields its status as code.
pub(crate) fn error_of(answer: &Response<Bytes>) -> (String, String) {
    let body = answer.body();
    let found = in_json(body).or_else(|| in_xml(body)).or_else(|| in_cbor(body));
    let (code, message) =
        found.unwrap_or_else(|| (format!("Http{}", answer.status().as_u16()), excerpt(body)));
    // Some services put a namespace before the name, and some a link behind it.
    let code = code.rsplit('#').next().and_then(|code| code.split(':').next()).unwrap_or_default().to_owned();
    (code, message)
}

fn in_json(body: &[u8]) -> Option<(String, String)> {
    #[derive(serde::Deserialize)]
    struct Error {
        #[serde(rename = "__type", alias = "code")]
        code: String,
        #[serde(default, alias = "Message")]
        message: String,
    }
    let error: Error = serde_json::from_slice(body).ok()?;
    Some((error.code, error.message))
}

fn in_xml(body: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(content, _)| content.to_owned())
    };
    Some((element("Code")?, element("Message").unwrap_or_default()))
}

fn in_cbor(body: &[u8]) -> Option<(String, String)> {
    Some((cbor_member(body, "__type")?, cbor_member(body, "message").unwrap_or_default()))
}

/// The text of a member with a text key, wherever in the document; good enough for the flat map of an error.
fn cbor_member(body: &[u8], key: &str) -> Option<String> {
    let key: Vec<u8> = [&[0x60 | u8::try_from(key.len()).ok()?], key.as_bytes()].concat();
    let at = body.windows(key.len()).position(|window| window == key)?;
    let value = &body[at + key.len()..];
    let (length, text) = match *value {
        [head @ 0x60..=0x77, ref rest @ ..] => (usize::from(head - 0x60), rest),
        [0x78, length, ref rest @ ..] => (usize::from(length), rest),
        [0x79, high, low, ref rest @ ..] => (usize::from(u16::from_be_bytes([high, low])), rest),
        _ => return None,
    };
    String::from_utf8(text.get(..length)?.to_vec()).ok()
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: impl Into<Bytes>, code: &str, message: &str) {
        let answer = Response::builder().status(400).body(body.into()).expect("a response");
        assert_eq!(error_of(&answer), (code.to_owned(), message.to_owned()));
    }

    #[test]
    fn codes_are_found_in_every_protocol() {
        check(r#"{"__type":"ThrottlingException","message":"later"}"#, "ThrottlingException", "later");
        check(r#"{"__type":"com.amazonaws.x#Bad:http://y","Message":"no"}"#, "Bad", "no");
        check(
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>later</Message></Error></ErrorResponse>",
            "Throttling",
            "later",
        );
        check(&b"\xA2\x66__type\x63a#B\x67message\x78\x02no"[..], "B", "no");
        check(&b"\xBF\x66__type\x79\x00\x01B\xFF"[..], "B", "");
    }

    #[test]
    fn answers_in_no_known_form_show_their_status() {
        check("out of order", "Http400", "out of order");
        check("", "Http400", "");
        check(&b"\xA1\x66__type\x78\xFFshort"[..], "Http400", "\u{FFFD}f__typex\u{FFFD}short");
    }
}

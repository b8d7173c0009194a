//! Cuts a message into what stays the same among messages of one shape, and what varies: its slots.
//!
//! Cutting decides how well events compress, never whether they come back: text between slots is kept as it
//! is, so any choice of slots is right. Three styles cover what logs look like; each reads a message once,
//! from left to right.

use std::ops::Range;

use memchr::memchr2;

/// More slots than this make a shape that is not worth its columns.
pub(super) const SLOTS_MAX: usize = 64;
/// Deeper JSON is kept as text.
const DEPTH_MAX: usize = 16;

/// How messages are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A JSON object: every text (without its quotes), number and word is a slot. Keys and white space stay.
    Json,
    /// Words that contain a digit are slots.
    Words,
    /// What stands between blanks, in quotes, in brackets or behind `=` is a slot. For lines whose words vary
    /// more than their layout, such as access logs.
    Fields,
}

/// Fills `slots` with the ranges of `message` that vary, ascending, apart from each other. `false` if the
/// message is not of this style, or has too many.
pub(super) fn cut(style: Style, message: &[u8], slots: &mut Vec<Range<u32>>) -> bool {
    slots.clear();
    match style {
        Style::Json => cut_json(message, slots),
        Style::Words => cut_words(message, slots),
        Style::Fields => cut_fields(message, slots),
    }
}

/// Whether a message may be a JSON object, by its ends.
pub(super) fn looks_like_json(message: &[u8]) -> bool {
    message.first() == Some(&b'{') && message.trim_ascii_end().last() == Some(&b'}')
}

/// What a byte may be, as bits: a table in place of comparisons, for every byte of every message is asked.
mod class {
    /// Of words.
    pub(super) const WORD: u8 = 1;
    pub(super) const DIGIT: u8 = 2;
    /// What may stand between two characters of a word.
    pub(super) const JOINER: u8 = 4;
    /// Of numbers and words in JSON.
    pub(super) const SCALAR: u8 = 8;
    /// What ends a field.
    pub(super) const FIELD_END: u8 = 16;

    const TABLE: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = match byte as u8 {
                b'0'..=b'9' => WORD | DIGIT | SCALAR,
                b'A'..=b'Z' | b'a'..=b'z' | b'_' => WORD | SCALAR,
                b'-' | b'.' => JOINER | SCALAR,
                b':' => JOINER,
                b'+' => SCALAR,
                b' ' | b'\n' | b'=' => FIELD_END,
                _ => 0,
            };
            byte += 1;
        }
        table
    };

    pub(super) const fn of(byte: u8) -> u8 {
        TABLE[byte as usize]
    }
}

fn cut_json(message: &[u8], slots: &mut Vec<Range<u32>>) -> bool {
    if !looks_like_json(message) {
        return false;
    }
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = message.get(at) {
        match byte {
            b'"' => {
                let Some(end) = string_end(message, at + 1) else { return false };
                if !is_key(message, end + 1) && !push(slots, at + 1..end) {
                    return false;
                }
                at = end + 1;
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return false;
                }
                at += 1;
            }
            b'}' | b']' => {
                let Some(less) = depth.checked_sub(1) else { return false };
                depth = less;
                at += 1;
            }
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                let len = run_len(&message[at..], |class| class & class::SCALAR != 0);
                if !push(slots, at..at + len) {
                    return false;
                }
                at += len;
            }
            _ => at += 1,
        }
    }
    depth == 0
}

/// How many of the first bytes are of such a class.
fn run_len(message: &[u8], is_in: impl Fn(u8) -> bool) -> usize {
    message.iter().position(|byte| !is_in(class::of(*byte))).unwrap_or(message.len())
}

/// Where the text that begins at `start` ends: at the quote.
fn string_end(message: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += quote_or_backslash(message.get(at..)?)?;
        if message[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Where the first of those is. Most texts are short: to search them in large steps takes longer than to look
/// at each byte.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const NEAR: usize = 24;
    let near = &text[..text.len().min(NEAR)];
    near.iter()
        .position(|byte| matches!(byte, b'"' | b'\\'))
        .or_else(|| Some(near.len() + memchr2(b'"', b'\\', &text[near.len()..])?))
}

/// Whether the text that ended before `at` is a key.
fn is_key(message: &[u8], at: usize) -> bool {
    message[at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

fn cut_words(message: &[u8], slots: &mut Vec<Range<u32>>) -> bool {
    let mut at = 0;
    while let Some(&byte) = message.get(at) {
        let mut classes = class::of(byte);
        if classes & class::WORD == 0 {
            if byte == b'\n' {
                // Stack traces and the like: what follows the first line is one piece.
                return push(slots, at + 1..message.len());
            }
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        while let Some(&byte) = message.get(at) {
            let class = class::of(byte);
            let is_word = |byte: &u8| class::of(*byte) & class::WORD != 0;
            if class & class::WORD == 0
                && (class & class::JOINER == 0 || !message.get(at + 1).is_some_and(is_word))
            {
                break;
            }
            classes |= class;
            at += 1;
        }
        if classes & class::DIGIT != 0 && !push(slots, start..at) {
            return false;
        }
    }
    true
}

fn cut_fields(message: &[u8], slots: &mut Vec<Range<u32>>) -> bool {
    let mut at = 0;
    while let Some(&byte) = message.get(at) {
        let closing = match byte {
            b' ' => {
                at += 1;
                continue;
            }
            b'\n' => return push(slots, at + 1..message.len()),
            b'"' => Some(b'"'),
            b'[' => Some(b']'),
            _ => None,
        };
        let quoted = closing.and_then(|closing| memchr2(closing, b'\n', &message[at + 1..]));
        let (start, end, next) = match quoted {
            Some(len) if Some(message[at + 1 + len]) == closing => (at + 1, at + 1 + len, at + 2 + len),
            _ => {
                let end = at + run_len(&message[at..], |class| class & class::FIELD_END == 0);
                if message.get(end) == Some(&b'=') && !message[at..end].iter().any(u8::is_ascii_digit) {
                    at = end + 1;
                    continue;
                }
                (at, end, end + usize::from(message.get(end) == Some(&b'=')))
            }
        };
        if !push(slots, start..end) {
            return false;
        }
        at = next;
    }
    true
}

fn push(slots: &mut Vec<Range<u32>>, slot: Range<usize>) -> bool {
    let fits = slots.len() < SLOTS_MAX;
    if fits {
        slots.push(slot.start as u32..slot.end as u32);
    }
    fits
}

/// The names of the slots that [`Style::Json`] cuts: selectors such as `$.http.status` and `$.args[0]`. Names
/// that occur twice get a number.
pub(super) fn json_names(message: &[u8], slots: &[Range<u32>]) -> Vec<String> {
    let mut places: Vec<Place> = Vec::new();
    let mut slots = slots.iter().peekable();
    let mut names: Vec<String> = Vec::new();
    let mut at = 0;
    while at < message.len() {
        let quoted = message[at] == b'"';
        if let Some(slot) = slots.next_if(|slot| slot.start as usize == at + usize::from(quoted)) {
            let name = unused(&names, path(&places));
            names.push(name);
            at = slot.end as usize + usize::from(quoted);
            continue;
        }
        match message[at] {
            b'{' => places.push(Place::Key(String::new())),
            b'[' => places.push(Place::Index(0)),
            b'}' | b']' => drop(places.pop()),
            b',' => {
                if let Some(Place::Index(index)) = places.last_mut() {
                    *index += 1;
                }
            }
            b'"' => {
                let end = string_end(message, at + 1).unwrap_or(message.len() - 1);
                if let Some(Place::Key(key)) = places.last_mut() {
                    *key = String::from_utf8_lossy(&message[at + 1..end]).into_owned();
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    names
}

/// Where in a JSON document something stands.
enum Place {
    Key(String),
    Index(usize),
}

fn path(places: &[Place]) -> String {
    let mut path = "$".to_owned();
    for place in places {
        match place {
            Place::Key(key) => path.extend([".", key]),
            Place::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

fn unused(names: &[String], name: String) -> String {
    if !names.contains(&name) {
        return name;
    }
    let numbered = (2..).map(|number| format!("{name}#{number}"));
    numbered.into_iter().find(|name| !names.contains(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Style::*;
    use super::*;

    /// `expected` has the slots in angle brackets; `-` means that the style does not fit.
    fn check(style: Style, message: &str, expected: &str) {
        let mut slots = Vec::new();
        let mut marked = String::new();
        if cut(style, message.as_bytes(), &mut slots) {
            let mut done = 0;
            for slot in &slots {
                let (start, end) = (slot.start as usize, slot.end as usize);
                marked.extend([&message[done..start], "<", &message[start..end], ">"]);
                done = end;
            }
            marked.push_str(&message[done..]);
        } else {
            marked.push('-');
        }
        assert_eq!(marked, expected, "{style:?}");
    }

    #[test]
    fn json_is_cut_at_its_values() {
        check(Json, r#"{"a": "b", "c":[1,-2.5e3, true]}"#, r#"{"a": "<b>", "c":[<1>,<-2.5e3>, <true>]}"#);
        check(Json, r#"{"a":"x\"y","b":{"c":""}}"#, r#"{"a":"<x\"y>","b":{"c":"<>"}}"#);
        check(Json, "{}", "{}");
        for other in ["", "{", "}", "{]}}", r#"{"a}"#, "[1]", r#"{"a":1} x"#, r#"{"a\"#] {
            check(Json, other, "-");
        }
    }

    #[test]
    fn words_with_digits_vary() {
        check(Words, "took 12 ms, id=4f-a1 (v2.1:x)", "took <12> ms, id=<4f-a1> (<v2.1:x>)");
        check(Words, "a-b: c. -7", "a-b: c. -<7>");
        check(Words, "failed 1\n\tat x", "failed <1>\n<\tat x>");
    }

    #[test]
    fn fields_vary_whole() {
        check(
            Fields,
            r#"1.2.3.4 - [1/Jan x] "GET / HTTP/1.1" rt=0.5 "-" [a"#,
            r#"<1.2.3.4> <-> [<1/Jan x>] "<GET / HTTP/1.1>" rt=<0.5> "<->" <[a>"#,
        );
        check(Fields, "a=\"b c\" x\n y", "a=\"<b c>\" <x>\n< y>");
        check(Fields, "a1=b", "<a1>=<b>");
    }

    #[test]
    fn json_slots_are_named_by_selectors() {
        let message = br#"{"a": 1, "b": {"c": "x", "d": [true, {"e": 2}, "f"]}, "a": null, "g": ""}"#;
        let mut slots = Vec::new();
        assert!(cut(Json, message, &mut slots));
        let expected = ["$.a", "$.b.c", "$.b.d[0]", "$.b.d[1].e", "$.b.d[2]", "$.a#2", "$.g"];
        assert_eq!(json_names(message, &slots), expected);
    }

    proptest! {
        #[test]
        fn slots_are_in_order_and_at_characters(
            message in "\\PC{0,30}|[{}\\[\\]\",: =a1.\\\\\n-]{0,30}|\\{[{}\\[\\]\",: a1\\\\-]{0,30}\\}",
        ) {
            let mut slots = Vec::new();
            for style in [Json, Words, Fields] {
                if !cut(style, message.as_bytes(), &mut slots) {
                    continue;
                }
                let mut done = 0;
                for slot in &slots {
                    prop_assert!(slot.start as usize >= done && slot.start <= slot.end, "{style:?} {slots:?}");
                    prop_assert!(message.get(slot.start as usize..slot.end as usize).is_some());
                    done = slot.end as usize;
                }
                if style == Json {
                    prop_assert_eq!(json_names(message.as_bytes(), &slots).len(), slots.len());
                }
            }
        }
    }
}

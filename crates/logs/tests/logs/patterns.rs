//! The language of filter patterns, by tables: `patterns/*.txt`.
//!
//! A table has blocks: a line `pattern …`, then its cases. `+ …` is a message that matches, `- …` one that
//! does not; `= … => {…}` matches and has these values extracted; `! 5 …` says that the pattern is refused at
//! character 5, and why.

use std::collections::BTreeMap;

use groundwatch_logs::pattern::{Matcher, Pattern, PatternError};

const TABLES: [(&str, &str); 3] = [
    ("terms.txt", include_str!("patterns/terms.txt")),
    ("json.txt", include_str!("patterns/json.txt")),
    ("fields.txt", include_str!("patterns/fields.txt")),
];

/// Runs one case; an error says what is so instead.
fn check(parsed: &Result<Pattern, PatternError>, case: &str) -> Result<(), String> {
    let (kind, rest) = case.split_at(1);
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let pattern = match (kind, parsed) {
        ("!", Ok(_)) => return Err("is a pattern".to_owned()),
        ("!", Err(error)) => {
            let actual = format!("{} {}", error.position, error.problem);
            return if actual == rest { Ok(()) } else { Err(actual) };
        }
        (_, Err(error)) => return Err(format!("is refused: {error}")),
        (_, Ok(pattern)) => pattern,
    };
    if Pattern::parse(&pattern.to_string()).as_ref() != Ok(pattern) {
        return Err(format!("prints as {pattern}, which is something else"));
    }
    let matcher = Matcher::new(pattern);
    match kind {
        "+" if matcher.matches(rest.as_bytes()) => Ok(()),
        "-" if !matcher.matches(rest.as_bytes()) => Ok(()),
        "=" => {
            let (message, expected) = rest.split_once(" => ").ok_or("has no `=>`")?;
            let expected: BTreeMap<String, String> =
                serde_json::from_str(expected).map_err(|error| error.to_string())?;
            let actual = matcher.extracted(message.as_bytes());
            if actual.as_ref() == Some(&expected) { Ok(()) } else { Err(format!("{actual:?}")) }
        }
        "+" => Err("does not match".to_owned()),
        "-" => Err("matches".to_owned()),
        _ => Err("is no kind of case".to_owned()),
    }
}

#[test]
fn patterns_do_what_their_tables_say() {
    let (mut cases, mut wrong) = (0, Vec::new());
    for (name, table) in TABLES {
        let mut parsed = None;
        for (index, line) in table.lines().enumerate() {
            if let Some(pattern) = line.strip_prefix("pattern ") {
                parsed = Some(Pattern::parse(pattern));
            } else if !line.is_empty() && !line.starts_with('#') {
                cases += 1;
                let parsed = parsed.as_ref().expect("a pattern comes first");
                if let Err(instead) = check(parsed, line) {
                    wrong.push(format!("{name}:{}: {line}: {instead}", index + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 250, "only {cases} cases");
}

//! AWS's regular expressions (Java's dialect) to those of the `regex` crate.

use anyhow::{Context, Result, bail};
use regex::Regex;

/// What stands for a class escape inside brackets. Java reads them as ASCII, the `regex` crate as Unicode.
fn ascii_class(escape: char) -> Option<&'static str> {
    match escape {
        'w' => Some("0-9A-Za-z_"),
        'd' => Some("0-9"),
        's' => Some(r"\t\n\x0B\x0C\r "),
        _ => None,
    }
}

/// The same language in the `regex` crate's dialect, or why that cannot be.
pub(super) fn translate(java: &str) -> Result<String> {
    let mut rust = String::new();
    let mut depth = 0usize;
    let mut letters = java.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '\\' => {
                let escape = letters.next().context("ends in a backslash")?;
                match (escape, ascii_class(escape), ascii_class(escape.to_ascii_lowercase())) {
                    (_, Some(class), _) if depth == 0 => rust.push_str(&format!("[{class}]")),
                    (_, Some(class), _) => {
                        rust.push_str(class);
                        // After a class a hyphen is itself: there is no range from `\w`.
                        if letters.peek() == Some(&'-') {
                            letters.next();
                            rust.push_str(r"\-");
                        }
                    }
                    (_, None, Some(class)) if depth == 0 => rust.push_str(&format!("[^{class}]")),
                    (_, None, Some(_)) => bail!(r"\{escape} inside brackets"),
                    _ => rust.extend(['\\', escape]),
                }
                continue;
            }
            _ => {}
        }
        rust.push(letter);
    }
    Regex::new(&format!(r"\A(?:{rust})\z")).with_context(|| format!("pattern {java}"))?;
    Ok(rust)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(java: &str, matching: &[&str], other: &[&str]) {
        let regex = Regex::new(&format!(r"\A(?:{})\z", translate(java).expect(java))).expect(java);
        for text in matching {
            assert!(regex.is_match(text), "{java} matches {text:?}");
        }
        for text in other {
            assert!(!regex.is_match(text), "{java} does not match {text:?}");
        }
    }

    #[test]
    fn classes_are_ascii() {
        check(r"\w+", &["a_1"], &["é", "a b", ""]);
        check(r"^\d{2}$", &["12"], &["١٢", "1"]);
        check(r"\S{2}", &["ab", "é!"], &["a ", "a\n"]);
    }

    #[test]
    fn hyphens_after_a_class_are_hyphens() {
        check(r"[\w-_]*", &["a-b_c", ""], &["a.b"]);
        check(r"[\w#+=/:,.@-]*", &["a@b-c"], &["a b"]);
    }

    #[test]
    fn unicode_properties_stay() {
        check(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", &["größe 1", "漢"], &["!"]);
    }

    #[test]
    fn look_around_is_refused() {
        assert!(translate("(?!aws:).*").is_err());
    }
}

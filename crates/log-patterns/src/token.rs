//! Tokens: words and what stands between them.

use serde::{Deserialize, Serialize};

/// How much of a message counts. Source: CloudWatch Logs user guide, "Log anomaly detection".
pub const MESSAGE_CHARACTERS_MAX: usize = 1500;
/// How many tokens of a message count.
pub const TOKENS_MAX: usize = 256;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Token {
    /// The same in all messages.
    Fixed(String),
    /// Varies.
    Variable(VariableKind),
}

/// What a varying token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum VariableKind {
    /// Digits, with a sign or a decimal point.
    Number,
    /// A date or a time of day.
    Time,
    /// An address of the Internet protocol.
    IpAddress,
    /// A universally unique identifier.
    Uuid,
    /// Letters and digits mixed.
    Id,
    /// A word that differs between messages.
    Word,
}

impl VariableKind {
    /// What AWS would call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "Number",
            Self::Time => "Time",
            Self::IpAddress => "IPAddress",
            Self::Uuid => "UUID",
            Self::Id => "ID",
            Self::Word => "String",
        }
    }
}

/// A piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'m> {
    pub(crate) text: &'m str,
    /// What it looks like if it varies by its look alone.
    pub(crate) kind: Option<VariableKind>,
}

/// Splits a message: words of letters, digits and some signs, and each character between them by itself.
pub(crate) fn pieces(message: &str) -> Vec<Piece<'_>> {
    let end = message.char_indices().nth(MESSAGE_CHARACTERS_MAX).map_or(message.len(), |(end, _)| end);
    let mut rest = message[..end].trim_end();
    let mut pieces = Vec::new();
    while let Some(first) = rest.chars().next()
        && pieces.len() < TOKENS_MAX
    {
        // A colon begins no word: it stands between a name and a value.
        let length = match is_word(first) && first != ':' {
            // A dot or a colon at the end of a word ends a sentence or begins a value.
            true => {
                let word = &rest[..rest.find(|next| !is_word(next)).unwrap_or(rest.len())];
                word.trim_end_matches(['.', ':']).len().max(first.len_utf8())
            }
            false => first.len_utf8(),
        };
        let (text, behind) = rest.split_at(length);
        pieces.push(Piece { text, kind: variable(text) });
        rest = behind;
    }
    pieces
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || "_-.:/+@%#$*".contains(character)
}

/// What a word varies as; `None` for one that says the same in every message.
fn variable(word: &str) -> Option<VariableKind> {
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let only = |allowed: &str| {
        word.chars().all(|character| character.is_ascii_digit() || allowed.contains(character))
    };
    let groups = |separator: char| word.split(separator).count();
    if only("+-.%") && groups('-') < 3 && groups('.') < 4 {
        return Some(VariableKind::Number);
    }
    if word.parse::<std::net::IpAddr>().is_ok() || (only(".:/") && groups('.') == 4) {
        return Some(VariableKind::IpAddress);
    }
    if is_uuid(word) {
        return Some(VariableKind::Uuid);
    }
    let looks_like_time = only("-:./+TZ") && (groups('-') == 3 || groups(':') >= 2 || groups('/') == 3);
    Some(if looks_like_time { VariableKind::Time } else { VariableKind::Id })
}

fn is_uuid(word: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = word.split('-').collect();
    let is_part = |(part, length): (&&str, usize)| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    parts.len() == lengths.len() && parts.iter().zip(lengths).all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_vary_by_their_look() {
        for (word, expected) in [
            ("GET", None),
            ("user-agent", None),
            ("42", Some(VariableKind::Number)),
            ("-1.5", Some(VariableKind::Number)),
            ("99%", Some(VariableKind::Number)),
            ("2026-01-01", Some(VariableKind::Time)),
            ("2026-01-01T00:00:00.123Z", Some(VariableKind::Time)),
            ("19:00:01", Some(VariableKind::Time)),
            ("01/02/2026", Some(VariableKind::Time)),
            ("10.0.0.1", Some(VariableKind::IpAddress)),
            ("10.0.0.1:8080", Some(VariableKind::IpAddress)),
            ("::1", Some(VariableKind::IpAddress)),
            ("123e4567-e89b-12d3-a456-426614174000", Some(VariableKind::Uuid)),
            ("3ff231242342-12345", Some(VariableKind::Id)),
            ("user42", Some(VariableKind::Id)),
        ] {
            assert_eq!(variable(word), expected, "{word}");
        }
    }

    #[test]
    fn a_message_is_words_and_what_is_between() {
        let texts = |message| pieces(message).iter().map(|piece| piece.text).collect::<Vec<_>>();
        assert_eq!(texts("[INFO] id=7."), ["[", "INFO", "]", " ", "id", "=", "7", "."]);
        assert_eq!(texts("time: 5 ms\n"), ["time", ":", " ", "5", " ", "ms"]);
        assert_eq!(texts(""), [""; 0]);
        assert_eq!(pieces(&"a ".repeat(1000)).len(), TOKENS_MAX);
        assert_eq!(texts(&"x".repeat(2000)), ["x".repeat(MESSAGE_CHARACTERS_MAX)]);
    }
}

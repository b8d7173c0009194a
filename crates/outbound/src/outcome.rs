//! How an attempt ended, and what an answer means. Pure.

use bytes::Bytes;

use crate::client::{HttpAnswer, HttpError};

/// How much of an answer is quoted as a reason, in characters.
const QUOTE_LENGTH_MAX: usize = 256;

/// Words by which AWS's services say that there were too many calls, in answers whose status says less.
const THROTTLED: [&str; 4] = ["Throttl", "ThroughputExceeded", "TooManyRequests", "RequestLimitExceeded"];

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it, and answered so.
    Accepted {
        /// The beginning of the answer's body; empty from commands and folders.
        answer: Bytes,
    },
    /// The other side does not want it, or there is no way to it: asking again does not help.
    Refused {
        /// In words for a log or a history.
        reason: String,
    },
    /// The other side could not be asked, or could not take it now.
    Unavailable {
        /// In words for a log or a history.
        reason: String,
        /// It said that there was too much.
        is_throttled: bool,
    },
}

impl Outcome {
    /// Accepted without an answer.
    pub fn accepted() -> Self {
        Self::Accepted { answer: Bytes::new() }
    }

    /// Refused for that reason.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    /// Unavailable for that reason, and not because there was too much.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), is_throttled: false }
    }

    /// What an exchange over HTTP means: 2xx is accepted; a missing answer, 429, 5xx, and what AWS's services
    /// call throttling may be better next time; all else is refused.
    pub fn of_http(result: Result<HttpAnswer, HttpError>) -> Self {
        let answer = match result {
            Ok(answer) => answer,
            Err(HttpError::Refused { reason }) => return Self::refused(reason),
            Err(error @ (HttpError::TimedOut | HttpError::Unreachable { .. })) => {
                return Self::unavailable(error.to_string());
            }
        };
        if (200..=299).contains(&answer.status) {
            return Self::Accepted { answer: answer.body };
        }
        let quote = quote(&answer.body);
        let reason = match quote.is_empty() {
            true => format!("answered {}", answer.status),
            false => format!("answered {}: {quote}", answer.status),
        };
        let is_throttled = answer.status == 429 || THROTTLED.iter().any(|word| quote.contains(word));
        match answer.status {
            500..=599 => Self::Unavailable { reason, is_throttled },
            _ if is_throttled => Self::Unavailable { reason, is_throttled },
            _ => Self::Refused { reason },
        }
    }
}

/// The beginning of what the other side said, on one line.
pub(crate) fn quote(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(&said[..said.len().min(4 * QUOTE_LENGTH_MAX)]);
    let text: String = text.trim().chars().take(QUOTE_LENGTH_MAX).collect();
    text.replace(|character: char| character.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_asking_again_helps() {
        let check = |status: u16, body: &'static str, expected: &str| {
            let outcome =
                Outcome::of_http(Ok(HttpAnswer { status, body: Bytes::from_static(body.as_bytes()) }));
            let said = match &outcome {
                Outcome::Accepted { .. } => "accepted",
                Outcome::Refused { .. } => "refused",
                Outcome::Unavailable { is_throttled: true, .. } => "throttled",
                Outcome::Unavailable { .. } => "unavailable",
            };
            assert_eq!(said, expected, "{status} {body}");
        };
        check(202, "", "accepted");
        check(307, "", "refused");
        check(400, r#"{"__type":"ValidationException"}"#, "refused");
        check(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#, "throttled");
        check(400, r#"{"__type":"ProvisionedThroughputExceededException"}"#, "throttled");
        check(429, "", "throttled");
        check(500, "", "unavailable");
        check(503, "<Code>RequestLimitExceeded</Code>", "throttled");
    }

    #[test]
    fn a_reason_quotes_the_answer_on_one_line() {
        let answer = HttpAnswer { status: 403, body: Bytes::from_static(b"no\nentry ") };
        let expected = Outcome::refused("answered 403: no entry");
        assert_eq!(Outcome::of_http(Ok(answer)), expected);
    }
}

//! What an answer of OpenSearch's `_bulk` means. Pure.

use serde::Deserialize;

use crate::Outcome;
use crate::outcome::quote;

/// What follows an endpoint's URL: the call, and of its answer only what counts.
pub(crate) const PATH: &str =
    "_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";

#[derive(Deserialize)]
struct Answer {
    errors: bool,
    #[serde(default)]
    items: Vec<std::collections::BTreeMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    status: u16,
    #[serde(default)]
    error: serde_json::Value,
}

/// A call that went well may have failed for some of its documents: it is repeated as a whole if one of them
/// may go better, which their ids make harmless.
pub(crate) fn judge(outcome: Outcome) -> Outcome {
    let Outcome::Accepted { answer } = &outcome else { return outcome };
    let Ok(Answer { errors, items }) = serde_json::from_slice(answer) else {
        return Outcome::unavailable(format!("answered, but not as `_bulk` does: {}", quote(answer)));
    };
    if !errors {
        return outcome;
    }
    // 409 answers `create` of a document that is there: an earlier attempt got through.
    let failed = || {
        items.iter().flat_map(|item| item.values()).filter(|item| item.status >= 300 && item.status != 409)
    };
    let is_throttled = failed().any(|item| item.status == 429);
    let may_go_better = failed().any(|item| item.status == 429 || item.status >= 500);
    let Some(first) = failed().next() else { return outcome };
    let reason = format!(
        "{} documents failed, the first with {}: {}",
        failed().count(),
        first.status,
        quote(first.error.to_string().as_bytes())
    );
    if may_go_better { Outcome::Unavailable { reason, is_throttled } } else { Outcome::Refused { reason } }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn one_document_that_may_go_better_repeats_the_call() {
        let check = |answer: &'static str, expected: &str| {
            let outcome = judge(Outcome::Accepted { answer: Bytes::from_static(answer.as_bytes()) });
            let text = format!("{outcome:?}");
            assert!(text.starts_with(expected), "{answer}: {text}");
        };
        check(r#"{"errors":false}"#, "Accepted");
        check(r#"{"errors":true,"items":[{"create":{"status":409}}]}"#, "Accepted");
        check(r#"{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":400}}]}"#, "Refused");
        check(
            r#"{"errors":true,"items":[{"index":{"status":400}},{"index":{"status":429}}]}"#,
            r#"Unavailable { reason: "2 documents failed, the first with 400: null", is_throttled: true"#,
        );
        check("<html>", "Unavailable");
    }
}

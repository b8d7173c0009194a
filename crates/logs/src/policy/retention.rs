//! How long groups keep events by policies of the account.
//!
//! Source of the rules: CloudWatch Logs API reference, PutAccountPolicy, "Retention policy".

use std::time::Duration;

use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::PolicyDocumentError;
use super::selection::Prefixes;

/// So long after it was put a policy takes effect. What it replaces is in force until then.
pub(crate) const DELAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The only periods that there are for an account, in days.
const PERIODS_DAYS: [u32; 17] =
    [30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const FOREVER: &str = "NEVER_EXPIRE";

/// How long events are kept; the longer, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Period {
    Days(u32),
    Forever,
}

/// A policy's document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    retention_in_days: Asked,
    enforcement_mode: Mode,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Days(u32),
    Word(String),
}

/// Which of the selected groups a policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    /// Those that are created after it.
    NewOnly,
    /// All of them.
    Retroactive,
}

/// What is in force from some moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rule {
    prefix: Prefixes,
    period: Period,
    mode: Mode,
    from: Timestamp,
}

/// A policy that was put, maybe more than once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RetentionPolicy {
    created: Timestamp,
    latest: Rule,
    /// What was in force when the latest rule was put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Rule>,
}

impl Period {
    /// Of a group's own setting.
    pub(crate) fn of_days(days: Option<u32>) -> Self {
        days.map_or(Self::Forever, Self::Days)
    }

    /// Its days, unless it is for ever.
    pub(crate) fn days(self) -> Option<u32> {
        match self {
            Self::Days(days) => Some(days),
            Self::Forever => None,
        }
    }

    /// Its length, unless it is for ever.
    pub(crate) fn duration(self) -> Option<Duration> {
        self.days().map(|days| Duration::from_secs(u64::from(days) * 24 * 60 * 60))
    }

    /// Events before this moment have expired at `now`: nothing shows them any more.
    pub(crate) fn expired_before(self, now: Timestamp) -> Timestamp {
        self.duration().map_or(Timestamp::MIN, |duration| now - duration)
    }

    /// In the words of a preview.
    pub(crate) fn in_words(self) -> String {
        self.days().map_or_else(|| FOREVER.to_owned(), |days| days.to_string())
    }
}

impl RetentionPolicy {
    /// The policy that `document` makes at `now` of the one that there was.
    pub(crate) fn put(
        known: Option<&Self>,
        document: &str,
        prefix: Prefixes,
        now: Timestamp,
    ) -> Result<Self, PolicyDocumentError> {
        let wrong = |reason: String| PolicyDocumentError { reason };
        let document: Document = serde_json::from_str(document).map_err(|error| wrong(error.to_string()))?;
        let period = match document.retention_in_days {
            Asked::Days(days) if PERIODS_DAYS.contains(&days) => Period::Days(days),
            Asked::Word(word) if word == FOREVER => Period::Forever,
            Asked::Days(days) => return Err(wrong(format!("retentionInDays cannot be {days}"))),
            Asked::Word(word) => return Err(wrong(format!("retentionInDays cannot be \"{word}\""))),
        };
        Ok(Self {
            created: known.map_or(now, |known| known.created),
            latest: Rule { prefix, period, mode: document.enforcement_mode, from: now + DELAY },
            before: known.and_then(|known| known.rule(now)).cloned(),
        })
    }

    /// When it was first put.
    pub(crate) fn created(&self) -> Timestamp {
        self.created
    }

    /// How long the group called `name`, which was created at `created`, keeps events at `now` by this policy;
    /// `None` if it says nothing about it.
    pub(crate) fn period_of(&self, name: &str, created: Timestamp, now: Timestamp) -> Option<Period> {
        let is_about = |rule: &&Rule| {
            rule.prefix.selects(name) && (rule.mode == Mode::Retroactive || created > self.created)
        };
        self.rule(now).filter(is_about).map(|rule| rule.period)
    }

    fn rule(&self, now: Timestamp) -> Option<&Rule> {
        if now >= self.latest.from { Some(&self.latest) } else { self.before.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_767_323_045);

    fn put(known: Option<&RetentionPolicy>, document: &str, now: Timestamp) -> Option<RetentionPolicy> {
        RetentionPolicy::put(known, document, Prefixes::default(), now).ok()
    }

    #[test]
    fn a_document_has_a_period_and_a_mode() {
        for (document, period) in [
            (r#"{"retentionInDays": 90, "enforcementMode": "RETROACTIVE"}"#, Some(Period::Days(90))),
            (
                r#"{"retentionInDays": "NEVER_EXPIRE", "enforcementMode": "RETROACTIVE"}"#,
                Some(Period::Forever),
            ),
            (r#"{"retentionInDays": 7, "enforcementMode": "RETROACTIVE"}"#, None),
            (r#"{"retentionInDays": "90", "enforcementMode": "RETROACTIVE"}"#, None),
            (r#"{"retentionInDays": 90, "enforcementMode": "ALL"}"#, None),
            (r#"{"retentionInDays": 90}"#, None),
            (r#"{"retentionInDays": 90, "enforcementMode": "RETROACTIVE", "more": 1}"#, None),
        ] {
            let policy = put(None, document, NOW);
            let found = policy.and_then(|policy| policy.period_of("g", NOW, NOW + DELAY));
            assert_eq!(found, period, "{document}");
        }
    }

    #[test]
    fn it_takes_effect_after_a_day_and_what_it_replaces_stays_until_then() {
        let days = |days: u32| format!(r#"{{"retentionInDays": {days}, "enforcementMode": "RETROACTIVE"}}"#);
        let first = put(None, &days(30), NOW).expect("legal");
        let second_at = NOW + 3 * DELAY;
        let second = put(Some(&first), &days(60), second_at).expect("legal");
        let third = put(Some(&second), &days(90), second_at + DELAY / 2).expect("legal");
        for (policy, at, expected) in [
            (&first, NOW, None),
            (&first, NOW + DELAY, Some(30)),
            (&second, second_at, Some(30)),
            (&second, second_at + DELAY, Some(60)),
            (&third, second_at + DELAY, Some(30)),
            (&third, second_at + 2 * DELAY, Some(90)),
        ] {
            let found = policy.period_of("g", NOW, at).and_then(Period::days);
            assert_eq!(found, expected, "{policy:?} at {at}");
        }
    }

    #[test]
    fn one_for_new_groups_leaves_those_alone_that_were_there() {
        let document = r#"{"retentionInDays": 30, "enforcementMode": "NEW_ONLY"}"#;
        let policy = put(None, document, NOW).expect("legal");
        let later = NOW + 2 * DELAY;
        assert_eq!(policy.period_of("g", NOW, later), None);
        assert_eq!(policy.period_of("g", NOW + DELAY / 2, later), Some(Period::Days(30)));
    }
}

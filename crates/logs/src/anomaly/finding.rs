//! Anomalies that a detector has found.

use std::collections::BTreeMap;
use std::time::Duration;

use groundwatch_core::Timestamp;
use groundwatch_log_patterns::{Pattern, PatternId, Token};
use serde::{Deserialize, Serialize};

/// How many windows an anomaly remembers.
const WINDOWS_MAX: usize = 100;
/// How many messages it shows, and how many values of each varying token.
const SAMPLES_MAX: usize = 5;
const VALUES_MAX: usize = 10;

/// What is unusual about a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// It was never seen.
    New,
    /// It comes more often: so many times where so many are usual.
    Frequent {
        /// In one window.
        count: u64,
        /// In windows before.
        usual: f64,
    },
}

/// An unusual pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Anomaly {
    /// A name of 36 characters.
    pub id: String,
    /// Which of the detector's patterns it is about.
    pub index: usize,
    /// The pattern as it was.
    pub pattern: Pattern,
    /// What is unusual.
    pub cause: Cause,
    /// `HIGH`, `MEDIUM` or `LOW`.
    pub priority: String,
    /// The first event.
    pub first_seen: Timestamp,
    /// The last event.
    pub last_seen: Timestamp,
    /// Whether the last window had any.
    pub active: bool,
    /// Whether it counts as usual now.
    pub baseline: bool,
    /// How many events by window.
    pub histogram: BTreeMap<Timestamp, u64>,
    /// Some events: time and message.
    pub samples: Vec<(Timestamp, String)>,
    /// What the varying tokens said in samples, in their order.
    pub values: Vec<BTreeMap<String, u64>>,
    /// When it was silenced, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
}

/// That something is not to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Silence {
    /// Since when.
    pub since: Timestamp,
    /// Until when; forever if absent.
    pub until: Option<Timestamp>,
}

impl Silence {
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

impl Anomaly {
    pub(crate) fn new(detector: &str, index: usize, pattern: &Pattern, cause: Cause, at: Timestamp) -> Self {
        let PatternId(digits) = pattern.id();
        let kind = match cause {
            Cause::New => "new",
            Cause::Frequent { .. } => "frequent",
        };
        Self {
            id: named(&format!("{detector} {digits} {kind} {}", at.as_millis())),
            index,
            pattern: pattern.clone(),
            cause,
            priority: priority(pattern, cause).to_owned(),
            first_seen: at,
            last_seen: at,
            active: true,
            baseline: false,
            histogram: BTreeMap::new(),
            samples: Vec::new(),
            values: vec![BTreeMap::new(); varying(pattern)],
            silence: None,
        }
    }

    /// Adds what a window had: how many, since when and until when, and some of them.
    pub(crate) fn seen(
        &mut self,
        window: Timestamp,
        count: u64,
        last: Timestamp,
        samples: &[(Timestamp, String)],
    ) {
        self.last_seen = self.last_seen.max(last);
        *self.histogram.entry(window).or_default() += count;
        while self.histogram.len() > WINDOWS_MAX {
            self.histogram.pop_first();
        }
        for (at, message) in samples {
            for (values, value) in self.values.iter_mut().zip(self.pattern.values(message)) {
                if values.len() < VALUES_MAX || values.contains_key(value) {
                    *values.entry(value.to_owned()).or_default() += 1;
                }
            }
            if self.samples.len() < SAMPLES_MAX {
                self.samples.push((*at, message.clone()));
            }
        }
    }

    /// Whether it has been told for long enough to be usual.
    pub(crate) fn expires(&self, visibility: Duration, now: Timestamp) -> bool {
        self.first_seen + visibility <= now
    }

    pub(crate) fn description(&self) -> String {
        match self.cause {
            Cause::New => "New pattern".to_owned(),
            Cause::Frequent { count, usual } => {
                format!("Count of the pattern rose to {count}; {usual:.1} are usual")
            }
        }
    }
}

/// A name in the form of a UUID, the same for the same text.
fn named(text: &str) -> String {
    let PatternId(digits) = Pattern::of_fixed(text).id();
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

fn varying(pattern: &Pattern) -> usize {
    pattern.tokens().iter().filter(|token| matches!(token, Token::Variable(_))).count()
}

/// By the words of severity in the pattern, and by how much more often it comes. Source: CloudWatch Logs user
/// guide, "Log anomaly detection", which names both without numbers.
fn priority(pattern: &Pattern, cause: Cause) -> &'static str {
    let says = |words: &[&str]| {
        pattern.tokens().iter().any(|token| match token {
            Token::Fixed(text) => words.iter().any(|word| text.to_ascii_uppercase().contains(word)),
            Token::Variable(_) => false,
        })
    };
    let severe = says(&["FATAL", "CRITICAL", "ERROR", "EXCEPTION", "PANIC"]);
    let steep = matches!(cause, Cause::Frequent { count, usual } if count as f64 > 5.0 * usual.max(1.0));
    match (severe, says(&["WARN"]), steep) {
        (true, _, _) => "HIGH",
        (false, true, _) | (false, false, true) => "MEDIUM",
        (false, false, false) => "LOW",
    }
}

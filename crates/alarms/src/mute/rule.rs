//! A mute rule as it is kept, and what it is at a moment.

use groundwatch_core::{Tags, Timestamp};
use groundwatch_storage::{Document, Key};
use serde::{Deserialize, Serialize};

use super::schedule::{Schedule, Window};

/// What PutAlarmMuteRule said. Its document's key holds its name, account and region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MuteRule {
    /// `Description`.
    pub description: Option<String>,
    /// `Rule.Schedule`.
    pub schedule: Schedule,
    /// `MuteTargets`: the names of the alarms that it mutes, if it says so.
    pub targets: Option<Vec<String>>,
    /// `StartDate`: nothing is muted before.
    pub starts: Option<Timestamp>,
    /// `ExpireDate`: nothing is muted from then on.
    pub expires: Option<Timestamp>,
    /// When it was created: of several that mute at once the youngest is named.
    pub created: Timestamp,
    /// When it was put last.
    pub updated: Timestamp,
    /// The tags that it was created with.
    #[serde(default)]
    pub tags: Tags,
}

impl Document for MuteRule {
    const KIND: &'static str = "alarm-mute-rule";
}

/// `AlarmMuteRuleStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MuteStatus {
    /// It will mute later.
    Scheduled,
    /// It mutes now.
    Active,
    /// It will never mute again.
    Expired,
}

impl MuteStatus {
    /// AWS's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
        }
    }
}

impl MuteRule {
    /// The window in which it mutes at `now`, cut to the rule's dates.
    pub(crate) fn window_at(&self, now: Timestamp) -> Option<Window> {
        let window = self.schedule.window_at(now)?;
        let cut = Window {
            from: self.starts.map_or(window.from, |starts| starts.max(window.from)),
            to: self.expires.map_or(window.to, |expires| expires.min(window.to)),
        };
        (cut.from <= now && now < cut.to).then_some(cut)
    }

    /// What it is at `now`.
    pub(crate) fn status(&self, now: Timestamp) -> MuteStatus {
        if self.window_at(now).is_some() {
            MuteStatus::Active
        } else if self.expires.is_some_and(|expires| expires <= now) || self.schedule.is_over(now) {
            MuteStatus::Expired
        } else {
            MuteStatus::Scheduled
        }
    }

    /// `MuteType`.
    pub(crate) fn mute_type(&self) -> &'static str {
        if self.schedule.is_one_time() { "ONE_TIME" } else { "RECURRING" }
    }
}

/// The ARN of the mute rule with that key.
pub(crate) fn arn(key: &Key) -> String {
    key.scope.arn("cloudwatch", &format!("alarm-mute-rule:{}", key.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mute::schedule::ScheduleText;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_iso8601(text).expect("a moment")
    }

    fn rule(expression: &str) -> MuteRule {
        let text =
            ScheduleText { expression: expression.to_owned(), duration: "PT2H".to_owned(), timezone: None };
        MuteRule {
            description: None,
            schedule: Schedule::try_from(text).expect("a schedule"),
            targets: None,
            starts: None,
            expires: None,
            created: Timestamp::EPOCH,
            updated: Timestamp::EPOCH,
            tags: Tags::default(),
        }
    }

    #[test]
    fn dates_cut_windows_and_decide_the_status() {
        let bounded = MuteRule {
            starts: Some(at("2026-01-02T03:00Z")),
            expires: Some(at("2026-01-03T03:00Z")),
            ..rule("cron(0 2 * * *)")
        };
        for (now, status) in [
            ("2026-01-02T02:30:00Z", MuteStatus::Scheduled),
            ("2026-01-02T03:30:00Z", MuteStatus::Active),
            ("2026-01-02T12:00:00Z", MuteStatus::Scheduled),
            ("2026-01-03T02:30:00Z", MuteStatus::Active),
            ("2026-01-03T03:00:00Z", MuteStatus::Expired),
        ] {
            assert_eq!(bounded.status(at(now)), status, "{now}");
        }
        let cut = bounded.window_at(at("2026-01-03T02:30:00Z")).expect("a window");
        assert_eq!((cut.from, cut.to), (at("2026-01-03T02:00Z"), at("2026-01-03T03:00Z")));
    }

    #[test]
    fn one_time_rules_expire_with_their_window() {
        let once = rule("at(2026-01-02T14:00)");
        assert_eq!((once.mute_type(), rule("* * * * *").mute_type()), ("ONE_TIME", "RECURRING"));
        for (now, status) in [
            ("2026-01-02T13:00:00Z", MuteStatus::Scheduled),
            ("2026-01-02T15:00:00Z", MuteStatus::Active),
            ("2026-01-02T16:00:00Z", MuteStatus::Expired),
        ] {
            assert_eq!(once.status(at(now)), status, "{now}");
        }
    }

    #[test]
    fn a_stored_rule_reads_as_itself() {
        let rule = rule("cron(0 2 * * SUN)");
        let text = serde_json::to_string(&rule).expect("JSON");
        assert_eq!(serde_json::from_str::<MuteRule>(&text).expect("a rule"), rule);
    }
}

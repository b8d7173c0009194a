//! When a failed delivery is tried again, and when it is given up. Pure.

use std::time::Duration;

use groundwatch_outbound::Outcome;
use serde::{Deserialize, Serialize};

/// The phases of retries, named as in the `healthyRetryPolicy` of an SNS delivery policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// Retries at once.
    pub(crate) num_no_delay_retries: u32,
    /// Then retries after `min_delay_target`.
    pub(crate) num_min_delay_retries: u32,
    /// Then retries whose delay grows, by `backoff_function`, from `min_delay_target` to `max_delay_target`.
    pub(crate) num_backoff_retries: u32,
    /// Then retries after `max_delay_target`; when they are used up, the message is given up.
    pub(crate) num_max_delay_retries: u32,
    pub(crate) min_delay_target: Duration,
    pub(crate) max_delay_target: Duration,
    pub(crate) backoff_function: BackoffFunction,
}

/// How the delay grows from `min_delay_target` to `max_delay_target`. AWS names the curves without their
/// formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BackoffFunction {
    /// By equal steps.
    Linear,
    /// By steps that themselves grow by equal steps.
    Arithmetic,
    /// By steps each of which is twice the one before.
    Geometric,
    /// By equal factors.
    Exponential,
}

/// What HTTP subscriptions without a delivery policy get: 50 retries over about 13 minutes.
///
/// The first three phases are those that AWS documents for its managed endpoints; it bounds a policy for HTTP
/// to 3,600 s in all. AWS's own default for HTTP is weaker, three retries 20 s apart: a webhook that restarts
/// for two minutes would miss an alarm, so Groundwatch keeps trying. AWS adds jitter; here an equal history
/// gives equal delays.
pub(crate) const DEFAULT_HTTP_POLICY: RetryPolicy = RetryPolicy {
    num_no_delay_retries: 3,
    num_min_delay_retries: 2,
    num_backoff_retries: 10,
    num_max_delay_retries: 35,
    min_delay_target: Duration::from_secs(1),
    max_delay_target: Duration::from_secs(20),
    backoff_function: BackoffFunction::Exponential,
};

/// What AWS documents for mail: 50 retries over six hours, as mail servers are away for longer.
pub(crate) const MAIL_POLICY: RetryPolicy = RetryPolicy {
    num_no_delay_retries: 0,
    num_min_delay_retries: 2,
    num_backoff_retries: 10,
    num_max_delay_retries: 38,
    min_delay_target: Duration::from_secs(10),
    max_delay_target: Duration::from_secs(600),
    backoff_function: BackoffFunction::Exponential,
};

impl RetryPolicy {
    /// How long to wait before retry number `retry` (the first is 1); `None` when the policy is exhausted.
    pub(crate) fn delay(&self, retry: u32) -> Option<Duration> {
        let mut phase_retry = retry;
        if phase_retry <= self.num_no_delay_retries {
            return Some(Duration::ZERO);
        }
        phase_retry -= self.num_no_delay_retries;
        if phase_retry <= self.num_min_delay_retries {
            return Some(self.min_delay_target);
        }
        phase_retry -= self.num_min_delay_retries;
        if phase_retry <= self.num_backoff_retries {
            return Some(self.backoff(phase_retry));
        }
        phase_retry -= self.num_backoff_retries;
        (phase_retry <= self.num_max_delay_retries).then_some(self.max_delay_target)
    }

    /// How many retries there are in all.
    pub(crate) fn retries(&self) -> u32 {
        self.num_no_delay_retries
            + self.num_min_delay_retries
            + self.num_backoff_retries
            + self.num_max_delay_retries
    }

    fn backoff(&self, step: u32) -> Duration {
        let (min_secs, max_secs) = (self.min_delay_target.as_secs_f64(), self.max_delay_target.as_secs_f64());
        let (step, steps) = (f64::from(step), f64::from(self.num_backoff_retries));
        let between = |share: f64| min_secs + (max_secs - min_secs) * share;
        let delay_secs = match self.backoff_function {
            BackoffFunction::Linear => between(step / steps),
            BackoffFunction::Arithmetic => between(step * (step + 1.0) / (steps * (steps + 1.0))),
            BackoffFunction::Geometric => between((step.exp2() - 1.0) / (steps.exp2() - 1.0)),
            BackoffFunction::Exponential => min_secs * (max_secs / min_secs).powf(step / steps),
        };
        Duration::from_millis((delay_secs * 1000.0).round() as u64).min(self.max_delay_target)
    }
}

/// What one attempt means for a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The subscriber has the message.
    Delivered,
    /// Try again after this delay.
    Retry(Duration),
    /// Another try would not help, or the policy is exhausted.
    GiveUp,
}

/// Judges an attempt; `attempts` counts this one too.
pub(crate) fn judge(outcome: &Outcome, attempts: u32, policy: &RetryPolicy) -> Verdict {
    match outcome {
        Outcome::Accepted { .. } => Verdict::Delivered,
        Outcome::Refused { .. } => Verdict::GiveUp,
        Outcome::Unavailable { .. } => policy.delay(attempts).map_or(Verdict::GiveUp, Verdict::Retry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_retries_stay_below_the_hour_that_aws_allows() {
        let delays: Vec<_> = (1..).map_while(|retry| DEFAULT_HTTP_POLICY.delay(retry)).collect();
        assert_eq!(delays.len(), 50);
        assert!(delays.is_sorted());
        assert_eq!(delays[..5], [0, 0, 0, 1, 1].map(Duration::from_secs));
        assert_eq!(delays[5], Duration::from_millis(1349));
        assert_eq!(delays[14..], [Duration::from_secs(20); 36]);
        assert!(delays.iter().sum::<Duration>() < Duration::from_secs(3600));
    }

    #[test]
    fn every_curve_ends_at_the_longest_delay() {
        let delays = |backoff_function| {
            let policy = RetryPolicy {
                num_no_delay_retries: 0,
                num_min_delay_retries: 0,
                num_backoff_retries: 4,
                num_max_delay_retries: 0,
                min_delay_target: Duration::from_secs(1),
                max_delay_target: Duration::from_secs(16),
                backoff_function,
            };
            (1..=4).map(|retry| policy.delay(retry).expect("one").as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(delays(BackoffFunction::Linear), [4750, 8500, 12250, 16000]);
        assert_eq!(delays(BackoffFunction::Arithmetic), [2500, 5500, 10000, 16000]);
        assert_eq!(delays(BackoffFunction::Geometric), [2000, 4000, 8000, 16000]);
        assert_eq!(delays(BackoffFunction::Exponential), [2000, 4000, 8000, 16000]);
    }

    #[test]
    fn only_who_was_not_available_is_asked_again() {
        let unavailable = Outcome::unavailable("");
        let check = |outcome: &Outcome, attempts: u32, expected: Verdict| {
            assert_eq!(judge(outcome, attempts, &DEFAULT_HTTP_POLICY), expected, "{outcome:?} {attempts}");
        };
        check(&Outcome::accepted(), 4, Verdict::Delivered);
        check(&Outcome::refused(""), 4, Verdict::GiveUp);
        check(&unavailable, 4, Verdict::Retry(Duration::from_secs(1)));
        check(&unavailable, 50, Verdict::Retry(Duration::from_secs(20)));
        check(&unavailable, 51, Verdict::GiveUp);
    }
}

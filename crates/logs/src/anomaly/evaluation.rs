//! What a detector makes of the events of a window. Pure: the events and the window are arguments.

use groundwatch_core::Timestamp;
use groundwatch_log_patterns::Belongs;
use serde::{Deserialize, Serialize};

use super::detector::LogAnomalyDetector;
use super::finding::{Anomaly, Cause};

/// How many anomalies a detector keeps. The oldest go.
const ANOMALIES_MAX: usize = 200;
/// A pattern is compared with its past only after so many windows.
const WINDOWS_MIN: u32 = 12;
/// So many times more often than usual is unusual, if there are so many at all.
const RATIO_MIN: f64 = 3.0;
const COUNT_MIN: u64 = 10;
/// And so many standard deviations.
const DEVIATIONS_MIN: f64 = 4.0;
/// The weight of a new window against those before, once there are many.
const WEIGHT: f64 = 0.05;
/// How many messages of a pattern are kept in a window.
const SAMPLES_MAX: usize = 5;

/// How often a pattern comes, and what the window under way has of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    windows: u32,
    mean: f64,
    variance: f64,
    #[serde(skip)]
    now: Window,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Window {
    is_new: bool,
    count: u64,
    first: Timestamp,
    last: Timestamp,
    samples: Vec<(Timestamp, String)>,
}

impl Baseline {
    /// Takes the window into what is usual.
    fn learn(&mut self) {
        let count = self.now.count as f64;
        self.windows = self.windows.saturating_add(1);
        // The first windows weigh alike.
        let weight = (1.0 / f64::from(self.windows)).max(WEIGHT);
        let distance = count - self.mean;
        self.mean += weight * distance;
        self.variance = (1.0 - weight) * (self.variance + weight * distance * distance);
        self.now = Window::default();
    }

    fn is_unusual(&self) -> bool {
        let count = self.now.count as f64;
        // Counts of rare events scatter at least as much as chance has it.
        let deviation = self.variance.max(self.mean).max(1.0).sqrt();
        self.windows >= WINDOWS_MIN
            && self.now.count >= COUNT_MIN
            && count > RATIO_MIN * self.mean
            && count > self.mean + DEVIATIONS_MIN * deviation
    }
}

impl LogAnomalyDetector {
    /// Takes an event into the window under way.
    pub(crate) fn see(&mut self, at: Timestamp, message: &str) {
        let (index, is_new) = match self.patterns.add(message) {
            Belongs::Known(index) => (index, false),
            Belongs::New(index) => (index, true),
            Belongs::None => return,
        };
        let Some((_, Baseline { now, .. })) = self.patterns.iter_mut().nth(index) else { return };
        if now.count == 0 {
            now.first = at;
        }
        now.is_new |= is_new;
        now.count += 1;
        now.first = now.first.min(at);
        now.last = now.last.max(at);
        if now.samples.len() < SAMPLES_MAX {
            now.samples.push((at, message.to_owned()));
        }
    }

    /// Ends the window that began at `window`. Unless it only `learns`, what is unusual is an anomaly.
    pub(crate) fn end_window(&mut self, id: &str, window: Timestamp, end: Timestamp, learns: bool) {
        let visibility = self.visibility();
        for anomaly in &mut self.anomalies {
            anomaly.active = false;
            anomaly.baseline |= anomaly.expires(visibility, end);
        }
        if !learns {
            self.judge(id, window, end);
        }
        self.patterns.iter_mut().for_each(|(_, baseline)| baseline.learn());
        let surplus = self.anomalies.len().saturating_sub(ANOMALIES_MAX);
        self.anomalies.drain(..surplus);
    }

    fn judge(&mut self, id: &str, window: Timestamp, end: Timestamp) {
        for (index, (pattern, baseline)) in self.patterns.iter().enumerate() {
            let seen = &baseline.now;
            if seen.count == 0 || self.silenced.get(&pattern.id()).is_some_and(|silence| silence.holds(end)) {
                continue;
            }
            let unusual = baseline.is_unusual();
            let about = |anomaly: &&mut Anomaly| anomaly.index == index && !anomaly.baseline;
            let known = self.anomalies.iter_mut().rev().find(about);
            match known {
                // What goes on is the same anomaly: a new pattern as long as it comes, a frequent one while
                // it is that.
                Some(known) if known.cause == Cause::New || unusual => {
                    if !known.silence.is_some_and(|silence| silence.holds(end)) {
                        known.active = true;
                        known.seen(window, seen.count, seen.last, &seen.samples);
                    }
                    continue;
                }
                _ => {}
            }
            let cause = match (seen.is_new, unusual) {
                (true, _) => Cause::New,
                (false, true) => Cause::Frequent { count: seen.count, usual: baseline.mean },
                (false, false) => continue,
            };
            let mut anomaly = Anomaly::new(id, index, pattern, cause, seen.first);
            anomaly.seen(window, seen.count, seen.last, &seen.samples);
            self.anomalies.push(anomaly);
        }
    }
}

#[cfg(test)]
mod tests {
    use groundwatch_api::logs::EvaluationFrequency;
    use groundwatch_core::Tags;

    use super::*;
    use crate::anomaly::finding::Silence;
    use crate::incarnation::GroupId;

    fn detector() -> LogAnomalyDetector {
        LogAnomalyDetector {
            group: "/app".into(),
            group_id: GroupId::random(),
            name: None,
            frequency: EvaluationFrequency::OneMin,
            filter_pattern: String::new(),
            kms_key_id: None,
            visibility_days: 7,
            tags: Tags::default(),
            created: Timestamp::EPOCH,
            modified: Timestamp::EPOCH,
            enabled: true,
            seen_until: None,
            patterns: Default::default(),
            anomalies: Vec::new(),
            silenced: Default::default(),
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_secs(minute * 60)
    }

    /// Lets a minute with these messages, each so many times, go by.
    fn minute(detector: &mut LogAnomalyDetector, minute: i64, messages: &[(&str, usize)], learns: bool) {
        for (message, count) in messages {
            for _ in 0..*count {
                detector.see(at(minute), message);
            }
        }
        detector.end_window("d", at(minute), at(minute + 1), learns);
    }

    /// A detector that knows twenty minutes of requests.
    fn trained() -> LogAnomalyDetector {
        let mut detector = detector();
        for number in 0..20 {
            minute(&mut detector, number, &[("INFO request 1 took 5 ms", 10)], true);
        }
        detector
    }

    fn found(detector: &LogAnomalyDetector) -> Vec<(String, &str, bool)> {
        let anomalies = detector.anomalies.iter();
        anomalies.map(|found| (found.pattern.to_string(), found.priority.as_str(), found.active)).collect()
    }

    #[test]
    fn what_was_learnt_is_usual() {
        let mut detector = trained();
        for number in 20..40 {
            minute(&mut detector, number, &[("INFO request 77 took 9 ms", 12)], false);
        }
        assert_eq!(found(&detector), []);
    }

    #[test]
    fn a_new_pattern_is_an_anomaly_as_long_as_it_comes() {
        let mut detector = trained();
        minute(&mut detector, 20, &[("INFO request 1 took 5 ms", 10), ("ERROR disk 7 is full", 2)], false);
        assert_eq!(found(&detector), [("ERROR disk <*> is full".to_owned(), "HIGH", true)]);
        minute(&mut detector, 21, &[("ERROR disk 8 is full", 1)], false);
        assert_eq!(detector.anomalies[0].histogram.values().copied().collect::<Vec<_>>(), [2, 1]);
        assert_eq!(detector.anomalies[0].values[0].keys().collect::<Vec<_>>(), ["7", "8"]);
        minute(&mut detector, 22, &[], false);
        assert_eq!(found(&detector), [("ERROR disk <*> is full".to_owned(), "HIGH", false)]);
        assert_eq!(detector.anomalies[0].last_seen, at(21));
    }

    #[test]
    fn a_pattern_that_comes_far_more_often_is_an_anomaly() {
        let mut detector = trained();
        minute(&mut detector, 20, &[("INFO request 1 took 5 ms", 29)], false);
        assert_eq!(found(&detector), [], "not three times as often");
        minute(&mut detector, 21, &[("INFO request 1 took 5 ms", 100)], false);
        assert_eq!(found(&detector), [("INFO request <*> took <*> ms".to_owned(), "MEDIUM", true)]);
    }

    #[test]
    fn an_anomaly_becomes_usual_in_time() {
        let mut detector = trained();
        minute(&mut detector, 20, &[("WARN slow", 1)], false);
        let later = 20 + 7 * 24 * 60;
        minute(&mut detector, later, &[("WARN slow", 1)], false);
        assert!(detector.anomalies[0].baseline);
        minute(&mut detector, later + 1, &[("WARN slow", 1)], false);
        assert_eq!(detector.anomalies.len(), 1, "and is not found again");
    }

    #[test]
    fn what_is_silenced_is_not_told() {
        let mut detector = trained();
        minute(&mut detector, 20, &[("WARN slow", 1)], false);
        detector.anomalies[0].silence = Some(Silence { since: at(21), until: Some(at(30)) });
        minute(&mut detector, 22, &[("WARN slow", 1)], false);
        assert_eq!(detector.anomalies[0].last_seen, at(20));
        minute(&mut detector, 31, &[("WARN slow", 1)], false);
        assert_eq!(detector.anomalies[0].last_seen, at(31));
        let id = detector.anomalies[0].pattern.id();
        detector.silenced.insert(id, Silence { since: at(32), until: None });
        minute(&mut detector, 33, &[("WARN slow", 1)], false);
        assert_eq!(detector.anomalies[0].last_seen, at(31));
    }
}

//! StateReason and StateReasonData: why an alarm is in its state, in AWS's words.
//!
//! The forms are those of published notifications and recordings (2019 to 2026). Where DatapointsToAlarm was
//! given they count "out of the last N datapoints" and name the minimum; where it was not, they do neither.

use groundwatch_core::{JavaDouble, Timestamp};
use serde::Serialize;

use crate::alarm::StateValue;
use crate::definition::MetricDefinition;
use crate::evaluation::condition::{Bound, Condition};
use crate::evaluation::verdict::Verdict;
use crate::evaluation::window::Slot;
use crate::reader::{Band, Point};

/// How many datapoints a reason shows; from this many on it says that they are the most recent ones.
const SHOWN_MAX: usize = 5;

/// The longest StateReasonData, in bytes: AWS's limit for the member.
const REASON_DATA_BYTES_MAX: usize = 4000;

/// Why `verdict` says `state`.
pub(crate) fn reason(condition: &Condition, verdict: &Verdict, state: StateValue) -> String {
    worded(condition, verdict, state, SHOWN_MAX)
}

/// Why `verdict` says `state` of one series of several: the datapoints always come in a sentence of their own
/// (user guide, "Alarm events and EventBridge", Contributor State Change).
pub(crate) fn contributor_reason(condition: &Condition, verdict: &Verdict, state: StateValue) -> String {
    worded(condition, verdict, state, 1)
}

/// `apart_from` datapoints on, they come in a sentence of their own.
fn worded(condition: &Condition, verdict: &Verdict, state: StateValue, apart_from: usize) -> String {
    let periods = condition.out_of();
    if state == StateValue::InsufficientData {
        return format!("Insufficient Data: {} unknown.", counted(periods, "datapoint"));
    }
    let crossed = if condition.threshold.is_some() { "Threshold Crossed" } else { "Thresholds Crossed" };
    let filled = filled(verdict);
    // The datapoints that speak for the state, newest first.
    let crossing: Vec<&Point> = verdict
        .real
        .iter()
        .rev()
        .filter(|point| condition.is_breached_by(point) == (state == StateValue::Alarm))
        .collect();
    if crossing.is_empty() {
        let received = match verdict.real.len() {
            0 => "no datapoints were".to_owned(),
            count => counted(count, "datapoint"),
        };
        return format!("{crossed}: {received} received for {}{filled}.", plural(periods, "period"));
    }
    let not = if state == StateValue::Alarm { "" } else { "not " };
    let phrase = phrase(condition, not, &crossing);
    let verb = if crossing.len() == 1 { "was" } else { "were" };
    let (subject, minimum) = match condition.datapoints_to_alarm {
        Some(_) => {
            (format!("{} out of the last {periods} datapoints", crossing.len()), minimum(condition, state))
        }
        None => (plural(crossing.len(), "datapoint"), String::new()),
    };
    let shown = shown(&crossing);
    if crossing.len() < apart_from {
        format!("{crossed}: {subject} {shown} {verb} {phrase}{filled}{minimum}.")
    } else {
        let noun = if crossing.len() == 1 { "datapoint" } else { "datapoints" };
        format!(
            "{crossed}: {subject} {verb} {phrase}{filled}. \
             The most recent {noun} which crossed the threshold: {shown}{minimum}."
        )
    }
}

/// ` and 2 missing datapoints were treated as [Breaching]`, where missing ones were counted.
fn filled(verdict: &Verdict) -> String {
    match verdict.treatment.treated_as() {
        Some(kind) if verdict.filled > 0 => {
            format!(" and {} treated as [{kind}]", counted(verdict.filled, "missing datapoint"))
        }
        _ => String::new(),
    }
}

/// ` (minimum 1 datapoint for ALARM -> OK transition)`: how many datapoints it takes to get into `state`.
fn minimum(condition: &Condition, state: StateValue) -> String {
    let (count, transition) = match state {
        StateValue::Alarm => (condition.needed(), "OK -> ALARM"),
        _ => (condition.out_of() - condition.needed() + 1, "ALARM -> OK"),
    };
    format!(" (minimum {} for {transition} transition)", plural(count, "datapoint"))
}

/// `greater than the threshold (31.0)`, or `less than the lower thresholds [0.02] or greater than the upper
/// thresholds [0.3]` with the bands of `points` (user guide, "Alarm events and EventBridge").
fn phrase(condition: &Condition, not: &str, points: &[&Point]) -> String {
    let bounds = |bound: fn(Band) -> f64| {
        let bands = points.iter().take(SHOWN_MAX).filter_map(|point| point.band);
        bands.map(|band| JavaDouble(bound(band)).to_string()).collect::<Vec<_>>().join(", ")
    };
    let against = |bound| match bound {
        Bound::Threshold => format!("threshold ({})", JavaDouble(condition.threshold.unwrap_or_default())),
        Bound::Lower => format!("lower thresholds [{}]", bounds(|band| band.lower)),
        Bound::Upper => format!("upper thresholds [{}]", bounds(|band| band.upper)),
    };
    let phrases = condition.comparison.phrases().iter();
    let phrases: Vec<_> =
        phrases.map(|(words, bound)| format!("{not}{words} the {}", against(*bound))).collect();
    phrases.join(" or ")
}

/// `[21.5 (02/10/19 16:59:00), …]`.
fn shown(points: &[&Point]) -> String {
    let shown: Vec<String> = points
        .iter()
        .take(SHOWN_MAX)
        .map(|point| {
            format!("{} ({})", JavaDouble(point.value), point.timestamp.strftime("%d/%m/%y %H:%M:%S"))
        })
        .collect();
    format!("[{}]", shown.join(", "))
}

/// `1 datapoint`, `2 datapoints`.
fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `1 datapoint was`, `2 datapoints were`.
fn counted(count: usize, noun: &str) -> String {
    format!("{} {}", plural(count, noun), if count == 1 { "was" } else { "were" })
}

/// The JSON text of StateReasonData for an evaluation at `now` of `slots`.
///
/// Of a long evaluation the oldest datapoints are left out, so that the text keeps to AWS's limit.
pub(crate) fn reason_data(
    definition: &MetricDefinition,
    verdict: &Verdict,
    slots: &[Slot],
    now: Timestamp,
) -> String {
    let mut recent = &verdict.real[..];
    let mut evaluated = evaluated(verdict, slots);
    loop {
        let text = render(definition, verdict, recent, &evaluated, now);
        if text.len() <= REASON_DATA_BYTES_MAX || (recent.is_empty() && evaluated.is_empty()) {
            return text;
        }
        if evaluated.len() > SHOWN_MAX {
            evaluated.truncate((evaluated.len() * 3 / 4).max(SHOWN_MAX));
        } else {
            recent = &recent[recent.len().div_ceil(4)..];
        }
    }
}

/// The datapoints that counted and the newest missing ones that stood in for the rest, newest first.
fn evaluated(verdict: &Verdict, slots: &[Slot]) -> Vec<EvaluatedDatapoint> {
    let oldest_real = verdict.real.first().map(|point| point.timestamp);
    let mut missing_left = verdict.filled;
    let mut evaluated = Vec::new();
    for slot in slots.iter().rev() {
        let timestamp = slot.start.to_aws_json_text();
        match slot.point {
            Some(point) if oldest_real.is_some_and(|oldest| slot.start >= oldest) => {
                evaluated.push(EvaluatedDatapoint {
                    timestamp,
                    sample_count: (point.sample_count > 0.0).then_some(JavaDouble(point.sample_count)),
                    value: Some(JavaDouble(point.value)),
                });
            }
            None if missing_left > 0 => {
                missing_left -= 1;
                evaluated.push(EvaluatedDatapoint { timestamp, sample_count: None, value: None });
            }
            _ => {}
        }
    }
    evaluated
}

fn render(
    definition: &MetricDefinition,
    verdict: &Verdict,
    recent: &[Point],
    evaluated: &[EvaluatedDatapoint],
    now: Timestamp,
) -> String {
    let metric = definition.source.as_metric();
    let threshold = definition.condition.threshold;
    let bounds = |bound: fn(Band) -> f64| {
        let bands = recent.iter().filter_map(|point| point.band);
        threshold.is_none().then(|| bands.map(|band| JavaDouble(bound(band))).collect())
    };
    let data = ReasonData {
        version: "1.0",
        query_date: now.to_aws_json_text(),
        start_date: verdict.real.first().map(|point| point.timestamp.to_aws_json_text()),
        unit: metric.and_then(|metric| metric.unit.as_deref()),
        statistic: metric.map(|metric| metric.statistic.as_str()),
        period: definition.source.period_secs(),
        recent_datapoints: recent.iter().map(|point| JavaDouble(point.value)).collect(),
        recent_lower_thresholds: bounds(|band| band.lower),
        recent_upper_thresholds: bounds(|band| band.upper),
        threshold: threshold.map(JavaDouble),
        evaluated_datapoints: evaluated,
    };
    serde_json::to_string(&data).expect("text, numbers and lists always have a JSON form")
}

/// The order of members is AWS's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReasonData<'a> {
    version: &'static str,
    query_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    /// Math has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    statistic: Option<&'a str>,
    period: u32,
    recent_datapoints: Vec<JavaDouble>,
    /// Of the same datapoints, in an alarm on an anomaly band; it has no threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_lower_thresholds: Option<Vec<JavaDouble>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_upper_thresholds: Option<Vec<JavaDouble>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<JavaDouble>,
    evaluated_datapoints: &'a [EvaluatedDatapoint],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EvaluatedDatapoint {
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_count: Option<JavaDouble>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<JavaDouble>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::condition::{Comparison, MissingData};
    use crate::evaluation::verdict::judge;
    use crate::testing::{DefinitionBuilder, definition, slots_of};

    const MINUTE_OF_NEWEST: &str = "2019-10-02T16:59:00Z";

    /// Evaluates one-minute `values` (oldest first, `None` missing), the newest of 02/10/19 16:59:00.
    fn check(alarm: DefinitionBuilder, values: &[Option<f64>], expected: &str) {
        let definition = alarm.build();
        let newest = Timestamp::parse_iso8601(MINUTE_OF_NEWEST).expect("a time");
        let slots = slots_of(newest, 60, values);
        let condition = &definition.condition;
        let verdict = judge(condition, definition.missing_data(), definition.source.statistic(), &slots);
        let state = verdict.state.expect("a case with a state");
        assert_eq!(reason(condition, &verdict, state), expected);
    }

    #[test]
    fn without_datapoints_to_alarm_the_reason_is_short() {
        check(
            definition().above(21.0),
            &[None, None, Some(21.5)],
            "Threshold Crossed: 1 datapoint [21.5 (02/10/19 16:59:00)] was greater than the threshold (21.0).",
        );
        check(
            definition().above(0.0),
            &[None, Some(0.0), None],
            "Threshold Crossed: 1 datapoint [0.0 (02/10/19 16:58:00)] was not greater than the threshold (0.0).",
        );
        check(
            definition().above(1.0).out_of(2),
            &[None, None, Some(2.0), Some(3.0)],
            "Threshold Crossed: 2 datapoints [3.0 (02/10/19 16:59:00), 2.0 (02/10/19 16:58:00)] were greater than \
             the threshold (1.0).",
        );
    }

    #[test]
    fn with_datapoints_to_alarm_the_reason_names_the_minimum() {
        check(
            definition().above(31.0).needs(1).out_of(3),
            &[None, None, Some(41.0), Some(33.8), Some(32.6)],
            "Threshold Crossed: 3 out of the last 3 datapoints [32.6 (02/10/19 16:59:00), 33.8 (02/10/19 16:58:00), \
             41.0 (02/10/19 16:57:00)] were greater than the threshold (31.0) (minimum 1 datapoint for OK -> ALARM \
             transition).",
        );
        check(
            definition().above(50.0).needs(1).out_of(1),
            &[None, None, Some(0.0666851903306472)],
            "Threshold Crossed: 1 out of the last 1 datapoints [0.0666851903306472 (02/10/19 16:59:00)] was not \
             greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
        );
        check(
            definition().above(50.0).needs(3).out_of(5),
            &[None, None, Some(60.0), Some(60.0), Some(1.0), Some(2.0), Some(3.0)],
            "Threshold Crossed: 3 out of the last 5 datapoints [3.0 (02/10/19 16:59:00), 2.0 (02/10/19 16:58:00), 1.0 \
             (02/10/19 16:57:00)] were not greater than the threshold (50.0) (minimum 3 datapoints for ALARM -> OK \
             transition).",
        );
    }

    #[test]
    fn from_five_datapoints_on_the_most_recent_are_shown() {
        check(
            definition().above(10.0).out_of(6),
            &[Some(27.5); 8],
            "Threshold Crossed: 6 datapoints were greater than the threshold (10.0). The most recent datapoints which \
             crossed the threshold: [27.5 (02/10/19 16:59:00), 27.5 (02/10/19 16:58:00), 27.5 (02/10/19 16:57:00), \
             27.5 (02/10/19 16:56:00), 27.5 (02/10/19 16:55:00)].",
        );
        check(
            definition().compare(Comparison::LessThanThreshold, 65.0).needs(5).out_of(5),
            &[Some(0.0); 7],
            "Threshold Crossed: 5 out of the last 5 datapoints were less than the threshold (65.0). The most recent \
             datapoints which crossed the threshold: [0.0 (02/10/19 16:59:00), 0.0 (02/10/19 16:58:00), 0.0 (02/10/19 \
             16:57:00), 0.0 (02/10/19 16:56:00), 0.0 (02/10/19 16:55:00)] (minimum 5 datapoints for OK -> ALARM \
             transition).",
        );
    }

    #[test]
    fn missing_datapoints_are_told_in_singular_and_plural() {
        let alarm = |periods| definition().compare(Comparison::LessThanThreshold, 1.0).out_of(periods);
        check(
            alarm(1).missing(MissingData::Breaching),
            &[None; 3],
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
             [Breaching].",
        );
        check(
            alarm(2).missing(MissingData::NotBreaching),
            &[None; 4],
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as \
             [NonBreaching].",
        );
        check(alarm(1), &[None; 3], "Insufficient Data: 1 datapoint was unknown.");
        check(alarm(5), &[None; 7], "Insufficient Data: 5 datapoints were unknown.");
        check(
            alarm(3).missing(MissingData::Breaching),
            &[None, None, None, None, Some(1.0)],
            "Threshold Crossed: 1 datapoint [1.0 (02/10/19 16:59:00)] was not less than the threshold (1.0) and 2 \
             missing datapoints were treated as [Breaching].",
        );
        check(
            alarm(3).needs(2).missing(MissingData::Breaching),
            &[None, None, None, None, Some(1.0)],
            "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as \
             [Breaching].",
        );
        check(
            alarm(2).missing(MissingData::Breaching),
            &[None, None, Some(0.0), None],
            "Threshold Crossed: 1 datapoint [0.0 (02/10/19 16:58:00)] was less than the threshold (1.0) and 1 missing \
             datapoint was treated as [Breaching].",
        );
    }

    fn data(alarm: DefinitionBuilder, values: &[Option<f64>]) -> String {
        let definition = alarm.build();
        let newest = Timestamp::parse_iso8601(MINUTE_OF_NEWEST).expect("a time");
        let slots = slots_of(newest, 60, values);
        let treatment = definition.missing_data();
        let verdict = judge(&definition.condition, treatment, definition.source.statistic(), &slots);
        let now = Timestamp::parse_iso8601("2019-10-02T17:00:02.678Z").expect("a time");
        reason_data(&definition, &verdict, &slots, now)
    }

    #[test]
    fn reason_data_lists_what_was_evaluated() {
        assert_eq!(
            data(
                definition().above(2.0).out_of(3).unit("Seconds"),
                &[Some(9.0), None, Some(1.0), None, Some(2e7)]
            ),
            "{\"version\":\"1.0\",\"queryDate\":\"2019-10-02T17:00:02.678+0000\",\
             \"startDate\":\"2019-10-02T16:55:00.000+0000\",\"unit\":\"Seconds\",\"statistic\":\"Average\",\
             \"period\":60,\"recentDatapoints\":[9.0,1.0,2.0E7],\"threshold\":2.0,\"evaluatedDatapoints\":[\
             {\"timestamp\":\"2019-10-02T16:59:00.000+0000\",\"sampleCount\":1.0,\"value\":2.0E7},\
             {\"timestamp\":\"2019-10-02T16:57:00.000+0000\",\"sampleCount\":1.0,\"value\":1.0},\
             {\"timestamp\":\"2019-10-02T16:55:00.000+0000\",\"sampleCount\":1.0,\"value\":9.0}]}"
        );
    }

    #[test]
    fn reason_data_without_data_has_no_start() {
        assert_eq!(
            data(definition().above(2.0), &[None, None, None]),
            "{\"version\":\"1.0\",\"queryDate\":\"2019-10-02T17:00:02.678+0000\",\"statistic\":\"Average\",\
             \"period\":60,\"recentDatapoints\":[],\"threshold\":2.0,\"evaluatedDatapoints\":[\
             {\"timestamp\":\"2019-10-02T16:59:00.000+0000\"}]}"
        );
    }

    #[test]
    fn reason_data_of_a_long_evaluation_keeps_to_the_limit() {
        let text = data(definition().above(2.0).out_of(1440), &[Some(1.0 / 3.0); 1442]);
        assert!(text.len() <= REASON_DATA_BYTES_MAX && text.len() > 1000, "{} bytes", text.len());
        serde_json::from_str::<serde_json::Value>(&text).expect("still JSON");
    }
}

//! What an alarm sends to an SNS topic: the notification JSON that chat and paging services parse, and the
//! subject.

use std::collections::BTreeMap;

use groundwatch_core::{AccountId, JavaDouble};
use groundwatch_storage::Key;
use serde::Serialize;

use crate::alarm::{Alarm, State, StateValue, Withheld, arn};
use crate::composite::judgement::ReasonData;
use crate::definition::{CompositeDefinition, Definition, MetricDefinition};
use crate::effects::alarm_shape::TAGS_FOUND;
use crate::effects::metric_json::{Case, EntryJson, LowerCaseDimension, SuppressorJson};
use crate::evaluation::condition::MissingData;
use crate::evaluation::source::Source;
use crate::reader::{MetricQuery, Statistic};
use crate::regions::display_name;

/// The longest subject that SNS takes, in characters.
const SUBJECT_CHARS_MAX: usize = 100;

/// `ALARM: "cpu" in US East (N. Virginia)`; of a long name the end is left out.
pub(crate) fn subject(key: &Key, state: StateValue) -> String {
    let (before, after) = (format!("{state}: \""), format!("\" in {}", display_name(&key.scope.region)));
    let room = SUBJECT_CHARS_MAX.saturating_sub(before.chars().count() + after.chars().count());
    let name: String = if key.name.chars().count() > room {
        key.name.chars().take(room.saturating_sub(3)).chain("...".chars()).collect()
    } else {
        key.name.clone()
    };
    let subject = format!("{before}{name}{after}");
    // A region of one's own may have a name that leaves no room at all.
    subject.chars().take(SUBJECT_CHARS_MAX).collect()
}

/// The notification that `alarm` has come to the state that it has. Members and their order are AWS's
/// (recorded 2026-02).
pub(crate) fn message(key: &Key, alarm: &Alarm, owed: &Withheld) -> String {
    let actions = alarm.definition.actions();
    let notification = Notification {
        alarm_name: &key.name,
        alarm_description: alarm.definition.description(),
        account: key.scope.account,
        alarm_configuration_updated_timestamp: alarm.configured.to_aws_json_text(),
        new_state_value: alarm.state.value,
        new_state_reason: &alarm.state.reason,
        state_change_time: alarm.state.updated.to_aws_json_text(),
        region: display_name(&key.scope.region),
        alarm_arn: arn(key),
        old_state_value: owed.previous.value,
        ok_actions: &actions.ok,
        alarm_actions: &actions.alarm,
        insufficient_data_actions: &actions.insufficient_data,
        action_executed_after_mute_window: owed.by_mute_rule,
        alarm_contributor_id: alarm.contributor.as_ref().map(|contributor| contributor.id.as_str()),
        alarm_contributor_attributes: alarm.contributor.as_ref().map(|contributor| &contributor.attributes),
        tags: alarm.propagated_tags().map(NotifiedTags::of),
        cause: match &alarm.definition {
            Definition::Metric(definition) => Cause::Metric { trigger: Box::new(Trigger::of(definition)) },
            Definition::Composite(definition) => {
                Cause::Composite(Box::new(Composition::of(definition, &alarm.state)))
            }
        },
    };
    serde_json::to_string(&notification).expect("text, numbers and lists always have a JSON form")
}

/// `SampleCount` → `SAMPLE_COUNT`, `Average` → `AVERAGE`.
fn upper_snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 1);
    for (index, letter) in name.chars().enumerate() {
        if index > 0 && letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Notification<'a> {
    alarm_name: &'a str,
    alarm_description: Option<&'a str>,
    #[serde(rename = "AWSAccountId")]
    account: AccountId,
    alarm_configuration_updated_timestamp: String,
    new_state_value: StateValue,
    new_state_reason: &'a str,
    state_change_time: String,
    region: &'a str,
    alarm_arn: String,
    old_state_value: StateValue,
    #[serde(rename = "OKActions")]
    ok_actions: &'a [String],
    alarm_actions: &'a [String],
    insufficient_data_actions: &'a [String],
    action_executed_after_mute_window: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_contributor_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_contributor_attributes: Option<&'a BTreeMap<String, String>>,
    #[serde(flatten)]
    tags: Option<NotifiedTags<'a>>,
    #[serde(flatten)]
    cause: Cause<'a>,
}

/// The guide names the members and speaks of a list; the form of its items is not published.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotifiedTags<'a> {
    alarm_tags: Vec<NotifiedTag<'a>>,
    alarm_tags_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotifiedTag<'a> {
    key: &'a str,
    value: &'a str,
}

impl<'a> NotifiedTags<'a> {
    fn of(tags: BTreeMap<&'a str, &'a str>) -> Self {
        let alarm_tags = tags.into_iter().map(|(key, value)| NotifiedTag { key, value }).collect();
        Self { alarm_tags, alarm_tags_status: TAGS_FOUND }
    }
}

/// What the alarm watches.
#[derive(Serialize)]
#[serde(untagged)]
enum Cause<'a> {
    Metric {
        #[serde(rename = "Trigger")]
        trigger: Box<Trigger<'a>>,
    },
    Composite(Box<Composition<'a>>),
}

/// What stands in a composite alarm's notification instead of `Trigger`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Composition<'a> {
    alarm_rule: &'a str,
    triggering_children: Vec<TriggeringChild>,
    #[serde(flatten)]
    suppressor: SuppressorJson<'a>,
}

impl<'a> Composition<'a> {
    fn of(definition: &'a CompositeDefinition, state: &State) -> Self {
        // A state that was set by hand has whatever data it was given.
        let data =
            state.reason_data.as_deref().and_then(|data| serde_json::from_str::<ReasonData>(data).ok());
        Self {
            alarm_rule: definition.rule.text(),
            triggering_children: data
                .unwrap_or_default()
                .triggering_alarms
                .into_iter()
                .map(|child| TriggeringChild {
                    arn: child.arn,
                    state: TriggeringChildState {
                        value: child.state.value,
                        timestamp: child.state.timestamp,
                    },
                })
                .collect(),
            suppressor: SuppressorJson(Case::Pascal, definition.suppressor.as_ref()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TriggeringChild {
    arn: String,
    state: TriggeringChildState,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TriggeringChildState {
    value: StateValue,
    timestamp: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Trigger<'a> {
    #[serde(flatten)]
    metric: Option<MetricTrigger<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Vec<EntryJson<'a>>>,
    period: u32,
    evaluation_periods: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    datapoints_to_alarm: Option<u32>,
    comparison_operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<JavaDouble>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_metric_id: Option<&'a str>,
    treat_missing_data: &'static str,
    /// Empty without one.
    evaluate_low_sample_count_percentile: &'static str,
}

/// A single metric.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricTrigger<'a> {
    metric_name: &'a str,
    namespace: &'a str,
    statistic_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_statistic: Option<&'a str>,
    /// `null` without one.
    unit: Option<&'a str>,
    dimensions: Vec<LowerCaseDimension<'a>>,
}

impl<'a> Trigger<'a> {
    fn of(definition: &'a MetricDefinition) -> Self {
        let condition = &definition.condition;
        let (metric, metrics) = match &definition.source {
            Source::Metric(metric) => (Some(MetricTrigger::of(metric)), None),
            Source::Math(math) => {
                let entries = math.entries.iter();
                (None, Some(entries.map(|entry| EntryJson(Case::Pascal, entry)).collect()))
            }
        };
        Self {
            metric,
            metrics,
            period: definition.source.period_secs(),
            evaluation_periods: condition.evaluation_periods,
            datapoints_to_alarm: condition.datapoints_to_alarm,
            comparison_operator: condition.comparison.name(),
            threshold: condition.threshold.map(JavaDouble),
            threshold_metric_id: definition.source.threshold_metric_id(),
            treat_missing_data: condition
                .treat_missing_data
                .map_or(MissingData::default().name(), MissingData::name),
            evaluate_low_sample_count_percentile: condition
                .low_sample_percentiles
                .map_or("", |option| option.name()),
        }
    }
}

impl<'a> MetricTrigger<'a> {
    fn of(metric: &'a MetricQuery) -> Self {
        let (statistic_type, statistic, extended_statistic) = match &metric.statistic {
            Statistic::Simple(text) => ("Statistic", Some(upper_snake_case(text)), None),
            Statistic::Extended(text) => ("ExtendedStatistic", None, Some(text.as_str())),
        };
        Self {
            metric_name: &metric.metric_name,
            namespace: &metric.namespace,
            statistic_type,
            statistic,
            extended_statistic,
            unit: metric.unit.as_deref(),
            dimensions: metric.dimensions.iter().map(LowerCaseDimension::of).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composite::suppression::Suppressor;
    use crate::definition::math_query::{MathEntry, MathQuery, Term};
    use crate::definition::tag_propagation::PropagatedKeys;
    use crate::definition::{Actions, TagPropagation};
    use crate::evaluation::condition::Comparison;
    use crate::testing::{composite, definition, key};
    use groundwatch_core::{Tags, Timestamp};

    const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:ops";

    fn new() -> Withheld {
        let previous = Alarm::new(definition().build(), Tags::default(), Timestamp::EPOCH).state;
        Withheld { previous, by_mute_rule: false }
    }

    fn alarm_in_alarm(definition: impl Into<Definition>) -> Alarm {
        let mut alarm = Alarm::new(definition, Tags::default(), Timestamp::from_millis(1_767_323_000_001));
        alarm.state.value = StateValue::Alarm;
        alarm.state.reason = "Threshold Crossed".to_owned();
        alarm.state.updated = Timestamp::from_millis(1_767_323_045_678);
        alarm
    }

    #[test]
    fn notifications_read_as_recorded() {
        let actions = Actions { enabled: true, alarm: vec![TOPIC.to_owned()], ..Actions::default() };
        let alarm = alarm_in_alarm(definition().needs(1).actions(actions).build());
        assert_eq!(
            message(&key("cpu"), &alarm, &new()),
            "{\"AlarmName\":\"cpu\",\"AlarmDescription\":null,\"AWSAccountId\":\"000000000000\",\
             \"AlarmConfigurationUpdatedTimestamp\":\"2026-01-02T03:03:20.001+0000\",\"NewStateValue\":\"ALARM\",\
             \"NewStateReason\":\"Threshold Crossed\",\"StateChangeTime\":\"2026-01-02T03:04:05.678+0000\",\
             \"Region\":\"US East (N. Virginia)\",\
             \"AlarmArn\":\"arn:aws:cloudwatch:us-east-1:000000000000:alarm:cpu\",\
             \"OldStateValue\":\"INSUFFICIENT_DATA\",\"OKActions\":[],\
             \"AlarmActions\":[\"arn:aws:sns:us-east-1:000000000000:ops\"],\"InsufficientDataActions\":[],\
             \"ActionExecutedAfterMuteWindow\":false,\"Trigger\":{\"MetricName\":\"Latency\",\"Namespace\":\"Shop\",\
             \"StatisticType\":\"Statistic\",\"Statistic\":\"AVERAGE\",\"Unit\":null,\
             \"Dimensions\":[{\"value\":\"a\",\"name\":\"Host\"}],\"Period\":60,\"EvaluationPeriods\":1,\
             \"DatapointsToAlarm\":1,\"ComparisonOperator\":\"GreaterThanThreshold\",\"Threshold\":1.0,\
             \"TreatMissingData\":\"missing\",\"EvaluateLowSampleCountPercentile\":\"\"}}"
        );
    }

    #[test]
    fn percentiles_are_extended_statistics() {
        let alarm = alarm_in_alarm(definition().percentile("p99").unit("Seconds").build());
        let message = message(&key("cpu"), &alarm, &new());
        let expected =
            "\"StatisticType\":\"ExtendedStatistic\",\"ExtendedStatistic\":\"p99\",\"Unit\":\"Seconds\",";
        assert!(message.contains(expected), "{message}");
        assert_eq!(upper_snake_case("SampleCount"), "SAMPLE_COUNT");
    }

    #[test]
    fn math_alarms_tell_their_metrics() {
        let mut math = definition().needs(1).build();
        let metric = math.source.as_metric().expect("a single metric").clone();
        let entry = |id: &str, returned, term| MathEntry {
            id: id.to_owned(),
            label: None,
            returned,
            period_secs: None,
            account_id: None,
            term,
        };
        math.source = Source::Math(MathQuery {
            entries: vec![
                entry("e", true, Term::Expression("m * 2".to_owned())),
                entry("m", false, Term::Metric(metric)),
            ],
            period_secs: 60,
            insights: None,
            band: None,
        });
        let message = message(&key("cpu"), &alarm_in_alarm(math), &new());
        let expected = "\"Trigger\":{\"Metrics\":[{\"Expression\":\"m * 2\",\"Id\":\"e\",\"ReturnData\":true},\
             {\"Id\":\"m\",\"MetricStat\":{\"Metric\":{\"Dimensions\":[{\"value\":\"a\",\"name\":\"Host\"}],\
             \"MetricName\":\"Latency\",\"Namespace\":\"Shop\"},\"Period\":60,\"Stat\":\"Average\"},\
             \"ReturnData\":false}],\"Period\":60,\"EvaluationPeriods\":1,";
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn alarms_on_bands_tell_which_band() {
        let mut banded = definition().build();
        banded.condition.threshold = None;
        banded.condition.comparison = Comparison::GreaterThanUpperThreshold;
        let (entries, band) = (Vec::new(), Some("ad1".to_owned()));
        banded.source = Source::Math(MathQuery { entries, period_secs: 60, insights: None, band });
        let message = message(&key("cpu"), &alarm_in_alarm(banded), &new());
        let expected = "\"ComparisonOperator\":\"GreaterThanUpperThreshold\",\"ThresholdMetricId\":\"ad1\",\"TreatMissingData\":";
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn composite_alarms_tell_rule_and_triggering_children() {
        let mut definition = composite("ALARM(a)");
        definition.suppressor =
            Some(Suppressor { alarm: "s".to_owned(), wait_secs: 60, extension_secs: 120 });
        let mut alarm = alarm_in_alarm(definition);
        alarm.state.reason_data = Some(
            "{\"triggeringAlarms\":[{\"arn\":\"arn:a\",\"state\":{\"value\":\"ALARM\",\"timestamp\":\"T\"}}]}".to_owned(),
        );
        let message = message(&key("all"), &alarm, &new());
        let expected = "\"ActionExecutedAfterMuteWindow\":false,\"AlarmRule\":\"ALARM(a)\",\"TriggeringChildren\":\
             [{\"Arn\":\"arn:a\",\"State\":{\"Value\":\"ALARM\",\"Timestamp\":\"T\"}}],\"ActionsSuppressor\":\"s\",\
             \"ActionsSuppressorWaitPeriod\":60,\"ActionsSuppressorExtensionPeriod\":120}";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn tags_go_along_where_asked() {
        let tags = Some(TagPropagation { enabled: true, keys: PropagatedKeys::All });
        let actions = Actions { enabled: true, tags, ..Actions::default() };
        let mut alarm = alarm_in_alarm(definition().actions(actions).build());
        alarm.tags = Tags::new([("team".to_owned(), "web".to_owned())]).expect("one tag");
        let message = message(&key("cpu"), &alarm, &new());
        let expected = "\"AlarmTags\":[{\"Key\":\"team\",\"Value\":\"web\"}],\"AlarmTagsStatus\":\"SUCCESS\",\"Trigger\":";
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn subjects_keep_to_what_sns_takes() {
        assert_eq!(subject(&key("cpu"), StateValue::Ok), "OK: \"cpu\" in US East (N. Virginia)");
        let long = subject(&key(&"ü".repeat(255)), StateValue::InsufficientData);
        assert_eq!(long.chars().count(), SUBJECT_CHARS_MAX);
        assert!(long.ends_with("ü...\" in US East (N. Virginia)"), "{long}");
    }
}

//! `DescribeAlarms`: alarms by name, prefix, state or action, a page at a time, by name.

use std::sync::Arc;

use groundwatch_api::cloudwatch::{
    self as api, CompositeAlarm, DescribeAlarms, DescribeAlarmsInput, DescribeAlarmsOutput, MetricAlarm,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, page_token};
use groundwatch_storage::Key;

use super::shapes::{composite_alarm, metric_alarm};
use crate::alarm::{Alarm, AlarmType, StateValue};
use crate::definition::Definition;
use crate::error::AlarmError;
use crate::service::Alarms;

/// What this listing's paging tokens are called.
const LISTING: &str = "DescribeAlarms";

/// How many alarms a page holds unless the request says otherwise.
const PAGE_DEFAULT: usize = 50;

/// How many alarms are looked at in one go while a filter is searched for.
const CHUNK: usize = 1000;

/// An alarm that was found.
type Found = (String, Arc<Alarm>);

impl Handle<DescribeAlarms> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DescribeAlarmsInput,
    ) -> Result<DescribeAlarmsOutput, Fault> {
        Ok(self.describe_alarms(call, input)?)
    }
}

impl Alarms {
    fn describe_alarms(
        &self,
        call: &Call,
        input: DescribeAlarmsInput,
    ) -> Result<DescribeAlarmsOutput, AlarmError> {
        refuse_combinations(&input)?;
        let place = match &input.next_token {
            Some(token) => Some(Place::read(token).ok_or(AlarmError::NextToken)?),
            None => None,
        };
        let limit = input.max_records.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_DEFAULT);
        let look = Look::at(&input);
        let filter = Filter::new(input, self, call.scope());
        // One more than fits tells whether there is another page.
        let mut found = self.select_all(call.scope(), &filter, place.as_ref(), limit + 1);
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| has_more);
        let next_token = last.map(|(name, alarm)| Place::token(alarm.definition.alarm_type(), name));
        let (mut metric_alarms, mut composite_alarms) = (Vec::new(), Vec::new());
        for (name, alarm) in found {
            let key = Key::new(call.scope(), name);
            match &alarm.definition {
                Definition::Metric(definition) => {
                    metric_alarms.push(look.metric(metric_alarm(&key, &alarm, definition, self.clock.now())));
                }
                Definition::Composite(definition) => {
                    composite_alarms.push(look.composite(composite_alarm(&key, &alarm, definition)));
                }
            }
        }
        Ok(DescribeAlarmsOutput {
            next_token,
            // Recorded: empty lists, never null.
            metric_alarms: Some(metric_alarms),
            composite_alarms: Some(composite_alarms),
            log_alarms: Some(Vec::new()),
        })
    }

    /// Up to `limit` alarms that `filter` lets through, from after `place` on: composite alarms before metric
    /// alarms, each by name.
    fn select_all(&self, scope: &Scope, filter: &Filter, place: Option<&Place>, limit: usize) -> Vec<Found> {
        let mut found = Vec::new();
        for alarm_type in ORDER {
            let after = match place {
                Some(place) if rank(alarm_type) < rank(place.alarm_type) => continue,
                Some(place) if alarm_type == place.alarm_type => Some(place.name.clone()),
                _ => None,
            };
            if filter.types.contains(&alarm_type) {
                found.extend(self.select(scope, filter, alarm_type, after, limit - found.len()));
            }
        }
        found
    }

    /// Up to `limit` alarms of one type that `filter` lets through, by name, from after the name `after` on.
    fn select(
        &self,
        scope: &Scope,
        filter: &Filter,
        alarm_type: AlarmType,
        mut after: Option<String>,
        limit: usize,
    ) -> Vec<Found> {
        let admits = |alarm: &Alarm| alarm.definition.alarm_type() == alarm_type && filter.admits(alarm);
        let mut found = Vec::new();
        if let Some(names) = &filter.names {
            let names = names.iter().filter(|name| after.as_ref().is_none_or(|after| *name > after));
            let alarms = names.filter_map(|name| {
                let (_, alarm) = self.store.get(&Key::new(scope, name.as_str()))?;
                admits(&alarm).then(|| (name.clone(), alarm))
            });
            return alarms.take(limit).collect();
        }
        loop {
            let chunk = self.store.list(scope, &filter.prefix, after.as_deref(), CHUNK);
            let is_last = chunk.len() < CHUNK;
            after = chunk.last().map(|(name, _)| name.clone());
            found.extend(chunk.into_iter().filter(|(_, alarm)| admits(alarm)).take(limit - found.len()));
            if is_last || found.len() == limit {
                return found;
            }
        }
    }
}

/// In which order types come.
const ORDER: [AlarmType; 2] = [AlarmType::CompositeAlarm, AlarmType::MetricAlarm];

fn rank(alarm_type: AlarmType) -> usize {
    usize::from(alarm_type == AlarmType::MetricAlarm)
}

/// Where a page ended.
struct Place {
    alarm_type: AlarmType,
    name: String,
}

impl Place {
    fn token(alarm_type: AlarmType, name: &str) -> String {
        page_token::encode(LISTING, &format!("{} {name}", alarm_type.name()))
    }

    fn read(token: &str) -> Option<Self> {
        let text = page_token::decode(LISTING, token)?;
        let (alarm_type, name) = text.split_once(' ')?;
        let alarm_type = ORDER.into_iter().find(|known| known.name() == alarm_type)?;
        Some(Self { alarm_type, name: name.to_owned() })
    }
}

/// How much of an alarm is shown: relatives come with less.
#[derive(Clone, Copy)]
enum Look {
    Whole,
    Child,
    Parent,
}

impl Look {
    fn at(input: &DescribeAlarmsInput) -> Self {
        match (&input.children_of_alarm_name, &input.parents_of_alarm_name) {
            (Some(_), _) => Self::Child,
            (None, Some(_)) => Self::Parent,
            (None, None) => Self::Whole,
        }
    }

    fn metric(self, alarm: MetricAlarm) -> MetricAlarm {
        match self {
            Self::Whole => alarm,
            Self::Child => MetricAlarm {
                alarm_name: alarm.alarm_name,
                alarm_arn: alarm.alarm_arn,
                state_value: alarm.state_value,
                state_updated_timestamp: alarm.state_updated_timestamp,
                ..MetricAlarm::default()
            },
            Self::Parent => MetricAlarm {
                alarm_name: alarm.alarm_name,
                alarm_arn: alarm.alarm_arn,
                ..MetricAlarm::default()
            },
        }
    }

    fn composite(self, alarm: CompositeAlarm) -> CompositeAlarm {
        match self {
            Self::Whole => alarm,
            Self::Child => CompositeAlarm {
                alarm_name: alarm.alarm_name,
                alarm_arn: alarm.alarm_arn,
                state_value: alarm.state_value,
                state_updated_timestamp: alarm.state_updated_timestamp,
                ..CompositeAlarm::default()
            },
            Self::Parent => CompositeAlarm {
                alarm_name: alarm.alarm_name,
                alarm_arn: alarm.alarm_arn,
                ..CompositeAlarm::default()
            },
        }
    }
}

fn refuse_combinations(input: &DescribeAlarmsInput) -> Result<(), AlarmError> {
    let excluded = |parameter, other| Err(AlarmError::Excluded { parameter, other });
    let relation = match (&input.children_of_alarm_name, &input.parents_of_alarm_name) {
        (Some(_), Some(_)) => return excluded("ChildrenOfAlarmName", "ParentsOfAlarmName"),
        (Some(_), None) => Some("ChildrenOfAlarmName"),
        (None, Some(_)) => Some("ParentsOfAlarmName"),
        (None, None) => None,
    };
    // Those two allow nothing but paging besides.
    let others = [
        ("AlarmNames", input.alarm_names.is_some()),
        ("AlarmNamePrefix", input.alarm_name_prefix.is_some()),
        ("AlarmTypes", input.alarm_types.is_some()),
        ("StateValue", input.state_value.is_some()),
        ("ActionPrefix", input.action_prefix.is_some()),
    ];
    if let (Some(relation), Some((other, _))) = (relation, others.into_iter().find(|(_, given)| *given)) {
        return excluded(relation, other);
    }
    if input.alarm_names.is_some() && input.alarm_name_prefix.is_some() {
        return excluded("AlarmNames", "AlarmNamePrefix");
    }
    Ok(())
}

/// Which alarms are asked for.
struct Filter {
    types: Vec<AlarmType>,
    /// These only, sorted, each once.
    names: Option<Vec<String>>,
    prefix: String,
    state: Option<StateValue>,
    action_prefix: Option<String>,
}

impl Filter {
    fn new(input: DescribeAlarmsInput, alarms: &Alarms, scope: &Scope) -> Self {
        let relatives = alarms.relatives(&input, scope);
        // An empty list asks for nothing in particular.
        let names = relatives.clone().or(input.alarm_names.filter(|names| !names.is_empty()));
        let names = names.map(|mut names| {
            names.sort_unstable();
            names.dedup();
            names
        });
        Self {
            types: if relatives.is_some() { ORDER.to_vec() } else { types(input.alarm_types.as_deref()) },
            names,
            prefix: input.alarm_name_prefix.unwrap_or_default(),
            state: input.state_value.and_then(|state| StateValue::from_name(state.as_str())),
            action_prefix: input.action_prefix,
        }
    }

    fn admits(&self, alarm: &Alarm) -> bool {
        let acts_on = |prefix: &String| alarm.definition.actions().all().any(|arn| arn.starts_with(prefix));
        self.state.is_none_or(|state| alarm.state.value == state)
            && self.action_prefix.as_ref().is_none_or(acts_on)
    }
}

impl Alarms {
    /// The names of an alarm's children or parents, if that is what is asked for.
    fn relatives(&self, input: &DescribeAlarmsInput, scope: &Scope) -> Option<Vec<String>> {
        let name = |key: &Key| key.name.clone();
        match (&input.children_of_alarm_name, &input.parents_of_alarm_name) {
            (Some(parent), _) => {
                let parent = Key::new(scope, parent.as_str());
                Some(self.store.family(|family| family.children(&parent).iter().map(name).collect()))
            }
            (None, Some(child)) => {
                let child = Key::new(scope, child.as_str());
                Some(self.store.family(|family| family.parents(&child).map(name).collect()))
            }
            (None, None) => None,
        }
    }
}

/// Without `AlarmTypes` only metric alarms are meant.
pub(super) fn types(asked: Option<&[api::AlarmType]>) -> Vec<AlarmType> {
    let asked = asked.unwrap_or_default();
    if asked.is_empty() {
        return vec![AlarmType::MetricAlarm];
    }
    ORDER.into_iter().filter(|known| asked.iter().any(|asked| asked.as_str() == known.name())).collect()
}

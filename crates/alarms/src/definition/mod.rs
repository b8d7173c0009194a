//! What PutMetricAlarm and PutCompositeAlarm say, as types that only hold what can be evaluated.
//!
//! The constraint table has checked each member by itself; here are the rules that span members.

mod actions;
mod composite;
mod error;
pub(crate) mod math_query;
mod metric;
pub(crate) mod tag_propagation;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use actions::Actions;
pub(crate) use composite::CompositeDefinition;
pub(crate) use error::DefinitionError;
pub(crate) use metric::MetricDefinition;
pub(crate) use metric::period;
pub(crate) use tag_propagation::TagPropagation;

use crate::alarm::AlarmType;

/// What an alarm is.
///
/// Stored without a tag: the first documents knew metric alarms only, and no member of one kind is required
/// in another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Definition {
    /// An alarm on datapoints. Shared: that a definition has stayed the same is then seen at a glance.
    Metric(Arc<MetricDefinition>),
    /// An alarm on other alarms.
    Composite(Box<CompositeDefinition>),
}

impl Definition {
    /// `AlarmType`.
    pub fn alarm_type(&self) -> AlarmType {
        match self {
            Self::Metric(_) => AlarmType::MetricAlarm,
            Self::Composite(_) => AlarmType::CompositeAlarm,
        }
    }

    /// The definition of a metric alarm, if it is one.
    pub fn as_metric(&self) -> Option<&Arc<MetricDefinition>> {
        match self {
            Self::Metric(definition) => Some(definition),
            Self::Composite(_) => None,
        }
    }

    /// The definition of a composite alarm, if it is one.
    pub fn as_composite(&self) -> Option<&CompositeDefinition> {
        match self {
            Self::Metric(_) => None,
            Self::Composite(definition) => Some(definition),
        }
    }

    /// `AlarmDescription`.
    pub fn description(&self) -> Option<&str> {
        match self {
            Self::Metric(definition) => definition.description.as_deref(),
            Self::Composite(definition) => definition.description.as_deref(),
        }
    }

    /// What happens when the state changes.
    pub fn actions(&self) -> &Actions {
        match self {
            Self::Metric(definition) => &definition.actions,
            Self::Composite(definition) => &definition.actions,
        }
    }

    /// The same, to be changed.
    pub fn actions_mut(&mut self) -> &mut Actions {
        match self {
            Self::Metric(definition) => &mut Arc::make_mut(definition).actions,
            Self::Composite(definition) => &mut definition.actions,
        }
    }
}

impl From<MetricDefinition> for Definition {
    fn from(definition: MetricDefinition) -> Self {
        Self::Metric(Arc::new(definition))
    }
}

impl From<CompositeDefinition> for Definition {
    fn from(definition: CompositeDefinition) -> Self {
        Self::Composite(Box::new(definition))
    }
}

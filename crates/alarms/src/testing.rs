//! What this crate's tests share: definitions in one line, datapoints drawn as text.

use std::time::Duration;

use groundwatch_core::Timestamp;

use crate::composite::rule::Rule;
use crate::definition::math_query::{MathEntry, Term};
use crate::definition::{Actions, CompositeDefinition, MetricDefinition};
use crate::evaluation::condition::{Comparison, Condition, MissingData};
use crate::evaluation::source::Source;
use crate::evaluation::window::Slot;
use crate::reader::{Dimension, MetricQuery, Point, Statistic};

/// An alarm on `Shop`/`Latency` that is breached above 1 in one period of one minute, until a builder says
/// otherwise.
pub(crate) fn definition() -> DefinitionBuilder {
    DefinitionBuilder(MetricDefinition {
        description: None,
        source: Source::Metric(MetricQuery {
            namespace: "Shop".to_owned(),
            metric_name: "Latency".to_owned(),
            dimensions: vec![Dimension { name: "Host".to_owned(), value: "a".to_owned() }],
            statistic: Statistic::Simple("Average".to_owned()),
            period_secs: 60,
            unit: None,
        }),
        condition: Condition {
            comparison: Comparison::GreaterThanThreshold,
            threshold: Some(1.0),
            evaluation_periods: 1,
            datapoints_to_alarm: None,
            treat_missing_data: None,
            low_sample_percentiles: None,
        },
        actions: Actions { enabled: true, ..Actions::default() },
        window: None,
        warm_up: None,
    })
}

pub(crate) struct DefinitionBuilder(MetricDefinition);

impl DefinitionBuilder {
    pub(crate) fn build(self) -> MetricDefinition {
        self.0
    }

    fn metric(&mut self) -> &mut MetricQuery {
        match &mut self.0.source {
            Source::Metric(metric) => metric,
            Source::Math(_) => panic!("definitions of tests are of single metrics"),
        }
    }

    pub(crate) fn period(mut self, secs: u32) -> Self {
        self.metric().period_secs = secs;
        self
    }

    pub(crate) fn out_of(mut self, periods: u32) -> Self {
        self.0.condition.evaluation_periods = periods;
        self
    }

    pub(crate) fn needs(mut self, datapoints: u32) -> Self {
        self.0.condition.datapoints_to_alarm = Some(datapoints);
        self
    }

    pub(crate) fn above(self, threshold: f64) -> Self {
        self.compare(Comparison::GreaterThanThreshold, threshold)
    }

    pub(crate) fn compare(mut self, comparison: Comparison, threshold: f64) -> Self {
        self.0.condition.comparison = comparison;
        self.0.condition.threshold = Some(threshold);
        self
    }

    pub(crate) fn missing(mut self, treatment: MissingData) -> Self {
        self.0.condition.treat_missing_data = Some(treatment);
        self
    }

    pub(crate) fn percentile(mut self, text: &str) -> Self {
        self.metric().statistic = Statistic::Extended(text.to_owned());
        self
    }

    pub(crate) fn unit(mut self, unit: &str) -> Self {
        self.metric().unit = Some(unit.to_owned());
        self
    }

    pub(crate) fn actions(mut self, actions: Actions) -> Self {
        self.0.actions = actions;
        self
    }

    pub(crate) fn description(mut self, text: &str) -> Self {
        self.0.description = Some(text.to_owned());
        self
    }
}

/// A composite alarm with that rule, enabled, without actions.
pub(crate) fn composite(rule: &str) -> CompositeDefinition {
    CompositeDefinition {
        description: None,
        rule: Rule::parse(rule).expect("a rule"),
        actions: Actions { enabled: true, ..Actions::default() },
        suppressor: None,
    }
}

/// Slots of one minute from a picture, oldest first: `0` a value of 0, `X` a value of 9, `-` missing.
pub(crate) fn slots(picture: &str) -> Vec<Slot> {
    let values: Vec<Option<f64>> = picture
        .split_whitespace()
        .map(|symbol| match symbol {
            "0" => Some(0.0),
            "X" => Some(9.0),
            _ => None,
        })
        .collect();
    slots_of(Timestamp::from_secs(1_767_323_040), 60, &values)
}

/// Slots of `period_secs` with these values, oldest first, the newest of which begins at `newest`.
pub(crate) fn slots_of(newest: Timestamp, period_secs: u64, values: &[Option<f64>]) -> Vec<Slot> {
    let ages = (0..values.len() as u64).rev();
    ages.zip(values)
        .map(|(age, value)| {
            let start = newest - Duration::from_secs(period_secs * age);
            Slot {
                start,
                point: value.map(|value| Point { timestamp: start, value, sample_count: 1.0, band: None }),
            }
        })
        .collect()
}

/// The key of an alarm in the default account and region.
pub(crate) fn key(name: &str) -> groundwatch_storage::Key {
    groundwatch_storage::Key::new(&groundwatch_core::Scope::default(), name)
}

/// An entry of `Metrics` that is the sum of a metric over five minutes.
pub(crate) fn math_metric(id: &str, returned: bool) -> MathEntry {
    let metric = MetricQuery {
        namespace: "Shop".to_owned(),
        metric_name: id.to_owned(),
        dimensions: Vec::new(),
        statistic: Statistic::Simple("Sum".to_owned()),
        period_secs: 300,
        unit: None,
    };
    let term = Term::Metric(metric);
    MathEntry { id: id.to_owned(), label: None, returned, period_secs: None, account_id: None, term }
}

/// An entry of `Metrics` that is an expression.
pub(crate) fn math_expression(id: &str, text: &str, returned: bool) -> MathEntry {
    let term = Term::Expression(text.to_owned());
    MathEntry { id: id.to_owned(), label: None, returned, period_secs: None, account_id: None, term }
}

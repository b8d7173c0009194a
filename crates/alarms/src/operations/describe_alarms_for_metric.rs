//! `DescribeAlarmsForMetric`: the alarms on exactly one metric, all at once. Alarms on math are left out.

use groundwatch_api::cloudwatch::{
    DescribeAlarmsForMetric, DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Key;

use super::shapes::metric_alarm;
use crate::definition::MetricDefinition;
use crate::reader::{MetricQuery, Statistic};
use crate::service::Alarms;

impl Handle<DescribeAlarmsForMetric> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DescribeAlarmsForMetricInput,
    ) -> Result<DescribeAlarmsForMetricOutput, Fault> {
        let asked = Asked::from(input);
        let alarms = self.store.list(call.scope(), "", None, usize::MAX);
        let on_metric = alarms.iter().filter_map(|(name, alarm)| {
            let definition = alarm.definition.as_metric().filter(|definition| asked.means(definition))?;
            Some(metric_alarm(&Key::new(call.scope(), name.as_str()), alarm, definition, self.clock.now()))
        });
        Ok(DescribeAlarmsForMetricOutput { metric_alarms: Some(on_metric.collect()) })
    }
}

/// Which alarms are asked for. What is not given does not matter, but for dimensions: AWS wants all of them.
struct Asked {
    namespace: Option<String>,
    metric_name: Option<String>,
    /// Sorted.
    dimensions: Vec<(String, String)>,
    statistic: Option<Statistic>,
    period_secs: Option<u32>,
    unit: Option<String>,
}

impl From<DescribeAlarmsForMetricInput> for Asked {
    fn from(input: DescribeAlarmsForMetricInput) -> Self {
        let dimensions = input.dimensions.unwrap_or_default().into_iter();
        let mut dimensions: Vec<_> = dimensions
            .map(|dimension| (dimension.name.unwrap_or_default(), dimension.value.unwrap_or_default()))
            .collect();
        dimensions.sort_unstable();
        let simple = input.statistic.map(|statistic| Statistic::Simple(statistic.as_str().to_owned()));
        Self {
            namespace: input.namespace,
            metric_name: input.metric_name,
            dimensions,
            statistic: simple.or(input.extended_statistic.map(Statistic::Extended)),
            period_secs: input.period.and_then(|secs| u32::try_from(secs).ok()),
            unit: input.unit.map(|unit| unit.as_str().to_owned()),
        }
    }
}

impl Asked {
    fn means(&self, definition: &MetricDefinition) -> bool {
        let Some(metric) = definition.source.as_metric() else { return false };
        self.namespace.as_ref() == Some(&metric.namespace)
            && self.metric_name.as_ref() == Some(&metric.metric_name)
            && self.dimensions == sorted_dimensions(metric)
            && self.statistic.as_ref().is_none_or(|statistic| *statistic == metric.statistic)
            && self.period_secs.is_none_or(|secs| secs == metric.period_secs)
            && self.unit.as_ref().is_none_or(|unit| Some(unit) == metric.unit.as_ref())
    }
}

fn sorted_dimensions(metric: &MetricQuery) -> Vec<(String, String)> {
    let dimensions = metric.dimensions.iter();
    let mut dimensions: Vec<_> =
        dimensions.map(|dimension| (dimension.name.clone(), dimension.value.clone())).collect();
    dimensions.sort_unstable();
    dimensions
}

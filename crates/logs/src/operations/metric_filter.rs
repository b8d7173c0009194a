//! `PutMetricFilter`, `DescribeMetricFilters` and `DeleteMetricFilter`.

use groundwatch_api::logs::{
    self as api, DeleteMetricFilter, DeleteMetricFilterInput, DeleteMetricFilterOutput,
    DescribeMetricFilters, DescribeMetricFiltersInput, DescribeMetricFiltersOutput, MetricTransformation,
    PutMetricFilter, PutMetricFilterInput, PutMetricFilterOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, page_token};

use super::regexes::Filter;
use crate::error::LogsError;
use crate::logs::Logs;
use crate::metric_filter::{FilterError, MetricFilter};

const LISTING: &str = "DescribeMetricFilters";
/// Filters a page without a `limit`, and at most.
const PAGE_FILTERS_MAX: usize = 50;

impl Handle<PutMetricFilter> for Logs {
    async fn handle(&self, call: &Call, input: PutMetricFilterInput) -> Result<PutMetricFilterOutput, Fault> {
        let group_name = input.log_group_name.expect("validated: required");
        let group = self.directory.group(call.scope(), &group_name)?;
        group.check_offers("PutMetricFilter")?;
        let name = input.filter_name.expect("validated: required");
        let mut transformations = input.metric_transformations.expect("validated: required");
        let transformation = transformations.pop().expect("validated: exactly one");
        let filter = MetricFilter {
            pattern: input.filter_pattern.expect("validated: required"),
            created: call.received,
            namespace: transformation.metric_namespace.expect("validated: required"),
            metric_name: transformation.metric_name.expect("validated: required"),
            value: transformation.metric_value.expect("validated: required"),
            default_value: transformation.default_value,
            dimensions: transformation.dimensions.unwrap_or_default(),
            system_dimensions: input.emit_system_field_dimensions.unwrap_or_default(),
            unit: transformation.unit.map(|unit| unit.as_str().to_owned()),
            on_transformed: input.apply_on_transformed_logs.unwrap_or(false),
            field_selection: input.field_selection_criteria,
        };
        self.check_regexes(call.scope(), group.id, Filter::Metric(&name), &filter.pattern)?;
        self.metric_filters.put(call.scope(), group.id, &name, filter).await?;
        Ok(PutMetricFilterOutput {})
    }
}

impl Handle<DeleteMetricFilter> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteMetricFilterInput,
    ) -> Result<DeleteMetricFilterOutput, Fault> {
        let group = input.log_group_name.expect("validated: required");
        let name = input.filter_name.expect("validated: required");
        let group = self.directory.group(call.scope(), &group)?;
        self.metric_filters.delete(call.scope(), group.id, &name).await?;
        Ok(DeleteMetricFilterOutput {})
    }
}

impl Handle<DescribeMetricFilters> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeMetricFiltersInput,
    ) -> Result<DescribeMetricFiltersOutput, Fault> {
        if input.metric_name.is_some() != input.metric_namespace.is_some() {
            return Err(LogsError::from(FilterError::NameWithoutNamespace).into());
        }
        let groups = match &input.log_group_name {
            Some(name) => vec![(name.clone(), self.directory.group(call.scope(), name)?)],
            None => self.directory.groups.list(call.scope(), "", None, usize::MAX),
        };
        // AWS's reference: the prefix counts only together with a group.
        let prefix = input.filter_name_prefix.as_deref().filter(|_| input.log_group_name.is_some());
        let wants = |name: &str, filter: &MetricFilter| {
            let is_metric =
                |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
            prefix.is_none_or(|prefix| name.starts_with(prefix))
                && is_metric(&input.metric_name, &filter.metric_name)
                && is_metric(&input.metric_namespace, &filter.namespace)
        };
        let mut found = Vec::new();
        for (group_name, group) in groups {
            for (name, filter) in self.metric_filters.list(call.scope(), group.id) {
                if wants(&name, &filter) {
                    // By name; filters of one name stand by their group.
                    found.push(((name, group_name.clone()), filter));
                }
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(token) = input.next_token.as_deref() {
            let after = page_token::decode(LISTING, token).ok_or(LogsError::InvalidToken)?;
            let after = after.split_once(':').ok_or(LogsError::InvalidToken)?;
            found.retain(|((name, group), _)| (name.as_str(), group.as_str()) > after);
        }
        let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_FILTERS_MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        // Filter names hold no colon.
        let token = |((name, group), _): &((String, String), _)| {
            page_token::encode(LISTING, &format!("{name}:{group}"))
        };
        let next_token = found.last().filter(|_| more).map(token);
        let filters =
            found.into_iter().map(|((name, group), filter)| described(name, group, &filter)).collect();
        Ok(DescribeMetricFiltersOutput { metric_filters: Some(filters), next_token })
    }
}

fn described(name: String, group: String, filter: &MetricFilter) -> api::MetricFilter {
    let system = &filter.system_dimensions;
    api::MetricFilter {
        filter_name: Some(name),
        filter_pattern: Some(filter.pattern.clone()),
        metric_transformations: Some(vec![MetricTransformation {
            metric_name: Some(filter.metric_name.clone()),
            metric_namespace: Some(filter.namespace.clone()),
            metric_value: Some(filter.value.clone()),
            default_value: filter.default_value,
            dimensions: (!filter.dimensions.is_empty()).then(|| filter.dimensions.clone()),
            unit: filter.unit.as_deref().map(Into::into),
        }]),
        creation_time: Some(filter.created.as_millis()),
        log_group_name: Some(group),
        apply_on_transformed_logs: Some(filter.on_transformed),
        field_selection_criteria: filter.field_selection.clone(),
        emit_system_field_dimensions: (!system.is_empty()).then(|| system.clone()),
    }
}

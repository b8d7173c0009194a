//! `PutSubscriptionFilter`, `DescribeSubscriptionFilters` and `DeleteSubscriptionFilter`.

use groundwatch_api::logs::{
    self as api, DeleteSubscriptionFilter, DeleteSubscriptionFilterInput, DeleteSubscriptionFilterOutput,
    DescribeSubscriptionFilters, DescribeSubscriptionFiltersInput, DescribeSubscriptionFiltersOutput,
    PutSubscriptionFilter, PutSubscriptionFilterInput, PutSubscriptionFilterOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use super::listing;
use super::regexes::Filter;
use crate::error::LogsError;
use crate::forwarding::{self, Distribution, Place, Subscription};
use crate::logs::Logs;

impl Handle<PutSubscriptionFilter> for Logs {
    /// Sends a message to see whether the destination is there, as AWS does, and refuses the filter if it is
    /// not.
    async fn handle(
        &self,
        call: &Call,
        input: PutSubscriptionFilterInput,
    ) -> Result<PutSubscriptionFilterOutput, Fault> {
        let group_name = input.log_group_name.expect("validated: required");
        let name = input.filter_name.expect("validated: required");
        let group = self.directory.group(call.scope(), &group_name)?;
        group.check_offers("PutSubscriptionFilter")?;
        let subscription = Subscription {
            pattern: input.filter_pattern.expect("validated: required"),
            destination_arn: input.destination_arn.expect("validated: required"),
            role_arn: input.role_arn,
            distribution: match input.distribution {
                Some(api::Distribution::Random) => Distribution::Random,
                _ => Distribution::ByLogStream,
            },
            field_selection: input.field_selection_criteria,
            system_fields: input.emit_system_fields,
            on_transformed: input.apply_on_transformed_logs.unwrap_or(false),
            created: call.received,
        };
        // What is wrong with it by itself is said before anybody is bothered.
        subscription.compile(&name)?;
        let filter = Filter::Subscription(&name);
        self.check_regexes(call.scope(), group.id, filter, &subscription.pattern)?;
        let arn = &subscription.destination_arn;
        let sender = &self.sender;
        forwarding::try_out(sender, &self.destinations, call.scope(), arn, call.received)
            .await
            .map_err(LogsError::from)?;
        let place = Place { scope: call.scope().clone(), group: group_name };
        let since = self.store.visible_through();
        self.subscriptions.put(&place, group.id, &name, subscription, since).await?;
        self.subscriptions.look(group.id, &name, self.store.visible_through());
        Ok(PutSubscriptionFilterOutput {})
    }
}

impl Handle<DescribeSubscriptionFilters> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeSubscriptionFiltersInput,
    ) -> Result<DescribeSubscriptionFiltersOutput, Fault> {
        let group_name = input.log_group_name.expect("validated: required");
        let group = self.directory.group(call.scope(), &group_name)?;
        let prefix = input.filter_name_prefix.unwrap_or_default();
        let found = self.subscriptions.list(call.scope(), group.id, &prefix).into_iter();
        let found =
            found.map(|(name, filter)| (name.clone(), described(name, &group_name, &filter))).collect();
        let (filters, next_token) = listing::page(
            "DescribeSubscriptionFilters",
            input.next_token.as_deref(),
            input.limit,
            listing::of(found),
        )?;
        Ok(DescribeSubscriptionFiltersOutput { subscription_filters: Some(filters), next_token })
    }
}

impl Handle<DeleteSubscriptionFilter> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteSubscriptionFilterInput,
    ) -> Result<DeleteSubscriptionFilterOutput, Fault> {
        let group = input.log_group_name.expect("validated: required");
        let name = input.filter_name.expect("validated: required");
        let group = self.directory.group(call.scope(), &group)?;
        self.subscriptions.delete(call.scope(), group.id, &name).await?;
        Ok(DeleteSubscriptionFilterOutput {})
    }
}

fn described(name: String, group: &str, filter: &Subscription) -> api::SubscriptionFilter {
    api::SubscriptionFilter {
        filter_name: Some(name),
        log_group_name: Some(group.to_owned()),
        filter_pattern: Some(filter.pattern.clone()),
        destination_arn: Some(filter.destination_arn.clone()),
        role_arn: filter.role_arn.clone(),
        distribution: Some(match filter.distribution {
            Distribution::ByLogStream => api::Distribution::ByLogStream,
            Distribution::Random => api::Distribution::Random,
        }),
        apply_on_transformed_logs: Some(filter.on_transformed),
        creation_time: Some(filter.created.as_millis()),
        field_selection_criteria: filter.field_selection.clone(),
        emit_system_fields: filter.system_fields.clone(),
    }
}

//! `PutDestination`, `PutDestinationPolicy`, `DescribeDestinations` and `DeleteDestination`.

use groundwatch_api::logs::{
    self as api, DeleteDestination, DeleteDestinationInput, DeleteDestinationOutput, DescribeDestinations,
    DescribeDestinationsInput, DescribeDestinationsOutput, PutDestination, PutDestinationInput,
    PutDestinationOutput, PutDestinationPolicy, PutDestinationPolicyInput, PutDestinationPolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Tags};

use super::listing;
use crate::error::LogsError;
use crate::forwarding::{
    Destination, ForwardingError, check_access_policy, check_destination, destination_arn,
};
use crate::logs::Logs;

impl Handle<PutDestination> for Logs {
    /// Unlike AWS, does not try the stream: a destination may be named before its target is configured.
    async fn handle(&self, call: &Call, input: PutDestinationInput) -> Result<PutDestinationOutput, Fault> {
        let name = input.destination_name.expect("validated: required");
        let target_arn = input.target_arn.expect("validated: required");
        let role_arn = input.role_arn.expect("validated: required");
        check_destination(&target_arn, &role_arn).map_err(LogsError::from)?;
        let tags = input.tags.map(Tags::new).transpose().map_err(LogsError::from)?;
        let put = |known: Option<&Destination>| {
            Ok(Destination {
                target_arn,
                role_arn,
                access_policy: known.and_then(|known| known.access_policy.clone()),
                created: known.map_or(call.received, |known| known.created),
                tags: tags.or_else(|| known.map(|known| known.tags.clone())).unwrap_or_default(),
            })
        };
        let destination = self.destinations.change(call.scope(), &name, put).await?;
        Ok(PutDestinationOutput { destination: Some(described(call.scope(), &name, &destination)) })
    }
}

impl Handle<PutDestinationPolicy> for Logs {
    /// `forceUpdate` changes nothing: it affirms something about subscriptions that are kept in any case.
    async fn handle(
        &self,
        call: &Call,
        input: PutDestinationPolicyInput,
    ) -> Result<PutDestinationPolicyOutput, Fault> {
        let name = input.destination_name.expect("validated: required");
        let access_policy = input.access_policy.expect("validated: required");
        check_access_policy(&access_policy).map_err(LogsError::from)?;
        let put = |known: Option<&Destination>| {
            let known = known.ok_or(ForwardingError::DestinationMissing)?;
            Ok(Destination { access_policy: Some(access_policy), ..known.clone() })
        };
        self.destinations.change(call.scope(), &name, put).await?;
        Ok(PutDestinationPolicyOutput {})
    }
}

impl Handle<DescribeDestinations> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeDestinationsInput,
    ) -> Result<DescribeDestinationsOutput, Fault> {
        let prefix = input.destination_name_prefix.unwrap_or_default();
        let list = |after: Option<&str>, limit| {
            let listed = self.destinations.list(call.scope(), &prefix, after, limit);
            let item = |(name, destination): (String, std::sync::Arc<Destination>)| {
                let item = described(call.scope(), &name, &destination);
                (name, item)
            };
            listed.into_iter().map(item).collect()
        };
        let (destinations, next_token) =
            listing::page("DescribeDestinations", input.next_token.as_deref(), input.limit, list)?;
        Ok(DescribeDestinationsOutput { destinations: Some(destinations), next_token })
    }
}

impl Handle<DeleteDestination> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteDestinationInput,
    ) -> Result<DeleteDestinationOutput, Fault> {
        let name = input.destination_name.expect("validated: required");
        if !self.destinations.remove(call.scope(), &name, |_| Ok(())).await? {
            return Err(LogsError::from(ForwardingError::DestinationMissing).into());
        }
        Ok(DeleteDestinationOutput {})
    }
}

fn described(scope: &Scope, name: &str, destination: &Destination) -> api::Destination {
    api::Destination {
        destination_name: Some(name.to_owned()),
        target_arn: Some(destination.target_arn.clone()),
        role_arn: Some(destination.role_arn.clone()),
        access_policy: destination.access_policy.clone(),
        arn: Some(destination_arn(scope, name)),
        creation_time: Some(destination.created.as_millis()),
    }
}

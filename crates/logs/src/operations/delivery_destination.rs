//! `PutDeliveryDestination`, `GetDeliveryDestination`, `DescribeDeliveryDestinations`,
//! `DeleteDeliveryDestination`, and the policies of delivery destinations.

use groundwatch_api::logs::{
    self as api, DeleteDeliveryDestination, DeleteDeliveryDestinationInput, DeleteDeliveryDestinationOutput,
    DeleteDeliveryDestinationPolicy, DeleteDeliveryDestinationPolicyInput,
    DeleteDeliveryDestinationPolicyOutput, DeliveryDestinationConfiguration, DescribeDeliveryDestinations,
    DescribeDeliveryDestinationsInput, DescribeDeliveryDestinationsOutput, GetDeliveryDestination,
    GetDeliveryDestinationInput, GetDeliveryDestinationOutput, GetDeliveryDestinationPolicy,
    GetDeliveryDestinationPolicyInput, GetDeliveryDestinationPolicyOutput, Policy, PutDeliveryDestination,
    PutDeliveryDestinationInput, PutDeliveryDestinationOutput, PutDeliveryDestinationPolicy,
    PutDeliveryDestinationPolicyInput, PutDeliveryDestinationPolicyOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Tags};

use super::listing;
use crate::error::LogsError;
use crate::logs::Logs;
use crate::policy::PolicyDocument;
use crate::vended::{DeliveryDestination, VendedError, kind_of, vended_arn};

const MISSING: VendedError = VendedError::Missing { what: "Delivery Destination" };
/// The one kind that needs no resource.
const TRACES: &str = "XRAY";

impl Handle<PutDeliveryDestination> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: PutDeliveryDestinationInput,
    ) -> Result<PutDeliveryDestinationOutput, Fault> {
        let name = input.name.expect("validated: required");
        let configuration = input.delivery_destination_configuration;
        let resource_arn = configuration.and_then(|configuration| configuration.destination_resource_arn);
        let asked = input.delivery_destination_type.map(|kind| kind.as_str().to_owned());
        let kind = match (resource_arn.as_deref().map(kind_of), asked.as_deref()) {
            (Some(Some(kind)), asked) if asked.is_none_or(|asked| asked == kind) => kind.to_owned(),
            (None, Some(TRACES)) => TRACES.to_owned(),
            _ => return Err(LogsError::from(VendedError::NotADestination).into()),
        };
        let output_format = input.output_format.map(|format| format.as_str().to_owned());
        let tags = input.tags.map(Tags::new).transpose().map_err(LogsError::from)?;
        let put = |known: Option<&DeliveryDestination>| {
            if known.is_some_and(|known| output_format.is_some() && known.output_format != output_format) {
                return Err(VendedError::OtherFormat.into());
            }
            let known = known.cloned();
            Ok(DeliveryDestination {
                resource_arn,
                kind,
                output_format: output_format.or_else(|| known.as_ref()?.output_format.clone()),
                role_arn: input.role_arn,
                tags: tags.or_else(|| Some(known.as_ref()?.tags.clone())).unwrap_or_default(),
                policy: known.and_then(|known| known.policy),
            })
        };
        let destination = self.vended.destinations.change(call.scope(), &name, put).await?;
        let described = described(call.scope(), &name, &destination);
        Ok(PutDeliveryDestinationOutput { delivery_destination: Some(described) })
    }
}

impl Handle<GetDeliveryDestination> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: GetDeliveryDestinationInput,
    ) -> Result<GetDeliveryDestinationOutput, Fault> {
        let name = input.name.expect("validated: required");
        let found = self.vended.destinations.get(call.scope(), &name);
        let destination = found.ok_or(MISSING).map_err(LogsError::from)?;
        let described = described(call.scope(), &name, &destination);
        Ok(GetDeliveryDestinationOutput { delivery_destination: Some(described) })
    }
}

impl Handle<DescribeDeliveryDestinations> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeDeliveryDestinationsInput,
    ) -> Result<DescribeDeliveryDestinationsOutput, Fault> {
        let wanted = |name: &String| input.names.as_ref().is_none_or(|names| names.contains(name));
        let all = self.vended.destinations.list(call.scope(), "", None, usize::MAX).into_iter();
        let found = all.filter(|(name, _)| wanted(name)).map(|(name, destination)| {
            let destination = described(call.scope(), &name, &destination);
            (name, destination)
        });
        let (destinations, next_token) = listing::page(
            "DescribeDeliveryDestinations",
            input.next_token.as_deref(),
            input.limit,
            listing::of(found.collect()),
        )?;
        Ok(DescribeDeliveryDestinationsOutput { delivery_destinations: Some(destinations), next_token })
    }
}

impl Handle<DeleteDeliveryDestination> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteDeliveryDestinationInput,
    ) -> Result<DeleteDeliveryDestinationOutput, Fault> {
        let name = input.name.expect("validated: required");
        let arn = vended_arn(call.scope(), "delivery-destination", &name);
        let unused = |_: &DeliveryDestination| {
            let is_used = self.vended.has_delivery(call.scope(), |delivery| delivery.destination_arn == arn);
            if is_used { Err(VendedError::InUse.into()) } else { Ok(()) }
        };
        if !self.vended.destinations.remove(call.scope(), &name, unused).await? {
            return Err(LogsError::from(MISSING).into());
        }
        Ok(DeleteDeliveryDestinationOutput {})
    }
}

impl Handle<PutDeliveryDestinationPolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: PutDeliveryDestinationPolicyInput,
    ) -> Result<PutDeliveryDestinationPolicyOutput, Fault> {
        let name = input.delivery_destination_name.expect("validated: required");
        let policy = input.delivery_destination_policy.expect("validated: required");
        PolicyDocument::parse(&policy)
            .map_err(|error| LogsError::from(VendedError::Policy { reason: error.reason }))?;
        self.set_policy(call.scope(), &name, Some(policy.clone())).await?;
        let policy = Policy { delivery_destination_policy: Some(policy) };
        Ok(PutDeliveryDestinationPolicyOutput { policy: Some(policy) })
    }
}

impl Handle<GetDeliveryDestinationPolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: GetDeliveryDestinationPolicyInput,
    ) -> Result<GetDeliveryDestinationPolicyOutput, Fault> {
        let name = input.delivery_destination_name.expect("validated: required");
        let found = self.vended.destinations.get(call.scope(), &name);
        let destination = found.ok_or(MISSING).map_err(LogsError::from)?;
        let policy = Policy { delivery_destination_policy: destination.policy.clone() };
        Ok(GetDeliveryDestinationPolicyOutput { policy: Some(policy) })
    }
}

impl Handle<DeleteDeliveryDestinationPolicy> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteDeliveryDestinationPolicyInput,
    ) -> Result<DeleteDeliveryDestinationPolicyOutput, Fault> {
        let name = input.delivery_destination_name.expect("validated: required");
        self.set_policy(call.scope(), &name, None).await?;
        Ok(DeleteDeliveryDestinationPolicyOutput {})
    }
}

impl Logs {
    async fn set_policy(&self, scope: &Scope, name: &str, policy: Option<String>) -> Result<(), LogsError> {
        let set = |known: Option<&DeliveryDestination>| {
            let known = known.ok_or(MISSING)?;
            Ok(DeliveryDestination { policy, ..known.clone() })
        };
        self.vended.destinations.change(scope, name, set).await.map(drop)
    }
}

fn described(scope: &Scope, name: &str, destination: &DeliveryDestination) -> api::DeliveryDestination {
    let configuration = destination
        .resource_arn
        .as_ref()
        .map(|arn| DeliveryDestinationConfiguration { destination_resource_arn: Some(arn.clone()) });
    api::DeliveryDestination {
        name: Some(name.to_owned()),
        arn: Some(vended_arn(scope, "delivery-destination", name)),
        delivery_destination_type: Some(destination.kind.as_str().into()),
        output_format: destination.output_format.as_deref().map(Into::into),
        delivery_destination_configuration: configuration,
        role_arn: destination.role_arn.clone(),
        tags: Some(destination.tags.clone().into_map()),
    }
}

//! `PutDeliverySource`, `GetDeliverySource`, `DescribeDeliverySources` and `DeleteDeliverySource`.

use groundwatch_api::logs::{
    self as api, DeleteDeliverySource, DeleteDeliverySourceInput, DeleteDeliverySourceOutput,
    DeliverySourceStatus, DescribeDeliverySources, DescribeDeliverySourcesInput,
    DescribeDeliverySourcesOutput, GetDeliverySource, GetDeliverySourceInput, GetDeliverySourceOutput,
    PutDeliverySource, PutDeliverySourceInput, PutDeliverySourceOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Tags};

use super::listing;
use crate::error::LogsError;
use crate::logs::Logs;
use crate::vended::{DeliverySource, VendedError, check_source, vended_arn};

const MISSING: VendedError = VendedError::Missing { what: "Delivery Source" };

impl Handle<PutDeliverySource> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: PutDeliverySourceInput,
    ) -> Result<PutDeliverySourceOutput, Fault> {
        let name = input.name.expect("validated: required");
        let resource_arn = input.resource_arn.expect("validated: required");
        let log_type = input.log_type.expect("validated: required");
        let service = check_source(&resource_arn, &log_type).map_err(LogsError::from)?.to_owned();
        let tags = input.tags.map(Tags::new).transpose().map_err(LogsError::from)?;
        let put = |known: Option<&DeliverySource>| {
            if known.is_some_and(|known| known.resource_arn != resource_arn || known.log_type != log_type) {
                return Err(VendedError::OtherResource.into());
            }
            Ok(DeliverySource {
                resource_arn,
                service,
                log_type,
                tags: tags.or_else(|| known.map(|known| known.tags.clone())).unwrap_or_default(),
                configuration: input.delivery_source_configuration.unwrap_or_default(),
            })
        };
        let source = self.vended.sources.change(call.scope(), &name, put).await?;
        Ok(PutDeliverySourceOutput { delivery_source: Some(described(call.scope(), &name, &source)) })
    }
}

impl Handle<GetDeliverySource> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: GetDeliverySourceInput,
    ) -> Result<GetDeliverySourceOutput, Fault> {
        let name = input.name.expect("validated: required");
        let source = self.vended.sources.get(call.scope(), &name).ok_or(MISSING).map_err(LogsError::from)?;
        Ok(GetDeliverySourceOutput { delivery_source: Some(described(call.scope(), &name, &source)) })
    }
}

impl Handle<DescribeDeliverySources> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeDeliverySourcesInput,
    ) -> Result<DescribeDeliverySourcesOutput, Fault> {
        let wanted = |source: &DeliverySource| {
            input.resource_arns.as_ref().is_none_or(|arns| arns.contains(&source.resource_arn))
        };
        let sources = self.vended.sources.list(call.scope(), "", None, usize::MAX).into_iter();
        let found = sources.filter(|(_, source)| wanted(source)).map(|(name, source)| {
            let source = described(call.scope(), &name, &source);
            (name, source)
        });
        let (sources, next_token) = listing::page(
            "DescribeDeliverySources",
            input.next_token.as_deref(),
            input.limit,
            listing::of(found.collect()),
        )?;
        Ok(DescribeDeliverySourcesOutput { delivery_sources: Some(sources), next_token })
    }
}

impl Handle<DeleteDeliverySource> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteDeliverySourceInput,
    ) -> Result<DeleteDeliverySourceOutput, Fault> {
        let name = input.name.expect("validated: required");
        let unused = |_: &DeliverySource| {
            let is_used = self.vended.has_delivery(call.scope(), |delivery| delivery.source == name);
            if is_used { Err(VendedError::InUse.into()) } else { Ok(()) }
        };
        if !self.vended.sources.remove(call.scope(), &name, unused).await? {
            return Err(LogsError::from(MISSING).into());
        }
        Ok(DeleteDeliverySourceOutput {})
    }
}

fn described(scope: &Scope, name: &str, source: &DeliverySource) -> api::DeliverySource {
    let configuration = &source.configuration;
    api::DeliverySource {
        name: Some(name.to_owned()),
        arn: Some(vended_arn(scope, "delivery-source", name)),
        resource_arns: Some(vec![source.resource_arn.clone()]),
        service: Some(source.service.clone()),
        log_type: Some(source.log_type.clone()),
        tags: Some(source.tags.clone().into_map()),
        delivery_source_configuration: (!configuration.is_empty()).then(|| configuration.clone()),
        status: Some(DeliverySourceStatus::Active),
        status_reason: None,
    }
}

//! `CreateDelivery`, `GetDelivery`, `DescribeDeliveries`, `UpdateDeliveryConfiguration` and `DeleteDelivery`.

use groundwatch_api::logs::{
    self as api, CreateDelivery, CreateDeliveryInput, CreateDeliveryOutput, DeleteDelivery,
    DeleteDeliveryInput, DeleteDeliveryOutput, DescribeDeliveries, DescribeDeliveriesInput,
    DescribeDeliveriesOutput, GetDelivery, GetDeliveryInput, GetDeliveryOutput, S3DeliveryConfiguration,
    UpdateDeliveryConfiguration, UpdateDeliveryConfigurationInput, UpdateDeliveryConfigurationOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Tags};
use uuid::Uuid;

use super::listing;
use crate::error::LogsError;
use crate::logs::Logs;
use crate::vended::{Delivery, DeliveryFormat, VendedError, vended_arn};

const MISSING: VendedError = VendedError::Missing { what: "Delivery" };

impl Handle<CreateDelivery> for Logs {
    async fn handle(&self, call: &Call, input: CreateDeliveryInput) -> Result<CreateDeliveryOutput, Fault> {
        let scope = call.scope();
        let source = input.delivery_source_name.expect("validated: required");
        let destination_arn = input.delivery_destination_arn.expect("validated: required");
        let missing = |what| LogsError::from(VendedError::Missing { what });
        if self.vended.sources.get(scope, &source).is_none() {
            return Err(missing("Delivery Source").into());
        }
        let prefix = vended_arn(scope, "delivery-destination", "");
        let destination = destination_arn.strip_prefix(&prefix);
        let destination = destination.and_then(|name| self.vended.destinations.get(scope, name));
        let destination = destination.ok_or_else(|| missing("Delivery Destination"))?;
        let delivery = Delivery {
            source,
            destination_arn,
            kind: destination.kind.clone(),
            format: DeliveryFormat {
                record_fields: input.record_fields,
                field_delimiter: input.field_delimiter,
                s3: input.s3_delivery_configuration.map(kept),
            },
            tags: Tags::new(input.tags.unwrap_or_default()).map_err(LogsError::from)?,
        };
        let add = |_: Option<&Delivery>| {
            let is_same = |known: &Delivery| {
                known.source == delivery.source && known.destination_arn == delivery.destination_arn
            };
            if self.vended.has_delivery(scope, is_same) {
                return Err(VendedError::Exists.into());
            }
            Ok(delivery)
        };
        let id = Uuid::new_v4().simple().to_string();
        let delivery = self.vended.deliveries.change(scope, &id, add).await?;
        Ok(CreateDeliveryOutput { delivery: Some(described(scope, &id, &delivery)) })
    }
}

impl Handle<GetDelivery> for Logs {
    async fn handle(&self, call: &Call, input: GetDeliveryInput) -> Result<GetDeliveryOutput, Fault> {
        let id = input.id.expect("validated: required");
        let found = self.vended.deliveries.get(call.scope(), &id);
        let delivery = found.ok_or(MISSING).map_err(LogsError::from)?;
        Ok(GetDeliveryOutput { delivery: Some(described(call.scope(), &id, &delivery)) })
    }
}

impl Handle<DescribeDeliveries> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeDeliveriesInput,
    ) -> Result<DescribeDeliveriesOutput, Fault> {
        let wanted = |delivery: &Delivery| {
            input.delivery_source_names.as_ref().is_none_or(|names| names.contains(&delivery.source))
        };
        let all = self.vended.deliveries.list(call.scope(), "", None, usize::MAX).into_iter();
        let found = all.filter(|(_, delivery)| wanted(delivery)).map(|(id, delivery)| {
            let delivery = described(call.scope(), &id, &delivery);
            (id, delivery)
        });
        let (deliveries, next_token) = listing::page(
            "DescribeDeliveries",
            input.next_token.as_deref(),
            input.limit,
            listing::of(found.collect()),
        )?;
        Ok(DescribeDeliveriesOutput { deliveries: Some(deliveries), next_token })
    }
}

impl Handle<UpdateDeliveryConfiguration> for Logs {
    /// What is left out stays as it is.
    async fn handle(
        &self,
        call: &Call,
        input: UpdateDeliveryConfigurationInput,
    ) -> Result<UpdateDeliveryConfigurationOutput, Fault> {
        let id = input.id.expect("validated: required");
        let update = |known: Option<&Delivery>| {
            let known = known.ok_or(MISSING)?.clone();
            let format = DeliveryFormat {
                record_fields: input.record_fields.or(known.format.record_fields),
                field_delimiter: input.field_delimiter.or(known.format.field_delimiter),
                s3: input.s3_delivery_configuration.map(kept).or(known.format.s3),
            };
            Ok(Delivery { format, ..known })
        };
        self.vended.deliveries.change(call.scope(), &id, update).await?;
        Ok(UpdateDeliveryConfigurationOutput {})
    }
}

impl Handle<DeleteDelivery> for Logs {
    async fn handle(&self, call: &Call, input: DeleteDeliveryInput) -> Result<DeleteDeliveryOutput, Fault> {
        let id = input.id.expect("validated: required");
        if !self.vended.deliveries.remove(call.scope(), &id, |_| Ok(())).await? {
            return Err(LogsError::from(MISSING).into());
        }
        Ok(DeleteDeliveryOutput {})
    }
}

fn kept(configuration: S3DeliveryConfiguration) -> (Option<String>, Option<bool>) {
    (configuration.suffix_path, configuration.enable_hive_compatible_path)
}

fn described(scope: &Scope, id: &str, delivery: &Delivery) -> api::Delivery {
    let s3 = |(suffix_path, enable_hive_compatible_path): (Option<String>, Option<bool>)| {
        S3DeliveryConfiguration { suffix_path, enable_hive_compatible_path }
    };
    api::Delivery {
        id: Some(id.to_owned()),
        arn: Some(vended_arn(scope, "delivery", id)),
        delivery_source_name: Some(delivery.source.clone()),
        delivery_destination_arn: Some(delivery.destination_arn.clone()),
        delivery_destination_type: Some(delivery.kind.as_str().into()),
        record_fields: delivery.format.record_fields.clone(),
        field_delimiter: delivery.format.field_delimiter.clone(),
        s3_delivery_configuration: delivery.format.s3.clone().map(s3),
        tags: Some(delivery.tags.clone().into_map()),
    }
}

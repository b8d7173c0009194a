//! Vended logs: what AWS's other services would send, and where to. Sources, destinations and the deliveries
//! between them are stored and returned; as none of those services runs here, nothing is ever sent by them.

mod error;
mod source;

pub use error::VendedError;
pub(crate) use source::check_source;

use std::collections::BTreeMap;

use groundwatch_core::{Arn, Scope, Tags};
use groundwatch_storage::{Catalog, Document, StorageError};
use serde::{Deserialize, Serialize};

use crate::shelf::{Shelf, has_tags};

/// A resource that would send logs, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliverySource {
    /// The resource.
    pub resource_arn: String,
    /// Its service, as its ARN names it.
    pub service: String,
    /// Which of its logs.
    pub log_type: String,
    #[serde(default)]
    pub tags: Tags,
    /// How the resource would sample and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configuration: BTreeMap<String, String>,
}

impl Document for DeliverySource {
    const KIND: &'static str = "log-delivery-source";
}

/// Where logs would go, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliveryDestination {
    /// The bucket, group or stream; traces go without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    /// `S3`, `CWL`, `FH` or `XRAY`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(default)]
    pub tags: Tags,
    /// Which accounts may deliver: an IAM policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl Document for DeliveryDestination {
    const KIND: &'static str = "log-delivery-destination";
}

/// A source with its destination, as its document keeps it. Its id is the document's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// The source's name.
    pub source: String,
    /// The destination's ARN.
    pub destination_arn: String,
    /// As [`DeliveryDestination::kind`].
    pub kind: String,
    #[serde(default)]
    pub format: DeliveryFormat,
    #[serde(default)]
    pub tags: Tags,
}

/// How a delivery would be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DeliveryFormat {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_fields: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_delimiter: Option<String>,
    /// (suffix path, whether it is one that Hive understands)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<(Option<String>, Option<bool>)>,
}

impl Document for Delivery {
    const KIND: &'static str = "log-delivery";
}

has_tags!(DeliverySource, DeliveryDestination, Delivery);

/// All that is kept about vended logs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vended {
    pub(crate) sources: Shelf<DeliverySource>,
    pub(crate) destinations: Shelf<DeliveryDestination>,
    pub(crate) deliveries: Shelf<Delivery>,
}

impl Vended {
    /// Loads it.
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self {
            sources: Shelf::open(catalog)?,
            destinations: Shelf::open(catalog)?,
            deliveries: Shelf::open(catalog)?,
        })
    }

    /// Whether any delivery of `scope` fits.
    pub(crate) fn has_delivery(&self, scope: &Scope, fits: impl Fn(&Delivery) -> bool) -> bool {
        self.deliveries.list(scope, "", None, usize::MAX).iter().any(|(_, delivery)| fits(delivery))
    }
}

/// The kind of a destination by its resource; `None` for what cannot be one.
pub(crate) fn kind_of(resource_arn: &str) -> Option<&'static str> {
    match Arn::parse(resource_arn).ok()?.service {
        "s3" => Some("S3"),
        "logs" => Some("CWL"),
        "firehose" => Some("FH"),
        _ => None,
    }
}

/// The ARN of a source, a destination or a delivery.
pub(crate) fn vended_arn(scope: &Scope, kind: &str, name: &str) -> String {
    scope.arn("logs", &format!("{kind}:{name}"))
}

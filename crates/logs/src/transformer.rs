//! Transformers of groups: kept as they were given, and by the moment of an event's arrival.
//!
//! The transformed text of an event is not kept: it is made again whenever it is wanted, by the transformer
//! that was in force when the event arrived. A pipeline makes the same of the same text every time, so nobody
//! can tell; and a message is stored once.

use std::sync::Arc;

use groundwatch_api::logs::Processor;
use groundwatch_core::{Scope, Timestamp};
use groundwatch_log_transformers::{ConfigError, EventError, Origin, Transformer};
use serde::{Deserialize, Serialize};

use crate::error::LogsError;
use crate::group::LogGroup;
use crate::history::History;

/// Why a transformer is refused, or is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransformerError {
    /// The group has none.
    #[error("transformer does not exist")]
    Missing,
    /// It breaks a rule.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A transformer with its pipeline.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub(crate) struct GroupTransformer {
    /// When the group got a transformer that was only changed since.
    pub created: Timestamp,
    /// The processors as they were given.
    pub processors: Vec<Processor>,
    pipeline: Arc<Transformer>,
}

/// A transformer as its group's document keeps it.
#[derive(Clone, Deserialize, Serialize)]
struct Kept {
    created: Timestamp,
    processors: Vec<Processor>,
}

impl TryFrom<Kept> for GroupTransformer {
    type Error = ConfigError;

    fn try_from(Kept { created, processors }: Kept) -> Result<Self, ConfigError> {
        Ok(Self { created, pipeline: Arc::new(Transformer::new(&processors)?), processors })
    }
}

impl From<GroupTransformer> for Kept {
    fn from(GroupTransformer { created, processors, .. }: GroupTransformer) -> Self {
        Self { created, processors }
    }
}

impl PartialEq for GroupTransformer {
    fn eq(&self, other: &Self) -> bool {
        self.created == other.created && self.processors == other.processors
    }
}

impl GroupTransformer {
    /// A transformer that there is since `created`.
    pub(crate) fn new(processors: Vec<Processor>, created: Timestamp) -> Result<Self, LogsError> {
        Ok(Self::try_from(Kept { created, processors }).map_err(TransformerError::from)?)
    }

    /// What the transformer makes of an event's text.
    pub(crate) fn transform(
        &self,
        scope: &Scope,
        group: &str,
        stream: &str,
        ingested: Timestamp,
        message: &[u8],
    ) -> Result<String, EventError> {
        let account = scope.account.to_string();
        let origin = Origin { account: &account, region: scope.region.as_str(), group, stream, ingested };
        self.pipeline.transform(&String::from_utf8_lossy(message), origin)
    }
}

/// The group with other processors from `now` on, or with none.
pub(crate) fn with_transformer(
    group: &LogGroup,
    processors: Option<&[Processor]>,
    now: Timestamp,
) -> Result<LogGroup, LogsError> {
    let current = group.transformers.current();
    let setting = match processors {
        Some(processors) => {
            let created = current.map_or(now, |(_, known)| known.created);
            Some(GroupTransformer::new(processors.to_vec(), created)?)
        }
        None if current.is_none() => return Err(TransformerError::Missing.into()),
        None => None,
    };
    // Of events under a transformer that is forgotten only the original remains.
    let transformers: History<_> = group.transformers.changed(now, setting, |_, _| {});
    Ok(LogGroup { transformers, ..group.clone() })
}

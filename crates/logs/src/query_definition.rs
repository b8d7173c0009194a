//! Saved queries of Logs Insights: kept and listed by name. What a query means is not looked at when it is
//! saved, as in AWS.

use groundwatch_api::logs::{QueryLanguage, QueryParameter};
use groundwatch_core::{Scope, Timestamp};
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key, StorageError};
use serde::{Deserialize, Serialize};

use crate::error::LogsError;

/// How many query definitions an account has in a region. Source: AWS's quotas of Logs Insights.
pub(crate) const DEFINITIONS_MAX: usize = 1000;

/// A saved query, as its document keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct QueryDefinition {
    /// The name, by folders with `/`. Several definitions may share one.
    pub name: String,
    /// The language of the query.
    pub language: QueryLanguage,
    /// The query.
    pub query: String,
    /// The groups that it asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What stands for `{{name}}` in the query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<QueryParameter>,
    /// When it was last changed.
    pub modified: Timestamp,
    /// With which token it was created, so that a repeated request creates nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

impl Document for QueryDefinition {
    const KIND: &'static str = "log-query-definition";
}

/// Why a query definition is refused, or is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryDefinitionError {
    /// There is none of that id.
    #[error("query definition does not exist")]
    Missing,
    /// The account has as many as it can have.
    #[error("an account has at most {DEFINITIONS_MAX} query definitions")]
    TooMany,
    /// Parameters in another language than Logs Insights QL.
    #[error("only queries in Logs Insights QL have parameters")]
    ParametersOfOtherLanguage,
    /// A parameter comes twice.
    #[error("parameter `{name}` comes twice")]
    ParameterTwice {
        /// Its name.
        name: String,
    },
}

impl QueryDefinition {
    /// Checks what spans members.
    pub(crate) fn check(&self) -> Result<(), QueryDefinitionError> {
        if !self.parameters.is_empty() && self.language != QueryLanguage::Cwli {
            return Err(QueryDefinitionError::ParametersOfOtherLanguage);
        }
        let names: Vec<_> = self.parameters.iter().filter_map(|parameter| parameter.name.as_ref()).collect();
        let twice = (1..names.len()).find(|index| names[..*index].contains(&names[*index]));
        match twice {
            Some(index) => Err(QueryDefinitionError::ParameterTwice { name: names[index].clone() }),
            None => Ok(()),
        }
    }
}

/// All query definitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct QueryDefinitions {
    catalog: Catalog,
    documents: Documents<QueryDefinition>,
}

impl QueryDefinitions {
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self { catalog: catalog.clone(), documents: Documents::open(catalog)? })
    }

    /// Every definition of a scope, with its id, in no order that means anything.
    pub(crate) fn all(&self, scope: &Scope) -> Vec<(String, std::sync::Arc<QueryDefinition>)> {
        self.documents.list(scope, "", None, DEFINITIONS_MAX)
    }

    /// Adds a definition under a new id, which it returns; or the id under which the same request added it
    /// before.
    pub(crate) async fn create(
        &self,
        scope: &Scope,
        definition: QueryDefinition,
    ) -> Result<String, LogsError> {
        definition.check()?;
        let known = self.all(scope);
        let token = definition.client_token.as_deref();
        if let Some((id, _)) =
            known.iter().find(|(_, known)| token.is_some() && known.client_token.as_deref() == token)
        {
            return Ok(id.clone());
        }
        if known.len() >= DEFINITIONS_MAX {
            return Err(QueryDefinitionError::TooMany.into());
        }
        let id = uuid::Uuid::new_v4().to_string();
        let mut batch = Batch::new();
        self.documents.put(&mut batch, Key::new(scope, &id), definition, Expect::Absent);
        self.catalog.commit(batch).await?;
        Ok(id)
    }

    /// Replaces the whole definition of that id.
    pub(crate) async fn replace(
        &self,
        scope: &Scope,
        id: &str,
        definition: QueryDefinition,
    ) -> Result<(), LogsError> {
        definition.check()?;
        let mut batch = Batch::new();
        self.documents.put(&mut batch, Key::new(scope, id), definition, Expect::Present);
        self.catalog.commit(batch).await.map_err(missing)
    }

    /// Removes a definition.
    pub(crate) async fn delete(&self, scope: &Scope, id: &str) -> Result<(), LogsError> {
        let mut batch = Batch::new();
        self.documents.remove(&mut batch, Key::new(scope, id), Expect::Present);
        self.catalog.commit(batch).await.map_err(missing)
    }
}

fn missing(error: StorageError) -> LogsError {
    match error {
        StorageError::Conflict { .. } => QueryDefinitionError::Missing.into(),
        error => error.into(),
    }
}

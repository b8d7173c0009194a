//! `PutQueryDefinition`, `DescribeQueryDefinitions` and `DeleteQueryDefinition`.

use groundwatch_api::logs::{
    self as api, DeleteQueryDefinition, DeleteQueryDefinitionInput, DeleteQueryDefinitionOutput,
    DescribeQueryDefinitions, DescribeQueryDefinitionsInput, DescribeQueryDefinitionsOutput,
    PutQueryDefinition, PutQueryDefinitionInput, PutQueryDefinitionOutput, QueryLanguage,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use super::listing;
use crate::logs::Logs;
use crate::query_definition::QueryDefinition;

/// Definitions a page without `maxResults`, and at most. Source: CloudWatch Logs API reference,
/// DescribeQueryDefinitions.
const PAGE_DEFINITIONS_DEFAULT: i32 = 1000;

impl Handle<PutQueryDefinition> for Logs {
    /// With an id nothing is kept of the definition that had it, as AWS does.
    async fn handle(
        &self,
        call: &Call,
        input: PutQueryDefinitionInput,
    ) -> Result<PutQueryDefinitionOutput, Fault> {
        let definition = QueryDefinition {
            name: input.name.expect("validated: required"),
            language: input.query_language.unwrap_or(QueryLanguage::Cwli),
            query: input.query_string.expect("validated: required"),
            groups: input.log_group_names.unwrap_or_default(),
            parameters: input.parameters.unwrap_or_default(),
            modified: call.received,
            client_token: input.client_token,
        };
        let id = match input.query_definition_id {
            None => self.query_definitions.create(call.scope(), definition).await?,
            Some(id) => {
                self.query_definitions.replace(call.scope(), &id, definition).await?;
                id
            }
        };
        Ok(PutQueryDefinitionOutput { query_definition_id: Some(id) })
    }
}

impl Handle<DescribeQueryDefinitions> for Logs {
    /// By name; AWS tells no order.
    async fn handle(
        &self,
        call: &Call,
        input: DescribeQueryDefinitionsInput,
    ) -> Result<DescribeQueryDefinitionsOutput, Fault> {
        let prefix = input.query_definition_name_prefix.as_deref().unwrap_or_default();
        let wanted = |definition: &QueryDefinition| {
            definition.name.starts_with(prefix)
                && input.query_language.as_ref().is_none_or(|language| *language == definition.language)
        };
        let found = self.query_definitions.all(call.scope()).into_iter();
        let found = found
            .filter(|(_, definition)| wanted(definition))
            .map(|(id, definition)| (format!("{}\0{id}", definition.name), described(&id, &definition)))
            .collect();
        let limit = input.max_results.or(Some(PAGE_DEFINITIONS_DEFAULT));
        let (definitions, next_token) = listing::page(
            "DescribeQueryDefinitions",
            input.next_token.as_deref(),
            limit,
            listing::of(found),
        )?;
        Ok(DescribeQueryDefinitionsOutput { query_definitions: Some(definitions), next_token })
    }
}

impl Handle<DeleteQueryDefinition> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteQueryDefinitionInput,
    ) -> Result<DeleteQueryDefinitionOutput, Fault> {
        let id = input.query_definition_id.expect("validated: required");
        self.query_definitions.delete(call.scope(), &id).await?;
        Ok(DeleteQueryDefinitionOutput { success: Some(true) })
    }
}

fn described(id: &str, definition: &QueryDefinition) -> api::QueryDefinition {
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    api::QueryDefinition {
        query_language: Some(definition.language.clone()),
        query_definition_id: Some(id.to_owned()),
        name: Some(definition.name.clone()),
        query_string: Some(definition.query.clone()),
        last_modified: Some(definition.modified.as_millis()),
        log_group_names: some(&definition.groups),
        parameters: (!definition.parameters.is_empty()).then(|| definition.parameters.clone()),
    }
}

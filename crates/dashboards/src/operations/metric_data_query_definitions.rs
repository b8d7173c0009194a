//! `PutMetricDataQueryDefinition`, `GetMetricDataQueryDefinition`, `ListMetricDataQueryDefinitions` and
//! `DeleteMetricDataQueryDefinition`: saved metric queries.

use groundwatch_api::cloudwatch::{
    DeleteMetricDataQueryDefinition, DeleteMetricDataQueryDefinitionInput,
    DeleteMetricDataQueryDefinitionOutput, GetMetricDataQueryDefinition, GetMetricDataQueryDefinitionInput,
    GetMetricDataQueryDefinitionOutput, ListMetricDataQueryDefinitions, ListMetricDataQueryDefinitionsInput,
    ListMetricDataQueryDefinitionsOutput, MetricDataQueryDefinitionSummary, PutMetricDataQueryDefinition,
    PutMetricDataQueryDefinitionInput, PutMetricDataQueryDefinitionOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, page_token};
use groundwatch_storage::Key;

use super::tags;
use crate::saved_query::{Wanted, arn};
use crate::{DashboardError, Dashboards};

/// AWS's size of a page, and its greatest.
const PAGE_LENGTH: usize = 100;

/// Ties paging tokens to this listing.
const LISTING: &str = "cloudwatch:ListMetricDataQueryDefinitions";

impl Handle<PutMetricDataQueryDefinition> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutMetricDataQueryDefinitionInput,
    ) -> Result<PutMetricDataQueryDefinitionOutput, Fault> {
        let wanted = Wanted {
            path: input.path.expect("validated: required"),
            expression: input.expression.expect("validated: required"),
            language: input.r#type.expect("validated: required"),
            tags: tags::from_shapes(input.tags).map_err(DashboardError::from)?,
        };
        let (id, saved) = self.save_query(call.scope(), input.id, &wanted).await?;
        Ok(PutMetricDataQueryDefinitionOutput {
            arn: Some(arn(call.scope(), &id)),
            id: Some(id),
            path: Some(saved.path),
            expression: Some(saved.expression),
            r#type: Some(saved.language),
            created_at: Some(saved.created.into()),
            updated_at: Some(saved.updated.into()),
        })
    }
}

impl Handle<GetMetricDataQueryDefinition> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetMetricDataQueryDefinitionInput,
    ) -> Result<GetMetricDataQueryDefinitionOutput, Fault> {
        let id = input.id.expect("validated: required");
        let Some(saved) = self.queries.get(&Key::new(call.scope(), id.as_str())) else {
            return Err(DashboardError::QueryNotFound { id }.into());
        };
        Ok(GetMetricDataQueryDefinitionOutput {
            arn: Some(arn(call.scope(), &id)),
            id: Some(id),
            path: Some(saved.path.clone()),
            expression: Some(saved.expression.clone()),
            r#type: Some(saved.language.clone()),
            created_at: Some(saved.created.into()),
            updated_at: Some(saved.updated.into()),
        })
    }
}

impl Handle<ListMetricDataQueryDefinitions> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListMetricDataQueryDefinitionsInput,
    ) -> Result<ListMetricDataQueryDefinitionsOutput, Fault> {
        let after = match &input.next_token {
            Some(token) => Some(page_token::decode(LISTING, token).ok_or(DashboardError::NextToken)?),
            None => None,
        };
        let length = input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_LENGTH);
        // By id: a token that carried a path would be longer than the model allows.
        let mut found = self.queries.list(call.scope(), "", after.as_deref(), length + 1);
        let more = found.len() > length;
        found.truncate(length);
        let next_token = found.last().filter(|_| more).map(|(last, _)| page_token::encode(LISTING, last));
        let items = found.into_iter().map(|(id, saved)| MetricDataQueryDefinitionSummary {
            id: Some(id),
            path: Some(saved.path.clone()),
            r#type: Some(saved.language.clone()),
            updated_at: Some(saved.updated.into()),
        });
        Ok(ListMetricDataQueryDefinitionsOutput { items: Some(items.collect()), next_token })
    }
}

impl Handle<DeleteMetricDataQueryDefinition> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteMetricDataQueryDefinitionInput,
    ) -> Result<DeleteMetricDataQueryDefinitionOutput, Fault> {
        let id = input.id.expect("validated: required");
        self.forget_query(call.scope(), &id).await?;
        Ok(DeleteMetricDataQueryDefinitionOutput {})
    }
}

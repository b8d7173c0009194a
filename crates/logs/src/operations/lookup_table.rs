//! `CreateLookupTable`, `GetLookupTable`, `UpdateLookupTable`, `DeleteLookupTable` and
//! `DescribeLookupTables`.

use groundwatch_api::logs::{
    self as api, CreateLookupTable, CreateLookupTableInput, CreateLookupTableOutput, DeleteLookupTable,
    DeleteLookupTableInput, DeleteLookupTableOutput, DescribeLookupTables, DescribeLookupTablesInput,
    DescribeLookupTablesOutput, GetLookupTable, GetLookupTableInput, GetLookupTableOutput, UpdateLookupTable,
    UpdateLookupTableInput, UpdateLookupTableOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Scope, Tags};

use super::listing;
use crate::error::LogsError;
use crate::logs::Logs;
use crate::lookup_table::{Content, LookupTable, LookupTableError};

impl Handle<CreateLookupTable> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: CreateLookupTableInput,
    ) -> Result<CreateLookupTableOutput, Fault> {
        let name = input.lookup_table_name.expect("validated: required");
        let content = Content {
            body: body(input.table_body, input.query_id.as_deref())?,
            description: input.description,
            kms_key_id: input.kms_key_id,
            now: call.received,
        };
        let tags = Tags::new(input.tags.unwrap_or_default()).map_err(LogsError::from)?;
        self.lookup_tables.create(call.scope(), &name, content, tags).await?;
        Ok(CreateLookupTableOutput {
            lookup_table_arn: Some(lookup_table_arn(call.scope(), &name)),
            created_at: Some(call.received.as_millis()),
        })
    }
}

impl Handle<GetLookupTable> for Logs {
    async fn handle(&self, call: &Call, input: GetLookupTableInput) -> Result<GetLookupTableOutput, Fault> {
        let arn = input.lookup_table_arn.expect("validated: required");
        let name = name(call.scope(), &arn)?;
        let table = self.lookup_tables.get(call.scope(), name)?;
        let body = self.lookup_tables.body(call.scope(), name).await?;
        Ok(GetLookupTableOutput {
            lookup_table_name: Some(name.to_owned()),
            description: table.description.clone(),
            table_body: Some(body),
            size_bytes: i64::try_from(table.size_bytes).ok(),
            last_updated_time: Some(table.updated.as_millis()),
            kms_key_id: table.kms_key_id.clone(),
            lookup_table_arn: Some(arn),
        })
    }
}

impl Handle<UpdateLookupTable> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: UpdateLookupTableInput,
    ) -> Result<UpdateLookupTableOutput, Fault> {
        let arn = input.lookup_table_arn.expect("validated: required");
        let content = Content {
            body: body(input.table_body, input.query_id.as_deref())?,
            description: input.description,
            kms_key_id: input.kms_key_id,
            now: call.received,
        };
        self.lookup_tables.update(call.scope(), name(call.scope(), &arn)?, content).await?;
        Ok(UpdateLookupTableOutput {
            lookup_table_arn: Some(arn),
            last_updated_time: Some(call.received.as_millis()),
        })
    }
}

impl Handle<DeleteLookupTable> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteLookupTableInput,
    ) -> Result<DeleteLookupTableOutput, Fault> {
        let arn = input.lookup_table_arn.expect("validated: required");
        self.lookup_tables.delete(call.scope(), name(call.scope(), &arn)?).await?;
        Ok(DeleteLookupTableOutput {})
    }
}

impl Handle<DescribeLookupTables> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DescribeLookupTablesInput,
    ) -> Result<DescribeLookupTablesOutput, Fault> {
        let prefix = input.lookup_table_name_prefix.as_deref().unwrap_or_default();
        let found = self.lookup_tables.list(call.scope(), prefix).into_iter();
        let found =
            found.map(|(name, table)| (name.clone(), described(call.scope(), &name, &table))).collect();
        // AWS sets no smallest number; none is as good as no limit given.
        let limit = input.max_results.filter(|limit| *limit > 0);
        let (tables, next_token) =
            listing::page("DescribeLookupTables", input.next_token.as_deref(), limit, listing::of(found))?;
        Ok(DescribeLookupTablesOutput { lookup_tables: Some(tables), next_token })
    }
}

/// The text that a request gives. Results of queries cannot become tables yet.
fn body(body: Option<String>, query: Option<&str>) -> Result<String, LogsError> {
    match (body, query) {
        (Some(body), None) => Ok(body),
        (None, Some(_)) => Err(LogsError::Unsupported { what: "queryId" }),
        (None, None) | (Some(_), Some(_)) => Err(LookupTableError::BodyOrQuery.into()),
    }
}

pub(super) fn lookup_table_arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", &format!("lookup-table:{name}"))
}

/// The name of the table that an ARN of this account and region names.
fn name<'a>(scope: &Scope, arn: &'a str) -> Result<&'a str, LogsError> {
    arn.strip_prefix(&lookup_table_arn(scope, "")).ok_or_else(|| LookupTableError::Missing.into())
}

fn described(scope: &Scope, name: &str, table: &LookupTable) -> api::LookupTable {
    api::LookupTable {
        lookup_table_arn: Some(lookup_table_arn(scope, name)),
        lookup_table_name: Some(name.to_owned()),
        description: table.description.clone(),
        table_fields: Some(table.columns.clone()),
        records_count: i64::try_from(table.rows).ok(),
        size_bytes: i64::try_from(table.size_bytes).ok(),
        last_updated_time: Some(table.updated.as_millis()),
        kms_key_id: table.kms_key_id.clone(),
    }
}

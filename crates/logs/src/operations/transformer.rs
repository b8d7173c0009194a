//! `PutTransformer`, `GetTransformer`, `DeleteTransformer` and `TestTransformer`.

use groundwatch_api::logs::{
    DeleteTransformer, DeleteTransformerInput, DeleteTransformerOutput, GetTransformer, GetTransformerInput,
    GetTransformerOutput, PutTransformer, PutTransformerInput, PutTransformerOutput, TestTransformer,
    TestTransformerInput, TestTransformerOutput, TransformedLogRecord,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_log_transformers::{Origin, Transformer};

use crate::error::LogsError;
use crate::group::{LogGroup, group_arn};
use crate::identifier;
use crate::logs::Logs;
use crate::transformer::{TransformerError, with_transformer};

impl Handle<PutTransformer> for Logs {
    /// Events that arrive from now on are transformed.
    async fn handle(&self, call: &Call, input: PutTransformerInput) -> Result<PutTransformerOutput, Fault> {
        let identifier = input.log_group_identifier.expect("validated: required");
        let processors = input.transformer_config.expect("validated: required");
        let name = identifier::name_in_identifier(call.scope(), &identifier).map_err(LogsError::from)?;
        let change = |group: &LogGroup| {
            group.check_offers("PutTransformer")?;
            with_transformer(group, Some(&processors), call.received)
        };
        self.directory.change_group(call.scope(), name, change).await?;
        Ok(PutTransformerOutput {})
    }
}

impl Handle<GetTransformer> for Logs {
    /// A group without a transformer is answered with none, as AWS does; the group must be there.
    async fn handle(&self, call: &Call, input: GetTransformerInput) -> Result<GetTransformerOutput, Fault> {
        let (name, group) = self.named_group(call.scope(), None, input.log_group_identifier.as_deref())?;
        let Some((modified, transformer)) = group.transformers.current() else {
            return Ok(GetTransformerOutput::default());
        };
        Ok(GetTransformerOutput {
            log_group_identifier: Some(group_arn(call.scope(), &name)),
            creation_time: Some(transformer.created.as_millis()),
            last_modified_time: Some(modified.as_millis()),
            transformer_config: Some(transformer.processors.clone()),
        })
    }
}

impl Handle<DeleteTransformer> for Logs {
    async fn handle(
        &self,
        call: &Call,
        input: DeleteTransformerInput,
    ) -> Result<DeleteTransformerOutput, Fault> {
        let identifier = input.log_group_identifier.expect("validated: required");
        let name = identifier::name_in_identifier(call.scope(), &identifier).map_err(LogsError::from)?;
        let change = |group: &LogGroup| with_transformer(group, None, call.received);
        self.directory.change_group(call.scope(), name, change).await?;
        Ok(DeleteTransformerOutput {})
    }
}

impl Handle<TestTransformer> for Logs {
    /// A message that the transformer cannot do has no transformed text in the answer. No group and no stream
    /// are named.
    async fn handle(&self, call: &Call, input: TestTransformerInput) -> Result<TestTransformerOutput, Fault> {
        let processors = input.transformer_config.expect("validated: required");
        let transformer =
            Transformer::new(&processors).map_err(|error| LogsError::from(TransformerError::from(error)))?;
        let account = call.scope().account.to_string();
        let origin = Origin {
            account: &account,
            region: call.scope().region.as_str(),
            group: "",
            stream: "",
            ingested: call.received,
        };
        let messages = input.log_event_messages.expect("validated: required");
        let record = |(number, message): (i64, String)| TransformedLogRecord {
            event_number: Some(number),
            transformed_event_message: transformer.transform(&message, origin).ok(),
            event_message: Some(message),
        };
        let transformed_logs = Some((1..).zip(messages).map(record).collect());
        Ok(TestTransformerOutput { transformed_logs })
    }
}

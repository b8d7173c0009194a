//! `CreateLogStream` and `DeleteLogStream`.

use groundwatch_api::logs::{
    CreateLogStream, CreateLogStreamInput, CreateLogStreamOutput, DeleteLogStream, DeleteLogStreamInput,
    DeleteLogStreamOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;

use crate::incarnation::LogStreamId;
use crate::logs::Logs;
use crate::stream::LogStream;

impl Handle<CreateLogStream> for Logs {
    async fn handle(&self, call: &Call, input: CreateLogStreamInput) -> Result<CreateLogStreamOutput, Fault> {
        let group_name = input.log_group_name.expect("validated: required");
        let name = input.log_stream_name.expect("validated: required");
        let group = self.directory.group(call.scope(), &group_name)?;
        let stream = LogStream { id: LogStreamId::random(), created: call.received, flushed: None };
        self.directory.create_stream(call.scope(), group.id, &name, stream).await?;
        self.recency.created(group.id, &name);
        Ok(CreateLogStreamOutput {})
    }
}

impl Handle<DeleteLogStream> for Logs {
    async fn handle(&self, call: &Call, input: DeleteLogStreamInput) -> Result<DeleteLogStreamOutput, Fault> {
        let group_name = input.log_group_name.expect("validated: required");
        let name = input.log_stream_name.expect("validated: required");
        let (group, stream) = self.directory.delete_stream(call.scope(), &group_name, &name).await?;
        self.store.forget_stream(group, stream);
        self.recency.deleted(group, &name);
        Ok(DeleteLogStreamOutput {})
    }
}

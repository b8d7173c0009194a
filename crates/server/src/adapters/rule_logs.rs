//! Log groups, as Contributor Insights rules read them: through the operations that everybody reads them by.

use std::sync::Arc;

use groundwatch_api::logs::{
    DescribeLogGroups, DescribeLogGroupsInput, FilterLogEvents, FilterLogEventsInput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_contributor_insights::{LogPage, LogReadError, LogReader};
use groundwatch_core::{BoxFuture, Call, Caller, RequestId, Scope, Timestamp};
use groundwatch_logs::Logs;

/// The code of the fault of a group that does not exist.
const MISSING: &str = "ResourceNotFoundException";

/// The logs service.
pub(crate) struct RuleLogs(pub(crate) Arc<Logs>);

impl LogReader for RuleLogs {
    fn groups<'a>(
        &'a self,
        scope: &'a Scope,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, LogReadError>> {
        Box::pin(async move {
            let call = call(scope);
            let (mut names, mut next_token) = (Vec::new(), None);
            loop {
                let input = DescribeLogGroupsInput {
                    log_group_name_prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
                    next_token,
                    ..DescribeLogGroupsInput::default()
                };
                let page =
                    Handle::<DescribeLogGroups>::handle(&*self.0, &call, input).await.map_err(failed)?;
                names.extend(page.log_groups.into_iter().flatten().filter_map(|group| group.log_group_name));
                match page.next_token {
                    Some(token) => next_token = Some(token),
                    None => return Ok(names),
                }
            }
        })
    }

    fn page<'a>(
        &'a self,
        scope: &'a Scope,
        group: &'a str,
        (from, to): (Timestamp, Timestamp),
        after: Option<String>,
    ) -> BoxFuture<'a, Result<LogPage, LogReadError>> {
        Box::pin(async move {
            let input = FilterLogEventsInput {
                log_group_name: Some(group.to_owned()),
                start_time: Some(from.as_millis().max(0)),
                // The operation's end is inclusive.
                end_time: Some(to.as_millis() - 1),
                next_token: after,
                ..FilterLogEventsInput::default()
            };
            let page = match Handle::<FilterLogEvents>::handle(&*self.0, &call(scope), input).await {
                Ok(page) => page,
                Err(fault) if fault.shape.shape == MISSING => return Ok(LogPage::default()),
                Err(fault) => return Err(failed(fault)),
            };
            let events = page.events.into_iter().flatten();
            let events =
                events.filter_map(|event| Some((Timestamp::from_millis(event.timestamp?), event.message?)));
            Ok(LogPage { events: events.collect(), next: page.next_token })
        })
    }
}

/// The server itself, on behalf of the owner of a rule.
fn call(scope: &Scope) -> Call {
    let caller = Caller { scope: scope.clone(), access_key_id: String::new() };
    Call::new(caller, RequestId("contributor-insights".to_owned()), Timestamp::EPOCH)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(fault: Fault) -> LogReadError {
    LogReadError(fault.to_string())
}

//! `DescribeAlarmContributors`: the series of an alarm that are in ALARM, a page at a time, by id.

use groundwatch_api::cloudwatch::{
    AlarmContributor, DescribeAlarmContributors, DescribeAlarmContributorsInput,
    DescribeAlarmContributorsOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::Call;
use groundwatch_storage::Key;

use crate::error::AlarmError;
use crate::evaluation::contributors::Contributor;
use crate::service::Alarms;

impl Handle<DescribeAlarmContributors> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DescribeAlarmContributorsInput,
    ) -> Result<DescribeAlarmContributorsOutput, Fault> {
        Ok(self.describe_alarm_contributors(call, input)?)
    }
}

impl Alarms {
    /// All of them fit into one page, so there is no token that could be right.
    fn describe_alarm_contributors(
        &self,
        call: &Call,
        input: DescribeAlarmContributorsInput,
    ) -> Result<DescribeAlarmContributorsOutput, AlarmError> {
        if input.next_token.is_some() {
            return Err(AlarmError::NextToken);
        }
        let name = input.alarm_name.unwrap_or_default();
        let Some((_, alarm)) = self.store.get(&Key::new(call.scope(), name.as_str())) else {
            return Err(AlarmError::NamedNotFound { name });
        };
        let contributors = alarm.contributors.iter().map(|(id, contributor)| shape(id, contributor));
        Ok(DescribeAlarmContributorsOutput {
            alarm_contributors: Some(contributors.collect()),
            next_token: None,
        })
    }
}

fn shape(id: &str, contributor: &Contributor) -> AlarmContributor {
    AlarmContributor {
        contributor_id: Some(id.to_owned()),
        contributor_attributes: Some(contributor.attributes.clone()),
        state_reason: Some(contributor.reason.clone()),
        state_transitioned_timestamp: Some(contributor.transitioned.into()),
    }
}

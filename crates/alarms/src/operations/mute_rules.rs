//! `PutAlarmMuteRule`, `GetAlarmMuteRule`, `ListAlarmMuteRules` and `DeleteAlarmMuteRule`.

use std::collections::BTreeSet;

use groundwatch_api::cloudwatch::{
    self as api, AlarmMuteRuleSummary, DeleteAlarmMuteRule, DeleteAlarmMuteRuleInput,
    DeleteAlarmMuteRuleOutput, GetAlarmMuteRule, GetAlarmMuteRuleInput, GetAlarmMuteRuleOutput,
    ListAlarmMuteRules, ListAlarmMuteRulesInput, ListAlarmMuteRulesOutput, PutAlarmMuteRule,
    PutAlarmMuteRuleInput, PutAlarmMuteRuleOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp, page_token};
use groundwatch_storage::Key;

use super::put_metric_alarm::tags;
use crate::error::AlarmError;
use crate::mute::rule::{MuteRule, arn};
use crate::mute::schedule::{Schedule, ScheduleText};
use crate::service::Alarms;

/// What this listing's paging tokens are called.
const LISTING: &str = "ListAlarmMuteRules";

/// How many rules a page holds unless the request says otherwise.
const PAGE_DEFAULT: usize = 50;

/// AWS's limit: how many mute rules an account may have in a region.
const RULES_MAX: usize = 2000;

impl Handle<PutAlarmMuteRule> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutAlarmMuteRuleInput,
    ) -> Result<PutAlarmMuteRuleOutput, Fault> {
        Ok(self.put_mute_rule(call, input).await?)
    }
}

impl Handle<GetAlarmMuteRule> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetAlarmMuteRuleInput,
    ) -> Result<GetAlarmMuteRuleOutput, Fault> {
        let key = Key::new(call.scope(), input.alarm_mute_rule_name.unwrap_or_default());
        let rule =
            self.mutes.get(&key).ok_or_else(|| AlarmError::MuteRuleNotFound { name: key.name.clone() })?;
        Ok(shape(&key, &rule, self.clock.now()))
    }
}

impl Handle<ListAlarmMuteRules> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: ListAlarmMuteRulesInput,
    ) -> Result<ListAlarmMuteRulesOutput, Fault> {
        Ok(self.list_mute_rules(call, &input)?)
    }
}

impl Handle<DeleteAlarmMuteRule> for Alarms {
    /// Actions that only this rule withheld run at once. Deleting a rule that does not exist is fine.
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteAlarmMuteRuleInput,
    ) -> Result<DeleteAlarmMuteRuleOutput, Fault> {
        let key = Key::new(call.scope(), input.alarm_mute_rule_name.unwrap_or_default());
        let concerned = self.mutes.change(&key, |_| None).await.map_err(AlarmError::from)?;
        self.follow_up_all(concerned);
        Ok(DeleteAlarmMuteRuleOutput {})
    }
}

impl Alarms {
    async fn put_mute_rule(
        &self,
        call: &Call,
        input: PutAlarmMuteRuleInput,
    ) -> Result<PutAlarmMuteRuleOutput, AlarmError> {
        let key = Key::new(call.scope(), input.name.clone().unwrap_or_default());
        let now = self.clock.now();
        let rule = read(input, now)?;
        let missing = |name: &&String| self.store.get(&Key::new(call.scope(), name.as_str())).is_none();
        if let Some(name) = rule.targets.iter().flatten().find(missing) {
            return Err(AlarmError::MuteTargetMissing { name: name.clone() });
        }
        if self.mutes.get(&key).is_none() && self.mutes.count(call.scope()) >= RULES_MAX {
            return Err(AlarmError::MuteRulesLimit { limit: RULES_MAX });
        }
        let replace = |old: Option<&MuteRule>| match old {
            Some(old) => Some(MuteRule { created: old.created, tags: old.tags.clone(), ..rule }),
            None => Some(rule),
        };
        let concerned = self.mutes.change(&key, replace).await?;
        self.follow_up_all(concerned);
        Ok(PutAlarmMuteRuleOutput {})
    }

    fn list_mute_rules(
        &self,
        call: &Call,
        input: &ListAlarmMuteRulesInput,
    ) -> Result<ListAlarmMuteRulesOutput, AlarmError> {
        if let Some(name) = &input.alarm_name {
            self.store.get(&Key::new(call.scope(), name.as_str())).ok_or(AlarmError::NotFound)?;
        }
        let after = match &input.next_token {
            Some(token) => Some(page_token::decode(LISTING, token).ok_or(AlarmError::NextToken)?),
            None => None,
        };
        let limit = input.max_records.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_DEFAULT);
        let now = self.clock.now();
        let statuses: Vec<&str> = input.statuses.iter().flatten().map(|status| status.as_str()).collect();
        let admits = |rule: &MuteRule| {
            let mutes = |name: &String| rule.targets.iter().flatten().any(|target| target == name);
            input.alarm_name.as_ref().is_none_or(mutes)
                && (statuses.is_empty() || statuses.contains(&rule.status(now).name()))
        };
        let mut found: Vec<_> = self
            .mutes
            .list(call.scope(), after.as_deref())
            .into_iter()
            .filter(|(_, rule)| admits(rule))
            .take(limit + 1)
            .collect();
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| has_more);
        let next_token = last.map(|(name, _)| page_token::encode(LISTING, name));
        let summaries = found
            .iter()
            .map(|(name, rule)| summary(&Key::new(call.scope(), name.as_str()), rule, now))
            .collect();
        Ok(ListAlarmMuteRulesOutput { alarm_mute_rule_summaries: Some(summaries), next_token })
    }

    fn follow_up_all(&self, keys: BTreeSet<Key>) {
        let now = self.clock.now();
        keys.into_iter().for_each(|key| self.store.follow_up(key, now));
    }
}

fn read(input: PutAlarmMuteRuleInput, now: Timestamp) -> Result<MuteRule, AlarmError> {
    let schedule = input.rule.and_then(|rule| rule.schedule).unwrap_or_default();
    let schedule = Schedule::try_from(ScheduleText {
        expression: schedule.expression.unwrap_or_default(),
        duration: schedule.duration.unwrap_or_default(),
        timezone: schedule.timezone,
    })?;
    let rule = MuteRule {
        description: input.description,
        schedule,
        targets: input.mute_targets.map(|targets| targets.alarm_names.unwrap_or_default()),
        starts: input.start_date.map(|date| date.0),
        expires: input.expire_date.map(|date| date.0),
        created: now,
        updated: now,
        tags: tags(input.tags)?,
    };
    match (rule.starts, rule.expires) {
        (Some(starts), Some(expires)) if expires <= starts => Err(AlarmError::MuteDates),
        _ => Ok(rule),
    }
}

fn shape(key: &Key, rule: &MuteRule, now: Timestamp) -> GetAlarmMuteRuleOutput {
    let schedule = rule.schedule.text();
    GetAlarmMuteRuleOutput {
        name: Some(key.name.clone()),
        alarm_mute_rule_arn: Some(arn(key)),
        description: rule.description.clone(),
        rule: Some(api::Rule {
            schedule: Some(api::Schedule {
                expression: Some(schedule.expression.clone()),
                duration: Some(schedule.duration.clone()),
                timezone: schedule.timezone.clone(),
            }),
        }),
        mute_targets: rule.targets.clone().map(|names| api::MuteTargets { alarm_names: Some(names) }),
        start_date: rule.starts.map(Into::into),
        expire_date: rule.expires.map(Into::into),
        status: Some(rule.status(now).name().into()),
        last_updated_timestamp: Some(rule.updated.into()),
        mute_type: Some(rule.mute_type().to_owned()),
    }
}

fn summary(key: &Key, rule: &MuteRule, now: Timestamp) -> AlarmMuteRuleSummary {
    AlarmMuteRuleSummary {
        alarm_mute_rule_arn: Some(arn(key)),
        expire_date: rule.expires.map(Into::into),
        status: Some(rule.status(now).name().into()),
        mute_type: Some(rule.mute_type().to_owned()),
        last_updated_timestamp: Some(rule.updated.into()),
    }
}

//! `PutInsightRule`, `DescribeInsightRules`, `DeleteInsightRules`, `EnableInsightRules` and
//! `DisableInsightRules`.

use groundwatch_api::cloudwatch::{
    DeleteInsightRules, DeleteInsightRulesInput, DeleteInsightRulesOutput, DescribeInsightRules,
    DescribeInsightRulesInput, DescribeInsightRulesOutput, DisableInsightRules, DisableInsightRulesInput,
    DisableInsightRulesOutput, EnableInsightRules, EnableInsightRulesInput, EnableInsightRulesOutput,
    InsightRule, PartialFailure, PutInsightRule, PutInsightRuleInput, PutInsightRuleOutput,
};
use groundwatch_api::{Fault, Handle, Operation};
use groundwatch_core::{Call, Scope, Tags, page_token};

use crate::definition::Definition;
use crate::rule::Rule;
use crate::{InsightError, Rules, fault};

/// AWS's default and greatest size of a page.
const PAGE_LENGTH: usize = 500;

impl Handle<PutInsightRule> for Rules {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: PutInsightRuleInput,
    ) -> Result<PutInsightRuleOutput, Fault> {
        let name = input.rule_name.expect("validated: required");
        let definition = input.rule_definition.expect("validated: required");
        Definition::parse(&definition, call.scope())?;
        if input.apply_on_transformed_logs == Some(true) {
            let rule = "is not supported: rules read log events as they were put".to_owned();
            return Err(InsightError::Parameter { parameter: "ApplyOnTransformedLogs", rule }.into());
        }
        let enabled = match input.rule_state.as_deref() {
            None | Some("ENABLED") => true,
            Some("DISABLED") => false,
            Some(_) => {
                let rule = "must be ENABLED or DISABLED".to_owned();
                return Err(InsightError::Parameter { parameter: "RuleState", rule }.into());
            }
        };
        let pairs = input.tags.unwrap_or_default().into_iter();
        let tags = Tags::new(pairs.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())))
            .map_err(InsightError::from)?;
        self.put(call.scope(), &name, &Rule { enabled, definition, tags }).await?;
        Ok(PutInsightRuleOutput {})
    }
}

impl Handle<DescribeInsightRules> for Rules {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DescribeInsightRulesInput,
    ) -> Result<DescribeInsightRulesOutput, Fault> {
        let listing = DescribeInsightRules::NAME;
        let after = match &input.next_token {
            Some(token) => Some(page_token::decode(listing, token).ok_or(InsightError::NextToken)?),
            None => None,
        };
        let length = input.max_results.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_LENGTH);
        let mut found = self.rules.list(call.scope(), "", after.as_deref(), length + 1);
        let more = found.len() > length;
        found.truncate(length);
        let next_token = found.last().filter(|_| more).map(|(name, _)| page_token::encode(listing, name));
        let rules = found.into_iter().map(|(name, rule)| InsightRule {
            name: Some(name),
            state: Some(if rule.enabled { "ENABLED" } else { "DISABLED" }.to_owned()),
            // Recorded: not the JSON that the reference speaks of.
            schema: Some("CloudWatchLogRule/1".to_owned()),
            definition: Some(rule.definition.clone()),
            managed_rule: Some(false),
            apply_on_transformed_logs: Some(false),
        });
        Ok(DescribeInsightRulesOutput { insight_rules: Some(rules.collect()), next_token })
    }
}

impl Handle<DeleteInsightRules> for Rules {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DeleteInsightRulesInput,
    ) -> Result<DeleteInsightRulesOutput, Fault> {
        let names = input.rule_names.expect("validated: required");
        let failures = self.change_all(call.scope(), names, |_| None).await?;
        Ok(DeleteInsightRulesOutput { failures: Some(failures) })
    }
}

impl Handle<EnableInsightRules> for Rules {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: EnableInsightRulesInput,
    ) -> Result<EnableInsightRulesOutput, Fault> {
        let names = input.rule_names.expect("validated: required");
        let enable = |rule: &Rule| Some(Rule { enabled: true, ..rule.clone() });
        let failures = self.change_all(call.scope(), names, enable).await?;
        Ok(EnableInsightRulesOutput { failures: Some(failures) })
    }
}

impl Handle<DisableInsightRules> for Rules {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DisableInsightRulesInput,
    ) -> Result<DisableInsightRulesOutput, Fault> {
        let names = input.rule_names.expect("validated: required");
        let disable = |rule: &Rule| Some(Rule { enabled: false, ..rule.clone() });
        let failures = self.change_all(call.scope(), names, disable).await?;
        Ok(DisableInsightRulesOutput { failures: Some(failures) })
    }
}

impl Rules {
    /// Changes all rules of these names that there are, and names the others.
    async fn change_all(
        &self,
        scope: &Scope,
        names: Vec<String>,
        change: impl Fn(&Rule) -> Option<Rule> + Send + Sync,
    ) -> Result<Vec<PartialFailure>, InsightError> {
        let mut failures = Vec::new();
        for name in names {
            if !self.change(scope, &name, |rule| Ok(change(rule))).await? {
                failures.push(fault::not_found(name));
            }
        }
        Ok(failures)
    }
}

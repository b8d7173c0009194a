//! `DescribeAlarmHistory`: what happened to one alarm or to all of them, deleted ones included, newest first.

use groundwatch_api::cloudwatch::{
    self as api, AlarmHistoryItem, DescribeAlarmHistory, DescribeAlarmHistoryInput,
    DescribeAlarmHistoryOutput,
};
use groundwatch_api::{Fault, Handle};
use groundwatch_core::{Call, Timestamp, page_token};
use groundwatch_storage::{LedgerCursor, LedgerItem, LedgerQuery};

use super::describe_alarms::types;
use crate::alarm::AlarmType;
use crate::effects::history::HistoryItem;
use crate::error::AlarmError;
use crate::service::Alarms;

/// What this listing's paging tokens are called.
const LISTING: &str = "DescribeAlarmHistory";

/// How many items a page holds unless the request says otherwise; also the most that it may ask for.
const PAGE_DEFAULT: usize = 100;

/// How many items are read in one go.
const CHUNK: usize = 500;

/// How many items one request looks at, at most, while it searches for those of a type. A page may be short
/// then, or empty, and still have a token for the next.
const LOOKED_AT_MAX: usize = 10 * CHUNK;

impl Handle<DescribeAlarmHistory> for Alarms {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: DescribeAlarmHistoryInput,
    ) -> Result<DescribeAlarmHistoryOutput, Fault> {
        Ok(self.describe_alarm_history(call, input).await?)
    }
}

impl Alarms {
    async fn describe_alarm_history(
        &self,
        call: &Call,
        input: DescribeAlarmHistoryInput,
    ) -> Result<DescribeAlarmHistoryOutput, AlarmError> {
        let limit = input.max_records.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_DEFAULT);
        let filter = Filter::of(&input);
        let mut query = query(call, input)?;
        // Nearly always all that is read is wanted.
        query.limit = limit + 1;
        let mut items: Vec<LedgerItem<HistoryItem>> = Vec::new();
        let mut looked_at = 0;
        let resume_after = loop {
            let chunk = self.store.history(query.clone()).await?;
            let is_last = chunk.len() < query.limit;
            looked_at += chunk.len();
            query.limit = CHUNK;
            query.after = chunk.last().map(|item| item.cursor).or(query.after);
            // One more than fits tells whether there is another page.
            let wanted = limit + 1 - items.len();
            items.extend(chunk.into_iter().filter(|item| filter.admits(&item.entry)).take(wanted));
            if items.len() > limit {
                items.truncate(limit);
                break items.last().map(|item| item.cursor);
            }
            if is_last {
                break None;
            }
            if looked_at >= LOOKED_AT_MAX {
                break query.after;
            }
        };
        Ok(DescribeAlarmHistoryOutput {
            alarm_history_items: Some(items.into_iter().map(shape).collect()),
            next_token: resume_after.map(|cursor| page_token::encode(LISTING, &cursor.to_string())),
        })
    }
}

fn query(call: &Call, input: DescribeAlarmHistoryInput) -> Result<LedgerQuery, AlarmError> {
    let from = input.start_date.map_or(Timestamp::MIN, |date| date.0);
    let through = input.end_date.map_or(Timestamp::MAX, |date| date.0);
    if from > through {
        return Err(AlarmError::Range);
    }
    let after = match input.next_token {
        Some(token) => {
            let cursor =
                page_token::decode(LISTING, &token).and_then(|cursor| cursor.parse::<LedgerCursor>().ok());
            Some(cursor.ok_or(AlarmError::NextToken)?)
        }
        None => None,
    };
    Ok(LedgerQuery {
        scope: call.scope().clone(),
        name: input.alarm_name,
        from,
        // AWS's EndDate is inclusive, the ledger's end is not.
        to: Timestamp::from_millis(through.as_millis().saturating_add(1)),
        after,
        limit: CHUNK,
        newest_first: input.scan_by != Some(api::ScanBy::TimestampAscending),
    })
}

/// Which items are asked for, besides alarm and time.
struct Filter {
    types: Vec<AlarmType>,
    kind: Option<String>,
    contributor_id: Option<String>,
}

impl Filter {
    fn of(input: &DescribeAlarmHistoryInput) -> Self {
        Self {
            types: types(input.alarm_types.as_deref()),
            kind: input.history_item_type.as_ref().map(|kind| kind.as_str().to_owned()),
            contributor_id: input.alarm_contributor_id.clone(),
        }
    }

    fn admits(&self, item: &HistoryItem) -> bool {
        self.types.contains(&item.alarm_type)
            && self.kind.as_ref().is_none_or(|kind| kind == item.kind.name())
            && self
                .contributor_id
                .as_ref()
                .is_none_or(|id| item.contributor.as_ref().is_some_and(|contributor| contributor.id == *id))
    }
}

fn shape(item: LedgerItem<HistoryItem>) -> AlarmHistoryItem {
    let contributor = item.entry.contributor;
    AlarmHistoryItem {
        alarm_contributor_id: contributor.as_ref().map(|contributor| contributor.id.clone()),
        alarm_contributor_attributes: contributor.map(|contributor| contributor.attributes),
        alarm_name: Some(item.key.name),
        alarm_type: Some(api::AlarmType::from(item.entry.alarm_type.name())),
        timestamp: Some(item.at.into()),
        history_item_type: Some(api::HistoryItemType::from(item.entry.kind.name())),
        history_summary: Some(item.entry.summary),
        history_data: Some(item.entry.data),
    }
}

//! Which service handles which operation: a line each.

use std::sync::Arc;

use groundwatch_alarms::Alarms;
use groundwatch_api::{cloudwatch, logs, sns, sqs, sts};
use groundwatch_contributor_insights::Rules;
use groundwatch_dashboards::Dashboards;
use groundwatch_iam::Identities;
use groundwatch_logs::Logs;
use groundwatch_metrics::Metrics;
use groundwatch_notify::Notify;
use groundwatch_sqs::Sqs;
use groundwatch_tagging::Tagging;
use groundwatch_wire::Router;

/// The services behind the endpoint.
pub(crate) struct Services {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) alarms: Arc<Alarms>,
    pub(crate) dashboards: Arc<Dashboards>,
    pub(crate) insights: Arc<Rules>,
    pub(crate) tagging: Arc<Tagging>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) notify: Arc<Notify>,
    pub(crate) sqs: Arc<Sqs>,
    pub(crate) identities: Arc<Identities>,
}

impl Services {
    /// Adds every operation to `router`.
    pub(crate) fn route(&self, router: Router) -> Router {
        let Self { metrics, alarms, dashboards, insights, tagging, logs, notify, sqs, identities } = self;
        router
            .on::<cloudwatch::PutMetricData, _>(metrics.clone())
            .on::<cloudwatch::ListMetrics, _>(metrics.clone())
            .on::<cloudwatch::PutAnomalyDetector, _>(metrics.clone())
            .on::<cloudwatch::DescribeAnomalyDetectors, _>(metrics.clone())
            .on::<cloudwatch::DeleteAnomalyDetector, _>(metrics.clone())
            .on::<cloudwatch::PutInsightRule, _>(insights.clone())
            .on::<cloudwatch::DescribeInsightRules, _>(insights.clone())
            .on::<cloudwatch::DeleteInsightRules, _>(insights.clone())
            .on::<cloudwatch::EnableInsightRules, _>(insights.clone())
            .on::<cloudwatch::DisableInsightRules, _>(insights.clone())
            .on::<cloudwatch::GetInsightRuleReport, _>(insights.clone())
            .on::<cloudwatch::GetMetricStatistics, _>(metrics.clone())
            .on::<cloudwatch::GetMetricData, _>(metrics.clone())
            .on::<cloudwatch::PutMetricAlarm, _>(alarms.clone())
            .on::<cloudwatch::DescribeAlarms, _>(alarms.clone())
            .on::<cloudwatch::DescribeAlarmHistory, _>(alarms.clone())
            .on::<cloudwatch::DescribeAlarmContributors, _>(alarms.clone())
            .on::<cloudwatch::SetAlarmState, _>(alarms.clone())
            .on::<cloudwatch::DeleteAlarms, _>(alarms.clone())
            .on::<cloudwatch::DescribeAlarmsForMetric, _>(alarms.clone())
            .on::<cloudwatch::EnableAlarmActions, _>(alarms.clone())
            .on::<cloudwatch::DisableAlarmActions, _>(alarms.clone())
            .on::<cloudwatch::PutCompositeAlarm, _>(alarms.clone())
            .on::<cloudwatch::PutAlarmMuteRule, _>(alarms.clone())
            .on::<cloudwatch::GetAlarmMuteRule, _>(alarms.clone())
            .on::<cloudwatch::ListAlarmMuteRules, _>(alarms.clone())
            .on::<cloudwatch::DeleteAlarmMuteRule, _>(alarms.clone())
            .on::<cloudwatch::PutDashboard, _>(dashboards.clone())
            .on::<cloudwatch::GetDashboard, _>(dashboards.clone())
            .on::<cloudwatch::ListDashboards, _>(dashboards.clone())
            .on::<cloudwatch::DeleteDashboards, _>(dashboards.clone())
            .on::<cloudwatch::GetMetricWidgetImage, _>(dashboards.clone())
            .on::<cloudwatch::PutMetricDataQueryDefinition, _>(dashboards.clone())
            .on::<cloudwatch::GetMetricDataQueryDefinition, _>(dashboards.clone())
            .on::<cloudwatch::ListMetricDataQueryDefinitions, _>(dashboards.clone())
            .on::<cloudwatch::DeleteMetricDataQueryDefinition, _>(dashboards.clone())
            .on::<cloudwatch::TagResource, _>(tagging.clone())
            .on::<cloudwatch::UntagResource, _>(tagging.clone())
            .on::<cloudwatch::ListTagsForResource, _>(tagging.clone())
            .on::<logs::CreateLogGroup, _>(logs.clone())
            .on::<logs::DeleteLogGroup, _>(logs.clone())
            .on::<logs::DescribeLogGroups, _>(logs.clone())
            .on::<logs::CreateLogStream, _>(logs.clone())
            .on::<logs::DescribeLogStreams, _>(logs.clone())
            .on::<logs::PutLogEvents, _>(logs.clone())
            .on::<logs::GetLogEvents, _>(logs.clone())
            .on::<logs::FilterLogEvents, _>(logs.clone())
            .on::<logs::PutLogGroupDeletionProtection, _>(logs.clone())
            .on::<logs::ListLogGroups, _>(logs.clone())
            .on::<logs::PutRetentionPolicy, _>(logs.clone())
            .on::<logs::DeleteRetentionPolicy, _>(logs.clone())
            .on::<logs::DeleteLogStream, _>(logs.clone())
            .on::<logs::TagResource, _>(logs.clone())
            .on::<logs::UntagResource, _>(logs.clone())
            .on::<logs::ListTagsForResource, _>(logs.clone())
            .on::<logs::TagLogGroup, _>(logs.clone())
            .on::<logs::UntagLogGroup, _>(logs.clone())
            .on::<logs::ListTagsLogGroup, _>(logs.clone())
            .on::<logs::AssociateKmsKey, _>(logs.clone())
            .on::<logs::DisassociateKmsKey, _>(logs.clone())
            .on::<logs::TestMetricFilter, _>(logs.clone())
            .on::<logs::PutMetricFilter, _>(logs.clone())
            .on::<logs::DescribeMetricFilters, _>(logs.clone())
            .on::<logs::DeleteMetricFilter, _>(logs.clone())
            .on::<logs::PutDestination, _>(logs.clone())
            .on::<logs::PutDestinationPolicy, _>(logs.clone())
            .on::<logs::DescribeDestinations, _>(logs.clone())
            .on::<logs::DeleteDestination, _>(logs.clone())
            .on::<logs::PutResourcePolicy, _>(logs.clone())
            .on::<logs::DescribeResourcePolicies, _>(logs.clone())
            .on::<logs::DeleteResourcePolicy, _>(logs.clone())
            .on::<logs::PutSubscriptionFilter, _>(logs.clone())
            .on::<logs::DescribeSubscriptionFilters, _>(logs.clone())
            .on::<logs::DeleteSubscriptionFilter, _>(logs.clone())
            .on::<logs::PutAccountPolicy, _>(logs.clone())
            .on::<logs::DescribeAccountPolicies, _>(logs.clone())
            .on::<logs::DeleteAccountPolicy, _>(logs.clone())
            .on::<logs::CreateExportTask, _>(logs.clone())
            .on::<logs::CancelExportTask, _>(logs.clone())
            .on::<logs::DescribeExportTasks, _>(logs.clone())
            .on::<logs::PutQueryDefinition, _>(logs.clone())
            .on::<logs::DescribeQueryDefinitions, _>(logs.clone())
            .on::<logs::DeleteQueryDefinition, _>(logs.clone())
            .on::<logs::PutIndexPolicy, _>(logs.clone())
            .on::<logs::DescribeIndexPolicies, _>(logs.clone())
            .on::<logs::DeleteIndexPolicy, _>(logs.clone())
            .on::<logs::DescribeFieldIndexes, _>(logs.clone())
            .on::<logs::CreateLookupTable, _>(logs.clone())
            .on::<logs::GetLookupTable, _>(logs.clone())
            .on::<logs::UpdateLookupTable, _>(logs.clone())
            .on::<logs::DeleteLookupTable, _>(logs.clone())
            .on::<logs::DescribeLookupTables, _>(logs.clone())
            .on::<logs::PutTransformer, _>(logs.clone())
            .on::<logs::GetTransformer, _>(logs.clone())
            .on::<logs::DeleteTransformer, _>(logs.clone())
            .on::<logs::TestTransformer, _>(logs.clone())
            .on::<logs::PutDataProtectionPolicy, _>(logs.clone())
            .on::<logs::GetDataProtectionPolicy, _>(logs.clone())
            .on::<logs::DeleteDataProtectionPolicy, _>(logs.clone())
            .on_stream::<logs::StartLiveTail, _, _>(logs.clone())
            .on::<sns::CreateTopic, _>(notify.clone())
            .on::<sns::Subscribe, _>(notify.clone())
            .on::<sns::ConfirmSubscription, _>(notify.clone())
            .on::<sns::Publish, _>(notify.clone())
            .on::<sns::ListTopics, _>(notify.clone())
            .on::<sns::Unsubscribe, _>(notify.clone())
            .on::<sns::GetTopicAttributes, _>(notify.clone())
            .on::<sns::SetTopicAttributes, _>(notify.clone())
            .on::<sns::DeleteTopic, _>(notify.clone())
            .on::<sns::ListSubscriptions, _>(notify.clone())
            .on::<sns::ListSubscriptionsByTopic, _>(notify.clone())
            .on::<sns::GetSubscriptionAttributes, _>(notify.clone())
            .on::<sns::SetSubscriptionAttributes, _>(notify.clone())
            .on::<sns::TagResource, _>(notify.clone())
            .on::<sns::UntagResource, _>(notify.clone())
            .on::<sns::ListTagsForResource, _>(notify.clone())
            .on::<sns::AddPermission, _>(notify.clone())
            .on::<sns::RemovePermission, _>(notify.clone())
            .on::<sns::PublishBatch, _>(notify.clone())
            .on::<sqs::CreateQueue, _>(sqs.clone())
            .on::<sqs::DeleteQueue, _>(sqs.clone())
            .on::<sqs::GetQueueUrl, _>(sqs.clone())
            .on::<sqs::ListQueues, _>(sqs.clone())
            .on::<sqs::GetQueueAttributes, _>(sqs.clone())
            .on::<sqs::SetQueueAttributes, _>(sqs.clone())
            .on::<sqs::SendMessage, _>(sqs.clone())
            .on::<sqs::SendMessageBatch, _>(sqs.clone())
            .on::<sqs::ReceiveMessage, _>(sqs.clone())
            .on::<sqs::DeleteMessage, _>(sqs.clone())
            .on::<sqs::DeleteMessageBatch, _>(sqs.clone())
            .on::<sqs::ChangeMessageVisibility, _>(sqs.clone())
            .on::<sqs::ChangeMessageVisibilityBatch, _>(sqs.clone())
            .on::<sqs::PurgeQueue, _>(sqs.clone())
            .on::<sqs::TagQueue, _>(sqs.clone())
            .on::<sqs::UntagQueue, _>(sqs.clone())
            .on::<sqs::ListQueueTags, _>(sqs.clone())
            .on::<sqs::AddPermission, _>(sqs.clone())
            .on::<sqs::RemovePermission, _>(sqs.clone())
            .on::<sqs::ListDeadLetterSourceQueues, _>(sqs.clone())
            .on::<sqs::StartMessageMoveTask, _>(sqs.clone())
            .on::<sqs::ListMessageMoveTasks, _>(sqs.clone())
            .on::<sqs::CancelMessageMoveTask, _>(sqs.clone())
            .on::<sts::GetCallerIdentity, _>(identities.clone())
    }
}

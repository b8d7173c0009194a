//! Which resources CloudWatch's tagging operations find, and with whom.

use std::sync::Arc;

use groundwatch_alarms::{AlarmTags, AlarmTagsError};
use groundwatch_api::{Fault, common};
use groundwatch_contributor_insights::Rules;
use groundwatch_core::{BoxFuture, Scope, TagChange, Tags};
use groundwatch_dashboards::Dashboards;
use groundwatch_metric_streams::Streams;
use groundwatch_tagging::{ResourceKind, TaggedResources, Tagging, TaggingError};

/// All that has tags.
pub(crate) fn all(
    alarms: AlarmTags,
    dashboards: &Arc<Dashboards>,
    insights: &Arc<Rules>,
    streams: &Arc<Streams>,
) -> Tagging {
    Tagging::new()
        .with(ResourceKind::Alarm, Arc::new(TaggedAlarms(alarms)))
        .with(ResourceKind::Dashboard, Arc::new(TaggedDashboards(dashboards.clone())))
        .with(ResourceKind::MetricQuery, Arc::new(TaggedQueries(dashboards.clone())))
        .with(ResourceKind::InsightRule, Arc::new(TaggedRules(insights.clone())))
        .with(ResourceKind::MetricStream, Arc::new(TaggedStreams(streams.clone())))
}

/// Lets the tagging operations find the resources of a service by two methods of its own: one that tells the
/// tags of a resource by its name, and one that changes them. The last argument puts the service's error into
/// words.
macro_rules! tagged {
    ($kind:ident($service:ty), $tags:ident, $change:ident, $refused:path) => {
        struct $kind($service);

        impl TaggedResources for $kind {
            fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
                self.0.$tags(scope, name)
            }

            fn change<'a>(
                &'a self,
                scope: &'a Scope,
                name: &'a str,
                change: &'a TagChange,
            ) -> BoxFuture<'a, Result<bool, TaggingError>> {
                Box::pin(async move { self.0.$change(scope, name, change).await.map_err($refused) })
            }
        }
    };
}

tagged!(TaggedAlarms(AlarmTags), get, change, alarm_refused);
tagged!(TaggedDashboards(Arc<Dashboards>), tags, change_tags, refused);
tagged!(TaggedQueries(Arc<Dashboards>), query_tags, change_query_tags, refused);
tagged!(TaggedRules(Arc<Rules>), tags, change_tags, refused);
tagged!(TaggedStreams(Arc<Streams>), tags, change_tags, refused);

fn refused(error: impl Into<Fault>) -> TaggingError {
    TaggingError::Resource(error.into())
}

fn alarm_refused(error: AlarmTagsError) -> TaggingError {
    match error {
        AlarmTagsError::Tags(error) => error.into(),
        AlarmTagsError::Storage(error) => {
            tracing::error!(%error, "tags of an alarm cannot be written");
            let text = "The service cannot store data at the moment.";
            TaggingError::Resource(common::SERVICE_UNAVAILABLE.with(text))
        }
    }
}

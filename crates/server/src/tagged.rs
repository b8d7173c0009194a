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

struct TaggedAlarms(AlarmTags);

impl TaggedResources for TaggedAlarms {
    fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
        self.0.get(scope, name)
    }

    fn change<'a>(
        &'a self,
        scope: &'a Scope,
        name: &'a str,
        change: &'a TagChange,
    ) -> BoxFuture<'a, Result<bool, TaggingError>> {
        Box::pin(async move {
            self.0.change(scope, name, change).await.map_err(|error| match error {
                AlarmTagsError::Tags(error) => error.into(),
                AlarmTagsError::Storage(error) => {
                    tracing::error!(%error, "tags of an alarm cannot be written");
                    let text = "The service cannot store data at the moment.";
                    TaggingError::Resource(common::SERVICE_UNAVAILABLE.with(text))
                }
            })
        })
    }
}

struct TaggedDashboards(Arc<Dashboards>);

impl TaggedResources for TaggedDashboards {
    fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
        self.0.tags(scope, name)
    }

    fn change<'a>(
        &'a self,
        scope: &'a Scope,
        name: &'a str,
        change: &'a TagChange,
    ) -> BoxFuture<'a, Result<bool, TaggingError>> {
        Box::pin(async move { self.0.change_tags(scope, name, change).await.map_err(refused) })
    }
}

struct TaggedQueries(Arc<Dashboards>);

impl TaggedResources for TaggedQueries {
    fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
        self.0.query_tags(scope, name)
    }

    fn change<'a>(
        &'a self,
        scope: &'a Scope,
        name: &'a str,
        change: &'a TagChange,
    ) -> BoxFuture<'a, Result<bool, TaggingError>> {
        Box::pin(async move { self.0.change_query_tags(scope, name, change).await.map_err(refused) })
    }
}

struct TaggedRules(Arc<Rules>);

impl TaggedResources for TaggedRules {
    fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
        self.0.tags(scope, name)
    }

    fn change<'a>(
        &'a self,
        scope: &'a Scope,
        name: &'a str,
        change: &'a TagChange,
    ) -> BoxFuture<'a, Result<bool, TaggingError>> {
        Box::pin(async move {
            let changed = self.0.change_tags(scope, name, change).await;
            changed.map_err(|error| TaggingError::Resource(Fault::from(error)))
        })
    }
}

struct TaggedStreams(Arc<Streams>);

impl TaggedResources for TaggedStreams {
    fn tags(&self, scope: &Scope, name: &str) -> Option<Tags> {
        self.0.tags(scope, name)
    }

    fn change<'a>(
        &'a self,
        scope: &'a Scope,
        name: &'a str,
        change: &'a TagChange,
    ) -> BoxFuture<'a, Result<bool, TaggingError>> {
        Box::pin(async move {
            let changed = self.0.change_tags(scope, name, change).await;
            changed.map_err(|error| TaggingError::Resource(Fault::from(error)))
        })
    }
}

fn refused(error: groundwatch_dashboards::DashboardError) -> TaggingError {
    TaggingError::Resource(Fault::from(error))
}

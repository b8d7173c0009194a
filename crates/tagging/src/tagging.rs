//! The service: finds those who keep a resource.

use std::collections::HashMap;
use std::sync::Arc;

use groundwatch_core::{BoxFuture, Scope, TagChange, Tags};

use crate::{Resource, ResourceKind, TaggingError};

/// Resources of one kind that have tags.
pub trait TaggedResources: Send + Sync + 'static {
    /// The tags of the resource `name`; `None` if there is no such resource.
    fn tags(&self, scope: &Scope, name: &str) -> Option<Tags>;

    /// Changes its tags. Answers whether there is such a resource.
    fn change<'a>(
        &'a self,
        scope: &'a Scope,
        name: &'a str,
        change: &'a TagChange,
    ) -> BoxFuture<'a, Result<bool, TaggingError>>;
}

/// CloudWatch's tags.
#[derive(Default)]
pub struct Tagging {
    kinds: HashMap<ResourceKind, Arc<dyn TaggedResources>>,
}

impl Tagging {
    /// Nothing has tags yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Resources of that kind have tags.
    pub fn with(mut self, kind: ResourceKind, resources: Arc<dyn TaggedResources>) -> Self {
        self.kinds.insert(kind, resources);
        self
    }

    /// A resource that does not exist has no tags: recorded from AWS with a deleted alarm.
    pub(crate) fn list(&self, scope: &Scope, arn: &str) -> Result<Tags, TaggingError> {
        let resource = Resource::parse(arn, scope)?;
        Ok(self.keepers(resource.kind)?.tags(scope, resource.name).unwrap_or_default())
    }

    pub(crate) async fn change(
        &self,
        scope: &Scope,
        arn: &str,
        change: &TagChange,
    ) -> Result<(), TaggingError> {
        let Resource { kind, name } = Resource::parse(arn, scope)?;
        if self.keepers(kind)?.change(scope, name, change).await? {
            Ok(())
        } else {
            Err(TaggingError::NotFound { kind, name: name.to_owned() })
        }
    }

    fn keepers(&self, kind: ResourceKind) -> Result<&dyn TaggedResources, TaggingError> {
        self.kinds.get(&kind).map(|resources| &**resources).ok_or(TaggingError::Unsupported(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One alarm, `a`, that has one tag and whose tags nobody can change.
    struct OneAlarm;

    impl TaggedResources for OneAlarm {
        fn tags(&self, _: &Scope, name: &str) -> Option<Tags> {
            (name == "a").then(|| Tags::new([("k".to_owned(), "v".to_owned())]).expect("one tag"))
        }

        fn change<'a>(
            &'a self,
            _: &'a Scope,
            name: &'a str,
            _: &'a TagChange,
        ) -> BoxFuture<'a, Result<bool, TaggingError>> {
            Box::pin(async move { Ok(name == "a") })
        }
    }

    fn arn(resource: &str) -> String {
        Scope::default().arn("cloudwatch", resource)
    }

    #[tokio::test]
    async fn those_who_keep_a_resource_are_asked() {
        let tagging = Tagging::new().with(ResourceKind::Alarm, Arc::new(OneAlarm));
        let scope = Scope::default();
        let tags = tagging.list(&scope, &arn("alarm:a")).expect("known");
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("k", "v")]);
        let change = TagChange::Remove(vec!["k".to_owned()]);
        assert_eq!(tagging.change(&scope, &arn("alarm:a"), &change).await, Ok(()));
    }

    #[tokio::test]
    async fn a_missing_resource_has_no_tags_and_gets_none() {
        let tagging = Tagging::new().with(ResourceKind::Alarm, Arc::new(OneAlarm));
        let scope = Scope::default();
        assert_eq!(tagging.list(&scope, &arn("alarm:gone")), Ok(Tags::default()));
        let change = TagChange::Remove(vec!["k".to_owned()]);
        let not_found = TaggingError::NotFound { kind: ResourceKind::Alarm, name: "gone".to_owned() };
        assert_eq!(tagging.change(&scope, &arn("alarm:gone"), &change).await, Err(not_found));
    }

    #[test]
    fn what_is_not_there_yet_is_named() {
        let unsupported = Tagging::new().list(&Scope::default(), &arn("metric-stream/s"));
        assert_eq!(unsupported, Err(TaggingError::Unsupported(ResourceKind::MetricStream)));
    }
}

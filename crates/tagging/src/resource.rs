//! Which resource an ARN means.

use groundwatch_core::{Arn, Scope};

use crate::TaggingError;

/// A kind of resource that CloudWatch can tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// Alarms of all types.
    Alarm,
    /// Dashboards, which belong to no region.
    Dashboard,
    /// Saved metric queries, by their ids.
    MetricQuery,
    /// Rules that mute alarms.
    AlarmMuteRule,
    /// Contributor Insights rules.
    InsightRule,
    /// Metric streams.
    MetricStream,
}

/// How the resource of an ARN begins, what it then is, and what people call it.
const PREFIXES: &[(&str, ResourceKind, &str)] = &[
    ("alarm:", ResourceKind::Alarm, "alarms"),
    ("dashboard/", ResourceKind::Dashboard, "dashboards"),
    ("metric-query-definition/", ResourceKind::MetricQuery, "metric data query definitions"),
    ("alarm-mute-rule:", ResourceKind::AlarmMuteRule, "alarm mute rules"),
    ("insight-rule/", ResourceKind::InsightRule, "insight rules"),
    ("metric-stream/", ResourceKind::MetricStream, "metric streams"),
];

/// A resource of the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name within its kind.
    pub name: &'a str,
}

impl ResourceKind {
    /// What people call several of them.
    pub(crate) fn plural(self) -> &'static str {
        PREFIXES.iter().find(|(_, kind, _)| *kind == self).map_or("resources", |(.., plural)| plural)
    }
}

impl<'a> Resource<'a> {
    /// Reads an ARN that a caller of `scope` gave: it must be of that account and region.
    pub(crate) fn parse(arn: &'a str, scope: &Scope) -> Result<Self, TaggingError> {
        let invalid = || TaggingError::Arn { arn: arn.to_owned() };
        let parsed = Arn::parse(arn).map_err(|_| invalid())?;
        let found = PREFIXES
            .iter()
            .find_map(|(prefix, kind, _)| Some((*kind, parsed.resource.strip_prefix(prefix)?)));
        let (kind, name) = found.filter(|(_, name)| !name.is_empty()).ok_or_else(invalid)?;
        let region = if kind == ResourceKind::Dashboard { "" } else { scope.region.as_str() };
        let is_own = parsed.account == scope.account.to_string() && parsed.region == region;
        if parsed.service != "cloudwatch" || !is_own {
            return Err(invalid());
        }
        Ok(Self { kind, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use groundwatch_core::{AccountId, Region};

    fn parse(arn: &str) -> Option<(ResourceKind, &str)> {
        let scope = Scope { account: AccountId::DEFAULT, region: Region::new("eu-west-1") };
        Resource::parse(arn, &scope).ok().map(|resource| (resource.kind, resource.name))
    }

    #[test]
    fn an_arn_tells_kind_and_name() {
        for (arn, kind, name) in [
            (
                "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:disk: /data",
                ResourceKind::Alarm,
                "disk: /data",
            ),
            ("arn:aws:cloudwatch::000000000000:dashboard/ops", ResourceKind::Dashboard, "ops"),
            (
                "arn:aws:cloudwatch:eu-west-1:000000000000:metric-query-definition/1",
                ResourceKind::MetricQuery,
                "1",
            ),
            ("arn:aws:cloudwatch:eu-west-1:000000000000:insight-rule/r", ResourceKind::InsightRule, "r"),
        ] {
            assert_eq!(parse(arn), Some((kind, name)), "{arn}");
        }
    }

    #[test]
    fn what_is_not_the_callers_is_refused() {
        for arn in [
            "alarm",
            "arn:aws:sns:eu-west-1:000000000000:alarm:a",
            "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a",
            "arn:aws:cloudwatch:eu-west-1:000000000001:alarm:a",
            "arn:aws:cloudwatch:eu-west-1:000000000000:dashboard/ops",
            "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:",
            "arn:aws:cloudwatch:eu-west-1:000000000000:metric:m",
        ] {
            assert_eq!(parse(arn), None, "{arn}");
        }
    }
}

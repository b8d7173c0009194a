//! Which resources deliver which logs.

use groundwatch_core::Arn;

use super::VendedError;

/// Services by the name in their ARNs, with their types of logs (source: CloudWatch Logs API reference,
/// PutDeliverySource).
const LOG_TYPES: &[(&str, &[&str])] = &[
    ("amplify", &["ACCESS_LOGS", "WAF_LOGS"]),
    ("bedrock", &["APPLICATION_LOGS", "EVENT_LOGS", "TRACES"]),
    ("bedrock-agentcore", &["APPLICATION_LOGS", "USAGE_LOGS", "TRACES"]),
    ("cloudfront", &["ACCESS_LOGS"]),
    ("codewhisperer", &["EVENT_LOGS"]),
    ("ec2", &["EVENT_LOGS"]),
    ("ecs", &["ACTION_LOGS"]),
    (
        "eks",
        &[
            "AUTO_MODE_BLOCK_STORAGE_LOGS",
            "AUTO_MODE_COMPUTE_LOGS",
            "AUTO_MODE_IPAM_LOGS",
            "AUTO_MODE_LOAD_BALANCING_LOGS",
            "EKS_CAPABILITY_ACK_LOGS",
            "EKS_CAPABILITY_ARGOCD_APPLICATION_LOGS",
            "EKS_CAPABILITY_ARGOCD_APPLICATIONSET_LOGS",
            "EKS_CAPABILITY_ARGOCD_COMMITSERVER_LOGS",
            "EKS_CAPABILITY_ARGOCD_REPOSERVER_LOGS",
            "EKS_CAPABILITY_ARGOCD_SERVER_LOGS",
            "EKS_CAPABILITY_KRO_LOGS",
        ],
    ),
    (
        "elasticloadbalancing",
        &["ALB_ACCESS_LOGS", "ALB_CONNECTION_LOGS", "ALB_HEALTH_CHECK_LOGS", "NLB_ACCESS_LOGS"],
    ),
    ("entityresolution", &["WORKFLOW_LOGS"]),
    ("events", &["INFO_LOGS", "ERROR_LOGS", "TRACE_LOGS"]),
    ("logs", &["INSIGHTS_QUERY_LOGS"]),
    ("mediapackagev2", &["EGRESS_ACCESS_LOGS", "INGRESS_ACCESS_LOGS"]),
    ("mediatailor", &["AD_DECISION_SERVER_LOGS", "MANIFEST_SERVICE_LOGS", "TRANSCODE_LOGS"]),
    ("network-firewall", &["ALERT_LOGS", "ALLOW_LOGS", "DENY_LOGS"]),
    ("pcs", &["PCS_SCHEDULER_LOGS", "PCS_JOBCOMP_LOGS", "PCS_SCHEDULER_AUDIT_LOGS", "PCS_SCALING_LOGS"]),
    ("qbusiness", &["EVENT_LOGS", "SYNC_JOB_LOGS"]),
    ("rtbfabric", &["APPLICATION_LOGS"]),
    ("securityhub", &["SECURITY_FINDING_LOGS"]),
    ("ses", &["APPLICATION_LOGS", "TRAFFIC_POLICY_DEBUG_LOGS"]),
    ("shield", &["FLOW_LOGS"]),
    ("sso", &["ERROR_LOGS"]),
    ("wisdom", &["EVENT_LOGS"]),
    (
        "workmail",
        &[
            "ACCESS_CONTROL_LOGS",
            "AUTHENTICATION_LOGS",
            "WORKMAIL_AVAILABILITY_PROVIDER_LOGS",
            "WORKMAIL_MAILBOX_ACCESS_LOGS",
            "WORKMAIL_PERSONAL_ACCESS_TOKEN_LOGS",
        ],
    ),
];

/// The service of a resource that delivers logs of that type.
pub(crate) fn check_source<'a>(resource_arn: &'a str, log_type: &str) -> Result<&'a str, VendedError> {
    let not_a_source = || VendedError::NotASource { arn: resource_arn.to_owned() };
    let arn = Arn::parse(resource_arn).map_err(|_| not_a_source())?;
    let (_, types) =
        LOG_TYPES.iter().find(|(service, _)| *service == arn.service).ok_or_else(not_a_source)?;
    if !types.contains(&log_type) {
        let (service, log_type) = (arn.service.to_owned(), log_type.to_owned());
        return Err(VendedError::LogType { service, log_type });
    }
    Ok(arn.service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_decides_which_logs_there_are() {
        let distribution = "arn:aws:cloudfront::123456789012:distribution/E1";
        assert_eq!(check_source(distribution, "ACCESS_LOGS"), Ok("cloudfront"));
        assert!(matches!(check_source(distribution, "EVENT_LOGS"), Err(VendedError::LogType { .. })));
        assert!(matches!(check_source("arn:aws:s3:::b", "ACCESS_LOGS"), Err(VendedError::NotASource { .. })));
        assert!(matches!(check_source("b", "ACCESS_LOGS"), Err(VendedError::NotASource { .. })));
    }
}

//! What an action's ARN asks for. AWS checks the form when an alarm is put, and nothing else: a topic that
//! does not exist shows as a failed action in the history.

use groundwatch_core::{Arn, Region};

/// An action, as its ARN says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionTarget<'a> {
    arn: Arn<'a>,
    /// What to do.
    pub kind: ActionKind,
}

/// The kinds of action that AWS knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// Publish to an SNS topic.
    Topic,
    /// Invoke a Lambda function.
    Function,
    /// Stop, terminate, reboot or recover an EC2 instance.
    Instance,
    /// Execute a policy of (Application) Auto Scaling.
    ScalingPolicy,
    /// Open an OpsItem of Systems Manager.
    OpsItem,
    /// Start an incident of Incident Manager.
    Incident,
    /// Start an investigation.
    Investigation,
}

impl ActionKind {
    /// What the kind is called in messages to users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "SNS",
            Self::Function => "Lambda",
            Self::Instance => "EC2",
            Self::ScalingPolicy => "Auto Scaling",
            Self::OpsItem => "Systems Manager OpsItem",
            Self::Incident => "Incident Manager",
            Self::Investigation => "investigation",
        }
    }
}

/// Why a text is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionTargetError {
    /// Not the ARN of any action that AWS knows.
    #[error("`{arn}` is not the ARN of an action")]
    Syntax {
        /// The text.
        arn: String,
    },
    /// A topic or function of another region than the alarm's.
    #[error("an action in `{found}` cannot belong to an alarm in `{expected}`")]
    Region {
        /// The ARN's region.
        found: String,
        /// The alarm's region.
        expected: String,
    },
}

impl<'a> ActionTarget<'a> {
    /// Reads an action's ARN.
    pub fn parse(text: &'a str) -> Result<Self, ActionTargetError> {
        let invalid = || ActionTargetError::Syntax { arn: text.to_owned() };
        let arn = Arn::parse(text).map_err(|_| invalid())?;
        let kind = kind_of(&arn).filter(|_| arn.partition.starts_with("aws")).ok_or_else(invalid)?;
        Ok(Self { arn, kind })
    }

    /// What it does to an instance, if it does anything to one.
    pub(crate) fn instance_action(&self) -> Option<InstanceAction> {
        instance_action(&self.arn)
    }

    /// What follows the ARN's fifth colon.
    pub(crate) fn resource(&self) -> &'a str {
        self.arn.resource
    }

    /// Refuses an action that is bound to another region than `region`.
    pub fn check_region(&self, region: &Region) -> Result<(), ActionTargetError> {
        if self.arn.region.is_empty() || self.arn.region == region.as_str() {
            return Ok(());
        }
        let (found, expected) = (self.arn.region.to_owned(), region.as_str().to_owned());
        Err(ActionTargetError::Region { found, expected })
    }
}

fn kind_of(arn: &Arn<'_>) -> Option<ActionKind> {
    let resource = arn.resource;
    let named = |prefix: &str| resource.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    match arn.service {
        "sns" if !resource.is_empty() && !resource.contains(':') => Some(ActionKind::Topic),
        "lambda" if named("function:") => Some(ActionKind::Function),
        "automate" | "swf" => instance_action(arn).map(|_| ActionKind::Instance),
        "autoscaling" if named("scalingPolicy:") => Some(ActionKind::ScalingPolicy),
        "ssm" if named("opsitem:") => Some(ActionKind::OpsItem),
        "ssm-incidents" if named("responseplan/") || named("response-plan/") => Some(ActionKind::Incident),
        "aiops" if named("investigation-group:") || named("investigation-group/") => {
            Some(ActionKind::Investigation)
        }
        _ => None,
    }
}

/// What an action does to an EC2 instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstanceAction {
    Stop,
    Terminate,
    Reboot,
    Recover,
}

impl InstanceAction {
    /// As ARNs of `automate` write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Terminate => "terminate",
            Self::Reboot => "reboot",
            Self::Recover => "recover",
        }
    }
}

/// Reads `arn:aws:automate:REGION:ec2:stop`, in which the account's place has another use, and the older
/// `arn:aws:swf:REGION:ACCOUNT:action/actions/AWS_EC2.InstanceId.Stop/1.0`.
fn instance_action(arn: &Arn<'_>) -> Option<InstanceAction> {
    match (arn.service, arn.account, arn.resource) {
        ("automate", "ec2", "stop") => Some(InstanceAction::Stop),
        ("automate", "ec2", "terminate") => Some(InstanceAction::Terminate),
        ("automate", "ec2", "reboot") => Some(InstanceAction::Reboot),
        ("automate", "ec2", "recover") => Some(InstanceAction::Recover),
        ("swf", _, "action/actions/AWS_EC2.InstanceId.Stop/1.0") => Some(InstanceAction::Stop),
        ("swf", _, "action/actions/AWS_EC2.InstanceId.Terminate/1.0") => Some(InstanceAction::Terminate),
        ("swf", _, "action/actions/AWS_EC2.InstanceId.Reboot/1.0") => Some(InstanceAction::Reboot),
        ("swf", _, "action/actions/AWS_EC2.InstanceId.Recover/1.0") => Some(InstanceAction::Recover),
        _ => None,
    }
}

/// Whether an action publishes to a topic.
pub(crate) fn is_topic(arn: &str) -> bool {
    ActionTarget::parse(arn).is_ok_and(|target| target.kind == ActionKind::Topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_say_what_to_do() {
        for (arn, kind) in [
            ("arn:aws:sns:us-east-1:123456789012:ops", Some(ActionKind::Topic)),
            ("arn:aws-cn:sns:cn-north-1:123456789012:ops.fifo", Some(ActionKind::Topic)),
            ("arn:aws:lambda:us-east-1:123456789012:function:f:live", Some(ActionKind::Function)),
            ("arn:aws:automate:us-east-1:ec2:stop", Some(ActionKind::Instance)),
            ("arn:aws:automate:us-east-1:ec2:recover", Some(ActionKind::Instance)),
            ("arn:aws:automate:us-east-1:ec2:paint", None),
            (
                "arn:aws:swf:us-east-1:1:action/actions/AWS_EC2.InstanceId.Stop/1.0",
                Some(ActionKind::Instance),
            ),
            (
                "arn:aws:autoscaling:us-east-1:1:scalingPolicy:id:autoScalingGroupName/g:policyName/p",
                Some(ActionKind::ScalingPolicy),
            ),
            ("arn:aws:ssm:us-east-1:1:opsitem:3#CATEGORY=Security", Some(ActionKind::OpsItem)),
            ("arn:aws:ssm-incidents::1:responseplan/n", Some(ActionKind::Incident)),
            ("arn:aws:aiops:us-east-1:1:investigation-group:id", Some(ActionKind::Investigation)),
            ("arn:aws:s3:::bucket", None),
            ("arn:aws:sns:us-east-1:1:", None),
            ("ops", None),
        ] {
            assert_eq!(ActionTarget::parse(arn).ok().map(|target| target.kind), kind, "{arn}");
        }
    }
}

//! Which service an ARN belongs to that events are sent to, and what AWS asks of it.

use groundwatch_core::Arn;

use super::ForwardingError;

/// A kind of destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vendor {
    /// A data stream.
    Kinesis,
    /// A delivery stream.
    Firehose,
    /// A function.
    Lambda,
    /// A destination of CloudWatch Logs, which stands for a stream.
    Destination,
    /// A queue: an extension.
    Queue,
    /// A topic: an extension.
    Topic,
    /// What only the operator's targets know: an extension.
    Other,
}

impl Vendor {
    /// The vendor of an ARN; an error for what is no ARN or cannot receive events.
    pub(crate) fn of(text: &str) -> Result<Self, ForwardingError> {
        let not_an_arn = || ForwardingError::NotAnArn { arn: text.to_owned() };
        let arn = Arn::parse(text).map_err(|_| not_an_arn())?;
        if arn.service.is_empty() || arn.resource.is_empty() {
            return Err(not_an_arn());
        }
        Ok(match arn.service {
            "kinesis" => Self::Kinesis,
            "firehose" => Self::Firehose,
            "lambda" => Self::Lambda,
            "sqs" => Self::Queue,
            "sns" => Self::Topic,
            "logs" if arn.resource.starts_with("destination:") => Self::Destination,
            "logs" => return Err(ForwardingError::Vendor { vendor: arn.service.to_owned() }),
            _ => Self::Other,
        })
    }

    /// Checks whether a role is given where AWS wants one, and only there.
    pub(crate) fn check_role(self, role_arn: Option<&str>) -> Result<(), ForwardingError> {
        match (self, role_arn) {
            (Self::Kinesis, None) => Err(ForwardingError::RoleNeeded { vendor: "kinesis" }),
            (Self::Firehose, None) => Err(ForwardingError::RoleNeeded { vendor: "firehose" }),
            (Self::Lambda, Some(_)) => Err(ForwardingError::RoleForbidden { vendor: "lambda" }),
            (_, Some(role)) if !Arn::parse(role).is_ok_and(|arn| arn.service == "iam") => {
                Err(ForwardingError::Role { arn: role.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// What metrics call it, as the dimension `DestinationType`. AWS's guide names the services and not the
    /// values.
    pub(crate) fn destination_type(self) -> &'static str {
        match self {
            Self::Kinesis => "Kinesis",
            Self::Firehose => "Firehose",
            Self::Lambda => "Lambda",
            Self::Destination => "Destination",
            Self::Queue => "SQS",
            Self::Topic => "SNS",
            Self::Other => "Other",
        }
    }

    /// What the message says that tries it.
    pub(crate) fn control_text(self) -> &'static str {
        match self {
            Self::Kinesis => "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.",
            Self::Firehose => "CWL CONTROL MESSAGE: Checking health of destination Firehose.",
            _ => "CWL CONTROL MESSAGE: Checking health of destination.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_of_the_arn_decides() {
        let check =
            |text: &str, expected: Option<Vendor>| assert_eq!(Vendor::of(text).ok(), expected, "{text}");
        check("arn:aws:kinesis:us-east-1:1:stream/s", Some(Vendor::Kinesis));
        check("arn:aws:firehose:us-east-1:1:deliverystream/s", Some(Vendor::Firehose));
        check("arn:aws:lambda:us-east-1:1:function:f", Some(Vendor::Lambda));
        check("arn:aws:logs:us-east-1:1:destination:d", Some(Vendor::Destination));
        check("arn:aws:sqs:us-east-1:1:q", Some(Vendor::Queue));
        check("arn:aws:es:us-east-1:1:domain/logs", Some(Vendor::Other));
        check("arn:aws:logs:us-east-1:1:log-group:g", None);
        check("https://example.com", None);
        check("arn:aws:lambda:us-east-1:1:", None);
    }

    #[test]
    fn streams_need_a_role_and_functions_must_not_have_one() {
        let role = Some("arn:aws:iam::1:role/r");
        let check = |vendor: Vendor, role: Option<&str>, expected: bool| {
            assert_eq!(vendor.check_role(role).is_ok(), expected, "{vendor:?} {role:?}");
        };
        check(Vendor::Kinesis, None, false);
        check(Vendor::Kinesis, role, true);
        check(Vendor::Firehose, None, false);
        check(Vendor::Lambda, None, true);
        check(Vendor::Lambda, role, false);
        check(Vendor::Destination, None, true);
        check(Vendor::Queue, Some("r"), false);
    }
}

//! Amazon Resource Names.

use std::fmt;

use crate::{AccountId, Region};

/// A parsed ARN: `arn:partition:service:region:account:resource`.
///
/// The resource is everything after the fifth colon; alarm names may hold colons, so it is never split here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// The service's namespace, such as `sns`.
    pub service: &'a str,
    /// Empty for global resources.
    pub region: &'a str,
    /// Empty for resources without an account.
    pub account: &'a str,
    /// What follows the fifth colon, such as `alarm:my alarm`.
    pub resource: &'a str,
}

/// Why a text is not an ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// It does not begin with `arn:`.
    #[error("an ARN begins with `arn:`")]
    Prefix,
    /// It has fewer than six elements.
    #[error("an ARN must have at least 6 elements, not {elements}")]
    TooShort {
        /// How many elements, separated by colons, it has.
        elements: usize,
    },
}

impl<'a> Arn<'a> {
    /// Splits `text` into its elements.
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let elements: Vec<&str> = text.splitn(6, ':').collect();
        // recorded from SNS: the elements are counted first.
        match elements[..] {
            ["arn", partition, service, region, account, resource] => {
                Ok(Self { partition, service, region, account, resource })
            }
            [_, _, _, _, _, _] => Err(ArnError::Prefix),
            _ => Err(ArnError::TooShort { elements: elements.len() }),
        }
    }

    /// The ARN of `resource`, in the partition of its region.
    pub fn format(service: &str, region: &Region, account: AccountId, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{account}:{resource}", region.partition())
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_keeps_its_colons() {
        let text = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:disk: /data";
        let arn = Arn::parse(text).expect("an ARN");
        assert_eq!(arn.resource, "alarm:disk: /data");
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn the_partition_follows_from_the_region() {
        for (region, arn) in [
            ("eu-west-1", "arn:aws:sns:eu-west-1:000000000000:t"),
            ("cn-north-1", "arn:aws-cn:sns:cn-north-1:000000000000:t"),
            ("us-gov-west-1", "arn:aws-us-gov:sns:us-gov-west-1:000000000000:t"),
        ] {
            assert_eq!(Arn::format("sns", &Region::new(region), AccountId::DEFAULT, "t"), arn);
        }
    }

    #[test]
    fn short_texts_tell_how_short() {
        assert_eq!(Arn::parse("arn:aws:sns"), Err(ArnError::TooShort { elements: 3 }));
        assert_eq!(Arn::parse("topic"), Err(ArnError::TooShort { elements: 1 }));
        assert_eq!(Arn::parse("a:b:c:d:e:f"), Err(ArnError::Prefix));
    }
}

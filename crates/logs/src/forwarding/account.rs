//! Subscriptions of a whole account: the document of a policy of type `SUBSCRIPTION_FILTER_POLICY`, and which
//! groups it leaves out.

use std::collections::BTreeSet;

use groundwatch_core::Timestamp;
use serde::Deserialize;

use super::ForwardingError;
use super::subscription::{Distribution, Subscription};
use crate::policy::SELECTION_BYTES_MAX;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PolicyDocument {
    destination_arn: String,
    #[serde(default)]
    role_arn: Option<String>,
    #[serde(default)]
    filter_pattern: String,
    #[serde(default)]
    distribution: Distribution,
}

/// The filter in a policy's document.
pub(crate) fn subscription(document: &str, at: Timestamp) -> Result<Subscription, ForwardingError> {
    let parsed: PolicyDocument = serde_json::from_str(document)
        .map_err(|error| ForwardingError::PolicyDocument { reason: error.to_string() })?;
    Ok(Subscription {
        pattern: parsed.filter_pattern,
        destination_arn: parsed.destination_arn,
        role_arn: parsed.role_arn,
        distribution: parsed.distribution,
        field_selection: None,
        system_fields: None,
        on_transformed: false,
        created: at,
    })
}

/// The groups that `LogGroupName NOT IN ["a", "b"]` leaves out.
pub(crate) fn excluded_groups(selection: &str) -> Result<BTreeSet<String>, ForwardingError> {
    let wrong = ForwardingError::SelectionCriteria;
    let words = selection.trim().strip_prefix("LogGroupName").map(str::trim_start);
    let words = words.and_then(|rest| rest.strip_prefix("NOT")).map(str::trim_start);
    let list = words.and_then(|rest| rest.strip_prefix("IN")).map(str::trim);
    match list {
        Some(list) if selection.len() <= SELECTION_BYTES_MAX => serde_json::from_str(list).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_of_the_guide_is_understood() {
        let document = r#"{"DestinationArn":"arn:aws:logs:us-east-1:222222222222:destination:d",
            "FilterPattern":"{$.userIdentity.type = AssumedRole}","Distribution":"Random"}"#;
        let subscription = subscription(document, Timestamp::EPOCH).expect("valid");
        assert_eq!(subscription.distribution, Distribution::Random);
        assert!(subscription.compile("p").is_ok());
    }

    #[test]
    fn a_document_with_other_members_is_refused() {
        for document in ["{}", "[]", r#"{"DestinationArn":"arn:x","Filter":"a"}"#] {
            assert!(subscription(document, Timestamp::EPOCH).is_err(), "{document}");
        }
    }

    #[test]
    fn only_exclusion_by_name_selects() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let excluded = excluded_groups(text).ok();
            let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(excluded, expected, "{text}");
        };
        check(r#"LogGroupName NOT IN ["a", "/b"]"#, Some(&["a", "/b"]));
        check(r#" LogGroupName  NOT IN[] "#, Some(&[]));
        check(r#"LogGroupName IN ["a"]"#, None);
        check(r#"LogGroupNamePrefix NOT IN ["a"]"#, None);
        check("LogGroupName NOT IN a", None);
        check("", None);
    }
}

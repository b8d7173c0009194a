//! Entities: what resource or service a batch of events says that it comes from. Nothing relates telemetry here,
//! so an entity is only checked, and its events are stored either way.
//!
//! Source: CloudWatch user guide, "How to add related information to telemetry". It leaves open which of its
//! rules AWS names first where several are broken.

use std::borrow::Cow;
use std::collections::BTreeMap;

use groundwatch_api::logs::EntityRejectionErrorType as Rejection;
use groundwatch_api::logs::borrowed::Entity;

/// The names of key attributes.
const KEYS: [&str; 5] = ["Type", "ResourceType", "Identifier", "Name", "Environment"];
/// The types of entities, each with the key attributes that identify one.
const TYPES: [(&str, &[&str]); 5] = [
    ("AWS::Resource", &["ResourceType", "Identifier"]),
    ("AWS::Service", &["Name"]),
    ("RemoteService", &["Name"]),
    ("Resource", &["ResourceType", "Identifier"]),
    ("Service", &["Name"]),
];

/// Why AWS would not relate anything to `entity`.
pub(crate) fn rejection(entity: &Entity<'_>) -> Option<Rejection> {
    match &entity.key_attributes {
        Some(keys) => key_rejection(keys),
        None => Some(Rejection::InvalidEntity),
    }
}

fn key_rejection(keys: &BTreeMap<Cow<'_, str>, Cow<'_, str>>) -> Option<Rejection> {
    if keys.keys().any(|key| !KEYS.contains(&key.as_ref())) {
        return Some(Rejection::InvalidKeyAttributes);
    }
    let Some(kind) = keys.get("Type") else { return Some(Rejection::MissingRequiredFields) };
    let Some((_, needed)) = TYPES.iter().find(|(name, _)| name == kind) else {
        return Some(Rejection::InvalidTypeValue);
    };
    let complete = needed.iter().all(|key| keys.contains_key(*key));
    (!complete).then_some(Rejection::MissingRequiredFields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[(&'static str, &'static str)], expected: &Option<Rejection>) {
        let keys = keys.iter().map(|(key, value)| (Cow::from(*key), Cow::from(*value)));
        let entity = Entity { key_attributes: Some(keys.collect()), ..Entity::default() };
        assert_eq!(&rejection(&entity), expected);
    }

    #[test]
    fn entities_are_services_or_resources() {
        check(&[("Type", "Service"), ("Name", "shop"), ("Environment", "eks:prod")], &None);
        check(&[("Type", "RemoteService"), ("Name", "shop")], &None);
        check(
            &[("Type", "AWS::Resource"), ("ResourceType", "AWS::EC2::Instance"), ("Identifier", "i-0")],
            &None,
        );
        check(&[("Type", "Pod"), ("Name", "shop")], &Some(Rejection::InvalidTypeValue));
        check(&[("Type", "Service"), ("Team", "web")], &Some(Rejection::InvalidKeyAttributes));
        check(&[("Type", "Service"), ("Environment", "eks:prod")], &Some(Rejection::MissingRequiredFields));
        check(&[("Type", "Resource"), ("Identifier", "i-0")], &Some(Rejection::MissingRequiredFields));
        check(&[("Name", "shop"), ("Environment", "eks:prod")], &Some(Rejection::MissingRequiredFields));
        assert_eq!(rejection(&Entity::default()), Some(Rejection::InvalidEntity));
    }
}

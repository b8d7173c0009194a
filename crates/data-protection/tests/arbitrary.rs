//! Masking keeps the length of every text, and hides what was found.

use groundwatch_data_protection::{Custom, Detectors, Identifier, mask};
use proptest::prelude::*;

fn detectors() -> Detectors {
    let managed = [
        "EmailAddress",
        "IpAddress",
        "CreditCardNumber",
        "Ssn-US",
        "PhoneNumber-US",
        "AwsSecretKey",
        "DateOfBirth",
    ];
    let mut identifiers: Vec<Identifier> = managed.map(|name| Identifier::Managed(name.into())).to_vec();
    identifiers.push(Identifier::Custom(Custom { name: "Words".into(), regex: "[a-c]{3}".into() }));
    Detectors::new(&identifiers)
}

proptest! {
    #[test]
    fn a_masked_text_has_as_many_characters(text in "(?s)([a-e0-9@. :ä+-]|card |ssn |\u{1F600}){0,60}") {
        let detectors = detectors();
        let findings = detectors.find(&text);
        let masked = mask(&text, &findings);
        prop_assert_eq!(masked.chars().count(), text.chars().count());
        for finding in &findings {
            let before = text[..finding.range.start].chars().count();
            let length = text[finding.range.clone()].chars().count();
            prop_assert!(masked.chars().skip(before).take(length).all(|character| character == '*'));
        }
        if findings.is_empty() {
            prop_assert_eq!(masked, text);
        }
    }
}

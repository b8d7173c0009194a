//! Policy documents: which are taken, and why others are refused.

use groundwatch_data_protection::{Custom, Identifier, Policy, PolicyError};
use serde_json::{Value, json};

const EMAIL: &str = "arn:aws:dataprotection::aws:data-identifier/EmailAddress";

/// A policy for `identifiers`, which are the same in both statements.
fn policy(identifiers: &Value) -> Value {
    json!({
        "Name": "p", "Description": "d", "Version": "2021-06-01",
        "Statement": [
            { "Sid": "audit", "DataIdentifier": identifiers,
              "Operation": { "Audit": { "FindingsDestination": { "CloudWatchLogs": { "LogGroup": "findings" } } } } },
            { "Sid": "mask", "DataIdentifier": identifiers, "Operation": { "Deidentify": { "MaskConfig": {} } } }
        ]
    })
}

fn refused(document: &Value, expected: PolicyError) {
    assert_eq!(Policy::parse(&document.to_string()), Err(expected), "{document}");
}

fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut document = policy(&json!([EMAIL]));
    change(&mut document);
    document
}

#[test]
fn a_policy_names_data_and_where_findings_go() {
    let parsed = Policy::parse(&policy(&json!([EMAIL])).to_string()).expect("a policy");
    assert_eq!(parsed.identifiers, [Identifier::Managed("EmailAddress".into())]);
    assert_eq!(parsed.findings_group.as_deref(), Some("findings"));
    let nowhere =
        changed(|document| document["Statement"][0]["Operation"]["Audit"]["FindingsDestination"] = json!({}));
    assert_eq!(Policy::parse(&nowhere.to_string()).expect("a policy").findings_group, None);
}

#[test]
fn a_policy_describes_data_of_its_own() {
    let mut document = policy(&json!(["EmployeeId", EMAIL]));
    document["Configuration"] =
        json!({ "CustomDataIdentifier": [{ "Name": "EmployeeId", "Regex": "EmployeeId-\\d{9}" }] });
    let parsed = Policy::parse(&document.to_string()).expect("a policy");
    let custom = Custom { name: "EmployeeId".into(), regex: "EmployeeId-\\d{9}".into() };
    assert!(parsed.identifiers.contains(&Identifier::Custom(custom)));
}

#[test]
fn documents_that_break_a_rule_are_refused() {
    refused(&changed(|document| document["Version"] = json!("2012-10-17")), PolicyError::Version);
    refused(&policy(&json!([])), PolicyError::NoIdentifiers);
    refused(&policy(&json!(["Nobody"])), PolicyError::Unknown("Nobody".into()));
    let unknown = "arn:aws:dataprotection::aws:data-identifier/Nothing";
    refused(&policy(&json!([unknown])), PolicyError::Unknown(unknown.into()));
    refused(
        &policy(&json!(["arn:aws:s3:::EmailAddress"])),
        PolicyError::Unknown("arn:aws:s3:::EmailAddress".into()),
    );
    let by_learning = "arn:aws:dataprotection::aws:data-identifier/Address";
    refused(&policy(&json!([by_learning])), PolicyError::Unsupported("Address".into()));
    refused(
        &changed(|document| document["Statement"][1]["DataIdentifier"] = json!([])),
        PolicyError::DifferentIdentifiers,
    );
    let config = |document: &mut Value| {
        document["Statement"][1]["Operation"]["Deidentify"]["MaskConfig"] = json!({ "x": 1 });
    };
    refused(&changed(config), PolicyError::MaskConfig);
    refused(
        &changed(|document| {
            document["Statement"].as_array_mut().expect("a list").pop();
        }),
        PolicyError::Statements,
    );
    let twice = |document: &mut Value| {
        let first = document["Statement"][0].clone();
        document["Statement"].as_array_mut().expect("a list").push(first);
    };
    refused(&changed(twice), PolicyError::Statements);
    let to = |destination: Value| {
        changed(|document| {
            document["Statement"][0]["Operation"]["Audit"]["FindingsDestination"] = destination.clone();
        })
    };
    refused(&to(json!({ "S3": { "Bucket": "b" } })), PolicyError::Destination("S3"));
    refused(&to(json!({ "Firehose": { "DeliveryStream": "d" } })), PolicyError::Destination("Firehose"));
    refused(&changed(|document| document["Description"] = json!("x".repeat(30_720))), PolicyError::TooLong);
    for document in [
        json!({}),
        json!([]),
        changed(|document| document["More"] = json!(1)),
        changed(|document| {
            document.as_object_mut().expect("an object").remove("Name");
        }),
        changed(|document| document["Statement"][0]["Operation"] = json!({ "Other": {} })),
    ] {
        assert!(matches!(Policy::parse(&document.to_string()), Err(PolicyError::Form(_))), "{document}");
    }
}

#[test]
fn custom_identifiers_have_rules() {
    let check = |name: &str, regex: &str, reason: &str| {
        let mut document = policy(&json!([EMAIL]));
        document["Configuration"] = json!({ "CustomDataIdentifier": [{ "Name": name, "Regex": regex }] });
        match Policy::parse(&document.to_string()) {
            Err(PolicyError::Custom { reason: said, .. }) => {
                assert!(said.contains(reason), "{name} {regex}: {said}");
            }
            other => panic!("{name} {regex}: {other:?}"),
        }
    };
    check("", "a", "a name has");
    check("a b", "a", "a name has");
    check(&"x".repeat(129), "a", "a name has");
    check("a", "", "1 to 200");
    check("a", &"x".repeat(201), "1 to 200");
    check("a", "(a)", "no parentheses");
    check("a", "[", "cannot be used");
    check("a", "a*", "matches nothing at all");
    let many: Vec<Value> = (0..11).map(|n| json!({ "Name": format!("n{n}"), "Regex": "a" })).collect();
    refused(
        &changed(|document| document["Configuration"] = json!({ "CustomDataIdentifier": many })),
        PolicyError::TooManyCustom,
    );
}

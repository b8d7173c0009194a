//! Policy documents.
//!
//! Source of the rules: CloudWatch Logs API reference, PutDataProtectionPolicy, and user guide, "Custom data
//! identifiers".

use std::collections::BTreeSet;

use regex::RegexBuilder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::managed::{self, Known};

/// The longest document, in characters.
const DOCUMENT_CHARACTERS_MAX: usize = 30_720;
const VERSION: &str = "2021-06-01";
const CUSTOM_MAX: usize = 10;
const CUSTOM_NAME_CHARACTERS_MAX: usize = 128;
const CUSTOM_REGEX_CHARACTERS_MAX: usize = 200;
pub(crate) const CUSTOM_REGEX_BYTES_MAX: usize = 1 << 20;

/// A policy document, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What is sensitive.
    pub identifiers: Vec<Identifier>,
    /// The log group that is told of findings, if one is.
    pub findings_group: Option<String>,
}

/// A kind of sensitive data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Identifier {
    /// One of AWS's, by its name.
    Managed(String),
    /// One of the policy's own.
    Custom(Custom),
}

/// A kind of data that a policy itself describes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Custom {
    /// Its name.
    pub name: String,
    /// A regular expression for it.
    pub regex: String,
}

impl Identifier {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Managed(name) => name,
            Self::Custom(custom) => &custom.name,
        }
    }
}

/// Why a document is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than a document can be.
    #[error("the document has more than {DOCUMENT_CHARACTERS_MAX} characters")]
    TooLong,
    /// Not JSON of the form of a policy.
    #[error("the document cannot be read: {0}")]
    Form(String),
    /// Another version than the one there is.
    #[error("the version must be {VERSION}")]
    Version,
    /// Not exactly one statement that audits and one that masks.
    #[error("a policy has exactly one statement with Audit and one with Deidentify")]
    Statements,
    /// The two statements name different data.
    #[error("both statements must name the same data identifiers")]
    DifferentIdentifiers,
    /// No data are named.
    #[error("no data identifier is named")]
    NoIdentifiers,
    /// `MaskConfig` says something.
    #[error("MaskConfig must be an empty object")]
    MaskConfig,
    /// Neither an ARN of AWS's identifiers nor the name of one of the policy's own.
    #[error("`{0}` is not a data identifier")]
    Unknown(String),
    /// One of AWS's identifiers that cannot be told by a pattern.
    #[error("the data identifier `{0}` is not supported")]
    Unsupported(String),
    /// Findings cannot be sent there.
    #[error("findings in `{0}` are not supported")]
    Destination(&'static str),
    /// A custom identifier breaks a rule.
    #[error("custom data identifier `{name}`: {reason}")]
    Custom {
        /// Its name.
        name: String,
        /// The rule.
        reason: String,
    },
    /// More custom identifiers than a policy can have.
    #[error("a policy has at most {CUSTOM_MAX} custom data identifiers")]
    TooManyCustom,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    name: String,
    #[serde(default, rename = "Description")]
    _description: Option<String>,
    version: String,
    #[serde(default)]
    configuration: Configuration,
    statement: Vec<Statement>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Configuration {
    #[serde(default)]
    custom_data_identifier: Vec<CustomDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct CustomDocument {
    name: String,
    regex: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Statement {
    #[serde(default, rename = "Sid")]
    _sid: Option<String>,
    data_identifier: Vec<String>,
    operation: Operation,
}

#[derive(Deserialize)]
enum Operation {
    Audit(Audit),
    Deidentify(Deidentify),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Audit {
    findings_destination: Destinations,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Destinations {
    #[serde(default, rename = "CloudWatchLogs")]
    cloud_watch_logs: Option<LogsDestination>,
    #[serde(default, rename = "Firehose")]
    firehose: Option<Value>,
    #[serde(default, rename = "S3")]
    s3: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct LogsDestination {
    log_group: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Deidentify {
    mask_config: Map<String, Value>,
}

impl Policy {
    /// Reads and checks a document.
    pub fn parse(document: &str) -> Result<Self, PolicyError> {
        if document.chars().count() > DOCUMENT_CHARACTERS_MAX {
            return Err(PolicyError::TooLong);
        }
        // An object first: a list of the members' values would be read as well.
        let object: Result<Map<String, Value>, _> = serde_json::from_str(document);
        let document = object
            .and_then(|object| Document::deserialize(Value::Object(object)))
            .map_err(|error| PolicyError::Form(error.to_string()))?;
        if document.version != VERSION {
            return Err(PolicyError::Version);
        }
        let custom = custom_identifiers(document.configuration.custom_data_identifier)?;
        let (audit, audited, masked) = statements(document.statement)?;
        let named: BTreeSet<&String> = audited.iter().collect();
        if named != masked.iter().collect() {
            return Err(PolicyError::DifferentIdentifiers);
        }
        if named.is_empty() {
            return Err(PolicyError::NoIdentifiers);
        }
        let identifiers =
            named.into_iter().map(|name| identifier(name, &custom)).collect::<Result<_, _>>()?;
        let destinations = audit.findings_destination;
        if destinations.firehose.is_some() {
            return Err(PolicyError::Destination("Firehose"));
        }
        if destinations.s3.is_some() {
            return Err(PolicyError::Destination("S3"));
        }
        let findings_group = destinations.cloud_watch_logs.map(|destination| destination.log_group);
        Ok(Self { name: document.name, identifiers, findings_group })
    }
}

/// The two statements of a policy, in any order: what is audited and how, and what is masked.
fn statements(statements: Vec<Statement>) -> Result<(Audit, Vec<String>, Vec<String>), PolicyError> {
    let (mut audit, mut masked) = (None, None);
    for Statement { data_identifier, operation, .. } in statements {
        let is_second = match operation {
            Operation::Audit(how) => audit.replace((how, data_identifier)).is_some(),
            Operation::Deidentify(Deidentify { mask_config }) if mask_config.is_empty() => {
                masked.replace(data_identifier).is_some()
            }
            Operation::Deidentify(_) => return Err(PolicyError::MaskConfig),
        };
        if is_second {
            return Err(PolicyError::Statements);
        }
    }
    match (audit, masked) {
        (Some((audit, audited)), Some(masked)) => Ok((audit, audited, masked)),
        _ => Err(PolicyError::Statements),
    }
}

/// The identifier that a statement names: AWS's by an ARN, the policy's own by their names.
fn identifier(named: &str, custom: &[Custom]) -> Result<Identifier, PolicyError> {
    let unknown = || PolicyError::Unknown(named.to_owned());
    match named.split_once(":dataprotection::aws:data-identifier/") {
        Some(("arn:aws" | "arn:aws-cn" | "arn:aws-us-gov", name)) => match managed::known(name) {
            Some(Known::Supported) => Ok(Identifier::Managed(name.to_owned())),
            Some(Known::Unsupported) => Err(PolicyError::Unsupported(name.to_owned())),
            None => Err(unknown()),
        },
        _ => custom
            .iter()
            .find(|custom| custom.name == named)
            .cloned()
            .map(Identifier::Custom)
            .ok_or_else(unknown),
    }
}

fn custom_identifiers(documents: Vec<CustomDocument>) -> Result<Vec<Custom>, PolicyError> {
    if documents.len() > CUSTOM_MAX {
        return Err(PolicyError::TooManyCustom);
    }
    let mut customs: Vec<Custom> = Vec::new();
    for CustomDocument { name, regex } in documents {
        let wrong = |reason: &str| Err(PolicyError::Custom { name: name.clone(), reason: reason.to_owned() });
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || name.len() > CUSTOM_NAME_CHARACTERS_MAX || !name.bytes().all(in_name) {
            return wrong("a name has 1 to 128 letters, digits, underscores and hyphens");
        }
        if customs.iter().any(|custom| custom.name == name) {
            return wrong("two have this name");
        }
        if regex.is_empty() || regex.chars().count() > CUSTOM_REGEX_CHARACTERS_MAX {
            return wrong("an expression has 1 to 200 characters");
        }
        if regex.contains(['(', ')']) {
            return wrong("an expression has no parentheses");
        }
        match RegexBuilder::new(&regex).size_limit(CUSTOM_REGEX_BYTES_MAX).build() {
            Err(_) => return wrong("the expression cannot be used"),
            Ok(compiled) if compiled.is_match("") => return wrong("the expression matches nothing at all"),
            Ok(_) => customs.push(Custom { name, regex }),
        }
    }
    Ok(customs)
}

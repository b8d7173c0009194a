//! AWS's words for stored configuration and for what is done to events: saved queries, indexes, tables. Ours
//! where not marked.

use groundwatch_api::Fault;
use groundwatch_api::logs::errors;
use groundwatch_log_transformers::ConfigError;

use crate::anomaly::AnomalyError;
use crate::index_policy::{FIELD_CHARACTERS_MAX, FIELDS_MAX, IndexPolicyError};
use crate::lookup_table::{BODY_BYTES_MAX, LookupTableError};
use crate::protection::ProtectionError;
use crate::query_definition::QueryDefinitionError;
use crate::transformer::TransformerError;

fn invalid(message: impl Into<String>) -> Fault {
    errors::INVALID_PARAMETER_EXCEPTION.with(message.into())
}

fn missing(what: &str) -> Fault {
    errors::RESOURCE_NOT_FOUND_EXCEPTION.with(format!("The specified {what} does not exist."))
}

/// [R] for other resources of CloudWatch Logs.
fn limit_exceeded() -> Fault {
    errors::LIMIT_EXCEEDED_EXCEPTION.with("Resource limit exceeded.")
}

pub(super) fn query_definition(error: QueryDefinitionError) -> Fault {
    match error {
        QueryDefinitionError::Missing => missing("query definition"),
        QueryDefinitionError::TooMany => limit_exceeded(),
        QueryDefinitionError::ParametersOfOtherLanguage => {
            invalid("Query parameters are supported only for queries in Logs Insights QL.")
        }
        QueryDefinitionError::ParameterTwice { name } => {
            invalid(format!("The query parameter '{name}' is defined twice."))
        }
    }
}

pub(super) fn index_policy(error: IndexPolicyError) -> Fault {
    match error {
        IndexPolicyError::Missing => missing("index policy"),
        IndexPolicyError::Document { reason } => invalid(format!("Invalid policy document: {reason}")),
        IndexPolicyError::NoFields => invalid("Invalid policy document: it names no fields."),
        IndexPolicyError::TooManyFields => errors::LIMIT_EXCEEDED_EXCEPTION
            .with(format!("An index policy can name at most {FIELDS_MAX} fields.")),
        IndexPolicyError::FieldName { field } => invalid(format!(
            "Invalid policy document: the field name '{field}' does not have 1 to {FIELD_CHARACTERS_MAX} characters."
        )),
        IndexPolicyError::FieldTwice { field } => {
            invalid(format!("Invalid policy document: the field '{field}' is named twice."))
        }
    }
}

pub(super) fn transformer(error: TransformerError) -> Fault {
    match error {
        TransformerError::Missing => missing("transformer"),
        TransformerError::Config(error) => {
            let ConfigError { position, processor, cause } = error;
            invalid(format!(
                "Invalid transformer configuration: processor {position} ({processor}): {cause}."
            ))
        }
    }
}

pub(super) fn protection(error: ProtectionError) -> Fault {
    match error {
        ProtectionError::Missing => missing("data protection policy"),
        ProtectionError::Policy(error) => invalid(format!("Invalid data protection policy: {error}.")),
    }
}

pub(super) fn anomaly(error: AnomalyError) -> Fault {
    match error {
        AnomalyError::DetectorMissing => missing("anomaly detector"),
        AnomalyError::AnomalyMissing => missing("anomaly or pattern"),
        AnomalyError::OneGroup => invalid("logGroupArnList must contain exactly one log group ARN."),
        AnomalyError::Taken => limit_exceeded(),
        AnomalyError::AnomalyOrPattern => {
            invalid("Either anomalyId or patternId must be specified, but not both.")
        }
        AnomalyError::Period => {
            invalid("A suppressionType of LIMITED needs a suppressionPeriod with a positive value.")
        }
    }
}

pub(super) fn lookup_table(error: LookupTableError) -> Fault {
    match error {
        LookupTableError::Missing => missing("lookup table"),
        LookupTableError::Exists => {
            errors::RESOURCE_ALREADY_EXISTS_EXCEPTION.with("The specified lookup table already exists")
        }
        LookupTableError::TooMany => limit_exceeded(),
        LookupTableError::BodyOrQuery => {
            invalid("Either tableBody or queryId must be specified, but not both.")
        }
        LookupTableError::TooLarge { size_bytes } => errors::VALIDATION_EXCEPTION
            .with(format!("The table has {size_bytes} bytes, which exceeds the limit of {BODY_BYTES_MAX}.")),
        LookupTableError::Csv { reason } => {
            errors::VALIDATION_EXCEPTION.with(format!("The table is not valid CSV: {reason}"))
        }
    }
}

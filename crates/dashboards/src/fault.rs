//! AWS's words for what goes wrong: the one place where the error texts of dashboards are written.

use groundwatch_api::cloudwatch::errors;
use groundwatch_api::{Fault, common};
use groundwatch_core::{TagError, Tags};
use groundwatch_storage::StorageError;

use crate::body::Finding;
use crate::image::WidgetError;
use crate::{DashboardError, WidgetDataError};

impl From<DashboardError> for Fault {
    fn from(error: DashboardError) -> Self {
        let invalid_value = |text: String| errors::INVALID_PARAMETER_VALUE_EXCEPTION.with(text);
        let invalid_body = |text: String| errors::DASHBOARD_INVALID_INPUT_ERROR.with(text);
        match error {
            // Recorded, with the line's end.
            DashboardError::Name => invalid_value(
                "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, \
                 dash (-) and underscore (_).\n"
                    .to_owned(),
            ),
            DashboardError::NotAnObject => {
                invalid_body("The field DashboardBody must be a valid JSON object".to_owned())
            }
            DashboardError::TooLong { bytes_max } => {
                invalid_body(format!("The field DashboardBody must be at most {bytes_max} bytes long"))
            }
            DashboardError::Body { count, errors } => invalid_body(body_text(count, &errors)),
            DashboardError::NotFound { names } => {
                errors::DASHBOARD_NOT_FOUND_ERROR.with(match names.as_slice() {
                    [name] => format!("Dashboard {name} does not exist"),
                    names => format!("Dashboards {} do not exist", names.join(", ")),
                })
            }
            DashboardError::Count { parameter, count_max } => {
                invalid_value(format!("The parameter {parameter} must have 1 to {count_max} members."))
            }
            DashboardError::NextToken => invalid_value("Request parameter NextToken is invalid".to_owned()),
            DashboardError::Tags(TagError::TooMany) => {
                invalid_value(format!("A resource can have at most {} tags.", Tags::COUNT_MAX))
            }
            DashboardError::Tags(TagError::Reserved { key }) => {
                invalid_value(format!("The tag key {key} begins with the reserved prefix aws:."))
            }
            // Nothing that the widget says is wrong.
            DashboardError::Widget(
                error @ (WidgetError::Encoding | WidgetError::Data(WidgetDataError::Unavailable(_))),
            ) => {
                tracing::error!(%error, "a widget cannot be drawn");
                errors::INTERNAL_SERVICE_FAULT.with("The widget cannot be drawn at the moment.")
            }
            DashboardError::Widget(error) => invalid_value(error.to_string()),
            // AWS answers it with a body that is the picture itself, over the query protocol.
            DashboardError::Format { format } if format == "image/png" => invalid_value(
                "Groundwatch does not support the value image/png for parameter OutputFormat yet, only png."
                    .to_owned(),
            ),
            DashboardError::Format { format } => {
                invalid_value(format!("The value {format} for parameter OutputFormat is not supported."))
            }
            DashboardError::Path { rule } => errors::VALIDATION_EXCEPTION.with(format!("Path {rule}.")),
            DashboardError::PathTaken => {
                errors::CONFLICT_EXCEPTION.with("A metric data query definition with this path already exists.")
            }
            DashboardError::TooManyQueries => errors::LIMIT_EXCEEDED_EXCEPTION
                .with("The limit of metric data query definitions of this Region is reached."),
            DashboardError::QueryNotFound { id } => {
                let mut fault = errors::RESOURCE_NOT_FOUND_EXCEPTION
                    .with(format!("Metric data query definition {id} does not exist"));
                fault.details = vec![
                    ("ResourceType", "AWS::CloudWatch::MetricDataQueryDefinition".to_owned()),
                    ("ResourceId", id),
                ];
                fault
            }
            DashboardError::Storage(error) => storage_fault(&error),
        }
    }
}

/// As AWS's users quote it: a sentence, then the errors as a list of JSON.
fn body_text(count: usize, errors: &[Finding]) -> String {
    let list = serde_json::to_string_pretty(errors).unwrap_or_default();
    format!("The dashboard body is invalid, there are {count} validation errors:\n{list}")
}

fn storage_fault(error: &StorageError) -> Fault {
    match error {
        // Somebody else changed it at the same moment.
        StorageError::Conflict { .. } => {
            errors::CONFLICT_EXCEPTION.with("The resource was changed by another request; try again.")
        }
        StorageError::Overloaded => common::THROTTLING.with("Rate exceeded"),
        StorageError::Full { .. } | StorageError::Io { .. } | StorageError::Closed { .. } => {
            tracing::error!(%error, "dashboards cannot be written");
            common::SERVICE_UNAVAILABLE.with("The service cannot store data at the moment.")
        }
        _ => {
            tracing::error!(%error, "storage of dashboards failed");
            common::INTERNAL_FAILURE.with("An internal error occurred.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_data_are_not_the_callers_fault() {
        let unavailable = WidgetError::Data(WidgetDataError::Unavailable("disk".to_owned()));
        assert_eq!(Fault::from(DashboardError::Widget(unavailable)).shape.status, 500);
        let refused = WidgetError::Data(WidgetDataError::Refused("no such function".to_owned()));
        let fault = Fault::from(DashboardError::Widget(refused));
        assert_eq!(
            (fault.shape.code, fault.message.as_deref()),
            ("InvalidParameterValue", Some("no such function"))
        );
    }

    #[test]
    fn errors_of_a_body_read_as_aws_words_them() {
        let error = Finding {
            path: "/widgets/0/properties".to_owned(),
            message: "Should have required property 'metrics'".to_owned(),
        };
        let fault = Fault::from(DashboardError::Body { count: 1, errors: vec![error] });
        assert_eq!(fault.shape.code, "InvalidParameterInput");
        let text = "The dashboard body is invalid, there are 1 validation errors:\n[\n  {\n    \"dataPath\": \
                    \"/widgets/0/properties\",\n    \"message\": \"Should have required property 'metrics'\"\n  }\n]";
        assert_eq!(fault.message.as_deref(), Some(text));
    }
}

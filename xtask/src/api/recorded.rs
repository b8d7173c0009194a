//! What AWS's models do not tell, or no longer tell: SQS's query protocol, which old clients go on speaking.
//!
//! AWS moved SQS's model to JSON and dropped the query protocol's names from it; its API reference still has
//! them.

/// The XML namespace of a service whose model has lost the query protocol.
pub(super) fn query_namespace(service: &str) -> Option<&'static str> {
    (service == "sqs").then_some("http://queue.amazonaws.com/doc/2012-11-05/")
}

/// The namespace in `__type` where it is not made of the service's name and version.
pub(super) fn shape_namespace(service: &str) -> Option<&'static str> {
    (service == "sqs").then_some("com.amazonaws.sqs")
}

/// The parameter that the path of a query request gives where the form does not: SQS is called at a queue's
/// own URL.
pub(super) fn path_parameter(service: &str) -> &'static str {
    if service == "sqs" { "QueueUrl" } else { "" }
}

/// How a service reports a missing member of the input, as a `Missing` in Rust.
pub(super) fn missing(service: &str) -> &'static str {
    match service {
        "sns" => {
            "Some(crate::Missing { shape: &errors::INVALID_PARAMETER_EXCEPTION, text: (\"Invalid parameter: \", \" \
             Reason: no value for required parameter\") })"
        }
        "sqs" => {
            "Some(crate::Missing { shape: &crate::common::MISSING_PARAMETER, text: (\"The request must contain the \
             parameter \", \".\") })"
        }
        _ => "None",
    }
}

/// Error codes whose message is another one over the query protocol.
pub(super) fn query_messages(service: &str) -> &'static [(&'static str, &'static str)] {
    match service {
        "sqs" => &[(
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist for this wsdl version.",
        )],
        _ => &[],
    }
}

/// The pattern of a shape where AWS was recorded to take more than its model says.
pub(super) fn pattern(shape: &str) -> Option<&'static str> {
    // Metric filters publish to `A.B-c_d/1#2:metricNamespace`.
    (shape == "MetricNamespace").then_some("[^*$]*")
}

/// Whether the service itself refuses unknown enum values, in words of its own, rather than AWS's framework.
pub(super) fn checks_enums_itself(service: &str) -> bool {
    service == "sqs"
}

/// SQS's error shapes whose code or status the model does not have.
const SQS_ERRORS: [(&str, &str, u16); 25] = [
    ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
    ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400),
    ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400),
    ("InvalidAddress", "InvalidAddress", 404),
    ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400),
    ("InvalidIdFormat", "InvalidIdFormat", 404),
    ("InvalidSecurity", "InvalidSecurity", 403),
    ("KmsAccessDenied", "KMS.AccessDeniedException", 400),
    ("KmsDisabled", "KMS.DisabledException", 400),
    ("KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException", 400),
    ("KmsInvalidState", "KMS.InvalidStateException", 400),
    ("KmsNotFound", "KMS.NotFoundException", 400),
    ("KmsOptInRequired", "KMS.OptInRequired", 403),
    ("KmsThrottled", "KMS.ThrottlingException", 400),
    ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400),
    ("OverLimit", "OverLimit", 403),
    ("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403),
    ("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", 400),
    ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400),
    ("QueueNameExists", "QueueAlreadyExists", 400),
    ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404),
    ("RequestThrottled", "RequestThrottled", 403),
    ("ResourceNotFoundException", "ResourceNotFoundException", 404),
    ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400),
    ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400),
];

/// Code and status of an error shape.
pub(super) fn error(service: &str, shape: &str) -> Option<(&'static str, u16)> {
    let mut known = SQS_ERRORS.iter().filter(|_| service == "sqs");
    known.find(|(name, ..)| *name == shape).map(|(_, code, status)| (*code, *status))
}

/// What the query protocol calls an element of a flattened list or map, and a map's entry its key and its
/// value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ElementNames<'m> {
    pub(super) element: &'m str,
    pub(super) key: &'static str,
    pub(super) value: &'static str,
}

/// The names in the flattened list or map of that shape. Lists are called after their elements, nearly all.
pub(super) fn element_names(shape: &str) -> Option<ElementNames<'_>> {
    let (element, key, value) = match shape {
        "QueueAttributeMap" | "MessageSystemAttributeMap" => ("Attribute", "Name", "Value"),
        "MessageBodyAttributeMap" => ("MessageAttribute", "Name", "Value"),
        "MessageBodySystemAttributeMap" => ("MessageSystemAttribute", "Name", "Value"),
        "TagMap" => ("Tag", "Key", "Value"),
        "StringList" => ("StringListValue", "", ""),
        "BinaryList" => ("BinaryListValue", "", ""),
        "MessageSystemAttributeList" => ("MessageSystemAttributeName", "", ""),
        list => (list.strip_suffix("List")?, "", ""),
    };
    Some(ElementNames { element, key, value })
}

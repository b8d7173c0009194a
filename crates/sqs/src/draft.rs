//! A message as a sender hands it in, and what SQS demands of it. Pure.

use std::collections::BTreeMap;

use groundwatch_api::sqs::{MessageAttributeValue, MessageSystemAttributeValue};

use crate::attributes::Fifo;
use crate::deduplication::GROUP_END;
use crate::digest::sha256_of_text;
use crate::directory::Found;
use crate::message::{AttributeValue, MessageAttribute, size_bytes};
use crate::{Invalid, SqsError};

/// How many attributes a message can have.
const ATTRIBUTES_MAX: usize = 10;
/// How long the name of an attribute, and its type, can be.
const ATTRIBUTE_TEXT_LENGTH_MAX: usize = 256;
/// The one system attribute that senders can set.
const TRACE_HEADER: &str = "AWSTraceHeader";

/// A message that is not checked yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) trace_header: Option<MessageAttribute>,
    pub(crate) delay_seconds: Option<i32>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
}

/// A message that its queue takes.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) draft: Draft,
    pub(crate) delay_seconds: u32,
    /// Under which key it is remembered, in a FIFO queue.
    pub(crate) deduplication_key: Option<String>,
}

impl Draft {
    /// Checks the message against the rules of its queue.
    pub(crate) fn checked(mut self, found: &Found) -> Result<Checked, SqsError> {
        let settings = &found.definition.settings;
        if self.body.is_empty() {
            return Err(Invalid::Missing { parameter: "MessageBody" }.into());
        }
        if !self.body.chars().all(is_sendable) {
            return Err(Invalid::MessageContents.into());
        }
        let bytes_max = settings.maximum_message_size;
        if self.size_bytes() > bytes_max as usize {
            let text = format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes."
            );
            return Err(Invalid::parameter(text).into());
        }
        let delay_seconds = match self.delay_seconds {
            None => settings.delay_seconds,
            // recorded: in a FIFO queue, a delay of zero is none of its own.
            Some(0) if settings.fifo.is_some() => settings.delay_seconds,
            Some(delay) if settings.fifo.is_some() => {
                let reason = "The request include parameter that is not valid for this queue type.";
                return Err(Invalid::value("DelaySeconds", delay, reason).into());
            }
            Some(delay) => u32::try_from(delay).ok().filter(|delay| *delay <= 900).ok_or_else(|| {
                Invalid::value("DelaySeconds", delay, "DelaySeconds must be >= 0 and <= 900.")
            })?,
        };
        for (parameter, id) in
            [("MessageGroupId", &self.group_id), ("MessageDeduplicationId", &self.deduplication_id)]
        {
            if let Some(id) = id.as_deref().filter(|id| !is_id(id)) {
                let reason = format!(
                    "{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
                );
                return Err(Invalid::value(parameter, id, reason).into());
            }
        }
        let deduplication_key = match &settings.fifo {
            Some(fifo) => Some(self.deduplicate(fifo)?),
            None => {
                if let Some(id) = &self.deduplication_id {
                    let reason = "The request include parameter that is not valid for this queue type";
                    return Err(Invalid::value("MessageDeduplicationId", id, reason).into());
                }
                None
            }
        };
        Ok(Checked { draft: self, delay_seconds, deduplication_key })
    }

    /// What a FIFO queue demands of every message: a group, and an id to tell repetitions by. In a batch, AWS
    /// refuses all of it if one has neither.
    pub(crate) fn check_fifo(&self, fifo: &Fifo) -> Result<(), Invalid> {
        if self.group_id.is_none() {
            return Err(Invalid::Missing { parameter: "MessageGroupId" });
        }
        if self.deduplication_id.is_none() && !fifo.content_based_deduplication {
            return Err(Invalid::parameter(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            ));
        }
        Ok(())
    }

    /// Sees to it that there is a deduplication id, and makes the key of it.
    fn deduplicate(&mut self, fifo: &Fifo) -> Result<String, Invalid> {
        self.check_fifo(fifo)?;
        let id = self.deduplication_id.get_or_insert_with(|| sha256_of_text(&self.body)).clone();
        let group = self.group_id.as_deref().unwrap_or_default();
        Ok(if fifo.deduplicates_by_group { format!("{group}{GROUP_END}{id}") } else { id })
    }

    /// As AWS counts it.
    pub(crate) fn size_bytes(&self) -> usize {
        size_bytes(&self.body, &self.attributes)
    }
}

/// What XML 1.0 can carry.
fn is_sendable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Message attributes as they arrive.
pub(crate) fn attributes(
    given: Option<BTreeMap<String, MessageAttributeValue>>,
) -> Result<BTreeMap<String, MessageAttribute>, SqsError> {
    let given = given.unwrap_or_default();
    if given.len() > ATTRIBUTES_MAX {
        let count = given.len();
        let text =
            format!("Number of message attributes [{count}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].");
        return Err(Invalid::parameter(text).into());
    }
    given
        .into_iter()
        .map(|(name, value)| {
            check_attribute_name(&name)?;
            let MessageAttributeValue {
                string_value,
                binary_value,
                data_type,
                string_list_values,
                binary_list_values,
            } = value;
            if string_list_values.is_some_and(|list| !list.is_empty())
                || binary_list_values.is_some_and(|list| !list.is_empty())
            {
                let what =
                    "Message attribute list values in SendMessage operation are not supported.".to_owned();
                return Err(SqsError::Unsupported { what });
            }
            let binary = binary_value.map(|blob| blob.0);
            let attribute = attribute("message attribute", &name, data_type, string_value, binary)?;
            Ok((name, attribute))
        })
        .collect()
}

/// The system attributes that a sender can set: `AWSTraceHeader`.
pub(crate) fn trace_header(
    given: Option<BTreeMap<String, MessageSystemAttributeValue>>,
) -> Result<Option<MessageAttribute>, SqsError> {
    let mut header = None;
    for (name, value) in given.unwrap_or_default() {
        let binary = value.binary_value.map(|blob| blob.0);
        let attribute =
            attribute("message system attribute", &name, value.data_type, value.string_value, binary)?;
        if name != TRACE_HEADER {
            return Err(
                Invalid::parameter(format!("Message system attribute name '{name}' is invalid.")).into()
            );
        }
        if attribute.data_type != "String" {
            let text = format!(
                "The message system attribute '{name}' has an invalid message system attribute type, only String is \
                 supported."
            );
            return Err(Invalid::parameter(text).into());
        }
        header = Some(attribute);
    }
    Ok(header)
}

fn check_attribute_name(name: &str) -> Result<(), Invalid> {
    let shown: String = name.chars().take(ATTRIBUTE_TEXT_LENGTH_MAX).collect();
    if name.is_empty() || name.len() > ATTRIBUTE_TEXT_LENGTH_MAX {
        let text = "The request must contain message attribute name of 1 to 256 characters.";
        return Err(Invalid::parameter(text));
    }
    // recorded: letters of any script, whatever the complaint says.
    let legal = name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return Err(Invalid::parameter(
            "Message (user) attribute name cannot start with reserved prefixes like AWS., Amazon.",
        ));
    }
    if !legal || name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(Invalid::parameter(format!(
            "The message attribute name '{shown}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), \
             hyphen (-), and period (.) characters."
        )));
    }
    Ok(())
}

/// One attribute: its type decides which value counts, and that must be there.
fn attribute(
    kind: &str,
    name: &str,
    data_type: Option<String>,
    text: Option<String>,
    binary: Option<Vec<u8>>,
) -> Result<MessageAttribute, Invalid> {
    let wrong = |complaint: &str| Invalid::parameter(format!("The {kind} '{name}' {complaint}"));
    let data_type = data_type.filter(|data_type| !data_type.is_empty());
    let data_type = data_type.ok_or_else(|| wrong(&format!("must contain non-empty {kind} type.")))?;
    let base = data_type.split('.').next().unwrap_or_default();
    let value = match base {
        "String" | "Number" => text.filter(|text| !text.is_empty()).map(AttributeValue::Text),
        "Binary" => binary.filter(|bytes| !bytes.is_empty()).map(AttributeValue::Binary),
        _ => {
            return Err(wrong(&format!(
                "has an invalid {kind} type, the set of supported type prefixes is Binary, Number, and String."
            )));
        }
    };
    if data_type.len() > ATTRIBUTE_TEXT_LENGTH_MAX {
        return Err(wrong(&format!("has a {kind} type that is longer than 256 characters.")));
    }
    let value = value.ok_or_else(|| {
        let whose = if kind == "message attribute" { "user" } else { "system" };
        Invalid::parameter(format!(
            "Message ({whose}) attribute '{name}' must contain a non-empty value of type '{data_type}'."
        ))
    })?;
    match &value {
        AttributeValue::Text(text) if base == "Number" && text.trim().parse::<f64>().is_err() => {
            Err(Invalid::parameter(format!("Can't cast the value of {kind} '{name}' to a number.")))
        }
        AttributeValue::Text(text) if !text.chars().all(is_sendable) => {
            // recorded: another code than for a body.
            Err(Invalid::parameter(format!(
                "The {kind} '{name}' has characters in its value that cannot be sent."
            )))
        }
        _ => Ok(MessageAttribute { data_type, value }),
    }
}

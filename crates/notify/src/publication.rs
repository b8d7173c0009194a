//! What a publisher asks to be sent, checked: one for `Publish` and each entry of `PublishBatch`.

use std::collections::BTreeMap;

use groundwatch_api::sns::MessageAttributeValue;

use crate::message::{Body, Subject};
use crate::{Invalid, NotifyError};

/// The parameters of a message as they came.
pub(crate) struct Wording<'a> {
    pub(crate) message: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) structure: Option<&'a str>,
    pub(crate) attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub(crate) deduplication_id: Option<String>,
}

/// A message that may be sent.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) subject: Option<Subject>,
    pub(crate) body: Body,
}

impl Publication {
    /// Checks everything that does not depend on the topic.
    pub(crate) fn new(wording: Wording<'_>) -> Result<Self, NotifyError> {
        if wording.attributes.is_some_and(|attributes| !attributes.is_empty()) {
            let what = "a message with attributes".to_owned();
            return Err(NotifyError::Unsupported { parameter: "MessageAttributes", what });
        }
        // On a standard topic AWS hands the group on to fair queues, of which there are none; it keeps no order by it.
        if wording.deduplication_id.is_some() {
            return Err(Invalid::FifoOnly { parameter: "MessageDeduplicationId" }.into());
        }
        let body = match wording.structure {
            None | Some("") => Body::plain(wording.message)?,
            Some("json") => Body::structured(wording.message)?,
            Some(_) => return Err(Invalid::MessageStructure.into()),
        };
        Ok(Self { subject: wording.subject.map(Subject::parse).transpose()?, body })
    }
}

//! What a publisher asks to be sent, checked: one for `Publish` and each entry of `PublishBatch`.

use std::collections::BTreeMap;

use groundwatch_api::sns::MessageAttributeValue;

use crate::attributes::{self, MessageAttributes};
use crate::message::{Body, MESSAGE_BYTES_MAX, Subject};
use crate::{Invalid, NotifyError};

/// The parameters of a message as they came.
pub(crate) struct Wording<'a> {
    pub(crate) message: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) structure: Option<&'a str>,
    pub(crate) attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) group_id: Option<String>,
}

/// A message that may be sent.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) subject: Option<Subject>,
    pub(crate) body: Body,
    pub(crate) attributes: MessageAttributes,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
}

/// Where a message belongs in a FIFO topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Messages of one group stay in order.
    pub group_id: String,
    /// A message with an id that the topic saw within five minutes is not taken again.
    pub deduplication_id: String,
}

impl Publication {
    /// A message of a text alone.
    pub(crate) fn plain(subject: Option<Subject>, message: &str) -> Result<Self, Invalid> {
        Ok(Self {
            subject,
            body: Body::plain(message)?,
            attributes: MessageAttributes::new(),
            group_id: None,
            deduplication_id: None,
        })
    }

    /// The same, in a FIFO topic.
    pub(crate) fn placed(self, place: Place) -> Self {
        Self { group_id: Some(place.group_id), deduplication_id: Some(place.deduplication_id), ..self }
    }

    /// Checks everything that does not depend on the topic.
    pub(crate) fn new(wording: Wording<'_>) -> Result<Self, NotifyError> {
        let body = match wording.structure {
            None | Some("") => Body::plain(wording.message)?,
            Some("json") => Body::structured(wording.message)?,
            Some(_) => return Err(Invalid::MessageStructure.into()),
        };
        let attributes = attributes::read(wording.attributes.unwrap_or_default()).map_err(Invalid::from)?;
        let attributes_bytes: usize =
            attributes.iter().map(|(name, attribute)| name.len() + attribute.size_bytes()).sum();
        if wording.message.len() + attributes_bytes > MESSAGE_BYTES_MAX {
            return Err(Invalid::MessageTooLong.into());
        }
        let subject = wording.subject.map(Subject::parse).transpose()?;
        Ok(Self {
            subject,
            body,
            attributes,
            group_id: wording.group_id,
            deduplication_id: wording.deduplication_id,
        })
    }
}

//! Messages for chat and on-call services, which read JSON of their own: an extension of Groundwatch's. Pure.
//!
//! An alarm's notification becomes a card with its state and reason; any other message its subject and text.
//! What asks for a confirmation becomes a message with the link, for a person to follow.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Invalid;
use crate::envelope::Envelope;
use crate::message::MessageKind;

/// The longest routing key of PagerDuty, in characters; theirs have 32.
const ROUTING_KEY_LENGTH_MAX: usize = 64;

/// PagerDuty's bound of a summary, in characters.
const SUMMARY_LENGTH_MAX: usize = 1024;

/// Who reads what is posted: the subscription's attribute `MessageFormat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum MessageFormat {
    /// `slack`: an incoming webhook of Slack, or of what understands the same (Mattermost, Rocket.Chat).
    Slack,
    /// `teams`: a workflow webhook of Microsoft Teams.
    Teams,
    /// `pagerduty:KEY`: PagerDuty's Events API v2, with the routing key of an integration.
    PagerDuty {
        /// Names the integration.
        routing_key: String,
    },
}

impl MessageFormat {
    /// The format of that name.
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        let key = name.strip_prefix("pagerduty:").filter(|key| {
            (1..=ROUTING_KEY_LENGTH_MAX).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        match (name, key) {
            ("slack", _) => Ok(Self::Slack),
            ("teams", _) => Ok(Self::Teams),
            (_, Some(key)) => Ok(Self::PagerDuty { routing_key: key.to_owned() }),
            _ => Err(Invalid::AttributeValue { name: "MessageFormat", value: name.to_owned(), alone: true }),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Slack => "slack".to_owned(),
            Self::Teams => "teams".to_owned(),
            Self::PagerDuty { routing_key } => format!("pagerduty:{routing_key}"),
        }
    }

    /// The JSON to post.
    pub(crate) fn body(&self, envelope: &Envelope<'_>) -> String {
        let card = Card::new(envelope);
        let body = match self {
            Self::Slack => card.slack(),
            Self::Teams => card.teams(),
            Self::PagerDuty { routing_key } => card.pagerduty(routing_key),
        };
        body.to_string()
    }
}

impl TryFrom<String> for MessageFormat {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        Self::parse(&name)
    }
}

impl From<MessageFormat> for String {
    fn from(format: MessageFormat) -> Self {
        format.name()
    }
}

/// What is read of an alarm's notification.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmNotice {
    alarm_name: String,
    alarm_description: Option<String>,
    new_state_value: String,
    new_state_reason: String,
    state_change_time: String,
    alarm_arn: String,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Alarm,
    Fine,
    Unknown,
}

/// A message as all three services show it.
struct Card {
    title: String,
    text: String,
    mood: Mood,
    /// Names and values below the text.
    facts: Vec<(&'static str, String)>,
    source: String,
    /// Tells what belongs together, so that the end of an alarm closes its incident.
    subject_of: String,
}

impl Card {
    fn new(envelope: &Envelope<'_>) -> Self {
        let topic_arn = envelope.id.topic_arn();
        if envelope.message.kind != MessageKind::Notification {
            let (title, text) = envelope.email();
            let subject_of = envelope.message.id.to_string();
            return Self {
                title,
                text,
                mood: Mood::Unknown,
                facts: Vec::new(),
                source: topic_arn,
                subject_of,
            };
        }
        match serde_json::from_str::<AlarmNotice>(envelope.text()) {
            Ok(notice) => Self::of_alarm(notice),
            Err(_) => Self {
                title: envelope.subject().unwrap_or("Notification").to_owned(),
                text: envelope.text().to_owned(),
                mood: Mood::Unknown,
                facts: Vec::new(),
                source: topic_arn,
                subject_of: envelope.message.id.to_string(),
            },
        }
    }

    fn of_alarm(notice: AlarmNotice) -> Self {
        let mood = match notice.new_state_value.as_str() {
            "ALARM" => Mood::Alarm,
            "OK" => Mood::Fine,
            _ => Mood::Unknown,
        };
        let mut facts = vec![("Since", notice.state_change_time)];
        facts.extend(notice.alarm_description.map(|description| ("Description", description)));
        Self {
            title: format!("{}: {}", notice.new_state_value, notice.alarm_name),
            text: notice.new_state_reason,
            mood,
            facts,
            subject_of: notice.alarm_arn.clone(),
            source: notice.alarm_arn,
        }
    }

    fn slack(&self) -> Value {
        let color = match self.mood {
            Mood::Alarm => "danger",
            Mood::Fine => "good",
            Mood::Unknown => "#808080",
        };
        let fields =
            self.facts.iter().map(|(name, value)| json!({ "title": name, "value": value, "short": true }));
        json!({
            "text": self.title,
            "attachments": [{
                "color": color,
                "fallback": self.text,
                "text": self.text,
                "fields": fields.collect::<Vec<_>>(),
                "footer": self.source,
            }],
        })
    }

    fn teams(&self) -> Value {
        let color = match self.mood {
            Mood::Alarm => "attention",
            Mood::Fine => "good",
            Mood::Unknown => "default",
        };
        let facts = self.facts.iter().map(|(name, value)| json!({ "title": name, "value": value }));
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        { "type": "TextBlock", "text": self.title, "weight": "bolder", "size": "medium", "color": color, "wrap": true },
                        { "type": "TextBlock", "text": self.text, "wrap": true },
                        { "type": "FactSet", "facts": facts.collect::<Vec<_>>() },
                    ],
                },
            }],
        })
    }

    fn pagerduty(&self, routing_key: &str) -> Value {
        let (action, severity) = match self.mood {
            Mood::Alarm => ("trigger", "critical"),
            Mood::Fine => ("resolve", "info"),
            Mood::Unknown => ("trigger", "warning"),
        };
        let summary: String = self.title.chars().take(SUMMARY_LENGTH_MAX).collect();
        let facts: serde_json::Map<_, _> =
            self.facts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({
            "routing_key": routing_key,
            "event_action": action,
            "dedup_key": self.subject_of.chars().rev().take(255).collect::<Vec<_>>().into_iter().rev().collect::<String>(),
            "payload": {
                "summary": summary,
                "source": self.source,
                "severity": severity,
                "custom_details": { "text": self.text, "facts": facts },
            },
        })
    }
}

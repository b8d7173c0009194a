//! `dateTimeConverter`: a date in one of several patterns, written in another.

use groundwatch_api::logs;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::date_pattern::{DatePattern, zone};
use crate::event::{Event, EventError};
use crate::path::Path;
use crate::pipeline::{Cause, Process};

const NAME: &str = "dateTimeConverter";
const TARGET_FORMAT: &str = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";

pub(crate) struct DateTimeConverter {
    source: Path,
    target: Path,
    patterns: Vec<DatePattern>,
    format: DatePattern,
    source_zone: TimeZone,
    target_zone: TimeZone,
}

impl DateTimeConverter {
    pub(crate) fn new(config: &logs::DateTimeConverter) -> Result<Self, Cause> {
        let pattern = |member, pattern: &str| {
            DatePattern::parse(pattern)
                .map_err(|reason| Cause::member(member, format!("'{pattern}': {reason}")))
        };
        let named_zone = |member, name: Option<&str>| {
            let name = name.unwrap_or("UTC");
            zone(name).ok_or_else(|| Cause::member(member, format!("there is no time zone '{name}'")))
        };
        let english = |locale: &str| locale == "ROOT" || locale.to_ascii_lowercase().starts_with("en");
        if let Some(locale) = config.locale.as_deref().filter(|locale| !english(locale)) {
            return Err(Cause::member("locale", format!("'{locale}' is not supported: only English is")));
        }
        let patterns = config.match_patterns.iter().flatten().map(|text| pattern("matchPatterns", text));
        Ok(Self {
            source: Path::parse(config.source.as_deref().unwrap_or_default())?,
            target: Path::parse(config.target.as_deref().unwrap_or_default())?,
            patterns: patterns.collect::<Result<_, _>>()?,
            format: pattern("targetFormat", config.target_format.as_deref().unwrap_or(TARGET_FORMAT))?,
            source_zone: named_zone("sourceTimezone", config.source_timezone.as_deref())?,
            target_zone: named_zone("targetTimezone", config.target_timezone.as_deref())?,
        })
    }
}

impl Process for DateTimeConverter {
    /// The first pattern counts that the text has the form of. A field that is not there or null stays so.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let text = match self.source.get(&event.fields) {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let today = jiff::Timestamp::from_millisecond(event.origin.ingested.as_millis())
            .map_err(|_| EventError::unreadable(NAME, "the event's own time is out of range"))?;
        let moment = self
            .patterns
            .iter()
            .find_map(|pattern| pattern.read(&text, &self.source_zone, today))
            .ok_or_else(|| {
            let reason = format!("'{}' has the form of no pattern", self.source.key());
            EventError::unreadable(NAME, reason)
        })?;
        let written = self.format.write(&moment.to_zoned(self.target_zone.clone()));
        self.target.set(&mut event.fields, Value::String(written), true);
        Ok(())
    }
}

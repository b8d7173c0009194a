//! Which fields events have: those that CloudWatch Logs gives every event, and those that it finds in JSON
//! (source: CloudWatch Logs user guide, "Supported logs and discovered fields").

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;

/// The fields of every event.
const GENERATED: [&str; 5] = ["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"];

/// How many fields AWS finds in one event.
const FIELDS_OF_EVENT_MAX: usize = 200;

/// How many different fields are counted; more are left out.
const FIELDS_MAX: usize = 10_000;

/// In how many events each field is.
#[derive(Debug, Default)]
pub(crate) struct FieldCounts {
    events: u64,
    found: HashMap<String, u64>,
}

impl FieldCounts {
    /// Counts the fields of an event. A text that is not a JSON object has none of its own.
    pub(crate) fn add(&mut self, message: &[u8]) {
        self.events += 1;
        if !message.trim_ascii_start().starts_with(b"{") {
            return;
        }
        let Ok(event @ Value::Object(_)) = serde_json::from_slice(message) else { return };
        let mut left = FIELDS_OF_EVENT_MAX;
        self.add_value(&mut String::new(), &event, &mut left);
    }

    /// Counts what lies at `path`: members of objects and elements of lists behind a dot each.
    fn add_value(&mut self, path: &mut String, value: &Value, left: &mut usize) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    self.add_below(path, name, member, left);
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.add_below(path, index, element, left);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                *left -= 1;
                if let Some(count) = self.found.get_mut(path.as_str()) {
                    *count += 1;
                } else if self.found.len() < FIELDS_MAX {
                    self.found.insert(path.clone(), 1);
                }
            }
        }
    }

    fn add_below(
        &mut self,
        path: &mut String,
        name: impl std::fmt::Display,
        value: &Value,
        left: &mut usize,
    ) {
        if *left == 0 {
            return;
        }
        let length = path.len();
        let dot = if length == 0 { "" } else { "." };
        write!(path, "{dot}{name}").expect("a String takes everything");
        self.add_value(path, value, left);
        path.truncate(length);
    }

    /// Each field with the percentage of events that have it, the most frequent first and then by name.
    /// Nothing if there were no events.
    pub(crate) fn percentages(self) -> Vec<(String, u8)> {
        let Self { events, found } = self;
        if events == 0 {
            return Vec::new();
        }
        let generated = GENERATED.iter().map(|name| ((*name).to_owned(), events));
        let mut counted: Vec<_> = generated.chain(found).collect();
        counted.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        // At least one in a hundred, or else a rare field would be called absent.
        let percentage = |count: u64| (count * 100 / events).clamp(1, 100) as u8;
        counted.into_iter().map(|(name, count)| (name, percentage(count))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that are not generated, as `name=percentage`.
    fn found(events: &[&str]) -> Vec<String> {
        let mut counts = FieldCounts::default();
        events.iter().for_each(|event| counts.add(event.as_bytes()));
        let own = counts.percentages().into_iter().filter(|(name, _)| !name.starts_with('@'));
        own.map(|(name, percentage)| format!("{name}={percentage}")).collect()
    }

    #[test]
    fn fields_of_json_have_dots_and_numbers_in_their_names() {
        let event = r#" {"a": 1, "b": {"c": null, "d": [true, {"e": "f"}]}, "g": {}, "h": []}"#;
        assert_eq!(found(&[event]), ["a=100", "b.c=100", "b.d.0=100", "b.d.1.e=100"]);
    }

    #[test]
    fn the_most_frequent_come_first() {
        let events = [r#"{"a":1,"b":1}"#, r#"{"b":1,"b":2}"#, "plain", "[1]", "{broken", "x {\"a\":1}"];
        assert_eq!(found(&events), ["b=33", "a=16"]);
        assert_eq!(found(&[r#"{"rare":1}"#].into_iter().chain([""; 200]).collect::<Vec<_>>()), ["rare=1"]);
    }

    #[test]
    fn every_event_has_the_generated_ones_and_no_event_has_none() {
        assert_eq!(FieldCounts::default().percentages(), []);
        let mut counts = FieldCounts::default();
        counts.add(b"plain");
        let names: Vec<_> = counts.percentages().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, GENERATED);
    }

    #[test]
    fn an_event_with_very_many_fields_shows_some() {
        let members: Vec<String> = (0..300).map(|number| format!(r#""f{number}":{{"a":[1,2]}}"#)).collect();
        assert_eq!(found(&[&format!("{{{}}}", members.join(","))]).len(), FIELDS_OF_EVENT_MAX);
    }
}

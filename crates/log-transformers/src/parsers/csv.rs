//! `csv`: one row of values with delimiters.

use groundwatch_api::logs;
use serde_json::Value;

use crate::event::{Destination, Event, EventError, Source};
use crate::path::put;
use crate::pipeline::{Cause, Process};

const NAME: &str = "csv";

pub(crate) struct Csv {
    source: Source,
    destination: Destination,
    delimiter: String,
    quote: char,
    columns: Vec<String>,
}

impl Csv {
    pub(crate) fn new(config: &logs::CSV) -> Result<Self, Cause> {
        let delimiter = match config.delimiter.as_deref() {
            None => ",",
            // A tab is written with two characters, which is why the member may have two.
            Some("\\t") => "\t",
            Some(delimiter) if delimiter.chars().count() == 1 => delimiter,
            Some(_) => return Err(Cause::member("delimiter", "it is one character, or \\t")),
        };
        let quote = config.quote_character.as_deref().and_then(|quote| quote.chars().next()).unwrap_or('"');
        if delimiter.starts_with(quote) {
            return Err(Cause::member("quoteCharacter", "it must not be the delimiter"));
        }
        Ok(Self {
            source: Source::parse(config.source.as_deref())?,
            destination: Destination::parse(config.destination.as_deref())?,
            delimiter: delimiter.to_owned(),
            quote,
            columns: config.columns.clone().unwrap_or_default(),
        })
    }
}

impl Process for Csv {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        let text = self.source.text(event, NAME)?;
        let values = row(&text, &self.delimiter, self.quote);
        let into = self.destination.object(event, NAME)?;
        for (index, value) in values.into_iter().enumerate() {
            let column = match self.columns.get(index) {
                Some(column) => column.clone(),
                None => format!("column_{}", index + 1),
            };
            put(into, column, Value::String(value), true);
        }
        Ok(())
    }
}

/// The values of a row. A value that begins with the quote ends at the next one that is not doubled; what
/// stands between there and the delimiter belongs to it as it is.
fn row(text: &str, delimiter: &str, quote: char) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix(quote) {
            rest = quoted;
            while let Some(end) = rest.find(quote) {
                value.push_str(&rest[..end]);
                rest = &rest[end + quote.len_utf8()..];
                match rest.strip_prefix(quote) {
                    Some(after) => {
                        value.push(quote);
                        rest = after;
                    }
                    None => break,
                }
            }
        }
        let Some(end) = rest.find(delimiter) else {
            value.push_str(rest);
            values.push(value);
            return values;
        };
        value.push_str(&rest[..end]);
        rest = &rest[end + delimiter.len()..];
        values.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn values_are_quoted_or_not() {
        let check = |text: &str, expected: &[&str]| assert_eq!(row(text, ",", '"'), expected, "{text}");
        check("", &[""]);
        check("a", &["a"]);
        check("a,b", &["a", "b"]);
        check("a,", &["a", ""]);
        check(",", &["", ""]);
        check(r#""a,b",c"#, &["a,b", "c"]);
        check(r#""a""b",c"#, &[r#"a"b"#, "c"]);
        check(r#""","#, &["", ""]);
        check(r#""open,c"#, &["open", "c"]);
        check(r#""a"x,c"#, &["ax", "c"]);
        check(r#"a"b,c"#, &[r#"a"b"#, "c"]);
    }
}

//! A JSON pattern compiled to decide on messages.

use std::collections::BTreeMap;

use super::super::comparison::Test;
use super::super::expression::Expression;
use super::super::matcher::Extracted;
use super::reader::{Reader, Value};
use super::{JsonCondition, JsonPattern, JsonTest, Selector};

#[derive(Clone, Debug)]
pub(in crate::pattern) struct JsonMatcher {
    reader: Reader,
    expression: Expression<Condition>,
    /// What is extracted: its name, and its place among the reader's values.
    extracted: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Condition {
    selector: usize,
    check: Check,
}

#[derive(Clone, Debug)]
enum Check {
    Compare(Test),
    Null,
    Boolean(bool),
    NotExists,
}

impl JsonMatcher {
    /// Compiles a pattern that also extracts what `references` select.
    pub(in crate::pattern) fn new(pattern: &JsonPattern, references: &[Selector]) -> Self {
        let mut reader = Reader::default();
        let mut extracted = BTreeMap::new();
        let expression = pattern.expression.map(&mut |condition: &JsonCondition| {
            let selector = reader.add(&condition.selector);
            extracted.insert(condition.selector.as_str().to_owned(), selector);
            Condition { selector, check: Check::new(&condition.test) }
        });
        for reference in references {
            extracted.insert(reference.as_str().to_owned(), reader.add(reference));
        }
        Self { reader, expression, extracted }
    }

    pub(in crate::pattern) fn matches(&self, message: &[u8]) -> bool {
        self.reader.read(message).is_some_and(|values| self.holds(&values))
    }

    /// What selectors found, by their text as it was written, if the message matches. Of many values the
    /// first counts.
    pub(in crate::pattern) fn extracted(&self, message: &[u8]) -> Option<Extracted> {
        let values = self.reader.read(message).filter(|values| self.holds(values))?;
        let value = |(name, selector): (&String, &usize)| {
            let text = values[*selector].iter().find_map(Value::to_text)?;
            Some((name.clone(), text))
        };
        Some(self.extracted.iter().filter_map(value).collect())
    }

    fn holds(&self, values: &[Vec<Value<'_>>]) -> bool {
        self.expression.holds(&|condition: &Condition| condition.check.holds(&values[condition.selector]))
    }
}

impl Check {
    fn new(test: &JsonTest) -> Self {
        match test {
            JsonTest::Compare(comparison) => Self::Compare(Test::new(comparison)),
            JsonTest::Null => Self::Null,
            JsonTest::Boolean(value) => Self::Boolean(*value),
            JsonTest::NotExists => Self::NotExists,
        }
    }

    fn holds(&self, values: &[Value<'_>]) -> bool {
        match self {
            Self::NotExists => values.is_empty(),
            Self::Null => values.contains(&Value::Null),
            Self::Boolean(wanted) => values.contains(&Value::Boolean(*wanted)),
            Self::Compare(test) => values.iter().any(|value| compares(test, value)),
        }
    }
}

fn compares(test: &Test, value: &Value<'_>) -> bool {
    let text = || value.to_text().unwrap_or_default();
    match value {
        Value::Null | Value::Composite => false,
        Value::Boolean(_) => test.holds_for_text(text().as_bytes()),
        Value::Unsigned(number) => test.holds_for_number(*number as f64, text),
        Value::Signed(number) => test.holds_for_number(*number as f64, text),
        Value::Float(number) => test.holds_for_number(*number, text),
        Value::Text(text) => test.holds_for_text(text.as_bytes()),
    }
}

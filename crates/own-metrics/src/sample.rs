//! What a minute came to.

use groundwatch_core::{Scope, Timestamp};

/// One metric of one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose metric it is.
    pub scope: Scope,
    /// The namespace, such as `AWS/SQS`.
    pub namespace: &'static str,
    /// The metric's name.
    pub name: &'static str,
    /// (name, value), sorted by name, no name twice.
    pub dimensions: Vec<(&'static str, String)>,
    /// The start of the minute.
    pub minute: Timestamp,
    /// The unit in CloudWatch's spelling; `None` without one.
    pub unit: Option<&'static str>,
    /// What was observed.
    pub statistics: Statistics,
}

/// What is known of several values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// How many there are: at least one.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

impl Statistics {
    /// Of one value.
    pub fn of(value: f64) -> Self {
        Self { count: 1, sum: value, minimum: value, maximum: value }
    }

    /// Adds what is known of others.
    pub fn add(&mut self, others: Self) {
        self.count += others.count;
        self.sum += others.sum;
        self.minimum = self.minimum.min(others.minimum);
        self.maximum = self.maximum.max(others.maximum);
    }
}

//! What a rule means: a tree that holds or not, given the states of alarms, and that prints itself.

use std::fmt;

use groundwatch_core::Arn;

use super::lexer::ends_word;
use crate::alarm::StateValue;

/// A rule, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// `ALARM(cpu)`: whether an alarm is in a state.
    Is(StateValue, Reference),
    /// `NOT …`
    Not(Box<Expression>),
    /// `… AND …`: two or more.
    And(Vec<Expression>),
    /// `… OR …`: two or more.
    Or(Vec<Expression>),
    /// `AT_LEAST(2, ALARM, (a, b, c))`.
    AtLeast {
        /// How many must pass.
        quorum: Quorum,
        /// What each of the alarms is asked.
        test: StateTest,
        /// The alarms, at least one.
        alarms: Vec<Reference>,
    },
}

/// How many of AT_LEAST's alarms must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// That many: from 1 to as many as there are.
    Count(usize),
    /// That many of a hundred, rounded up: 1 to 100.
    Percent(usize),
}

impl Quorum {
    /// How many of `alarms` alarms that is.
    pub fn of(self, alarms: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (alarms * percent).div_ceil(100),
        }
    }
}

/// `ALARM`, or `NOT ALARM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateTest {
    /// The state.
    pub state: StateValue,
    /// Whether the alarm must be in another one.
    pub negated: bool,
}

/// An alarm as the rule names it: by name or by ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference(pub String);

impl Reference {
    /// The alarm's name. Whether an ARN belongs to another account or region has been checked when the rule
    /// was put.
    pub fn name(&self) -> &str {
        self.arn().and_then(|arn| arn.resource.strip_prefix("alarm:")).unwrap_or(&self.0)
    }

    /// The alarm's ARN, if that is how it is named.
    pub fn arn(&self) -> Option<Arn<'_>> {
        Arn::parse(&self.0)
            .ok()
            .filter(|arn| arn.service == "cloudwatch" && arn.resource.starts_with("alarm:"))
    }
}

impl Expression {
    /// Whether it holds, `state_of` being the state of the alarm of a name. An alarm without a state is in
    /// none.
    pub fn holds(&self, state_of: &impl Fn(&str) -> Option<StateValue>) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Is(state, alarm) => state_of(alarm.name()) == Some(*state),
            Self::Not(inner) => !inner.holds(state_of),
            Self::And(parts) => parts.iter().all(|part| part.holds(state_of)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(state_of)),
            Self::AtLeast { quorum, test, alarms } => {
                let passes = |alarm: &&Reference| {
                    state_of(alarm.name()).is_some_and(|state| (state == test.state) != test.negated)
                };
                alarms.iter().filter(passes).count() >= quorum.of(alarms.len())
            }
        }
    }

    /// Every mention of an alarm, in the order of the text.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Is(_, alarm) => vec![alarm],
            Self::Not(inner) => inner.references(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::references).collect(),
            Self::AtLeast { alarms, .. } => alarms.iter().collect(),
        }
    }

    /// How tightly it binds: the operand of an operator needs parentheses unless it binds tighter.
    fn binding(&self) -> u8 {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Not(_) => 2,
            Self::Constant(_) | Self::Is(..) | Self::AtLeast { .. } => 3,
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operand = |part: &Expression, tighter_than: u8, f: &mut fmt::Formatter<'_>| {
            if part.binding() > tighter_than { write!(f, "{part}") } else { write!(f, "({part})") }
        };
        let chain = |parts: &[Expression], operator: &str, f: &mut fmt::Formatter<'_>| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    write!(f, " {operator} ")?;
                }
                operand(part, self.binding(), f)?;
            }
            Ok(())
        };
        match self {
            Self::Constant(value) => f.write_str(if *value { "TRUE" } else { "FALSE" }),
            Self::Is(state, alarm) => write!(f, "{state}({alarm})"),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                operand(inner, 1, f)
            }
            Self::And(parts) => chain(parts, "AND", f),
            Self::Or(parts) => chain(parts, "OR", f),
            Self::AtLeast { quorum, test, alarms } => {
                write!(f, "AT_LEAST({quorum}, {test}, (")?;
                for (index, alarm) in alarms.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{alarm}")?;
                }
                f.write_str("))")
            }
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl fmt::Display for StateTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negated { "NOT " } else { "" }, self.state)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && !self.0.contains(ends_word) {
            return f.write_str(&self.0);
        }
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

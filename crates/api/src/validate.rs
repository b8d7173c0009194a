//! The constraint table: what AWS's model demands of an input before the service itself looks at it, and how
//! it complains.
//!
//! The generated `impl Validate` of each input names its members and their [rules](self::Text); [`check`]
//! runs them and words what is wrong as AWS does: `1 validation error detected: Value 'x' at 'alarmName'
//! failed to satisfy constraint: Member must …`. A value that satisfies its rule costs no allocation: a
//! [`Path`] is a chain of borrowed steps on the stack, and becomes text only in a message.

mod path;
mod rules;

pub use path::Path;
pub use rules::{List, Map, Number, OneOf, Opaque, Pattern, Rule, Shape, Text};

use crate::{Fault, Operation};

/// How many violations one answer tells; the rest is counted only.
const MESSAGES_MAX: usize = 32;
/// How many bytes of an offending value one message tells.
const VALUE_BYTES_MAX: usize = 1024;

/// Members whose value AWS leaves out of the message (recorded).
const UNTOLD: [&str; 2] = ["logGroupIdentifier", "logGroupIdentifiers"];

/// An input, or a part of one, with constraints.
pub trait Validate {
    /// Finds what is wrong with `self`, which stands `at` that place of the input.
    fn validate(&self, at: &Path<'_>, found: &mut Violations);
}

/// Runs the whole constraint table of an input. The fault is the operation's [validation
/// error](Operation::VALIDATION_ERROR), or what the service says of a [missing](crate::Missing) member.
pub fn check<O: Operation>(input: &O::Input<'_>) -> Result<(), Fault> {
    let mut found = Violations::default();
    input.validate(&Path::Root, &mut found);
    if let (Some(member), Some(missing)) = (found.missing, &O::SERVICE.missing) {
        return Err(missing.fault(member));
    }
    match found.into_message() {
        None => Ok(()),
        Some(message) => Err(O::VALIDATION_ERROR.with(message)),
    }
}

/// What was found wrong, in AWS's words, bounded in number and length.
#[derive(Debug, Default)]
pub struct Violations {
    messages: Vec<String>,
    count: usize,
    /// The first member of the input itself that is not there.
    missing: Option<&'static str>,
}

impl Violations {
    /// Checks a member that may be absent.
    #[inline]
    pub fn optional<T, R: Rule<T>>(&mut self, member: &Option<T>, at: &Path<'_>, rule: &R) {
        if let Some(value) = member {
            rule.check(value, at, self);
        }
    }

    /// Checks a member that must be there.
    #[inline]
    pub fn required<T, R: Rule<T>>(&mut self, member: &Option<T>, at: &Path<'_>, rule: &R) {
        match member {
            Some(value) => rule.check(value, at, self),
            None => {
                if let Path::Member(Path::Root, name) = at {
                    self.missing.get_or_insert(name);
                }
                self.add(at, None, "Member must not be null");
            }
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The message of the whole answer; `None` if nothing is wrong.
    pub fn into_message(self) -> Option<String> {
        match self.count {
            0 => None,
            1 => Some(format!("1 validation error detected: {}", self.messages.join("; "))),
            count => Some(format!("{count} validation errors detected: {}", self.messages.join("; "))),
        }
    }

    /// Notes that `value` (`None`: null) at that place does not do what is demanded.
    #[cold]
    pub(crate) fn add(&mut self, at: &Path<'_>, value: Option<&Shown>, demand: &str) {
        self.count += 1;
        if self.messages.len() < MESSAGES_MAX {
            let told = match (value, at) {
                (_, Path::Member(_, name)) if UNTOLD.contains(name) => String::new(),
                (None, _) => " null".to_owned(),
                (Some(shown), _) => format!(" '{}'", shown.text),
            };
            self.messages.push(format!("Value{told} at '{at}' failed to satisfy constraint: {demand}"));
        }
    }

    /// Whether a further message would still be told, and so is worth the making.
    fn has_room(&self) -> bool {
        self.messages.len() < MESSAGES_MAX
    }
}

/// An offending value as a message tells it: Java's manner (`[a, b]`, `{k=v}`), cut to a bound.
#[derive(Debug, Default)]
pub struct Shown {
    text: String,
    cut: bool,
}

impl Shown {
    /// Adds text, unless the bound is reached. Answers whether more would be shown.
    pub(crate) fn push(&mut self, text: &str) -> bool {
        if self.cut {
            return false;
        }
        let room = VALUE_BYTES_MAX - self.text.len();
        if text.len() <= room {
            self.text.push_str(text);
        } else {
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
            self.text.push('…');
            self.cut = true;
        }
        !self.cut
    }
}

#[cfg(test)]
mod tests;

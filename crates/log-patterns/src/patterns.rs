//! Known patterns, and which of them a message belongs to.

use serde::{Deserialize, Serialize};

use crate::pattern::Pattern;
use crate::token::pieces;

/// How many patterns there can be.
pub const PATTERNS_MAX: usize = 500;
/// Of ten tokens so many must say the same for a message to belong to a pattern.
const ALIKE_OF_TEN: usize = 7;

/// Patterns, each with what its owner keeps beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patterns<T> {
    known: Vec<(Pattern, T)>,
}

/// Where a message belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// To the pattern of this index, which was known.
    Known(usize),
    /// To the pattern of this index, which the message added.
    New(usize),
    /// To none, and there are as many as there can be.
    None,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self { known: Vec::new() }
    }
}

impl<T: Default> Patterns<T> {
    /// Puts a message where it belongs: to the pattern that is most like it if that is like enough, which is
    /// generalised to take it in; otherwise to one of its own.
    pub fn add(&mut self, message: &str) -> Belongs {
        let pieces = pieces(message);
        let likeness =
            |(index, (pattern, _)): (usize, &(Pattern, T))| Some((pattern.likeness(&pieces)?, index));
        // Of two that are as like the older one.
        let best = self
            .known
            .iter()
            .enumerate()
            .filter_map(likeness)
            .max_by_key(|(alike, index)| (*alike, usize::MAX - index));
        match best {
            Some((alike, index)) if alike * 10 >= pieces.len() * ALIKE_OF_TEN => {
                if alike < pieces.len() {
                    self.known[index].0 = self.known[index].0.with(&pieces);
                }
                Belongs::Known(index)
            }
            _ if self.known.len() < PATTERNS_MAX => {
                self.known.push((Pattern::of_pieces(&pieces), T::default()));
                Belongs::New(self.known.len() - 1)
            }
            _ => Belongs::None,
        }
    }

    /// All patterns.
    pub fn iter(&self) -> impl Iterator<Item = &(Pattern, T)> {
        self.known.iter()
    }

    /// What is kept beside each pattern, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Pattern, &mut T)> {
        self.known.iter_mut().map(|(pattern, kept)| (&*pattern, kept))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The patterns of messages, in the order in which they came up.
    fn patterns(messages: &[&str]) -> Vec<String> {
        let mut patterns: Patterns<()> = Patterns::default();
        for message in messages {
            patterns.add(message);
        }
        patterns.iter().map(|(pattern, ())| pattern.to_string()).collect()
    }

    fn check(messages: &[&str], expected: &[&str]) {
        assert_eq!(patterns(messages), expected, "{messages:?}");
    }

    #[test]
    fn messages_of_one_kind_have_one_pattern() {
        // The example of AWS's guide.
        check(
            &[
                "2023-01-01 19:00:01 [INFO] Calling DynamoDB to store for resource id 12342342k124-12345",
                "2023-01-01 19:00:02 [INFO] Calling DynamoDB to store for resource id 324892398123-12345",
                "2023-01-01 19:00:03 [INFO] Calling DynamoDB to store for resource id 3ff231242342-12345",
            ],
            &["<*> <*> [INFO] Calling DynamoDB to store for resource id <*>"],
        );
        check(
            &["[INFO] Request time: 327 ms", "[INFO] Request time: 5 ms"],
            &["[INFO] Request time: <*> ms"],
        );
        check(&["user jane logged in", "user joe logged in"], &["user <*> logged in"]);
        check(&["ERROR disk full", "INFO disk full"], &["ERROR disk full", "INFO disk full"]);
        check(&["one", "two", "one"], &["one", "two"]);
        check(&["a b", "a b c d e f"], &["a b", "a b c d e f"]);
        check(&["", ""], &[""]);
        check(
            &[r#"{"level":"info","ms":12}"#, r#"{"level":"info","ms":7}"#],
            &[r#"{"level":"info","ms":<*>}"#],
        );
    }

    #[test]
    fn a_pattern_tells_its_expression_and_values() {
        let pattern = Pattern::of("[INFO] took 12 ms (id 7)");
        assert_eq!(pattern.regex(), r"\[INFO\] took .* ms \(id .*\)");
        assert_eq!(pattern.values("[INFO] took 99 ms (id 3)"), ["99", "3"]);
        assert_eq!(pattern.id().0.len(), 32);
        assert_eq!(pattern.id(), Pattern::of("[INFO] took 1 ms (id 2)").id());
        assert_ne!(pattern.id(), Pattern::of("[WARN] took 1 ms (id 2)").id());
    }

    #[test]
    fn there_are_never_too_many() {
        let mut patterns: Patterns<()> = Patterns::default();
        let word = |mut number: usize| {
            let mut word = String::new();
            while word.len() < 4 {
                word.push(char::from(b'a' + (number % 26) as u8));
                number /= 26;
            }
            word
        };
        let mut without = 0;
        for number in 0..600 {
            if patterns.add(&word(number)) == Belongs::None {
                without += 1;
            }
        }
        assert_eq!((patterns.iter().count(), without), (PATTERNS_MAX, 600 - PATTERNS_MAX));
    }

    proptest! {
        #[test]
        fn any_messages_make_patterns_that_take_them_in(messages in prop::collection::vec("[ -~ä\n]{0,60}", 0..30)) {
            let mut patterns: Patterns<()> = Patterns::default();
            for message in &messages {
                patterns.add(message);
            }
            let mut again = patterns.clone();
            for message in &messages {
                prop_assert!(!matches!(again.add(message), Belongs::New(_)), "{}", message);
            }
        }
    }
}

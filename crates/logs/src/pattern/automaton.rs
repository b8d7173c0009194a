//! A regular expression as a table of states, filled as far as it is used.
//!
//! The library finds the states; here they get small numbers and one row of a table each, so that a step is
//! one look. Expressions that need too many states are given up, and messages put together for them.

use std::sync::Arc;

use groundwatch_log_files::Automaton;
use hashbrown::HashMap;
use parking_lot::Mutex;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

/// More states are not looked at: their table has 1 KiB each.
const STATES_MAX: usize = 1_024;
/// What the library may take for what it knows of the states.
const CACHE_BYTES: usize = 4 << 20;
const NFA_BYTES_MAX: usize = 1 << 20;
/// Tables that are kept for the next ones who look for the same.
const KEPT_MAX: usize = 4;
/// Stands where a step was not taken yet.
const UNKNOWN: u32 = u32::MAX;
const ACCEPTED: u32 = StateTable::ACCEPTED;
const REFUSED: u32 = StateTable::REFUSED;

/// An expression whose states can be walked through. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Automata {
    dfa: Arc<DFA>,
    kept: Arc<Mutex<Vec<StateTable>>>,
}

impl Automata {
    /// Of an expression as the library reads it; `None` if that has no states.
    pub(super) fn of(expression: &str) -> Option<Self> {
        let dfa = DFA::builder()
            .syntax(syntax::Config::new().utf8(false))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(NFA_BYTES_MAX)))
            .configure(
                DFA::config()
                    .match_kind(MatchKind::All)
                    .cache_capacity(CACHE_BYTES)
                    // Numbers of states are for good.
                    .minimum_cache_clear_count(Some(0)),
            )
            .build(expression)
            .ok()?;
        Some(Self { dfa: Arc::new(dfa), kept: Arc::default() })
    }

    /// What `look` comes to with a table; `None` if there were too many states.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut StateTable) -> T) -> Option<T> {
        let kept = self.kept.lock().pop();
        let mut table = kept.unwrap_or_else(|| StateTable::new(self.dfa.clone()));
        let found = look(&mut table);
        if table.is_lost {
            return None;
        }
        let mut kept = self.kept.lock();
        if kept.len() < KEPT_MAX {
            kept.push(table);
        }
        Some(found)
    }
}

/// The states that were met, by number: the first two are those of [`Automaton`].
#[derive(Debug)]
pub(super) struct StateTable {
    dfa: Arc<DFA>,
    cache: Cache,
    /// As the library calls them; the first two have no name of their own.
    states: Vec<LazyStateID>,
    numbers: HashMap<LazyStateID, u32>,
    /// For each state and byte, the next state.
    steps: Vec<u32>,
    /// For each state, if it was asked.
    idle: Vec<Option<Box<[bool; 256]>>>,
    start: Option<u32>,
    /// There were too many states: nothing that was found holds.
    is_lost: bool,
}

impl StateTable {
    fn new(dfa: Arc<DFA>) -> Self {
        let cache = dfa.create_cache();
        let mut steps = vec![ACCEPTED; 256];
        steps.resize(512, REFUSED);
        let states = vec![LazyStateID::default(); 2];
        Self {
            dfa,
            cache,
            states,
            numbers: HashMap::new(),
            steps,
            idle: vec![None; 2],
            start: None,
            is_lost: false,
        }
    }

    fn lose(&mut self) -> u32 {
        self.is_lost = true;
        REFUSED
    }

    fn number(&mut self, state: LazyStateID) -> u32 {
        if state.is_match() {
            return ACCEPTED;
        }
        if state.is_dead() {
            return REFUSED;
        }
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        if state.is_quit() || self.states.len() == STATES_MAX {
            return self.lose();
        }
        let number = self.states.len() as u32;
        self.states.push(state);
        self.numbers.insert(state, number);
        self.steps.resize(self.steps.len() + 256, UNKNOWN);
        self.idle.push(None);
        number
    }

    /// Takes a step for the first time, for all bytes that are the same to the expression.
    #[cold]
    fn explore(&mut self, state: u32, byte: u8) -> u32 {
        let from = self.states[state as usize];
        let to = match self.dfa.next_state(&mut self.cache, from, byte) {
            Ok(to) => self.number(to),
            Err(_) => self.lose(),
        };
        let classes = self.dfa.byte_classes();
        let row = &mut self.steps[state as usize * 256..][..256];
        for (other, step) in (0..=u8::MAX).zip(row) {
            if classes.get(other) == classes.get(byte) {
                *step = to;
            }
        }
        to
    }
}

impl Automaton for StateTable {
    fn start(&mut self) -> u32 {
        if let Some(start) = self.start {
            return start;
        }
        let config = start::Config::new().anchored(Anchored::No);
        let start = match self.dfa.start_state(&mut self.cache, &config) {
            Ok(state) => self.number(state),
            Err(_) => self.lose(),
        };
        *self.start.insert(start)
    }

    #[inline]
    fn next(&mut self, state: u32, byte: u8) -> u32 {
        match self.steps[(state as usize) << 8 | usize::from(byte)] {
            UNKNOWN => self.explore(state, byte),
            next => next,
        }
    }

    fn accepts_end(&mut self, state: u32) -> bool {
        if state <= REFUSED {
            return state == ACCEPTED;
        }
        let state = self.states[state as usize];
        match self.dfa.next_eoi_state(&mut self.cache, state) {
            Ok(end) => end.is_match(),
            Err(_) => self.lose() == ACCEPTED,
        }
    }

    fn idle(&mut self, state: u32) -> &[bool; 256] {
        if self.idle[state as usize].is_none() {
            let mut idle = [false; 256];
            for byte in 0..=u8::MAX {
                idle[usize::from(byte)] = self.next(state, byte) == state;
            }
            self.idle[state as usize] = Some(Box::new(idle));
        }
        self.idle[state as usize].as_deref().unwrap_or(&[false; 256])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepts(automata: &Automata, text: &[u8]) -> Option<bool> {
        automata.with(|table| {
            let start = table.start();
            let end = text.iter().fold(start, |state, byte| table.next(state, *byte));
            table.accepts_end(end)
        })
    }

    proptest! {
        #[test]
        fn states_decide_as_the_library_does(
            expression in "\\^?([ab]|\\[\\^a\\]|\\.|[ab]\\{2\\}|\\(a\\|bé?\\)|[ab][*+?]){0,5}\\$?",
            texts in proptest::collection::vec("[abé]{0,8}", 8),
        ) {
            let regex = regex::bytes::Regex::new(&expression).expect("an expression");
            let automata = Automata::of(&expression).expect("has states");
            for text in texts {
                prop_assert_eq!(
                    accepts(&automata, text.as_bytes()),
                    Some(regex.is_match(text.as_bytes())),
                    "`{}` in `{}`", expression, text
                );
            }
        }
    }

    #[test]
    fn an_expression_with_too_many_states_is_given_up() {
        let automata = Automata::of("a[ab]{12}c").expect("has states");
        let mut texts = (0..8_192_u32).map(|bits| -> Vec<u8> {
            (0..26).map(|bit| if bits >> (bit % 13) & 1 == 0 { b'a' } else { b'b' }).collect()
        });
        assert!(texts.any(|text| accepts(&automata, &text).is_none()));
    }
}

//! Messages looked at byte by byte without being put together.
//!
//! What rows of a shape have in common is walked through once for all of them, as long as they are in one
//! state, and mostly they are: identifiers and numbers hold no byte that leads anywhere, which one quick pass
//! over a page tells. Of values that do, those of a dictionary are walked through once each, and others from
//! where they differ from the value before them.

use std::ops::Range;

use hashbrown::HashMap;

use super::{Messages, Run};
use crate::file::MalformedFile;
use crate::file::text_page::{Dictionary, TextPage, TextSlice};
use crate::file::texts::Place;

/// Decides on messages byte by byte. It is in a state, which has a number.
pub trait Automaton {
    /// Whatever follows, the message is accepted.
    const ACCEPTED: u32 = 0;
    /// Whatever follows, it is not.
    const REFUSED: u32 = 1;

    /// The state before the first byte. No state is `u32::MAX`.
    fn start(&mut self) -> u32;

    /// The state that a byte leads to.
    fn next(&mut self, state: u32, byte: u8) -> u32;

    /// Whether a message is accepted that ends in this state.
    fn accepts_end(&mut self, state: u32) -> bool;

    /// Which bytes lead from a state to itself.
    fn idle(&mut self, state: u32) -> &[bool; 256];
}

impl Messages {
    /// The rows whose messages are accepted, ascending.
    pub fn accepted<A: Automaton>(&self, automaton: &mut A) -> Result<Vec<u32>, MalformedFile> {
        let (mut accepted, mut walk) = (Vec::new(), Walk::new(self, automaton));
        for run in &self.runs {
            let rows = run.rows.clone().map(|row| row as u32);
            match walk.end(run)? {
                States::Common(state) if walk.accepts(state) => accepted.extend(rows),
                States::Common(_) => {}
                States::Each(states) => {
                    let numbered = rows.zip(states);
                    accepted.extend(numbered.filter(|(_, state)| walk.accepts(*state)).map(|(row, _)| row));
                }
            }
        }
        Ok(accepted)
    }
}

/// The states of rows that are walked through together.
enum States {
    /// They are in the same one.
    Common(u32),
    /// Of each row.
    Each(Vec<u32>),
}

/// A walk through messages, and what was learned on the way.
struct Walk<'m, 'a, A> {
    messages: &'m Messages,
    automaton: &'a mut A,
    /// For states, the bytes that lead elsewhere.
    leading: HashMap<u32, Leading>,
    /// For states, columns and pages, whether nothing in there leads elsewhere.
    idle_pages: HashMap<(u32, usize, usize), bool>,
    /// For columns with a dictionary, where its entries lead.
    entries: HashMap<usize, EntryEnds>,
}

impl<'m, 'a, A: Automaton> Walk<'m, 'a, A> {
    fn new(messages: &'m Messages, automaton: &'a mut A) -> Self {
        let (leading, idle_pages, entries) = Default::default();
        Self { messages, automaton, leading, idle_pages, entries }
    }

    fn accepts(&mut self, state: u32) -> bool {
        state == A::ACCEPTED || (state != A::REFUSED && self.automaton.accepts_end(state))
    }

    /// The states at the end of the messages of a run.
    fn end(&mut self, run: &Run) -> Result<States, MalformedFile> {
        let (text, literals): (&[u8], &[Range<usize>]) = match &run.shape {
            Some(shape) => shape.literal_ranges(),
            None => (b"", &[0..0, 0..0]),
        };
        let mut states = States::Common(self.automaton.start());
        let mut values = run.values.iter();
        for literal in literals {
            if let States::Common(state) = states
                && state <= A::REFUSED
            {
                break;
            }
            states.pass(&text[literal.clone()], self.automaton);
            if let Some((column, first)) = values.next() {
                states = self.pass_values(states, *column, *first, run.rows.len())?;
            }
        }
        Ok(states)
    }

    /// Walks so many rows through values that lie one behind the other.
    fn pass_values(
        &mut self,
        states: States,
        column: usize,
        first: Place,
        count: usize,
    ) -> Result<States, MalformedFile> {
        let page = self.messages.columns[column].page(first.page);
        let common = match states {
            States::Common(state) => Some(state),
            States::Each(_) => None,
        };
        if common.is_some_and(|state| self.is_idle_page(state, column, first.page, page)) {
            return Ok(states);
        }
        let values = page.texts()?.part(first.index..first.index + count);
        if let (Some(state), TextSlice::InOrder { bytes, bounds }) = (common, values)
            && self.is_idle(state, &bytes[bounds[0] as usize..bounds[count] as usize])
        {
            return Ok(states);
        }
        let mut each = match states {
            States::Common(state) => vec![state; count],
            States::Each(each) => each,
        };
        match values {
            TextSlice::InOrder { .. } => {
                let mut path = Path::default();
                for (index, state) in each.iter_mut().enumerate() {
                    *state = path.end(*state, values.get(index), self.automaton);
                }
            }
            TextSlice::Recurring { dictionary, numbers } => {
                let ends = self.entries.entry(column).or_default();
                for (number, state) in numbers.iter().zip(&mut each) {
                    *state = ends.end(*state, *number as usize, dictionary, self.automaton);
                }
            }
        }
        Ok(States::settled(each))
    }

    /// Whether no text of a page leads away from a state.
    fn is_idle_page(&mut self, state: u32, column: usize, number: usize, page: &TextPage) -> bool {
        if let Some(known) = self.idle_pages.get(&(state, column, number)) {
            return *known;
        }
        let is_idle = match page.dictionary() {
            Some(dictionary) => dictionary.entries().all(|entry| self.is_idle(state, entry)),
            None => self.is_idle(state, page.alphabet()),
        };
        self.idle_pages.insert((state, column, number), is_idle);
        is_idle
    }

    /// Whether none of these bytes leads away from a state.
    fn is_idle(&mut self, state: u32, bytes: &[u8]) -> bool {
        let idle = self.automaton.idle(state);
        self.leading.entry(state).or_insert_with(|| Leading::of(idle)).is_in_none(bytes, idle)
    }
}

/// The bytes that lead away from a state, as the first and the number of those that follow it.
struct Leading(Vec<(u8, u8)>);

impl Leading {
    fn of(idle: &[bool; 256]) -> Self {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in (0..=u8::MAX).filter(|byte| !idle[usize::from(*byte)]) {
            match ranges.last_mut() {
                Some((first, more)) if *first + *more + 1 == byte => *more += 1,
                _ => ranges.push((byte, 0)),
            }
        }
        Self(ranges)
    }

    /// Whether none of `bytes` is one of them: those that are `idle` are not. Few ranges are compared with many
    /// bytes at once.
    fn is_in_none(&self, bytes: &[u8], idle: &[bool; 256]) -> bool {
        let is_in = |(first, more): (u8, u8), byte: u8| byte.wrapping_sub(first) <= more;
        match *self.0.as_slice() {
            [] => true,
            [a] => is_none(bytes, |byte| is_in(a, byte)),
            [a, b] => is_none(bytes, |byte| is_in(a, byte) | is_in(b, byte)),
            [a, b, c] => is_none(bytes, |byte| is_in(a, byte) | is_in(b, byte) | is_in(c, byte)),
            _ => is_none(bytes, |byte| !idle[usize::from(byte)]),
        }
    }
}

/// Whether no byte is one of those, without a branch for each.
fn is_none(bytes: &[u8], those: impl Fn(u8) -> bool) -> bool {
    !bytes.chunks(128).any(|chunk| chunk.iter().fold(false, |any, byte| any | those(*byte)))
}

/// Where the entries of a dictionary lead from some states, as far as it was asked.
#[derive(Default)]
struct EntryEnds(Vec<(u32, Vec<u32>)>);

impl EntryEnds {
    /// From more states, entries are walked through again and again.
    const STATES_MAX: usize = 8;
    /// Not known yet.
    const UNKNOWN: u32 = u32::MAX;

    fn end(
        &mut self,
        state: u32,
        number: usize,
        dictionary: &Dictionary,
        automaton: &mut impl Automaton,
    ) -> u32 {
        let mut walk = || walk(state, dictionary.get(number), automaton);
        let known = match self.0.iter().position(|(from, _)| *from == state) {
            Some(known) => known,
            None if self.0.len() < Self::STATES_MAX => {
                self.0.push((state, vec![Self::UNKNOWN; dictionary.len()]));
                self.0.len() - 1
            }
            None => return walk(),
        };
        let end = &mut self.0[known].1[number];
        if *end == Self::UNKNOWN {
            *end = walk();
        }
        *end
    }
}

/// The states on the way through a text, the one before its first byte included.
#[derive(Default)]
struct Path<'t> {
    text: &'t [u8],
    states: Vec<u32>,
}

impl<'t> Path<'t> {
    /// Goes through another text, as far as it is another.
    fn end(&mut self, from: u32, text: &'t [u8], automaton: &mut impl Automaton) -> u32 {
        if self.states.first() != Some(&from) {
            self.states.clear();
            self.states.push(from);
            self.text = &[];
        }
        let same = self.text.iter().zip(text).take_while(|(a, b)| a == b).count();
        self.states.truncate(same + 1);
        let mut state = self.states[same];
        self.states.extend(text[same..].iter().map(|byte| {
            state = automaton.next(state, *byte);
            state
        }));
        self.text = text;
        state
    }
}

fn walk(state: u32, text: &[u8], automaton: &mut impl Automaton) -> u32 {
    text.iter().fold(state, |state, byte| automaton.next(state, *byte))
}

impl States {
    fn settled(each: Vec<u32>) -> Self {
        match each.first() {
            Some(first) if each.iter().all(|state| state == first) => Self::Common(*first),
            _ => Self::Each(each),
        }
    }

    /// Walks all rows through the same text.
    fn pass(&mut self, text: &[u8], automaton: &mut impl Automaton) {
        let mut end = |state| walk(state, text, automaton);
        match self {
            Self::Common(state) => *state = end(*state),
            Self::Each(states) => {
                // There are few different ones.
                let mut known: Vec<(u32, u32)> = Vec::new();
                for state in &mut *states {
                    let found = known.iter().find(|(from, _)| from == state).map(|(_, to)| *to);
                    *state = found.unwrap_or_else(|| {
                        let to = end(*state);
                        known.push((*state, to));
                        to
                    });
                }
                *self = Self::settled(std::mem::take(states));
            }
        }
    }
}

//! Messages looked at byte by byte without being put together.
//!
//! What rows of a shape have in common is walked through once for all of them, as long as they are in one
//! state, and mostly they are: identifiers and numbers hold no byte that leads anywhere, which one quick pass
//! over a column tells. Only values that do are walked through, each by itself.

use std::ops::Range;

use super::{Messages, Run};

/// Decides on messages byte by byte. It is in a state, which has a number.
pub trait Automaton {
    /// Whatever follows, the message is accepted.
    const ACCEPTED: u32 = 0;
    /// Whatever follows, it is not.
    const REFUSED: u32 = 1;

    /// The state before the first byte.
    fn start(&mut self) -> u32;

    /// The state that a byte leads to.
    fn next(&mut self, state: u32, byte: u8) -> u32;

    /// Whether a message is accepted that ends in this state.
    fn accepts_end(&mut self, state: u32) -> bool;

    /// Which bytes lead from a state to itself.
    fn idle(&mut self, state: u32) -> &[bool; 256];
}

/// The states of rows that are walked through together.
enum States {
    /// They are in the same one.
    Common(u32),
    /// Of each row.
    Each(Vec<u32>),
}

impl Messages {
    /// The rows whose messages are accepted, ascending.
    pub fn accepted<A: Automaton>(&self, automaton: &mut A) -> Vec<u32> {
        let mut accepted = Vec::new();
        for run in &self.runs {
            let rows = || run.rows.clone().map(|row| row as u32);
            match self.walk(run, automaton) {
                States::Common(state) if accepts(automaton, state) => accepted.extend(rows()),
                States::Common(_) => {}
                States::Each(states) => {
                    let numbered = rows().zip(states);
                    accepted
                        .extend(numbered.filter(|(_, state)| accepts(automaton, *state)).map(|(row, _)| row));
                }
            }
        }
        accepted
    }

    fn walk<A: Automaton>(&self, run: &Run, automaton: &mut A) -> States {
        let (text, literals): (&[u8], &[Range<usize>]) = match &run.shape {
            Some(shape) => shape.literal_ranges(),
            None => (b"", &[0..0, 0..0]),
        };
        let mut states = States::Common(automaton.start());
        let mut slots = run.spans.iter().zip(&run.columns);
        for literal in literals {
            if let States::Common(state) = states
                && state <= A::REFUSED
            {
                return states;
            }
            states.pass(&text[literal.clone()], automaton);
            if let Some((span, column)) = slots.next() {
                let spans = *span..*span + run.rows.len();
                states = self.walk_values(states, spans, *column, automaton);
            }
        }
        states
    }

    fn walk_values<A: Automaton>(
        &self,
        states: States,
        spans: Range<usize>,
        column: usize,
        automaton: &mut A,
    ) -> States {
        let mut each = match states {
            States::Common(state) => {
                let idle = automaton.idle(state);
                let leads_nowhere = |bytes: &[u8]| all_are(bytes, idle);
                if self.columns[column].all_pieces(&self.texts, &spans, leads_nowhere) {
                    return States::Common(state);
                }
                vec![state; spans.len()]
            }
            States::Each(each) => each,
        };
        let mut last = (0, &[][..], 0);
        for (state, text) in each.iter_mut().zip(self.texts.texts(spans)) {
            // What recurs often recurs at once.
            if (last.0, last.1) != (*state, text) {
                let end = text.iter().fold(*state, |state, byte| automaton.next(state, *byte));
                last = (*state, text, end);
            }
            *state = last.2;
        }
        States::settled(each)
    }
}

impl States {
    fn settled(each: Vec<u32>) -> Self {
        match each.first() {
            Some(first) if each.iter().all(|state| state == first) => Self::Common(*first),
            _ => Self::Each(each),
        }
    }

    /// Walks all rows through the same text.
    fn pass<A: Automaton>(&mut self, text: &[u8], automaton: &mut A) {
        let mut end = |state| text.iter().fold(state, |state, byte| automaton.next(state, *byte));
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

fn accepts<A: Automaton>(automaton: &mut A, state: u32) -> bool {
    state == A::ACCEPTED || (state != A::REFUSED && automaton.accepts_end(state))
}

/// Whether all bytes are among those, without a branch for each.
fn all_are(bytes: &[u8], those: &[bool; 256]) -> bool {
    bytes.chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & those[usize::from(*byte)]))
}

//! A pattern of fields compiled to decide on messages.

use super::super::comparison::Test;
use super::super::expression::Expression;
use super::super::matcher::Extracted;
use super::split::{Piece, Split};
use super::{Field, FieldPattern};

#[derive(Clone, Debug)]
pub(in crate::pattern) struct FieldMatcher {
    /// Before the ellipsis, or all.
    front: Vec<Place>,
    /// Behind the ellipsis; `None` without one.
    back: Option<Vec<Place>>,
}

#[derive(Clone, Debug)]
struct Place {
    name: Option<String>,
    tests: Option<Expression<Test>>,
}

impl FieldMatcher {
    pub(in crate::pattern) fn new(pattern: &FieldPattern) -> Self {
        let places = |fields: &[Field]| fields.iter().map(Place::new).collect();
        match pattern.fields.iter().position(|field| *field == Field::Ellipsis) {
            None => Self { front: places(&pattern.fields), back: None },
            Some(at) => {
                Self { front: places(&pattern.fields[..at]), back: Some(places(&pattern.fields[at + 1..])) }
            }
        }
    }

    pub(in crate::pattern) fn matches(&self, message: &[u8]) -> bool {
        self.pieces(message).is_some_and(|pieces| self.holds(&pieces))
    }

    /// The fields by name, or by their number from 1 if they have none, each with `$` in front, if the
    /// message matches.
    pub(in crate::pattern) fn extracted(&self, message: &[u8]) -> Option<Extracted> {
        let pieces = self.pieces(message).filter(|pieces| self.holds(pieces))?;
        let behind = pieces.len() - self.back.as_ref().map_or(0, Vec::len);
        let named = |(index, piece): (usize, &Piece<'_>)| {
            let place = match &self.back {
                Some(back) if index >= behind => back.get(index - behind),
                _ => self.front.get(index),
            };
            let name = match place.and_then(|place| place.name.as_ref()) {
                Some(name) => format!("${name}"),
                None => format!("${}", index + 1),
            };
            (name, String::from_utf8_lossy(piece.text).into_owned())
        };
        Some(pieces.iter().enumerate().map(named).collect())
    }

    /// The message's fields, if there are as many as the pattern wants.
    fn pieces<'m>(&self, message: &'m [u8]) -> Option<Vec<Piece<'m>>> {
        let mut split = Split::new(message);
        let Some(back) = &self.back else {
            let mut pieces: Vec<_> = split.by_ref().take(self.front.len()).collect();
            if pieces.len() < self.front.len() {
                return None;
            }
            if let Some(last) = pieces.last_mut()
                && split.next().is_some()
            {
                last.text = message[last.start..].trim_ascii_end();
            }
            return Some(pieces);
        };
        let pieces: Vec<_> = split.collect();
        (pieces.len() >= self.front.len() + back.len()).then_some(pieces)
    }

    fn holds(&self, pieces: &[Piece<'_>]) -> bool {
        let hold = |places: &[Place], pieces: &[Piece<'_>]| {
            places.iter().zip(pieces).all(|(place, piece)| place.holds(piece.text))
        };
        let back = self.back.as_deref().unwrap_or_default();
        hold(&self.front, pieces) && hold(back, &pieces[pieces.len() - back.len()..])
    }
}

impl Place {
    fn new(field: &Field) -> Self {
        let tests = match field {
            Field::Conditional(expression) => {
                Some(expression.map(&mut |condition| Test::new(&condition.comparison)))
            }
            Field::Unnamed | Field::Named(_) | Field::Ellipsis => None,
        };
        Self { name: field.name().map(str::to_owned), tests }
    }

    fn holds(&self, text: &[u8]) -> bool {
        self.tests.as_ref().is_none_or(|tests| tests.holds(&|test| test.holds_for_untyped(text)))
    }
}

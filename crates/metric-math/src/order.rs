//! Expressions that refer to each other: which is evaluated before which.

use std::collections::HashMap;

use crate::error::{MathError, Problem};
use crate::expression::{Expression, Reference};

/// Why entries cannot be put in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Error in expression '{id}': {source}")]
pub struct EntryError {
    /// The id of the entry that is wrong.
    pub id: String,
    /// What is wrong with it, about its text.
    #[source]
    pub source: MathError,
}

/// The indices of `entries` (ids with their expressions) such that each comes after those that it refers to,
/// and otherwise in the order given. `is_metric` knows the ids of the entries that are not math.
///
/// Refuses an id that nothing has, and a circle, naming its members in order. If several entries have one id
/// the first counts; ids are the caller's to check.
pub fn evaluation_order(
    entries: &[(&str, &Expression)],
    is_metric: impl Fn(&str) -> bool,
) -> Result<Vec<usize>, EntryError> {
    let mut index_of = HashMap::new();
    for (index, (id, _)) in entries.iter().enumerate() {
        index_of.entry(*id).or_insert(index);
    }
    let references: Vec<Vec<Reference<'_>>> =
        entries.iter().map(|(_, expression)| expression.references()).collect();
    let fail = |entry: usize, reference: &Reference<'_>, problem| {
        let (id, expression) = entries[entry];
        let source = MathError::new(problem, expression.text(), reference.span.clone());
        Err(EntryError { id: id.to_owned(), source })
    };

    let mut order = Vec::with_capacity(entries.len());
    let mut is_placed = vec![false; entries.len()];
    let mut is_on_path = vec![false; entries.len()];
    for root in 0..entries.len() {
        // The way from `root` to where we are: each entry, and how many of its references are done. A stack
        // of its own, because a chain of hundreds of entries is legal.
        let mut path = if is_placed[root] { Vec::new() } else { vec![(root, 0)] };
        is_on_path[root] = true;
        while let Some((entry, done)) = path.last_mut() {
            let entry = *entry;
            let Some(reference) = references[entry].get(*done) else {
                is_placed[entry] = true;
                is_on_path[entry] = false;
                order.push(entry);
                path.pop();
                continue;
            };
            *done += 1;
            match index_of.get(reference.id).copied() {
                None if is_metric(reference.id) => {}
                None => return fail(entry, reference, Problem::Undefined(reference.id.to_owned())),
                Some(next) if is_placed[next] => {}
                Some(next) if is_on_path[next] => {
                    let circle = path.iter().map(|(entry, _)| *entry).skip_while(|entry| *entry != next);
                    let ids = circle.chain([next]).map(|entry| entries[entry].0.to_owned()).collect();
                    return fail(entry, reference, Problem::Cycle(ids));
                }
                Some(next) => {
                    is_on_path[next] = true;
                    path.push((next, 0));
                }
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `entries` as `id = expression`; `expected` as ids in order, or the message.
    #[track_caller]
    fn check(entries: &[&str], expected: &str) {
        let parsed: Vec<(&str, Expression)> = entries
            .iter()
            .map(|entry| {
                let (id, text) = entry.split_once(" = ").expect("id = expression");
                (id, Expression::parse(text).expect("an expression"))
            })
            .collect();
        let borrowed: Vec<(&str, &Expression)> =
            parsed.iter().map(|(id, expression)| (*id, expression)).collect();
        let found = match evaluation_order(&borrowed, |id| id.starts_with('m')) {
            Ok(order) => order.iter().map(|index| borrowed[*index].0).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn entries_come_after_what_they_refer_to() {
        check(&["e1 = m1 + m2"], "e1");
        check(&["e1 = e2 * 2", "e2 = m1"], "e2 e1");
        check(&["e1 = e3 + e2", "e2 = e3", "e3 = m1"], "e3 e2 e1");
        check(&["e1 = m1", "e2 = m1", "e3 = SUM([e2, e1])"], "e1 e2 e3");
        check(&["e1 = SUM(METRICS())", "e2 = e1"], "e1 e2");
        check(&[], "");
    }

    #[test]
    fn circles_and_unknown_ids_are_named() {
        check(
            &["e1 = e2", "e2 = m1 + e1"],
            "Error in expression 'e2': the expressions refer to each other in a circle: e1 -> e2 -> e1 at character 6",
        );
        check(
            &["e1 = 2 * e1"],
            "Error in expression 'e1': the expressions refer to each other in a circle: e1 -> e1 at character 5",
        );
        check(
            &["e1 = e2", "e2 = e3", "e3 = e2"],
            "Error in expression 'e3': the expressions refer to each other in a circle: e2 -> e3 -> e2 at character 1",
        );
        check(&["e1 = m1 / x1"], "Error in expression 'e1': Undefined variable 'x1' at character 6");
    }

    #[test]
    fn a_chain_of_five_hundred_entries_is_ordered() {
        let texts: Vec<String> = (1..=500).map(|index| format!("e{index}")).collect();
        let parsed: Vec<Expression> = (2..=501)
            .map(|index| Expression::parse(&format!("e{index}").replace("e501", "m1")).expect("an id"))
            .collect();
        let entries: Vec<(&str, &Expression)> = texts.iter().map(String::as_str).zip(&parsed).collect();
        let order = evaluation_order(&entries, |id| id == "m1").expect("no circle");
        assert!(order.iter().copied().eq((0..500).rev()));
    }
}

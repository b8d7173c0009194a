//! Who depends on whom: composite alarms, their children and their suppressors.
//!
//! An index over definitions, rebuilt at the start. AWS lets cycles be created ("it is possible to create a
//! loop") and then stops evaluating what has one in its evaluation path; so levels are only given to alarms
//! without a cycle below.

use std::collections::{BTreeMap, BTreeSet};

use groundwatch_storage::Key;

use crate::definition::CompositeDefinition;

/// The index.
#[derive(Debug, Default)]
pub(crate) struct Family {
    composites: BTreeMap<Key, Links>,
    /// By child.
    parents: BTreeMap<Key, BTreeSet<Key>>,
    /// By suppressor.
    suppressed: BTreeMap<Key, BTreeSet<Key>>,
    /// How far above metric alarms each composite alarm stands; `None` until it is asked for.
    levels: Option<BTreeMap<Key, usize>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Links {
    children: Vec<Key>,
    suppressor: Option<Key>,
}

impl Family {
    /// Notes what the alarm `key` is from now on: a composite alarm so defined, or none.
    pub(crate) fn set(&mut self, key: &Key, definition: Option<&CompositeDefinition>) {
        let links = definition.map(|definition| Links::of(key, definition));
        if self.composites.get(key) == links.as_ref() {
            return;
        }
        self.levels = None;
        if let Some(old) = self.composites.remove(key) {
            old.children.iter().for_each(|child| unlink(&mut self.parents, child, key));
            old.suppressor.iter().for_each(|suppressor| unlink(&mut self.suppressed, suppressor, key));
        }
        if let Some(links) = links {
            for child in &links.children {
                self.parents.entry(child.clone()).or_default().insert(key.clone());
            }
            if let Some(suppressor) = &links.suppressor {
                self.suppressed.entry(suppressor.clone()).or_default().insert(key.clone());
            }
            self.composites.insert(key.clone(), links);
        }
    }

    /// The children of a composite alarm, by name. Empty for any other alarm.
    pub(crate) fn children(&self, key: &Key) -> &[Key] {
        self.composites.get(key).map_or(&[], |links| &links.children)
    }

    /// The composite alarms whose rules name the alarm, by name.
    pub(crate) fn parents(&self, key: &Key) -> impl Iterator<Item = &Key> {
        self.parents.get(key).into_iter().flatten()
    }

    /// The suppressor of a composite alarm.
    pub(crate) fn suppressor(&self, key: &Key) -> Option<&Key> {
        self.composites.get(key)?.suppressor.as_ref()
    }

    /// The composite alarms that a change of the alarm concerns: parents, and those that it suppresses.
    pub(crate) fn dependents(&self, key: &Key) -> impl Iterator<Item = &Key> {
        self.parents(key).chain(self.suppressed.get(key).into_iter().flatten())
    }

    /// How far above metric alarms a composite alarm stands: evaluated level by level, each sees what its
    /// children have become. `None` for one with a cycle below, or in one.
    pub(crate) fn level(&mut self, key: &Key) -> Option<usize> {
        if self.levels.is_none() {
            self.levels = Some(self.compute_levels());
        }
        self.levels.as_ref()?.get(key).copied()
    }

    /// From the bottom up: an alarm has a level once all composite alarms below it have one.
    fn compute_levels(&self) -> BTreeMap<Key, usize> {
        let composite_children = |links: &Links| {
            links.children.iter().filter(|child| self.composites.contains_key(*child)).count()
        };
        let mut unfinished: BTreeMap<&Key, usize> =
            self.composites.iter().map(|(key, links)| (key, composite_children(links))).collect();
        let mut ready: Vec<&Key> =
            unfinished.iter().filter(|(_, children)| **children == 0).map(|(key, _)| *key).collect();
        let mut levels = BTreeMap::new();
        let mut level = 0;
        while !ready.is_empty() {
            let mut next = Vec::new();
            for key in ready {
                levels.insert(key.clone(), level);
                for parent in self.parents(key) {
                    let Some(children) = unfinished.get_mut(parent) else { continue };
                    *children -= 1;
                    if *children == 0 {
                        next.push(parent);
                    }
                }
            }
            ready = next;
            level += 1;
        }
        levels
    }
}

impl Links {
    fn of(key: &Key, definition: &CompositeDefinition) -> Self {
        let alarm = |name: String| Key::new(&key.scope, name);
        Self {
            children: definition.children().into_iter().map(alarm).collect(),
            suppressor: definition.suppressor_name().map(alarm),
        }
    }
}

fn unlink(index: &mut BTreeMap<Key, BTreeSet<Key>>, from: &Key, key: &Key) {
    if let Some(keys) = index.get_mut(from) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{composite, key};

    fn family(rules: &[(&str, &str)]) -> Family {
        let mut family = Family::default();
        for (name, rule) in rules {
            family.set(&key(name), Some(&composite(rule)));
        }
        family
    }

    fn names<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<&'a str> {
        keys.map(|key| key.name.as_str()).collect()
    }

    #[test]
    fn children_know_their_parents_until_the_rule_changes() {
        let mut family = family(&[("p", "ALARM(b) OR OK(a) OR OK(b)"), ("q", "ALARM(a)")]);
        assert_eq!(names(family.children(&key("p")).iter()), ["a", "b"]);
        assert_eq!(names(family.parents(&key("a"))), ["p", "q"]);
        family.set(&key("p"), Some(&composite("FALSE")));
        assert_eq!(names(family.parents(&key("a"))), ["q"]);
        family.set(&key("q"), None);
        assert_eq!(names(family.dependents(&key("a"))), Vec::<&str>::new());
    }

    #[test]
    fn levels_rise_from_children_to_parents() {
        let mut family = family(&[
            ("bottom", "ALARM(m)"),
            ("middle", "ALARM(bottom)"),
            ("top", "ALARM(bottom) OR ALARM(middle) OR OK(m)"),
        ]);
        let levels = ["bottom", "middle", "top", "m"].map(|name| family.level(&key(name)));
        assert_eq!(levels, [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn nothing_above_a_cycle_has_a_level() {
        let mut family = family(&[
            ("a", "ALARM(b)"),
            ("b", "ALARM(a)"),
            ("above", "ALARM(a)"),
            ("self", "ALARM(self)"),
            ("apart", "ALARM(m)"),
        ]);
        let levels = ["a", "b", "above", "self", "apart"].map(|name| family.level(&key(name)));
        assert_eq!(levels, [None, None, None, None, Some(0)]);
        family.set(&key("b"), Some(&composite("FALSE")));
        assert_eq!([family.level(&key("b")), family.level(&key("a"))], [Some(0), Some(1)]);
    }
}

//! The kinds of constraint that AWS's models know, each with its words.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

use super::{Path, Shown, Validate, Violations};
use crate::OpenEnum;

/// What the model demands of the values of one shape.
pub trait Rule<T: ?Sized> {
    /// Whether AWS reports a violation inside a list or map at the container (`Member must satisfy
    /// constraint: […]`), as it does for simple values, rather than at the element's own path.
    const SIMPLE: bool;

    /// Finds what is wrong with `value`, which stands `at` that place.
    fn check(&self, value: &T, at: &Path<'_>, found: &mut Violations);

    /// Whether the value itself is right. Asked of simple values only.
    fn holds(&self, value: &T) -> bool;

    /// All that is demanded of a value, in AWS's words.
    fn demands(&self) -> Vec<String>;

    /// Writes the value as messages tell it.
    fn show(&self, value: &T, shown: &mut Shown);
}

/// Reports a simple value: one violation for each demand that it breaks.
#[cold]
fn report<T: ?Sized, R: Rule<T>>(
    rule: &R,
    value: &T,
    broken: Vec<String>,
    at: &Path<'_>,
    found: &mut Violations,
) {
    let mut shown = Shown::default();
    if found.has_room() {
        rule.show(value, &mut shown);
    }
    for demand in broken {
        found.add(at, Some(&shown), &demand);
    }
}

fn at_most(length: usize) -> String {
    format!("Member must have length less than or equal to {length}")
}

fn at_least(length: usize) -> String {
    format!("Member must have length greater than or equal to {length}")
}

/// How many there may be of something: characters, elements, entries.
#[derive(Clone, Copy, Debug, Default)]
struct Length {
    min: Option<usize>,
    max: Option<usize>,
}

impl Length {
    const ANY: Self = Self { min: None, max: None };

    #[inline]
    fn holds(self, length: usize) -> bool {
        self.min.is_none_or(|min| length >= min) && self.max.is_none_or(|max| length <= max)
    }

    fn broken(self, length: usize) -> Vec<String> {
        let above = self.max.filter(|max| length > *max).map(at_most);
        let below = self.min.filter(|min| length < *min).map(at_least);
        above.into_iter().chain(below).collect()
    }

    fn demands(self) -> Vec<String> {
        self.max.map(at_most).into_iter().chain(self.min.map(at_least)).collect()
    }
}

/// A string: how many characters, and which.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    length: Length,
    pattern: Option<&'static Pattern>,
}

impl Text {
    /// Any string.
    pub const ANY: Self = Self { length: Length::ANY, pattern: None };

    /// At least so many characters.
    pub const fn min(self, min: usize) -> Self {
        Self { length: Length { min: Some(min), max: self.length.max }, ..self }
    }

    /// At most so many characters.
    pub const fn max(self, max: usize) -> Self {
        Self { length: Length { min: self.length.min, max: Some(max) }, ..self }
    }

    /// Only what the pattern matches as a whole.
    pub const fn matching(self, pattern: &'static Pattern) -> Self {
        Self { length: self.length, pattern: Some(pattern) }
    }

    /// Lengths are counted in Unicode characters, but most texts need no counting: a character takes one to
    /// four bytes.
    #[inline]
    fn length_holds(&self, text: &str) -> bool {
        let bytes = text.len();
        let Length { min, max } = self.length;
        let surely_enough = min.is_none_or(|min| bytes >= min.saturating_mul(4) || (min == 1 && bytes > 0));
        let surely_not_too_many = max.is_none_or(|max| bytes <= max);
        (surely_enough && surely_not_too_many) || self.length.holds(text.chars().count())
    }
}

impl<T: AsRef<str>> Rule<T> for Text {
    const SIMPLE: bool = true;

    #[inline]
    fn check(&self, value: &T, at: &Path<'_>, found: &mut Violations) {
        if !self.holds(value) {
            let text = value.as_ref();
            let mut broken = self.length.broken(text.chars().count());
            broken.extend(self.pattern.filter(|pattern| !pattern.matches(text)).map(Pattern::demand));
            report(self, value, broken, at, found);
        }
    }

    #[inline]
    fn holds(&self, value: &T) -> bool {
        let text = value.as_ref();
        self.length_holds(text) && self.pattern.is_none_or(|pattern| pattern.matches(text))
    }

    fn demands(&self) -> Vec<String> {
        let mut demands = self.length.demands();
        demands.extend(self.pattern.map(Pattern::demand));
        demands
    }

    fn show(&self, value: &T, shown: &mut Shown) {
        shown.push(value.as_ref());
    }
}

/// A regular expression that a whole value must match, compiled when it is first needed.
#[derive(Debug)]
pub struct Pattern {
    /// As AWS's model (and so AWS's message) has it.
    model: &'static str,
    /// As the `regex` crate wants it, which reads `\w` and `\d` in their Unicode sense unlike AWS.
    rust: &'static str,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// The model's pattern, and the same for the `regex` crate.
    pub const fn new(model: &'static str, rust: &'static str) -> Self {
        Self { model, rust, compiled: OnceLock::new() }
    }

    fn matches(&self, text: &str) -> bool {
        self.compiled
            .get_or_init(|| {
                RegexBuilder::new(&format!(r"\A(?:{})\z", self.rust))
                    .size_limit(1 << 20)
                    .dfa_size_limit(1 << 20)
                    .build()
                    .expect("`cargo xtask api` compiles every pattern before it writes it")
            })
            .is_match(text)
    }

    fn demand(&self) -> String {
        format!("Member must satisfy regular expression pattern: {}", self.model)
    }
}

/// A number and its range.
#[derive(Clone, Copy, Debug)]
pub struct Number<T> {
    min: Option<T>,
    max: Option<T>,
}

impl<T: Copy> Number<T> {
    /// Any number.
    pub const ANY: Self = Self { min: None, max: None };

    /// At least this.
    pub const fn min(self, min: T) -> Self {
        Self { min: Some(min), max: self.max }
    }

    /// At most this.
    pub const fn max(self, max: T) -> Self {
        Self { min: self.min, max: Some(max) }
    }
}

impl<T: Copy + PartialOrd + Display> Number<T> {
    fn below(max: T) -> String {
        format!("Member must have value less than or equal to {max}")
    }

    fn above(min: T) -> String {
        format!("Member must have value greater than or equal to {min}")
    }
}

impl<T: Copy + PartialOrd + Display> Rule<T> for Number<T> {
    const SIMPLE: bool = true;

    #[inline]
    fn check(&self, value: &T, at: &Path<'_>, found: &mut Violations) {
        if !self.holds(value) {
            let too_large = self.max.filter(|max| value > max).map(Self::below);
            let too_small = self.min.filter(|min| value < min).map(Self::above);
            report(self, value, too_large.into_iter().chain(too_small).collect(), at, found);
        }
    }

    #[inline]
    fn holds(&self, value: &T) -> bool {
        // NaN is neither above nor below: what it means is the handler's to say.
        !self.min.is_some_and(|min| *value < min) && !self.max.is_some_and(|max| *value > max)
    }

    fn demands(&self) -> Vec<String> {
        self.max.map(Self::below).into_iter().chain(self.min.map(Self::above)).collect()
    }

    fn show(&self, value: &T, shown: &mut Shown) {
        shown.push(&value.to_string());
    }
}

/// An enum: only values that the model knows.
#[derive(Debug)]
pub struct OneOf;

impl<E: OpenEnum> Rule<E> for OneOf {
    const SIMPLE: bool = true;

    #[inline]
    fn check(&self, value: &E, at: &Path<'_>, found: &mut Violations) {
        if !self.holds(value) {
            report(self, value, Rule::<E>::demands(self), at, found);
        }
    }

    #[inline]
    fn holds(&self, value: &E) -> bool {
        value.is_known()
    }

    fn demands(&self) -> Vec<String> {
        vec![format!("Member must satisfy enum value set: [{}]", E::VALUES.join(", "))]
    }

    fn show(&self, value: &E, shown: &mut Shown) {
        shown.push(value.as_str());
    }
}

/// A value of which the model demands nothing, though perhaps that there is one.
#[derive(Debug)]
pub struct Opaque;

impl<T: Debug> Rule<T> for Opaque {
    const SIMPLE: bool = true;

    #[inline]
    fn check(&self, _: &T, _: &Path<'_>, _: &mut Violations) {}

    #[inline]
    fn holds(&self, _: &T) -> bool {
        true
    }

    fn demands(&self) -> Vec<String> {
        Vec::new()
    }

    fn show(&self, value: &T, shown: &mut Shown) {
        shown.push(&format!("{value:?}"));
    }
}

/// A structure, by its name: its own constraints.
#[derive(Debug)]
pub struct Shape(pub &'static str);

impl<T: Validate> Rule<T> for Shape {
    const SIMPLE: bool = false;

    #[inline]
    fn check(&self, value: &T, at: &Path<'_>, found: &mut Violations) {
        value.validate(at, found);
    }

    fn holds(&self, value: &T) -> bool {
        let mut found = Violations::default();
        value.validate(&Path::Root, &mut found);
        found.is_empty()
    }

    fn demands(&self) -> Vec<String> {
        Vec::new()
    }

    fn show(&self, _: &T, shown: &mut Shown) {
        // AWS prints the whole object in Java's manner; its name is enough to see what is meant.
        shown.push(self.0);
        shown.push("(…)");
    }
}

/// A boxed structure, which a recursive shape contains.
impl<T: Validate> Validate for Box<T> {
    fn validate(&self, at: &Path<'_>, found: &mut Violations) {
        (**self).validate(at, found);
    }
}

/// A list: how many elements, and what each must be.
#[derive(Debug)]
pub struct List<R: 'static> {
    length: Length,
    element: &'static R,
}

impl<R> List<R> {
    /// Any number of elements of that kind.
    pub const fn of(element: &'static R) -> Self {
        Self { length: Length::ANY, element }
    }

    /// At least so many elements.
    pub const fn min(self, min: usize) -> Self {
        Self { length: Length { min: Some(min), max: self.length.max }, element: self.element }
    }

    /// At most so many elements.
    pub const fn max(self, max: usize) -> Self {
        Self { length: Length { min: self.length.min, max: Some(max) }, element: self.element }
    }
}

impl<T, R: Rule<T>> Rule<Vec<T>> for List<R> {
    const SIMPLE: bool = false;

    #[inline]
    fn check(&self, value: &Vec<T>, at: &Path<'_>, found: &mut Violations) {
        if !self.length.holds(value.len()) {
            report(self, value, self.length.broken(value.len()), at, found);
        }
        if !R::SIMPLE {
            for (index, element) in value.iter().enumerate() {
                self.element.check(element, &at.element(index), found);
            }
        } else if !value.iter().all(|element| self.element.holds(element)) {
            report(self, value, vec![within("Member", self.element.demands())], at, found);
        }
    }

    fn holds(&self, value: &Vec<T>) -> bool {
        self.length.holds(value.len()) && value.iter().all(|element| self.element.holds(element))
    }

    fn demands(&self) -> Vec<String> {
        self.length.demands()
    }

    fn show(&self, value: &Vec<T>, shown: &mut Shown) {
        shown.push("[");
        for (index, element) in value.iter().enumerate() {
            if !shown.push(if index == 0 { "" } else { ", " }) {
                break;
            }
            self.element.show(element, shown);
        }
        shown.push("]");
    }
}

/// A map: how many entries, and what each key and value must be.
#[derive(Debug)]
pub struct Map<K: 'static, V: 'static> {
    length: Length,
    key: &'static K,
    value: &'static V,
}

impl<K, V> Map<K, V> {
    /// Any number of entries of that kind.
    pub const fn of(key: &'static K, value: &'static V) -> Self {
        Self { length: Length::ANY, key, value }
    }

    /// At least so many entries.
    pub const fn min(self, min: usize) -> Self {
        Self { length: Length { min: Some(min), max: self.length.max }, ..self }
    }

    /// At most so many entries.
    pub const fn max(self, max: usize) -> Self {
        Self { length: Length { min: self.length.min, max: Some(max) }, ..self }
    }
}

impl<N: AsRef<str>, T, K: Rule<N>, V: Rule<T>> Rule<BTreeMap<N, T>> for Map<K, V> {
    const SIMPLE: bool = false;

    fn check(&self, map: &BTreeMap<N, T>, at: &Path<'_>, found: &mut Violations) {
        if !self.length.holds(map.len()) {
            report(self, map, self.length.broken(map.len()), at, found);
        }
        if !map.keys().all(|key| self.key.holds(key)) {
            report(self, map, vec![within("Map keys", self.key.demands())], at, found);
        }
        if !V::SIMPLE {
            for (key, value) in map {
                self.value.check(value, &at.entry(key.as_ref()), found);
            }
        } else if !map.values().all(|value| self.value.holds(value)) {
            report(self, map, vec![within("Map value", self.value.demands())], at, found);
        }
    }

    fn holds(&self, map: &BTreeMap<N, T>) -> bool {
        self.length.holds(map.len())
            && map.iter().all(|(key, value)| self.key.holds(key) && self.value.holds(value))
    }

    fn demands(&self) -> Vec<String> {
        self.length.demands()
    }

    fn show(&self, map: &BTreeMap<N, T>, shown: &mut Shown) {
        shown.push("{");
        for (index, (key, value)) in map.iter().enumerate() {
            if !shown.push(if index == 0 { "" } else { ", " }) {
                break;
            }
            self.key.show(key, shown);
            shown.push("=");
            self.value.show(value, shown);
        }
        shown.push("}");
    }
}

/// What a container says of its simple elements: all that is demanded of them, whichever demand is broken.
fn within(what: &str, mut demands: Vec<String>) -> String {
    demands.push("Member must not be null".to_owned());
    format!("{what} must satisfy constraint: [{}]", demands.join(", "))
}

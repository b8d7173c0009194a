//! The constraint table of a service: which rule the values of a shape have, as Rust expressions.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde_json::Number;

use super::model::{Model, Shape};
use super::{names, pattern, recorded};

/// The rules that a service's inputs use.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// By the name of the static.
    pub(super) statics: BTreeMap<String, Rule>,
    /// By the name of the static: as the model has it, and as the `regex` crate wants it.
    pub(super) patterns: BTreeMap<String, (String, String)>,
    /// Whether any value of an enum passes, because the handlers look at it.
    open_enums: bool,
}

/// A static with the rule of a shape.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) shape: String,
    pub(super) rust_type: String,
    pub(super) value: String,
    /// What could not be expressed.
    pub(super) note: Option<String>,
}

/// A use of a rule: its type, and an expression that borrows it from within the module `rules`.
struct Reference {
    rust_type: String,
    value: Value,
    /// Whether it demands anything at all.
    demands: bool,
}

enum Value {
    Static(String),
    Inline(String),
}

impl Rules {
    pub(super) fn new(open_enums: bool) -> Self {
        Self { open_enums, ..Self::default() }
    }

    /// The rule of a member as an expression for outside of the module `rules`; `None` if nothing is demanded
    /// of it.
    pub(super) fn member(&mut self, model: &Model, shape: &str, required: bool) -> Result<Option<String>> {
        let rule = self.of(model, shape)?;
        Ok((rule.demands || required).then(|| match rule.value {
            Value::Static(name) => format!("&rules::{name}"),
            Value::Inline(value) => format!("&{value}"),
        }))
    }

    fn of(&mut self, model: &Model, name: &str) -> Result<Reference> {
        let shape = model.shape(name)?;
        match shape.kind.as_str() {
            "structure" => {
                let value = Value::Inline(format!("Shape({:?})", names::type_name(name)));
                Ok(Reference { rust_type: "Shape".to_owned(), value, demands: true })
            }
            "string" if shape.is_enum() && self.open_enums => Ok(inline("Opaque", "Opaque", false)),
            "string" if shape.is_enum() => Ok(inline("OneOf", "OneOf", true)),
            "string" => self.text(name, shape),
            "integer" => self.number(name, shape, "i32"),
            "long" => self.number(name, shape, "i64"),
            "float" | "double" => self.number(name, shape, "f64"),
            "list" => {
                let element = self.of(model, &shape.element()?.shape)?;
                let value = format!("List::of({}){}", element.inside(), bounds(shape, usize_text)?);
                let demands = element.demands || shape.min.is_some() || shape.max.is_some();
                self.add(name, format!("List<{}>", element.rust_type), value, None, demands)
            }
            "map" => {
                let (key, value) = shape.entry()?;
                let key = match model.shape(&key.shape)?.is_enum() {
                    true => inline("Text", "Text::ANY", false),
                    false => self.of(model, &key.shape)?,
                };
                let value = self.of(model, &value.shape)?;
                let text =
                    format!("Map::of({}, {}){}", key.inside(), value.inside(), bounds(shape, usize_text)?);
                let demands = key.demands || value.demands || shape.min.is_some() || shape.max.is_some();
                self.add(name, format!("Map<{}, {}>", key.rust_type, value.rust_type), text, None, demands)
            }
            kind => {
                ensure!(
                    shape.min.is_none() && shape.max.is_none(),
                    "{name}: `cargo xtask api` knows no bounds of a {kind}"
                );
                Ok(inline("Opaque", "Opaque", false))
            }
        }
    }

    fn text(&mut self, name: &str, shape: &Shape) -> Result<Reference> {
        let mut value = format!("Text::ANY{}", bounds(shape, usize_text)?);
        let mut note = None;
        if let Some(java) = recorded::pattern(name).or(shape.pattern.as_deref()) {
            match pattern::translate(java) {
                Ok(rust) => {
                    let name = names::constant(name);
                    value.push_str(&format!(".matching(&patterns::{name})"));
                    self.patterns.insert(name, (java.to_owned(), rust));
                }
                Err(error) => {
                    eprintln!("note: {name}: the pattern {java} is not checked: {error:#}");
                    note = Some(format!("The model's pattern is not checked: {java}"));
                }
            }
        }
        let demands = value != "Text::ANY" || note.is_some();
        self.add(name, "Text".to_owned(), value, note, demands)
    }

    fn number(&mut self, name: &str, shape: &Shape, rust_type: &str) -> Result<Reference> {
        let text = |number: &Number| match (rust_type, number.as_f64()) {
            ("f64", Some(number)) => Ok(format!("{number:?}")),
            (_, _) if number.is_i64() => Ok(number.to_string()),
            (_, _) => bail!("{name}: {number} is no {rust_type}"),
        };
        let bounds = bounds(shape, text)?;
        let demands = !bounds.is_empty();
        self.add(name, format!("Number<{rust_type}>"), format!("Number::ANY{bounds}"), None, demands)
    }

    /// Makes a static of a rule that demands something.
    fn add(
        &mut self,
        shape: &str,
        rust_type: String,
        value: String,
        note: Option<String>,
        demands: bool,
    ) -> Result<Reference> {
        if !demands {
            let value = Value::Inline(
                value.replace("Number::ANY", &format!("{}::ANY", rust_type.replacen('<', "::<", 1))),
            );
            return Ok(Reference { rust_type, value, demands });
        }
        let name = names::constant(shape);
        let rule = Rule { shape: shape.to_owned(), rust_type: rust_type.clone(), value, note };
        if let Some(other) = self.statics.insert(name.clone(), rule) {
            ensure!(
                other.shape == shape,
                "the rules of {shape} and {} would both be called {name}",
                other.shape
            );
        }
        Ok(Reference { rust_type, value: Value::Static(name), demands })
    }
}

impl Reference {
    /// As an expression for inside of the module `rules`.
    fn inside(&self) -> String {
        match &self.value {
            Value::Static(text) | Value::Inline(text) => format!("&{text}"),
        }
    }
}

fn inline(rust_type: &str, value: &str, demands: bool) -> Reference {
    Reference { rust_type: rust_type.to_owned(), value: Value::Inline(value.to_owned()), demands }
}

/// `.min(1).max(255)`, as far as the model has them.
fn bounds(shape: &Shape, text: impl Fn(&Number) -> Result<String>) -> Result<String> {
    let mut bounds = String::new();
    for (method, bound) in [("min", &shape.min), ("max", &shape.max)] {
        if let Some(bound) = bound {
            bounds.push_str(&format!(".{method}({})", text(bound)?));
        }
    }
    Ok(bounds)
}

fn usize_text(number: &Number) -> Result<String> {
    match number.as_u64() {
        Some(number) => Ok(number.to_string()),
        None => bail!("{number} is no length"),
    }
}

/// A raw string literal.
pub(super) fn raw(text: &str) -> String {
    if text.contains(['\\', '"']) { format!("r##\"{text}\"##") } else { format!("\"{text}\"") }
}

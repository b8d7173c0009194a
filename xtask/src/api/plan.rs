//! Which Rust types a service's wanted operations need: everything that is decided before text is written.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

use super::model::{Model, Reference, Shape};
use super::names;
use super::recorded::{self, ElementNames};
use super::rules::Rules;
use super::wanted::Wish;

/// The types of one service.
#[derive(Debug)]
pub(super) struct Plan<'m> {
    pub(super) service: String,
    pub(super) operations: Vec<Operation>,
    /// By Rust name.
    pub(super) structs: BTreeMap<String, Struct<'m>>,
    /// Those with a lifetime, by Rust name.
    pub(super) borrowed: BTreeMap<String, Struct<'m>>,
    /// By Rust name: the shape's name and itself.
    pub(super) enums: BTreeMap<String, (&'m str, &'m Shape)>,
    /// By Rust name.
    pub(super) event_streams: BTreeMap<String, Vec<Event>>,
    pub(super) rules: Rules,
}

/// One kind of event of a stream.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) wire_name: String,
    pub(super) variant: String,
    pub(super) rust_type: String,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: String,
    /// Whether its input stands in the module `borrowed`.
    pub(super) borrowed: bool,
    /// Whether the model has an output.
    pub(super) has_output: bool,
    /// The event stream that it answers, if it does.
    pub(super) events: Option<String>,
    /// Whether it reports violated constraints as a `ValidationException` of the service's own.
    pub(super) own_validation: bool,
}

/// A structure.
#[derive(Debug)]
pub(super) struct Struct<'m> {
    /// The shape's name in the model; `None` if AWS models none, and the struct is empty.
    pub(super) shape: Option<String>,
    pub(super) doc: String,
    /// Whether an input contains it, so that it has constraints.
    pub(super) validated: bool,
    pub(super) fields: Vec<Field<'m>>,
}

/// A member of a structure.
#[derive(Debug)]
pub(super) struct Field<'m> {
    pub(super) wire_name: String,
    pub(super) name: String,
    /// Inside the `Option`.
    pub(super) rust_type: String,
    pub(super) doc: String,
    /// Whether its type has the lifetime `'a`.
    pub(super) borrows: bool,
    pub(super) required: bool,
    /// An expression for its rule, where the model demands something.
    pub(super) rule: Option<String>,
    /// If it is a list or map that the query protocol flattens: the names in it.
    pub(super) flattened: Option<ElementNames<'m>>,
}

impl<'m> Plan<'m> {
    /// Plans the types of the wanted operations.
    pub(super) fn of(service: &str, model: &'m Model, wanted: &BTreeMap<String, Wish>) -> Result<Self> {
        let plan = Self {
            service: service.to_owned(),
            operations: Vec::new(),
            structs: BTreeMap::new(),
            borrowed: BTreeMap::new(),
            enums: BTreeMap::new(),
            event_streams: BTreeMap::new(),
            rules: Rules::new(recorded::checks_enums_itself(service)),
        };
        let mut planner = Planner { model, plan };
        for (name, wish) in wanted {
            planner.operation(name, *wish).with_context(|| format!("operation {name}"))?;
        }
        Ok(planner.plan)
    }
}

struct Planner<'m> {
    model: &'m Model,
    plan: Plan<'m>,
}

/// In which module a type stands that refers to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    Owned,
    Borrowed,
}

/// Where a shape is used.
#[derive(Clone, Copy, Debug)]
struct Use {
    home: Home,
    input: bool,
}

impl<'m> Planner<'m> {
    fn operation(&mut self, name: &str, wish: Wish) -> Result<()> {
        let operation = self.model.operations.get(name).context("is not in the model")?;
        let home = if wish.borrowed { Home::Borrowed } else { Home::Owned };
        let (input, output) = (format!("{name}Input"), format!("{name}Output"));
        self.root(
            &input,
            operation.input.as_ref(),
            format!("Input of [`{name}`]."),
            Use { home, input: true },
        )?;
        let used = Use { home: Home::Owned, input: false };
        let events = match &operation.output {
            Some(output) => self.event_stream(output, used)?,
            None => None,
        };
        if events.is_none() {
            self.root(&output, operation.output.as_ref(), format!("Output of [`{name}`]."), used)?;
        }
        // The others leave it to the framework, whatever their models say.
        let is_logs = self.plan.service == "logs";
        let answers = |error: &str| operation.errors.iter().any(|known| known.shape == error);
        self.plan.operations.push(Operation {
            name: name.to_owned(),
            borrowed: self.plan.borrowed.contains_key(&input),
            has_output: operation.output.is_some(),
            events,
            own_validation: is_logs
                && answers("ValidationException")
                && !answers("InvalidParameterException"),
        });
        Ok(())
    }

    /// Plans the events of an output that is a stream of them, and tells the stream's Rust name.
    fn event_stream(&mut self, output: &Reference, used: Use) -> Result<Option<String>> {
        let model = self.model;
        let members = &model.shape(&output.shape)?.members.0;
        let mut streams = Vec::new();
        for (_, member) in members {
            streams.extend(model.shape(&member.shape)?.eventstream.then_some(&member.shape));
        }
        let [stream] = streams.as_slice() else {
            ensure!(streams.is_empty(), "{} has several event streams", output.shape);
            return Ok(None);
        };
        ensure!(members.len() == 1, "{} has members beside its event stream", output.shape);
        let mut events = Vec::new();
        for (name, member) in &model.shape(stream)?.members.0 {
            // Errors travel in any stream, by their own names.
            if !model.shape(&member.shape)?.exception {
                let (rust_type, _) = self.rust_type(&member.shape, used)?;
                events.push(Event { wire_name: name.clone(), variant: names::type_name(name), rust_type });
            }
        }
        let rust_name = names::type_name(stream);
        self.plan.event_streams.insert(rust_name.clone(), events);
        Ok(Some(rust_name))
    }

    /// The input or output of an operation, which has a name by the operation whatever the model calls it.
    fn root(&mut self, rust_name: &str, shape: Option<&Reference>, doc: String, used: Use) -> Result<()> {
        match shape {
            Some(reference) => self.structure(&reference.shape, rust_name, doc, used),
            None => {
                let empty = Struct { shape: None, doc, validated: used.input, fields: Vec::new() };
                ensure!(
                    self.plan.structs.insert(rust_name.to_owned(), empty).is_none(),
                    "{rust_name} is also the name of another shape"
                );
                Ok(())
            }
        }
    }

    /// Plans a structure and what it contains, unless that is done.
    fn structure(&mut self, shape_name: &str, rust_name: &str, doc: String, used: Use) -> Result<()> {
        let shape = self.model.shape(shape_name)?;
        ensure!(shape.kind == "structure", "{shape_name} is a {}, not a structure", shape.kind);
        let home = self.home_of(shape_name, used.home)?;
        let used = Use { home, ..used };
        if let Some(planned) = self.structs(home).get(rust_name) {
            ensure!(
                planned.shape.as_deref() == Some(shape_name),
                "{shape_name} and {:?} would both be called {rust_name}",
                planned.shape
            );
            if planned.validated || !used.input {
                return Ok(());
            }
        }
        // Entered before its members, so that a shape that contains itself ends the recursion.
        let planned =
            Struct { shape: Some(shape_name.to_owned()), doc, validated: used.input, fields: Vec::new() };
        self.structs(home).insert(rust_name.to_owned(), planned);
        let mut fields = Vec::new();
        for (name, member) in &shape.members.0 {
            let field = self.field(shape_name, shape, name, member, used);
            fields.push(field.with_context(|| format!("{shape_name}.{name}"))?);
        }
        if let Some(planned) = self.structs(home).get_mut(rust_name) {
            planned.fields = fields;
        }
        Ok(())
    }

    fn structs(&mut self, home: Home) -> &mut BTreeMap<String, Struct<'m>> {
        match home {
            Home::Owned => &mut self.plan.structs,
            Home::Borrowed => &mut self.plan.borrowed,
        }
    }

    /// A shape without any text has nothing to borrow, and stands with the owned ones.
    fn home_of(&self, shape_name: &str, wish: Home) -> Result<Home> {
        let borrows = wish == Home::Borrowed && self.has_text(shape_name, &mut BTreeSet::new())?;
        Ok(if borrows { Home::Borrowed } else { Home::Owned })
    }

    fn field(
        &mut self,
        owner: &str,
        shape: &Shape,
        name: &str,
        member: &'m Reference,
        used: Use,
    ) -> Result<Field<'m>> {
        let target = self.model.shape(&member.shape)?;
        let (rust_type, borrows) = self.rust_type(&member.shape, used)?;
        let required = shape.required.iter().any(|required| required == name);
        let boxed =
            target.kind == "structure" && self.contains(&member.shape, owner, &mut BTreeSet::new())?;
        Ok(Field {
            wire_name: member.location_name.clone().unwrap_or_else(|| name.to_owned()),
            name: names::field(name),
            rust_type: if boxed { format!("Box<{rust_type}>") } else { rust_type },
            doc: self.facts(name, member, target, required)?,
            borrows,
            required,
            rule: if used.input {
                self.plan.rules.member(self.model, &member.shape, required)?
            } else {
                None
            },
            flattened: if member.flattened || target.flattened {
                Some(recorded::element_names(&member.shape).context("is flattened, under no known name")?)
            } else {
                None
            },
        })
    }

    /// Whether a value of `outer` may contain one of `inner` without a list or map in between.
    fn contains(&self, outer: &str, inner: &str, seen: &mut BTreeSet<String>) -> Result<bool> {
        if outer == inner {
            return Ok(true);
        }
        let shape = self.model.shape(outer)?;
        if shape.kind != "structure" || !seen.insert(outer.to_owned()) {
            return Ok(false);
        }
        for (_, member) in &shape.members.0 {
            if self.contains(&member.shape, inner, seen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether there is a string somewhere in it.
    fn has_text(&self, name: &str, seen: &mut BTreeSet<String>) -> Result<bool> {
        let shape = self.model.shape(name)?;
        if shape.kind == "string" {
            return Ok(!shape.is_enum());
        }
        if !seen.insert(name.to_owned()) {
            return Ok(false);
        }
        let parts = [&shape.member, &shape.key, &shape.value].into_iter().flatten();
        for part in parts.chain(shape.members.0.iter().map(|(_, member)| member)) {
            if self.has_text(&part.shape, seen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The Rust type of a shape, and whether it has the lifetime `'a`; plans the structures and enums in it.
    fn rust_type(&mut self, name: &str, used: Use) -> Result<(String, bool)> {
        let shape = self.model.shape(name)?;
        let plain = |rust_type: &str| Ok((rust_type.to_owned(), false));
        match shape.kind.as_str() {
            "string" if shape.is_enum() => {
                let rust_name = names::type_name(name);
                if let Some((other, _)) =
                    self.plan.enums.insert(rust_name.clone(), (name_in(self.model, name)?, shape))
                {
                    ensure!(other == name, "{name} and {other} would both be called {rust_name}");
                }
                Ok((outside(used.home, &rust_name), false))
            }
            "string" if used.home == Home::Borrowed => Ok(("Cow<'a, str>".to_owned(), true)),
            "string" => plain("String"),
            "integer" => plain("i32"),
            "long" => plain("i64"),
            "float" | "double" => plain("f64"),
            "boolean" => plain("bool"),
            "timestamp" => plain("WireTimestamp"),
            "blob" => plain("Blob"),
            "list" => {
                let (element, borrows) = self.rust_type(&shape.element()?.shape, used)?;
                Ok((format!("Vec<{element}>"), borrows))
            }
            "map" => {
                let (key, value) = shape.entry()?;
                let key_shape = self.model.shape(&key.shape)?;
                ensure!(key_shape.kind == "string", "{name}: keys of maps must be strings");
                // An unknown key is the handler's to refuse: whose value it has nobody knows.
                let (key, key_borrows) = match key_shape.is_enum() {
                    true => ("String".to_owned(), false),
                    false => self.rust_type(&key.shape, used)?,
                };
                let (value, value_borrows) = self.rust_type(&value.shape, used)?;
                Ok((format!("BTreeMap<{key}, {value}>"), key_borrows || value_borrows))
            }
            "structure" => {
                let rust_name = names::type_name(name);
                self.structure(name, &rust_name, format!("`{name}`{}.", union_fact(shape)), used)?;
                Ok(match self.home_of(name, used.home)? {
                    Home::Borrowed => (format!("{rust_name}<'a>"), true),
                    Home::Owned => (outside(used.home, &rust_name), false),
                })
            }
            other => bail!("{name}: `cargo xtask api` does not know the type `{other}`"),
        }
    }

    /// What the model states about a member, in our own words.
    fn facts(&self, name: &str, member: &Reference, target: &Shape, required: bool) -> Result<String> {
        let mut facts = Vec::new();
        match target.kind.as_str() {
            "list" => facts.push(format!("a list of `{}`", target.element()?.shape)),
            "map" => {
                let (key, value) = target.entry()?;
                facts.push(format!("a map from `{}` to `{}`", key.shape, value.shape));
            }
            _ => {}
        }
        let unit = match target.kind.as_str() {
            "string" => " characters",
            "list" => " elements",
            "map" => " entries",
            "blob" => " bytes",
            _ => "",
        };
        facts.extend(match (&target.min, &target.max) {
            (Some(min), Some(max)) => Some(format!("{min} to {max}{unit}")),
            (Some(min), None) => Some(format!("at least {min}{unit}")),
            (None, Some(max)) => Some(format!("at most {max}{unit}")),
            (None, None) => None,
        });
        facts.extend(required.then(|| "required".to_owned()));
        facts.extend(target.sensitive.then(|| "sensitive".to_owned()));
        facts.extend(member.deprecated.then(|| "deprecated by AWS".to_owned()));
        Ok(if facts.is_empty() { format!("`{name}`.") } else { format!("`{name}`: {}.", facts.join(", ")) })
    }
}

fn union_fact(shape: &Shape) -> &'static str {
    if shape.union { ", a union: one member is set" } else { "" }
}

/// The name, in `home`, of a type that stands with the owned ones.
fn outside(home: Home, rust_name: &str) -> String {
    match home {
        Home::Owned => rust_name.to_owned(),
        Home::Borrowed => format!("super::{rust_name}"),
    }
}

/// The shape's name for as long as the model lives.
fn name_in<'m>(model: &'m Model, name: &str) -> Result<&'m str> {
    let (name, _) = model.shapes.get_key_value(name).context("was found before")?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A model of one operation, `Put`, whose input is `Request` with these members; further shapes by name.
    fn model(members: &Value, mut shapes: Value) -> Model {
        shapes["Request"] = json!({"type": "structure", "members": members, "required": ["Text"]});
        shapes["Text"] = json!({"type": "string", "min": 1, "max": 9});
        let operations = json!({"Put": {"input": {"shape": "Request"}}});
        serde_json::from_value(json!({"metadata": {}, "operations": operations, "shapes": shapes}))
            .expect("a model")
    }

    fn plan(model: &Model, borrowed: bool) -> Result<Plan<'_>> {
        Plan::of("service", model, &[("Put".to_owned(), Wish { borrowed })].into())
    }

    fn types<'s>(structure: &'s Struct<'_>) -> Vec<(&'s str, &'s str)> {
        structure.fields.iter().map(|field| (field.name.as_str(), field.rust_type.as_str())).collect()
    }

    #[test]
    fn inputs_and_outputs_are_called_after_their_operation() {
        let model = model(&json!({"Text": {"shape": "Text"}}), json!({}));
        let plan = plan(&model, false).expect("understood");
        assert_eq!(plan.structs.keys().collect::<Vec<_>>(), ["PutInput", "PutOutput"]);
        assert_eq!(types(&plan.structs["PutInput"]), [("text", "String")]);
        assert_eq!(plan.structs["PutInput"].fields[0].doc, "`Text`: 1 to 9 characters, required.");
        assert!(!plan.operations[0].has_output);
    }

    #[test]
    fn members_keep_the_order_of_the_model() {
        let text = r#"{"metadata": {}, "operations": {"Put": {"input": {"shape": "Request"}}}, "shapes": {
            "Text": {"type": "string"},
            "Request": {"type": "structure", "members": {"B": {"shape": "Text"}, "A": {"shape": "Text"}}}}}"#;
        let model: Model = serde_json::from_str(text).expect("a model");
        let plan = plan(&model, false).expect("understood");
        assert_eq!(types(&plan.structs["PutInput"]), [("b", "String"), ("a", "String")]);
    }

    #[test]
    fn a_shape_is_boxed_where_it_contains_itself_but_not_through_a_list() {
        let node = json!({"type": "structure", "members": {
            "Next": {"shape": "Node"}, "Through": {"shape": "Pair"}, "Many": {"shape": "Nodes"},
        }});
        let pair =
            json!({"type": "structure", "members": {"Back": {"shape": "Node"}, "Text": {"shape": "Text"}}});
        let nodes = json!({"type": "list", "member": {"shape": "Node"}});
        let shapes = json!({"Node": node, "Pair": pair, "Nodes": nodes});
        let model = model(&json!({"Node": {"shape": "Node"}}), shapes);

        let owned = plan(&model, false).expect("understood");
        assert_eq!(types(&owned.structs["PutInput"]), [("node", "Node")]);
        let mut node = types(&owned.structs["Node"]);
        node.sort_unstable();
        assert_eq!(node, [("many", "Vec<Node>"), ("next", "Box<Node>"), ("through", "Box<Pair>")]);

        let borrowed = plan(&model, true).expect("understood");
        let mut node = types(&borrowed.borrowed["Node"]);
        node.sort_unstable();
        assert_eq!(
            node,
            [("many", "Vec<Node<'a>>"), ("next", "Box<Node<'a>>"), ("through", "Box<Pair<'a>>")]
        );
    }

    #[test]
    fn what_has_no_text_is_not_borrowed() {
        let shapes = json!({
            "Numbers": {"type": "structure", "members": {"A": {"shape": "Number"}}},
            "Number": {"type": "integer", "max": 3},
            "Unit": {"type": "string", "enum": ["x"]},
        });
        let members = json!({
            "Numbers": {"shape": "Numbers"}, "Text": {"shape": "Text"}, "Unit": {"shape": "Unit"},
        });
        let model = model(&members, shapes);
        let plan = plan(&model, true).expect("understood");
        let input = &plan.borrowed["PutInput"];
        assert!(types(input).contains(&("text", "Cow<'a, str>")));
        assert!(types(input).contains(&("numbers", "super::Numbers")));
        assert!(types(input).contains(&("unit", "super::Unit")));
        assert!(plan.structs["Numbers"].validated);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (shapes, expected) in [
            (json!({"X": {"type": "string", "jsonvalue": true}}), "jsonvalue"),
            (json!({"X": {"type": "structure", "members": {}, "document": true}}), "document"),
            (json!({"X": {"type": "bigInteger"}}), "bigInteger"),
            (json!({"X": {"type": "list", "member": {"shape": "Text"}, "flattened": true}}), "flattened"),
            (json!({"X": {"type": "blob", "max": 5}}), "bounds"),
        ] {
            let model = model(&json!({"X": {"shape": "X"}}), shapes);
            let error = format!("{:#}", plan(&model, false).expect_err(expected));
            assert!(error.contains(expected) && error.contains('X'), "{error}");
        }
    }
}

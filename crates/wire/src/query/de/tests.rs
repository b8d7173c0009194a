use std::collections::BTreeMap;

use groundwatch_api::{Blob, WireTimestamp};
use groundwatch_core::Timestamp;

use crate::query::decode;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Shape {
    name: Option<String>,
    count: Option<i32>,
    enabled: Option<bool>,
    value: Option<f64>,
    at: Option<WireTimestamp>,
    data: Option<Blob>,
    inner: Option<Box<Shape>>,
    list: Option<Vec<String>>,
    shapes: Option<Vec<Shape>>,
    map: Option<BTreeMap<String, String>>,
}

fn check(form: &str, expected: Shape) {
    assert_eq!(decode(form.as_bytes(), &[]), Ok(expected), "{form}");
}

fn refused(form: &str, complaint: &str) {
    assert_eq!(decode::<Shape>(form.as_bytes(), &[]), Err(Malformed::new(complaint)), "{form}");
}

fn list<const N: usize>(elements: [&str; N]) -> Shape {
    Shape { list: Some(elements.map(str::to_owned).to_vec()), ..Shape::default() }
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> Shape {
    let entries = entries.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Shape { map: Some(BTreeMap::from(entries)), ..Shape::default() }
}

#[test]
fn scalars_of_every_kind() {
    let at = Some(WireTimestamp(Timestamp::from_millis(1_767_323_045_500)));
    check("Name=a+b", Shape { name: Some("a b".to_owned()), ..Shape::default() });
    check("Name=", Shape { name: Some(String::new()), ..Shape::default() });
    check("Count=-7", Shape { count: Some(-7), ..Shape::default() });
    check("Enabled=true", Shape { enabled: Some(true), ..Shape::default() });
    check("Enabled=False", Shape { enabled: Some(false), ..Shape::default() });
    check("Value=1e3", Shape { value: Some(1000.0), ..Shape::default() });
    check("Value=-Infinity", Shape { value: Some(f64::NEG_INFINITY), ..Shape::default() });
    check("At=2026-01-02T03%3A04%3A05.5Z", Shape { at, ..Shape::default() });
    check("At=2026-01-02T04:04:05.5%2B01:00", Shape { at, ..Shape::default() });
    check("At=1767323045.5", Shape { at, ..Shape::default() });
    check("Data=AAH%2F", Shape { data: Some(Blob(vec![0, 1, 255])), ..Shape::default() });
}

#[test]
fn unknown_parameters_are_ignored() {
    check(
        "Action=Op&Version=1&X.member.1.Y=1&Name=a",
        Shape { name: Some("a".to_owned()), ..Shape::default() },
    );
    check("", Shape::default());
}

#[test]
fn lists_wrapped_and_flattened_are_in_order_of_number() {
    check("List.member.10=c&List.member.2=b&List.member.1=a", list(["a", "b", "c"]));
    check("List.1=a&List.7=b", list(["a", "b"]));
    check("List=", list([]));
    check("List=&List.member.1=a", list(["a"]));
    check("List.member=", list([]));
}

#[test]
fn maps_wrapped_and_flattened() {
    check(
        "Map.entry.1.key=a&Map.entry.1.value=x&Map.entry.2.key=b&Map.entry.2.value=",
        map([("a", "x"), ("b", "")]),
    );
    check("Map.3.Name=a&Map.3.Value=x", map([("a", "x")]));
    check("Map=", map([]));
}

#[test]
fn structures_nest() {
    let leaf = || Shape { name: Some("x".to_owned()), ..Shape::default() };
    check(
        "Inner.Inner.Name=x",
        Shape {
            inner: Some(Box::new(Shape { inner: Some(Box::new(leaf())), ..Shape::default() })),
            ..Shape::default()
        },
    );
    check(
        "Shapes.member.1.Name=x&Shapes.member.2=&Shapes.member.3.Name=x",
        Shape { shapes: Some(vec![leaf(), Shape::default(), leaf()]), ..Shape::default() },
    );
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    refused(
        "Shapes.member.2.Count=x",
        "parameter `Shapes.member.2.Count` must be a 32-bit integer, and is `x`",
    );
    refused("Enabled=yes", "parameter `Enabled` must be true or false, and is `yes`");
    refused("Name.First=a", "parameter `Name` needs a value");
    refused("List=a", "parameter `List` is a list or a structure and cannot have a value");
    refused("List.first=a", "parameter `List.first` stands where a list has the number of an element");
    refused("Map.entry.1.key=a", "parameter `Map.entry.1` is a map's entry without a value");
    refused("Map.entry.1.value=a", "parameter `Map.entry.1` is a map's entry without a key");
}

#[test]
fn texts_without_escapes_borrow_from_the_form() {
    let form = b"Name=plain".to_vec();
    let parsed: BTreeMap<&str, &str> = {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Borrowed<'a> {
            name: &'a str,
        }
        let borrowed: Borrowed<'_> = decode(&form, &[]).expect("borrows");
        BTreeMap::from([("Name", borrowed.name)])
    };
    assert_eq!(parsed["Name"], "plain");
}

#[test]
fn members_are_found_under_the_names_of_their_flattened_elements() {
    static FLATTENED: [Flattened; 2] = [
        Flattened { structure: "Shape", member: "List", element: "Entry", entry: ("", "") },
        Flattened { structure: "Other", member: "Name", element: "Count", entry: ("", "") },
    ];
    let decoded = |form: &str| decode::<Shape>(form.as_bytes(), &FLATTENED);
    assert_eq!(decoded("Entry.2=b&Entry.1=a"), Ok(list(["a", "b"])));
    assert_eq!(decoded("List.member.1=a"), Ok(list(["a"])));
    assert_eq!(decoded("Count=1"), Ok(Shape { count: Some(1), ..Shape::default() }));
}

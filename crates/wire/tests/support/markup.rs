//! The client's side of the query protocol: AWS's XML back into the form parameters that say the same.

use groundwatch_api::Flattened;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// An element on the way down to where the reader is.
struct Element {
    path: String,
    /// The structure that it holds, as far as its name tells.
    structure: String,
    text: String,
    children: usize,
}

/// Paths and values of everything in `xml`, which holds a `structure`. Elements of lists and maps are
/// numbered.
pub(crate) fn to_pairs(xml: &str, structure: &str, flattened: &[Flattened]) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let structure = structure.to_owned();
    let mut open = vec![Element { path: String::new(), structure, text: String::new(), children: 0 }];
    let mut pairs = Vec::new();
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(tag) => down(&mut open, &String::from_utf8_lossy(tag.name().as_ref()), flattened),
            Event::Empty(tag) => {
                down(&mut open, &String::from_utf8_lossy(tag.name().as_ref()), flattened);
                up(&mut open, &mut pairs);
            }
            Event::End(_) => up(&mut open, &mut pairs),
            Event::Text(text) => here(&mut open).text.push_str(&text.decode().expect("UTF-8")),
            Event::GeneralRef(reference) => {
                let name = reference.decode().expect("UTF-8");
                match reference.resolve_char_ref().expect("a character") {
                    Some(c) => here(&mut open).text.push(c),
                    None => {
                        here(&mut open)
                            .text
                            .push_str(resolve_predefined_entity(&name).expect("a known entity"));
                    }
                }
            }
            Event::Eof => return pairs,
            other => panic!("{other:?} does not occur in AWS's XML"),
        }
    }
}

fn here(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("the root is never closed")
}

fn down(open: &mut Vec<Element>, name: &str, flattened: &[Flattened]) {
    let parent = here(open);
    parent.children += 1;
    let step = match name {
        "member" | "entry" => format!("{name}.{}", parent.children),
        _ if flattened.iter().any(|known| known.element == name && known.structure == parent.structure) => {
            format!("{name}.{}", parent.children)
        }
        _ => name.to_owned(),
    };
    let path = if parent.path.is_empty() { step } else { format!("{}.{step}", parent.path) };
    // Elements of flattened lists are called after the structures that they are; values of maps are not.
    let structure = match name {
        "Value" => format!("{}Value", parent.structure),
        _ => name.to_owned(),
    };
    open.push(Element { path, structure, text: String::new(), children: 0 });
}

fn up(open: &mut Vec<Element>, pairs: &mut Vec<(String, String)>) {
    let element = open.pop().expect("as many ends as starts");
    if element.children == 0 {
        pairs.push((element.path, element.text));
    }
}

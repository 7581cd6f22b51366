//! YAML text → `Definition`. When it does not fit, a second look over the whole tree names every structural fault at once.

use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::definition::{Definition, schema};
use crate::place::{Place, Placed};
use crate::problem::{Found, Problems};

/// Bytes that a connector file may have.
pub const MAX_FILE_BYTES: usize = 1 << 20;

pub(crate) fn read(file: &str, text: &str) -> Result<Definition, Problems> {
    let mut found = Found::default();
    if text.len() > MAX_FILE_BYTES {
        found.add(
            Place { line: 1, column: 1 },
            "",
            format!("the file has {} bytes; at most {MAX_FILE_BYTES} are read", text.len()),
        );
        found.into_result(file)?;
        found = Found::default();
    }
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let mut fault = match serde_saphyr::from_str_with_options::<Definition>(text, options) {
        Ok(definition) => return Ok(definition),
        Err(fault) => fault,
    };
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    match serde_saphyr::from_str_with_options::<Placed<Node>>(text, options) {
        Ok(tree) => structural(&tree, &mut found),
        Err(not_yaml) => fault = not_yaml,
    }
    if found.is_empty() {
        let place = fault.location().map_or(Place { line: 1, column: 1 }, |at| Place { line: at.line(), column: at.column() });
        found.add(place, "", sentence(&fault.without_snippet().to_string()));
    }
    match found.into_result(file) {
        Err(problems) => Err(problems),
        Ok(()) => Err(unplaced(file)),
    }
}

/// Only reached if a list that was just filled were empty.
pub(crate) fn unplaced(file: &str) -> Problems {
    let mut found = Found::default();
    found.add(Place { line: 1, column: 1 }, "", "the file cannot be read as a connector");
    match found.into_result(file) {
        Err(problems) => problems,
        Ok(()) => unplaced(file),
    }
}

/// The parser's sentence without the place it repeats.
fn sentence(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.rsplit_once(" at line ") {
        Some((before, _)) => before.to_owned(),
        None => line.to_owned(),
    }
}

fn structural(tree: &Placed<Node>, found: &mut Found) {
    let Ok(validator) = jsonschema::draft202012::new(&schema()) else { return };
    let document = tree.value.json();
    for error in validator.iter_errors(&document) {
        let pointer = error.instance_path().to_string();
        let steps: Vec<String> = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let part = part(&steps);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let place = tree.at(&steps, Some(key));
                    let what = format!("there is no key `{key}` here");
                    found.add(place, part.clone(), what);
                }
            }
            ValidationErrorKind::Required { property } => {
                found.add(tree.at(&steps, None), part, format!("the key `{}` is missing", property.as_str().unwrap_or_default()));
            }
            ValidationErrorKind::Type { kind } => {
                found.add(tree.at(&steps, None), part, format!("must be {}, is {}", expected(kind), shown(error.instance())));
            }
            ValidationErrorKind::Enum { options } => {
                let names: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                found.add(
                    tree.at(&steps, None),
                    part,
                    format!("must be one of {}, is {}", names.join(", "), shown(error.instance())),
                );
            }
            _ => {
                let place = tree.at(&steps, None);
                match choices(&error) {
                    Some(names) => found.add(place, part, format!("must be one of {names}, is {}", shown(error.instance()))),
                    None => found.add(place, part, error.to_string()),
                }
            }
        }
    }
}

/// The names of an enum whose values are described one by one.
fn choices(error: &jsonschema::ValidationError<'_>) -> Option<String> {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) = error.kind() else {
        return None;
    };
    let mut names: Vec<String> = Vec::new();
    for inner in context.iter().flatten() {
        match inner.kind() {
            ValidationErrorKind::Constant { expected_value } => names.push(expected_value.as_str()?.to_owned()),
            ValidationErrorKind::Enum { options } => {
                names.extend(options.as_array()?.iter().filter_map(|v| v.as_str().map(str::to_owned)))
            }
            _ => {}
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("{one}"),
        TypeKind::Multiple(many) => {
            many.iter().map(|one| format!("{one}")).filter(|one| one != "null").collect::<Vec<_>>().join(" or ")
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
        other => other.to_string().chars().take(60).collect(),
    }
}

fn part(steps: &[String]) -> String {
    let mut out = String::new();
    for step in steps {
        if step.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str(&format!("[{step}]"));
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(step);
        }
    }
    out
}

/// A YAML tree in which everything has its place.
#[derive(Debug)]
enum Node {
    Leaf(Value),
    List(Vec<Placed<Node>>),
    Map(Vec<(Placed<String>, Placed<Node>)>),
}

impl Node {
    fn json(&self) -> Value {
        match self {
            Self::Leaf(value) => value.clone(),
            Self::List(list) => list.iter().map(|node| node.value.json()).collect(),
            Self::Map(map) => map.iter().map(|(key, node)| (key.value.clone(), node.value.json())).collect(),
        }
    }
}

impl Placed<Node> {
    /// The place of the value at `path`, or of its key `key`.
    fn at(&self, path: &[String], key: Option<&String>) -> Place {
        let Some((step, rest)) = path.split_first() else {
            return match (&self.value, key) {
                (Node::Map(map), Some(key)) => map.iter().find(|(k, _)| &k.value == key).map_or(self.place, |(k, _)| k.place),
                _ => self.place,
            };
        };
        let next = match &self.value {
            Node::Map(map) => map.iter().find(|(k, _)| &k.value == step).map(|(_, node)| node),
            Node::List(list) => step.parse().ok().and_then(|index: usize| list.get(index)),
            Node::Leaf(_) => None,
        };
        next.map_or(self.place, |node| node.at(rest, key))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }
    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key()? {
            entries.push((key, map.next_value()?));
        }
        Ok(Node::Map(entries))
    }
}

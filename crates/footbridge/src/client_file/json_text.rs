//! JSON with comments as a text that is edited in place: a value is set or taken out, every byte
//! beside it stays. Reads it with `jsonc-parser`, which says where each value stands.

use footbridge_connector::Place;
use jsonc_parser::ast::{Object, ObjectProp, Value as Node};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::Serialize as _;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value};

use super::{JsonExtras, TextProblem, leading_space, newline_of, unit_of};

/// JSON as programs write it, with comments and with commas behind the last; nothing else.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The value at a path of keys.
pub(super) fn value_at(text: &str, path: &[&str]) -> Result<Option<Value>, TextProblem> {
    let Some(root) = parse(text)? else {
        return Ok(None);
    };
    let mut node = &root;
    for (depth, key) in path.iter().enumerate() {
        match property(object(node, path, depth)?, key)? {
            Some((_, found)) => node = &found.value,
            None => return Ok(None),
        }
    }
    Ok(Some(as_value(node)))
}

/// The text with this value at the path; objects on the way are made where there are none.
pub(super) fn set(text: &str, path: &[&str], value: &Value) -> Result<String, TextProblem> {
    let layout = Layout::of(text);
    let Some(root) = parse(text)? else {
        let object = layout.pretty(&nested(path, value), "");
        let before = match text.trim().is_empty() {
            true => String::new(),
            // comments alone
            false => format!("{}{}", text.trim_end(), layout.newline),
        };
        return Ok(format!("{before}{object}{}", layout.newline));
    };
    let mut node = &root;
    for (depth, key) in path.iter().enumerate() {
        let around = object(node, path, depth)?;
        match property(around, key)? {
            Some((_, found)) => node = &found.value,
            None => {
                let inner = nested(path.get(depth + 1..).unwrap_or_default(), value);
                return Ok(spliced(text, layout.insertion(text, around, key, &inner)));
            }
        }
    }
    if as_value(node) == *value {
        return Ok(text.to_owned());
    }
    let range = node.range();
    let shown = layout.pretty(value, leading_space(text, range.start));
    Ok(spliced(
        text,
        vec![Splice::new(range.start, range.end, shown)],
    ))
}

/// The text without what stands at the path.
pub(super) fn remove(text: &str, path: &[&str]) -> Result<String, TextProblem> {
    let Some(root) = parse(text)? else {
        return Ok(text.to_owned());
    };
    let mut node = &root;
    for (depth, key) in path.iter().enumerate() {
        let around = object(node, path, depth)?;
        let Some((index, found)) = property(around, key)? else {
            return Ok(text.to_owned());
        };
        if depth + 1 == path.len() {
            return Ok(spliced(text, removal(text, around, index)));
        }
        node = &found.value;
    }
    Ok(text.to_owned())
}

/// Whether there is more in it than JSON and these extras, which can be read for all that.
pub(super) fn has_more_than(extras: JsonExtras, text: &str) -> bool {
    let plain = ParseOptions {
        allow_comments: extras != JsonExtras::Nothing,
        allow_trailing_commas: extras == JsonExtras::CommentsAndCommas,
        ..OPTIONS
    };
    parse(text).is_ok() && parse_to_ast(text, &CollectOptions::default(), &plain).is_err()
}

fn parse(text: &str) -> Result<Option<Node<'_>>, TextProblem> {
    parse_to_ast(text, &CollectOptions::default(), &OPTIONS)
        .map(|parsed| parsed.value)
        .map_err(|error| TextProblem {
            what: error.kind().to_string(),
            place: Some(Place {
                line: error.line_display() as u64,
                column: error.column_display() as u64,
            }),
        })
}

/// The object that stands at the first keys of a path.
fn object<'n, 't>(
    node: &'n Node<'t>,
    path: &[&str],
    depth: usize,
) -> Result<&'n Object<'t>, TextProblem> {
    let place = || match path.get(..depth).unwrap_or_default() {
        [] => "the file".to_owned(),
        keys => keys.join("."),
    };
    node.as_object()
        .ok_or_else(|| TextProblem::new(format!("{} is no object", place())))
}

/// The property of that name, which may stand there once.
fn property<'n, 't>(
    object: &'n Object<'t>,
    key: &str,
) -> Result<Option<(usize, &'n ObjectProp<'t>)>, TextProblem> {
    let mut found = object
        .properties
        .iter()
        .enumerate()
        .filter(|(_, property)| property.name.as_str() == key);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(TextProblem::new(format!("{key:?} stands twice in it"))),
        (first, None) => Ok(first),
    }
}

fn as_value(node: &Node<'_>) -> Value {
    match node {
        Node::StringLit(text) => Value::from(text.value.as_ref()),
        Node::NumberLit(number) => serde_json::from_str(number.value).unwrap_or_default(),
        Node::BooleanLit(word) => Value::from(word.value),
        Node::NullKeyword(_) => Value::Null,
        Node::Array(list) => list.elements.iter().map(as_value).collect(),
        Node::Object(object) => object
            .properties
            .iter()
            .map(|property| (property.name.as_str().to_owned(), as_value(&property.value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// The value in objects of these keys.
fn nested(path: &[&str], value: &Value) -> Value {
    path.iter().rev().fold(value.clone(), |inner, key| {
        Value::Object(Map::from_iter([((*key).to_owned(), inner)]))
    })
}

/// A piece of the text, and what takes its place.
struct Splice {
    start: usize,
    end: usize,
    replacement: String,
}

impl Splice {
    fn new(start: usize, end: usize, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        Self {
            start,
            end,
            replacement,
        }
    }
}

/// The text with these pieces replaced, which follow each other.
fn spliced(text: &str, splices: Vec<Splice>) -> String {
    let mut whole = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for splice in splices {
        whole.push_str(text.get(at..splice.start).unwrap_or_default());
        whole.push_str(&splice.replacement);
        at = splice.end;
    }
    whole.push_str(text.get(at..).unwrap_or_default());
    whole
}

/// How a file is laid out.
struct Layout<'t> {
    newline: &'t str,
    unit: &'t str,
    /// It has something, all in one line.
    is_one_line: bool,
}

impl<'t> Layout<'t> {
    fn of(text: &'t str) -> Self {
        let inner = text.trim();
        Self {
            newline: newline_of(text),
            unit: unit_of(text),
            is_one_line: !inner.contains('\n') && inner.contains(':'),
        }
    }

    /// A value over several lines, the first of which stands behind so much space.
    fn pretty(&self, value: &Value, indent: &str) -> String {
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(self.unit.as_bytes());
        // Writing into memory does not fail.
        let _written = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
        let shown = String::from_utf8(bytes).unwrap_or_default();
        shown.replace('\n', &format!("{}{indent}", self.newline))
    }

    fn insertion(&self, text: &str, object: &Object<'_>, key: &str, value: &Value) -> Vec<Splice> {
        let (open, close) = (object.range.start + 1, object.range.end - 1);
        let inner = text.get(open..close).unwrap_or_default();
        let outer_indent = leading_space(text, object.range.start);
        let key = Value::from(key);
        let compact = format!("{key}: {value}");
        let over_lines = |indent: &str| format!("{key}: {}", self.pretty(value, indent));
        let deeper = format!("{outer_indent}{}", self.unit);
        let Some(last) = object.properties.last() else {
            return vec![if inner.contains('\n') {
                let at = open + inner.trim_end().len();
                let line = format!("{}{deeper}{}", self.newline, over_lines(&deeper));
                Splice::new(at, at, line)
            } else if self.is_one_line {
                Splice::new(open, open, compact)
            } else {
                let line = format!(
                    "{0}{deeper}{1}{0}{outer_indent}",
                    self.newline,
                    over_lines(&deeper)
                );
                Splice::new(open + inner.trim_end().len(), close, line)
            }];
        };
        let end = last.range.end;
        let comma = comma_after(text, end);
        let at = comma.map_or(end, |comma| comma + 1);
        let mut splices = Vec::new();
        if comma.is_none() {
            splices.push(Splice::new(end, end, ","));
        }
        let closing = if comma.is_some() { "," } else { "" };
        if inner.contains('\n') {
            let indent = match own_line(text, last.range.start) {
                Some(_) => leading_space(text, last.range.start),
                None => &deeper,
            };
            let line = format!("{}{indent}{}{closing}", self.newline, over_lines(indent));
            let at = end_of_comments(text, at);
            splices.push(Splice::new(at, at, line));
        } else {
            splices.push(Splice::new(at, at, format!(" {compact}{closing}")));
        }
        splices
    }
}

/// Takes out one property with its comma and its line.
fn removal(text: &str, object: &Object<'_>, index: usize) -> Vec<Splice> {
    let Some(property) = object.properties.get(index) else {
        return Vec::new();
    };
    let (start, end) = (property.range.start, property.range.end);
    let line = own_line(text, start);
    let before = index
        .checked_sub(1)
        .and_then(|before| object.properties.get(before));
    if let Some(comma) = comma_after(text, end) {
        let after = text.get(comma + 1..).unwrap_or_default();
        let next = after.trim_start_matches([' ', '\t']);
        let ends_line = next.starts_with(['\r', '\n']);
        let is_last = index + 1 == object.properties.len();
        return vec![match (line, before) {
            (Some(line), _) if ends_line => Splice::new(line, comma + 1, ""),
            (None, Some(_)) if is_last => {
                let space = text.get(..start).unwrap_or_default().trim_end();
                Splice::new(space.len(), comma + 1, "")
            }
            _ if ends_line => Splice::new(start, comma + 1, ""),
            _ => Splice::new(start, comma + 1 + after.len() - next.len(), ""),
        }];
    }
    let Some(before) = before else {
        let (open, close) = (object.range.start + 1, object.range.end - 1);
        let rest = [(open, start), (end, close)].map(|(from, to)| text.get(from..to));
        let is_bare = rest.iter().flatten().all(|space| space.trim().is_empty());
        return vec![if is_bare {
            Splice::new(open, close, "")
        } else {
            Splice::new(line.unwrap_or(start), end, "")
        }];
    };
    let comma = comma_after(text, before.range.end).unwrap_or(before.range.end);
    let from = line.unwrap_or_else(|| {
        let space = text.get(..start).unwrap_or_default().trim_end();
        space.len().max(comma + 1)
    });
    vec![
        Splice::new(comma, comma + 1, ""),
        Splice::new(from.max(comma + 1), end, ""),
    ]
}

/// Where the comma stands that follows a value, comments left aside.
fn comma_after(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let rest = text.get(at..)?;
        let space = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        at += space;
        if rest.starts_with(',') {
            return Some(at);
        }
        at += comment_length(rest)?;
    }
}

/// Behind the comments that follow in the same line.
fn end_of_comments(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let inner = rest.trim_start_matches([' ', '\t']);
        match comment_length(inner) {
            Some(length) => at += rest.len() - inner.len() + length,
            None => return at,
        }
    }
}

/// How long the comment is that a text begins with.
fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find(['\r', '\n']).unwrap_or(text.len()));
    }
    text.starts_with("/*")
        .then(|| text.find("*/").map_or(text.len(), |end| end + "*/".len()))
}

/// Where the line break stands before something that is the first in its line.
fn own_line(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?.trim_end_matches([' ', '\t']);
    let line = before.strip_suffix('\n')?;
    Some(line.strip_suffix('\r').unwrap_or(line).len())
}

#[cfg(test)]
mod tests;

//! YAML text → `Definition`. When it does not fit, a second look over the whole tree names every
//! structural fault at once.

mod repair;
pub(crate) mod tree;

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;

use crate::definition::{Definition, schema};
use crate::place::{Place, Placed};
use crate::problem::{Found, Problems, near};
use tree::{Node, NodeMismatch};

/// Bytes that a connector file may have.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Levels of lists and maps in a file: what reads them is nested as deep, on whatever thread it is
/// called.
const MAX_DEPTH: usize = 32;
/// Values of a file; what an anchor holds counts at each place where it is named.
const MAX_VALUES: usize = 100_000;
/// Structural faults that are named: who has more is told so.
const MAX_FAULTS: usize = 1_000;

/// Where a file begins, for what concerns all of it.
const START: Place = Place { line: 1, column: 1 };

/// Reads a file. With structural faults it is read as far as it fits, so that the rest can be
/// looked at too; the faults are in `found`.
pub(crate) fn read(text: &str, found: &mut Found) -> Option<Definition> {
    if text.len() > MAX_FILE_BYTES {
        found.add(
            START,
            "",
            format!(
                "the file has {} bytes; at most {MAX_FILE_BYTES} are read",
                text.len()
            ),
        );
        return None;
    }
    let fault = match tree::of_yaml(text, options()) {
        Ok(tree) => match tree::read(tree, text) {
            Ok(definition) => return Some(definition),
            Err(mismatch) => ReadingFault::from(mismatch),
        },
        Err(no_yaml) => ReadingFault::from(&no_yaml),
    };
    // Once more from the text, as the first look took the tree.
    let tree = match tree::of_yaml(text, options()) {
        Ok(tree) => Some(tree),
        // A key that is there twice hides nothing else.
        Err(no_yaml) => {
            let tolerant = serde_saphyr::options! {
                strict_booleans: true, with_snippet: false, budget: budget(), duplicate_keys: DuplicateKeyPolicy::FirstWins
            };
            ReadingFault::from(&no_yaml).tell(found);
            tree::of_yaml(text, tolerant).ok()
        }
    };
    let definition = tree.and_then(|mut tree| {
        let schema = schema();
        let validator = jsonschema::draft202012::new(&schema).ok()?;
        let is_whole = structural(&tree, &schema, &validator, found);
        (is_whole && repair::repair(&mut tree, &validator)).then(|| tree::read(tree, text).ok())?
    });
    if found.is_empty() {
        fault.tell(found);
    }
    definition
}

/// Reads what a file says as JSON. It says nothing of places; a fault is in `found`, with none.
pub(crate) fn read_json(text: &str, found: &mut Found) -> Option<Definition> {
    let mut told = |fault: String| found.add(Place::default(), "", format!("as JSON: {fault}"));
    let tree = tree::of_json(text).map_err(|fault| told(fault.to_string()));
    tree::read(tree.ok()?, text)
        .map_err(|mismatch: NodeMismatch| told(mismatch.message))
        .ok()
}

/// How every file is read.
pub(crate) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true, with_snippet: false, budget: budget() }
}

fn budget() -> Option<serde_saphyr::Budget> {
    serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_VALUES }
}

/// What is said where a file cannot be read, by the parser or by what reads its tree.
struct ReadingFault {
    place: Place,
    sentence: String,
}

impl ReadingFault {
    fn tell(self, found: &mut Found) {
        let (what, hint) = words(self.sentence);
        if hint.is_empty() {
            found.add(self.place, "", what)
        } else {
            found.add_with_hint(self.place, "", what, hint)
        }
    }
}

impl From<&serde_saphyr::Error> for ReadingFault {
    fn from(no_yaml: &serde_saphyr::Error) -> Self {
        let place = no_yaml.location().map_or(START, |at| Place {
            line: at.line(),
            column: at.column(),
        });
        let sentence = sentence(&no_yaml.without_snippet().to_string());
        Self { place, sentence }
    }
}

impl From<NodeMismatch> for ReadingFault {
    fn from(mismatch: NodeMismatch) -> Self {
        Self {
            place: mismatch.place.unwrap_or(START),
            sentence: mismatch.message,
        }
    }
}

/// What the parser says, for who writes files and not parsers; and what most often lies behind it.
fn words(message: String) -> (String, &'static str) {
    let is = |words: &str| message.contains(words);
    if is("flow mapping") {
        (
            message,
            "inside `{ }`, a path such as `/items/{id}` and a text with a comma need quotes",
        )
    } else if is("mapping values are not allowed") {
        (message, "a text that holds `: ` needs quotes")
    } else if is("multiple YAML documents") {
        (
            "there is more than one document".to_owned(),
            "a connector file is one: take out the line `---`",
        )
    } else if is("recursion limit exceeded") || is("budget breached: Depth") {
        (format!("nested deeper than {MAX_DEPTH} levels"), "")
    } else if is("budget breached") {
        (
            format!("the file has more than {MAX_VALUES} values"),
            "what `*name` stands for counts at each place",
        )
    } else if message
        .rsplit_once(", expected ")
        .is_some_and(is_kind_of_integer)
    {
        (
            "must be a whole number".to_owned(),
            "write it in digits alone; the reference says how large it may be",
        )
    } else {
        (message, "")
    }
}

fn is_kind_of_integer((_, expected): (&str, &str)) -> bool {
    ["u8", "u16", "u32", "u64", "usize", "i64"].contains(&expected)
}

/// Only reached if a list that was just filled were empty.
pub(crate) fn unplaced(file: &str) -> Problems {
    let mut found = Found::default();
    found.add(START, "", "the file cannot be read as a connector");
    match found.into_result(file) {
        Err(problems) => problems,
        Ok(()) => unplaced(file),
    }
}

/// The parser's sentence without the place it repeats.
fn sentence(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = line
        .rsplit_once(" at line ")
        .map_or(line, |(before, _)| before);
    // The parser's advice is for programmers.
    line.split_once(", set DuplicateKeyPolicy")
        .map_or(line, |(before, _)| before)
        .to_owned()
}

/// Whether all of them were named.
fn structural(
    tree: &Placed<Node>,
    schema: &Value,
    validator: &Validator,
    found: &mut Found,
) -> bool {
    let document = tree.value.json();
    for error in validator.iter_errors(&document) {
        if found.len() >= MAX_FAULTS {
            found.add(
                tree.place,
                "",
                format!("more than {MAX_FAULTS} faults; the others are not listed"),
            );
            return false;
        }
        let steps = steps(&error.instance_path().to_string());
        let part = part(&steps);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected.iter().take(MAX_FAULTS) {
                    let place = tree.at(&steps, Some(key));
                    let what = format!("there is no key `{key}` here");
                    match near_key(key, schema, &error) {
                        Some(hint) => found.add_with_hint(place, part.clone(), what, hint),
                        None => found.add(place, part.clone(), what),
                    }
                }
            }
            ValidationErrorKind::Required { property } => {
                found.add(
                    tree.at(&steps, None),
                    part,
                    format!(
                        "the key `{}` is missing",
                        property.as_str().unwrap_or_default()
                    ),
                );
            }
            ValidationErrorKind::Type { kind } => {
                let (place, expected) = (tree.at(&steps, None), expected(kind));
                let what = format!("must be {expected}, is {}", value_words(error.instance()));
                match quotes(&expected, error.instance()) {
                    Some(hint) => found.add_with_hint(place, part, what, hint),
                    None => found.add(place, part, what),
                }
            }
            ValidationErrorKind::Enum { options } => {
                let names: Vec<&str> = options
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                found.add(
                    tree.at(&steps, None),
                    part,
                    format!(
                        "must be one of {}, is {}",
                        names.join(", "),
                        value_words(error.instance())
                    ),
                );
            }
            _ => {
                let place = tree.at(&steps, None);
                match choices(&error) {
                    Some(names) => found.add(
                        place,
                        part,
                        format!(
                            "must be one of {names}, is {}",
                            value_words(error.instance())
                        ),
                    ),
                    None => found.add(place, part, error.to_string()),
                }
            }
        }
    }
    true
}

/// A JSON pointer as its steps.
fn steps(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// The key that was probably meant, among those that the schema has at that place.
fn near_key(key: &str, schema: &Value, error: &jsonschema::ValidationError<'_>) -> Option<String> {
    let at = error.schema_path().to_string();
    let known = schema
        .pointer(at.strip_suffix("/additionalProperties")?)?
        .get("properties")?
        .as_object()?;
    near(key, known.keys().map(String::as_str), "it has")
}

/// What YAML takes for a map or a list when a filter or a path begins with a bracket.
fn quotes(expected: &str, found: &Value) -> Option<&'static str> {
    let is_text = expected.split(" or ").any(|kind| kind == "string");
    (is_text && (found.is_object() || found.is_array()))
        .then_some("a text that begins with `{` or `[` needs quotes, such as a filter or path")
}

/// The names of an enum whose values are described one by one.
fn choices(error: &jsonschema::ValidationError<'_>) -> Option<String> {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) =
        error.kind()
    else {
        return None;
    };
    let mut names: Vec<String> = Vec::new();
    for inner in context.iter().flatten() {
        match inner.kind() {
            ValidationErrorKind::Constant { expected_value } => {
                names.push(expected_value.as_str()?.to_owned())
            }
            ValidationErrorKind::Enum { options } => names.extend(
                options
                    .as_array()?
                    .iter()
                    .filter_map(|v| v.as_str().map(str::to_owned)),
            ),
            _ => {}
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("{one}"),
        TypeKind::Multiple(many) => many
            .iter()
            .map(|one| format!("{one}"))
            .filter(|one| one != "null")
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

fn value_words(value: &Value) -> String {
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

#[cfg(test)]
mod tests {
    use super::read;
    use crate::problem::Found;

    #[test]
    fn an_unquoted_value_where_a_text_stands_is_that_text_as_it_is_written() {
        let file = "format: 1\nconnector: a\ntitle: 007\ninstructions: é 1\nsettings:
  A_LEVEL: { is: integer, default: &level 1.50 }
upstream:
  base: https://a.example
  headers: { X-Version: 1.10, X-On: true, X-Octal: 0x1F, X-Level: *level, 200: -3 }
";
        let mut found = Found::default();
        let definition = read(file, &mut found).unwrap();
        assert!(found.is_empty());
        let headers = &definition.upstream.headers;
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| {
                (
                    name.value.as_str(),
                    value.value.as_str(),
                    value.place.column,
                )
            })
            .collect();
        let expected = [
            ("X-Version", "1.10", 25),
            ("X-On", "true", 37),
            ("X-Octal", "0x1F", 52),
            ("X-Level", "1.50", 67),
            ("200", "-3", 80),
        ];
        assert_eq!(
            (definition.title.as_str(), &headers[..]),
            ("007", &expected[..])
        );
    }
}

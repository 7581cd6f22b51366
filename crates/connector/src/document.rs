//! A backend's OpenAPI document, as far as requests are compared with it: paths, methods, and the
//! keys of parameters and bodies. Versions 2.0 and 3.x, as JSON or YAML. Fetches nothing (see
//! `backend::path_check`), and looks at no answer that the document describes.

mod compare;
mod keys;

use std::collections::HashMap;

use http::Method;
use serde_json::{Map, Value};

use crate::operation::nameless;
pub use compare::{Difference, Differs};
use keys::Keys;

/// The methods that a path of a document may have.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];
/// Characters of a text of the document that are shown.
const MAX_SHOWN: usize = 200;
/// Values that a document may have as YAML, those of its anchors counted wherever they are
/// repeated.
const MAX_YAML_VALUES: usize = 250_000;

/// A document that was read.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) title: Option<String>,
    pub(crate) version: Option<String>,
    paths: Vec<DocumentPath>,
    /// Places in `paths` by the path without names.
    by_form: HashMap<String, Vec<usize>>,
    /// It says under which address its paths are.
    knows_its_address: bool,
}

/// A path of the document.
#[derive(Debug)]
struct DocumentPath {
    /// With what the document says stands before it, and without names; one for each of its
    /// addresses.
    forms: Vec<String>,
    /// The first of them with names, for people.
    shown: String,
    operations: Vec<Described>,
}

/// What a path can be asked.
#[derive(Debug)]
struct Described {
    method: Method,
    query: Keys,
    body: Keys,
}

impl Document {
    /// Reads the text of a document.
    ///
    /// # Errors
    /// Why it is none, to be said behind "it is".
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let root = tree(text)?;
        // YAML takes a version without quotes for a number
        let text_at = |pointer: &str| match root.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let is_two = text_at("/swagger").as_deref() == Some("2.0");
        if !is_two && !text_at("/openapi").is_some_and(|version| version.starts_with("3.")) {
            return Err("no OpenAPI document of version 2.0 or 3".to_owned());
        }
        let Some(written) = root.get("paths").and_then(Value::as_object) else {
            return Err("an OpenAPI document without paths".to_owned());
        };
        let prefixes = prefixes(&root, is_two);
        let knows_its_address = prefixes.iter().any(|prefix| !prefix.is_empty());
        let mut paths = Vec::with_capacity(written.len());
        let mut by_form: HashMap<String, Vec<usize>> = HashMap::new();
        for (path, item) in written {
            let shown = format!("{}{path}", prefixes.first().map_or("", String::as_str));
            let forms: Vec<String> = prefixes
                .iter()
                .map(|prefix| nameless(&format!("{prefix}{path}")))
                .collect();
            for form in &forms {
                by_form.entry(form.clone()).or_default().push(paths.len());
            }
            let item = keys::resolved(&root, item).and_then(Value::as_object);
            paths.push(DocumentPath {
                forms,
                shown: shown_text(&shown),
                operations: item.map(|item| described(&root, item)).unwrap_or_default(),
            });
        }
        Ok(Self {
            title: text_at("/info/title").as_deref().map(shown_text),
            version: text_at("/info/version").as_deref().map(shown_text),
            paths,
            by_form,
            knows_its_address,
        })
    }
}

/// The document's values: JSON, else YAML when that is a map.
fn tree(text: &str) -> Result<Value, String> {
    let no_json = match serde_json::from_str(text) {
        Ok(root) => return Ok(root),
        Err(error) if error.is_eof() => return Err("JSON that ends too early".to_owned()),
        Err(error) => error,
    };
    let options = serde_saphyr::options! {
        strict_booleans: true, with_snippet: false, budget: serde_saphyr::budget! { max_nodes: MAX_YAML_VALUES }
    };
    let no_yaml = match serde_saphyr::from_str_with_options::<Value>(text, options) {
        Ok(root @ Value::Object(_)) => return Ok(root),
        Ok(_) => "it is no map".to_owned(),
        Err(error) => shown_text(
            error
                .without_snippet()
                .to_string()
                .lines()
                .next()
                .unwrap_or_default(),
        ),
    };
    Err(format!(
        "no JSON ({no_json}), and no YAML either ({no_yaml})"
    ))
}

fn described(root: &Value, item: &Map<String, Value>) -> Vec<Described> {
    let shared = item.get("parameters");
    let of = |method: &Method| {
        let operation = item
            .get(method.as_str().to_ascii_lowercase().as_str())?
            .as_object()?;
        let parameters = || {
            [operation.get("parameters"), shared]
                .into_iter()
                .flatten()
                .filter_map(Value::as_array)
                .flatten()
        };
        let query = Keys::of_query(root, parameters());
        let body = Keys::of_body(root, operation.get("requestBody"), parameters());
        Some(Described {
            method: method.clone(),
            query,
            body,
        })
    };
    METHODS.iter().filter_map(of).collect()
}

/// The paths of the addresses under which the document's own paths are; one empty text when it says
/// nothing.
fn prefixes(root: &Value, is_two: bool) -> Vec<String> {
    let servers = root
        .get("servers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let written: Vec<&str> = match is_two {
        true => root
            .get("basePath")
            .and_then(Value::as_str)
            .into_iter()
            .collect(),
        false => servers
            .filter_map(|server| server.get("url")?.as_str())
            .collect(),
    };
    // what a server's variables stand for is not known
    let known = written
        .into_iter()
        .filter(|url| !url.contains('{'))
        .filter_map(|url| {
            let nowhere = url::Url::parse("http://nowhere.invalid/").ok()?;
            Some(
                nowhere
                    .join(url)
                    .ok()?
                    .path()
                    .trim_end_matches('/')
                    .to_owned(),
            )
        });
    let mut prefixes: Vec<String> = Vec::new();
    for prefix in known {
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    if prefixes.is_empty() {
        prefixes.push(String::new());
    }
    prefixes
}

/// The start of a text of the document, on one line.
fn shown_text(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_SHOWN)
        .collect()
}

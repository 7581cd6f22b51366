//! `Definition` → `Connector`: settles what the file means, and names everything that is wrong with
//! it. The parts are in `compile/`: filters, upstream, models, tools.

mod actions;
mod duration;
mod filters;
mod login;
mod lookups;
mod models;
mod openapi;
mod operations;
mod paging;
mod preflight;
mod resources;
mod scope;
mod shapes;
mod tools;
mod upstream;

use std::collections::HashMap;
use std::sync::Arc;

use crate::connector::{Compiled, Connector, Tool};
use crate::definition::Definition;
use crate::place::{Place, Placed};
use crate::problem::{Found, Problems};
use crate::yaml;
pub(crate) use filters::Filters;

/// Version of the format that this engine reads.
const FORMAT: u32 = 1;
/// Characters of an untrusted text that are passed on when the file does not say.
const DEFAULT_TEXT_LIMIT: u32 = 2_000;
/// Characters of such a text that a file may allow.
const MAX_TEXT_LIMIT: u32 = 100_000;
/// Characters that a tool's name may have.
const MAX_NAME: usize = 40;

/// Compiles a connector file. `file` is its name, for the problems; nothing is read from disk.
///
/// # Errors
/// Every problem at once, each with its line and column.
///
/// ```
/// let connector = footbridge_connector::compile("echo.yaml", r#"
/// format: 1
/// connector: echo
/// title: Echo
/// instructions: Says what it heard.
/// upstream: { base: "https://example.org" }
/// tools:
///   - name: hear
///     title: Hear
///     description: What was heard last.
///     effect: read
///     steps: [{ get: /heard }]
/// "#).unwrap();
/// assert_eq!(connector.tools()[0].name, "hear");
///
/// let problems = footbridge_connector::compile("bad.yaml", "format: 1\nconnector: bad\n").unwrap_err();
/// assert!(problems.to_string().contains("bad.yaml:1:1: the key `title` is missing"));
/// ```
pub fn compile(file: &str, yaml: &str) -> Result<Connector, Problems> {
    let mut found = Found::default();
    let connector = settle(yaml, &mut found, &mut |_, _, _| {});
    found.into_result(file)?;
    connector.ok_or_else(|| yaml::unplaced(file))
}

/// What a look at the whole file sees beside its problems: the definition, the tools made of it,
/// and its filters.
pub(crate) type Look<'l> = dyn FnMut(&Definition, &[Placed<Tool>], &Filters<'_>) + 'l;

/// Compiles as much as there is; the connector is there when nothing was found.
pub(crate) fn settle(yaml: &str, found: &mut Found, look: &mut Look<'_>) -> Option<Connector> {
    let definition = yaml::read(yaml, found)?;
    let mut filters = Filters::new(yaml, definition.defs.as_ref());
    identity(&definition, found);
    let upstream = upstream::settle(&definition, &mut filters, found);
    let login = login::settle(&definition, &mut filters, found);
    let ways = paging::settle(&definition, &mut filters, found);
    let shapes = shapes::settle(&definition, &mut filters, found);
    let sources = lookups::sources(&definition, &ways, &mut filters, found);
    let lookups = lookups::settle(&definition, &mut filters, found);
    let mut tools = models::settle(&definition, found);
    tools.extend(tools::settle(
        &definition,
        &ways,
        &shapes,
        &mut filters,
        found,
    ));
    let preflight = preflight::settle(&definition, &mut filters, found);
    let kinds = preflight::kinds(&definition, found);
    let document_paths = openapi::paths(&definition, &filters, found);
    let resources = resources::settle(&definition, &mut filters, found);
    let prompts = resources::prompts(&definition, &filters, found);
    let actions = actions::settle(&definition, &tools, &mut filters, found);
    let by_name = names(&tools, found);
    let text_limit = text_limit(&definition, found);
    look(&definition, &tools, &filters);
    let origins = filters.take_origins();
    let program = filters.compile(found);
    let (Some(rules), Some(program)) = (upstream.rules, program) else {
        return None;
    };
    if !found.is_empty() {
        return None;
    }
    let operations = operations::collect(&definition);
    let untrusted = tools::untrusted(&definition);
    Some(Connector(Arc::new(Compiled {
        name: definition.connector.value,
        title: definition.title,
        instructions: definition.instructions,
        rules,
        timeout: upstream.timeout,
        paging: ways.of_models,
        errors: upstream.errors,
        hints: upstream.hints,
        conflict: upstream.conflict,
        version: upstream.version,
        wait: upstream.wait,
        longest_wait: upstream.longest_wait,
        login,
        me: upstream.me,
        preflight,
        kinds,
        document_paths,
        operations,
        resources,
        prompts,
        sources,
        lookups,
        untrusted,
        text_limit,
        program,
        origins,
        tools: tools.into_iter().map(|placed| placed.value).collect(),
        by_name,
        actions,
        groups: definition
            .groups
            .iter()
            .map(|(name, listed)| (name.value.clone(), *listed))
            .collect(),
        models: serde_json::to_value(&definition.models).unwrap_or_default(),
    })))
}

fn identity(definition: &Definition, found: &mut Found) {
    let format = &definition.format;
    if format.value != FORMAT {
        found.add_with_hint(
            format.place,
            "format",
            format!(
                "this program reads format {FORMAT}, the file says {}",
                format.value
            ),
            if format.value > FORMAT {
                "a newer program may read it"
            } else {
                "write `format: 1`"
            },
        );
    }
    name(&definition.connector, "connector", found);
    let start = Place { line: 1, column: 1 };
    for (part, text) in [
        ("title", &definition.title),
        ("instructions", &definition.instructions),
    ] {
        if text.trim().is_empty() {
            found.add(start, part, "must not be empty");
        }
    }
}

/// Characters of an untrusted text that are passed on.
fn text_limit(definition: &Definition, found: &mut Found) -> usize {
    let limit = definition.text.limit.as_ref();
    if let Some(limit) = limit.filter(|limit| !(1..=MAX_TEXT_LIMIT).contains(&limit.value)) {
        found.add(
            limit.place,
            "text.limit",
            format!("must be 1 to {MAX_TEXT_LIMIT}, is {}", limit.value),
        );
    }
    usize::try_from(limit.map_or(DEFAULT_TEXT_LIMIT, |limit| limit.value)).unwrap_or_default()
}

/// Names that every client takes: a letter, then letters, digits and `_`, in lower case.
fn name(name: &Placed<String>, part: &str, found: &mut Found) {
    let text = &name.value;
    let letters = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !(letters && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= MAX_NAME) {
        found.add_with_hint(
            name.place,
            part,
            format!("`{text}` is not a name"),
            format!(
                "a letter, then letters, digits and `_`, all in lower case, at most {MAX_NAME}"
            ),
        );
    }
}

/// Tools by name and alias; each name once.
fn names(tools: &[Placed<Tool>], found: &mut Found) -> HashMap<String, usize> {
    let mut by_name = HashMap::new();
    for (index, Placed { value: tool, place }) in tools.iter().enumerate() {
        for name in std::iter::once(&tool.name).chain(&tool.aliases) {
            if by_name.insert(name.clone(), index).is_some() {
                found.add(
                    *place,
                    tool.name.clone(),
                    format!("there is more than one tool called `{name}`"),
                );
            }
        }
    }
    by_name
}

//! The way from a file's `Definition` to a `Connector`: what each part of the file means, and
//! everything that is wrong with it. The parts are methods of `compile::compilation`.

mod actions;
mod compilation;
mod duration;
mod filters;
mod login;
mod lookups;
mod models;
mod openapi;
mod operations;
mod paging;
mod preflight;
mod records;
mod resources;
mod scope;
mod search;
mod shapes;
mod tools;
mod upstream;
mod views;

use std::sync::Arc;

use crate::connector::{Compiled, Connector, ConnectorTool};
use crate::definition::Definition;
use crate::place::Placed;
use crate::problem::{Found, Problems};
use crate::yaml;
use compilation::Compilation;
use filters::FileText;
pub(crate) use filters::Filters;

/// Version of the format that this engine reads.
const FORMAT: u32 = 1;
/// Characters of an untrusted text that are passed on when the file does not say.
const DEFAULT_TEXT_LIMIT: u32 = 2_000;
/// Characters of such a text that a file may allow.
const MAX_TEXT_LIMIT: u32 = 100_000;
/// Bytes of a picture's address, the picture itself where that lies in it: each list carries it.
const MAX_ICON_BYTES: usize = 1_024;
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
    let connector = compile_and_look(yaml, &mut found, &mut |_, _, _| {});
    finished(file, connector, found)
}

/// Compiles a connector file that is known to have no fault, such as one built into a program whose
/// tests [`compile()`] it, from what it says as JSON, which is read quicker than `yaml`. Its
/// filters are neither checked nor compiled before one of them runs; one with a fault would fail
/// each call that needs a filter. `yaml` is read when a filter fails, to say where that stands.
///
/// # Errors
/// When `json` does not say what a connector file says. Faults of jq are none of these.
///
/// ```
/// const YAML: &str = r#"
/// format: 1
/// connector: echo
/// title: Echo
/// instructions: Says what it heard.
/// upstream: { base: "https://example.org" }
/// "#;
/// const JSON: &str = r#"{"format": 1, "connector": "echo", "title": "Echo",
///     "instructions": "Says what it heard.", "upstream": {"base": "https://example.org"}}"#;
/// let connector = footbridge_connector::compile_sound("echo.yaml", YAML, JSON).unwrap();
/// assert_eq!(connector.name(), "echo");
/// ```
pub fn compile_sound(file: &str, yaml: &'static str, json: &str) -> Result<Connector, Problems> {
    let mut found = Found::default();
    let definition = yaml::read_json(json, &mut found);
    let connector = definition.and_then(|definition| {
        let mut compilation = Compilation::new(FileText::Sound(yaml), &definition);
        let compiled = compilation.connector(&mut |_, _, _| {});
        found.append(compilation.found);
        compiled
    });
    finished(file, connector, found)
}

/// What came of a file: its connector, unless something is wrong with it.
fn finished(file: &str, compiled: Option<Compiled>, found: Found) -> Result<Connector, Problems> {
    found.into_result(file)?;
    compiled
        .map(|compiled| Connector(Arc::new(compiled)))
        .ok_or_else(|| yaml::unplaced(file))
}

/// What a look at the whole file sees beside its problems: the definition, the tools made of it,
/// and its filters.
pub(crate) type Look<'l> = dyn FnMut(&Definition, &[Placed<ConnectorTool>], &Filters<'_>) + 'l;

/// Compiles as much as there is; something is wrong where anything was found.
pub(crate) fn compile_and_look(
    yaml: &str,
    found: &mut Found,
    look: &mut Look<'_>,
) -> Option<Compiled> {
    let definition = yaml::read(yaml, found)?;
    let mut compilation = Compilation::new(FileText::Unchecked(yaml), &definition);
    let compiled = compilation.connector(look);
    found.append(compilation.found);
    compiled
}

impl Compilation<'_> {
    /// Everything, in the order in which problems are named; nothing when the filters or the
    /// address have problems.
    fn connector(&mut self, look: &mut Look<'_>) -> Option<Compiled> {
        let definition = self.definition;
        self.check_identity();
        let upstream = self.upstream();
        let login = self.login();
        let token_setting = self.token_setting();
        let exit_unset = self.exit_unset();
        self.paging = self.paging();
        self.add_shapes();
        self.add_records();
        let sources = self.sources();
        let lookups = self.lookups();
        let models = self.models();
        let mut tools = self.model_tools(&models);
        tools.extend(self.step_tools());
        let preflight = self.preflight();
        let kinds = self.kinds();
        let document_paths = self.document_paths();
        let resources = self.resources();
        let prompts = self.prompts();
        let actions = self.actions(&tools);
        let search = self.search(&tools);
        let views = self.views(&tools);
        let by_name = self.tools_by_name(&tools);
        let text_limit = self.text_limit();
        look(definition, &tools, &self.filters);
        let origins = self.filters.take_origins();
        let program = self.filters.program(&mut self.found);
        Some(Compiled {
            name: definition.connector.value.clone(),
            title: definition.title.clone(),
            icon: definition.icon.as_ref().map(|icon| icon.value.clone()),
            greeting: definition.greeting.clone(),
            instructions: definition.instructions.clone(),
            rules: upstream.rules?,
            timeout: upstream.timeout,
            paging: self.paging.of_models.take(),
            errors: upstream.errors,
            hints: upstream.hints,
            conflict: upstream.conflict,
            version: upstream.version,
            wait: upstream.wait,
            longest_wait: upstream.longest_wait,
            login,
            token_setting,
            exit_unset,
            me: upstream.me,
            preflight,
            kinds,
            document_paths,
            operations: operations::collect(definition),
            views,
            resources,
            prompts,
            sources,
            lookups,
            records: std::mem::take(&mut self.records),
            untrusted: tools::untrusted(definition),
            text_limit,
            program: program?,
            origins,
            tools: tools.into_iter().map(|placed| placed.value).collect(),
            by_name,
            actions,
            search,
            groups: definition
                .groups
                .iter()
                .map(|(name, listed)| (name.value.clone(), *listed))
                .collect(),
            models,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{compile, compile_sound};
    use crate::connector::Connector;
    use crate::problem::Found;
    use crate::yaml;

    /// The files that come with the program.
    const BUILT_IN: [&str; 5] = [
        include_str!("../../../connectors/board.yaml"),
        include_str!("../../../connectors/prodmcp.yaml"),
        include_str!("../../../connectors/ptm.yaml"),
        include_str!("../../../connectors/taiga.yaml"),
        include_str!("../../../connectors/trueppm.yaml"),
    ];

    fn as_json(text: &str) -> String {
        let said: serde_json::Value =
            serde_saphyr::from_str_with_options(text, yaml::options()).unwrap();
        said.to_string()
    }

    /// A text without what stands between these.
    fn without(text: &str, from: &str, to: char) -> String {
        let mut parts = text.split(from);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |shown, part| {
            shown + part.split_once(to).map_or(part, |(_, rest)| rest)
        })
    }

    #[test]
    fn what_a_built_in_file_says_as_json_is_the_same_but_for_places() {
        for text in BUILT_IN {
            let without_places =
                |definition| without(&format!("{definition:?}"), "Place { line: ", '}');
            let found = &mut Found::default();
            let of_json = yaml::read_json(&as_json(text), found).unwrap();
            let of_yaml = yaml::read(text, found).unwrap();
            assert!(found.is_empty());
            assert_eq!(without_places(of_json), without_places(of_yaml));
        }
    }

    #[test]
    fn a_sound_file_has_the_tools_of_any_other_and_its_filters_stand_at_the_same_lines() {
        for text in BUILT_IN {
            let compiled = compile("a.yaml", text).unwrap();
            let sound = compile_sound("a.yaml", text, &as_json(text)).unwrap();
            let shown = |value: &dyn std::fmt::Debug| format!("{value:?}");
            // filters of a sound file are counted with those that need no jq
            let tools =
                |connector: &Connector| without(&shown(&connector.tools()), "FilterId(", ')');
            assert_eq!(tools(&sound), tools(&compiled));
            assert_eq!(shown(&*sound.0.origins), shown(&*compiled.0.origins));
            assert!(compiled.0.origins.iter().all(|origin| origin.line > 0));
        }
    }

    #[test]
    fn json_that_is_no_connector_file_is_a_problem() {
        for json in ["", "{}", "[1]", "{\"format\":1,\"connector\":2}"] {
            let problems = compile_sound("a.yaml", "", json).err().unwrap();
            assert!(
                problems.to_string().starts_with("a.yaml:0:0: as JSON: "),
                "{problems}"
            );
        }
    }
}

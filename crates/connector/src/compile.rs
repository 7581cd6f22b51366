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
use crate::jq::CompileFilters;
use crate::place::Placed;
use crate::problem::{Found, Problems};
use crate::yaml;
use compilation::Compilation;
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
    compile_when(CompileFilters::Now, file, yaml)
}

/// Compiles a connector file that is known to have no fault, such as one built into a program whose
/// tests [`compile()`] it. Its filters are neither checked nor compiled before one of them runs,
/// which makes a start quicker; one with a fault would fail each call that needs a filter.
///
/// # Errors
/// As [`compile()`], but for faults of jq.
pub fn compile_sound(file: &str, yaml: &str) -> Result<Connector, Problems> {
    compile_when(CompileFilters::OnFirstRun, file, yaml)
}

fn compile_when(filters: CompileFilters, file: &str, yaml: &str) -> Result<Connector, Problems> {
    let mut found = Found::default();
    let connector = compile_and_look(yaml, filters, &mut found, &mut |_, _, _| {});
    found.into_result(file)?;
    connector.ok_or_else(|| yaml::unplaced(file))
}

/// What a look at the whole file sees beside its problems: the definition, the tools made of it,
/// and its filters.
pub(crate) type Look<'l> = dyn FnMut(&Definition, &[Placed<ConnectorTool>], &Filters<'_>) + 'l;

/// Compiles as much as there is; the connector is there when nothing was found.
pub(crate) fn compile_and_look(
    yaml: &str,
    when: CompileFilters,
    found: &mut Found,
    look: &mut Look<'_>,
) -> Option<Connector> {
    let definition = yaml::read(yaml, found)?;
    let mut compilation = Compilation::new(yaml, &definition);
    let compiled = compilation.connector(when, look);
    found.append(compilation.found);
    compiled
        .filter(|_| found.is_empty())
        .map(|compiled| Connector(Arc::new(compiled)))
}

impl Compilation<'_> {
    /// Everything, in the order in which problems are named; nothing when the filters or the
    /// address have problems.
    fn connector(&mut self, when: CompileFilters, look: &mut Look<'_>) -> Option<Compiled> {
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
        let program = self.filters.program(when, &mut self.found);
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

//! Tools, resources and prompts made ready: checked, compiled, with their list entries serialised
//! once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::listing::{Listed, ServedThing, ToldExtensions};
use crate::arguments::{ArgumentRules, ArgumentSchema, Arguments};
use crate::completion::CompletionFunction;
use crate::limits;
use crate::method::Method;
use crate::mirrored_headers::HeaderParameter;
use crate::page::SCHEME;
use crate::policy::{AdmissionRule, Policy};
use crate::prompt::Prompt;
use crate::resource::{Resource, ResourceFunction, SkillPart};
use crate::tasks::TaskUse;
use crate::tool::{ReadArguments, Tool, ToolFunction};
use crate::uri_template::UriTemplate;
use crate::validator;

/// A tool, ready to be called. Made by [`Tool::ready`].
pub struct ReadyTool<C> {
    pub(super) name: String,
    aliases: Vec<String>,
    /// Missing where it stands in no list.
    listed: Option<EntryJson>,
    pub(super) page: Option<String>,
    is_for_pages_alone: bool,
    read_only: bool,
    pub(super) arguments: ArgumentSchema,
    reading: Option<ReadArguments>,
    pub(crate) header_parameters: Vec<HeaderParameter>,
    pub(super) required_capabilities: Option<Value>,
    pub(super) task: Option<TaskUse>,
    pub(super) begins_task: bool,
    /// Whether results carry `structuredContent`.
    pub(super) structured: bool,
    pub(super) time_limit: Duration,
    policy: Option<Policy<C>>,
    pub(super) admission: Option<AdmissionRule<C>>,
    pub(super) function: ToolFunction<C>,
}

/// The entry of a tool in lists, as JSON.
struct EntryJson {
    json: String,
    /// That for clients that are told of pages, where it is another.
    json_with_page: Option<String>,
}

impl EntryJson {
    fn of<C: Send + Sync + 'static>(tool: &Tool<C>) -> Self {
        let mut open = to_json(&tool.entry());
        open.pop();
        let with_page = tool.concerns_pages().then(|| tool.entry_meta_with_page());
        Self {
            json_with_page: with_page.map(|meta| closed(open.clone(), &meta)),
            json: closed(open, tool.entry_meta()),
        }
    }
}

/// An entry, from its JSON without the closing brace.
fn closed(mut open: String, meta: &Map<String, Value>) -> String {
    if !meta.is_empty() {
        open.push_str(r#","_meta":"#);
        open.push_str(&to_json(meta));
    }
    open.push('}');
    open
}

impl<C: Send + Sync + 'static> ReadyTool<C> {
    /// Checks a tool; the error is everything that is wrong with it.
    pub(super) fn new(tool: Tool<C>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        for name in std::iter::once(&tool.name)
            .chain(&tool.aliases)
            .filter(|name| !is_name(name))
        {
            problems.push(format!(
                "{name:?} is not a tool name: 1 to 128 of A-Z a-z 0-9 _ - ."
            ));
        }
        let held_schema = tool.held_schema.as_ref().unwrap_or(&tool.input_schema);
        let schemas = [Some(&**held_schema), tool.output_schema.as_deref()];
        if let Some(depth) = schemas.into_iter().flatten().find_map(too_deep) {
            // What reads or checks it goes as deep as the schema does.
            problems.push(format!(
                "a schema of it is nested {depth} deep; clients read {} at most: give inner parts \
                 names in `$defs`",
                limits::SCHEMA_DEPTH
            ));
            return Err(problems);
        }
        let header_parameters =
            HeaderParameter::all_in(&tool.input_schema).unwrap_or_else(|problem| {
                problems.push(problem);
                Vec::new()
            });
        if let Some(schema) = &tool.output_schema {
            check_output_schema(schema).unwrap_or_else(|problem| problems.push(problem));
        }
        if let Some(page) = tool.page.as_ref().filter(|page| !page.starts_with(SCHEME)) {
            problems.push(format!("its page {page:?} does not begin with `{SCHEME}`"));
        }
        let read_only = tool.is_read_only();
        let listed = tool.listed.then(|| EntryJson::of(&tool));
        let arguments = ArgumentSchema::of(ArgumentRules {
            schema: Arc::clone(held_schema),
            unlisted: tool.unlisted_arguments,
            nullable: tool.nullable,
            or_integer: tool.or_integer,
            aliases: tool.argument_aliases,
            value_aliases: tool.value_aliases,
        })
        .map_err(|problem| problems.push(problem));
        match arguments {
            Ok(arguments) if problems.is_empty() => Ok(Self {
                listed,
                is_for_pages_alone: tool.is_for_pages_alone,
                read_only,
                arguments,
                reading: tool.reading,
                header_parameters,
                required_capabilities: tool.required_capabilities,
                task: tool.task,
                begins_task: tool.begins_task,
                structured: tool.output_schema.is_some(),
                time_limit: tool.time_limit,
                policy: tool.policy,
                admission: tool.admission,
                function: tool.function,
                page: tool.page,
                name: tool.name,
                aliases: tool.aliases,
            }),
            _ => Err(problems),
        }
    }

    /// The name it is listed under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it says that it changes nothing.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The arguments as their caller means them, such as without the marks of an earlier answer.
    pub(super) fn as_meant(&self, mut arguments: Map<String, Value>) -> Map<String, Value> {
        if let Some(reading) = self.reading {
            (reading.read)(&mut arguments);
        }
        arguments
    }

    /// The arguments that a JSON text is, when they need no more than to be read. The bytes are
    /// those of the text, to be kept.
    pub(super) fn fitting(&self, text: &str, bytes: impl FnOnce() -> Bytes) -> Option<Arguments> {
        if self.reading.is_some_and(|reading| (reading.concerns)(text)) {
            return None;
        }
        self.arguments.fitting(text, bytes)
    }
}

impl<C> ReadyTool<C> {
    /// Whether pages have to do with it.
    pub(super) fn concerns_pages(&self) -> bool {
        self.page.is_some() || self.is_for_pages_alone
    }
}

impl<C> ServedThing<C> for ReadyTool<C> {
    const KIND: &'static str = "tool";

    fn key(&self) -> &str {
        &self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn policy(&self) -> Option<&Policy<C>> {
        self.policy.as_ref()
    }
}

impl<C> Listed<C> for ReadyTool<C> {
    fn json(&self, extensions: ToldExtensions) -> &str {
        self.listed.as_ref().map_or("", |listed| {
            let with_page = listed.json_with_page.as_ref();
            with_page
                .filter(|_| extensions.pages)
                .unwrap_or(&listed.json)
        })
    }

    fn is_listed(&self) -> bool {
        self.listed.is_some()
    }

    fn is_listed_to(&self, extensions: ToldExtensions) -> bool {
        extensions.pages || !self.is_for_pages_alone
    }
}

/// A resource or a template, ready to be read. Made by [`Resource::ready`].
pub struct ReadyResource<C> {
    pub(crate) resource: Resource<C>,
    pub(crate) template: Option<UriTemplate>,
    json: String,
}

impl<C: Send + Sync + 'static> ReadyResource<C> {
    pub(super) fn new(resource: Resource<C>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let template = resource
            .is_template
            .then(|| UriTemplate::parse(&resource.address))
            .transpose();
        let template = template.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let names: Vec<&str> = template.iter().flat_map(UriTemplate::names).collect();
        let used = resource
            .parameters
            .keys()
            .chain(resource.completions.keys());
        for unknown in used.filter(|name| !names.contains(&name.as_str())) {
            problems.push(format!(
                "there is no {{{unknown}}} in {:?}",
                resource.address
            ));
        }
        for field in resource.fields.iter().flat_map(|(fields, _)| fields) {
            if field.is_required && !names.contains(&field.name.as_str()) {
                problems.push(format!(
                    "the field `{}` stands nowhere in {:?}",
                    field.name, resource.address
                ));
            }
        }
        if let Some((fields, _)) = &resource.fields {
            let is_field = |name: &&str| fields.iter().any(|field| field.name == **name);
            problems.extend(
                names
                    .iter()
                    .filter(|name| !is_field(name))
                    .map(|name| format!("there is no field for {{{name}}}")),
            );
        }
        if resource.address.is_empty() || resource.name.is_empty() {
            problems.push("a resource needs an address and a name".to_owned());
        } else if !has_scheme(&resource.address) {
            problems.push(
                "it is no URI: one begins with a scheme, such as `notes:`, and has no blanks"
                    .to_owned(),
            );
        }
        if let Some(of_page) = &resource.page_problems {
            problems.extend(of_page.iter().cloned());
            if !resource.address.starts_with(SCHEME) {
                problems.push(format!("the address of a page begins with `{SCHEME}`"));
            }
        }
        let json = to_json(&resource.entry());
        if problems.is_empty() {
            Ok(Self {
                resource,
                template,
                json,
            })
        } else {
            Err(problems)
        }
    }

    /// Its address, or that of the template.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.resource.address
    }

    /// The values of a template's variables when the address is one of its own.
    pub(crate) fn parameters_in(&self, uri: &str) -> Option<Map<String, Value>> {
        let captures = self.template.as_ref()?.captures(uri)?;
        let fits = |(name, value): &(String, String)| {
            self.resource
                .parameters
                .get(name)
                .is_none_or(|check| check(value))
        };
        if !captures.iter().all(fits) {
            return None;
        }
        let parameters = captures
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        self.resource
            .fields
            .as_ref()
            .is_none_or(|(_, reads)| reads(&parameters))
            .then_some(parameters)
    }

    pub(crate) fn function(&self) -> &ResourceFunction<C> {
        &self.resource.function
    }

    pub(crate) fn completions(&self) -> &BTreeMap<String, CompletionFunction<C>> {
        &self.resource.completions
    }

    /// Whether it completes any of its variables.
    pub(super) fn completes(&self) -> bool {
        !self.resource.completions.is_empty()
    }
}

impl<C> ServedThing<C> for ReadyResource<C> {
    const KIND: &'static str = "resource";

    fn key(&self) -> &str {
        &self.resource.address
    }

    fn policy(&self) -> Option<&Policy<C>> {
        self.resource.policy.as_ref()
    }
}

impl<C> Listed<C> for ReadyResource<C> {
    fn json(&self, _told: ToldExtensions) -> &str {
        &self.json
    }

    fn is_listed(&self) -> bool {
        self.resource.listed && self.resource.skill_part != Some(SkillPart::FurtherFile)
    }

    fn is_listed_to(&self, extensions: ToldExtensions) -> bool {
        (extensions.skills || self.resource.skill_part.is_none())
            && (extensions.pages || !self.resource.is_page())
    }
}

/// A prompt, ready to be got. Made by [`Prompt::ready`].
pub struct ReadyPrompt<C> {
    pub(crate) prompt: Prompt<C>,
    json: String,
}

impl<C: Send + Sync + 'static> ReadyPrompt<C> {
    pub(super) fn new(prompt: Prompt<C>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        if !is_name(&prompt.name) {
            problems.push(format!(
                "{:?} is not a prompt name: 1 to 128 of A-Z a-z 0-9 _ - .",
                prompt.name
            ));
        }
        problems.extend(prompt.problems());
        let json = to_json(&prompt.entry());
        if problems.is_empty() {
            Ok(Self { prompt, json })
        } else {
            Err(problems)
        }
    }

    /// Whether it completes any of its arguments.
    pub(super) fn completes(&self) -> bool {
        self.prompt
            .arguments
            .iter()
            .any(|argument| argument.completion.is_some())
    }

    /// The name it is listed under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.prompt.name
    }
}

impl<C> ServedThing<C> for ReadyPrompt<C> {
    const KIND: &'static str = "prompt";

    fn key(&self) -> &str {
        &self.prompt.name
    }

    fn policy(&self) -> Option<&Policy<C>> {
        self.prompt.policy.as_ref()
    }
}

impl<C> Listed<C> for ReadyPrompt<C> {
    fn json(&self, _told: ToldExtensions) -> &str {
        &self.json
    }
}

impl<C> ServedThing<C> for Method<C> {
    const KIND: &'static str = "method";

    fn key(&self) -> &str {
        &self.name
    }

    fn policy(&self) -> Option<&Policy<C>> {
        self.policy.as_ref()
    }
}

impl<C> std::fmt::Debug for ReadyResource<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ReadyResource")
            .field("address", &self.resource.address)
            .finish_non_exhaustive()
    }
}

impl<C> std::fmt::Debug for ReadyPrompt<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ReadyPrompt")
            .field("name", &self.prompt.name)
            .finish_non_exhaustive()
    }
}

impl<C> std::fmt::Debug for ReadyTool<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ReadyTool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// Whether an address or a template of one is a URI and no part of one: some clients refuse a whole
/// list for one address. Source: RFC 3986, section 3.1.
fn has_scheme(address: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let has_blanks =
        address.contains(|character: char| character.is_whitespace() || character.is_control());
    !has_blanks
        && address
            .split_once(':')
            .is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// How deep a schema is nested, where that is too deep.
fn too_deep(schema: &Value) -> Option<usize> {
    let (mut deepest, mut waiting) = (0, vec![(schema, 1)]);
    while let Some((value, depth)) = waiting.pop() {
        deepest = deepest.max(depth);
        match value {
            Value::Array(items) => waiting.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => {
                waiting.extend(members.values().map(|member| (member, depth + 1)));
            }
            _ => {}
        }
    }
    (deepest > limits::SCHEMA_DEPTH).then_some(deepest)
}

fn check_output_schema(schema: &Value) -> Result<(), String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err("the output schema must have `type: object` at its root".to_owned());
    }
    // Clients hold results against it, so it must not only look like a schema: its references lead
    // somewhere.
    match validator::fault(schema) {
        None => Ok(()),
        Some(why) => Err(format!("the output schema is not valid: {why}")),
    }
}

/// Serialising our own values has no way to fail; a `null` would show in the first test.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

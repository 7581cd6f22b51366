//! Building an endpoint: every problem is found and listed before anything is served.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::Endpoint;
use super::catalog::Principal;
use super::catalog::{Catalog, Entry, ReadyResults};
use crate::Revision;
use crate::arguments::ArgumentSchema;
use crate::asking::StateKey;
use crate::http::HeaderParameter;
use crate::tool::Tool;

/// Who may keep a copy of a list. Source: specification 2026-07-28, Caching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheScope {
    /// The lists are the same for every caller.
    Public,
    /// The lists are for the caller that asked.
    Private,
}

/// Collects what an endpoint consists of.
pub struct EndpointBuilder<C> {
    name: String,
    version: String,
    title: Option<String>,
    website: Option<String>,
    instructions: Option<String>,
    list_ttl: Duration,
    cache_scope: CacheScope,
    logging: bool,
    state_key: Option<StateKey>,
    principal: Principal<C>,
    tools: Vec<Tool<C>>,
}

/// One thing that is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildProblem {
    /// The name of the tool.
    pub tool: String,
    /// What is wrong, in one sentence.
    pub problem: String,
}

/// Everything that is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildProblems(pub Vec<BuildProblem>);

impl fmt::Display for BuildProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, BuildProblem { tool, problem }) in self.0.iter().enumerate() {
            let break_before = if index == 0 { "" } else { "\n" };
            write!(formatter, "{break_before}tool {tool:?}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildProblems {}

impl<C: Send + Sync + 'static> EndpointBuilder<C> {
    pub(super) fn new(name: String, version: String) -> Self {
        Self {
            name,
            version,
            title: None,
            website: None,
            instructions: None,
            list_ttl: Duration::from_secs(60),
            cache_scope: CacheScope::Private,
            logging: false,
            state_key: None,
            principal: None,
            tools: Vec::new(),
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Where people read about this server.
    #[must_use]
    pub fn website(mut self, url: impl Into<String>) -> Self {
        self.website = Some(url.into());
        self
    }

    /// Guidance for the model. Some clients read only the first 512 characters.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// How long a client may keep the lists, and for whom. Default: 60 s, [`CacheScope::Private`].
    #[must_use]
    pub fn list_cache(mut self, ttl: Duration, scope: CacheScope) -> Self {
        self.list_ttl = ttl;
        self.cache_scope = scope;
        self
    }

    /// Announces that tools write to the client's log with [`crate::Call::log`].
    #[must_use]
    pub fn logging(mut self) -> Self {
        self.logging = true;
        self
    }

    /// The key that seals the state of calls that wait for answers. Servers behind one address share it; without one, it is new at each start.
    #[must_use]
    pub fn state_key(mut self, key: StateKey) -> Self {
        self.state_key = Some(key);
        self
    }

    /// What tells one caller from another, such as a user's id: the state of a waiting call is good for the caller who began it only.
    #[must_use]
    pub fn principal(mut self, principal: impl Fn(&C) -> String + Send + Sync + 'static) -> Self {
        self.principal = Some(Arc::new(principal));
        self
    }

    /// Adds a tool; tools are listed in this order.
    #[must_use]
    pub fn tool(mut self, tool: Tool<C>) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds several tools.
    #[must_use]
    pub fn tools(mut self, tools: impl IntoIterator<Item = Tool<C>>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Checks everything and makes the endpoint.
    ///
    /// # Errors
    /// Every problem at once: names that clients refuse, names used twice, schemas that are not valid, `x-mcp-header` where it may not stand.
    pub fn build(self) -> Result<Endpoint<C>, BuildProblems> {
        let mut problems = Vec::new();
        let mut by_name = HashMap::new();
        let listed: Vec<_> = self.tools.iter().filter(|tool| tool.listed).map(Tool::entry).collect();
        let tool_list = to_json(&json!({ "tools": listed }));
        let ready = self.ready_results(&tool_list);
        let mut entries = Vec::with_capacity(self.tools.len());
        for tool in self.tools {
            let mut problem = |text: String| problems.push(BuildProblem { tool: tool.name.clone(), problem: text });
            for name in std::iter::once(&tool.name).chain(&tool.aliases) {
                if !is_tool_name(name) {
                    problem(format!("{name:?} is not a tool name: 1 to 128 of A-Z a-z 0-9 _ - ."));
                }
                if by_name.insert(name.clone(), entries.len()).is_some() {
                    problem(format!("the name {name:?} is used twice"));
                }
            }
            let header_parameters = HeaderParameter::all_in(&tool.input_schema).unwrap_or_else(|text| {
                problem(text);
                Vec::new()
            });
            if let Some(schema) = &tool.output_schema {
                check_output_schema(schema).unwrap_or_else(&mut problem);
            }
            match ArgumentSchema::compile(&tool.input_schema, &tool.nullable) {
                Err(text) => problem(text),
                Ok(arguments) => entries.push(Entry {
                    arguments,
                    header_parameters,
                    required_capabilities: tool.required_capabilities,
                    structured: tool.output_schema.is_some(),
                    time_limit: tool.time_limit,
                    function: tool.function,
                    name: tool.name,
                }),
            }
        }
        let state_key = self.state_key.map_or_else(StateKey::random, Ok).map_err(|error| {
            problems.push(BuildProblem { tool: String::new(), problem: format!("no random bytes for the state key: {error}") });
        });
        match state_key {
            Ok(state_key) if problems.is_empty() => {
                let (principal, logging) = (self.principal, self.logging);
                let catalog = Catalog { name: self.name, entries, by_name, tool_list, ready, state_key, logging, principal };
                Ok(Endpoint { catalog: Arc::new(catalog) })
            }
            _ => Err(BuildProblems(problems)),
        }
    }

    fn ready_results(&self, tool_list: &str) -> ReadyResults {
        let server_info = self.server_info(Revision::V2026_07_28);
        let modern_meta = format!(r#""_meta":{{"io.modelcontextprotocol/serverInfo":{}}}"#, to_json(&server_info));
        let modern_tail = format!(r#","resultType":"complete",{modern_meta}}}"#);
        let scope = match self.cache_scope {
            CacheScope::Public => "public",
            CacheScope::Private => "private",
        };
        let cacheable = format!(r#","ttlMs":{},"cacheScope":"{scope}"{modern_tail}"#, self.list_ttl.as_millis());
        let open = |object: &str| object.strip_suffix('}').unwrap_or(object).to_owned();
        let mut discovered =
            json!({ "supportedVersions": Revision::ALL.map(Revision::as_str), "capabilities": self.capabilities() });
        if let (Some(instructions), Some(object)) = (&self.instructions, discovered.as_object_mut()) {
            object.insert("instructions".to_owned(), Value::from(instructions.as_str()));
        }
        let legacy = Revision::ALL.into_iter().filter(|revision| !revision.is_modern());
        ReadyResults {
            initialize: legacy.map(|revision| (revision, Bytes::from(self.initialize_result(revision)))).collect(),
            discover: Bytes::from(open(&to_json(&discovered)) + &cacheable),
            tool_list_legacy: Bytes::from(tool_list.to_owned()),
            tool_list_modern: Bytes::from(open(tool_list) + &cacheable),
            modern_tail,
            modern_meta,
        }
    }

    fn initialize_result(&self, revision: Revision) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct InitializeResult<'a> {
            protocol_version: &'static str,
            capabilities: Value,
            server_info: Value,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'a str>,
        }
        to_json(&InitializeResult {
            protocol_version: revision.as_str(),
            capabilities: self.capabilities(),
            server_info: self.server_info(revision),
            instructions: self.instructions.as_deref(),
        })
    }

    fn capabilities(&self) -> Value {
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("tools".to_owned(), json!({}));
        if self.logging {
            capabilities.insert("logging".to_owned(), json!({}));
        }
        Value::Object(capabilities)
    }

    /// `title` came with 2025-06-18, `websiteUrl` with 2025-11-25.
    fn server_info(&self, revision: Revision) -> Value {
        let mut info = serde_json::Map::new();
        info.insert("name".to_owned(), Value::from(self.name.as_str()));
        if let Some(title) = self.title.as_deref().filter(|_| revision >= Revision::V2025_06_18) {
            info.insert("title".to_owned(), Value::from(title));
        }
        info.insert("version".to_owned(), Value::from(self.version.as_str()));
        if let Some(website) = self.website.as_deref().filter(|_| revision >= Revision::V2025_11_25) {
            info.insert("websiteUrl".to_owned(), Value::from(website));
        }
        Value::Object(info)
    }
}

impl<C> fmt::Debug for EndpointBuilder<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EndpointBuilder").field("name", &self.name).field("tools", &self.tools).finish_non_exhaustive()
    }
}

fn is_tool_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn check_output_schema(schema: &Value) -> Result<(), String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err("the output schema must have `type: object` at its root".to_owned());
    }
    jsonschema::meta::validate(schema).map_err(|error| format!("the output schema is not valid: {error}"))
}

/// Serialising our own values has no way to fail; a `null` would show in the first test.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

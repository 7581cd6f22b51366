//! A tool: what a client sees of it, and the function behind it.

mod from_entry;
mod listed;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::ValueAlias;
use crate::call::{Call, begun_when_polled};
use crate::icon::Icon;
use crate::limits;
use crate::output::{Failure, ToolResult};
use crate::page;
use crate::policy::{AdmissionRule, Policy, both};
use crate::tasks::TaskUse;

/// The effect of a tool on the world behind it; becomes the tool's annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Creates or changes.
    Write,
    /// Deletes, or cannot be taken back.
    Destroy,
}

pub(crate) type ToolFuture = Pin<Box<dyn Future<Output = ToolResult> + Send>>;
pub(crate) type ToolFunction<C> = Arc<dyn Fn(Call<C>) -> ToolFuture + Send + Sync>;

/// The steps that arguments take before anything else.
#[derive(Clone, Copy)]
pub(crate) struct ReadArguments {
    pub(crate) concerns: fn(&str) -> bool,
    pub(crate) read: fn(&mut Map<String, Value>),
}

/// A tool of an endpoint whose callers are `C`.
pub struct Tool<C> {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    icons: Vec<Icon>,
    meta: Map<String, Value>,
    pub(crate) input_schema: Arc<Value>,
    /// What a call is held against, where that is more than is listed.
    pub(crate) held_schema: Option<Arc<Value>>,
    pub(crate) output_schema: Option<Arc<Value>>,
    pub(crate) annotations: Option<ToolAnnotations>,
    pub(crate) nullable: Vec<String>,
    pub(crate) or_integer: Vec<String>,
    pub(crate) argument_aliases: Vec<(String, String)>,
    pub(crate) value_aliases: Vec<ValueAlias>,
    pub(crate) unlisted_arguments: Vec<(String, Value)>,
    pub(crate) reading: Option<ReadArguments>,
    pub(crate) listed: bool,
    /// The address of the page that shows its results.
    pub(crate) page: Option<String>,
    pub(crate) is_for_pages_alone: bool,
    pub(crate) time_limit: Duration,
    pub(crate) required_capabilities: Option<Value>,
    pub(crate) task: Option<TaskUse>,
    pub(crate) begins_task: bool,
    pub(crate) policy: Option<Policy<C>>,
    pub(crate) admission: Option<AdmissionRule<C>>,
    pub(crate) function: ToolFunction<C>,
}

impl<C: Send + Sync + 'static> Tool<C> {
    /// A tool made of data: a name, a description, the JSON Schema of its arguments (an object
    /// schema, 2020-12 unless it names its dialect) and an async function. A tool that is a type is
    /// [`Tool::of`], one that another server lists [`Tool::from_entry`].
    ///
    /// What clients list of it is written as JSON once, when it is checked, and copied into lists
    /// from then on. Its schemas are written in the form that every client takes: a schema that is
    /// `true` is `{}`, and null is not listed as one of an argument's types, whatever its depth. A
    /// call is held against the schema as it is given here.
    ///
    /// The function is polled on the thread that read the request; one that blocks its thread must
    /// move the work elsewhere itself.
    pub fn new<F, R>(
        name: impl Into<String>,
        description: impl Into<String>,
        input_schema: Value,
        function: F,
    ) -> Self
    where
        F: Fn(Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = ToolResult> + Send + 'static,
    {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            title: None,
            description: description.into(),
            icons: Vec::new(),
            meta: Map::new(),
            input_schema: input_schema.into(),
            held_schema: None,
            output_schema: None,
            annotations: None,
            nullable: Vec::new(),
            or_integer: Vec::new(),
            argument_aliases: Vec::new(),
            value_aliases: Vec::new(),
            unlisted_arguments: Vec::new(),
            reading: None,
            listed: true,
            page: None,
            is_for_pages_alone: false,
            time_limit: limits::TOOL_TIME,
            required_capabilities: None,
            task: None,
            begins_task: false,
            policy: None,
            admission: None,
            function: Arc::new(begun_when_polled(function)),
        }
    }

    /// Another name than the one it was made with.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Another description than the one it was made with.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Another schema of its arguments than the one it was made with.
    #[must_use]
    pub fn input_schema(mut self, schema: Value) -> Self {
        self.input_schema = schema.into();
        self.held_schema = None;
        self
    }

    /// What a call is held against, where the listed schema says less.
    pub(crate) fn held_against(mut self, schema: Value) -> Self {
        self.held_schema = Some(schema.into());
        self
    }

    /// Adds a picture for people.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Adds an entry to `_meta` of the listed tool: something that a client and a server agreed on
    /// beside the protocol. The key has a prefix such as `example.org/`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }

    /// The name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Another name that may be called; it is not listed.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// What the tool does to the world; sets the annotations. A read is taken to be idempotent, the
    /// others not, unless [`Tool::idempotent`] says otherwise.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        let annotations = self.annotations.get_or_insert_default();
        annotations.read_only = Some(effect == Effect::Read);
        annotations.destructive = Some(effect == Effect::Destroy);
        if !annotations.is_idempotence_said {
            annotations.idempotent = Some(effect == Effect::Read);
        }
        annotations.open_world.get_or_insert(true);
        self
    }

    /// Whether repeating the call with the same arguments changes nothing more.
    #[must_use]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        let annotations = self.annotations.get_or_insert_default();
        annotations.idempotent = Some(idempotent);
        annotations.is_idempotence_said = true;
        self
    }

    /// Whether the tool reaches systems beyond this program.
    #[must_use]
    pub fn open_world(mut self, open_world: bool) -> Self {
        let annotations = self.annotations.get_or_insert_default();
        annotations.open_world = Some(open_world);
        self
    }

    /// The JSON Schema of the result, an object schema. A result made with [`crate::Output::json`]
    /// is then sent as `structuredContent` too.
    #[must_use]
    pub fn output_schema(mut self, schema: Value) -> Self {
        self.output_schema = Some(schema.into());
        self
    }

    /// Schemas that others hold too, which are not copied: that of its arguments, and that of the
    /// result where there is one.
    #[must_use]
    pub fn shared_schemas(mut self, input: Arc<Value>, output: Option<Arc<Value>>) -> Self {
        self.input_schema = input;
        self.held_schema = None;
        self.output_schema = output;
        self
    }

    /// Properties for which an explicit `null` is a value (it clears a field). For all others that
    /// are optional, `null` means "not passed".
    #[must_use]
    pub fn nullable(mut self, properties: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.nullable.extend(properties.into_iter().map(Into::into));
        self
    }

    /// Properties that are listed as texts, and for which a call may pass a whole number too: the
    /// tool gets it as the number it is, where it would else be made a text.
    #[must_use]
    pub fn or_integer(mut self, properties: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.or_integer
            .extend(properties.into_iter().map(Into::into));
        self
    }

    /// Another name under which a call may pass a property; it is not in the listed schema.
    #[must_use]
    pub fn argument_alias(mut self, alias: impl Into<String>, property: impl Into<String>) -> Self {
        self.argument_aliases.push((alias.into(), property.into()));
        self
    }

    /// Another word that a call may pass as the value of a property; it is not in the listed
    /// schema. Case and white space around it do not matter, and a word that the schema takes as it
    /// is stays what it is.
    #[must_use]
    pub fn value_alias(
        mut self,
        property: impl Into<String>,
        alias: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.value_aliases.push(ValueAlias {
            property: property.into(),
            alias: alias.into(),
            value: value.into(),
        });
        self
    }

    /// A property that a call may pass, with its schema, and that is not in the listed one:
    /// something that the tool itself tells a client to pass, when the time comes.
    #[must_use]
    pub fn unlisted_argument(mut self, name: impl Into<String>, schema: Value) -> Self {
        self.unlisted_arguments.push((name.into(), schema));
        self
    }

    /// What becomes of the arguments of a call before they are held against the schema, such as
    /// marks taken off that the tool put around a text in an earlier answer. `concerns` is asked of
    /// the arguments as JSON, where they came as that: it should be quick, and false for most.
    #[must_use]
    pub fn read_arguments(
        mut self,
        concerns: fn(&str) -> bool,
        read: fn(&mut Map<String, Value>),
    ) -> Self {
        self.reading = Some(ReadArguments { concerns, read });
        self
    }

    /// Leaves the tool out of the list; it can still be called by name.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// The page that shows its results inside the conversation: the address of a
    /// [`crate::Resource::page`].
    ///
    /// Only clients that declared the extension `io.modelcontextprotocol/ui` are told, and their
    /// results have `structuredContent` for the page, with an output schema and without one. All
    /// others see the tool as if it had no page.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, Output, Resource, Tool};
    /// use serde_json::{json, value::to_raw_value};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let days = Tool::new("days", "", json!({"type": "object"}), |_: Call<()>| async {
    ///     Ok(Output::json(to_raw_value(&json!({"sunny": 3})).unwrap()))
    /// })
    /// .page("ui://weather/days");
    /// let page = Resource::page("ui://weather/days", "days", "<!doctype html><title>Days</title>");
    /// let endpoint = footbridge_mcp::endpoint!("weather").tool(days).resource(page).build()?;
    ///
    /// let pages = json!({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}});
    /// let client = endpoint.test(()).capabilities(pages);
    /// let list = client.request("tools/list", json!({})).await?;
    /// assert_eq!(list.result()["tools"][0]["_meta"]["ui"]["resourceUri"], "ui://weather/days");
    /// let called = client.call("days", json!({})).await?;
    /// assert_eq!(called.structured().unwrap()["sunny"], 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn page(mut self, address: impl Into<String>) -> Self {
        self.page = Some(address.into());
        self
    }

    /// Makes it a tool for pages alone, such as one that loads the next rows: hosts keep it from
    /// the model, and clients that did not declare the extension do not find it in the list. A host
    /// may not know that rule, so nothing may depend on it: whoever knows its name can call it.
    #[must_use]
    pub fn for_pages_alone(mut self) -> Self {
        self.is_for_pages_alone = true;
        self
    }

    /// How long one call may run. Time in which it waits for its user does not count;
    /// [`crate::limits::QUESTION_TIME`] bounds that. A task has the time of [`crate::TaskLimits`]
    /// instead, waiting included.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Client capabilities that the tool cannot do without, e.g. `{"sampling": {}}`. A client that
    /// did not declare them, with the request on 2026-07-28 and with `initialize` before, gets
    /// -32021 with those that are missing. Without a session, a legacy client declared none.
    #[must_use]
    pub fn requires(mut self, capabilities: Value) -> Self {
        self.required_capabilities = Some(capabilities);
        self
    }

    /// Lets calls go on after their answer, as tasks that the client asks for later; needs
    /// [`crate::EndpointBuilder::tasks`]. The function is the same: questions and progress find
    /// their way.
    #[must_use]
    pub fn task(mut self, task: TaskUse) -> Self {
        self.task = Some(task);
        self
    }

    /// Leaves it to the function when a call becomes a task, with [`Call::begin_task`]; until then,
    /// and without it, the call is like any other. Otherwise a task begins before the function
    /// does.
    #[must_use]
    pub fn begins_task(mut self) -> Self {
        self.begins_task = true;
        self
    }

    /// Who may see and call it. To everybody else it does not exist. Rules said one after another
    /// must all allow it.
    #[must_use]
    pub fn allowed_for(
        mut self,
        policy: impl Fn(&Call<C>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.policy = Some(both(self.policy.take(), policy));
        self
    }

    /// Who may call it, of those who see it: everybody else is told why not, before their arguments
    /// are looked at. The rule's call has no arguments.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, Output, Tool, fail};
    /// use serde_json::json;
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let erase = Tool::new("erase", "", json!({"type": "object"}), |_: Call<bool>| async {
    ///     Ok(Output::text("erased"))
    /// })
    /// .admits(|call| match *call.caller {
    ///     true => Ok(()),
    ///     false => Err(fail("erasing is closed; the operator opens it")),
    /// });
    /// let endpoint = Endpoint::builder("eraser", "1.0.0").tool(erase).build()?;
    /// assert!(endpoint.call("erase", json!({}), false).await?.is_error());
    /// assert!(!endpoint.call("erase", json!({}), true).await?.is_error());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[must_use]
    pub fn admits(
        mut self,
        rule: impl Fn(&Call<C>) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        self.admission = Some(Arc::new(rule));
        self
    }

    /// Takes away every rule about who may see it, also that of its type.
    #[must_use]
    pub fn for_everybody(mut self) -> Self {
        self.policy = None;
        self
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.annotations
            .as_ref()
            .is_some_and(|annotations| annotations.read_only == Some(true))
    }

    /// The name it is listed under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether pages have to do with it, so that clients that show pages see another entry.
    pub(crate) fn concerns_pages(&self) -> bool {
        self.page.is_some() || self.is_for_pages_alone
    }

    /// The entry of `tools/list`, without `_meta`.
    pub(crate) fn entry(&self) -> ToolEntry<'_> {
        ToolEntry {
            name: &self.name,
            title: self.title.as_deref(),
            description: Some(self.description.as_str())
                .filter(|description| !description.is_empty()),
            icons: &self.icons,
            input_schema: listed::input(&self.input_schema),
            output_schema: self.output_schema.as_deref().map(listed::output),
            annotations: self.annotations.as_ref(),
        }
    }

    /// The `_meta` of its entry.
    pub(crate) fn entry_meta(&self) -> &Map<String, Value> {
        &self.meta
    }

    /// The same for clients that are told of pages.
    pub(crate) fn entry_meta_with_page(&self) -> Map<String, Value> {
        let mut meta = self.meta.clone();
        let of_page = page::tool_meta(self.page.as_deref(), self.is_for_pages_alone);
        meta.insert(page::META_KEY.to_owned(), of_page);
        meta
    }
}

impl<C> std::fmt::Debug for Tool<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tool")
            .field("name", &self.name)
            .field("listed", &self.listed)
            .finish_non_exhaustive()
    }
}

/// A tool as a client sees it, `_meta` aside.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolEntry<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
    input_schema: Cow<'a, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Cow<'a, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a ToolAnnotations>,
}

/// The hints of a tool. Source: specification 2026-07-28, schema, `ToolAnnotations`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ToolAnnotations {
    #[serde(rename = "readOnlyHint", skip_serializing_if = "Option::is_none")]
    read_only: Option<bool>,
    #[serde(rename = "destructiveHint", skip_serializing_if = "Option::is_none")]
    destructive: Option<bool>,
    #[serde(rename = "idempotentHint", skip_serializing_if = "Option::is_none")]
    idempotent: Option<bool>,
    #[serde(rename = "openWorldHint", skip_serializing_if = "Option::is_none")]
    open_world: Option<bool>,
    /// Whether the tool repeats well was said, and does not follow from its effect.
    #[serde(skip)]
    is_idempotence_said: bool,
}

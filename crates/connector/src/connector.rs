//! A compiled connector: what every part of it means. Only `compile` makes one, and it cannot be
//! wrong. Sends nothing itself.

mod model;
mod plan;
mod records;
mod search;
mod served;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

pub use crate::definition::{Decides, Kind, SettingKind, ToolEffect};
use crate::jq::{FilterOrigin, Glue, Program};
use crate::operation::BackendOperation;
use crate::settings::{Rules, SessionKeeper, Setting, SettingProblems, SettingValues};
pub use model::{FieldKind, FilterKey, Model, ModelField, ModelOperation, ModelReference};
pub(crate) use plan::{
    ArgumentPlan, BodyPlan, CheckPlan, ColumnOrigin, ColumnPlan, Does, Each, EntryPlan, Exchange,
    LoginPlan, LookupPlan, MAX_REQUESTS, Oldest, Pages, PagingPlan, Plan, Request, Resolve,
    RollPlan, Row, ShapePlan, SourcePlan, StepPlan, Timeout, TouchPlan, UndoNames, Until, Want,
};
pub(crate) use records::{AttachedPlan, CreationPlan, FieldsPlan, MAX_FIELDS, RecordPlan};
pub use records::{RecordKind, UndoWay, Undoing};
pub use search::{DocumentKind, FindingTool, SearchPart};
pub use served::{ConnectorPrompt, ConnectorPromptArgument, ConnectorResource};
pub(crate) use view::ColumnsPlan;
pub use view::{
    BoardView, ChartView, ConnectorView, Drawing, DrawnKind, FormTool, MoveTool, OpenTool,
    ViewChoice, ViewColumn, ViewColumns, ViewForm,
};

/// Where each filter of a connector stands in its file: only a failure asks.
pub(crate) type FilterOrigins =
    LazyLock<Vec<FilterOrigin>, Box<dyn FnOnce() -> Vec<FilterOrigin> + Send>>;

/// One backend, ready to be called once it has settings and an upstream. Cheap to clone.
#[derive(Clone)]
pub struct Connector(pub(crate) Arc<Compiled>);

impl Connector {
    /// Its name, such as `board`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Name of the backend, for people.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// Address of the backend's picture.
    pub fn icon(&self) -> Option<&str> {
        self.0.icon.as_deref()
    }

    /// The line at `/` of a program that serves this connector alone.
    pub fn greeting(&self) -> Option<&str> {
        self.0.greeting.as_deref()
    }

    /// What a model should know before it uses the tools.
    pub fn instructions(&self) -> &str {
        &self.0.instructions
    }

    /// The tools, in the order in which clients see them.
    pub fn tools(&self) -> &[ConnectorTool] {
        &self.0.tools
    }

    /// The tool of this name or alias.
    pub fn tool(&self, name: &str) -> Option<&ConnectorTool> {
        self.0
            .by_name
            .get(name)
            .and_then(|index| self.0.tools.get(*index))
    }

    /// Calls of tools under REST paths of their own, in the order of the file.
    pub fn actions(&self) -> &[RestAction] {
        &self.0.actions
    }

    /// How pages show what tools give, in the order of the file.
    pub fn views(&self) -> &[Arc<ConnectorView>] {
        &self.0.views
    }

    /// The view of what a call of a tool gives: of several, the one that is about the most of its
    /// arguments.
    pub fn view_of(
        &self,
        tool: &str,
        arguments: &serde_json::Map<String, Value>,
    ) -> Option<&Arc<ConnectorView>> {
        let views = self.0.views.iter().filter(|view| view.tool == tool);
        let fitting = views.filter_map(|view| Some((view.fit(arguments)?, view)));
        // of those that fit alike, the first
        fitting
            .rev()
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, view)| view)
    }

    /// What a client may read by an address, in the order of the file.
    pub fn resources(&self) -> &[ConnectorResource] {
        &self.0.resources
    }

    /// Messages that a person picks to begin with, in the order of the file.
    pub fn prompts(&self) -> &[ConnectorPrompt] {
        &self.0.prompts
    }

    /// How its records take part in `search` and `fetch`; none where the file does not say.
    pub fn search(&self) -> Option<&SearchPart> {
        self.0.search.as_ref()
    }

    /// Kinds of records that its tools touch: those of the file in its order, then those of its
    /// models.
    pub fn records(&self) -> impl Iterator<Item = &RecordKind> {
        self.0.records.iter().map(|record| &record.kind)
    }

    /// The tools that read records of this kind: those of its model; for another kind, as steps do
    /// not say what they read, all that read.
    pub fn readers(&self, kind: &str) -> impl Iterator<Item = &ConnectorTool> {
        let is_of_model = self.0.models.iter().any(|model| model.name == kind);
        self.0.tools.iter().filter(move |tool| match &tool.action {
            Action::List(model) | Action::Read(model) => is_of_model && model.name == kind,
            _ => !is_of_model && tool.effect == ToolEffect::Read,
        })
    }

    /// Behaviours that are not data; a host that lacks one must not serve the connector.
    pub fn kinds(&self) -> &[Kind] {
        &self.0.kinds
    }

    /// Each method and path that it may ask its backend for, in the order of the file.
    pub fn operations(&self) -> &[BackendOperation] {
        &self.0.operations
    }

    /// Something is asked before the backend is served (see [`Backend::preflight`](crate::Backend::preflight)).
    pub fn has_preflight(&self) -> bool {
        !self.0.preflight.is_empty()
    }

    /// Groups of tools by name, each with whether its tools are listed unless the operator says
    /// otherwise.
    pub fn groups(&self) -> &[(String, bool)] {
        &self.0.groups
    }

    /// The models in the order of the file, for a backend that validates against the same table.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.0.models.iter().map(AsRef::as_ref)
    }

    /// What can be set.
    pub fn setting_rules(&self) -> &[Setting] {
        &self.0.rules.settings
    }

    /// The settings that the backend's address is made of.
    pub fn address_settings(&self) -> impl Iterator<Item = &str> {
        self.0.rules.settings_of_base()
    }

    /// The secret setting in whose place a pasted token is kept; none when the file does not say.
    pub fn token_setting(&self) -> Option<&str> {
        self.0.token_setting.as_deref()
    }

    /// The settings that a person is asked for who logs in, in the order of the questions.
    pub fn asked_settings(&self) -> impl Iterator<Item = &Setting> {
        let asks = self.0.login.iter().flat_map(|login| &login.asks);
        asks.filter_map(|name| self.0.rules.settings.iter().find(|rule| rule.name == *name))
    }

    /// Whether the backend may hand out a next token in the place of this one, which was pasted: it
    /// is then kept as a session, see [`Connector::settings_with_session`].
    pub fn may_roll(&self, token: &str) -> bool {
        let rolls = self.0.login.as_ref().and_then(|login| login.rolls.as_ref());
        rolls.is_some_and(|rolls| {
            let except = rolls.except.as_deref();
            except.is_none_or(|except| !token.starts_with(except))
        })
    }

    /// Exit code of missing and wrong settings, where the file gives one.
    pub fn exit_unset(&self) -> Option<u8> {
        self.0.exit_unset
    }

    /// Resolves every setting by `lookup`, which is asked for each name and, for secrets, for
    /// `NAME_FILE`.
    ///
    /// # Errors
    /// All problems at once; none shows a secret.
    pub fn settings(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SettingValues, SettingProblems> {
        self.0.rules.resolve(lookup, false)
    }

    /// The same with a session that is kept between runs, whose token is sent in the place of a
    /// login: nothing needs to be set that a login would be made with.
    ///
    /// # Errors
    /// As [`Connector::settings`].
    pub fn settings_with_session(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
        keeper: Arc<dyn SessionKeeper>,
    ) -> Result<SettingValues, SettingProblems> {
        let settings = self.0.rules.resolve(lookup, true)?;
        Ok(settings.with_session(keeper))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("name", &self.0.name)
            .field("tools", &self.0.tools.len())
            .finish_non_exhaustive()
    }
}

/// A tool as a client may see it.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectorTool {
    /// Name that is listed and called.
    pub name: String,
    /// Other names that a call may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Name for people.
    pub title: String,
    /// Address of the picture that people see beside its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// What it does, for a model.
    pub description: String,
    /// What it does to the backend.
    pub effect: ToolEffect,
    /// JSON Schema of its arguments, an object.
    #[serde(serialize_with = "shared")]
    pub input_schema: Arc<Value>,
    /// JSON Schema of its result, an object; none when the result may be anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "shared_if_any")]
    pub output_schema: Option<Arc<Value>>,
    /// Other names of arguments, each with the name it stands for; they are not listed. A call
    /// takes them too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub argument_aliases: Vec<(String, String)>,
    /// Other words for values, each with its argument and the value it stands for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub value_aliases: Vec<(String, String, String)>,
    /// Arguments for which an explicit null is a value: it clears the field. Any other null means
    /// that the argument was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nullable: Vec<String>,
    /// Arguments that are names as texts, and ids as JSON numbers: a call may pass a whole number
    /// where `input_schema` says `string`.
    #[serde(skip)]
    pub takes_ids: Vec<String>,
    /// Its output schema is published, and its results are sent as structured content too.
    #[serde(skip)]
    pub structured: bool,
    /// How long a call may wait for the backend to finish something, beside the time of its
    /// requests.
    #[serde(skip)]
    pub longest_wait: Duration,
    /// A call may carry the argument `idempotency_key`, which is the host's: it carries a call with
    /// the same key out once. [`Backend::call`](crate::Backend::call) does not look at it.
    #[serde(skip)]
    pub takes_key: bool,
    /// Its file says how a person is asked before it acts; see [`Backend::confirmation`](crate::Backend::confirmation).
    #[serde(skip)]
    pub asks: bool,
    /// The group it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Listed unless the operator says otherwise.
    #[serde(skip)]
    pub is_listed: bool,
    /// Why its change cannot be taken back; none for a tool that reads or that can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_undo: Option<String>,
    /// Arguments that it takes and does not list, each with its schema: an answer says when they
    /// help.
    #[serde(skip)]
    pub unlisted_arguments: Vec<(&'static str, Value)>,
    /// What a row of its list can have, as `fields: shape` says it; none where nothing says it.
    #[serde(skip)]
    pub(crate) row_form: Option<Value>,
    /// Hints for clients.
    pub annotations: Annotations,
    #[serde(skip)]
    pub(crate) undoing: Option<Undoing>,
    #[serde(skip)]
    pub(crate) action: Action,
}

fn shared<S: Serializer>(schema: &Arc<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    schema.serialize(serializer)
}

fn shared_if_any<S: Serializer>(
    schema: &Option<Arc<Value>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    schema.as_deref().serialize(serializer)
}

impl ConnectorTool {
    /// The model whose rows it is about, and what it does to them; none for a tool of steps.
    pub fn model(&self) -> Option<(&Model, ModelOperation)> {
        Some(match &self.action {
            Action::List(model) => (model, ModelOperation::List),
            Action::Read(model) => (model, ModelOperation::Read),
            Action::Create(model) => (model, ModelOperation::Create),
            Action::Update(model) => (model, ModelOperation::Update),
            Action::Delete(model) => (model, ModelOperation::Delete),
            Action::Steps(_) => return None,
        })
    }

    /// How its change is undone, and what is lost; none for a tool that reads.
    pub fn undoing(&self) -> Option<&Undoing> {
        self.undoing.as_ref()
    }

    /// It reads, and its file says that it gives a list or a record.
    pub fn has_known_result(&self) -> bool {
        self.effect == ToolEffect::Read
            && match &self.action {
                Action::List(_) | Action::Read(_) => true,
                Action::Steps(_) => self.output_schema.is_some(),
                Action::Create(_) | Action::Update(_) | Action::Delete(_) => false,
            }
    }

    /// It gives a list, as far as its file says.
    pub fn gives_list(&self) -> bool {
        match &self.action {
            Action::List(_) => true,
            Action::Steps(plan) => plan.lists_items,
            _ => false,
        }
    }
}

/// Hints about a tool, as in MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Annotations {
    /// Changes nothing.
    pub read_only: bool,
    /// May remove something.
    pub destructive: bool,
    /// The same call again changes nothing more.
    pub idempotent: bool,
    /// Reaches something outside this program.
    pub open_world: bool,
}

/// A call of a tool by HTTP, with an envelope of its own.
#[derive(Debug, Clone)]
pub struct RestAction {
    /// Its name, which is the last segment of its path.
    pub name: String,
    /// HTTP method.
    pub method: http::Method,
    /// The tool that is called.
    pub tool: String,
    /// What it does.
    pub description: String,
    /// Name of its command.
    pub command: String,
    /// What a request may carry, in the order of the file: parameters of a `get`, keys of the body
    /// otherwise.
    pub input: Vec<ActionInput>,
    /// JSON Schema of its answer, as far as its filter says; open where it does not.
    pub answer: Value,
    pub(crate) arguments: Glue,
    pub(crate) is_several: bool,
    pub(crate) result: Option<Glue>,
}

/// What a request of an action may carry.
#[derive(Debug, Clone)]
pub struct ActionInput {
    /// Its name.
    pub name: String,
    /// Its JSON Schema; its `type` is a list for what may be of several, null among them.
    pub schema: Value,
    /// A request without it is refused.
    pub required: bool,
}

/// What a call of a tool does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    List(Arc<Model>),
    Read(Arc<Model>),
    Create(Arc<Model>),
    Update(Arc<Model>),
    Delete(Arc<Model>),
    Steps(Arc<Plan>),
}

/// How lists of models are paged.
#[derive(Debug)]
pub(crate) struct ModelPaging {
    pub(crate) plan: Arc<PagingPlan>,
    /// Parameter for the rows before the first page.
    pub(crate) offset: String,
    /// Where the rows of an answer stand.
    pub(crate) rows: Vec<String>,
    /// Where it says whether more follow.
    pub(crate) more: Vec<String>,
}

/// Everything that `compile` settled.
pub(crate) struct Compiled {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) icon: Option<String>,
    pub(crate) greeting: Option<String>,
    pub(crate) instructions: String,
    pub(crate) rules: Rules,
    pub(crate) timeout: Timeout,
    pub(crate) paging: Option<ModelPaging>,
    pub(crate) errors: Vec<Glue>,
    pub(crate) hints: BTreeMap<u16, String>,
    pub(crate) conflict: Option<Glue>,
    pub(crate) version: Option<Glue>,
    /// Seconds that a throttled call waits.
    pub(crate) wait: Option<Glue>,
    pub(crate) longest_wait: Duration,
    pub(crate) login: Option<LoginPlan>,
    /// The setting in whose place a pasted token is kept.
    pub(crate) token_setting: Option<String>,
    /// Exit code of missing and wrong settings, where the file gives one.
    pub(crate) exit_unset: Option<u8>,
    pub(crate) me: Option<Request>,
    pub(crate) preflight: Vec<CheckPlan>,
    pub(crate) kinds: Vec<Kind>,
    /// Where the backend may serve its OpenAPI document.
    pub(crate) document_paths: Vec<String>,
    /// In the order of the file.
    pub(crate) operations: Vec<BackendOperation>,
    pub(crate) views: Vec<Arc<ConnectorView>>,
    pub(crate) resources: Vec<ConnectorResource>,
    pub(crate) prompts: Vec<ConnectorPrompt>,
    pub(crate) sources: Vec<SourcePlan>,
    pub(crate) lookups: Vec<LookupPlan>,
    pub(crate) records: Vec<RecordPlan>,
    /// Keys whose texts are fenced, wherever they stand.
    pub(crate) untrusted: Arc<[String]>,
    /// Characters after which an untrusted text is cut.
    pub(crate) text_limit: usize,
    pub(crate) program: Program,
    /// Where each filter stands in the file.
    pub(crate) origins: FilterOrigins,
    pub(crate) tools: Vec<ConnectorTool>,
    pub(crate) by_name: HashMap<String, usize>,
    pub(crate) actions: Vec<RestAction>,
    pub(crate) search: Option<SearchPart>,
    pub(crate) groups: Vec<(String, bool)>,
    /// In the order of the file.
    pub(crate) models: Vec<Arc<Model>>,
}

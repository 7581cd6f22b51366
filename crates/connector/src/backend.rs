//! A connector with settings and an upstream: the place where calls enter. What a call does is in
//! `backend/`.

mod access;
mod account;
mod actions;
mod attached;
mod budget;
mod charset;
mod conflict;
mod credentials;
mod exchange;
mod identity;
mod image;
mod lookup;
mod model_list;
mod paging;
mod path_check;
mod preflight;
mod projection;
mod record;
mod record_turns;
mod request;
mod resources;
mod restore;
mod row;
mod search;
mod secrets;
mod sentence;
mod session;
mod sources;
mod step_list;
mod steps;
mod throttle;
mod tidy;
mod touching;
mod under_base;
mod values;
mod view_columns;

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jaq_json::Val;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::connector::{
    Action, Compiled, Connector, ConnectorView, Decides, Kind, MAX_REQUESTS, RestAction, Timeout,
};
use crate::failure::BackendError;
use crate::fence::{self, Fencing};
use crate::jq::{Variable, Variables};
use crate::json;
use crate::planner::{CurrentRecord, PlannedRecord};
use crate::settings::SettingValues;
use crate::touched::TouchedRecord;
use crate::upstream::Upstream;

use budget::CallBudget;
pub use budget::SharedBudget;
pub use path_check::{AskedPath, FoundDocument, PathCheck};
pub use preflight::PreflightFailure;
pub use restore::CallWay;
pub use search::{FetchedDocument, SearchHit};
pub use steps::Question;
pub use touching::WriteWitness;

/// Bytes of a result that a filter composes with others.
const MAX_COMPOSED_BYTES: usize = 4 << 20;

/// How far a long call is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is done.
    pub done: f64,
    /// What there is to do, in the same unit, when that is known.
    pub total: Option<f64>,
    /// A few words about it; untrusted.
    pub message: Option<String>,
}

/// What is told of the progress of a call.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// What a call may do beside giving a result.
#[derive(Clone, Default)]
pub struct Options {
    /// Told how far the call is. With it, a call may wait as long as its connector says; without
    /// it, less than a minute.
    pub progress: Option<OnProgress>,
    /// Also give the records as the backend sent them.
    pub keeps_records: bool,
    /// The result is for a person or a program, not for a model: no text is fenced, neither in it
    /// nor in an error.
    pub is_plain: bool,
    /// The result goes to a filter that composes it with those of other calls, which spend of the
    /// same budget: no text in it is fenced, and a list may be larger than an answer.
    pub composed: Option<SharedBudget>,
    /// Whoever records what the call writes: told before anything is written, and given what the
    /// call touched. Without it, nothing is read but what the call itself needs.
    pub witness: Option<Arc<dyn WriteWitness>>,
    /// The result is shown by this view: a board's columns are read too.
    pub view: Option<Arc<ConnectorView>>,
}

/// What a call gave.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The result, as it goes to the client: one compact JSON value.
    pub json: String,
    /// The same before any shape, with nothing left out, renamed or fenced, when
    /// [`Options::keeps_records`] asked for it; one JSON value.
    pub records: Option<String>,
    /// The records that the call touched, with what they were and are, when there was a
    /// [witness](Options::witness).
    pub touched: Vec<TouchedRecord>,
    /// What [`Backend::undo_call`] needs to undo the call, where that is done by steps or by
    /// another tool: a JSON text, to be kept. None where it would be too large.
    pub undo_values: Option<String>,
    /// The columns of the board that [`Options::view`] is.
    pub columns: Option<crate::connector::ViewColumns>,
}

impl Outcome {
    fn new(json: String) -> Self {
        debug_assert!(json::is_valid(&json), "a result that is no JSON");
        Self {
            json,
            ..Self::default()
        }
    }
}

/// One backend with one credential, ready to be called. Cheap to clone; clones share the upstream,
/// the login and what lookups keep, so callers with credentials of their own need a backend of
/// their own.
///
/// Arguments are expected to fit the tool's `input_schema`: they are not validated here. What a
/// model wrote goes through [`crate::unfence`] before. Filters run on the runtime's blocking
/// threads, which need [`crate::FILTER_STACK_BYTES`] of stack.
#[derive(Clone)]
pub struct Backend {
    connector: Connector,
    /// With the settings that hold; calls under way go on with those that they began with.
    current: Arc<RwLock<Arc<Shared>>>,
    fencing: Fencing,
}

/// What all calls of a backend share.
struct Shared {
    connector: Connector,
    settings: SettingValues,
    upstream: Arc<dyn Upstream>,
    /// Time that one request may take.
    timeout: Duration,
    /// Settings that are no secrets, as filters see them.
    open: Val,
    session: session::Session,
    sources: sources::Sources,
    secrets: secrets::Secrets,
    credentials: credentials::CurrentCredentials,
    /// There when the backend may stand behind Cloudflare Access.
    access: Option<access::KeptAccess>,
    turns: record_turns::RecordTurns,
}

/// One call from the inside: what it shares with the others, and what it may spend.
struct Inner {
    shared: Arc<Shared>,
    budget: Arc<CallBudget>,
    fencing: Fencing,
    /// What was read since then is as new as the call can ask for.
    began: Instant,
}

impl std::ops::Deref for Inner {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Inner {
    /// Bytes that a result may have which has at most so many in an answer.
    fn most_bytes(&self, in_answer: usize) -> usize {
        match self.fencing {
            Fencing::Composed => MAX_COMPOSED_BYTES,
            Fencing::Strangers | Fencing::Own | Fencing::Nobody => in_answer,
        }
    }
}

impl Connector {
    /// The backend behind `upstream`, with these settings.
    pub fn connect(&self, settings: SettingValues, upstream: impl Upstream) -> Backend {
        Backend {
            connector: self.clone(),
            current: Arc::new(RwLock::new(Arc::new(Shared::new(
                self.clone(),
                settings,
                Arc::new(upstream),
            )))),
            fencing: Fencing::Strangers,
        }
    }
}

impl Shared {
    fn compiled(&self) -> &Compiled {
        &self.connector.0
    }

    /// What every filter may name.
    fn variables(&self) -> Variables {
        let mut variables = Variables::default();
        variables.set(Variable::Settings, self.open.clone());
        variables.set(Variable::Today, Val::utf8_str(today()));
        variables
    }

    fn new(connector: Connector, settings: SettingValues, upstream: Arc<dyn Upstream>) -> Self {
        let (session, sources) = (session::Session::default(), sources::Sources::default());
        let has_access = connector.0.kinds.contains(&Kind::CloudflareAccess);
        let discovers = settings.decided(Decides::Cloudflared) != Some("false");
        let access = has_access.then(|| access::KeptAccess::new(discovers));
        let timeout = match &connector.0.timeout {
            Timeout::Fixed(time) => *time,
            // a whole number, as its setting's rules say
            Timeout::Setting(name) => Duration::from_secs(
                settings
                    .open
                    .get(name)
                    .and_then(|seconds| seconds.parse().ok())
                    .unwrap_or_default(),
            ),
        };
        let open = settings
            .open
            .iter()
            .map(|(name, value)| (Val::utf8_str(name.clone()), Val::utf8_str(value.clone())));
        let open = Val::obj(open.collect());
        let (secrets, credentials) = (
            secrets::Secrets::new(&settings),
            credentials::CurrentCredentials::new(&settings),
        );
        Self {
            connector,
            settings,
            upstream,
            timeout,
            open,
            session,
            sources,
            secrets,
            credentials,
            access,
            turns: record_turns::RecordTurns::default(),
        }
    }
}

impl Backend {
    fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, where the caller wrote what it holds: its texts are fenced only where they could
    /// be taken for something else, such as our marks. Without it every text that the connector
    /// file says is untrusted is fenced.
    #[must_use]
    pub fn with_own_texts(self) -> Self {
        Self {
            fencing: Fencing::Own,
            ..self
        }
    }

    /// Whether the caller wrote what it holds, as [`Backend::with_own_texts`] said.
    pub fn has_own_texts(&self) -> bool {
        self.fencing == Fencing::Own
    }

    /// A call that may send so many requests.
    fn begin(&self, requests: usize) -> Arc<Inner> {
        self.begin_on(self.fencing, Arc::new(CallBudget::new(requests)))
    }

    fn begin_on(&self, fencing: Fencing, budget: Arc<CallBudget>) -> Arc<Inner> {
        Arc::new(Inner {
            shared: self.shared(),
            budget,
            fencing,
            began: Instant::now(),
        })
    }

    /// Whether it is a service of this process, which ends what it does with the call.
    pub fn is_in_process(&self) -> bool {
        self.shared().upstream.is_in_process()
    }

    /// The connector that this is.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A text that tells this backend, with these settings, from others: made of its connector, its
    /// address, the settings that may tell whose it is and are no secrets, and the account where it
    /// is known
    /// ([`SettingValues::of_account`](crate::SettingValues::of_account)). Two credentials that
    /// differ in secrets alone are not told apart.
    pub fn identity(&self) -> String {
        self.connector.identity(&self.shared().settings)
    }

    /// Calls a tool by its name or alias, like [`Backend::call_with`] without options.
    ///
    /// # Errors
    /// [`BackendError`] with a text for the model, whose fault it was, and whether trying again is
    /// safe.
    pub fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> impl Future<Output = Result<Outcome, BackendError>> + Send + 'static + use<> {
        self.call_with(tool, arguments, Options::default())
    }

    /// Calls a tool by its name or alias. Dropping the future cancels the call.
    ///
    /// # Errors
    /// [`BackendError`] with a text for the model, whose fault it was, and whether trying again is
    /// safe.
    pub fn call_with(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        options: Options,
    ) -> impl Future<Output = Result<Outcome, BackendError>> + Send + 'static + use<> {
        let called = self.connector.tool(tool);
        let row_form = called.and_then(|tool| row_form(tool, &arguments));
        let action = called.map(|tool| tool.action.clone());
        let requests = match &action {
            Some(Action::List(_)) => model_list::MAX_WALK_REQUESTS,
            Some(Action::Steps(plan)) => plan.requests,
            _ => MAX_REQUESTS,
        };
        let requests = requests.saturating_add(match options.witness {
            Some(_) => touching::READS,
            None => 0,
        });
        let inner = match &options.composed {
            Some(shared) => self.begin_on(Fencing::Composed, shared.of_call(requests)),
            None if options.is_plain => {
                self.begin_on(Fencing::Nobody, Arc::new(CallBudget::new(requests)))
            }
            None => self.begin(requests),
        };
        let unknown = action.is_none().then(|| {
            BackendError::caller(format!(
                "There is no tool `{tool}`. List the tools to see their names."
            ))
        });
        async move {
            if let Some(error) = unknown {
                return Err(error);
            }
            if let Some(row_form) = row_form {
                return row_form.map(Outcome::new);
            }
            match action {
                Some(Action::List(model)) => {
                    view_columns::list(&inner, &model, arguments, options.view).await
                }
                Some(Action::Read(model)) => record::read(&inner, &model, &arguments).await,
                Some(Action::Create(model)) => {
                    record::create(&inner, &model, arguments, &options).await
                }
                Some(Action::Update(model)) => {
                    record::update(&inner, &model, arguments, &options).await
                }
                Some(Action::Delete(model)) => {
                    record::delete(&inner, &model, &arguments, &options).await
                }
                Some(Action::Steps(plan)) => {
                    Box::pin(steps::run(&inner, &plan, arguments, options)).await
                }
                None => Err(BackendError::caller("There is no such tool.")),
            }
        }
    }
}

/// What `fields: shape` gives: what a row can have, known without asking the backend; none for a
/// call that asks for rows.
fn row_form(
    tool: &crate::connector::ConnectorTool,
    arguments: &Map<String, Value>,
) -> Option<Result<String, BackendError>> {
    let fields = arguments.get("fields")?.as_array()?;
    let form = tool.row_form.as_ref();
    let is_field = form.is_some_and(|form| form.get("shape").is_some());
    if tool.annotations.read_only && !is_field && fields.iter().any(|name| name == "shape") {
        return Some(form.map(|form| serde_json::json!({ "row": form }).to_string()).ok_or_else(|| {
            BackendError::caller(format!(
                "The rows of `{}` have no fixed shape: ask for one of them, with `limit: 1`.",
                tool.name
            ))
        }));
    }
    None
}

impl Backend {
    /// The arguments of each call that an HTTP request to an action wants. `request` is `{query:
    /// {name: [values]}, body}`.
    ///
    /// The calls themselves are the host's: they go the road of every call, with
    /// [`Options::keeps_records`].
    ///
    /// # Errors
    /// When there is no such action, or the request does not fit it; the text says why.
    pub fn action_arguments(
        &self,
        action: &str,
        request: Value,
    ) -> impl Future<Output = Result<Vec<Map<String, Value>>, BackendError>> + Send + 'static + use<>
    {
        let (inner, action) = (self.begin(MAX_REQUESTS), self.action(action));
        async move { actions::arguments(&inner, &action?, &request).await }
    }

    /// The answer of an action for what its calls gave, each with its arguments: one JSON value.
    ///
    /// # Errors
    /// When there is no such action, or its filter does not fit what came.
    pub fn action_answer(
        &self,
        action: &str,
        calls: Vec<(Map<String, Value>, Outcome)>,
    ) -> impl Future<Output = Result<String, BackendError>> + Send + 'static + use<> {
        let (inner, action) = (self.begin(MAX_REQUESTS), self.action(action));
        async move { actions::answer(&inner, &action?, calls).await }
    }

    fn action(&self, name: &str) -> Result<RestAction, BackendError> {
        let found = self
            .connector
            .0
            .actions
            .iter()
            .find(|action| action.name == name);
        found
            .cloned()
            .ok_or_else(|| BackendError::caller(format!("There is no action `{name}`.")))
    }

    /// What a person is asked before this change, as the tool's `confirm` says it; none when it
    /// says nothing. Changes nothing, but may read the record that is about to change.
    ///
    /// # Errors
    /// As [`Backend::call`].
    pub fn confirmation(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> impl Future<Output = Result<Option<Question>, BackendError>> + Send + 'static + use<> {
        let inner = self.begin(MAX_REQUESTS);
        let action = inner.connector.tool(tool).map(|tool| tool.action.clone());
        async move {
            match action {
                Some(Action::Steps(plan)) => {
                    Box::pin(steps::confirmation(&inner, &plan, arguments)).await
                }
                _ => Ok(None),
            }
        }
    }
}

impl Backend {
    /// A record as it is now, for a [plan](crate::plan_undo). That there is none is what was found.
    ///
    /// # Errors
    /// When the connector has no such kind.
    pub fn read_image(
        &self,
        kind: &str,
        id: &str,
    ) -> impl Future<Output = Result<CurrentRecord, BackendError>> + Send + 'static + use<> {
        let (inner, kind, id) = (self.begin(MAX_REQUESTS), kind.to_owned(), id.to_owned());
        async move { restore::read(&inner, &kind, &id).await }
    }

    /// Sends what a plan says of one record, over the record as it is at that moment: fields put
    /// back with the version of now, a record made again, or one deleted. Of a field that is no
    /// longer what the plan saw, nothing of the record is sent. Reads back what became of it; what
    /// it gives is a change like any other.
    ///
    /// # Errors
    /// As [`Backend::call`]; [`BackendError::is_conflict`] where the record is no longer as the plan
    /// saw it, so that planning again helps.
    pub fn restore(
        &self,
        planned: &PlannedRecord,
        witness: Option<Arc<dyn WriteWitness>>,
    ) -> impl Future<Output = Result<Vec<TouchedRecord>, BackendError>> + Send + 'static + use<>
    {
        let (inner, planned) = (self.begin(MAX_REQUESTS), planned.clone());
        async move { restore::send(&inner, &planned, witness).await }
    }

    /// Undoes a call of a tool that is undone by steps or by another tool
    /// ([`UndoWay`](crate::UndoWay)), whole or not at all, or makes it again after that, with the
    /// [values](Outcome::undo_values) that were kept of it.
    ///
    /// # Errors
    /// As [`Backend::call`], and when the tool is gone, is undone in another way now, or the values
    /// are not those of such a call.
    pub fn undo_call(
        &self,
        tool: &str,
        undo_values: &str,
        way: CallWay,
        options: Options,
    ) -> impl Future<Output = Result<Outcome, BackendError>> + Send + 'static + use<> {
        let (backend, tool) = (self.clone(), tool.to_owned());
        let values = undo_values.to_owned();
        async move { restore::call(&backend, &tool, &values, way, options).await }
    }

    /// What the connector asks before it is served: each check in its order, tried again for as
    /// long as the file says. Gives the warnings for the operator, in the file's words.
    ///
    /// # Errors
    /// The first check that failed, with the exit code that the file gives it.
    pub fn preflight(
        &self,
    ) -> impl Future<Output = Result<Vec<String>, PreflightFailure>> + Send + 'static + use<> {
        let backend = self.clone();
        async move { preflight::run(&backend).await }
    }

    /// Compares what the connector asks with the backend's OpenAPI document, as it serves it at the
    /// places that the file names: paths, methods, and the keys of parameters and bodies. Without a
    /// document it asks the assumed paths that need no value. Only reads; what fails is part of the
    /// outcome.
    pub fn check_paths(&self) -> impl Future<Output = PathCheck> + Send + 'static + use<> {
        // each of the places that the file names, once
        let inner = self.begin(usize::MAX);
        async move { path_check::run(&inner).await }
    }

    /// A text of the backend as a client may read it: in a fence where strangers wrote it.
    pub fn fenced(&self, text: &str) -> String {
        match self.fencing {
            Fencing::Own if !fence::is_needed(text) => text.to_owned(),
            fencing => fencing.words(text),
        }
    }

    /// The address that requests go under, such as `https://example.org/api`; it holds no
    /// credential.
    pub fn address(&self) -> String {
        self.shared().settings.base().to_owned()
    }
}

/// The date in UTC.
fn today() -> String {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .to_string()
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend")
            .field("connector", &self.connector)
            .field("settings", &self.shared().settings)
            .finish_non_exhaustive()
    }
}

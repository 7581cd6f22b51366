//! A backend described as data: a connector file, admitted arguments and a credential become REST
//! exchanges and a result.
//!
//! [`compile()`] turns the YAML text of a connector file into a [`Connector`], or names everything
//! that is wrong with it. [`Connector::settings`] resolves what comes from outside,
//! [`Connector::connect`] binds it to an [`Upstream`], and [`Backend::call`] calls a tool.
//!
//! This crate knows neither MCP nor who is calling; it does not validate arguments and holds no
//! policy.

// The modules in layers, from the top down: a module uses its own layer and those below.

// Calls of a backend.
mod backend;
// Looks at a file that serve nobody: what is wrong with it, and the page that describes the format.
mod lint;
mod reference;
// The file becomes a connector.
mod compile;
mod declaration;
mod yaml;
// A connector that cannot be wrong, its settings resolved.
mod connector;
mod settings;
// The file as written.
mod definition;
// What a connector is made of and works with: paths, filters, versions, operations, fences, the
// planner of writes, what a call touched, and why one failed.
mod document;
mod failure;
mod fence;
mod jq;
mod operation;
mod planner;
mod template;
mod touched;
mod version;
// Ground: JSON, places in a file and what is wrong there, the way to a backend.
mod file_stamp;
mod json;
mod place;
mod placeholder;
mod problem;
mod upstream;
mod variables;

pub use backend::{
    AskedPath, Backend, CallWay, FetchedDocument, FoundDocument, OnProgress, Options, Outcome,
    PathCheck, PreflightFailure, Progress, Question, SearchHit, SharedBudget, WriteWitness,
};
pub use compile::{compile, compile_sound};
pub use connector::{
    ActionInput, Annotations, BoardView, ChartView, Connector, ConnectorPrompt,
    ConnectorPromptArgument, ConnectorResource, ConnectorTool, ConnectorView, Decides,
    DocumentKind, Drawing, DrawnKind, FieldKind, FilterKey, FindingTool, FormTool, Kind, Model,
    ModelField, ModelOperation, ModelReference, MoveTool, OpenTool, RecordKind, RestAction,
    SearchPart, SettingKind, ToolEffect, UndoWay, Undoing, ViewChoice, ViewColumn, ViewColumns,
    ViewForm,
};
pub use declaration::{Declaration, DeclaredSetting};
pub use definition::schema;
pub use document::{Difference, Differs};
pub use failure::{BackendError, Fault};
pub use fence::{fence, may_be_fenced, unfence, unfenced};
pub use file_stamp::FileStamp;
pub use jq::{FILTER_STACK_BYTES, QueryFault, QueryFilter, QueryResult, QueryValue};
pub use json::ValueKind;
pub use lint::{Linted, LintedTool, lint};
pub use operation::BackendOperation;
pub use place::Place;
pub use placeholder::is_placeholder;
pub use planner::{
    Attached, ChangePlan, CurrentRecord, CurrentRecords, FieldEquality, FieldValues, FieldVerdict,
    Image, NotTaken, Obstacle, PastChange, PlannedField, PlannedObstacle, PlannedRecord, RecordAct,
    RecordNow, RecordRef, RecordTraits, Transition, UnknownVerdict, decide_unknown, merge_write,
    plan_proposal, plan_undo, read_back, records_to_read,
};
pub use problem::{Problem, Problems};
pub use reference::reference;
pub use settings::{SessionKeeper, SessionTokens, Setting, SettingProblems, SettingValues};
pub use touched::{Touch, TouchedRecord};
pub use upstream::{BoxFuture, InProcess, Limits, Network, NetworkError, Unanswered, Upstream};
pub use variables::is_needed_variable;
pub use yaml::MAX_FILE_BYTES;

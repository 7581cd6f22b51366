//! A backend described as data: a connector file, admitted arguments and a credential become REST
//! exchanges and a result.
//!
//! [`compile()`] turns the YAML text of a connector file into a [`Connector`], or names everything
//! that is wrong with it. [`Connector::settings`] resolves what comes from outside,
//! [`Connector::connect`] binds it to an [`Upstream`], and [`Backend::call`] calls a tool.
//!
//! This crate knows neither MCP nor who is calling; it does not validate arguments and holds no
//! policy.

mod place;
mod problem;

mod compile;
mod definition;
mod jq;
mod lint;
mod template;
mod variables;
mod version;
mod yaml;

mod connector;
mod operation;
mod placeholder;
mod settings;
mod upstream;

mod backend;
mod document;
mod failure;
mod fence;
mod file_stamp;
mod json;
mod reference;

pub use backend::{
    Asked, Backend, FoundDocument, OnProgress, Options, Outcome, PathCheck, PreflightFailure,
    Progress, Question,
};
pub use compile::compile;
pub use connector::{
    ActionInput, Annotations, Connector, Decides, Effect, Kind, Prompt, PromptArgument, Resource,
    RestAction, SettingKind, Tool,
};
pub use definition::schema;
pub use document::{Difference, Differs};
pub use failure::{CallError, Fault};
pub use fence::{may_be_fenced, unfence, unfenced};
pub use file_stamp::FileStamp;
pub use jq::FILTER_STACK_BYTES;
pub use lint::{Linted, LintedTool, lint};
pub use operation::Operation;
pub use place::Place;
pub use placeholder::is_placeholder;
pub use problem::{Problem, Problems};
pub use reference::reference;
pub use settings::{Setting, SettingProblems, Settings};
pub use upstream::{
    Arriving, BoxFuture, InProcess, Limits, Network, NetworkError, Unanswered, Upstream,
};
pub use variables::is_needed_variable;
pub use yaml::MAX_FILE_BYTES;

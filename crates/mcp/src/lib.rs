//! Any Rust application becomes an MCP server.
//!
//! An [`Endpoint`] is one MCP server surface: a name, instructions and [`Tool`]s, typed by the
//! caller they serve. It speaks every published revision of the protocol, the four that open with
//! `initialize` and the stateless 2026-07-28, at the same place, over [`stdio`] and over Streamable
//! HTTP ([`http`]). [`Endpoint::call`] is the one road to a tool: the transports, tests and an
//! embedding program all enter there.
//!
//! This crate knows MCP and nothing else: no backend, no database, no command line.
//!
//! ```
//! use footbridge_mcp::{Call, Effect, Endpoint, Output, Tool};
//! use serde_json::json;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": false});
//! let greet = Tool::new("greet", "Greet somebody by name.", schema, |call: Call<()>| async move {
//!     let name = call.arguments.get("name").and_then(|name| name.as_str()).unwrap_or_default();
//!     Ok(Output::text(format!("Hello, {name}!")))
//! })
//! .effect(Effect::Read);
//!
//! let endpoint = Endpoint::builder("greeter", "1.0.0").tool(greet).build()?;
//! let output = endpoint.call("greet", json!({"name": "Ada"}), ()).await?;
//! assert_eq!(output.first_text(), Some("Hello, Ada!"));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
//! ```

mod endpoint;
mod tool;
mod typed;

mod arguments;
mod asking;
mod call;
mod icon;
mod output;
mod subschemas;

mod changes;
mod completion;
mod method;
mod policy;
mod prompt;
mod resource;
mod uri_template;

mod conversation;
mod dispatch;
mod ending;
mod envelope;
mod outlet;
mod protocol_error;
mod reply;
mod request_meta;
mod revision;
mod session;
mod tasks;
mod under_way;

pub mod auth;
#[cfg(feature = "discovery")]
pub mod discovery;
pub mod http;
pub mod limits;
pub mod stdio;
pub mod testing;

pub use arguments::Arguments;
pub use asking::{Answers, Elicitation, Elicited, InputRequired, Root, Round, Sampling, StateKey};
pub use call::{Call, Client, LogLevel};
pub use changes::Change;
pub use endpoint::{
    BuildProblem, BuildProblems, CacheScope, CallError, Changes, Endpoint, EndpointBuilder,
    ReadyPrompt, ReadyResource, ReadyTool, Running, Visible,
};
pub use icon::{Icon, Theme};
pub use method::Method;
pub use output::{Content, EmbeddedResource, Failure, Output, ResourceLink, ToolResult, fail};
pub use prompt::{Messages, Prompt, PromptArgument, PromptResult};
pub use resource::{Audience, Resource, ResourceAnnotations, ResourceBody, ResourceResult};
pub use revision::Revision;
pub use tasks::{TaskLimits, TaskUse};
pub use tool::{Effect, Tool};
pub use typed::{Begin, IntoOutput, Json, OutputShape, Read, Run};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../../docs/library/guide.md")]
mod guide {}

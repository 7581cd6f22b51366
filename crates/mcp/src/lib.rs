//! Any Rust application becomes an MCP server.
//!
//! An [`Endpoint`] is one MCP server surface: a name, instructions and [`Tool`]s, typed by the
//! caller they serve. It speaks every published revision of the protocol, the four that open with
//! `initialize` and the stateless 2026-07-28, at the same place, over [`stdio`] and over Streamable
//! HTTP ([`http`]). [`Endpoint::call`] is the one road to a tool: the transports, tests and an
//! embedding program all enter there.
//!
//! This crate knows MCP and nothing else: no backend, no database, no command line.
#![cfg_attr(
    doc,
    doc = "",
    doc = "Read on in [the guide](guide), in [recipes](guide::recipes), or, if you have a server \
           already, in [from rmcp](guide::from_rmcp)."
)]
//!
//! A tool is the struct of its arguments; resources ([`Read`]), prompts ([`Begin`]) and questions to
//! the user ([`Call::ask`]) are structs too.
//!
//! ```
//! use footbridge_mcp::{Call, Effect, Endpoint, Failure, Run, Tool};
//! use serde_json::json;
//!
//! /// Greet somebody by name.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Greet {
//!     /// Whom to greet.
//!     name: String,
//! }
//!
//! impl Run<()> for Greet {
//!     type Output = String;
//!
//!     async fn run(self, _: &Call<()>) -> Result<String, Failure> {
//!         Ok(format!("Hello, {}!", self.name))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::builder("greeter", "1.0.0")
//!     .tool(Tool::of::<Greet>().effect(Effect::Read))
//!     .build()?;
//! let output = endpoint.call("greet", json!({"name": "Ada"}), ()).await?;
//! assert_eq!(output.first_text(), Some("Hello, Ada!"));
//! # Ok(())
//! # }
//! ```

// Without one of the two transports, some of what both share has no user.
#![cfg_attr(
    not(all(feature = "http", feature = "stdio")),
    allow(dead_code, reason = "it serves the transport that is left out")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The modules in layers, from the top down: a module uses its own layer and those below.

// Places where clients come in, and what belongs to them.
#[cfg(feature = "http")]
pub mod auth;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "stdio")]
pub mod stdio;
pub mod testing;
// Messages become answers or work under way; the streams of a session.
mod dispatch;
#[cfg(feature = "http")]
mod session;
mod under_way;
// A server surface: building it, what it serves at a moment, the one road to its tools.
#[cfg(feature = "discovery")]
pub mod discovery;
mod endpoint;
// What an endpoint offers.
mod completion;
mod method;
mod policy;
mod prompt;
mod resource;
#[cfg(feature = "skills")]
mod skill;
mod tool;
mod typed;
mod uri_template;
// A call as its handler sees it, and the ways to speak to the client before the answer.
mod asking;
mod call;
mod changes;
mod conversation;
mod ending;
mod outlet;
mod own_place;
mod tasks;
// What a call brings and gives: arguments, questions, results, answers as bytes.
mod arguments;
mod mirrored_headers;
mod output;
mod question;
mod reply;
// The wire: messages and their metadata, errors, revisions.
mod client;
mod envelope;
mod log_level;
mod protocol_error;
mod request_meta;
mod revision;
// Ground: limits, icons, pages, what is wrong with an endpoint, schemas and their validators, values in
// one spelling.
mod build_problem;
mod canonical;
mod icon;
pub mod limits;
mod page;
mod subschemas;
mod validator;

pub use arguments::Arguments;
pub use asking::{Answers, Round, StateKey};
pub use build_problem::{BuildProblem, BuildProblems};
pub use call::Call;
pub use canonical::canonical_json;
pub use changes::Change;
pub use client::Client;
pub use endpoint::{
    CacheScope, CallError, Changes, Endpoint, EndpointBuilder, EndpointRequest, Next, ReadyPrompt,
    ReadyResource, ReadyTool, RequestOutcome, Running, Visible, WeakEndpoint,
};
pub use icon::{Icon, Theme};
pub use log_level::LogLevel;
pub use method::Method;
pub use output::{
    Audience, Content, EmbeddedResource, ErrorKind, Failure, Output, ResourceAnnotations,
    ResourceLink, ToolResult, fail,
};
pub use page::{HtmlPage, PagePermission};
pub use prompt::{Messages, Prompt, PromptArgument, PromptResult};
pub use question::{Elicitation, Elicited, InputRequired, Root, Sampled, Sampling};
pub use reply::OutcomeKind;
pub use resource::{Resource, ResourceBody, ResourceResult};
pub use revision::Revision;
#[cfg(feature = "skills")]
pub use skill::{EmbeddedFile, Skills};
pub use tasks::{TaskLimits, TaskUse};
pub use tool::{Effect, Tool};
pub use typed::{Begin, InputType, IntoOutput, Json, OutputShape, Read, Run};

// The crates whose types stand in signatures.
pub use {schemars, secrecy, serde_json};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/guide.md")]
pub mod guide {
    #[doc = include_str!("../docs/recipes.md")]
    pub mod recipes {}

    #[doc = include_str!("../docs/from-rmcp.md")]
    pub mod from_rmcp {}
}

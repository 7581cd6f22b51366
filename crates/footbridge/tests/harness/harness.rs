//! What the tests that start the program share: starting it and ending it, clients of it, a
//! backend's place on the network. Every test binary takes it in with `#[path]` and leaves some of
//! it unused. It judges nothing but what no test wants otherwise: every message of an MCP server
//! that comes through here is held to the JSON schema of its revision.
#![allow(dead_code, reason = "each test binary needs another part of it")]

pub(crate) mod client;
pub(crate) mod golden;
#[path = "../../../mcp/tests/main/rmcp_wire.rs"]
pub(crate) mod held;
pub(crate) mod http;
pub(crate) mod listening;
pub(crate) mod odd;
pub(crate) mod process;
pub(crate) mod questions;
#[path = "../../../mcp/tests/main/schemas.rs"]
mod schemas;
pub(crate) mod served;
pub(crate) mod session;
#[path = "../../../mcp/tests/main/shown.rs"]
pub(crate) mod shown;
pub(crate) mod sse;
pub(crate) mod stand_in;
pub(crate) mod terminal;
#[path = "../../../mcp/tests/main/wire.rs"]
pub(crate) mod wire;

//! Streamable HTTP: a tower service that is an MCP endpoint at one path, and a server loop with
//! limits for it or for a whole router around it.
//!
//! ```no_run
//! use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
//! # async fn run(endpoint: footbridge_mcp::Endpoint<()>) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let service = McpService::public(endpoint, || (), AllowedHosts::loopback()).at("/mcp");
//! serve(listener, service, ServerLimits::default(), std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

mod allowed_hosts;
mod allowed_origins;
mod answers;
mod body;
mod client_address;
mod connection;
mod cross_origin;
mod event_stream;
mod front;
mod memory_budget;
mod places;
mod refusal;
mod request_body;
mod server;
mod service;
mod session_body;
mod sessions;
mod sse;
mod streamable;
mod unread;

// The crate `http` as far as signatures carry it: who takes all names of this library in has these
// under the same path.
pub use ::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, request,
};
pub use allowed_hosts::AllowedHosts;
pub use allowed_origins::{AllowedOrigins, BadOrigin};
pub use body::ReplyBody;
pub use client_address::{BadProxyNetwork, Peer, ProxyNetwork, TrustedProxies};
pub use connection::IncomingBody;
pub use memory_budget::{Charge, ChargedBody, MemoryBudget, OverBudget};
pub use refusal::Refusal;
pub use server::{ServerLimits, serve};
pub use service::{Authenticate, McpService, Public};
pub use sessions::SessionLimits;
pub use sse::SseService;

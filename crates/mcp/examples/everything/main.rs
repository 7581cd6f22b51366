//! The fixture of the conformance suite and of the stories in `interop/`: one endpoint with the
//! tools that they call. Not a showcase.
//!
//! `everything --port PORT` serves Streamable HTTP at `/mcp` and HTTP+SSE at `/sse`; `everything
//! --stdio` serves one client.
#![allow(
    clippy::print_stderr,
    reason = "a program of its own, whose stderr is for the person who starts it"
)]

mod asking;
mod endpoint;
mod prompts;
mod resources;
mod skills;
mod tasks;
mod watching;
mod zoo;

use std::error::Error;

use axum::Router;
use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{Endpoint, limits, stdio};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let port: Option<u16> = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--port", port] => Some(port.parse()?),
        ["--stdio"] => None,
        _ => return Err("usage: everything --port PORT | everything --stdio".into()),
    };
    let endpoint = endpoint::endpoint()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match port {
            Some(port) => over_http(endpoint, port).await?,
            None => over_stdio(endpoint).await?,
        }
        Ok(())
    })
}

async fn over_stdio(endpoint: Endpoint<()>) -> std::io::Result<()> {
    let mut connection =
        stdio::Connection::start(endpoint, (), std::io::stdin(), std::io::stdout())?;
    connection.ended().await;
    connection.finish(limits::SHUTDOWN_TIME).await;
    Ok(())
}

async fn over_http(endpoint: Endpoint<()>, port: u16) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let mcp = McpService::public(endpoint, || (), AllowedHosts::loopback()).at("/mcp");
    let sse = mcp.sse("/messages");
    let app = Router::new()
        .route_service("/sse", sse.clone())
        .route_service("/messages", sse)
        .fallback_service(mcp);
    let told_to_end = told_to_end()?;
    eprintln!("listening on http://{address}/mcp, with HTTP+SSE at /sse");
    serve(listener, app, ServerLimits::default(), told_to_end).await;
    Ok(())
}

#[cfg(unix)]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        terminate.recv().await;
    })
}

#[cfg(not(unix))]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
}

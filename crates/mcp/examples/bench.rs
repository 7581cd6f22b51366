//! The endpoint that `bench/` measures: the tools of a catalogue file, of which `echo` answers. Not
//! a showcase.
//!
//! `bench stdio CATALOGUE`, or over HTTP `bench http PORT CATALOGUE`. Over HTTP also `bench rules`:
//! with a rule on every tool about who sees it and one more tool that the caller may not see, so
//! that each list is put together for its request; `bench layer`: within a layer that does nothing;
//! `bench traced`: within a layer that puts a span around each request, for a subscriber that
//! keeps spans and writes nothing.
#![allow(
    clippy::print_stderr,
    reason = "a program of its own, whose stderr is for the person who starts it"
)]

use std::error::Error;
use std::time::Duration;

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{
    CacheScope, Call, Effect, Endpoint, EndpointBuilder, EndpointRequest, Failure,
};
use footbridge_mcp::{Next, Output, RequestOutcome, Tool, limits, stdio};
use serde_json::Value;
use tracing::Instrument as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["stdio", catalogue] => runtime.block_on(async {
            let mut connection = stdio::Connection::start(
                builder(catalogue)?.build()?,
                (),
                std::io::stdin(),
                std::io::stdout(),
            )?;
            connection.ended().await;
            connection.finish(limits::SHUTDOWN_TIME).await;
            Ok(())
        }),
        [
            what @ ("http" | "rules" | "layer" | "traced"),
            port,
            catalogue,
        ] => runtime.block_on(async {
            let endpoint = match what {
                "rules" => ruled(catalogue)?,
                "layer" => builder(catalogue)?.layer(go_on).build()?,
                "traced" => {
                    let spans = tracing_subscriber::registry().with(LevelFilter::INFO);
                    tracing::subscriber::set_global_default(spans)?;
                    builder(catalogue)?.layer(trace).build()?
                }
                _ => builder(catalogue)?.build()?,
            };
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
            eprintln!("listening on http://{}/mcp", listener.local_addr()?);
            let service = McpService::public(endpoint, || (), AllowedHosts::loopback()).at("/mcp");
            serve(
                listener,
                service,
                ServerLimits::default(),
                std::future::pending(),
            )
            .await;
            Ok(())
        }),
        _ => Err(
            "usage: bench stdio CATALOGUE | bench (http|rules|layer|traced) PORT CATALOGUE".into(),
        ),
    }
}

fn builder(catalogue: &str) -> Result<EndpointBuilder<()>, Box<dyn Error>> {
    Ok(Endpoint::builder("bench", "1.0.0")
        .list_ttl(Duration::ZERO)
        .cache_scope(CacheScope::Public)
        .tools(tools(catalogue)?))
}

async fn go_on(_: EndpointRequest<()>, next: Next) -> Result<RequestOutcome, Failure> {
    Ok(next.run().await)
}

async fn trace(request: EndpointRequest<()>, next: Next) -> Result<RequestOutcome, Failure> {
    let span = tracing::info_span!(
        "mcp",
        method = request.method(),
        name = request.name(),
        traceparent = request.traceparent(),
    );
    Ok(next.run().instrument(span).await)
}

/// The same for a caller who may see these tools and not all.
fn ruled(catalogue: &str) -> Result<Endpoint<()>, Box<dyn Error>> {
    let hidden = Tool::new(
        "hidden",
        "Nobody sees it.",
        serde_json::json!({"type": "object"}),
        |_| async { Ok(Output::text("")) },
    );
    let tools = tools(catalogue)?
        .into_iter()
        .map(|tool| tool.allowed_for(|call| call.revision().is_some()));
    let builder = Endpoint::builder("bench", "1.0.0")
        .list_ttl(Duration::ZERO)
        .cache_scope(CacheScope::Private)
        .tools(tools);
    Ok(builder
        .tool(hidden.allowed_for(|call| call.revision().is_none()))
        .build()?)
}

/// The tools of a catalogue file (as `tools/list` gives them): `echo` echoes, the others are there
/// to be listed.
fn tools(catalogue: &str) -> Result<Vec<Tool<()>>, Box<dyn Error>> {
    let entries: Vec<Entry> = serde_json::from_slice(&std::fs::read(catalogue)?)?;
    let tool = |entry: Entry| {
        let mut tool = Tool::new(
            entry.name,
            entry.description,
            entry.input_schema,
            |call: Call<()>| async move {
                Ok(Output::text(
                    call.arguments
                        .get("message")
                        .and_then(Value::as_str)
                        .unwrap_or("[]"),
                ))
            },
        )
        .title(entry.title);
        if let Some(hints) = entry.annotations {
            tool = tool
                .effect(if hints.read_only_hint {
                    Effect::Read
                } else {
                    Effect::Write
                })
                .idempotent(hints.idempotent_hint);
        }
        match entry.output_schema {
            Some(schema) => tool.output_schema(schema),
            None => tool,
        }
    };
    Ok(entries.into_iter().map(tool).collect())
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    title: String,
    description: String,
    input_schema: Value,
    output_schema: Option<Value>,
    annotations: Option<Hints>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hints {
    read_only_hint: bool,
    #[serde(default)]
    idempotent_hint: bool,
}

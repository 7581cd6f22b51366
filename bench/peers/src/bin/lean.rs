//! `raw` and what the 2026-07-28 Streamable HTTP rules ask of each request: Host, Origin, Accept
//! and Content-Type, the protocol headers against the body, the required `_meta` keys, a look-up
//! among 25 tools. What compliance costs, not a server. With `UPSTREAM` and `UPSTREAM_TOKEN` set,
//! its second tool is one GET there, passed on as text. Usage: `lean http`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, extract::State, routing::post};
use bytes::Bytes;
use peers::{CallResult, EchoArguments, Message, TOOLS, answer, serve};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct ClientInfo<'a> {
    #[serde(borrow, rename = "name")]
    _name: Cow<'a, str>,
    #[serde(borrow, rename = "version")]
    _version: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Cow<'a, str>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientInfo")]
    _info: Option<ClientInfo<'a>>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: &'a RawValue,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(rename = "inputSchema")]
    _schema: IgnoredAny,
}

#[derive(Deserialize)]
struct ItemArguments {
    id: u64,
}

struct Lean {
    client: reqwest::Client,
    upstream: Option<(String, String)>,
    list: Box<RawValue>,
    names: HashMap<String, usize>,
}

fn is_loopback(host: &str) -> bool {
    matches!(
        host.rsplit_once(':').map_or(host, |(name, _)| name),
        "127.0.0.1" | "localhost" | "[::1]"
    )
}

impl Lean {
    fn new() -> Self {
        let tools: Vec<Named> = serde_json::from_str(TOOLS).expect("the catalogue is JSON");
        let list = format!(
            "{{\"tools\":{TOOLS},\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"public\"}}"
        );
        let variable = |name: &str| std::env::var(name).ok();
        Self {
            client: reqwest::Client::builder()
                .tcp_nodelay(true)
                .build()
                .expect("a client"),
            upstream: variable("UPSTREAM")
                .zip(variable("UPSTREAM_TOKEN").map(|token| format!("Bearer {token}"))),
            list: RawValue::from_string(list).expect("the catalogue is JSON"),
            names: tools
                .into_iter()
                .enumerate()
                .map(|(index, tool)| (tool.name, index))
                .collect(),
        }
    }

    async fn item(&self, id: u64) -> Option<Bytes> {
        let (base, token) = self.upstream.as_ref()?;
        let request = self
            .client
            .get(format!("{base}/items/{id}"))
            .header("authorization", token)
            .header("accept", "application/json");
        request
            .send()
            .await
            .ok()?
            .error_for_status()
            .ok()?
            .bytes()
            .await
            .ok()
    }

    async fn handle(&self, headers: &HeaderMap, body: &[u8]) -> Option<Vec<u8>> {
        let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if !is_loopback(get("host")?) {
            return None;
        }
        if get("origin").is_some_and(|origin| {
            !origin.starts_with("http://localhost") && !origin.starts_with("http://127.0.0.1")
        }) {
            return None;
        }
        let (mut json, mut events) = (false, false);
        for part in get("accept")?.split(',') {
            let part = part.split(';').next()?.trim();
            json |= part.eq_ignore_ascii_case("application/json");
            events |= part.eq_ignore_ascii_case("text/event-stream");
        }
        let content = get("content-type")?.split(';').next()?.trim();
        if !json || !events || !content.eq_ignore_ascii_case("application/json") {
            return None;
        }
        let message: Message = serde_json::from_slice(body).ok()?;
        let id = message.id?;
        let params: Params = serde_json::from_str(message.params?.get()).ok()?;
        let meta = params.meta?;
        let agrees = meta.version == "2026-07-28"
            && get("mcp-protocol-version")? == meta.version
            && get("mcp-method")? == message.method
            && meta.capabilities.get().starts_with('{');
        if !agrees {
            return None;
        }
        match &*message.method {
            "tools/list" => Some(answer(id, &self.list, self.list.get().len() + 96)),
            "tools/call" => {
                let name = params.name?;
                if get("mcp-name")? != name {
                    return None;
                }
                match *self.names.get(&*name)? {
                    0 => {
                        let arguments: EchoArguments =
                            serde_json::from_str(params.arguments?.get()).ok()?;
                        Some(answer(
                            id,
                            CallResult::text(&arguments.message, Some("complete")),
                            arguments.message.len() + 192,
                        ))
                    }
                    1 => {
                        let arguments: ItemArguments =
                            serde_json::from_str(params.arguments?.get()).ok()?;
                        let item = self.item(arguments.id).await?;
                        let item: &RawValue = serde_json::from_slice(&item).ok()?;
                        Some(answer(
                            id,
                            CallResult::text(item.get(), Some("complete")),
                            item.get().len() * 9 / 8 + 192,
                        ))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

async fn over_http(
    State(lean): State<Arc<Lean>>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    match lean.handle(&headers, &body).await {
        Some(body) => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "application/json")],
            body,
        ),
        None => (
            StatusCode::ACCEPTED,
            [(header::CONTENT_TYPE, "application/json")],
            Vec::new(),
        ),
    }
}

fn main() {
    serve(
        Router::new()
            .route("/mcp", post(over_http))
            .with_state(Arc::new(Lean::new())),
    );
}

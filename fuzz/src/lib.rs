//! What the fuzz targets share: an endpoint with a bit of everything, asked without a socket, and
//! its answers. Through the public API only.

use std::cell::LazyCell;
use std::time::Duration;

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService, Public};
use footbridge_mcp::{
    Call, Endpoint, LogLevel, Messages, Output, Prompt, PromptArgument, Resource, ResourceBody,
    Tool, fail,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower_service::Service as _;

/// One answer, whole.
pub struct Answer {
    /// Its HTTP status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The JSON of its body, `null` where there is none.
    ///
    /// # Panics
    /// When the body is anything else: a server answers JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// How long an answer may take: whatever a request says, nothing in the endpoint waits.
const ANSWER_TIME: Duration = Duration::from_secs(5);

type PublicService = McpService<(), Public<fn()>>;

struct Asked {
    runtime: Runtime,
    service: PublicService,
}

impl Asked {
    fn new(endpoint: Endpoint<()>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        Self {
            runtime,
            service: McpService::public(endpoint, (|| ()) as fn(), AllowedHosts::loopback()),
        }
    }
}

thread_local! {
    static ASKED: LazyCell<Asked> = LazyCell::new(|| Asked::new(endpoint()));
}

/// Sends one request to the endpoint and reads its whole answer.
///
/// # Panics
/// When the answer does not come.
#[must_use]
pub fn ask(method: Method, headers: HeaderMap, body: &[u8]) -> Answer {
    ASKED.with(|asked| send(asked, method, headers, body))
}

/// The same of an endpoint made for the occasion.
///
/// # Panics
/// When the answer does not come.
#[must_use]
pub fn ask_of(endpoint: Endpoint<()>, headers: HeaderMap, body: &[u8]) -> Answer {
    send(&Asked::new(endpoint), Method::POST, headers, body)
}

fn send(asked: &Asked, method: Method, headers: HeaderMap, body: &[u8]) -> Answer {
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body)));
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    let mut service = asked.service.clone();
    asked.runtime.block_on(async move {
        let answering = async {
            let Ok(response) = service.call(request).await;
            let (head, body) = response.into_parts();
            let Ok(body) = body.collect().await;
            Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            }
        };
        tokio::time::timeout(ANSWER_TIME, answering)
            .await
            .expect("an answer")
    })
}

/// The headers that every request has, with those of 2026-07-28 where a method is named.
///
/// # Panics
/// When the method is no header value.
#[must_use]
pub fn headers(modern: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("localhost"));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert(
        "accept",
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    if let Some(method) = modern {
        headers.insert(
            "mcp-protocol-version",
            HeaderValue::from_static("2026-07-28"),
        );
        headers.insert(
            "mcp-method",
            HeaderValue::from_str(method).expect("a header value"),
        );
    }
    headers
}

/// One request of 2026-07-28.
#[must_use]
pub fn request(method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/logLevel": "debug",
        "progressToken": 7
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn endpoint() -> Endpoint<()> {
    let rich = json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1, "maximum": 9},
            "kind": {"type": "string", "enum": ["red", "green"]},
            "names": {"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 4},
            "deep": {"type": "object", "properties": {"flag": {"type": "boolean"}}, "additionalProperties": false}
        },
        "required": ["count"],
        "additionalProperties": false
    });
    let mirrored = json!({
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "size": {"type": "integer", "x-mcp-header": "Size"}}
    });
    let said =
        json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
    Endpoint::builder("fuzz", "1.0.0")
        .logging()
        .subscriptions()
        .tool(Tool::new(
            "rich",
            "Takes many kinds of arguments.",
            rich,
            |call: Call<()>| async move {
                Ok(Output::text(
                    Value::Object(call.arguments.into_map()).to_string(),
                ))
            },
        ))
        .tool(Tool::new(
            "mirrored",
            "Has arguments that headers repeat.",
            mirrored,
            |call: Call<()>| async move {
                Ok(Output::text(
                    Value::Object(call.arguments.into_map()).to_string(),
                ))
            },
        ))
        .tool(Tool::new(
            "say",
            "Says a text before it answers with it.",
            said,
            |call: Call<()>| async move {
                let text = call
                    .arguments
                    .get("text")
                    .and_then(Value::as_str)
                    .ok_or_else(|| fail("no text"))?
                    .to_owned();
                call.progress(0.5, None, Some(&text)).await;
                call.log(LogLevel::Info, Some(&text), Value::from(text.as_str()))
                    .await;
                Ok(Output::text(text))
            },
        ))
        .resource(Resource::new(
            "fuzz://fixed",
            "fixed",
            |_: Call<()>| async { Ok(ResourceBody::from("Fixed.")) },
        ))
        .resource(Resource::template(
            "fuzz://things/{id}/part/{part}",
            "part",
            |call: Call<()>| async move {
                Ok(ResourceBody::from(
                    Value::Object(call.arguments.into_map()).to_string(),
                ))
            },
        ))
        .prompt(
            Prompt::new("greet", "Greets.", |call: Call<()>| async move {
                let name: String = call.parameter("name")?;
                Ok(Messages::user(format!("Greet {name}.")))
            })
            .argument(
                PromptArgument::required("name", "Whom")
                    .complete(|_: Call<()>, typed| async move { Ok(vec![typed]) }),
            ),
        )
        .build()
        .expect("an endpoint")
}

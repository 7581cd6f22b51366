//! A small MCP client, for `probe` and `doctor`: discovery, the list of tools, one call. Over
//! Streamable HTTP the modern era first, then the one that opens with `initialize`; over stdio in
//! `child`. Every answer is bounded in bytes and time. Not the `testing` client of the library,
//! which has no socket.

mod child;
mod event_stream;

use std::time::Duration;

use axum::body::Bytes;
use footbridge_connector::{Limits, Network, Unanswered, Upstream};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use crate::exit::Trouble;
pub(crate) use child::ChildServer;

/// What one exchange may take.
const LIMITS: Limits = Limits {
    bytes: 8 << 20,
    time: Duration::from_secs(30),
};
/// Pages of a list of tools that are asked for.
const MAX_PAGES: usize = 50;

const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// A conversation with a server.
pub(crate) struct McpClient {
    network: Network,
    url: Url,
    bearer: Option<SecretString>,
    next_id: u64,
    /// The revision that was agreed on.
    pub(crate) revision: String,
    session: Option<HeaderValue>,
    /// What the server says it is: name and version.
    pub(crate) server: String,
}

/// Why a request brought no result.
#[derive(Debug)]
enum ServerRefusal {
    /// It answered with this status: a JSON-RPC error, or nothing of MCP.
    Answered(StatusCode, Trouble),
    /// It did not answer.
    Other(Trouble),
}

impl From<ServerRefusal> for Trouble {
    fn from(refusal: ServerRefusal) -> Self {
        match refusal {
            ServerRefusal::Answered(_, trouble) | ServerRefusal::Other(trouble) => trouble,
        }
    }
}

impl McpClient {
    /// Opens a conversation, in the modern era if the server has it.
    pub(crate) async fn connect(
        network: Network,
        url: Url,
        bearer: Option<SecretString>,
    ) -> Result<Self, Trouble> {
        let (revision, server) = (MODERN.to_owned(), String::new());
        let mut client = Self {
            network,
            url,
            bearer,
            next_id: 1,
            revision,
            session: None,
            server,
        };
        match client.request("server/discover", None, json!({})).await {
            Ok(found) => {
                client.server = named(
                    found
                        .pointer("/_meta/io.modelcontextprotocol~1serverInfo")
                        .or(found.get("serverInfo")),
                )
            }
            // Whatever a server of the other era answers to what it does not know; only who cannot
            // be reached is not asked again.
            Err(ServerRefusal::Other(trouble)) => return Err(trouble),
            Err(_) => client.initialize().await.map_err(|why| match why {
                ServerRefusal::Answered(status, _) if may_be_http_sse(&client.url, status) => {
                    http_sse(&client.url)
                }
                other => other.into(),
            })?,
        }
        Ok(client)
    }

    async fn initialize(&mut self) -> Result<(), ServerRefusal> {
        LEGACY.clone_into(&mut self.revision);
        let parameters =
            json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": self_info() });
        let found = self.request("initialize", None, parameters).await?;
        self.server = named(found.get("serverInfo"));
        let agreed = found
            .get("protocolVersion")
            .and_then(Value::as_str)
            .unwrap_or_default();
        agreed.clone_into(&mut self.revision);
        let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.send(Method::POST, None, None, notification.to_string())
            .await
            .map_err(ServerRefusal::Other)?;
        Ok(())
    }

    /// Every tool, over all pages.
    pub(crate) async fn tools(&mut self) -> Result<Vec<Value>, Trouble> {
        let mut tools = Vec::new();
        let mut parameters = json!({});
        for _ in 0..MAX_PAGES {
            let mut page = self.request("tools/list", None, parameters).await?;
            if let Some(Value::Array(more)) = page.get_mut("tools").map(Value::take) {
                tools.extend(more);
            }
            match page.get("nextCursor").filter(|cursor| !cursor.is_null()) {
                Some(cursor) => parameters = json!({ "cursor": cursor }),
                None => return Ok(tools),
            }
        }
        Err(Trouble::failed(format!(
            "{} has more than {MAX_PAGES} pages of tools",
            self.url
        )))
    }

    /// The result of one call.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Result<Value, Trouble> {
        Ok(self
            .request(
                "tools/call",
                Some(tool),
                json!({ "name": tool, "arguments": arguments }),
            )
            .await?)
    }

    /// Tells a server that keeps a session that it may forget it.
    pub(crate) async fn end(mut self) {
        if self.session.is_some() {
            // Nothing hangs on it: the server forgets by itself, later.
            let _forgotten = self.send(Method::DELETE, None, None, String::new()).await;
        }
    }

    async fn request(
        &mut self,
        method: &str,
        name: Option<&str>,
        mut parameters: Value,
    ) -> Result<Value, ServerRefusal> {
        let id = self.next_id;
        self.next_id += 1;
        if let (MODERN, Some(parameters)) = (self.revision.as_str(), parameters.as_object_mut()) {
            parameters.insert("_meta".to_owned(), meta());
        }
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters });
        let answer = self
            .send(Method::POST, Some(method), name, message.to_string())
            .await
            .map_err(ServerRefusal::Other)?;
        if let Some(session) = answer.headers().get(SESSION) {
            self.session = Some(session.clone());
        }
        self.result(id, &answer).await
    }

    /// Sends one message and reads the whole answer.
    async fn send(
        &mut self,
        verb: Method,
        method: Option<&str>,
        name: Option<&str>,
        body: String,
    ) -> Result<Response<Bytes>, Trouble> {
        let mut request = self.addressed(verb, body)?;
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        let has_agreed = self.session.is_some() || method != Some("initialize");
        let mut set = |name: HeaderName, value: Option<&str>| {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(name, value);
            }
        };
        set(VERSION, Some(self.revision.as_str()).filter(|_| has_agreed));
        if self.revision == MODERN {
            set(HeaderName::from_static("mcp-method"), method);
            set(HeaderName::from_static("mcp-name"), name);
        }
        if let Some(session) = &self.session {
            headers.insert(SESSION, session.clone());
        }
        self.network
            .send(request, LIMITS)
            .await
            .map_err(|why| unreached(&self.url, &why))
    }

    /// A request to the server, with the bearer.
    fn addressed(&self, verb: Method, body: String) -> Result<Request<Bytes>, Trouble> {
        let url = &self.url;
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = verb;
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|_| Trouble::usage(format!("{url} is no address")))?;
        if let Some(bearer) = &self.bearer {
            let mut value = HeaderValue::try_from(format!("Bearer {}", bearer.expose_secret()))
                .map_err(|_| {
                    Trouble::usage("MCP_TOKEN holds a character that no header can carry")
                })?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(request)
    }

    /// The result with that id, from JSON or from a stream of events.
    async fn result(&self, id: u64, answer: &Response<Bytes>) -> Result<Value, ServerRefusal> {
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(self.no_mcp(answer));
        }
        let kind = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        let messages = match kind.starts_with("text/event-stream") {
            true => event_stream::messages(answer.body()).await,
            false => serde_json::from_slice(answer.body()).into_iter().collect(),
        };
        let is_ours = |message: &&Map<String, Value>| {
            message.get("id") == Some(&json!(id)) || message.contains_key("error")
        };
        let Some(message) = messages.iter().filter_map(Value::as_object).find(is_ours) else {
            return Err(self.no_mcp(answer));
        };
        self.outcome(answer.status(), message)
    }

    /// What an answer says.
    fn outcome(
        &self,
        status: StatusCode,
        message: &Map<String, Value>,
    ) -> Result<Value, ServerRefusal> {
        if let Some(error) = message.get("error") {
            let code = error.get("code").map(Value::to_string).unwrap_or_default();
            let sentence = error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let refused = format!("{} refused: {} ({code})", self.url, excerpt(sentence));
            return Err(ServerRefusal::Answered(status, Trouble::failed(refused)));
        }
        Ok(message.get("result").cloned().unwrap_or_default())
    }

    /// What to do about an answer that is none of MCP.
    fn no_mcp(&self, answer: &Response<Bytes>) -> ServerRefusal {
        let (url, status) = (&self.url, answer.status());
        let hint = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "set MCP_TOKEN to the bearer that it wants".to_owned()
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                "give the address of its endpoint for Streamable HTTP, which often ends in /mcp"
                    .to_owned()
            }
            status if status.is_redirection() => {
                let to = answer
                    .headers()
                    .get(header::LOCATION)
                    .and_then(|to| to.to_str().ok())
                    .unwrap_or_default();
                format!("give the address that it leads to: {}", excerpt(to))
            }
            _ => "is that an MCP server?".to_owned(),
        };
        ServerRefusal::Answered(
            status,
            Trouble::failed(format!("{url} answered {status}: {hint}")),
        )
    }
}

/// Whether the address is that of HTTP+SSE, by its last segment and by what is answered to a
/// message there.
fn may_be_http_sse(url: &Url, status: StatusCode) -> bool {
    let is_refused = status.is_client_error()
        && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    is_refused && url.path().trim_end_matches('/').ends_with("/sse")
}

/// What to do about an address of HTTP+SSE.
fn http_sse(url: &Url) -> Trouble {
    let mut other = url.clone();
    let path = url.path().trim_end_matches('/');
    other.set_path(&format!(
        "{}/mcp",
        path.strip_suffix("/sse").unwrap_or(path)
    ));
    Trouble::failed(format!(
        "{url} is an address of HTTP+SSE, the transport of 2024-11-05, which probe does not speak: \
         give the server's address for Streamable HTTP, which may be {other}"
    ))
}

fn unreached(url: &Url, why: &Unanswered) -> Trouble {
    Trouble::failed(format!("cannot reach {url}: {why}; is the server running?"))
}

fn self_info() -> Value {
    json!({ "name": "footbridge probe", "version": env!("CARGO_PKG_VERSION") })
}

/// Specification 2026-07-28, Overview: what each request says of itself.
fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": self_info(),
        "io.modelcontextprotocol/clientCapabilities": {}
    })
}

fn named(info: Option<&Value>) -> String {
    let text = |key: &str| {
        info.and_then(|info| info.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    excerpt(format!("{} {}", text("name"), text("version")).trim())
}

/// What a server says, for a person: one line, and not too long.
fn excerpt(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{StatusCode, Url, excerpt, http_sse, may_be_http_sse};

    #[test]
    fn an_address_of_http_sse_is_told_by_its_end_and_its_refusal() {
        let url = |path: &str| Url::parse(&format!("https://x.example{path}")).unwrap();
        for path in ["/sse", "/sse/", "/team/sse?a=1"] {
            assert!(
                may_be_http_sse(&url(path), StatusCode::METHOD_NOT_ALLOWED),
                "{path}"
            );
            assert!(
                !may_be_http_sse(&url(path), StatusCode::UNAUTHORIZED),
                "{path}"
            );
        }
        for path in ["/mcp", "/", "/essse"] {
            assert!(
                !may_be_http_sse(&url(path), StatusCode::NOT_FOUND),
                "{path}"
            );
        }
        let sentence = http_sse(&url("/team/sse/")).to_string();
        assert!(
            sentence.ends_with("https://x.example/team/mcp"),
            "{sentence}"
        );
    }

    #[test]
    fn what_a_server_says_is_one_short_line() {
        assert_eq!(excerpt("a\nb\u{1b}[0m"), "a b [0m");
        assert_eq!(excerpt(&"x".repeat(400)).len(), 300);
    }
}

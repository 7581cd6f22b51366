//! A server on a free port and a client that sends exactly the bytes a test wants and reads one
//! answer, held to the schemas.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use footbridge_mcp::http::{AllowedHosts, Authenticate, McpService, ServerLimits, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::http_wire::HttpWire;
use crate::schemas::{self, MODERN};
use crate::world::{self, Event, World};

/// A running server. Dropping it ends the server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) world: World,
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) serving: JoinHandle<()>,
}

pub(crate) async fn server() -> Server {
    server_with(ServerLimits::default()).await
}

pub(crate) async fn server_with(limits: ServerLimits) -> Server {
    let (world, events) = World::new();
    let caller = world.clone();
    let service = McpService::public(
        world::endpoint(),
        move || caller.clone(),
        AllowedHosts::loopback(),
    );
    server_of(service, limits, world, events).await
}

pub(crate) async fn server_of<A: Authenticate<World>>(
    service: McpService<World, A>,
    limits: ServerLimits,
    world: World,
    events: mpsc::UnboundedReceiver<Event>,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = service.at("/mcp");
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let serving = tokio::spawn(serve(listener, service, limits, shutdown));
    Server {
        address,
        world,
        events,
        stop,
        serving,
    }
}

/// One answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// A hang is a failure, not a wait without end.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("this should not take so long")
}

/// One server-sent event.
#[derive(Debug, Default, Clone)]
pub(crate) struct StreamEvent {
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
    pub(crate) retry: Option<u64>,
}

impl StreamEvent {
    fn parse(text: &str) -> Self {
        let mut event = Self::default();
        for line in text.lines() {
            match line
                .split_once(": ")
                .unwrap_or((line.trim_end_matches(':'), ""))
            {
                ("id", id) => event.id = Some(id.to_owned()),
                ("data", data) => event.data.push_str(data),
                ("retry", time) => event.retry = Some(time.parse().unwrap()),
                ("event", kind) => event.kind = kind.to_owned(),
                ("", _) => {}
                other => panic!("{other:?} in {text:?}"),
            }
        }
        event
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    events: String,
    wire: HttpWire,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::of(TcpStream::connect(address).await.unwrap())
    }

    /// One whose socket holds little of what it does not read.
    pub(crate) async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        Self::of(socket.connect(address).await.unwrap())
    }

    fn of(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            events: String::new(),
            wire: HttpWire::default(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.wire.sent(bytes);
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// The next answer; `None` when the server closed the connection instead.
    pub(crate) async fn receive(&mut self) -> Option<Reply> {
        let head_end = loop {
            if let Some(found) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break found;
            }
            if !self.fill().await {
                return None;
            }
        };
        let head = String::from_utf8(self.buffer[..head_end].to_vec()).unwrap();
        self.buffer.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut reply = Reply {
            status,
            headers,
            body: Vec::new(),
        };
        assert_eq!(reply.header("location"), None, "never a redirect");
        let length: usize = reply
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < length {
            assert!(self.fill().await, "the answer is cut short: {reply:?}");
        }
        reply.body = self.buffer.drain(..length).collect();
        self.wire.answered(&reply);
        Some(reply)
    }

    /// The head of an answer whose body is a stream.
    pub(crate) async fn open(&mut self, bytes: &[u8]) -> Reply {
        self.send(bytes).await;
        let reply = self.receive().await.expect("an answer");
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("text/event-stream")),
            "{reply:?}"
        );
        assert_eq!(reply.header("x-accel-buffering"), Some("no"));
        reply
    }

    /// The next event of a stream; `None` at its end.
    pub(crate) async fn event(&mut self) -> Option<StreamEvent> {
        loop {
            if let Some(end) = self.events.find("\n\n") {
                let text: String = self.events.drain(..end + 2).collect();
                let event = StreamEvent::parse(text.trim_end());
                self.wire.heard(&event);
                return Some(event);
            }
            let line_end = loop {
                if let Some(found) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                    break found;
                }
                if !self.fill().await {
                    return None;
                }
            };
            let length =
                usize::from_str_radix(std::str::from_utf8(&self.buffer[..line_end]).unwrap(), 16)
                    .unwrap();
            while self.buffer.len() < line_end + 2 + length + 2 {
                assert!(self.fill().await, "the stream is cut short");
            }
            self.events.push_str(
                std::str::from_utf8(&self.buffer[line_end + 2..line_end + 2 + length]).unwrap(),
            );
            self.buffer.drain(..line_end + 2 + length + 2);
            if length == 0 {
                assert_eq!(self.events, "", "no half event is left");
                return None;
            }
        }
    }

    /// The next message of a stream, past comments and empty events.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            let event = self.event().await?;
            if !event.data.is_empty() {
                assert_eq!(event.kind, "message");
                return Some(serde_json::from_str(&event.data).unwrap());
            }
        }
    }

    async fn fill(&mut self) -> bool {
        soon(self.stream.read_buf(&mut self.buffer))
            .await
            .is_ok_and(|read| read > 0)
    }

    pub(crate) async fn exchange(&mut self, bytes: &[u8]) -> Reply {
        self.send(bytes).await;
        self.receive()
            .await
            .expect("an answer, not the end of the connection")
    }
}

/// A POST to `/mcp` with these headers besides `Host`, `Content-Type` and `Content-Length`.
pub(crate) fn post(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    request(
        "POST /mcp",
        &[
            &[("Host", "localhost"), ("Content-Type", "application/json")],
            headers,
        ]
        .concat(),
        body,
    )
}

pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// A POST to `/mcp` that does not say how long its body is.
pub(crate) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes =
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(50_000) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// Sends one message of a legacy revision and checks the answer against that revision's schema.
pub(crate) async fn legacy(
    server: &Server,
    revision: &str,
    method: &str,
    params: Value,
    result: &str,
) -> Reply {
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
    let version = [("MCP-Protocol-Version", revision)];
    // The header came with 2025-06-18.
    let headers = if revision < "2025-06-18" {
        &[][..]
    } else {
        &version[..]
    };
    let reply = Client::connect(server.address)
        .await
        .exchange(&post(headers, body.as_bytes()))
        .await;
    assert_eq!(reply.json()["id"], 7);
    schemas::check(revision, result, &reply.json());
    reply
}

/// The `_meta` of a request of 2026-07-28.
pub(crate) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}
    })
}

/// A message of 2026-07-28 with the headers it needs, before a test spoils it.
#[derive(Debug, Clone)]
pub(crate) struct Modern {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) message: Value,
}

impl Modern {
    pub(crate) fn new(method: &str, params: Value) -> Self {
        let mut message =
            json!({"jsonrpc": "2.0", "id": "m-1", "method": method, "params": params});
        message["params"]["_meta"] = meta();
        let mut headers = vec![
            ("MCP-Protocol-Version", MODERN.to_owned()),
            ("Mcp-Method", method.to_owned()),
        ];
        if let Some(name) = message["params"]["name"]
            .as_str()
            .or(message["params"]["taskId"].as_str())
            .or(message["params"]["uri"].as_str())
        {
            headers.push(("Mcp-Name", name.to_owned()));
        }
        Self { headers, message }
    }

    pub(crate) fn call(tool: &str, arguments: Value) -> Self {
        Self::new("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    pub(crate) fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self
    }

    pub(crate) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self.headers.push((header, value.to_owned()));
        self
    }

    /// Sends it and checks the answer against the schema.
    pub(crate) async fn send(&self, server: &Server, result: &str) -> Reply {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let bytes = post(&headers, self.message.to_string().as_bytes());
        let reply = Client::connect(server.address).await.exchange(&bytes).await;
        schemas::check(MODERN, result, &reply.json());
        if reply.json().get("result").is_some() {
            let result = &reply.json()["result"];
            assert_eq!(
                (reply.status, &reply.json()["id"]),
                (200, &self.message["id"])
            );
            assert_eq!(result["resultType"], "complete");
            assert_eq!(
                result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
                "tested"
            );
        }
        reply
    }
}

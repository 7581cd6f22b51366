//! An endpoint for several people over HTTP, named by a header, with tools that speak, ask and
//! wait.

use std::net::SocketAddr;
use std::sync::Arc;

use footbridge_mcp::http::{
    AllowedHosts, Authenticate, McpService, Refusal, ServerLimits, SessionLimits, serve,
};
use footbridge_mcp::{
    Call, Elicitation, Elicited, Endpoint, EndpointBuilder, LogLevel, Output, Sampling, Tool,
};
use http::request::Parts;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::http_client::{Client, post, request, soon};
use crate::schemas;

/// Who is asking, and through whom the test sees what happens.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) told: mpsc::UnboundedSender<String>,
    pub(crate) gate: Arc<Semaphore>,
}

impl Person {
    pub(crate) fn tell(&self, what: &str) {
        // A test that has seen enough no longer listens.
        let _unheard = self.told.send(what.to_owned());
    }
}

#[derive(Debug)]
pub(crate) struct ByHeader(pub(crate) Person);

impl Authenticate<Person> for ByHeader {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<Person>, Refusal> {
        let name = head
            .headers
            .get("x-user")
            .and_then(|name| name.to_str().ok())
            .unwrap_or("ada");
        Ok(Arc::new(Person {
            name: name.to_owned(),
            ..self.0.clone()
        }))
    }
}

/// How often the tool `chatter` speaks, a kilobyte each time: far more than sockets hold.
pub(crate) const CHATTER: u32 = 50_000;

/// Tells how a tool ends.
pub(crate) struct Guard(pub(crate) Person, pub(crate) &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.tell(self.1);
    }
}

pub(crate) fn tool<F, R>(name: &str, function: F) -> Tool<Person>
where
    F: Fn(Call<Person>) -> R + Send + Sync + 'static,
    R: Future<Output = footbridge_mcp::ToolResult> + Send + 'static,
{
    Tool::new(name, "For tests.", json!({"type": "object"}), function)
}

pub(crate) fn form(message: &str, property: &str) -> Elicitation {
    let schema = json!({"type": "object", "properties": {property: {"type": "string"}}, "required": [property]});
    Elicitation::form(message, schema)
}

fn tools() -> Vec<Tool<Person>> {
    vec![
        tool("echo", |call| async move {
            Ok(Output::text(
                Value::Object(call.arguments.into_map()).to_string(),
            ))
        }),
        tool("wait", |call| async move {
            let mut guard = Guard(call.caller.as_ref().clone(), "cancelled");
            call.caller.tell("started");
            call.caller.gate.acquire().await?.forget();
            guard.1 = "finished";
            Ok(Output::text("waited"))
        }),
        tool("steps", |call| async move {
            let mut guard = Guard(call.caller.as_ref().clone(), "cancelled");
            for step in [1.0, 1.0, 2.5] {
                call.progress(step, Some(3.0), Some("on the way")).await;
            }
            call.log(LogLevel::Info, Some("steps"), json!({"half": true}))
                .await;
            call.log(LogLevel::Error, None, json!("trouble")).await;
            call.caller.tell("said");
            call.caller.gate.acquire().await?.forget();
            call.progress(3.0, None, None).await;
            guard.1 = "finished";
            Ok(Output::text("arrived"))
        }),
        tool("chatter", |call| async move {
            let guard = Guard(call.caller.as_ref().clone(), "cancelled");
            let long = "x".repeat(1000);
            for step in 0..CHATTER {
                call.progress(f64::from(step), None, Some(&long)).await;
                call.caller.tell("step");
            }
            drop(guard);
            Ok(Output::text("talked"))
        }),
        tool("talks_on", |call| async move {
            call.progress(1.0, None, None).await;
            tokio::spawn(async move {
                drop(call.caller.gate.acquire().await);
                call.progress(2.0, None, None).await;
                call.log(LogLevel::Alert, None, json!("late")).await;
                call.caller.tell("spoke");
            });
            Ok(Output::text("answered"))
        }),
        tool("release", |call| async move {
            call.release_client();
            call.caller.gate.acquire().await?.forget();
            Ok(Output::text("released"))
        }),
        tool("name", |call| async move {
            let answer = call.elicit("name", form("Who?", "name")).await?;
            Ok(Output::text(format!("{answer:?}")))
        }),
        tool("name_then_color", |call| async move {
            let Elicited::Accepted(name) = call.elicit("name", form("Who?", "name")).await? else {
                return Ok(Output::text("nobody"));
            };
            let Elicited::Accepted(color) =
                call.elicit("color", form("Which colour?", "color")).await?
            else {
                return Ok(Output::text("no colour"));
            };
            Ok(Output::text(format!("{} {}", name["name"], color["color"])))
        }),
        tool("three", |call| async move {
            let mut answers = call
                .round()
                .elicit("name", form("Who?", "name"))
                .sample("word", Sampling::text("A word?", 5))
                .roots("where")
                .ask()
                .await?;
            let (name, word, roots) = (
                answers.elicited("name")?,
                answers.sampled("word")?,
                answers.roots("where")?,
            );
            Ok(Output::text(format!(
                "{name:?} {} {}",
                word.as_json()["content"]["text"],
                roots.len()
            )))
        }),
    ]
}

pub(crate) fn builder() -> EndpointBuilder<Person> {
    Endpoint::builder("hall", "1")
        .tools(tools())
        .logging()
        .principal(|person: &Person| person.name.clone())
}

/// A running server. Dropping it ends the server.
pub(crate) struct Hall {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: Endpoint<Person>,
    pub(crate) service: McpService<Person, ByHeader>,
    pub(crate) person: Person,
    told: mpsc::UnboundedReceiver<String>,
    pub(crate) _stop: oneshot::Sender<()>,
}

pub(crate) fn person() -> (Person, mpsc::UnboundedReceiver<String>) {
    let (told, hears) = mpsc::unbounded_channel();
    (
        Person {
            name: "ada".to_owned(),
            told,
            gate: Arc::new(Semaphore::new(0)),
        },
        hears,
    )
}

pub(crate) async fn hall() -> Hall {
    hall_of(builder().build().unwrap(), SessionLimits::default()).await
}

pub(crate) async fn hall_of(endpoint: Endpoint<Person>, limits: SessionLimits) -> Hall {
    let (person, told) = person();
    let service = McpService::new(
        endpoint.clone(),
        ByHeader(person.clone()),
        AllowedHosts::loopback(),
    )
    .sessions(Some(limits))
    .at("/mcp");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(serve(
        listener,
        service.clone(),
        ServerLimits::default(),
        async { drop(stopped.await) },
    ));
    Hall {
        address,
        endpoint,
        service,
        person,
        told,
        _stop: stop,
    }
}

impl Hall {
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// What a tool told last.
    pub(crate) async fn told(&mut self) -> String {
        soon(self.told.recv()).await.unwrap()
    }

    pub(crate) fn has_told(&mut self) -> Option<String> {
        self.told.try_recv().ok()
    }

    /// Opens a session and gives its id.
    pub(crate) async fn session(&self, revision: &str, user: &str, capabilities: Value) -> Session {
        let info = json!({"name": "test", "version": "1"});
        let params =
            json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": info});
        let bytes = post(&[("X-User", user)], &rpc("hello", "initialize", params));
        let reply = self.client().await.exchange(&bytes).await;
        schemas::check(revision, "InitializeResult", &reply.json());
        let id = reply
            .header("mcp-session-id")
            .expect("a session")
            .to_owned();
        Session {
            id,
            revision: revision.to_owned(),
            user: user.to_owned(),
            address: self.address,
        }
    }
}

pub(crate) fn rpc(id: impl Into<Value>, method: &str, params: Value) -> Vec<u8> {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
        .to_string()
        .into_bytes()
}

pub(crate) fn call(id: impl Into<Value>, tool: &str, token: Option<&str>) -> Vec<u8> {
    let mut params = json!({"name": tool, "arguments": {}});
    if let Some(token) = token {
        params["_meta"] = json!({"progressToken": token});
    }
    rpc(id, "tools/call", params)
}

/// A session as its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) revision: String,
    pub(crate) user: String,
    address: SocketAddr,
}

impl Session {
    fn headers<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let own = [
            ("Mcp-Session-Id", &*self.id),
            ("MCP-Protocol-Version", &*self.revision),
            ("X-User", &*self.user),
        ];
        [&own[..], more].concat()
    }

    pub(crate) fn post(&self, body: &[u8]) -> Vec<u8> {
        post(
            &self.headers(&[("Accept", "application/json, text/event-stream")]),
            body,
        )
    }

    pub(crate) fn get(&self, last: Option<&str>) -> Vec<u8> {
        let last: Vec<_> = last.iter().map(|last| ("Last-Event-ID", *last)).collect();
        request(
            "GET /mcp",
            &self.headers(
                &[
                    &[("Host", "localhost"), ("Accept", "text/event-stream")],
                    &last[..],
                ]
                .concat(),
            ),
            b"",
        )
    }

    pub(crate) fn delete(&self) -> Vec<u8> {
        request("DELETE /mcp", &self.headers(&[("Host", "localhost")]), b"")
    }

    /// Sends a message that is not answered by anything but 202.
    pub(crate) async fn notify(&self, message: &Value) {
        let reply = Client::connect(self.address)
            .await
            .exchange(&self.post(message.to_string().as_bytes()))
            .await;
        assert_eq!((reply.status, reply.body.len()), (202, 0));
    }

    /// Sends a request whose answer is plain.
    pub(crate) async fn ask(&self, body: &[u8]) -> Value {
        let reply = Client::connect(self.address)
            .await
            .exchange(&self.post(body))
            .await;
        reply.json()
    }

    /// Whether a request of this session is let in.
    pub(crate) async fn status(&self) -> u16 {
        Client::connect(self.address)
            .await
            .exchange(&self.post(&rpc(1, "ping", json!({}))))
            .await
            .status
    }

    pub(crate) async fn stream(&self, bytes: &[u8]) -> Client {
        let mut client = Client::connect(self.address).await;
        client.open(bytes).await;
        client
    }
}

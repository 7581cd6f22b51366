//! The hall behind HTTP+SSE, and a client of 2024-11-05 that opens channels to it.

use std::net::SocketAddr;

use footbridge_mcp::Endpoint;
use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, SseService, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::hall::{ByHeader, Person, builder, person, rpc};
use crate::http_client::{Client, Reply, request, soon};
use crate::schemas;

pub(crate) struct SseHall {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: Endpoint<Person>,
    pub(crate) service: SseService<Person, ByHeader>,
    pub(crate) person: Person,
    pub(crate) told: mpsc::UnboundedReceiver<String>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) serving: JoinHandle<()>,
}

pub(crate) async fn sse_hall() -> SseHall {
    sse_hall_with(builder().build().unwrap(), 100, ServerLimits::default()).await
}

pub(crate) async fn sse_hall_with(
    endpoint: Endpoint<Person>,
    channels: usize,
    limits: ServerLimits,
) -> SseHall {
    let (person, told) = person();
    let streamable = McpService::new(
        endpoint.clone(),
        ByHeader(person.clone()),
        AllowedHosts::loopback(),
    );
    let service = streamable.sse("/sse/messages/").channels(channels);
    let router = axum::Router::new()
        .route_service("/sse", service.clone())
        .route_service("/sse/messages/", service.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let serving = tokio::spawn(serve(listener, router, limits, shutdown));
    SseHall {
        address,
        endpoint,
        service,
        person,
        told,
        stop,
        serving,
    }
}

impl SseHall {
    pub(crate) async fn told(&mut self) -> String {
        soon(self.told.recv()).await.unwrap()
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::open(self.address, "ada").await
    }

    /// A channel on which a revision was agreed.
    pub(crate) async fn greeted(&self, revision: &str, capabilities: Value) -> Channel {
        let mut channel = self.channel().await;
        channel.greet(revision, capabilities).await;
        channel
    }
}

/// The request that opens a channel.
pub(crate) fn get(user: &str, host: &str) -> Vec<u8> {
    request(
        "GET /sse",
        &[
            ("Host", host),
            ("Accept", "text/event-stream"),
            ("X-User", user),
        ],
        b"",
    )
}

pub(crate) fn post_to(messages: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    request(
        &format!("POST {messages}"),
        &[&[("Content-Type", "application/json")], headers].concat(),
        body,
    )
}

/// One channel, as its client knows it.
pub(crate) struct Channel {
    pub(crate) events: Client,
    /// Where messages go.
    pub(crate) messages: String,
    pub(crate) user: String,
    address: SocketAddr,
}

impl Channel {
    pub(crate) async fn open(address: SocketAddr, user: &str) -> Self {
        Self::on(Client::connect(address).await, address, user).await
    }

    /// The same on a connection that was made before.
    pub(crate) async fn on(mut events: Client, address: SocketAddr, user: &str) -> Self {
        events.open(&get(user, "localhost")).await;
        let first = soon(events.event()).await.unwrap();
        assert_eq!(
            (&*first.kind, first.id),
            ("endpoint", None),
            "nobody comes back to a channel"
        );
        Self {
            events,
            messages: first.data,
            user: user.to_owned(),
            address,
        }
    }

    pub(crate) async fn greet(&mut self, revision: &str, capabilities: Value) {
        let info = json!({"name": "test", "version": "1"});
        let hello =
            json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": info});
        self.send(&rpc("hello", "initialize", hello)).await;
        let answer = self.next().await;
        schemas::check(revision, "InitializeResult", &answer);
        assert_eq!(
            (&answer["id"], &answer["result"]["protocolVersion"]),
            (&json!("hello"), &json!(revision))
        );
        self.send(
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
                .to_string()
                .as_bytes(),
        )
        .await;
    }

    pub(crate) async fn post(&self, body: &[u8]) -> Reply {
        let bytes = post_to(
            &self.messages,
            &[("Host", "localhost"), ("X-User", &self.user)],
            body,
        );
        Client::connect(self.address).await.exchange(&bytes).await
    }

    /// Sends one message; the reply only says that it came.
    pub(crate) async fn send(&self, body: &[u8]) {
        let reply = self.post(body).await;
        assert_eq!((reply.status, reply.body.len()), (202, 0), "{reply:?}");
    }

    pub(crate) async fn notify(&self, message: &Value) {
        self.send(message.to_string().as_bytes()).await;
    }

    /// The next message on the channel.
    pub(crate) async fn next(&mut self) -> Value {
        soon(self.events.message()).await.expect("a message")
    }

    /// Whatever was sent before is done with: nothing but this answer comes.
    pub(crate) async fn nothing_but_a_ping(&mut self) {
        self.send(&rpc("ping", "ping", json!({}))).await;
        assert_eq!(
            self.next().await,
            json!({"jsonrpc": "2.0", "id": "ping", "result": {}})
        );
    }
}

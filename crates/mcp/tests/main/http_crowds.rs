//! More clients than there is room for: connections, addresses, memory. What is refused is told at
//! once, and health is always answered.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post as take};
use footbridge_mcp::http::{
    AllowedHosts, IncomingBody, McpService, MemoryBudget, Peer, ServerLimits, serve,
};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use crate::http_client::{Client, post, server, server_of, soon};
use crate::world::{self, Event, World};

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(600);

/// What stands behind the server: `/healthz`, a door that reads a body, and one that answers when
/// it is let.
struct Site {
    address: SocketAddr,
    begun: mpsc::UnboundedReceiver<()>,
    let_go: Arc<Semaphore>,
}

impl Site {
    async fn new(limits: ServerLimits) -> Self {
        let (tell, begun) = mpsc::unbounded_channel();
        let let_go = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&let_go);
        let router = Router::new()
            .route("/healthz", get(async || "ok"))
            .route(
                "/read",
                take(async |body: axum::body::Bytes| body.len().to_string()),
            )
            .route(
                "/wait",
                get(async move || {
                    tell.send(()).unwrap();
                    gate.acquire().await.unwrap().forget();
                    "waited"
                }),
            );
        let limits = limits.health_paths(["/healthz"]).head_time(LONG);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router, limits, std::future::pending()));
        Self {
            address,
            begun,
            let_go,
        }
    }

    /// A connection from the address of this machine that ends so.
    async fn from(&self, last: u8) -> Line {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind((Ipv4Addr::new(127, 0, 0, last), 0).into())
            .unwrap();
        Line(socket.connect(self.address).await.unwrap())
    }

    async fn asks(&self, path: &str) -> String {
        self.from(1).await.asks(path, "").await
    }
}

struct Line(TcpStream);

impl Line {
    async fn says(&mut self, text: &str) {
        soon(self.0.write_all(text.as_bytes())).await.unwrap();
    }

    /// The whole answer of a request after which the connection is closed.
    async fn asks(mut self, path: &str, headers: &str) -> String {
        self.says(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n"
        ))
        .await;
        self.rest().await
    }

    async fn rest(mut self) -> String {
        let mut answer = String::new();
        // A connection that was closed with something unread may be reset.
        let _reset = soon(self.0.read_to_string(&mut answer)).await;
        answer
    }
}

fn is_unavailable(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 503 ") && answer.to_lowercase().contains("\r\nretry-after: 5\r\n")
}

fn is_ok(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 ")
}

#[tokio::test]
async fn beyond_the_cap_is_a_503_at_once_and_health_is_answered() {
    let site = Site::new(ServerLimits::default().connections(16).patience(LONG)).await;
    let mut slow = Vec::new();
    // This machine has seven eighths of sixteen; another address has the rest.
    for number in 0..16 {
        let mut line = site.from(if number < 14 { 1 } else { 2 }).await;
        line.says(
            "POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{",
        )
        .await;
        slow.push(line);
    }
    for _ in 0..50 {
        let refused = site.asks("/wait").await;
        assert!(
            is_unavailable(&refused) && refused.contains("as many connections as there may be"),
            "{refused}"
        );
        assert!(is_ok(&site.asks("/healthz").await));
    }
    drop(slow.pop());
    let other = async || is_ok(&site.from(2).await.asks("/healthz?really", "").await);
    while !other().await {}
}

#[tokio::test]
async fn without_any_place_the_answer_is_still_a_503() {
    let limits = ServerLimits::default()
        .connections(8)
        .spare_connections(0)
        .patience(LONG);
    let site = Site::new(limits).await;
    let mut held = Vec::new();
    for number in 0..8 {
        held.push(site.from(if number < 7 { 1 } else { 2 }).await);
    }
    assert!(is_unavailable(&site.asks("/wait").await));
    assert!(
        is_unavailable(&site.from(1).await.rest().await),
        "who asks nothing is told as well"
    );
}

#[tokio::test]
async fn one_address_leaves_room_for_others() {
    let site = Site::new(ServerLimits::default().connections(16).patience(LONG)).await;
    let mut held = Vec::new();
    for _ in 0..14 {
        held.push(site.from(1).await);
    }
    site.let_go.add_permits(1);
    assert!(is_unavailable(&site.asks("/wait").await));
    assert!(is_ok(&site.from(2).await.asks("/wait", "").await));
}

/// Slow heads, slow bodies and idle connections give way to whoever has something to ask; those
/// that are served do not.
#[tokio::test]
async fn who_keeps_the_server_waiting_gives_way_to_others() {
    let mut site = Site::new(
        ServerLimits::default()
            .connections(16)
            .patience(Duration::ZERO),
    )
    .await;
    let mut served = site.from(2).await;
    served
        .says("GET /wait HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await;
    soon(site.begun.recv()).await.unwrap();
    let mut waiting = Vec::new();
    for start in [
        "",
        "POST /read HT",
        "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
    ]
    .iter()
    .cycle()
    .take(100)
    {
        let mut line = site.from(1).await;
        line.says(start).await;
        waiting.push(line);
    }
    for _ in 0..20 {
        assert!(is_ok(&site.asks("/healthz").await));
        let mut read = site.from(1).await;
        read.says(
            "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        )
        .await;
        assert!(is_ok(&read.rest().await));
    }
    site.let_go.add_permits(1);
    let answer = served.rest().await;
    assert!(is_ok(&answer) && answer.ends_with("waited"), "{answer}");
}

#[tokio::test]
async fn what_a_proxy_forwards_counts_by_the_address_that_it_names() {
    let trusted_proxies = ["127.0.0.0/8".parse().unwrap()].into_iter().collect();
    let mut site = Site::new(
        ServerLimits::default()
            .trusted_proxies(trusted_proxies)
            .connections_of_an_address(2)
            .patience(LONG),
    )
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut line = site.from(1).await;
        line.says("GET /wait HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.9, 192.0.2.1\r\n\r\n").await;
        soon(site.begun.recv()).await.unwrap();
        held.push(line);
    }
    let from = async |address: &str| {
        site.from(1)
            .await
            .asks("/read", &format!("X-Forwarded-For: {address}\r\n"))
            .await
    };
    let refused = from("192.0.2.9, 192.0.2.1").await;
    assert!(
        is_unavailable(&refused) && refused.contains("of this address"),
        "{refused}"
    );
    assert!(
        from("192.0.2.1, 192.0.2.9")
            .await
            .starts_with("HTTP/1.1 405 "),
        "only the last one counts"
    );
    site.let_go.add_permits(2);
    while !from("192.0.2.1").await.starts_with("HTTP/1.1 405 ") {}
}

#[tokio::test]
async fn the_peer_is_in_the_extensions_of_a_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = tower_service_of(|request: http::Request<IncomingBody>| {
        let peer = request.extensions().get::<Peer>().copied();
        axum::response::Response::new(axum::body::Body::from(format!("{peer:?}")))
    });
    tokio::spawn(serve(
        listener,
        service,
        ServerLimits::default(),
        std::future::pending(),
    ));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let own = stream.local_addr().unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with(&format!("Some(Peer({own}))")), "{answer}");
}

fn tower_service_of(
    answer: impl Fn(http::Request<IncomingBody>) -> axum::response::Response + Clone + Send + 'static,
) -> impl tower_service::Service<
    http::Request<IncomingBody>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    Answers(answer)
}

#[derive(Clone)]
struct Answers<F>(F);

impl<F: Fn(http::Request<IncomingBody>) -> axum::response::Response>
    tower_service::Service<http::Request<IncomingBody>> for Answers<F>
{
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<IncomingBody>) -> Self::Future {
        std::future::ready(Ok((self.0)(request)))
    }
}

/// Nobody here could read a body in another coding: what reads on after it would be a request that
/// a proxy never saw.
#[tokio::test]
async fn a_transfer_coding_other_than_chunked_is_refused() {
    let server = server().await;
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (coding, status) in [
        ("chunked", 200),
        ("Chunked", 200),
        ("gzip, chunked", 501),
        ("gzip,chunked", 501),
    ] {
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: {coding}\r\n\r\n"
        );
        let body = format!(
            "{:x}\r\n{}\r\n0\r\n\r\n",
            ping.len(),
            String::from_utf8_lossy(ping)
        );
        let mut line = Line(TcpStream::connect(server.address).await.unwrap());
        line.says(&format!("{head}{body}")).await;
        let mut answer = [0; 12];
        soon(line.0.read_exact(&mut answer)).await.unwrap();
        assert_eq!(
            String::from_utf8_lossy(&answer),
            format!("HTTP/1.1 {status}"),
            "{coding}"
        );
    }
    // What a client takes is another matter.
    let reply = Client::connect(server.address)
        .await
        .exchange(&post(&[("TE", "gzip, chunked")], ping))
        .await;
    assert_eq!(reply.status, 200);
}

/// A call that waits, in a body of this size.
fn wait_in(bytes: usize, name: &str) -> Vec<u8> {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wait", "arguments": {"name": name}}});
    let mut body = call.to_string().into_bytes();
    body.resize(bytes, b' ');
    post(&[], &body)
}

#[tokio::test]
async fn what_does_not_fit_into_the_memory_is_told_to_come_back() {
    let (world, events) = World::new();
    let caller = world.clone();
    // Room for two calls of 20,000 bytes, four times counted, and not for three.
    let budget = MemoryBudget::new(200_000);
    let service = McpService::public(
        world::endpoint(),
        move || caller.clone(),
        AllowedHosts::loopback(),
    )
    .memory_budget(&budget);
    let mut server = server_of(service, ServerLimits::default(), world, events).await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect(server.address).await;
        client.send(&wait_in(20_000, "large")).await;
        assert_eq!(
            soon(server.events.recv()).await,
            Some(Event::Started("large".to_owned()))
        );
        clients.push(client);
    }
    let refused = Client::connect(server.address)
        .await
        .exchange(&wait_in(20_000, "one more"))
        .await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("5")),
        "{refused:?}"
    );
    assert!(refused.message().contains("memory"), "{refused:?}");
    // Other doors of the program share it.
    let elsewhere = budget.charge();
    let body = elsewhere.body(http_body_util::Full::new(bytes::Bytes::from(vec![
        b' ';
        20_000
    ])));
    assert!(body.collect().await.is_err() && elsewhere.is_over());
    let small = Client::connect(server.address)
        .await
        .exchange(&post(&[], br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#))
        .await;
    assert_eq!(small.status, 200);
    server.world.open(2);
    for client in &mut clients {
        assert_eq!(client.receive().await.unwrap().status, 200);
    }
    let mut next = Client::connect(server.address).await;
    next.send(&wait_in(20_000, "next")).await;
    while soon(server.events.recv()).await.unwrap() != Event::Started("next".to_owned()) {}
}

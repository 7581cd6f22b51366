//! The server loop: connections in, each with its limits, and an end that lets running calls
//! finish. Serves any tower service, a router too.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower_service::Service;

use super::TrustedProxies;
use super::client_address::Peer;
use super::connection::{IncomingBody, ServerEnding, serve_connection, turn_away};
use super::places::ConnectionPlaces;
use super::unread::UnreadLimit;
use crate::ending::Ending;
use crate::limits;

/// The limits of what one server lets its clients do.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    pub(super) connections: usize,
    pub(super) connections_of_an_address: usize,
    pub(super) spare_connections: usize,
    pub(super) health_paths: Vec<String>,
    pub(super) patience: Duration,
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) head_time: Duration,
    pub(super) write_time: Duration,
    pub(super) shutdown_time: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: limits::HTTP_CONNECTIONS,
            connections_of_an_address: limits::HTTP_CONNECTIONS_OF_AN_ADDRESS,
            spare_connections: limits::HTTP_SPARE_CONNECTIONS,
            health_paths: Vec::new(),
            patience: limits::HTTP_PATIENCE,
            trusted_proxies: TrustedProxies::default(),
            head_time: limits::HTTP_HEAD_TIME,
            write_time: limits::HTTP_WRITE_TIME,
            shutdown_time: limits::SHUTDOWN_TIME,
        }
    }
}

impl ServerLimits {
    /// Most connections at the same time. Further ones are answered 503 at once, but for the paths
    /// of health.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Most connections of one peer address, or of one network of 64 bits. Those of this machine,
    /// behind which a proxy may have everybody, may have seven eighths of all. What a trusted proxy
    /// forwards counts by the address that it names, request by request.
    #[must_use]
    pub fn connections_of_an_address(mut self, connections_of_an_address: usize) -> Self {
        self.connections_of_an_address = connections_of_an_address;
        self
    }

    /// Most connections beyond these at the same time, which are there for health and to say 503.
    #[must_use]
    pub fn spare_connections(mut self, spare_connections: usize) -> Self {
        self.spare_connections = spare_connections;
        self
    }

    /// What is answered there too, such as `/healthz`. None unless you name them.
    #[must_use]
    pub fn health_paths(
        mut self,
        health_paths: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.health_paths = health_paths.into_iter().map(Into::into).collect();
        self
    }

    /// How long a connection may keep the server waiting, idle or in the midst of a request, before
    /// it gives its place to a new one when all are taken.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The proxies whose word about the addresses behind them is taken.
    #[must_use]
    pub fn trusted_proxies(mut self, trusted_proxies: TrustedProxies) -> Self {
        self.trusted_proxies = trusted_proxies;
        self
    }

    /// How long the head of a request may take, and how long an idle connection is kept.
    #[must_use]
    pub fn head_time(mut self, head_time: Duration) -> Self {
        self.head_time = head_time;
        self
    }

    /// How long a client may leave an answer unread before its connection is closed.
    #[must_use]
    pub fn write_time(mut self, write_time: Duration) -> Self {
        self.write_time = write_time;
        self
    }

    /// How long running calls may take to finish after the end was announced.
    #[must_use]
    pub fn shutdown_time(mut self, shutdown_time: Duration) -> Self {
        self.shutdown_time = shutdown_time;
        self
    }
}

/// Serves until `shutdown` completes. Then the streams of [`super::McpService`] and
/// [`super::SseService`] that would go on for ever end, their clients are told, and running requests
/// finish within [`ServerLimits::shutdown_time`].
///
/// HTTP/1.1 with TCP_NODELAY. A client that goes away cancels its call; so does dropping the
/// returned future.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    limits: ServerLimits,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<IncomingBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limits = Arc::new(limits);
    let places = ConnectionPlaces::new(Arc::clone(&limits));
    let turned_away = Arc::new(Semaphore::new(limits::HTTP_TURNED_AWAY));
    let ending = Arc::<Ending>::default();
    // Dropping this ends every connection.
    let mut connections = JoinSet::new();
    let ordinary = builder(limits.head_time, true);
    let spare = builder(limits.head_time.min(limits::HTTP_SPARE_HEAD_TIME), false);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a client that gave up: neither is a reason to end.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let Some(place) = places.take(peer.ip()) else {
            // Beyond these the connection is closed without a word.
            if let Ok(permit) = Arc::clone(&turned_away).try_acquire_owned() {
                connections.spawn(async move {
                    turn_away(stream).await;
                    drop(permit);
                });
            }
            continue;
        };
        let stream = prepared(stream, &limits);
        let builder = if place.is_spare {
            spare.clone()
        } else {
            ordinary.clone()
        };
        let (service, limits) = (service.clone(), Arc::clone(&limits));
        let ending = ServerEnding(Arc::clone(&ending));
        connections.spawn(async move {
            if let Err(error) = serve_connection(
                &builder,
                stream,
                service,
                (place, Peer(peer)),
                limits,
                ending,
            )
            .await
            {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    ending.announce();
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.shutdown_time, all_ended)
        .await
        .is_err()
    {
        tracing::warn!(
            seconds = limits.shutdown_time.as_secs(),
            "some calls did not finish in time and were stopped"
        );
    }
}

fn builder(head_time: Duration, keeps_alive: bool) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .keep_alive(keeps_alive)
        .max_headers(limits::HTTP_HEADERS)
        .max_buf_size(limits::HTTP_HEAD_BYTES);
    builder
}

/// Answers leave at once, and must be read.
fn prepared(stream: TcpStream, limits: &ServerLimits) -> UnreadLimit<TcpStream> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    UnreadLimit::new(stream, limits.write_time)
}

/// How long to wait after a failed accept, so that a lasting failure does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::{ServerLimits, prepared};

    /// With Nagle's algorithm an answer in two pieces can wait 40 ms for an acknowledgement.
    #[tokio::test]
    async fn a_connection_is_served_without_delay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert!(!stream.nodelay().unwrap());
        assert!(
            prepared(stream, &ServerLimits::default())
                .get_ref()
                .nodelay()
                .unwrap()
        );
    }

    /// The head limits of hyper have a floor below which they panic.
    #[test]
    fn head_limits_are_above_hypers_floor() {
        const { assert!(crate::limits::HTTP_HEAD_BYTES >= 8192) };
    }
}

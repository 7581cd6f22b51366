//! The server loop: connections in, each with its limits, and an end that lets running calls finish. Serves any tower service, a router too.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower_service::Service;

use super::unread::UnreadLimit;
use crate::limits;

/// What one server lets its clients do.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Most connections at the same time; further ones wait.
    pub connections: usize,
    /// How long the head of a request may take, and how long an idle connection is kept.
    pub head_time: Duration,
    /// How long a client may leave an answer unread before its connection is closed.
    pub write_time: Duration,
    /// How long running calls may take to finish after the end was announced.
    pub shutdown_time: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: limits::HTTP_CONNECTIONS,
            head_time: limits::HTTP_HEAD_TIME,
            write_time: limits::HTTP_WRITE_TIME,
            shutdown_time: limits::SHUTDOWN_TIME,
        }
    }
}

/// Serves until `shutdown` completes, then lets running requests finish within [`ServerLimits::shutdown_time`].
///
/// HTTP/1.1 with TCP_NODELAY. A client that goes away cancels its call; so does dropping the returned future.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: ServerLimits, shutdown: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let permits = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(());
    // Dropping this ends every connection.
    let mut connections = JoinSet::new();
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(limits::HTTP_HEADERS)
        .max_buf_size(limits::HTTP_HEAD_BYTES);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, or a client that gave up: neither is a reason to end.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let stream = prepared(stream, &limits);
        let (builder, service, stopping) = (builder.clone(), service.clone(), stopping.clone());
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            if let Err(error) = serve_connection(&builder, stream, service, stopping).await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop((listener, stop));
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.shutdown_time, all_ended).await.is_err() {
        tracing::warn!(seconds = limits.shutdown_time.as_secs(), "some calls did not finish in time and were stopped");
    }
}

/// Answers leave at once, and must be read.
fn prepared(stream: TcpStream, limits: &ServerLimits) -> UnreadLimit<TcpStream> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    UnreadLimit::new(stream, limits.write_time)
}

/// One connection, until its client ends it or, once `stopping` closes, until the request under way is answered.
async fn serve_connection<S, B>(
    builder: &http1::Builder,
    stream: UnreadLimit<TcpStream>,
    service: S,
    mut stopping: watch::Receiver<()>,
) -> hyper::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let service = TowerToHyperService::new(service);
    let has_asked = &AtomicBool::new(false);
    let noticed = service_fn(move |request| {
        has_asked.store(true, Ordering::Relaxed);
        service.call(request)
    });
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), noticed));
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        // Nothing is ever sent; the change is that the sender is gone.
        _ = stopping.changed() => {}
    }
    // hyper would wait for the first request of a connection that has not had one.
    if !has_asked.load(Ordering::Relaxed) {
        return Ok(());
    }
    connection.as_mut().graceful_shutdown();
    connection.await
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
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert!(!stream.nodelay().unwrap());
        assert!(prepared(stream, &ServerLimits::default()).get_ref().nodelay().unwrap());
    }

    /// The head limits of hyper have a floor below which they panic.
    #[test]
    fn head_limits_are_above_hypers_floor() {
        const { assert!(crate::limits::HTTP_HEAD_BYTES >= 8192) };
    }
}

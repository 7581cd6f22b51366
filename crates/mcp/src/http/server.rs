//! The server loop: connections in, each with its limits, and an end that lets running calls finish. Serves any tower service, a router too.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_service::Service;

use crate::limits;

/// What one server lets its clients do.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Most connections at the same time; further ones wait.
    pub connections: usize,
    /// How long the head of a request may take, and how long an idle connection is kept.
    pub head_time: Duration,
    /// How long running calls may take to finish after the end was announced.
    pub shutdown_time: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self { connections: limits::HTTP_CONNECTIONS, head_time: limits::HTTP_HEAD_TIME, shutdown_time: limits::SHUTDOWN_TIME }
    }
}

/// Serves until `shutdown` completes, then lets running requests finish within [`ServerLimits::shutdown_time`].
///
/// HTTP/1.1 with TCP_NODELAY. A client that goes away cancels its call.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: ServerLimits, shutdown: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let permits = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
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
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_time, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = limits.shutdown_time.as_secs(), "some calls did not finish in time and were stopped");
    }
}

/// How long to wait after a failed accept, so that a lasting failure does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    /// The head limits of hyper have a floor below which they panic.
    #[test]
    fn head_limits_are_above_hypers_floor() {
        const { assert!(crate::limits::HTTP_HEAD_BYTES >= 8192) };
    }
}

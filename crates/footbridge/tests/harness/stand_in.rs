//! A stand-in's place: a port of its own, and the world behind it, which a test may look at and change. What it answers is its own.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use tokio::task::JoinHandle;

/// A running one; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Standing<W> {
    /// `http://127.0.0.1:1234`.
    pub(crate) url: String,
    world: Arc<Mutex<W>>,
    serving: JoinHandle<()>,
}

impl<W: Send + 'static> Standing<W> {
    pub(crate) async fn serve(world: W, router: fn(Arc<Mutex<W>>) -> Router) -> Self {
        // Clients are built without a TLS provider of their own; a second installation is refused, and harmless.
        drop(rustls::crypto::ring::default_provider().install_default());
        let world = Arc::new(Mutex::new(world));
        let router = router(Arc::clone(&world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, world, serving }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, W> {
        self.world.lock().unwrap()
    }

    /// The world, for a router without a socket.
    pub(crate) fn shared(&self) -> Arc<Mutex<W>> {
        Arc::clone(&self.world)
    }
}

impl<W> Drop for Standing<W> {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

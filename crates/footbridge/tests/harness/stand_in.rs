//! A stand-in's place: a port of its own, and the world behind it, which a test may look at and
//! change; and a port where nobody is. What a stand-in answers is its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running one; it ends some time after this is dropped, and before [`Standing::stop`] is
/// through.
#[derive(Debug)]
pub(crate) struct Standing<W> {
    /// `http://127.0.0.1:1234`.
    pub(crate) url: String,
    world: Arc<Mutex<W>>,
    /// What ends it, and its port.
    stop: Option<(oneshot::Sender<()>, Reserved)>,
    serving: JoinHandle<()>,
}

impl<W: Send + 'static> Standing<W> {
    pub(crate) async fn serve(world: W, router: fn(Arc<Mutex<W>>) -> Router) -> Self {
        let world = Arc::new(Mutex::new(world));
        let router = router(Arc::clone(&world));
        let place = Reserved::new();
        let listener = TcpListener::bind(("127.0.0.1", place.port()))
            .await
            .unwrap();
        let url = place.url();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let serving = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
                .unwrap()
        });
        Self {
            url,
            world,
            stop: Some((stop, place)),
            serving,
        }
    }

    /// Ends it. When this is through, nobody listens there any more and every connection is closed,
    /// so that whoever comes next is refused, as long as what this gives is there.
    #[must_use]
    pub(crate) async fn stop(mut self) -> Reserved {
        let (stop, place) = self.stop.take().unwrap();
        drop(stop);
        (&mut self.serving).await.unwrap();
        place
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, W> {
        self.world.lock().unwrap()
    }

    /// Prints a line of JSON, the variables that lead to it, and is there until standard input ends:
    /// for a program outside, as a browser's test, which starts this one.
    #[expect(
        clippy::print_stdout,
        reason = "whoever starts the test reads where it is"
    )]
    pub(crate) async fn serve_outside<'v>(
        self,
        variables: impl IntoIterator<Item = (&'v str, String)>,
    ) {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        println!("{}", serde_json::json!(variables));
        let until_end = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        tokio::task::spawn_blocking(until_end)
            .await
            .unwrap()
            .unwrap();
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

/// A port where nobody listens, and which nobody else is given while this is there. A server that
/// is told its number may listen on it.
#[derive(Debug)]
pub(crate) struct Reserved(TcpSocket);

impl Reserved {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Two that both may reuse an address may both have it, as long as one of them does not
        // listen.
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// `http://127.0.0.1:1234`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }
}

//! The one seam to a backend: a whole request in, a whole answer out, bounded in bytes and time.
//! Addresses, credentials, redirects and errors are decided above it (see `exchange`).

mod in_process;
mod network;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

pub use in_process::InProcess;
pub use network::{Network, NetworkError};

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What one exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that the answer's body may have.
    pub bytes: usize,
    /// Time from the first byte sent to the last byte read.
    pub time: Duration,
}

/// Something that answers requests: the network, or a service in this process.
pub trait Upstream: Send + Sync + 'static {
    /// Sends one request to its absolute address and reads the whole answer. Follows no redirect,
    /// retries nothing.
    ///
    /// # Errors
    /// When there is no answer, or not all of one.
    fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> BoxFuture<'_, Result<Response<Bytes>, Unanswered>>;

    /// Whether it is a service of this process, which is never at work on a request any more once
    /// [`send`](Self::send) has ended. A backend over the network may be.
    fn is_in_process(&self) -> bool {
        false
    }
}

/// One upstream for several connectors.
impl<U: Upstream> Upstream for std::sync::Arc<U> {
    fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> BoxFuture<'_, Result<Response<Bytes>, Unanswered>> {
        self.as_ref().send(request, limits)
    }

    fn is_in_process(&self) -> bool {
        self.as_ref().is_in_process()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// No connection: nothing was sent. The text is for the log.
    Connect(String),
    /// The proxy before the backend does not let us through: nothing reached the backend.
    Proxy {
        /// Its address, without its credentials.
        proxy: String,
        /// It wants a user name and password, or others.
        wants_credentials: bool,
        /// For the log.
        why: String,
    },
    /// The backend's certificate is not trusted: nothing was sent. The text is for the log.
    Certificate(String),
    /// The connection broke; whether the backend acted is not known. The text is for the log.
    Broken(String),
    /// It took longer than allowed; whether the backend acted is not known.
    TimedOut,
    /// The answer has more bytes than allowed.
    TooLarge,
    /// The answer is encoded so that it cannot be read; the words go behind "answered".
    Encoded(String),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "no connection: {why}"),
            Self::Proxy { proxy, why, .. } => write!(f, "no way through the proxy {proxy}: {why}"),
            Self::Certificate(why) => write!(f, "no trust: {why}"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::Encoded(how) => write!(f, "an answer {how}"),
        }
    }
}

impl std::error::Error for Unanswered {}

//! The refusal of a request that may not enter: the status, the challenge and the sentence.

use std::time::Duration;

use http::{HeaderValue, StatusCode};

/// The reason why a request does not enter. The body of the answer is a JSON-RPC error with the
/// sentence.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) challenge: Option<HeaderValue>,
    /// In how many seconds to come back.
    pub(crate) retry_after: Option<u64>,
    pub(crate) message: String,
}

impl Refusal {
    /// HTTP 401: nobody is known to be asking. `challenge` is the value of `WWW-Authenticate`; see
    /// [`crate::auth::Challenge`].
    #[must_use]
    pub fn unauthorized(challenge: impl Into<HeaderValue>, message: impl Into<String>) -> Self {
        Self::of(StatusCode::UNAUTHORIZED, message).challenge(challenge)
    }

    /// HTTP 403: whoever is asking may not. A challenge says which scopes would do.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::of(StatusCode::FORBIDDEN, message)
    }

    /// HTTP 429: whoever is asking asks too often, and may come back after this time, which
    /// `Retry-After` says in whole seconds.
    ///
    /// ```
    /// use footbridge_mcp::http::Refusal;
    /// use std::time::Duration;
    ///
    /// let refusal = Refusal::too_many_requests("60 requests a minute", Duration::from_millis(2_500));
    /// assert_eq!(refusal.status(), 429);
    /// ```
    #[must_use]
    pub fn too_many_requests(message: impl Into<String>, after: Duration) -> Self {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        Self {
            retry_after: Some(seconds),
            ..Self::of(StatusCode::TOO_MANY_REQUESTS, message)
        }
    }

    /// HTTP 503: it cannot be found out who is asking.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::of(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    fn of(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            challenge: None,
            retry_after: None,
            message: message.into(),
        }
    }

    /// Adds a challenge.
    #[must_use]
    pub fn challenge(mut self, challenge: impl Into<HeaderValue>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence for whoever reads it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

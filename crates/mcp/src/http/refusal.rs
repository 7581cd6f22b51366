//! The refusal of a request that may not enter: the status, the challenge and the sentence.

use http::{HeaderValue, StatusCode};

/// Why a request does not enter. The body of the answer is a JSON-RPC error with the sentence.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) challenge: Option<HeaderValue>,
    pub(crate) message: String,
}

impl Refusal {
    /// HTTP 401: nobody is known to be asking. `challenge` is the value of `WWW-Authenticate`; see
    /// [`crate::auth::Challenge`].
    #[must_use]
    pub fn unauthorized(challenge: impl Into<HeaderValue>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(challenge.into()),
            message: message.into(),
        }
    }

    /// HTTP 403: whoever is asking may not. A challenge says which scopes would do.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            challenge: None,
            message: message.into(),
        }
    }

    /// HTTP 503: it cannot be found out who is asking.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            challenge: None,
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

//! Bearer tokens: read from the header, compared in constant time, checked by the application, held
//! to scopes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::request::Parts;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::Challenge;
use crate::http::{Authenticate, Refusal};
use crate::output::Failure;

/// The token of a request with exactly one `Authorization: Bearer …` header; the scheme is compared
/// without regard to case.
#[must_use]
pub fn bearer_token(head: &Parts) -> Option<SecretString> {
    let mut values = head.headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then(|| SecretString::from(token))
}

/// Whether two secrets are the same, in a time that does not depend on where they differ.
#[must_use]
pub fn same_secret(sent: &SecretString, expected: &SecretString) -> bool {
    sent.expose_secret()
        .as_bytes()
        .ct_eq(expected.expose_secret().as_bytes())
        .into()
}

/// The meaning of a good token: who is asking, and what the token allows.
#[derive(Debug, Clone)]
pub struct Granted<C> {
    caller: Arc<C>,
    scopes: Vec<String>,
}

impl<C> Granted<C> {
    /// A caller whose token has no scopes.
    #[must_use]
    pub fn to(caller: impl Into<Arc<C>>) -> Self {
        Self {
            caller: caller.into(),
            scopes: Vec::new(),
        }
    }

    /// The scopes of the token.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }
}

type Granting<C> = Pin<Box<dyn Future<Output = Result<Option<Granted<C>>, Failure>> + Send>>;
type TokenCheck<C> = dyn Fn(SecretString) -> Granting<C> + Send + Sync;

/// Lets in whoever brings a token that the application knows.
///
/// Without a token, or with one that is not known: HTTP 401 and a challenge. With one that lacks a
/// required scope: HTTP 403 and `insufficient_scope`, which names the scopes. When the check itself
/// fails: HTTP 503, with the cause in the log only.
pub struct Bearer<C> {
    check: Arc<TokenCheck<C>>,
    required: Vec<String>,
    challenge: Challenge,
}

impl<C: Send + Sync + 'static> Bearer<C> {
    /// Checks each token with the application: `None` for one that is not known.
    ///
    /// Look tokens up by a hash of them, or compare with [`same_secret`]: an ordinary comparison
    /// tells by its time how much was right.
    #[must_use]
    pub fn new<F, R>(check: F) -> Self
    where
        F: Fn(SecretString) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<Granted<C>>, Failure>> + Send + 'static,
    {
        Self {
            check: Arc::new(move |token| Box::pin(check(token))),
            required: Vec::new(),
            challenge: Challenge::bearer(),
        }
    }

    /// One token for everybody, who then are all the same caller.
    #[must_use]
    pub fn shared(token: SecretString, caller: impl Into<Arc<C>>) -> Self {
        let caller = caller.into();
        Self::new(move |sent| {
            let granted = same_secret(&sent, &token).then(|| Granted::to(Arc::clone(&caller)));
            std::future::ready(Ok(granted))
        })
    }

    /// A scope that every request needs.
    #[must_use]
    pub fn requires_scope(mut self, scope: impl Into<String>) -> Self {
        self.required.push(scope.into());
        self
    }

    /// What challenges say besides the scopes and the error.
    #[must_use]
    pub fn challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    fn full_challenge(&self) -> Challenge {
        self.challenge.clone().scope(&self.required)
    }
}

impl<C: Send + Sync + 'static> Authenticate<C> for Bearer<C> {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<C>, Refusal> {
        let Some(token) = bearer_token(head) else {
            let message =
                "this endpoint wants a token: send the header Authorization: Bearer TOKEN";
            return Err(Refusal::unauthorized(self.full_challenge(), message));
        };
        let granted = (self.check)(token).await.map_err(|failure| {
            tracing::error!(?failure, "a bearer token could not be checked");
            Refusal::unavailable("the token could not be checked now; try again later")
        })?;
        let Some(Granted { caller, scopes }) = granted else {
            let message = "the bearer token is not known, or no longer good: get a new one";
            return Err(Refusal::unauthorized(
                self.full_challenge().invalid_token(),
                message,
            ));
        };
        let missing: Vec<&str> = self
            .required
            .iter()
            .map(String::as_str)
            .filter(|scope| !scopes.iter().any(|has| has == scope))
            .collect();
        if missing.is_empty() {
            return Ok(caller);
        }
        let message = format!(
            "the token lacks the scope {}: ask for a token with it",
            missing.join(" ")
        );
        Err(Refusal::forbidden(message).challenge(self.full_challenge().insufficient_scope()))
    }
}

impl<C> fmt::Debug for Bearer<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Bearer")
            .field("required", &self.required)
            .field("challenge", &self.challenge)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::Parts;
    use secrecy::{ExposeSecret as _, SecretString};

    use super::{bearer_token, same_secret};

    fn head(values: &[&str]) -> Parts {
        let request = values.iter().fold(Request::builder(), |request, value| {
            request.header("authorization", *value)
        });
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn one_bearer_header_has_a_token_and_nothing_else_has() {
        for good in ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret "] {
            assert_eq!(
                bearer_token(&head(&[good])).unwrap().expose_secret(),
                "s3cret",
                "{good}"
            );
        }
        for bad in [
            &["Bearer"][..],
            &["Bearer "],
            &["Basic s3cret"],
            &["s3cret"],
            &[],
            &["Bearer a", "Bearer b"],
            &["Bearer \u{e9}"],
        ] {
            assert!(bearer_token(&head(bad)).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn only_the_same_secret_is_the_same() {
        let secret = |text: &str| SecretString::from(text);
        assert!(same_secret(&secret("s3cret"), &secret("s3cret")));
        for other in ["", "s3cre", "s3crets", "S3cret"] {
            assert!(!same_secret(&secret(other), &secret("s3cret")), "{other}");
        }
    }
}

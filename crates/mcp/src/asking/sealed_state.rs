//! The state of a call that waits for answers, sealed so that a client can carry it and not change
//! it. Source: specification 2026-07-28, Multi Round-Trip Requests, "Server Requirements".

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::canonical::canonical_json;
use crate::limits;

/// The key that seals the state of requests. Servers that share callers share it.
#[derive(Clone)]
pub struct StateKey([u8; 32]);

impl StateKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key for this process alone.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    fn mac(&self, payload: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(payload);
        Some(mac)
    }
}

impl std::fmt::Debug for StateKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StateKey(hidden)")
    }
}

/// The state that a client carries between the rounds of a call.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SealedState {
    /// Seconds since 1970 after which it is refused.
    expires: u64,
    /// Digest of the request that it belongs to: method, name, arguments and who asks.
    request: String,
    /// A number that makes the state of each round another one.
    round: u32,
    /// The answers so far.
    pub(crate) answers: Map<String, Value>,
}

/// The reason why a state is refused. Told to the client as an invalid parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StateError {
    #[error(
        "`requestState` is not one that this server gave out, or was changed; call again without it"
    )]
    Forged,
    #[error("`requestState` has expired; call again without it")]
    Expired,
    #[error("`requestState` belongs to another request; call again without it")]
    OtherRequest,
}

impl SealedState {
    pub(crate) fn next(
        request: String,
        now: u64,
        before: Option<&Self>,
        answers: Map<String, Value>,
    ) -> Self {
        let round = before.map_or(1, |state| state.round.saturating_add(1));
        Self {
            expires: now + limits::REQUEST_STATE_TIME.as_secs(),
            request,
            round,
            answers,
        }
    }

    /// The text for the client.
    pub(crate) fn seal(&self, key: &StateKey) -> Option<String> {
        let payload = serde_json::to_vec(self).ok()?;
        let tag = key.mac(&payload)?.finalize().into_bytes();
        Some(format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(tag)
        ))
    }

    /// Opens what a client brought, for this request and this moment.
    pub(crate) fn open(
        text: &str,
        key: &StateKey,
        request: &str,
        now: u64,
    ) -> Result<Self, StateError> {
        let (payload, tag) = text.split_once('.').ok_or(StateError::Forged)?;
        let payload = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| StateError::Forged)?;
        let tag = URL_SAFE_NO_PAD
            .decode(tag)
            .map_err(|_| StateError::Forged)?;
        key.mac(&payload)
            .ok_or(StateError::Forged)?
            .verify_slice(&tag)
            .map_err(|_| StateError::Forged)?;
        let state: Self = serde_json::from_slice(&payload).map_err(|_| StateError::Forged)?;
        if state.expires < now {
            return Err(StateError::Expired);
        }
        if state.request == request {
            Ok(state)
        } else {
            Err(StateError::OtherRequest)
        }
    }
}

/// The parts that tell one request from another.
pub(crate) struct RequestIdentity {
    pub(crate) method: Cow<'static, str>,
    /// The JSON of what the method acts on: a tool's name, a resource's URI.
    pub(crate) name: String,
    /// The arguments as JSON; none are the same as empty ones.
    pub(crate) arguments: Option<Bytes>,
    /// Who asks, where the endpoint tells callers apart.
    pub(crate) principal: Option<String>,
}

impl RequestIdentity {
    /// The same for every spelling of the same request: a client that comes back may write it anew.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let arguments = self
            .arguments
            .as_deref()
            .filter(|arguments| *arguments != b"null")
            .unwrap_or(b"{}");
        let arguments = String::from_utf8_lossy(arguments);
        for part in [
            &*self.method,
            &*canonical(&self.name),
            &*canonical(&arguments),
            self.principal.as_deref().unwrap_or_default(),
        ] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map(|since| since.as_secs())
        .unwrap_or_default()
}

/// The one spelling of a JSON text. A text that is no JSON stands for itself.
fn canonical(text: &str) -> String {
    serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| canonical_json(&value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::Map;

    use super::{RequestIdentity, SealedState, StateError, StateKey};

    fn sealed(key: &StateKey, request: &str) -> String {
        SealedState::next(request.to_owned(), 1000, None, Map::new())
            .seal(key)
            .unwrap()
    }

    #[test]
    fn a_state_is_good_for_its_request_its_key_and_its_time() {
        let key = StateKey::new([7; 32]);
        let text = sealed(&key, "r");
        assert!(SealedState::open(&text, &key, "r", 1000).is_ok());
        assert!(SealedState::open(&text, &key, "r", 1900).is_ok());
        assert_eq!(
            SealedState::open(&text, &key, "r", 1901),
            Err(StateError::Expired)
        );
        assert_eq!(
            SealedState::open(&text, &key, "other", 1000),
            Err(StateError::OtherRequest)
        );
        assert_eq!(
            SealedState::open(&text, &StateKey::new([8; 32]), "r", 1000),
            Err(StateError::Forged)
        );
        assert_eq!(
            SealedState::open(&format!("{text}-TAMPERED"), &key, "r", 1000),
            Err(StateError::Forged)
        );
        assert!(!format!("{key:?}").contains('7'));
    }

    #[test]
    fn parts_of_a_digest_do_not_run_together() {
        let digest = |method: &str, name: &str| {
            RequestIdentity {
                method: method.to_owned().into(),
                name: name.to_owned(),
                arguments: None,
                principal: None,
            }
            .digest()
        };
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
    }

    proptest! {
        #[test]
        fn no_text_opens_but_what_was_sealed(text in any::<String>()) {
            let key = StateKey::new([7; 32]);
            assert!(SealedState::open(&text, &key, "r", 0).is_err());
        }
    }
}

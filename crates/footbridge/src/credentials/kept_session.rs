//! Sessions between the engine and the file: the one that is kept, and one that is caught on its
//! way, before anybody knows whether it is good.

use std::sync::{Mutex, PoisonError};

use footbridge_connector::{SessionKeeper, SessionTokens};
use secrecy::ExposeSecret as _;

use super::{CredentialKind, CredentialStore, FoundCredential, KeptCredential, now};

/// The session of a connector at an origin, as the file has it.
#[derive(Debug)]
pub(crate) struct FiledSession {
    store: CredentialStore,
    connector: String,
    /// As it was last read or written here.
    known: Mutex<KeptCredential>,
}

impl FiledSession {
    pub(crate) fn new(store: CredentialStore, connector: &str, kept: KeptCredential) -> Self {
        Self {
            store,
            connector: connector.to_owned(),
            known: Mutex::new(kept),
        }
    }

    /// Whether this credential is the one that was last read or written here.
    pub(crate) fn is(&self, other: &KeptCredential) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        is_same(&known, other)
    }

    fn session_kept_for(&self, known: &KeptCredential) -> Option<KeptCredential> {
        match self.store.find(&self.connector, &known.origin) {
            Ok(FoundCredential::Here(kept)) if kept.kind == CredentialKind::Session => Some(kept),
            Ok(_) => None,
            Err(trouble) => {
                tracing::warn!(connector = self.connector, %trouble, "the session that is kept cannot be read");
                None
            }
        }
    }
}

fn is_same(one: &KeptCredential, other: &KeptCredential) -> bool {
    one.origin == other.origin
        && one.kind == other.kind
        && one.token.expose_secret() == other.token.expose_secret()
}

impl SessionKeeper for FiledSession {
    fn tokens(&self) -> Option<SessionTokens> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.session_kept_for(&known)?;
        *known = kept.clone();
        Some(SessionTokens {
            token: kept.token,
            renewal: kept.renewal,
        })
    }

    fn keep(&self, tokens: SessionTokens) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // who logged out or logged in meanwhile has the last word
        if !self
            .session_kept_for(&known)
            .is_some_and(|kept| is_same(&kept, &known))
        {
            return;
        }
        let next = KeptCredential {
            token: tokens.token,
            renewal: tokens.renewal,
            saved_at: now(),
            ..known.clone()
        };
        match self.store.keep(&self.connector, next.clone()) {
            Ok(()) => *known = next,
            Err(trouble) => {
                tracing::warn!(connector = self.connector, %trouble, "the next token of the session could not be kept; it is used until the program ends")
            }
        }
    }
}

/// A session that nobody keeps yet.
#[derive(Debug, Default)]
pub(crate) struct CaughtSession(Mutex<Option<SessionTokens>>);

impl CaughtSession {
    /// One with these tokens to begin with.
    pub(crate) fn of(tokens: SessionTokens) -> Self {
        Self(Mutex::new(Some(tokens)))
    }

    /// What was caught last.
    pub(crate) fn take(&self) -> Option<SessionTokens> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SessionTokens>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionKeeper for CaughtSession {
    fn tokens(&self) -> Option<SessionTokens> {
        self.lock().clone()
    }

    fn keep(&self, tokens: SessionTokens) {
        *self.lock() = Some(tokens);
    }
}

//! The approver at the HTTP door: whoever holds the approver's own secret, or a session that was
//! begun with it. Neither the shared bearer nor the key of the actions makes one, nor that a
//! request comes from this machine.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::http::request::Parts;
use footbridge_mcp::auth::bearer_token;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::settings::DoorSecret;

/// How long a session lasts.
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions at once; a further one takes the place of the oldest.
const MAX_SESSIONS: usize = 100;
/// Random bytes of a session's token.
const TOKEN_BYTES: usize = 32;

/// The rule who may approve.
#[derive(Debug)]
pub(super) struct ApproverRule {
    /// The approver's own secret; none closes the door.
    pub(super) secret: Option<DoorSecret>,
    /// The secrets of others, which make no approver even where they are the same.
    pub(super) others: Vec<DoorSecret>,
    pub(super) sessions: ApproverSessions,
}

/// What an approver showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approver {
    /// The secret itself.
    BySecret,
    /// A session.
    BySession,
}

/// Why somebody is no approver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoApprover {
    /// There is none here.
    Closed,
    /// Nothing was sent, or nothing that is known.
    Unknown,
}

impl ApproverRule {
    /// Who sent a request.
    pub(super) fn admit(&self, head: &Parts) -> Result<Approver, NoApprover> {
        let secret = self.secret.as_ref().ok_or(NoApprover::Closed)?;
        let sent = bearer_token(head).ok_or(NoApprover::Unknown)?;
        if self.is_secret(secret, &sent) {
            Ok(Approver::BySecret)
        } else if self.sessions.knows(&sent) {
            Ok(Approver::BySession)
        } else {
            Err(NoApprover::Unknown)
        }
    }

    /// Whether this is the approver's own secret; none where there is none.
    pub(super) fn takes(&self, sent: &SecretString) -> Option<bool> {
        let secret = self.secret.as_ref()?;
        Some(self.is_secret(secret, sent))
    }

    fn is_secret(&self, secret: &DoorSecret, sent: &SecretString) -> bool {
        let is_of_others = self.others.iter().any(|other| other.is(sent));
        secret.is(sent) && !is_of_others
    }
}

/// Sessions of approvers, in memory: a restart ends them. Whatever else is to make an approver,
/// such as a code that is shown in the terminal and used once, begins one here too.
#[derive(Default)]
pub(super) struct ApproverSessions(Mutex<Vec<ApproverSession>>);

struct ApproverSession {
    /// Of its token.
    digest: [u8; 32],
    until: Instant,
}

impl ApproverSessions {
    /// Begins one and gives its token.
    pub(super) fn begin(&self) -> Result<SecretString, getrandom::Error> {
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random)?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.until > now);
        if sessions.len() >= MAX_SESSIONS {
            sessions.remove(0);
        }
        sessions.push(ApproverSession {
            digest: digest(&token),
            until: now + SESSION_LIFE,
        });
        Ok(SecretString::from(token))
    }

    /// Ends one.
    pub(super) fn end(&self, token: &SecretString) {
        let digest = digest(token.expose_secret());
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.digest != digest);
    }

    /// Whether this is the token of one that lasts.
    pub(super) fn knows(&self, sent: &SecretString) -> bool {
        let (digest, now) = (digest(sent.expose_secret()), Instant::now());
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut living = sessions.iter().filter(|session| session.until > now);
        living.any(|session| session.digest == digest)
    }
}

impl fmt::Debug for ApproverSessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApproverSessions")
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ::http::Request;
    use ::http::request::Parts;
    use secrecy::ExposeSecret as _;

    use super::{Approver, ApproverRule, ApproverSessions, MAX_SESSIONS, NoApprover, SESSION_LIFE};
    use crate::settings::DoorSecret;

    fn head(bearer: &str) -> Parts {
        let request = Request::builder().header("authorization", format!("Bearer {bearer}"));
        request.body(()).unwrap().into_parts().0
    }

    fn rule(secret: Option<&str>) -> ApproverRule {
        ApproverRule {
            secret: secret.map(DoorSecret::fixed),
            others: vec![DoorSecret::fixed("shared")],
            sessions: ApproverSessions::default(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_approver_shows_their_own_secret_or_a_session_for_its_time() {
        let own = rule(Some("own"));
        assert_eq!(own.admit(&head("own")), Ok(Approver::BySecret));
        for other in ["shared", "ow", "owns", ""] {
            assert_eq!(own.admit(&head(other)), Err(NoApprover::Unknown), "{other}");
        }
        let token = own.sessions.begin().unwrap();
        let by_session = head(token.expose_secret());
        assert_eq!(own.admit(&by_session), Ok(Approver::BySession));
        tokio::time::advance(SESSION_LIFE + Duration::from_millis(1)).await;
        assert_eq!(own.admit(&by_session), Err(NoApprover::Unknown));
        assert!(!format!("{own:?}").contains(token.expose_secret()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_have_makes_no_approver() {
        let same = rule(Some("shared"));
        assert_eq!(same.admit(&head("shared")), Err(NoApprover::Unknown));
        assert_eq!(rule(None).admit(&head("own")), Err(NoApprover::Closed));
        let sessions = ApproverSessions::default();
        let first = sessions.begin().unwrap();
        for _ in 0..MAX_SESSIONS {
            sessions.begin().unwrap();
        }
        assert!(!sessions.knows(&first), "the oldest goes");
    }
}

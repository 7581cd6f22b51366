//! Sessions of browsers, in memory: a restart ends them. What stands in the cookie is random and
//! its digest alone is kept here; a session ends when it was idle, when it is old, and when
//! somebody signs out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use footbridge_store::AccountId;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::settings::SessionTimes;

/// Sessions of one owner at once; a further one takes the place of the one that is idle longest.
const MAX_OF_OWNER: usize = 50;
/// The same, of all owners.
const MAX_SESSIONS: usize = 1_000;
/// Random bytes of what stands in the cookie.
const ID_BYTES: usize = 32;

/// The sessions that last.
pub(super) struct BrowserSessions {
    times: SessionTimes,
    by_digest: Mutex<HashMap<[u8; 32], Arc<BrowserSession>>>,
}

/// One of them.
pub(in crate::serve) struct BrowserSession {
    pub(super) rights: SessionRights,
    times: SessionTimes,
    begun: Instant,
    used: Mutex<Instant>,
    is_ended: watch::Sender<bool>,
}

/// What was shown to begin a session, which is asked anew each time whether it still opens.
#[derive(Clone, Default)]
pub(super) struct SessionRights {
    /// The shared bearer as it was then.
    pub(super) bearer: Option<SecretString>,
    /// An account of the board.
    pub(super) account: Option<AccountId>,
    /// The token of an approver's session.
    pub(super) approver: Option<SecretString>,
}

/// Whose sessions are counted together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SessionOwner {
    Account(AccountId),
    Bearer,
    Approver,
}

impl SessionRights {
    fn owner(&self) -> SessionOwner {
        match (self.account, &self.bearer) {
            (Some(account_id), _) => SessionOwner::Account(account_id),
            (None, Some(_)) => SessionOwner::Bearer,
            (None, None) => SessionOwner::Approver,
        }
    }
}

impl BrowserSession {
    /// It is in use: what counts as idle begins anew.
    pub(super) fn use_now(&self) {
        *locked(&self.used) = Instant::now();
    }

    /// When it ends unless something comes by it.
    fn over_at(&self) -> Instant {
        (*locked(&self.used) + self.times.idle).min(self.begun + self.times.whole)
    }

    fn is_over(&self) -> bool {
        *self.is_ended.borrow() || Instant::now() >= self.over_at()
    }

    /// Completes when it is over.
    pub(in crate::serve) async fn ended(&self) {
        let mut end = self.is_ended.subscribe();
        while !self.is_over() {
            tokio::select! {
                _signed_out = end.wait_for(|is_ended| *is_ended) => return,
                () = sleep_until(self.over_at()) => {}
            }
        }
    }
}

impl BrowserSessions {
    /// None yet; each will last so long.
    pub(super) fn new(times: SessionTimes) -> Self {
        Self {
            times,
            by_digest: Mutex::default(),
        }
    }

    pub(super) fn times(&self) -> SessionTimes {
        self.times
    }

    /// Begins one with an id that nobody had before, and gives the id.
    pub(super) fn begin(&self, rights: SessionRights) -> Result<SecretString, getrandom::Error> {
        let mut random = [0; ID_BYTES];
        getrandom::fill(&mut random)?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let owner = rights.owner();
        let session = BrowserSession {
            rights,
            times: self.times,
            begun: now,
            used: Mutex::new(now),
            is_ended: watch::Sender::new(false),
        };
        let mut sessions = locked(&self.by_digest);
        sessions.retain(|_, session| !session.is_over());
        let of_owner = |session: &BrowserSession| session.rights.owner() == owner;
        let sessions_of_owner = sessions.values().filter(|one| of_owner(one)).count();
        if sessions_of_owner >= MAX_OF_OWNER {
            end_most_idle(&mut sessions, of_owner);
        } else if sessions.len() >= MAX_SESSIONS {
            end_most_idle(&mut sessions, |_| true);
        }
        sessions.insert(digest(&id), Arc::new(session));
        Ok(SecretString::from(id))
    }

    /// The session of an id. Looking for one does not use it.
    pub(super) fn find(&self, id: &SecretString) -> Option<Arc<BrowserSession>> {
        let session = locked(&self.by_digest)
            .get(&digest(id.expose_secret()))
            .cloned()?;
        (!session.is_over()).then_some(session)
    }

    /// Ends one, and the streams that came by it.
    pub(super) fn end(&self, ended: &Arc<BrowserSession>) {
        ended.is_ended.send_replace(true);
        locked(&self.by_digest).retain(|_, session| !Arc::ptr_eq(session, ended));
    }
}

fn end_most_idle(
    sessions: &mut HashMap<[u8; 32], Arc<BrowserSession>>,
    is_meant: impl Fn(&BrowserSession) -> bool,
) {
    let meant = sessions.iter().filter(|(_, session)| is_meant(session));
    let most_idle = meant.min_by_key(|(_, session)| *locked(&session.used));
    if let Some(key) = most_idle.map(|(key, _)| *key)
        && let Some(session) = sessions.remove(&key)
    {
        session.is_ended.send_replace(true);
    }
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for BrowserSessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BrowserSessions")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::{ExposeSecret as _, SecretString};

    use super::{BrowserSessions, MAX_OF_OWNER, SessionRights};
    use crate::settings::SessionTimes;

    const TIMES: SessionTimes = SessionTimes {
        idle: Duration::from_secs(12 * 60 * 60),
        whole: Duration::from_secs(7 * 24 * 60 * 60),
    };

    fn rights() -> SessionRights {
        SessionRights {
            bearer: Some(SecretString::from("shared")),
            ..SessionRights::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let sessions = BrowserSessions::new(TIMES);
        let idle = sessions.begin(rights()).unwrap();
        assert_eq!(idle.expose_secret().len(), 64);
        tokio::time::advance(TIMES.idle).await;
        assert!(sessions.find(&idle).is_none());
        let used = sessions.begin(rights()).unwrap();
        let mut passed = Duration::ZERO;
        let step = TIMES.idle - Duration::from_secs(1);
        while passed + step < TIMES.whole {
            tokio::time::advance(step).await;
            passed += step;
            sessions.find(&used).expect("it is in use").use_now();
        }
        tokio::time::advance(step).await;
        assert!(sessions.find(&used).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_the_end_is_told_of_every_kind() {
        let sessions = BrowserSessions::new(TIMES);
        let id = sessions.begin(rights()).unwrap();
        let session = sessions.find(&id).unwrap();
        let waiting = tokio::spawn({
            let session = session.clone();
            async move { session.ended().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        sessions.end(&session);
        waiting.await.unwrap();
        assert!(sessions.find(&id).is_none(), "signed out");
        let id = sessions.begin(rights()).unwrap();
        sessions.find(&id).unwrap().ended().await;
        assert!(sessions.find(&id).is_none(), "its time is over");
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_idle_of_too_many_of_an_owner_makes_room() {
        let sessions = BrowserSessions::new(TIMES);
        let approver = sessions.begin(SessionRights::default()).unwrap();
        let ids: Vec<_> = (0..MAX_OF_OWNER)
            .map(|_| sessions.begin(rights()).unwrap())
            .collect();
        tokio::time::advance(Duration::from_secs(1)).await;
        sessions.find(&ids[0]).unwrap().use_now();
        tokio::time::advance(Duration::from_secs(1)).await;
        sessions.begin(rights()).unwrap();
        let left = ids.iter().filter(|id| sessions.find(id).is_some()).count();
        assert_eq!(left, MAX_OF_OWNER - 1);
        assert!(sessions.find(&ids[0]).is_some(), "it was used");
        assert!(sessions.find(&approver).is_some(), "it is of another");
        assert!(sessions.find(&SecretString::from("0".repeat(64))).is_none());
    }
}

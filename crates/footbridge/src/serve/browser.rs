//! The browser at the doors: who a cookie stands for. The pages, the signing in and out, and the
//! endpoint of accounts are in the folder; no secret is in a cookie.

mod accounts;
mod origin;
mod page;
mod sessions;
mod sign_in;

use std::fmt;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderValue, header};
use footbridge_mcp::auth::cookie;
use footbridge_mcp::http::TrustedProxies;
use footbridge_store::{AccountId, SecretPace, Store};
use secrecy::SecretString;

use super::approver::ApproverRule;
use super::forwarded::is_forwarded;
use crate::audit_trail::AuditTrail;
use crate::change_store::ChangeStore;
use crate::settings::{DoorSecret, SessionTimes};
pub(super) use accounts::{AccountsMcp, McpOfBrowser};
pub(super) use origin::OwnAddresses;
pub(super) use origin::SEC_FETCH_SITE;
pub(super) use page::{changes, has_page, work};
pub(super) use sessions::BrowserSession;
use sessions::{BrowserSessions, SessionRights};
pub(super) use sign_in::routes;

/// To whom the pages are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageReach {
    /// To everybody who reaches them.
    Everybody,
    /// To this machine: nobody said that there is a proxy.
    ThisMachine,
}

impl PageReach {
    /// As far as `page` says it, which beats the rest; none where there are no pages.
    pub(super) fn decide(page: Option<bool>, is_beyond: bool, has_token: bool) -> Option<Self> {
        match (page, is_beyond, has_token) {
            (Some(false), ..) | (None, true, false) => None,
            (Some(true), ..) | (None, _, true) => Some(Self::Everybody),
            (None, false, false) => Some(Self::ThisMachine),
        }
    }
}

/// The rule who a browser is.
pub(super) struct BrowserRule {
    pub(super) reach: PageReach,
    pub(super) addresses: OwnAddresses,
    /// The shared bearer.
    pub(super) token: Option<DoorSecret>,
    pub(super) approver: Arc<ApproverRule>,
    pub(super) proxies: TrustedProxies,
    pub(super) trail: AuditTrail,
    /// Where codes are looked for.
    pub(super) changes: ChangeStore,
    /// The accounts of the local board.
    pub(super) accounts: Option<Store>,
    pub(super) doors: SessionDoor,
}

/// The sessions, and the pace at which they may be tried to begin.
pub(super) struct SessionDoor {
    sessions: BrowserSessions,
    pace: SecretPace,
}

impl SessionDoor {
    pub(super) fn new(pace: SecretPace, times: SessionTimes) -> Self {
        Self {
            sessions: BrowserSessions::new(times),
            pace,
        }
    }
}

impl BrowserRule {
    /// The session by whose cookie a request comes; none for one that brings a bearer, or no cookie
    /// of ours.
    ///
    /// # Errors
    /// A sentence, where it did not come from our own page.
    pub(super) fn session(&self, head: &Parts) -> Result<Option<Arc<BrowserSession>>, String> {
        // a proxy's own password is none of ours
        let mut credentials = head.headers.get_all(header::AUTHORIZATION).iter();
        if credentials.any(is_bearer) {
            return Ok(None);
        }
        let Some(session) = self.session_of(head) else {
            return Ok(None);
        };
        self.addresses.check(head)?;
        session.use_now();
        Ok(Some(session))
    }

    /// The same, wherever the request came from.
    fn session_of(&self, head: &Parts) -> Option<Arc<BrowserSession>> {
        if !head.headers.contains_key(header::COOKIE) {
            return None;
        }
        let mut cookies = self.addresses.cookies(head);
        cookies.find_map(|place| self.doors.sessions.find(&cookie(head, &place.name)?))
    }

    /// Whether the pages, and the signing in, are there for a request.
    pub(super) fn is_open_to(&self, head: &Parts) -> bool {
        self.reach == PageReach::Everybody || !is_forwarded(&head.headers)
    }

    /// Whether a session opens what the shared bearer opens: it does as long as that is the same.
    pub(super) fn passes(&self, session: &BrowserSession) -> bool {
        let (token, shown) = (self.token.as_ref(), session.rights.bearer.as_ref());
        token
            .zip(shown)
            .is_some_and(|(token, shown)| token.is(shown))
    }

    /// Whether a session is an approver's.
    pub(super) fn is_approver(&self, session: &BrowserSession) -> bool {
        let token = session.rights.approver.as_ref();
        token.is_some_and(|token| self.approver.sessions.knows(token))
    }

    /// The account that a session is of.
    pub(super) fn account(&self, session: &BrowserSession) -> Option<AccountId> {
        session.rights.account
    }

    /// Begins a session in the place of the one before, whose id is good no more.
    fn begin(
        &self,
        rights: SessionRights,
        before: Option<&Arc<BrowserSession>>,
    ) -> Result<SecretString, getrandom::Error> {
        let id = self.doors.sessions.begin(rights)?;
        if let Some(before) = before {
            self.doors.sessions.end(before);
        }
        Ok(id)
    }

    /// Ends a session, and what hangs on it.
    fn end(&self, session: &Arc<BrowserSession>) {
        if let Some(token) = &session.rights.approver {
            self.approver.sessions.end(token);
        }
        self.doors.sessions.end(session);
    }
}

/// Whether a credential is meant to be a bearer.
fn is_bearer(credential: &HeaderValue) -> bool {
    let scheme = credential.as_bytes().split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

impl fmt::Debug for BrowserRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reach = &self.reach;
        formatter
            .debug_struct("BrowserRule")
            .field("reach", reach)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::PageReach;

    #[test]
    fn beyond_this_machine_pages_need_the_bearer_or_the_operators_word() {
        use PageReach::{Everybody, ThisMachine};
        for (page, is_beyond, has_token, reach) in [
            (None, false, false, Some(ThisMachine)),
            (None, false, true, Some(Everybody)),
            (None, true, true, Some(Everybody)),
            (None, true, false, None),
            (Some(true), true, false, Some(Everybody)),
            (Some(true), false, false, Some(Everybody)),
            (Some(false), false, true, None),
            (Some(false), true, true, None),
        ] {
            let decided = PageReach::decide(page, is_beyond, has_token);
            assert_eq!(decided, reach, "{page:?} {is_beyond} {has_token}");
        }
    }
}

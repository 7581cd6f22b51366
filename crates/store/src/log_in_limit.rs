//! The limit on how fast passwords, and other secrets that open a door, may be tried, by account and
//! address. Knows no hashes, and the limit itself reads no clock: the time comes with each question.
//!
//! A few tries are free. After them, an account whose right password has been seen since the start
//! takes one try in [`REFUSED_PACE`] and refuses the rest; one whose right password has not been
//! seen yet lets tries queue for a while, so that its owner gets through a crowd. What looks like
//! the right password passes both: twelve bits of its keyed digest are kept, which sort out 4,095
//! of 4,096 guesses and would tell a thief of this memory next to nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::StoreError;

/// Tries at one account from one address that nothing slows down.
const FREE_TRIES: u32 = 5;
/// Tries from one address, at whatever accounts, that nothing slows down.
const FREE_TRIES_OF_AN_ADDRESS: u32 = 100;
/// The time between two tries that queue.
const QUEUED_PACE: Duration = Duration::from_millis(250);
/// The longest time that a try waits in the queue; one that would wait longer is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Tries after which nothing queues any more.
const QUEUED_TRIES: u32 = 500;
/// The time between two tries where the others are refused.
const REFUSED_PACE: Duration = Duration::from_secs(10);
/// The same for one address, whatever the accounts.
const REFUSED_PACE_OF_AN_ADDRESS: Duration = Duration::from_secs(1);
/// Tries are forgotten when none came for this long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);
/// Most accounts with their addresses that are remembered, and most accounts whose right password
/// was seen.
const REMEMBERED: usize = 4096;

/// A name in the tables: a keyed digest, so that names of any length take the same room and nobody
/// can aim at a place.
type NameDigest = [u8; 16];

pub(crate) struct LogInLimit {
    key: [u8; 32],
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    tries: HashMap<NameDigest, Tries>,
    /// What the right password of an account looks like.
    looks: HashMap<NameDigest, u16>,
}

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    last: Instant,
    /// When the next try may be.
    next: Instant,
}

/// Somebody tries to log in.
pub(crate) struct Try<'a> {
    pub(crate) email: &'a str,
    pub(crate) password: &'a SecretString,
    /// None where everybody comes by the same one.
    pub(crate) address: Option<IpAddr>,
    /// Whether there is an account that can be logged in to.
    pub(crate) exists: bool,
}

/// The pace at which other secrets than the passwords of accounts may be tried: the same one, where
/// the name of a secret takes the place of an account.
pub struct SecretPace(LogInLimit);

impl SecretPace {
    /// Nobody has tried anything yet.
    ///
    /// # Errors
    /// [`StoreError`] when the system gives no random bytes.
    pub fn new() -> Result<SecretPace, StoreError> {
        LogInLimit::new().map(SecretPace)
    }

    /// Waits for the turn of a try, then compares. `name` is the secret's, `from` where the try
    /// comes from, if that tells it from others.
    ///
    /// # Errors
    /// The time until one is looked at again, after too many that were wrong; this one was not.
    pub async fn compare(
        &self,
        name: &str,
        sent: &SecretString,
        from: Option<IpAddr>,
        is_right: impl FnOnce(&SecretString) -> bool,
    ) -> Result<bool, Duration> {
        let tried = Try {
            email: name,
            password: sent,
            address: from,
            exists: true,
        };
        let lane = match self.0.admit(&tried, Instant::now()) {
            Admission::At(time, lane) => {
                tokio::time::sleep_until(time.into()).await;
                lane
            }
            Admission::NotFor(wait) => {
                return Err(Duration::from_secs(wait.as_secs().saturating_add(1)));
            }
        };
        let is_right = is_right(sent);
        if is_right {
            self.0.was_right(&tried, lane);
        }
        Ok(is_right)
    }
}

impl std::fmt::Debug for SecretPace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretPace")
    }
}

/// Which lane the comparison of a password takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// For everybody.
    Open,
    /// For passwords that look like the one that was right before, so that no crowd holds them up.
    Familiar,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The password is compared at this time, which may be now.
    At(Instant, Lane),
    /// Too many were tried: not before this time has passed.
    NotFor(Duration),
}

impl LogInLimit {
    pub(crate) fn new() -> Result<LogInLimit, StoreError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| StoreError::Failed(format!("no random bytes: {error}").into()))?;
        Ok(LogInLimit {
            key,
            tables: Mutex::default(),
        })
    }

    /// Whether and when a try may be made. It counts as a wrong one until it turns out right.
    pub(crate) fn admit(&self, tried: &Try<'_>, now: Instant) -> Admission {
        let account = self.account(tried.email);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let look = tables.looks.get(&account).copied();
        if look.is_some_and(|look| look == self.look(tried)) {
            return Admission::At(now, Lane::Familiar);
        }
        // A name that nobody has behaves like one of either kind, so that the kind tells little
        // about it.
        let may_queue = if tried.exists {
            look.is_none()
        } else {
            account.first().is_some_and(|byte| byte & 1 == 0)
        };
        let mut pair = tables.tries_of(self.pair(tried), now);
        let mut whole = tried
            .address
            .map(|address| (self.address(address), FREE_TRIES_OF_AN_ADDRESS));
        let mut of_address = whole.map(|(name, _)| tables.tries_of(name, now));
        if let (Some((_, free)), Some(tries)) = (&mut whole, &mut of_address)
            && let Err(wait) = tries.refusing(*free, REFUSED_PACE_OF_AN_ADDRESS, now)
        {
            return Admission::NotFor(wait);
        }
        let admitted = match may_queue && pair.count < QUEUED_TRIES {
            true => pair.queueing(now),
            false => pair.refusing(FREE_TRIES, REFUSED_PACE, now),
        };
        match admitted {
            Ok(at) => {
                tables.remember(self.pair(tried), pair, now);
                if let (Some((name, _)), Some(tries)) = (whole, of_address) {
                    tables.remember(name, tries, now);
                }
                Admission::At(at, Lane::Open)
            }
            Err(wait) => Admission::NotFor(wait),
        }
    }

    /// The password was right.
    pub(crate) fn was_right(&self, tried: &Try<'_>, lane: Lane) {
        let (account, look) = (self.account(tried.email), self.look(tried));
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.looks.len() < REMEMBERED || tables.looks.contains_key(&account) {
            tables.looks.insert(account, look);
        }
        if lane == Lane::Familiar {
            return;
        }
        let names = [
            Some(self.pair(tried)),
            tried.address.map(|address| self.address(address)),
        ];
        for name in names.into_iter().flatten() {
            if let Some(tries) = tables.tries.get_mut(&name) {
                tries.count = tries.count.saturating_sub(1);
            }
        }
    }

    fn account(&self, email: &str) -> NameDigest {
        self.name(&[b"account", email.to_lowercase().as_bytes()])
    }

    fn pair(&self, tried: &Try<'_>) -> NameDigest {
        let address = tried
            .address
            .map(|address| address.to_string())
            .unwrap_or_default();
        self.name(&[
            b"pair",
            tried.email.to_lowercase().as_bytes(),
            address.as_bytes(),
        ])
    }

    fn address(&self, address: IpAddr) -> NameDigest {
        self.name(&[b"address", address.to_string().as_bytes()])
    }

    fn look(&self, tried: &Try<'_>) -> u16 {
        let email = tried.email.to_lowercase();
        let [high, low, ..] = self.name(&[
            b"look",
            email.as_bytes(),
            tried.password.expose_secret().as_bytes(),
        ]);
        u16::from_be_bytes([high, low]) >> 4
    }

    fn name(&self, parts: &[&[u8]]) -> NameDigest {
        let mut digest = Sha256::new();
        digest.update(self.key);
        for part in parts {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(part);
        }
        let mut name = NameDigest::default();
        for (to, from) in name.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        name
    }
}

impl Tables {
    fn tries_of(&self, name: NameDigest, now: Instant) -> Tries {
        let known = self
            .tries
            .get(&name)
            .filter(|tries| !tries.is_forgotten(now))
            .copied();
        known.unwrap_or(Tries {
            count: 0,
            last: now,
            next: now,
        })
    }

    /// Makes room by forgetting what is old, else whoever tried least.
    fn remember(&mut self, name: NameDigest, tries: Tries, now: Instant) {
        if self.tries.len() >= REMEMBERED && !self.tries.contains_key(&name) {
            self.tries.retain(|_, known| !known.is_forgotten(now));
            if self.tries.len() >= REMEMBERED
                && let Some(least) = self
                    .tries
                    .iter()
                    .min_by_key(|(_, known)| (known.count, known.last))
                    .map(|(name, _)| *name)
            {
                self.tries.remove(&least);
            }
        }
        self.tries.insert(name, tries);
    }
}

impl Tries {
    fn is_forgotten(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= FORGOTTEN_AFTER
    }

    fn count(&mut self, at: Instant, pace: Duration, now: Instant) -> Instant {
        *self = Tries {
            count: self.count.saturating_add(1),
            last: now,
            next: at + pace,
        };
        at
    }

    /// One try in a while; the others are told how long that is.
    fn refusing(&mut self, free: u32, pace: Duration, now: Instant) -> Result<Instant, Duration> {
        match self
            .next
            .checked_duration_since(now)
            .filter(|wait| self.count >= free && !wait.is_zero())
        {
            Some(wait) => Err(wait),
            None => Ok(self.count(
                now,
                if self.count.saturating_add(1) < free {
                    Duration::ZERO
                } else {
                    pace
                },
                now,
            )),
        }
    }

    /// One after the other.
    fn queueing(&mut self, now: Instant) -> Result<Instant, Duration> {
        if self.count < FREE_TRIES {
            return Ok(self.count(now, Duration::ZERO, now));
        }
        let at = self.next.max(now);
        match at.saturating_duration_since(now) {
            wait if wait > LONGEST_WAIT => Err(wait),
            _ => Ok(self.count(at, QUEUED_PACE, now)),
        }
    }
}

#[cfg(test)]
mod tests;

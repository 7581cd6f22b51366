//! Password hashes (argon2id), computed off the async threads and only a few at a time. No accounts.

use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::StoreError;

/// How many characters a password may have.
pub const PASSWORD_CHARACTERS: RangeInclusive<usize> = 8..=256;

/// How many hashes are computed at the same time: each takes 19 MiB and a processor.
const AT_THE_SAME_TIME: usize = 2;

/// How many more may wait for their turn; one more is turned away.
const WAITING: usize = 16;

/// Too many logins at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

pub(crate) struct PasswordGate {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl PasswordGate {
    pub(crate) fn new() -> PasswordGate {
        PasswordGate {
            running: Arc::new(Semaphore::new(AT_THE_SAME_TIME)),
            admitted: Arc::new(Semaphore::new(AT_THE_SAME_TIME + WAITING)),
        }
    }

    /// Hashes a new password; none when its length is refused.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<Option<String>, StoreError> {
        if !PASSWORD_CHARACTERS.contains(&password.expose_secret().chars().count()) {
            return Ok(None);
        }
        let hashed = tokio::task::spawn_blocking(move || hash_now(&password)).await;
        match hashed {
            Ok(Some(hash)) => Ok(Some(hash)),
            Ok(None) | Err(_) => Err(StoreError::Failed("the password could not be hashed".into())),
        }
    }

    /// Compares a password with a hash. Without a hash the same work is done for nothing, so that the time does not tell
    /// whether the account exists.
    pub(crate) async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, TooMany> {
        let _admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| TooMany)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| TooMany)?;
        let compared = tokio::task::spawn_blocking(move || {
            let _running = running;
            verify_now(&password, hash.as_deref())
        });
        Ok(compared.await.unwrap_or(false))
    }
}

fn hash_now(password: &SecretString) -> Option<String> {
    Argon2::default().hash_password(password.expose_secret().as_bytes()).ok().map(|hash| hash.to_string())
}

fn verify_now(password: &SecretString, hash: Option<&str>) -> bool {
    static NOBODY: OnceLock<Option<String>> = OnceLock::new();
    let known = hash.is_some();
    let Some(hash) = hash.or_else(|| NOBODY.get_or_init(|| hash_now(&SecretString::from("nobody has this password"))).as_deref())
    else {
        return false;
    };
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let matches = Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed).is_ok();
    matches && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let gate = PasswordGate::new();
        let hash = gate.hash(SecretString::from("correct horse")).await.unwrap().unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert_eq!(gate.verify(SecretString::from("correct horse"), Some(hash.clone())).await, Ok(true));
        assert_eq!(gate.verify(SecretString::from("correct house"), Some(hash)).await, Ok(false));
        assert_eq!(gate.verify(SecretString::from("nobody has this password"), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_password_has_eight_to_256_characters() {
        let gate = PasswordGate::new();
        for (length, accepted) in [(7, false), (8, true), (256, true), (257, false)] {
            let hashed = gate.hash(SecretString::from("x".repeat(length))).await.unwrap();
            assert_eq!(hashed.is_some(), accepted, "{length}");
        }
    }

    #[tokio::test]
    async fn the_nineteenth_login_at_once_is_turned_away() {
        let gate = PasswordGate::new();
        let held = gate.running.acquire_many(2).await.unwrap();
        let logins: Vec<_> =
            (0..AT_THE_SAME_TIME + WAITING).map(|_| Arc::clone(&gate.admitted).try_acquire_owned().unwrap()).collect();
        assert_eq!(gate.verify(SecretString::from("12345678"), None).await, Err(TooMany));
        drop((held, logins));
        assert_eq!(gate.verify(SecretString::from("12345678"), None).await, Ok(false));
    }
}

//! The system's keyring, where this build has one: items by their names, each waited for no longer
//! than somebody is ready to, and in words why one cannot be had.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::terminal;

/// A person may have to unlock it in a window first.
const PATIENCE_OF_A_PERSON: Duration = Duration::from_secs(90);
/// A client waits for an answer.
const PATIENCE_OF_A_CLIENT: Duration = Duration::from_secs(10);

/// Why the keyring did not do it.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "keyring"),
    expect(dead_code, reason = "a build without keyrings has one reason alone")
)]
pub(crate) enum KeyringTrouble {
    #[cfg(not(feature = "keyring"))]
    NotInThisBuild,
    Absent(String),
    Locked,
    /// Nobody answered, such as at a window that asks for its password.
    Silent,
    /// Somebody took the item out.
    NoItem,
    Refused(String),
}

impl fmt::Display for KeyringTrouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(not(feature = "keyring"))]
            Self::NotInThisBuild => write!(out, "this build of footbridge does not use one"),
            Self::Absent(why) => write!(out, "there is none to be reached here ({why})"),
            Self::Locked => write!(out, "it is locked, and nobody unlocked it"),
            Self::Silent => write!(out, "it did not answer in time; it may wait to be unlocked"),
            Self::NoItem => write!(out, "it has no such item any more"),
            Self::Refused(why) => write!(out, "it says: {why}"),
        }
    }
}

/// Whether this build can use one.
pub(crate) const HAS_KEYRING: bool = cfg!(feature = "keyring");

/// A new name for an item of a connector. No two are the same, so that an item is whole from its
/// first moment to its last.
pub(super) fn new_name(connector: &str, origin: &str) -> Result<String, KeyringTrouble> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| KeyringTrouble::Refused(error.to_string()))?;
    let random = u64::from_le_bytes(random);
    Ok(format!("{connector} at {origin}, {random:016x}"))
}

fn patience() -> Duration {
    match terminal::is_interactive() {
        true => PATIENCE_OF_A_PERSON,
        false => PATIENCE_OF_A_CLIENT,
    }
}

/// Keeps a secret under a name.
///
/// # Errors
/// When it could not be kept.
pub(super) fn put(name: &str, secret: &SecretString) -> Result<(), KeyringTrouble> {
    used::put(name, secret, patience())
}

/// The secret under a name.
///
/// # Errors
/// When there is none, or it cannot be had.
pub(super) fn get(name: &str) -> Result<SecretString, KeyringTrouble> {
    used::get(name, patience())
}

/// Takes a secret out; one that is not there need not be.
///
/// # Errors
/// When it is still there, or nobody knows.
pub(super) fn remove(name: &str) -> Result<(), KeyringTrouble> {
    match used::remove(name, patience()) {
        Err(KeyringTrouble::NoItem) => Ok(()),
        done => done,
    }
}

#[cfg(not(feature = "keyring"))]
mod used {
    use std::time::Duration;

    use secrecy::SecretString;

    use super::KeyringTrouble;

    pub(super) fn put(_: &str, _: &SecretString, _: Duration) -> Result<(), KeyringTrouble> {
        Err(KeyringTrouble::NotInThisBuild)
    }

    pub(super) fn get(_: &str, _: Duration) -> Result<SecretString, KeyringTrouble> {
        Err(KeyringTrouble::NotInThisBuild)
    }

    pub(super) fn remove(_: &str, _: Duration) -> Result<(), KeyringTrouble> {
        Err(KeyringTrouble::NotInThisBuild)
    }
}

/// By the crates of `keyring-core`. What they do may wait for a window, on a bus, for as long as it
/// likes: it is done by a thread that nobody waits for longer than there is patience.
#[cfg(feature = "keyring")]
mod used {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use keyring_core::api::CredentialStoreApi as _;
    use keyring_core::{Entry, Error};
    use secrecy::{ExposeSecret as _, SecretString};

    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;
    #[cfg(windows)]
    use windows_native_keyring_store::Store;
    #[cfg(all(unix, not(target_os = "macos")))]
    use zbus_secret_service_keyring_store::Store;

    use super::KeyringTrouble;

    /// Whose items they are, as keyrings show it to people.
    const SERVICE: &str = "footbridge";
    /// Characters of the words of a keyring.
    const MAX_WORDS: usize = 200;

    pub(super) fn put(
        name: &str,
        secret: &SecretString,
        patience: Duration,
    ) -> Result<(), KeyringTrouble> {
        let secret = secret.clone();
        within(patience, name, move |entry| {
            entry.set_secret(secret.expose_secret().as_bytes())
        })
    }

    pub(super) fn get(name: &str, patience: Duration) -> Result<SecretString, KeyringTrouble> {
        within(patience, name, |entry| {
            entry.get_password().map(SecretString::from)
        })
    }

    pub(super) fn remove(name: &str, patience: Duration) -> Result<(), KeyringTrouble> {
        within(patience, name, Entry::delete_credential)
    }

    fn within<T: Send + 'static>(
        patience: Duration,
        name: &str,
        work: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeyringTrouble> {
        let (sender, receiver) = channel();
        let name = name.to_owned();
        let thread = std::thread::Builder::new().name("keyring".to_owned());
        let started = thread.spawn(move || {
            let done = Store::new()
                .map_err(|error| KeyringTrouble::Absent(words(&error)))
                .and_then(|store| {
                    let entry = store.build(SERVICE, &name, None);
                    entry.and_then(|entry| work(&entry)).map_err(trouble)
                });
            // nobody may wait any more
            let _told = sender.send(done);
        });
        started.map_err(|error| KeyringTrouble::Refused(error.to_string()))?;
        receiver
            .recv_timeout(patience)
            .unwrap_or(Err(KeyringTrouble::Silent))
    }

    fn trouble(error: Error) -> KeyringTrouble {
        match &error {
            Error::NoEntry => KeyringTrouble::NoItem,
            Error::NoStorageAccess(_) => KeyringTrouble::Locked,
            other => KeyringTrouble::Refused(words(other)),
        }
    }

    /// What a keyring says: one line, and never the bytes that it could not read.
    fn words(error: &Error) -> String {
        let said = error.to_string();
        let harmless = said.chars().map(|c| if c.is_control() { ' ' } else { c });
        harmless.take(MAX_WORDS).collect()
    }
}

//! Credentials that `login` keeps: one file for each connector, for its owner alone, replaced as a
//! whole, and the secrets in it or in the system's keyring. A credential belongs to the origin that
//! it was made for; knows no backend.

mod kept_file;
mod kept_session;
mod keyring;
mod of_reference;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use footbridge_connector::FileStamp;
use secrecy::SecretString;
use url::Url;

use crate::client_file::{FileLock, write_text};
use crate::exit::Trouble;
use crate::small_file;
use kept_file::KeptFile;
pub(crate) use kept_session::{CaughtSession, FiledSession};
pub(crate) use keyring::{HAS_KEYRING, KeyringTrouble};
pub(crate) use of_reference::{REFERENCE_CONNECTOR, ReferenceLogin};

/// Bytes of a file of credentials.
const MAX_BYTES: u64 = 256 << 10;

/// A credential as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct KeptCredential {
    /// Scheme, host and port of the backend that gave it or took it.
    pub(crate) origin: String,
    pub(crate) kind: CredentialKind,
    pub(crate) token: SecretString,
    /// What renews a session, as the backend said it: JSON.
    pub(crate) renewal: SecretString,
    /// Whose it is, in the backend's words.
    pub(crate) who: Option<String>,
    /// Seconds since 1970.
    pub(crate) saved_at: i64,
    /// The item of the system's keyring that holds token and renewal; none where the file does.
    pub(crate) keyring: Option<String>,
}

/// Where the secrets of a credential are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SecretPlace {
    // no comments for `--help`: with them it would say each option at length
    Keyring,
    File,
}

/// What is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Forgotten {
    /// The origins that it was for.
    pub(crate) origins: Vec<String>,
    /// The items that are still in the keyring, and why.
    pub(crate) left: Vec<(String, KeyringTrouble)>,
}

/// The use of a kept token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    /// It stands in the place of a setting, as somebody pasted it.
    Token,
    /// A login gave it, or the backend may hand out the next one in its place.
    Session,
}

impl CredentialKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
        }
    }
}

/// What is kept for a connector, as seen from one origin.
#[derive(Debug)]
pub(crate) enum FoundCredential {
    Nothing,
    Here(KeptCredential),
    /// Only for these other origins.
    Elsewhere(Vec<String>),
}

/// Where credentials are kept.
#[derive(Debug, Clone)]
pub(crate) struct CredentialStore {
    /// None where the user has no home.
    folder: Option<PathBuf>,
}

impl CredentialStore {
    /// The store in a folder of the user's data, which need not be there.
    pub(crate) fn beside(data_directory: Option<PathBuf>) -> Self {
        Self {
            folder: data_directory.map(|directory| directory.join("credentials")),
        }
    }

    /// What is kept for a connector.
    ///
    /// # Errors
    /// When its file cannot be read, or the keyring that has its secrets.
    pub(crate) fn find(&self, connector: &str, origin: &str) -> Result<FoundCredential, Trouble> {
        let mut tried = None;
        loop {
            let kept = self.read(connector)?.credentials;
            let Some(here) = kept.iter().find(|kept| kept.origin == origin) else {
                return Ok(elsewhere(kept));
            };
            let Some(name) = &here.keyring else {
                return Ok(FoundCredential::Here(here.clone()));
            };
            match keyring::get(name) {
                Ok(item) => {
                    return kept_file::with_item(here.clone(), &item)
                        .map(FoundCredential::Here)
                        .ok_or_else(|| {
                            let why = "the item does not hold what login writes";
                            unreachable_secret(connector, here, why)
                        });
                }
                // a session that went on meanwhile has an item of another name
                Err(KeyringTrouble::NoItem) if tried.as_ref() != Some(name) => {
                    tried = Some(name.clone());
                }
                Err(why) => return Err(unreachable_secret(connector, here, why)),
            }
        }
    }
    /// Keeps it in the place of one for the same origin, its secrets where that one has them; in
    /// the file, where there is none.
    ///
    /// # Errors
    /// When it cannot be written; what was kept before is kept still.
    pub(crate) fn keep(&self, connector: &str, credential: KeptCredential) -> Result<(), Trouble> {
        let place = match credential.keyring {
            Some(_) => SecretPlace::Keyring,
            None => SecretPlace::File,
        };
        self.keep_in(place, connector, credential)?
            .map_err(|why| Trouble::failed(format!("the system's keyring cannot be used: {why}")))
    }

    /// Keeps it in the place of one for the same origin, its secrets in this place. The inner
    /// result says whether the keyring took them.
    ///
    /// # Errors
    /// As [`CredentialStore::keep`].
    pub(crate) fn keep_in(
        &self,
        place: SecretPlace,
        connector: &str,
        mut credential: KeptCredential,
    ) -> Result<Result<(), KeyringTrouble>, Trouble> {
        credential.keyring = None;
        if place == SecretPlace::Keyring {
            // an item of its own, so that the earlier one stays until the file names this one
            let kept = keyring::new_name(connector, &credential.origin).and_then(|name| {
                keyring::put(&name, &kept_file::item_of(&credential))?;
                Ok(name)
            });
            match kept {
                Ok(name) => credential.keyring = Some(name),
                Err(why) => return Ok(Err(why)),
            }
        }
        let new = credential.keyring.clone();
        let mut replaced = Vec::new();
        let written = self.change(connector, |file| {
            let origin = credential.origin.as_str();
            let of_origin = file
                .credentials
                .extract_if(.., |kept| kept.origin == origin);
            replaced.extend(of_origin.filter_map(|kept| kept.keyring));
            file.credentials.push(credential);
            true
        });
        if written.is_err() {
            replaced = new.into_iter().collect();
        }
        for (name, why) in take_out(replaced) {
            tracing::warn!(
                "the item {name:?} is not needed any more and stays in the system's keyring: {why}"
            );
        }
        written.map(|_| Ok(()))
    }

    /// Forgets everything that is kept for a connector.
    ///
    /// # Errors
    /// As [`CredentialStore::keep`].
    pub(crate) fn forget(&self, connector: &str) -> Result<Forgotten, Trouble> {
        let mut forgotten = Forgotten::default();
        let mut items = Vec::new();
        // one that is not there need not be made
        let has_reference = connector == REFERENCE_CONNECTOR && ReferenceLogin::is_there();
        if self.stamp(connector).is_some() || has_reference {
            self.change(connector, |file| {
                for kept in std::mem::take(&mut file.credentials) {
                    items.extend(kept.keyring);
                    forgotten.origins.push(kept.origin);
                }
                // nor is the reference's taken over after that
                let has_looked = file.has_read_reference;
                file.has_read_reference |= has_reference;
                !forgotten.origins.is_empty() || has_looked != file.has_read_reference
            })?;
        }
        forgotten.left = take_out(items);
        Ok(forgotten)
    }

    /// Whether the file of the reference was read before.
    pub(crate) fn has_read_reference(&self, connector: &str) -> Result<bool, Trouble> {
        Ok(self.read(connector)?.has_read_reference)
    }

    /// Notes that the file of the reference was read.
    pub(crate) fn note_reference(&self, connector: &str) -> Result<(), Trouble> {
        self.change(connector, |file| {
            !std::mem::replace(&mut file.has_read_reference, true)
        })
        .map(|_| ())
    }

    /// The marks of a connector's file, which a change of it changes; none where there is none.
    pub(crate) fn stamp(&self, connector: &str) -> Option<FileStamp> {
        FileStamp::of(&self.path(connector)?)
    }

    /// Where a connector's credentials are, or would be.
    pub(crate) fn path(&self, connector: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.join(format!("{connector}.json")))
    }

    fn read(&self, connector: &str) -> Result<KeptFile, Trouble> {
        let Some(path) = self.path(connector) else {
            return Ok(KeptFile::default());
        };
        let text = match small_file::read(&path, MAX_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(KeptFile::default()),
            // a home that is a file, or has no such folder
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                return Ok(KeptFile::default());
            }
            read => read.map_err(|error| unreadable(&path, connector, error))?,
        };
        KeptFile::parse(&text)
            .ok_or_else(|| unreadable(&path, connector, "it does not hold what login writes"))
    }

    /// Reads, changes and replaces a connector's file, while nobody else does so. `change` says
    /// whether there is anything to write.
    fn change(
        &self,
        connector: &str,
        change: impl FnOnce(&mut KeptFile) -> bool,
    ) -> Result<bool, Trouble> {
        let path = self.path(connector).ok_or_else(|| {
            Trouble::failed("there is no home directory to keep a login in: set HOME")
        })?;
        let failed = |error: std::io::Error| {
            Trouble::failed(format!(
                "the credentials cannot be written to {}: {error}",
                path.display()
            ))
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        make_folder(folder).map_err(failed)?;
        let _lock = FileLock::of(&path).map_err(failed)?;
        // what is broken is not needed any more: who logs in has a new one
        let mut file = self.read(connector).unwrap_or_default();
        if !change(&mut file) {
            return Ok(false);
        }
        write_text(&path, &file.text()).map_err(failed)?;
        Ok(true)
    }
}

fn elsewhere(kept: Vec<KeptCredential>) -> FoundCredential {
    match kept.is_empty() {
        true => FoundCredential::Nothing,
        false => FoundCredential::Elsewhere(kept.into_iter().map(|kept| kept.origin).collect()),
    }
}

/// Takes items out of the keyring. Gives those that are still in it, and why.
fn take_out(items: Vec<String>) -> Vec<(String, KeyringTrouble)> {
    let left = |name: String| keyring::remove(&name).err().map(|why| (name, why));
    items.into_iter().filter_map(left).collect()
}

fn unreachable_secret(
    connector: &str,
    kept: &KeptCredential,
    why: impl std::fmt::Display,
) -> Trouble {
    Trouble::configuration(format!(
        "{connector}: the login for {} is in the system's keyring, and {why}; unlock it, or keep the login anew: \
         footbridge login {connector}",
        kept.origin
    ))
}

fn unreadable(path: &Path, connector: &str, why: impl std::fmt::Display) -> Trouble {
    Trouble::configuration(format!(
        "the credentials in {} cannot be read: {why}; footbridge login {connector} writes them anew",
        path.display()
    ))
}

/// Makes the folder for its owner alone, and closes it to others where it is open to them.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

        builder.mode(0o700);
        builder.create(folder)?;
        let mode = std::fs::metadata(folder)?.permissions().mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    builder.create(folder)
}

/// Scheme, host and port of an address, as a credential is kept for.
pub(crate) fn origin_of(address: &str) -> String {
    Url::parse(address).map_or_else(
        |_| address.to_owned(),
        |url| url.origin().ascii_serialization(),
    )
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[cfg(test)]
mod tests;

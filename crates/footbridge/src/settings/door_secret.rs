//! A secret that opens a door of ours, as it is now: one from a file follows the file while the
//! program runs.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use footbridge_connector::FileStamp;
use footbridge_mcp::auth::same_secret;
use secrecy::SecretString;

use crate::exit::Trouble;

/// Shared by everything that stands at a door. Shows nothing of the secret.
#[derive(Clone)]
pub(crate) struct DoorSecret(Arc<FollowedSecret>);

/// The secret, and the file that it follows when it comes from one.
struct FollowedSecret {
    current: Mutex<CurrentSecret>,
    file: Option<SecretFile>,
}

/// The secret in force.
struct CurrentSecret {
    secret: SecretString,
    /// What its file looked like before it was read.
    stamp: Option<FileStamp>,
}

/// The file from which a secret is read again.
struct SecretFile {
    path: PathBuf,
    read: fn() -> Result<Option<SecretString>, Trouble>,
}

impl DoorSecret {
    /// What `read` gives; it is asked again when the file at `path` changes. None when it gives
    /// none.
    pub(super) fn read(
        read: fn() -> Result<Option<SecretString>, Trouble>,
        path: Option<PathBuf>,
    ) -> Result<Option<Self>, Trouble> {
        let stamp = path.as_deref().and_then(FileStamp::of);
        let Some(secret) = read()? else {
            return Ok(None);
        };
        let file = path.map(|path| SecretFile { path, read });
        Ok(Some(Self(Arc::new(FollowedSecret {
            current: Mutex::new(CurrentSecret { secret, stamp }),
            file,
        }))))
    }

    /// A secret that does not change.
    #[cfg(test)]
    pub(crate) fn fixed(secret: &str) -> Self {
        let current = CurrentSecret {
            secret: SecretString::from(secret),
            stamp: None,
        };
        Self(Arc::new(FollowedSecret {
            current: Mutex::new(current),
            file: None,
        }))
    }

    /// Whether it was given, compared in constant time.
    pub(crate) fn is(&self, sent: &SecretString) -> bool {
        self.with_current(|current| same_secret(sent, current))
    }

    /// The secret in force.
    pub(crate) fn current(&self) -> SecretString {
        self.with_current(SecretString::clone)
    }

    /// What cannot be used as a secret leaves the one before in force.
    fn with_current<T>(&self, look: impl FnOnce(&SecretString) -> T) -> T {
        let mut current = self
            .0
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.0.file {
            let stamp = FileStamp::of(&file.path);
            if stamp.is_some() && stamp != current.stamp {
                current.stamp = stamp;
                match (file.read)() {
                    Ok(Some(secret)) => current.secret = secret,
                    Ok(None) => {}
                    Err(trouble) => {
                        tracing::warn!(%trouble, "a secret's file changed and cannot be used; the one before stays")
                    }
                }
            }
        }
        look(&current.secret)
    }
}

impl fmt::Debug for DoorSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DoorSecret")
    }
}

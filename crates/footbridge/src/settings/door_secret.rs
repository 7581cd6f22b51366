//! A secret that opens a door of ours, as it is now: one from a file follows the file while the program runs.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use footbridge_connector::FileStamp;
use footbridge_mcp::auth::same_secret;
use secrecy::SecretString;

use crate::exit::Trouble;

/// Shared by everything that stands at a door. Shows nothing of the secret.
#[derive(Clone)]
pub(crate) struct DoorSecret(Arc<Kept>);

struct Kept {
    /// The secret and, for one from a file, what the file looked like before it was read.
    now: Mutex<(SecretString, Option<FileStamp>)>,
    file: Option<SecretFile>,
}

/// Where a secret is read again.
struct SecretFile {
    path: PathBuf,
    read: fn() -> Result<Option<SecretString>, Trouble>,
}

impl DoorSecret {
    /// What `read` gives; it is asked again when the file at `path` changes. None when it gives none.
    pub(super) fn read(
        read: fn() -> Result<Option<SecretString>, Trouble>,
        path: Option<PathBuf>,
    ) -> Result<Option<Self>, Trouble> {
        let stamp = path.as_deref().and_then(FileStamp::of);
        let Some(secret) = read()? else { return Ok(None) };
        let file = path.map(|path| SecretFile { path, read });
        Ok(Some(Self(Arc::new(Kept { now: Mutex::new((secret, stamp)), file }))))
    }

    /// A secret that does not change.
    #[cfg(test)]
    pub(crate) fn fixed(secret: &str) -> Self {
        Self(Arc::new(Kept { now: Mutex::new((SecretString::from(secret), None)), file: None }))
    }

    /// Whether it was given, compared in constant time. What cannot be used as a secret leaves the one before in force.
    pub(crate) fn is(&self, given: &SecretString) -> bool {
        let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.0.file {
            let stamp = FileStamp::of(&file.path);
            if stamp.is_some() && stamp != now.1 {
                now.1 = stamp;
                match (file.read)() {
                    Ok(Some(secret)) => now.0 = secret,
                    Ok(None) => {}
                    Err(trouble) => tracing::warn!(%trouble, "a secret's file changed and cannot be used; the one before stays"),
                }
            }
        }
        same_secret(given, &now.0)
    }
}

impl fmt::Debug for DoorSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DoorSecret")
    }
}

//! The login that the reference `prodmcp` keeps in `~/.prodmcp`: read, never written.

use std::path::PathBuf;

use secrecy::SecretString;
use serde_json::Value;

use crate::small_file;

/// The connector that goes to the reference's backend.
pub(crate) const REFERENCE_CONNECTOR: &str = "prodmcp";

/// Where its token goes: the file names no origin, and this is the only one that it may be for
/// without anybody having said so.
const ORIGIN: &str = "https://deploysition.cloud";
const MAX_BYTES: u64 = 64 << 10;

/// The login of the reference.
#[derive(Debug)]
pub(crate) struct ReferenceLogin {
    pub(crate) token: SecretString,
    pub(crate) who: Option<String>,
}

impl ReferenceLogin {
    /// As people write it.
    pub(crate) const SHOWN: &str = "~/.prodmcp/credentials.json";
    /// The origin that the token may go to.
    pub(crate) const ORIGIN: &str = ORIGIN;

    /// The login; none when there is none that can be read.
    pub(crate) fn read() -> Option<Self> {
        let text = small_file::read(&path()?, MAX_BYTES).ok()?;
        let written: Value = serde_json::from_str(&text).ok()?;
        let text = |key: &str| written.get(key)?.as_str().filter(|text| !text.is_empty());
        Some(Self {
            token: SecretString::from(text("token")?),
            who: text("email").or_else(|| text("user_id")).map(str::to_owned),
        })
    }

    pub(crate) fn is_there() -> bool {
        path().is_some_and(|path| path.exists())
    }
}

fn path() -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| home.is_absolute())?;
    Some(home.join(".prodmcp").join("credentials.json"))
}

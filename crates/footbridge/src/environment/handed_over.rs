//! The secrets that the program hands itself when it starts again: through a pipe, so that its
//! environment, which others may look at, has none.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::OnceLock;

use secrecy::{ExposeSecret as _, SecretString};

use crate::exit::Trouble;

/// The variable that names the end of the pipe; not for anybody else to set.
const VARIABLE: &str = "FOOTBRIDGE_HANDED_OVER";
/// Bytes that fit into a pipe on every system, before anybody reads.
const MAX_BYTES: usize = 16 << 10;
/// The last of the descriptors that somebody else reads.
const STANDARD: u32 = 2;

/// The secrets that were handed over, by name.
static SECRETS: OnceLock<BTreeMap<String, SecretString>> = OnceLock::new();

/// A pipe that is full and has an end only.
pub(crate) struct Pipe(OwnedFd);

impl Pipe {
    /// The secrets on their way; none where they do not fit, or where there is no such way.
    pub(crate) fn of<'s>(
        secrets: impl Iterator<Item = (&'s str, &'s SecretString)>,
    ) -> Option<Self> {
        let mut text = String::new();
        for (name, secret) in secrets {
            for part in [name, secret.expose_secret()] {
                text.push_str(part);
                text.push('\0');
            }
        }
        if text.len() > MAX_BYTES {
            return None;
        }
        let (reader, writer) = rustix::pipe::pipe().ok()?;
        File::from(writer).write_all(text.as_bytes()).ok()?;
        // it must be found by its number later
        File::open(path(reader.as_raw_fd())).ok()?;
        Some(Self(reader))
    }

    /// The variable that tells the program about it.
    pub(crate) fn variable(&self) -> (&'static str, String) {
        (VARIABLE, self.0.as_raw_fd().to_string())
    }
}

fn path(descriptor: impl std::fmt::Display) -> String {
    format!("/dev/fd/{descriptor}")
}

/// Reads what was handed over, before anything asks for it. Nobody finds it in the pipe afterwards.
pub(crate) fn take_over() -> Result<(), Trouble> {
    let Some(descriptor) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(());
    };
    let wrong = || {
        Trouble::usage(format!(
            "{VARIABLE} is set by the program itself, when it starts again: unset it"
        ))
    };
    let descriptor: u32 = descriptor
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|number| *number > STANDARD)
        .ok_or_else(wrong)?;
    let mut text = String::new();
    let pipe = File::open(path(descriptor)).map_err(|_| wrong())?;
    pipe.take(MAX_BYTES as u64)
        .read_to_string(&mut text)
        .map_err(|_| wrong())?;
    let mut parts = text.split_terminator('\0');
    let mut secrets = BTreeMap::new();
    while let (Some(name), Some(secret)) = (parts.next(), parts.next()) {
        secrets.insert(name.to_owned(), SecretString::from(secret));
    }
    // only the first is kept, and there is no second
    let _is_first = SECRETS.set(secrets).is_ok();
    Ok(())
}

/// A secret by the name of the variable that it came from.
pub(super) fn secret(name: &str) -> Option<&'static SecretString> {
    SECRETS.get()?.get(name)
}

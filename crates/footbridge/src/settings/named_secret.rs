//! A secret from a variable, or from the file that another variable names. It may open anything.

use std::path::{Path, PathBuf};

use footbridge_connector::is_placeholder;
use secrecy::SecretString;

use super::variable;
use crate::exit::Trouble;
use crate::small_file;

/// Largest secret, in bytes; a header that is longer is refused by servers on the way.
pub(super) const MAX_BYTES: u64 = 4096;

/// The file that `NAME_FILE` names.
pub(super) fn file(name: &str) -> Result<Option<PathBuf>, Trouble> {
    Ok(variable(&format!("{name}_FILE"))?.map(PathBuf::from))
}

/// The secret in the variable `name`, or in the file that `NAME_FILE` names, without the line break
/// at its end. Setting both is refused.
pub(super) fn read(name: &str) -> Result<Option<SecretString>, Trouble> {
    let file_name = format!("{name}_FILE");
    match (variable(name)?, variable(&file_name)?) {
        (Some(_), Some(_)) => Err(Trouble::usage(format!(
            "{name} and {file_name} are both set: set one of them"
        ))),
        (Some(secret), None) => usable(&secret, name).map(Some),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let text = small_file::read(Path::new(&path), MAX_BYTES).map_err(|error| {
                Trouble::usage(format!(
                    "{file_name} names {path}, which cannot be read: {error}"
                ))
            })?;
            let secret = text.trim_end_matches(['\r', '\n']);
            if secret.is_empty() {
                return Err(Trouble::usage(format!(
                    "{path}, the file of {file_name}, is empty: write the secret into it"
                )));
            }
            usable(secret, &file_name).map(Some)
        }
    }
}

/// A secret that a header can carry, and that somebody put in. No sentence shows it.
fn usable(secret: &str, holder: &str) -> Result<SecretString, Trouble> {
    if is_placeholder(secret) {
        return Err(Trouble::usage(format!(
            "{holder} holds a placeholder, such as ${{NAME}} or <your-token>, which nothing was put in the place of: set the secret itself"
        )));
    }
    if !secret
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ')
    {
        return Err(Trouble::usage(format!(
            "{holder} holds a line break or a character that is not ASCII, which no header can carry: set it again, on one line"
        )));
    }
    Ok(SecretString::from(secret))
}

//! The key of the actions: from the environment or a file. Whether a request sends it is decided elsewhere.

use std::path::Path;

use secrecy::SecretString;

use super::{small_file, variable};
use crate::exit::Trouble;

const VARIABLE: &str = "ACTION_PROXY_API_KEY";
const FILE_VARIABLE: &str = "ACTION_PROXY_API_KEY_FILE";

/// Largest key, in bytes.
const MAX_BYTES: u64 = 4096;

/// The key from `ACTION_PROXY_API_KEY` or the file that `ACTION_PROXY_API_KEY_FILE` names; none closes the actions.
pub(crate) fn action_key() -> Result<Option<SecretString>, Trouble> {
    match (variable(VARIABLE)?, variable(FILE_VARIABLE)?) {
        (Some(_), Some(_)) => Err(Trouble::usage(format!("{VARIABLE} and {FILE_VARIABLE} are both set: set one of them"))),
        (Some(key), None) => Ok(Some(SecretString::from(key))),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let text = small_file::read(Path::new(&path), MAX_BYTES)
                .map_err(|error| Trouble::usage(format!("{FILE_VARIABLE} names {path}, which cannot be read: {error}")))?;
            let key = text.trim_end_matches(['\r', '\n']);
            if key.is_empty() {
                return Err(Trouble::usage(format!("{path}, the file of {FILE_VARIABLE}, is empty: write the key into it")));
            }
            Ok(Some(SecretString::from(key)))
        }
    }
}

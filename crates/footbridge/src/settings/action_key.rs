//! The secrets that are only passed on or compared: the key of the actions, and the bearer of a
//! server that is probed.

use secrecy::SecretString;

use super::{DoorSecret, named_secret};
use crate::exit::Trouble;

const ACTION_KEY: &str = "ACTION_PROXY_API_KEY";

/// The key of the actions, from `ACTION_PROXY_API_KEY` or the file that `ACTION_PROXY_API_KEY_FILE`
/// names; none closes the actions.
pub(crate) fn action_key() -> Result<Option<SecretString>, Trouble> {
    named_secret::read(ACTION_KEY)
}

/// The same at the door that it opens, where it follows its file.
pub(super) fn door_key() -> Result<Option<DoorSecret>, Trouble> {
    DoorSecret::read(action_key, named_secret::file(ACTION_KEY)?)
}

/// The bearer that a probed server wants, from `MCP_TOKEN` or the file that `MCP_TOKEN_FILE` names.
/// Never the bearer of our own door: the address that is probed may be anybody's.
pub(crate) fn probe_bearer() -> Result<Option<SecretString>, Trouble> {
    named_secret::read("MCP_TOKEN")
}

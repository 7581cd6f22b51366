//! The approver's own secret: from the environment or a file, and none that others have.

use footbridge_mcp::auth::same_secret;
use secrecy::{ExposeSecret as _, SecretString};

use super::DoorSecret;
use super::named_secret::{self, MAX_BYTES};
use crate::exit::Trouble;

const VARIABLE: &str = "FOOTBRIDGE_APPROVER_TOKEN";
/// Characters that it has at least: whoever holds it decides what agents may change.
const MIN_CHARACTERS: usize = 20;
/// Secrets that clients and programs have.
const OF_OTHERS: [&str; 2] = ["FOOTBRIDGE_TOKEN", "ACTION_PROXY_API_KEY"];

/// The secret from `FOOTBRIDGE_APPROVER_TOKEN`, or from the file that
/// `FOOTBRIDGE_APPROVER_TOKEN_FILE` names, which it follows.
pub(super) fn approver_token() -> Result<Option<DoorSecret>, Trouble> {
    DoorSecret::read(read, named_secret::file(VARIABLE)?)
}

fn read() -> Result<Option<SecretString>, Trouble> {
    let Some(token) = named_secret::read(VARIABLE)? else {
        return Ok(None);
    };
    for other in OF_OTHERS {
        if named_secret::read(other)?.is_some_and(|secret| same_secret(&token, &secret)) {
            return Err(Trouble::usage(format!(
                "{VARIABLE} is the same as {other}, which clients have: choose another secret for approvers"
            )));
        }
    }
    checked(token.expose_secret()).map(Some)
}

fn checked(token: &str) -> Result<SecretString, Trouble> {
    let length = token.len();
    if length < MIN_CHARACTERS || length as u64 > MAX_BYTES {
        return Err(Trouble::usage(format!(
            "{VARIABLE} has {length} characters: choose one of {MIN_CHARACTERS} to {MAX_BYTES}, such as openssl rand -hex 24 gives"
        )));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Trouble::usage(format!(
            "{VARIABLE} holds a space or a character that is not ASCII, which no client can send as a bearer: choose another secret"
        )));
    }
    Ok(SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MIN_CHARACTERS, checked};

    #[test]
    fn a_secret_is_long_enough_and_can_be_sent() {
        assert!(checked(&"a".repeat(MIN_CHARACTERS)).is_ok());
        let too_long = "a".repeat(usize::try_from(MAX_BYTES).unwrap() + 1);
        for refused in [
            "",
            "planted",
            "planted planted planted",
            "plantedplantedplantedé",
            &too_long,
        ] {
            let error = checked(refused).unwrap_err().to_string();
            assert!(
                error.starts_with("FOOTBRIDGE_APPROVER_TOKEN h") && !error.contains("plant"),
                "{error}"
            );
        }
    }
}

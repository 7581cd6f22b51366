//! The shared bearer of the HTTP door: from the environment or a file. No request is looked at
//! here.

use secrecy::{ExposeSecret as _, SecretString};

use super::DoorSecret;
use super::named_secret::{self, MAX_BYTES};
use crate::exit::Trouble;

const VARIABLE: &str = "FOOTBRIDGE_TOKEN";

/// The token from `FOOTBRIDGE_TOKEN`, or from the file that `FOOTBRIDGE_TOKEN_FILE` names, which it
/// follows.
pub(super) fn shared_bearer() -> Result<Option<DoorSecret>, Trouble> {
    DoorSecret::read(read, named_secret::file(VARIABLE)?)
}

fn read() -> Result<Option<SecretString>, Trouble> {
    let Some(token) = named_secret::read(VARIABLE)? else {
        return Ok(None);
    };
    checked(token.expose_secret(), VARIABLE).map(Some)
}

/// A token that no client could send would shut everybody out.
fn checked(token: &str, holder: &str) -> Result<SecretString, Trouble> {
    if token.is_empty() {
        return Err(Trouble::usage(format!(
            "{holder} is empty: write the token into it"
        )));
    }
    if token.len() as u64 > MAX_BYTES {
        return Err(Trouble::usage(format!(
            "{holder} holds more than {MAX_BYTES} bytes: choose a shorter token"
        )));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Trouble::usage(format!(
            "{holder} holds a space, a line break or a character that is not ASCII, which no client can send as a bearer: choose another token"
        )));
    }
    Ok(SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, checked};

    #[test]
    fn a_token_is_what_a_client_can_send() {
        let longest = "x".repeat(usize::try_from(MAX_BYTES).unwrap());
        assert!(
            ["s3cret", "a-b._~+/=", &longest]
                .iter()
                .all(|token| checked(token, "T").is_ok())
        );
        for refused in [
            "",
            " ",
            "plan ted",
            "planted\n",
            "plantéd",
            &format!("{longest}x"),
        ] {
            let error = checked(refused, "FOOTBRIDGE_TOKEN")
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("FOOTBRIDGE_TOKEN ") && !error.contains("plant"),
                "{error}"
            );
        }
    }
}

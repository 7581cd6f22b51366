//! The shared bearer of the HTTP door: from the environment or a file. Whether a request sends it is decided elsewhere.

use std::path::Path;

use secrecy::SecretString;

use super::{small_file, variable};
use crate::exit::Trouble;

const VARIABLE: &str = "FOOTBRIDGE_TOKEN";
const FILE_VARIABLE: &str = "FOOTBRIDGE_TOKEN_FILE";

/// Largest token, in bytes; a header that is longer is refused by servers on the way.
const MAX_BYTES: u64 = 4096;

/// The token from `FOOTBRIDGE_TOKEN` or the file that `FOOTBRIDGE_TOKEN_FILE` names.
pub(crate) fn shared_bearer() -> Result<Option<SecretString>, Trouble> {
    match (variable(VARIABLE)?, variable(FILE_VARIABLE)?) {
        (Some(_), Some(_)) => Err(Trouble::usage(format!("{VARIABLE} and {FILE_VARIABLE} are both set: set one of them"))),
        (Some(token), None) => checked(&token, VARIABLE).map(Some),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let text = small_file::read(Path::new(&path), MAX_BYTES)
                .map_err(|error| Trouble::usage(format!("{FILE_VARIABLE} names {path}, which cannot be read: {error}")))?;
            checked(text.trim_end_matches(['\r', '\n']), &format!("{path}, the file of {FILE_VARIABLE},")).map(Some)
        }
    }
}

/// A token that no client could send would shut everybody out.
fn checked(token: &str, holder: &str) -> Result<SecretString, Trouble> {
    if token.is_empty() {
        return Err(Trouble::usage(format!("{holder} is empty: write the token into it")));
    }
    if token.len() as u64 > MAX_BYTES {
        return Err(Trouble::usage(format!("{holder} holds more than {MAX_BYTES} bytes: choose a shorter token")));
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
        assert!(["s3cret", "a-b._~+/=", &longest].iter().all(|token| checked(token, "T").is_ok()));
        for refused in ["", " ", "plan ted", "planted\n", "plantéd", &format!("{longest}x")] {
            let error = checked(refused, "FOOTBRIDGE_TOKEN").unwrap_err().to_string();
            assert!(error.starts_with("FOOTBRIDGE_TOKEN ") && !error.contains("plant"), "{error}");
        }
    }
}

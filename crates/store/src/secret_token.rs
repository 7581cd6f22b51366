//! Random bearer tokens and their digests. A token leaves here once; what stays is its SHA-256
//! digest.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::StoreError;

/// The prefix of a personal access token.
pub(crate) const PERSONAL: &str = "pat_";
/// The prefix of a login's token.
pub(crate) const SESSION: &str = "ses_";

/// The prefix of a lease's token.
pub(crate) const LEASE: &str = "lea_";

/// The prefix of a code that signs a browser in.
pub(crate) const CODE: &str = "cod_";

/// A longer bearer token is none of ours.
pub(crate) const LONGEST_TOKEN: usize = 128;

const RANDOM_BYTES: usize = 32;
/// Of a token that lasts for hours and that a model reads.
const SHORT_BYTES: usize = 15;
const SHOWN_CHARACTERS: usize = 12;

/// A new token with 256 bits of chance.
pub(crate) fn generate(prefix: &str) -> Result<SecretString, StoreError> {
    generate_of([0_u8; RANDOM_BYTES], prefix)
}

/// A new token with 120 bits of chance.
pub(crate) fn generate_short(prefix: &str) -> Result<SecretString, StoreError> {
    generate_of([0_u8; SHORT_BYTES], prefix)
}

fn generate_of<const BYTES: usize>(
    mut random: [u8; BYTES],
    prefix: &str,
) -> Result<SecretString, StoreError> {
    getrandom::fill(&mut random)
        .map_err(|error| StoreError::Failed(format!("no random bytes: {error}").into()))?;
    Ok(SecretString::from(format!(
        "{prefix}{}",
        URL_SAFE_NO_PAD.encode(random)
    )))
}

/// What is stored of a token: the SHA-256 digest in Base64.
pub(crate) fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// The first characters, by which its owner knows a token again.
pub(crate) fn shown_prefix(token: &SecretString) -> String {
    token
        .expose_secret()
        .chars()
        .take(SHOWN_CHARACTERS)
        .collect()
}

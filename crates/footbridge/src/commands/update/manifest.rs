//! The manifest of a release: its version and its files, signed as a whole.

use std::collections::BTreeMap;
use std::env::consts::{ARCH, OS};
use std::io::Read as _;

use flate2::read::GzDecoder;
use minisign_verify::{PublicKey, Signature};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::exit::Trouble;

/// Most bytes of a program that comes out of a packed one.
const MAX_PROGRAM_BYTES: u64 = 256 << 20;
/// What the manifest must call itself: a key may sign more than one thing.
const NAME: &str = "footbridge";

/// A release, as its manifest says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseManifest {
    name: String,
    pub(super) version: String,
    /// The packed programs, by the machine that each is for, such as `x86_64-linux`.
    files: BTreeMap<String, ReleaseFile>,
}

/// A packed program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseFile {
    /// Its name beside the manifest.
    pub(super) name: String,
    pub(super) bytes: u64,
    sha256: String,
}

impl ReleaseManifest {
    /// The manifest, if whoever has the key signed this very text. The error goes behind its
    /// address.
    pub(super) fn verified(text: &[u8], signature: &[u8], key: &str) -> Result<Self, String> {
        let key = PublicKey::from_base64(key.trim()).map_err(|error| {
            format!("cannot be verified: the key of this build is none of minisign ({error})")
        })?;
        let signature = std::str::from_utf8(signature)
            .ok()
            .and_then(|signature| Signature::decode(signature).ok())
            .ok_or("cannot be verified: what is beside it is no signature of minisign")?;
        key.verify(text, &signature, false).map_err(|error| {
            format!(
                "was not signed by whoever made this program ({error}): nothing was changed; if \
                 this goes on, tell them"
            )
        })?;
        let manifest: Self = serde_json::from_slice(text)
            .map_err(|error| format!("is signed, and is no manifest: {error}"))?;
        if manifest.name != NAME {
            return Err(format!(
                "is signed, and is that of {:?}: nothing was changed",
                manifest.name
            ));
        }
        Ok(manifest)
    }

    /// Whether it is newer than a program of that version.
    pub(super) fn is_newer_than(&self, version: &str) -> Result<bool, Trouble> {
        let released = numbers(&self.version)
            .filter(|_| !self.version.contains('-'))
            .ok_or_else(|| {
                Trouble::failed(format!(
                    "the newest release calls itself {:?}, which is no version such as 1.2.3",
                    self.version
                ))
            })?;
        let current = numbers(version).unwrap_or_default();
        // 1.2.3 is newer than what came before it as 1.2.3-rc.1
        Ok(released > current || (released == current && version.contains('-')))
    }

    /// The program for a machine like this one.
    pub(super) fn file_of_this_machine(&self) -> Result<&ReleaseFile, Trouble> {
        let machine = format!("{ARCH}-{OS}");
        self.files.get(&machine).ok_or_else(|| {
            let machines: Vec<&str> = self.files.keys().map(String::as_str).collect();
            Trouble::failed(format!(
                "{} has no program for {machine}; it has some for {}",
                self.version,
                machines.join(", ")
            ))
        })
    }
}

impl ReleaseFile {
    /// The program in it, if it is the file that was signed for. The error goes behind its name.
    pub(super) fn unpacked(&self, packed: &[u8]) -> Result<Vec<u8>, String> {
        if packed.len() as u64 != self.bytes {
            return Err(format!(
                "came with {} of {} bytes: nothing was changed, so try again",
                packed.len(),
                self.bytes
            ));
        }
        let digest: String = Sha256::digest(packed)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if !digest.eq_ignore_ascii_case(&self.sha256) {
            return Err(
                "is not the file that was signed for (its checksum differs): nothing was changed"
                    .to_owned(),
            );
        }
        let mut program = Vec::new();
        GzDecoder::new(packed)
            .take(MAX_PROGRAM_BYTES + 1)
            .read_to_end(&mut program)
            .map_err(|error| format!("cannot be unpacked: {error}"))?;
        if program.len() as u64 > MAX_PROGRAM_BYTES {
            return Err(format!("unpacks to more than {MAX_PROGRAM_BYTES} bytes"));
        }
        Ok(program)
    }
}

/// The three numbers of a version.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let version = version.split(['-', '+']).next()?;
    let parts: Vec<u64> = version
        .split('.')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ReleaseManifest, numbers};

    #[test]
    fn only_what_is_newer_is_newer() {
        let is_newer = |released: &str, own: &str| {
            let manifest = ReleaseManifest {
                name: String::new(),
                version: released.to_owned(),
                files: BTreeMap::new(),
            };
            manifest.is_newer_than(own).ok()
        };
        for (released, own, wanted) in [
            ("0.10.0", "0.9.9", Some(true)),
            ("0.9.9", "0.10.0", Some(false)),
            ("1.0.0", "1.0.0", Some(false)),
            ("1.0.0", "1.0.0-rc.1", Some(true)),
            ("1.0.0-rc.1", "0.9.0", None),
            ("1.0", "0.9.0", None),
            ("", "0.9.0", None),
        ] {
            assert_eq!(is_newer(released, own), wanted, "{released} {own}");
        }
        assert_eq!(numbers("1.2.3+build"), Some([1, 2, 3]));
    }
}

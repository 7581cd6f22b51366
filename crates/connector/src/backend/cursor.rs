//! The cursor of a list: where the next page starts, bound to the arguments it belongs to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::failure::CallError;

/// Bytes of the digest that a cursor carries.
const DIGEST_BYTES: usize = 8;
/// Characters that a cursor may have.
const MAX_CURSOR: usize = 4_096;
/// First byte of every cursor: the form it has.
const FORM: u8 = 1;

/// What a cursor is bound to: a tool and those of its arguments that decide which rows there are,
/// and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound([u8; DIGEST_BYTES]);

impl Bound {
    /// `parts` in an order that does not depend on how they were passed.
    pub(super) fn to<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut digest = [0; DIGEST_BYTES];
        digest
            .iter_mut()
            .zip(hash.finalize())
            .for_each(|(to, from)| *to = from);
        Self(digest)
    }

    /// The cursor for the page after the row `after`; none when it would be longer than one may be.
    pub(super) fn seal(self, after: &str) -> Option<String> {
        let mut bytes = vec![FORM];
        bytes.extend_from_slice(&self.0);
        bytes.extend_from_slice(after.as_bytes());
        Some(URL_SAFE_NO_PAD.encode(bytes)).filter(|cursor| cursor.len() <= MAX_CURSOR)
    }

    /// The row that a cursor names.
    pub(super) fn open(self, cursor: &str) -> Result<String, CallError> {
        let unreadable = || {
            CallError::caller(
                "`cursor` is not one of ours: pass the `next_cursor` of the page before, unchanged.",
            )
        };
        if cursor.len() > MAX_CURSOR {
            return Err(unreadable());
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| unreadable())?;
        let Some((&FORM, rest)) = bytes.split_first() else {
            return Err(unreadable());
        };
        let Some((digest, after)) = rest.split_at_checked(DIGEST_BYTES) else {
            return Err(unreadable());
        };
        let after = std::str::from_utf8(after)
            .ok()
            .filter(|after| !after.is_empty())
            .ok_or_else(unreadable)?;
        if digest != self.0 {
            return Err(CallError::caller(
                "`cursor` belongs to a list with other arguments: pass the same filter, sort and q as before, or leave the cursor out to start again.",
            ));
        }
        Ok(after.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, MAX_CURSOR};
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_cursor_opens_for_its_own_arguments_only(after in ".{1,80}", a in any::<String>(), b in any::<String>()) {
            let bound = Bound::to([a.as_str(), b.as_str()]);
            let cursor = bound.seal(&after).unwrap();
            prop_assert_eq!(bound.open(&cursor).unwrap(), after);
            let joined = format!("{a}{b}x");
            prop_assert!(Bound::to([joined.as_str(), ""]).open(&cursor).is_err());
        }
        #[test]
        fn any_text_is_refused_or_opened(text in any::<String>()) {
            prop_assert!(Bound::to(["a"]).open(&text).is_err());
        }
    }

    #[test]
    fn a_cursor_has_a_length() {
        let bound = Bound::to(["a"]);
        // three bytes are four characters, and nine bytes are ours
        let most = MAX_CURSOR / 4 * 3 - 9;
        let longest = bound.seal(&"x".repeat(most)).unwrap();
        assert_eq!(
            (longest.len(), bound.open(&longest).unwrap().len()),
            (MAX_CURSOR, most)
        );
        assert!(bound.seal(&"x".repeat(most + 1)).is_none());
        assert!(bound.open(&format!("{longest}x")).is_err());
        assert!(bound.open("").is_err());
    }
}

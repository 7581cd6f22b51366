//! The cursor of a list: a position in it, bound to the arguments it belongs to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::position::Position;
use crate::failure::BackendError;

/// Bytes of the digest that a cursor carries.
const DIGEST_BYTES: usize = 8;
/// Characters that a cursor may have.
const MAX_CURSOR: usize = 4_096;
/// First byte of a cursor that holds only where a page starts.
const PLAIN: u8 = 2;
/// First byte of a cursor that holds every part of a position.
const FULL: u8 = 3;

/// What a cursor is bound to: a tool and those of its arguments that decide which rows there are,
/// and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backend) struct CursorBinding([u8; DIGEST_BYTES]);

impl CursorBinding {
    /// `parts` in an order that does not depend on how they were passed.
    pub(in crate::backend) fn to<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
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

    /// The cursor for a position; none when it would be longer than one may be.
    pub(super) fn seal(self, at: &Position) -> Option<String> {
        let (form, text) = if at.is_plain() && !at.start.is_empty() {
            (PLAIN, at.start.as_str().into())
        } else {
            (FULL, std::borrow::Cow::Owned(at.text()))
        };
        let mut bytes = vec![form];
        bytes.extend_from_slice(&self.0);
        bytes.extend_from_slice(text.as_bytes());
        Some(URL_SAFE_NO_PAD.encode(bytes)).filter(|cursor| cursor.len() <= MAX_CURSOR)
    }

    /// The position that a cursor names.
    pub(super) fn open(self, cursor: &str) -> Result<Position, BackendError> {
        let (digest, position) = unsealed(cursor).ok_or_else(unreadable)?;
        if digest != self.0 {
            return Err(BackendError::caller(
                "`cursor` belongs to a list with other arguments: pass the same filter, sort and q as before, or leave the cursor out to start again.",
            ));
        }
        Ok(position)
    }
}

/// The error for a cursor that nobody here made.
pub(super) fn unreadable() -> BackendError {
    BackendError::caller(
        "`cursor` is not one of ours: pass the `next_cursor` of the page before, unchanged.",
    )
}

/// The digest and the position of a cursor.
fn unsealed(cursor: &str) -> Option<([u8; DIGEST_BYTES], Position)> {
    if cursor.len() > MAX_CURSOR {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (form, rest) = bytes.split_first()?;
    let (digest, text) = rest.split_first_chunk()?;
    let text = std::str::from_utf8(text).ok()?;
    let position = match *form {
        PLAIN if !text.is_empty() => Position {
            start: text.to_owned(),
            ..Position::default()
        },
        FULL => Position::read(text)?,
        _ => return None,
    };
    Some((*digest, position))
}

#[cfg(test)]
mod tests {
    use super::{CursorBinding, MAX_CURSOR};
    use crate::backend::paging::position::Position;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    fn after(start: &str) -> Position {
        Position {
            start: start.to_owned(),
            ..Position::default()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]
        #[test]
        fn a_cursor_opens_for_its_own_arguments_only(
            start in ".{0,80}",
            skip in 0usize..2,
            received in 0u64..2,
            a in any::<String>(),
            b in any::<String>(),
        ) {
            let position = Position { skip, received, ..after(&start) };
            let binding = CursorBinding::to([a.as_str(), b.as_str()]);
            let cursor = binding.seal(&position).unwrap();
            prop_assert_eq!(binding.open(&cursor).unwrap(), position);
            let joined = format!("{a}{b}x");
            prop_assert!(CursorBinding::to([joined.as_str(), ""]).open(&cursor).is_err());
        }
        #[test]
        fn any_text_is_refused_or_opened(text in any::<String>()) {
            prop_assert!(CursorBinding::to(["a"]).open(&text).is_err());
        }
    }

    #[test]
    fn a_cursor_has_a_length() {
        let binding = CursorBinding::to(["a"]);
        // three bytes are four characters, and nine bytes are ours
        let most = MAX_CURSOR / 4 * 3 - 9;
        let longest = binding.seal(&after(&"x".repeat(most))).unwrap();
        assert_eq!(
            (longest.len(), binding.open(&longest).unwrap().start.len()),
            (MAX_CURSOR, most)
        );
        assert!(binding.seal(&after(&"x".repeat(most + 1))).is_none());
        assert!(binding.open(&format!("{longest}x")).is_err());
        assert!(binding.open("").is_err());
    }
}

//! The names of rows and fields, checked once: account ids, record ids and field names. No storage.

use std::fmt;

use uuid::Uuid;

/// The id of the account `local`, the same in every installation: stdio users have no other name.
const LOCAL: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);

/// The longest field name, in characters.
const FIELD_NAME_CHARACTERS: usize = 40;

/// The id of an account, a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountId(Uuid);

impl AccountId {
    /// The account `local`: the user of the machine, who needs no token.
    pub const fn local() -> AccountId {
        AccountId(LOCAL)
    }

    /// Reads the canonical text form; anything else is no account id.
    pub fn parse(text: &str) -> Option<AccountId> {
        canonical(text).map(AccountId)
    }

    pub(crate) fn new() -> AccountId {
        AccountId(Uuid::now_v7())
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The id of a record, a UUIDv7: later records have greater ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordId(Uuid);

impl RecordId {
    /// Reads the canonical text form (lower case, hyphens); anything else names no record.
    ///
    /// ```
    /// use footbridge_store::RecordId;
    /// assert!(RecordId::parse("0193e8a0-5d4c-7b6a-8f10-2c3d4e5f6071").is_some());
    /// assert!(RecordId::parse("0193E8A0-5D4C-7B6A-8F10-2C3D4E5F6071").is_none());
    /// assert!(RecordId::parse("../../auth/me").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<RecordId> {
        canonical(text).map(RecordId)
    }

    pub(crate) fn new() -> RecordId {
        RecordId(Uuid::now_v7())
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The name of a field in a record's data: `^[a-z][a-z0-9_]{0,39}$`, so it may stand in SQL as it
/// is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldName(Box<str>);

impl FieldName {
    /// Checks the form; a name of any other form is refused.
    ///
    /// ```
    /// use footbridge_store::FieldName;
    /// assert_eq!(FieldName::parse("board_id").unwrap().as_str(), "board_id");
    /// assert!(FieldName::parse("a' OR 1=1").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<FieldName> {
        let mut characters = text.chars();
        let starts_well = characters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase());
        let goes_on_well = characters
            .all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || next == '_');
        (starts_well && goes_on_well && text.len() <= FIELD_NAME_CHARACTERS)
            .then(|| FieldName(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn canonical(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    let mut buffer = Uuid::encode_buffer();
    (id.hyphenated().encode_lower(&mut buffer) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_name_ends_at_forty_characters() {
        assert!(FieldName::parse(&"a".repeat(40)).is_some());
        assert!(FieldName::parse(&"a".repeat(41)).is_none());
    }

    #[test]
    fn a_field_name_is_lower_case_letters_digits_and_underscores() {
        for bad in ["", "1a", "_a", "A", "a-b", "a.b", "a'b", "ä", "a b"] {
            assert!(FieldName::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn ids_made_later_sort_later() {
        let ids: Vec<String> = (0..1000).map(|_| RecordId::new().to_string()).collect();
        assert!(ids.is_sorted());
    }
}

//! A setting as decided: its value, and where it came from, for the sentence that refuses it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::exit::Trouble;
use crate::setting_table::SettingRow;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided<T> {
    pub(crate) value: T,
    pub(crate) origin: SettingOrigin,
}

/// The place where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettingOrigin {
    Flag(&'static str),
    Variable(&'static str),
    /// The key and the settings file.
    File(&'static str, PathBuf),
}

impl<T> Decided<T> {
    /// What the command line or the environment says (`written`), else what the file says; none
    /// where neither says anything.
    pub(super) fn of(
        row: &'static SettingRow,
        written: Option<T>,
        is_by_variable: bool,
        in_file: Option<T>,
        file: &Path,
    ) -> Option<Self> {
        let by_command = match row.variable.filter(|_| is_by_variable) {
            Some(variable) => SettingOrigin::Variable(variable),
            None => SettingOrigin::Flag(row.flag.unwrap_or_default()),
        };
        let by_file = SettingOrigin::File(row.key.unwrap_or_default(), file.to_owned());
        let (value, origin) = match (written, in_file) {
            (Some(value), _) => (value, by_command),
            (None, Some(value)) => (value, by_file),
            (None, None) => return None,
        };
        Some(Self { value, origin })
    }

    /// The value made into another, or the sentence about it with its place before it.
    pub(super) fn checked<V>(
        self,
        check: impl FnOnce(T) -> Result<V, Trouble>,
    ) -> Result<V, Trouble> {
        let origin = self.origin;
        check(self.value).map_err(|trouble| Trouble::usage(format!("{origin}: {trouble}")))
    }
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "--{flag}"),
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::File(key, path) => {
                write!(formatter, "{key} in the settings file {}", path.display())
            }
        }
    }
}

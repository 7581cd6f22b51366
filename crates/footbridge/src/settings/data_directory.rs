//! The directories of this user's data and settings, by the customs of the platform. Creates
//! nothing.

use std::path::PathBuf;

use crate::exit::Trouble;

/// `$XDG_DATA_HOME/footbridge`, else `~/.local/share/footbridge`.
pub(super) fn of_this_user() -> Result<PathBuf, Trouble> {
    under("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
        Trouble::usage(
            "there is no home directory to keep the board in: name a directory with --data DIR",
        )
    })
}

/// `$XDG_CONFIG_HOME/footbridge/settings.yaml`, else under `~/.config`.
pub(super) fn settings_file() -> Option<PathBuf> {
    under("XDG_CONFIG_HOME", ".config").map(|directory| directory.join("settings.yaml"))
}

/// The XDG rules ignore a path that is not absolute.
fn under(name: &str, in_home: &str) -> Option<PathBuf> {
    let named = std::env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = named.or_else(|| {
        std::env::home_dir()
            .filter(|home| home.is_absolute())
            .map(|home| home.join(in_home))
    })?;
    Some(base.join("footbridge"))
}

//! Where a client's file is on each system. Creates and reads nothing but the names of files.

use std::path::{Path, PathBuf};

/// A system with customs of its own for where files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
}

impl System {
    /// The one that this program runs on.
    pub(crate) const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Linux
    };
}

/// A folder that a path begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// The user's home.
    Home,
    /// `$XDG_CONFIG_HOME` or `~/.config`, on every system.
    Hidden,
    /// Where the system keeps settings: the same on Linux, `~/Library/Application Support` on macOS,
    /// `%APPDATA%` on Windows.
    Configuration,
}

/// Paths on each system, the one that is made where there is none last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemPaths {
    pub(crate) linux: &'static [(Base, &'static str)],
    pub(crate) macos: &'static [(Base, &'static str)],
    pub(crate) windows: &'static [(Base, &'static str)],
}

impl SystemPaths {
    pub(crate) const fn everywhere(paths: &'static [(Base, &'static str)]) -> Self {
        Self {
            linux: paths,
            macos: paths,
            windows: paths,
        }
    }
}

/// Where the file of a user is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserFile {
    pub(crate) systems: SystemPaths,
    /// A variable that names another folder, and the file in that one.
    pub(crate) moved_by: Option<(&'static str, &'static str)>,
}

/// The folders of a user, as the environment has them.
#[derive(Debug, Clone)]
pub(crate) struct UserFolders {
    system: System,
    home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    hidden: Option<PathBuf>,
    /// `APPDATA`.
    roaming: Option<PathBuf>,
    moved: Vec<(&'static str, PathBuf)>,
}

impl UserFolders {
    /// Those of whoever runs this program, as this client sees them.
    pub(crate) fn here(file: &UserFile) -> Self {
        let folder = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let moved = file
            .moved_by
            .and_then(|(variable, _)| Some((variable, folder(variable)?)));
        Self {
            system: System::HERE,
            home: std::env::home_dir().filter(|home| home.is_absolute()),
            hidden: folder("XDG_CONFIG_HOME"),
            roaming: folder("APPDATA"),
            moved: moved.into_iter().collect(),
        }
    }

    /// The file: the first that is there, else the last; none where the user has no home.
    pub(crate) fn file(&self, file: &UserFile) -> Option<PathBuf> {
        if let Some((variable, name)) = file.moved_by
            && let Some((_, folder)) = self.moved.iter().find(|(moved, _)| *moved == variable)
        {
            return Some(folder.join(name));
        }
        let paths = match self.system {
            System::Linux => file.systems.linux,
            System::MacOs => file.systems.macos,
            System::Windows => file.systems.windows,
        };
        let paths: Vec<PathBuf> = paths
            .iter()
            .filter_map(|(base, path)| Some(self.folder(*base)?.join(path)))
            .collect();
        paths
            .iter()
            .find(|path| path.exists())
            .or(paths.last())
            .cloned()
    }

    fn folder(&self, base: Base) -> Option<PathBuf> {
        let in_home = |path: &str| self.home.as_deref().map(|home: &Path| home.join(path));
        let hidden = || self.hidden.clone().or_else(|| in_home(".config"));
        match (base, self.system) {
            (Base::Home, _) => self.home.clone(),
            (Base::Hidden, _) | (Base::Configuration, System::Linux) => hidden(),
            (Base::Configuration, System::MacOs) => in_home("Library/Application Support"),
            (Base::Configuration, System::Windows) => {
                self.roaming.clone().or_else(|| in_home("AppData/Roaming"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{System, UserFolders};
    use crate::clients::{CLIENTS, named};

    fn folders(system: System) -> UserFolders {
        UserFolders {
            system,
            home: Some("/home/u".into()),
            hidden: None,
            roaming: Some("/roaming".into()),
            moved: Vec::new(),
        }
    }

    #[test]
    fn each_client_has_its_file_on_each_system() {
        let listed = |system| {
            CLIENTS
                .iter()
                .map(|client| {
                    let path = folders(system).file(&client.user).unwrap();
                    format!("{} {}", client.name, path.display())
                })
                .collect::<Vec<_>>()
                .join("\n")
        };
        let common = |code: &str, desktop: &str, zed: &str| {
            format!(
                "claude-code /home/u/.claude.json\n\
                 claude-desktop {desktop}/Claude/claude_desktop_config.json\n\
                 codex /home/u/.codex/config.toml\n\
                 vscode {code}/Code/User/mcp.json\n\
                 cursor /home/u/.cursor/mcp.json\n\
                 gemini-cli /home/u/.gemini/settings.json\n\
                 zed {zed}/settings.json\n\
                 opencode /home/u/.config/opencode/opencode.json\n\
                 windsurf /home/u/.codeium/windsurf/mcp_config.json"
            )
        };
        let linux = "/home/u/.config";
        let mac = "/home/u/Library/Application Support";
        let dotted = "/home/u/.config/zed";
        assert_eq!(listed(System::Linux), common(linux, linux, dotted));
        assert_eq!(listed(System::MacOs), common(mac, mac, dotted));
        assert_eq!(
            listed(System::Windows),
            common("/roaming", "/roaming", "/roaming/Zed")
        );
    }

    #[test]
    fn a_variable_of_the_client_moves_its_file() {
        let codex = &named("codex").unwrap().user;
        let mut folders = folders(System::Linux);
        folders.moved = vec![("CODEX_HOME", "/elsewhere".into())];
        assert_eq!(
            folders.file(codex).unwrap(),
            Path::new("/elsewhere/config.toml")
        );
        folders.hidden = Some("/xdg".into());
        assert_eq!(
            folders.file(&named("zed").unwrap().user).unwrap(),
            Path::new("/xdg/zed/settings.json")
        );
        folders.home = None;
        assert_eq!(folders.file(&named("cursor").unwrap().user), None);
    }
}

//! The settings as decided: flag, else environment, else file, else default. Reads the settings
//! file; a file is never needed.

mod action_key;
mod approver_token;
mod bounds;
mod data_directory;
mod decided;
mod door;
mod door_secret;
mod exposure;
mod file;
pub(crate) mod groups;
mod named_secret;
mod own_address;
#[cfg(test)]
mod published;
mod served;
mod shared_bearer;
mod variables;

use std::path::PathBuf;

use crate::allow::AllowWord;
use crate::cli::{CommonOptions, FileOptions, Surface};
use crate::connectors::Connectors;
use crate::credentials::CredentialStore;
use crate::environment::variable;
use crate::exit::Trouble;
pub(crate) use action_key::{action_key, probe_bearer};
pub(crate) use bounds::{Bounds, SessionTimes};
pub(crate) use door::DoorSettings;
pub(crate) use door_secret::DoorSecret;
pub(crate) use exposure::Exposed;
pub(crate) use file::SettingsFile;
use groups::Switch;
pub(crate) use served::ServeSettings;
use shared_bearer::shared_bearer;
pub(crate) use variables::with_environment;

/// The file's settings together with the flags that every command has.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) file: SettingsFile,
    /// What flag or environment open; none leaves it to the file and the default of each connector.
    allow: Option<Vec<AllowWord>>,
    /// What flag or environment list; none leaves it to the file.
    groups: Vec<Switch>,
    /// The connector files of the user's own whose skills flag or environment name; none leaves it
    /// to the file.
    skills: Vec<String>,
    surface: Option<Surface>,
    data: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    /// Nothing will be called, so nothing has to be set.
    pub(crate) only_lists: bool,
    /// What is wrong with the settings of a connector is said to each call, and ends nothing.
    pub(crate) outlives_wrong_settings: bool,
    /// What it was decided by, to decide it again.
    options: CommonOptions,
    connectors_directory: Option<PathBuf>,
}

impl Settings {
    pub(crate) fn new(options: CommonOptions) -> Result<Self, Trouble> {
        let mut settings = Self::of_files(options.files.clone())?;
        settings.options = options.clone();
        settings.allow = options.allow;
        settings.groups = groups::switches(&options.groups);
        settings.skills = options.skills;
        settings.surface = options.surface;
        settings.ca_file = options.roots.ca_file;
        settings.connectors_directory = options.directory.connectors_directory;
        Ok(settings)
    }

    /// For commands that only need the local board.
    pub(crate) fn of_files(options: FileOptions) -> Result<Self, Trouble> {
        let file = SettingsFile::read(options.settings)?;
        Ok(Self {
            data: options.data,
            ..Self::of_file(file)
        })
    }

    /// What the file alone says.
    fn of_file(file: SettingsFile) -> Self {
        Self {
            file,
            allow: None,
            groups: Vec::new(),
            skills: Vec::new(),
            surface: None,
            data: None,
            ca_file: None,
            only_lists: false,
            outlives_wrong_settings: false,
            options: CommonOptions::default(),
            connectors_directory: None,
        }
    }

    /// The same, with the settings file as it is now.
    ///
    /// # Errors
    /// As [`Settings::new`].
    pub(crate) fn again(&self) -> Result<Self, Trouble> {
        let mut again = Self::new(self.options.clone())?;
        again.only_lists = self.only_lists;
        again.outlives_wrong_settings = self.outlives_wrong_settings;
        Ok(again)
    }

    /// Where the credentials of this user are kept. No setting says it: where a client's file says
    /// where data is, it says nothing of credentials.
    pub(crate) fn credentials(&self) -> CredentialStore {
        CredentialStore::beside(data_directory::of_this_user().ok())
    }

    /// What the tools of a connector may do, apart from reading; none where nothing says it.
    pub(crate) fn allowed(&self, connector: &str) -> Option<Vec<AllowWord>> {
        let in_file = || {
            self.file
                .connectors
                .get(connector)
                .and_then(|connector| connector.allow.clone())
                .or_else(|| self.file.allow.clone())
        };
        self.allow.clone().or_else(in_file)
    }

    /// Whether the connector has a line of its own for what its tools may do, and goes by it.
    pub(crate) fn has_own_allowed(&self, connector: &str) -> bool {
        let connector_settings = self.file.connectors.get(connector);
        self.allow.is_none()
            && connector_settings
                .is_some_and(|connector_settings| connector_settings.allow.is_some())
    }

    /// The groups of a connector, each with whether its tools are listed: flag or environment, else
    /// the connector's own line in the file, else the file's general one, each on top of what the
    /// connector file says.
    pub(crate) fn groups_of(
        &self,
        connector: &str,
        groups: &[(String, bool)],
    ) -> Result<Vec<(String, bool)>, Trouble> {
        if !self.groups.is_empty() {
            return Ok(groups::switched(groups, &self.groups));
        }
        let in_file = self
            .file
            .connectors
            .get(connector)
            .and_then(|connector| connector.groups.as_ref());
        let switches = groups::switches(
            in_file
                .or(self.file.groups.as_ref())
                .map(Vec::as_slice)
                .unwrap_or_default(),
        );
        if in_file.is_some() {
            groups::check(&switches, groups.iter().map(|(group, _)| group.as_str()))?;
        }
        Ok(groups::switched(groups, &switches))
    }

    /// Whether tools of a group that is of no connector are listed; `by_default`, where nothing
    /// says it.
    pub(crate) fn lists(&self, group: &str, by_default: bool) -> bool {
        let in_file = groups::switches(self.file.groups.as_deref().unwrap_or_default());
        let switches = match self.groups.is_empty() {
            true => &in_file,
            false => &self.groups,
        };
        let switched = groups::switched(&[(group.to_owned(), by_default)], switches);
        switched.first().is_some_and(|(_, is_listed)| *is_listed)
    }

    /// Which tools clients see.
    pub(crate) fn surface(&self) -> Surface {
        self.surface.or(self.file.surface).unwrap_or_default()
    }

    /// Every group that is named beside a connector must be one of some connector.
    pub(crate) fn check_groups<'g>(
        &self,
        groups: impl Iterator<Item = &'g str>,
    ) -> Result<(), Trouble> {
        let in_file = || groups::switches(self.file.groups.as_deref().unwrap_or_default());
        groups::check(
            &if self.groups.is_empty() {
                in_file()
            } else {
                self.groups.clone()
            },
            groups,
        )
    }

    /// The connector files of the user's own whose skills are served.
    pub(crate) fn with_skills(&self) -> &[String] {
        match self.skills.as_slice() {
            [] => &self.file.skills,
            names => names,
        }
    }

    /// Where the local board is kept.
    pub(crate) fn data_directory(&self) -> Result<PathBuf, Trouble> {
        self.data
            .clone()
            .or_else(|| self.file.data.clone())
            .map_or_else(data_directory::of_this_user, Ok)
    }

    /// A setting of a connector, by the name that the connector gives it: environment, else file.
    pub(crate) fn of_connector(
        &self,
        connector: &str,
        name: &str,
    ) -> Result<Option<String>, Trouble> {
        let in_file = || {
            self.file
                .connectors
                .get(connector)?
                .settings
                .get(name)
                .cloned()
        };
        Ok(variable(name)?.or_else(in_file))
    }

    /// The names that the file gives to settings of a connector.
    pub(crate) fn names_in_file(&self, connector: &str) -> impl Iterator<Item = &str> {
        self.file
            .connectors
            .get(connector)
            .into_iter()
            .flat_map(|connector| connector.settings.keys())
            .map(String::as_str)
    }

    /// The connectors that can be named, the user's own among them.
    pub(crate) fn connectors(&self) -> Result<Connectors, Trouble> {
        Connectors::with_directory(
            self.connectors_directory
                .as_deref()
                .or(self.file.connectors_directory.as_deref()),
        )
    }

    /// The settings file that was read, else where it would be.
    pub(crate) fn file_path(&self) -> Option<PathBuf> {
        Some(&self.file.path)
            .filter(|path| !path.as_os_str().is_empty())
            .cloned()
            .or_else(data_directory::settings_file)
    }

    /// The connectors that the settings file speaks of.
    pub(crate) fn connectors_in_file(&self) -> impl Iterator<Item = &str> {
        self.file.connectors.keys().map(String::as_str)
    }

    pub(crate) fn ca_file(&self) -> Option<PathBuf> {
        self.ca_file.clone().or_else(|| self.file.ca_file.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, SettingsFile};
    use crate::allow::{AllowWord, AllowedEffect};

    fn settings(file: &str, allow: Option<Vec<AllowWord>>) -> Settings {
        Settings {
            allow,
            ..Settings::of_file(SettingsFile::parse("settings.yaml", file).unwrap())
        }
    }

    #[test]
    fn what_nothing_says_is_left_to_the_connector() {
        let none = settings("{}", None);
        assert_eq!(none.allowed("board"), None);
    }

    #[test]
    fn a_flag_beats_the_file_and_a_connectors_own_line_beats_the_general_one() {
        let file = "allow: [write]\nconnectors:\n  board: { allow: [read] }\n";
        assert_eq!(
            settings(file, None).allowed("board").unwrap(),
            [AllowWord::Effect(AllowedEffect::Read)]
        );
        assert_eq!(
            settings(file, None).allowed("prodmcp").unwrap(),
            [AllowWord::Effect(AllowedEffect::Write)]
        );
        assert_eq!(
            settings(file, Some(vec![AllowWord::Effect(AllowedEffect::Destroy)]))
                .allowed("board")
                .unwrap(),
            [AllowWord::Effect(AllowedEffect::Destroy)]
        );
    }
}

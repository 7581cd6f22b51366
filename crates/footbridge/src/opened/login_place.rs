//! A backend that somebody logs in to: its connector, and the address that the credential is for.

use footbridge_connector::{Backend, Connector, SessionKeeper, SettingValues};
use std::sync::Arc;

use super::resolved::{SettingsOwner, UsedCredential, address, look_up, resolve, used};
use super::{check_names, network};
use crate::connectors::Reached;
use crate::exit::Trouble;
use crate::settings::Settings;

/// A connector that takes a login.
#[derive(Debug)]
pub(crate) struct LoginPlace {
    pub(crate) name: String,
    pub(crate) connector: Connector,
    is_built_in: bool,
}

impl LoginPlace {
    /// The connector of that name, or the file at that path.
    ///
    /// # Errors
    /// When there is none, or it takes no login.
    pub(crate) fn find(name_or_path: &str, settings: &Settings) -> Result<Self, Trouble> {
        let file = settings.connectors()?.find(name_or_path)?;
        let (name, connector) = file.compile()?;
        if file.reached == Reached::InProcess {
            return Err(Trouble::usage(format!(
                "{name} is the board of this machine, which needs no login; footbridge account list shows who is on it"
            )));
        }
        if connector.token_setting().is_none() {
            return Err(Trouble::usage(format!(
                "{name} takes no login: its file names no setting for one under upstream.token"
            )));
        }
        check_names(&connector, false, settings.names_in_file(&name))
            .map_err(|wrong| Trouble::usage(format!("{name}: {wrong}")))?;
        let is_built_in = file.is_built_in();
        Ok(Self {
            name,
            connector,
            is_built_in,
        })
    }

    pub(crate) fn asking(&self) -> SettingsOwner<'_> {
        SettingsOwner {
            name: &self.name,
            connector: &self.connector,
            is_local: false,
            is_built_in: self.is_built_in,
        }
    }

    /// Whether its file comes with the program.
    pub(crate) fn is_built_in(&self) -> bool {
        self.is_built_in
    }

    /// The address that requests go under.
    ///
    /// # Errors
    /// When it is not set, or another setting is wrong.
    pub(crate) fn address(&self, settings: &Settings) -> Result<String, Trouble> {
        let found = address(&self.connector, &|name| {
            look_up(self.asking(), settings, name).ok().flatten()
        });
        found.ok_or_else(|| {
            // without the address, all that is wrong is said, and not that nobody is logged in
            let of_base: Vec<&str> = self.connector.address_settings().collect();
            let values = self.values(settings, &|_| Some("unset".to_owned()), None);
            match values {
                Err(trouble) => trouble,
                Ok(_) => Trouble::configuration(format!(
                    "{}: set {} first",
                    self.name,
                    of_base.join(", ")
                )),
            }
        })
    }

    /// Who asks, as it stands now.
    ///
    /// # Errors
    /// When what is kept cannot be read, or was made for another place.
    pub(crate) fn credential(&self, settings: &Settings) -> Result<UsedCredential, Trouble> {
        used(self.asking(), settings)
    }

    /// Its backend with the credential that is used.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub(crate) fn backend(&self, settings: &Settings) -> Result<Backend, Trouble> {
        let values = resolve(self.asking(), settings)?.values;
        self.connect(values, settings)
    }

    /// Its backend with the credentials of a login in the place of those that are set.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub(crate) fn backend_for(
        &self,
        settings: &Settings,
        credential: &dyn Fn(&str) -> Option<String>,
        session: Option<Arc<dyn SessionKeeper>>,
    ) -> Result<Backend, Trouble> {
        let values = self.values(settings, credential, session)?;
        self.connect(values, settings)
    }

    fn connect(&self, values: SettingValues, settings: &Settings) -> Result<Backend, Trouble> {
        Ok(self.connector.connect(values, network(settings.ca_file())?))
    }

    /// The settings with these in the place of every credential.
    fn values(
        &self,
        settings: &Settings,
        credential: &dyn Fn(&str) -> Option<String>,
        session: Option<Arc<dyn SessionKeeper>>,
    ) -> Result<SettingValues, Trouble> {
        let is_credential = |name: &str| {
            self.connector.token_setting() == Some(name)
                || self
                    .connector
                    .asked_settings()
                    .any(|setting| setting.name == name)
        };
        let lookup = |name: &str| {
            if is_credential(name) {
                return credential(name);
            }
            if name.strip_suffix("_FILE").is_some_and(is_credential) {
                return None;
            }
            look_up(self.asking(), settings, name).ok().flatten()
        };
        let values = match session {
            Some(session) => self.connector.settings_with_session(&lookup, session),
            None => self.connector.settings(&lookup),
        };
        values.map_err(|problems| {
            Trouble::configuration(format!("{}: {}", self.name, problems.list().join("; ")))
        })
    }
}

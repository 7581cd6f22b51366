//! A connector's settings as they stand now: environment, settings file, and the credential that is
//! kept for its origin. The same at the start and later.

use std::cell::RefCell;
use std::sync::Arc;

use footbridge_connector::{Connector, SessionKeeper, Setting, SettingValues};
use secrecy::ExposeSecret as _;

use crate::credentials::{
    CredentialKind, CredentialStore, FiledSession, FoundCredential, KeptCredential,
    REFERENCE_CONNECTOR, ReferenceLogin, now, origin_of,
};
use crate::exit::Trouble;
use crate::settings::Settings;
use crate::terminal;

/// What is sent to a backend to say who asks.
#[derive(Debug, Clone)]
pub(crate) enum UsedCredential {
    /// None is set and none is kept.
    Nothing,
    /// The connector takes none.
    NotWanted,
    /// This setting, from the environment or the settings file.
    Setting(String),
    /// What `login` kept.
    Kept(KeptCredential, Option<Arc<FiledSession>>),
}

/// Settings that can be used.
#[derive(Debug)]
pub(crate) struct ResolvedSettings {
    pub(crate) values: SettingValues,
    pub(crate) credential: UsedCredential,
    /// The secrets that the backend may want, by name, when nobody set any.
    pub(crate) unset_secrets: Vec<String>,
    /// Neither a secret nor the address was set: nobody said that this backend is theirs.
    pub(crate) is_unconfigured: bool,
}

impl ResolvedSettings {
    /// Values that are known to lead nowhere.
    pub(super) fn without_credential(values: SettingValues) -> Self {
        Self {
            values,
            credential: UsedCredential::Nothing,
            unset_secrets: Vec::new(),
            is_unconfigured: false,
        }
    }
}

/// The connector whose settings these are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettingsOwner<'c> {
    pub(crate) name: &'c str,
    pub(crate) connector: &'c Connector,
    /// It is the board of this machine, which has no settings.
    pub(crate) is_local: bool,
    /// Its file comes with the program.
    pub(crate) is_built_in: bool,
}

/// The settings of a connector.
///
/// # Errors
/// Everything that is missing or wrong, and a credential that is kept for another place.
pub(crate) fn resolve(
    asking: SettingsOwner<'_>,
    settings: &Settings,
) -> Result<ResolvedSettings, Trouble> {
    let SettingsOwner {
        name, connector, ..
    } = asking;
    let unreadable = RefCell::new(None);
    let lookup = |setting: &str| {
        look_up(asking, settings, setting).unwrap_or_else(|trouble| {
            unreadable.replace(Some(trouble));
            None
        })
    };
    let credential = used_by(asking, settings, &lookup)?;
    let with_token = |setting: &str| match &credential {
        UsedCredential::Kept(kept, None) if connector.token_setting() == Some(setting) => {
            Some(kept.token.expose_secret().to_owned())
        }
        _ => {
            lookup(setting).or_else(|| stand_in(connector, setting).filter(|_| settings.only_lists))
        }
    };
    let values = match &credential {
        UsedCredential::Kept(_, Some(session)) => connector
            .settings_with_session(&with_token, Arc::clone(session) as Arc<dyn SessionKeeper>),
        _ => connector.settings(&with_token),
    };
    let values = values.map_err(|problems| {
        let mut wrong = format!("{name}: {}", problems.list().join("; "));
        if matches!(credential, UsedCredential::Nothing) {
            wrong.push_str(&format!("; or log in: footbridge login {name}"));
        }
        Trouble::configuration(wrong)
    })?;
    let values = match &credential {
        UsedCredential::Kept(KeptCredential { who: Some(who), .. }, _) => values.of_account(who),
        _ => values,
    };
    let unset_secrets = match credential {
        UsedCredential::Kept(..) => Vec::new(),
        _ => unset_secrets(connector, asking.is_local, &lookup),
    };
    let mut address = connector.address_settings().peekable();
    let is_unconfigured = !unset_secrets.is_empty()
        && address.peek().is_some()
        && address.all(|setting| is_blank(setting, &lookup));
    match unreadable.take() {
        Some(trouble) => Err(trouble),
        // a client is told so, and a stranger's board is not asked
        None if is_unconfigured && settings.outlives_wrong_settings => {
            Err(Trouble::configuration(format!(
                "{name}: nobody is logged in: run footbridge login {name}, or set {}",
                unset_secrets.join(" or ")
            )))
        }
        None => Ok(ResolvedSettings {
            values,
            credential,
            unset_secrets,
            is_unconfigured,
        }),
    }
}

/// Who asks: what is set, else what is kept.
///
/// # Errors
/// When what is kept cannot be read, or was made for another place.
pub(super) fn used(
    asking: SettingsOwner<'_>,
    settings: &Settings,
) -> Result<UsedCredential, Trouble> {
    used_by(asking, settings, &|name| {
        look_up(asking, settings, name).ok().flatten()
    })
}

fn used_by(
    asking: SettingsOwner<'_>,
    settings: &Settings,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<UsedCredential, Trouble> {
    let connector = asking.connector;
    Ok(match used_setting(connector, lookup) {
        _ if asking.is_local => UsedCredential::NotWanted,
        Some(setting) => UsedCredential::Setting(setting),
        None if settings.only_lists || connector.token_setting().is_none() => {
            UsedCredential::NotWanted
        }
        None => kept_session(asking, settings, lookup)?,
    })
}

/// Values with which nothing can be called, for a connector whose own are wrong.
pub(crate) fn stand_ins(connector: &Connector) -> Option<SettingValues> {
    connector
        .settings(&|setting| stand_in(connector, setting))
        .ok()
}

/// A setting of environment or file; what only `login` asks for is nowhere else.
pub(super) fn look_up(
    asking: SettingsOwner<'_>,
    settings: &Settings,
    name: &str,
) -> Result<Option<String>, Trouble> {
    let mut rules = asking.connector.setting_rules().iter();
    if asking.is_local || rules.any(|rule| rule.asked && rule.name == name) {
        return Ok(None);
    }
    settings.of_connector(asking.name, name)
}

fn is_blank(name: &str, lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    lookup(name).is_none_or(|value| value.trim().is_empty())
}

fn is_unset(setting: &Setting, lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    is_blank(&setting.name, lookup) && is_blank(&file_of(setting), lookup)
}

/// The variable that names the file of a secret.
pub(super) fn file_of(setting: &Setting) -> String {
    format!("{}_FILE", setting.name)
}

/// The secret by which somebody said who asks, in the environment or the settings file: it goes
/// before what is kept.
fn used_setting(connector: &Connector, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let token = connector.token_setting();
    let is_credential = |setting: &&Setting| {
        setting.secret
            && (token == Some(setting.name.as_str())
                || connector
                    .asked_settings()
                    .any(|asked_setting| asked_setting.name == setting.name))
    };
    let mut credentials = connector.setting_rules().iter().filter(is_credential);
    let set = credentials.find(|setting| !is_unset(setting, lookup))?;
    Some(set.name.clone())
}

/// What is kept for the origin of the connector's address.
fn kept_session(
    asking: SettingsOwner<'_>,
    settings: &Settings,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<UsedCredential, Trouble> {
    let SettingsOwner {
        name, connector, ..
    } = asking;
    // what is wrong beside the credential is said with all else
    let Some(address) = address(connector, lookup) else {
        return Ok(UsedCredential::Nothing);
    };
    let origin = origin_of(&address);
    let store = settings.credentials();
    let credential = match store.find(name, &origin)? {
        FoundCredential::Here(credential) => credential,
        FoundCredential::Elsewhere(origins) => {
            let set = connector.address_settings().next();
            let back = set.map_or_else(String::new, |setting| {
                format!(", or set {setting} back to that address")
            });
            return Err(Trouble::configuration(format!(
                "{name}: the login that is kept was made for {} and goes nowhere else, and the address is {origin}: \
                 log in there with footbridge login {name}{back}",
                origins.join(" and ")
            )));
        }
        FoundCredential::Nothing => match of_reference(asking, &store, &origin)? {
            Some(credential) => credential,
            None => return Ok(UsedCredential::Nothing),
        },
    };
    let session = (credential.kind == CredentialKind::Session)
        .then(|| Arc::new(FiledSession::new(store, name, credential.clone())));
    Ok(UsedCredential::Kept(credential, session))
}

/// The address as far as it is set, whatever else is missing.
pub(super) fn address(
    connector: &Connector,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let is_secret = |name: &str| {
        let mut rules = connector.setting_rules().iter();
        rules.any(|rule| rule.secret && rule.name == name)
    };
    let is_file = |name: &str| name.strip_suffix("_FILE").is_some_and(is_secret);
    let open = |name: &str| match is_secret(name) {
        true => Some("unset".to_owned()),
        false if is_file(name) => None,
        false => lookup(name).or_else(|| {
            let mut of_base = connector.address_settings();
            stand_in(connector, name).filter(|_| !of_base.any(|setting| setting == name))
        }),
    };
    let values = connector.settings(&open).ok()?;
    Some(values.base().to_owned())
}

/// The login that the reference keeps, taken over the first time that it is of use.
fn of_reference(
    asking: SettingsOwner<'_>,
    store: &CredentialStore,
    origin: &str,
) -> Result<Option<KeptCredential>, Trouble> {
    if asking.name != REFERENCE_CONNECTOR || !asking.is_built_in {
        return Ok(None);
    }
    if store.has_read_reference(asking.name)? {
        return Ok(None);
    }
    let Some(login) = ReferenceLogin::read() else {
        return Ok(None);
    };
    let shown = ReferenceLogin::SHOWN;
    if origin != ReferenceLogin::ORIGIN {
        tracing::info!(
            "the login in {shown} is for {} and is not sent to {origin}",
            ReferenceLogin::ORIGIN
        );
        return Ok(None);
    }
    let kind = match asking.connector.may_roll(login.token.expose_secret()) {
        true => CredentialKind::Session,
        false => CredentialKind::Token,
    };
    let credential = KeptCredential {
        origin: origin.to_owned(),
        kind,
        token: login.token,
        renewal: "{}".into(),
        who: login.who,
        saved_at: now(),
        keyring: None,
    };
    let taken_over = store
        .keep(asking.name, credential.clone())
        .and_then(|()| store.note_reference(asking.name));
    match taken_over {
        Ok(()) => terminal::say(format_args!(
            "footbridge: note: the login in {shown} was taken over for {origin}; that file stays as it is"
        )),
        Err(_) => terminal::say(format_args!(
            "footbridge: note: the login in {shown} is used for {origin}; that file stays as it is"
        )),
    }
    Ok(Some(credential))
}

/// The secrets that the backend may want, by name, when nobody set any. With one credential set,
/// the others are its alternatives, or for what stands before the backend.
fn unset_secrets(
    connector: &Connector,
    is_local: bool,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    let is_replaced = |setting: &Setting| {
        let other = setting.unless.as_ref().and_then(|name| {
            connector
                .setting_rules()
                .iter()
                .find(|other| other.name == *name)
        });
        other.is_some_and(|other| !is_unset(other, lookup))
    };
    let secrets = connector
        .setting_rules()
        .iter()
        .filter(|setting| setting.secret && !setting.asked && !is_local && !is_replaced(setting));
    let (unset, set): (Vec<_>, Vec<_>) = secrets.partition(|setting| is_unset(setting, lookup));
    if set.is_empty() {
        unset.iter().map(|setting| setting.name.clone()).collect()
    } else {
        Vec::new()
    }
}

/// A value for a setting without which nothing can be called, where nothing is: its tools can be
/// listed all the same.
fn stand_in(connector: &Connector, name: &str) -> Option<String> {
    use footbridge_connector::SettingKind;

    let setting = connector
        .setting_rules()
        .iter()
        .find(|setting| setting.required && setting.name == name)?;
    Some(match setting.kind {
        SettingKind::Url => "https://unset.invalid".to_owned(),
        SettingKind::Text => "unset".to_owned(),
        SettingKind::Integer => setting
            .minimum
            .or(setting.maximum)
            .unwrap_or_default()
            .to_string(),
        SettingKind::Boolean => "false".to_owned(),
        SettingKind::Choice => setting.choices.first().cloned().unwrap_or_default(),
    })
}

//! Settings of a connector: rules, and their values from outside. Where values come from is the
//! caller's business.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::definition::{Decides, SettingKind};
use crate::placeholder::{holds_placeholder, is_placeholder};
use crate::template::Template;

/// Bytes that the value of a setting may have.
const MAX_VALUE_BYTES: usize = 16 << 10;

/// One setting of a connector, as documentation shows it.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name, which is also the variable's.
    pub name: String,
    /// Kind of value.
    pub kind: SettingKind,
    /// Its value when nothing is set.
    pub default: Option<String>,
    /// Without it nothing can be called.
    pub required: bool,
    /// Never printed; may also come from the file that `NAME_FILE` names.
    pub secret: bool,
    /// Appended to its value unless it ends so.
    pub suffix: Option<String>,
    /// The words that a choice may be.
    pub choices: Vec<String>,
    /// Least whole number.
    pub minimum: Option<i64>,
    /// Greatest whole number.
    pub maximum: Option<i64>,
    /// Set only together with this other setting.
    pub with: Option<String>,
    /// It need not be set when this other setting is.
    pub unless: Option<String>,
    /// What of the program it decides.
    pub decides: Option<Decides>,
    /// Whoever logs in is asked for it, and nothing else gives it.
    pub asked: bool,
    /// What it is for.
    pub description: Option<String>,
}

/// The values of a connector's settings: complete, checked, and unable to print a secret.
#[derive(Debug, Clone)]
pub struct SettingValues {
    pub(crate) base: Url,
    pub(crate) headers: HeaderMap,
    /// Settings that are no secrets.
    pub(crate) open: HashMap<String, String>,
    pub(crate) secrets: HashMap<String, SecretString>,
    /// The secrets that come from files, each with its file.
    pub(crate) files: Vec<(String, PathBuf)>,
    /// The settings that decide something, by what.
    decided: HashMap<Decides, String>,
    /// Keeps the session between runs.
    pub(crate) session: Option<Arc<dyn SessionKeeper>>,
    /// Whose the secrets are, where that is known of them.
    pub(crate) account: Option<String>,
}

/// A session as it is kept between runs.
#[derive(Debug, Clone)]
pub struct SessionTokens {
    /// The token that requests carry.
    pub token: SecretString,
    /// What the backend said with it that renews it: JSON.
    pub renewal: SecretString,
}

/// Keeps a session between runs, and lets several programs share one.
pub trait SessionKeeper: fmt::Debug + Send + Sync + 'static {
    /// The session as it is kept now; none when there is none.
    fn tokens(&self) -> Option<SessionTokens>;

    /// The session that takes its place.
    fn keep(&self, tokens: SessionTokens);
}

impl SettingValues {
    /// Whether everything is the same, but for who keeps a session.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_same = |(name, secret): (&String, &SecretString)| {
            other
                .secrets
                .get(name)
                .is_some_and(|other| other.expose_secret() == secret.expose_secret())
        };
        self.base == other.base
            && self.headers == other.headers
            && self.open == other.open
            && self.files == other.files
            && self.account == other.account
            && self.session.is_some() == other.session.is_some()
            && self.secrets.len() == other.secrets.len()
            && self.secrets.iter().all(is_same)
    }

    pub(crate) fn with_session(self, keeper: Arc<dyn SessionKeeper>) -> Self {
        Self {
            session: Some(keeper),
            ..self
        }
    }

    /// The same, known to be those of this account: secrets alone do not tell whose they are.
    pub fn of_account(self, account: &str) -> Self {
        Self {
            account: Some(account.to_owned()),
            ..self
        }
    }

    /// The value of the setting that decides this, in its one form (`true`, `false`, a choice);
    /// none when there is no such setting.
    pub fn decided(&self, what: Decides) -> Option<&str> {
        self.open.get(self.decided.get(&what)?).map(String::as_str)
    }

    /// Whether it has a value, its own default among them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.open.contains_key(name) || self.secrets.contains_key(name)
    }

    /// The address that requests go under, such as `https://example.org/api`.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }
}

/// What is wrong with the settings: one sentence each, all at once. Holds no value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingProblems(Vec<String>);

impl SettingProblems {
    /// The sentences; never empty.
    pub fn list(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for SettingProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for SettingProblems {}

/// What `compile` settled about the settings and where they go.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) settings: Vec<Setting>,
    pub(crate) base: Template,
    pub(crate) headers: Vec<(HeaderName, Template)>,
}

impl Rules {
    /// Resolves every setting by `lookup`, which is asked for `NAME` and, for a secret, for
    /// `NAME_FILE`.
    pub(crate) fn resolve(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
        has_session: bool,
    ) -> Result<SettingValues, SettingProblems> {
        let mut problems = Vec::new();
        let mut open = HashMap::new();
        let mut secrets: HashMap<String, SecretString> = HashMap::new();
        let mut files = Vec::new();
        for setting in &self.settings {
            problems.extend(without_partner(setting, lookup));
            let value = match value(setting, lookup) {
                Ok(value) => value,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            match value {
                // what may stand in the place of another is a credential, and so is a session
                None if has_session && setting.unless.is_some() => {}
                None if setting.required && !other_is_set(setting, lookup) => {
                    problems.push(missing(setting))
                }
                None => {}
                Some(value) if setting.secret => {
                    files.extend(
                        file_of(setting, lookup).map(|path| (setting.name.clone(), path.into())),
                    );
                    secrets.insert(setting.name.clone(), value);
                }
                Some(value) => match normal(setting, value.expose_secret()) {
                    Ok(value) => {
                        open.insert(setting.name.clone(), value);
                    }
                    Err(problem) => problems.push(problem),
                },
            }
        }
        let named = |name: &str| named(&open, &secrets, name);
        let headers = self.headers(&named, &mut problems);
        let base = match self.base.text(named) {
            Some(text) => base(&text).map_err(|problem| problems.push(problem)).ok(),
            None => {
                if problems.is_empty() {
                    problems.push("the backend's address needs a setting that is not set".into());
                }
                None
            }
        };
        match base {
            Some(base) if problems.is_empty() => {
                let decides = |setting: &Setting| Some((setting.decides?, setting.name.clone()));
                Ok(SettingValues {
                    base,
                    headers,
                    open,
                    secrets,
                    files,
                    decided: self.settings.iter().filter_map(decides).collect(),
                    account: None,
                    session: None,
                })
            }
            _ => Err(SettingProblems(problems)),
        }
    }

    /// The settings that the backend's address is made of.
    pub(crate) fn settings_of_base(&self) -> impl Iterator<Item = &str> {
        self.base
            .names()
            .filter_map(|name| name.strip_prefix("settings."))
    }

    /// The secrets that are set, in the order of the file.
    pub(crate) fn secrets_in_use<'r>(
        &'r self,
        values: &'r SettingValues,
    ) -> impl Iterator<Item = &'r str> {
        self.settings
            .iter()
            .map(|setting| setting.name.as_str())
            .filter(|name| values.secrets.contains_key(*name))
    }

    /// The headers that these settings make with other secrets; the error says which secret they
    /// cannot carry.
    pub(crate) fn headers_with(
        &self,
        settings: &SettingValues,
        secrets: &HashMap<String, SecretString>,
    ) -> Result<HeaderMap, SettingProblems> {
        let mut problems = Vec::new();
        let headers = self.headers(
            &|name: &str| named(&settings.open, secrets, name),
            &mut problems,
        );
        if problems.is_empty() {
            Ok(headers)
        } else {
            Err(SettingProblems(problems))
        }
    }

    fn headers<'v>(
        &self,
        named: &dyn Fn(&str) -> Option<&'v str>,
        problems: &mut Vec<String>,
    ) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (header, template) in &self.headers {
            // a header has no blanks at its ends, so those around a value say nothing
            let Some(text) = template.text(|name| named(name).map(str::trim)) else {
                continue;
            };
            // others than those of ASCII are read by each server in its own way
            match HeaderValue::from_str(&text)
                .ok()
                .filter(|_| text.is_ascii())
            {
                Some(mut value) => {
                    value.set_sensitive(true);
                    headers.insert(header.clone(), value);
                }
                None => {
                    let names: Vec<&str> = template
                        .names()
                        .map(|name| name.strip_prefix("settings.").unwrap_or(name))
                        .collect();
                    problems.push(format!(
                        "{} holds a character that the header `{header}` cannot carry, such as a line break or a letter with an accent: set it again, on one line",
                        names.join(" or ")
                    ));
                }
            }
        }
        headers
    }
}

/// The value behind a name of a template.
fn named<'v>(
    open: &'v HashMap<String, String>,
    secrets: &'v HashMap<String, SecretString>,
    name: &str,
) -> Option<&'v str> {
    if let Some(what) = name.strip_prefix("footbridge.") {
        return identity(what);
    }
    let name = name.strip_prefix("settings.")?;
    open.get(name)
        .map(String::as_str)
        .or_else(|| secrets.get(name).map(|secret| secret.expose_secret()))
}

/// What a header may say of this program: its name, its version, and an id of this run.
pub(crate) const IDENTITY: [&str; 3] = ["name", "version", "session"];

fn identity(what: &str) -> Option<&'static str> {
    static SESSION: LazyLock<String> = LazyLock::new(|| uuid::Uuid::new_v4().to_string());
    match what {
        "name" => Some("footbridge"),
        "version" => Some(env!("CARGO_PKG_VERSION")),
        "session" => Some(&SESSION),
        _ => None,
    }
}

/// True when the setting that makes this one needless is set.
fn other_is_set(setting: &Setting, lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    setting
        .unless
        .as_ref()
        .is_some_and(|other| is_set(other, lookup))
}

fn is_set(name: &str, lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| lookup(name).is_some_and(|value| !value.trim().is_empty());
    set(name) || set(&format!("{name}_FILE"))
}

/// Set alone, though it belongs to another one.
fn without_partner(setting: &Setting, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let partner = setting
        .with
        .as_ref()
        .filter(|partner| is_set(&setting.name, lookup) && !is_set(partner, lookup))?;
    Some(format!(
        "{} is set and {partner} is not: set both, or neither",
        setting.name
    ))
}

fn missing(setting: &Setting) -> String {
    let what = setting
        .description
        .as_deref()
        .map(|text| format!(" ({})", text.trim_end_matches('.')))
        .unwrap_or_default();
    let file = if setting.secret {
        format!(", or {}_FILE to the file that holds it", setting.name)
    } else {
        String::new()
    };
    let other = setting
        .unless
        .as_ref()
        .map(|other| format!(", or {other} in its place"))
        .unwrap_or_default();
    format!("{} is not set{what}: set it{file}{other}", setting.name)
}

/// The value as it was given; an empty one, or nothing but blanks, is unset.
fn value(
    setting: &Setting,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<SecretString>, String> {
    let name = &setting.name;
    let direct_value = lookup(name)
        .filter(|value| !value.trim().is_empty())
        .map(SecretString::from);
    let value = match (direct_value, file_of(setting, lookup)) {
        (Some(_), Some(_)) => {
            return Err(format!(
                "{name} and {name}_FILE are both set: set one of them"
            ));
        }
        (Some(value), None) => Some(value),
        (None, Some(path)) => return from_file(name, &path).map(Some),
        (None, None) => setting.default.clone().map(SecretString::from),
    };
    match value {
        Some(value) if value.expose_secret().len() > MAX_VALUE_BYTES => Err(format!(
            "{name} has {} bytes; at most {MAX_VALUE_BYTES} are allowed",
            value.expose_secret().len()
        )),
        Some(value) if is_left_open(setting, value.expose_secret()) => {
            let way = if setting.secret {
                format!(", or {name}_FILE to the file that holds it")
            } else {
                String::new()
            };
            Err(format!(
                "{name} is still a placeholder, such as ${{NAME}} or <your-token>, which nothing was put in the place of: set the value itself{way}"
            ))
        }
        value => Ok(value),
    }
}

/// The file that a secret is to be read from.
fn file_of(setting: &Setting, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    lookup(&format!("{}_FILE", setting.name)).filter(|path| setting.secret && !path.is_empty())
}

/// Whether nobody put the value in. A secret may have anything inside it; no address has such a
/// thing.
fn is_left_open(setting: &Setting, value: &str) -> bool {
    if setting.secret {
        is_placeholder(value)
    } else {
        holds_placeholder(value)
    }
}

/// A secret from a file; one line break at its end is not part of it.
pub(crate) fn from_file(name: &str, path: &str) -> Result<SecretString, String> {
    use std::io::Read;
    let failed = |why: &dyn fmt::Display| {
        format!(
            "{name}_FILE names {path}, which cannot be read ({why}): check the path and its permissions"
        )
    };
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    file.take(MAX_VALUE_BYTES as u64 + 3)
        .read_to_string(&mut text)
        .map_err(|error| failed(&error))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(format!(
            "{name}_FILE names {path}, which is empty: write the value into it"
        ));
    }
    if text.len() > MAX_VALUE_BYTES {
        return Err(format!(
            "{name} has more than {MAX_VALUE_BYTES} bytes; no more are allowed"
        ));
    }
    if is_placeholder(text) {
        return Err(format!(
            "{name}_FILE names {path}, which holds a placeholder, such as <your-token>: write the value into it"
        ));
    }
    Ok(SecretString::from(text.to_owned()))
}

/// The value in its one form. No sentence shows it: a credential may have been set in the wrong
/// place.
fn normal(setting: &Setting, value: &str) -> Result<String, String> {
    let name = &setting.name;
    match setting.kind {
        SettingKind::Text => Ok(with_suffix(setting, value)),
        SettingKind::Integer => {
            let number = value
                .trim()
                .parse::<i64>()
                .map_err(|_| format!("{name} must be a whole number, and is none"))?;
            match (setting.minimum, setting.maximum) {
                (Some(least), _) if number < least => {
                    Err(format!("{name} must be at least {least}, is {number}"))
                }
                (_, Some(most)) if number > most => {
                    Err(format!("{name} must be at most {most}, is {number}"))
                }
                _ => Ok(number.to_string()),
            }
        }
        SettingKind::Choice => {
            let wanted = value.trim();
            let found = setting
                .choices
                .iter()
                .find(|choice| choice.eq_ignore_ascii_case(wanted));
            found.cloned().ok_or_else(|| {
                format!(
                    "{name} must be one of {}, and is none of them",
                    setting.choices.join(", ")
                )
            })
        }
        SettingKind::Boolean => match value.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => Ok("true".into()),
            "false" | "0" | "no" | "off" | "f" | "n" => Ok("false".into()),
            _ => Err(format!("{name} must be true or false, and is neither")),
        },
        SettingKind::Url => {
            let url = address(value).map_err(|why| format!("{name} {why}"))?;
            Ok(with_suffix(setting, url.as_str().trim_end_matches('/')))
        }
    }
}

fn with_suffix(setting: &Setting, value: &str) -> String {
    match &setting.suffix {
        Some(suffix) => {
            let value = value.trim_end_matches('/');
            if value.ends_with(suffix.as_str()) {
                value.to_owned()
            } else {
                format!("{value}{suffix}")
            }
        }
        None => value.to_owned(),
    }
}

/// An address without anything a base must not have. The sentence goes behind the setting's name.
fn address(value: &str) -> Result<Url, String> {
    let url = Url::parse(value.trim());
    if let Ok(url) = &url
        && (!url.username().is_empty() || url.password().is_some())
    {
        return Err(
            "must not hold a user name or password: use the setting for the credential".into(),
        );
    }
    let example = "such as https://example.org";
    let url = url.map_err(|_| format!("must be an address {example}, and is none"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!(
            "must be an http or https address {example}, and is another one"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must have neither `?` nor `#`".into());
    }
    Ok(url)
}

fn base(text: &str) -> Result<Url, String> {
    let mut url = address(text).map_err(|why| format!("the backend's address {why}"))?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

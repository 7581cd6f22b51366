//! The settings file: YAML, unknown keys refused, never needed. Only read here, not weighed against
//! flags and environment.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::data_directory;
use crate::allow::AllowWord;
use crate::cli::{Surface, Transport};
use crate::exit::Trouble;
use crate::setting_table::SETTINGS;
use crate::small_file;
use crate::spelling::did_you_mean;

/// Largest settings file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A settings file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SettingsFile {
    pub(crate) transport: Option<Transport>,
    pub(crate) host: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) public_url: Option<String>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) page: Option<bool>,
    pub(crate) session_idle_minutes: Option<u64>,
    pub(crate) session_hours: Option<u64>,
    pub(crate) require_all: Option<bool>,
    pub(crate) allow: Option<Vec<AllowWord>>,
    pub(crate) groups: Option<Vec<String>>,
    pub(crate) skills: Vec<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) connectors_directory: Option<PathBuf>,
    pub(crate) writes_per_minute: Option<u64>,
    pub(crate) writes_per_hour: Option<u64>,
    pub(crate) writes_at_once: Option<u64>,
    pub(crate) leases_per_caller: Option<u64>,
    pub(crate) lease_minutes: Option<u64>,
    pub(crate) keep_changes_days: Option<u64>,
    pub(crate) keep_changes_mib: Option<u64>,
    pub(crate) keep_audit_days: Option<u64>,
    pub(crate) keep_audit_rows: Option<u64>,
    pub(crate) audit_reads: Option<bool>,
    pub(crate) surface: Option<Surface>,
    pub(crate) query_calls: Option<u64>,
    pub(crate) structured_results: Option<bool>,
    pub(crate) confirm_by_form: Option<bool>,
    pub(crate) metrics: Option<bool>,
    pub(crate) connectors: BTreeMap<String, ConnectorSettings>,
    /// Where it was read; empty where there is none.
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// The part of the file about one connector.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConnectorSettings {
    pub(crate) allow: Option<Vec<AllowWord>>,
    pub(crate) groups: Option<Vec<String>>,
    /// By the names of the connector's own settings; may hold secrets.
    pub(crate) settings: BTreeMap<String, String>,
}

impl fmt::Debug for ConnectorSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.settings.keys().collect();
        formatter
            .debug_struct("ConnectorSettings")
            .field("allow", &self.allow)
            .field("groups", &self.groups)
            .field("settings", &names)
            .finish()
    }
}

impl SettingsFile {
    /// The file that was named, which must be there, or else the user's own, which need not.
    pub(super) fn read(named: Option<PathBuf>) -> Result<Self, Trouble> {
        let (path, is_named) = match named {
            Some(path) => (path, true),
            None => match data_directory::settings_file() {
                Some(path) => (path, false),
                None => return Ok(Self::default()),
            },
        };
        let text = match small_file::read(&path, MAX_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound && !is_named => {
                return Ok(Self::default());
            }
            read => read.map_err(|error| {
                Trouble::usage(format!(
                    "cannot read the settings file {}: {error}",
                    path.display()
                ))
            })?,
        };
        Self::parse(&path, &text)
    }

    pub(crate) fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, Trouble> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        // The reader's snippet would show the file's lines, and they may hold a secret.
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let wrong = |what: String| {
            Trouble::usage(format!(
                "the settings file {}: {what}",
                path.as_ref().display()
            ))
        };
        let file: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| wrong(fault_of(&error, text)))?;
        Ok(Self {
            path: path.as_ref().to_owned(),
            ..file
        })
    }
}

/// What is wrong with a file. Where the reader speaks of its own insides instead of the value that
/// it found, it is said in words for who wrote the file.
fn fault_of(error: &serde_saphyr::Error, text: &str) -> String {
    use serde_saphyr::Error;
    let line = error
        .location()
        .and_then(|place| usize::try_from(place.line()).ok());
    let allowed = line.and_then(|line| allowed_at(text, line));
    match (error.without_snippet(), line, allowed) {
        (Error::DuplicateMappingKey { key: Some(key), .. }, Some(line), _) => {
            format!("line {line}: {key} stands there twice: write it once")
        }
        (
            Error::SerdeUnknownField {
                field, expected, ..
            },
            Some(line),
            _,
        ) => {
            format!("line {line}: {}", unknown_key(field, expected))
        }
        (
            Error::Message { .. }
            | Error::ExternalMessage { .. }
            | Error::SerdeUnknownVariant { .. }
            | Error::SerdeInvalidValue { .. },
            _,
            Some(allowed),
        ) => format!("{}; {allowed}", one_line(error)),
        (_, Some(line), Some(allowed)) => format!("line {line}: {allowed}"),
        (Error::Unexpected { .. }, Some(1), None) => {
            "line 1: each setting is a line of its own, such as `port: 8000`".to_owned()
        }
        _ => one_line(error),
    }
}

/// A key that does not belong where it stands, and where it does: under another name, on the command
/// line, or elsewhere in the file. Where nothing is like it, what may stand there.
fn unknown_key(key: &str, expected: &[&str]) -> String {
    let is_meant = |name: &str| bare(name) == bare(key);
    let row = SETTINGS.into_iter().find(|row| {
        let names = [row.key, row.flag, row.variable];
        names.into_iter().flatten().any(is_meant)
    });
    let meant = match row {
        None => did_you_mean(key, expected.iter().copied()),
        Some(row) => match row.key {
            Some(meant) if expected.contains(&meant) => format!("; did you mean {meant}?"),
            Some(meant) => format!("; {meant} stands at the top of the file, beside connectors"),
            None => {
                let flag = row.flag.map(|flag| format!("--{flag}"));
                let places: Vec<_> = flag.as_deref().into_iter().chain(row.variable).collect();
                format!("; it is set by {}", places.join(" or "))
            }
        },
    };
    if meant.is_empty() {
        format!("{key:?} is no key of it; there are {}", expected.join(", "))
    } else {
        format!("{key:?} is no key of it{meant}")
    }
}

/// The name of a setting without what tells a key from a flag and a variable.
fn bare(name: &str) -> String {
    let name = name.trim_start_matches("--").replace('-', "_");
    name.to_lowercase().replacen("footbridge_", "", 1)
}

fn one_line(error: &serde_saphyr::Error) -> String {
    error.to_string().replace('\n', " ")
}

/// What the setting in a line takes; none for a line that holds no setting of ours.
fn allowed_at(text: &str, line: usize) -> Option<String> {
    let (key, _) = text.lines().nth(line.checked_sub(1)?)?.split_once(':')?;
    let row = SETTINGS
        .into_iter()
        .find(|row| row.key == Some(key.trim()))?;
    Some(format!("{} takes {}", key.trim(), row.kind.allowed()))
}

#[cfg(test)]
mod tests {
    use super::SettingsFile;

    #[test]
    fn an_unknown_key_is_told_where_it_belongs() {
        for (text, fault) in [
            (
                "port: 1\nprot: 2\n",
                "line 2: \"prot\" is no key of it; did you mean port?",
            ),
            (
                "publicUrl: https://x.test",
                "line 1: \"publicUrl\" is no key of it; did you mean public_url?",
            ),
            (
                "ca-file: roots.pem",
                "line 1: \"ca-file\" is no key of it; did you mean ca_file?",
            ),
            (
                "FOOTBRIDGE_PORT: 8000",
                "line 1: \"FOOTBRIDGE_PORT\" is no key of it; did you mean port?",
            ),
            (
                "log: debug",
                "line 1: \"log\" is no key of it; it is set by FOOTBRIDGE_LOG",
            ),
            (
                "log_file: /var/log/footbridge.log",
                "line 1: \"log_file\" is no key of it; it is set by --log-file or \
                 FOOTBRIDGE_LOG_FILE",
            ),
            (
                "connectors:\n  taiga:\n    alow: [write]",
                "line 3: \"alow\" is no key of it; did you mean allow?",
            ),
            (
                "connectors:\n  taiga:\n    port: 8000",
                "line 3: \"port\" is no key of it; port stands at the top of the file, beside \
                 connectors",
            ),
            (
                "connectors:\n  taiga:\n    zebra: 1",
                "line 3: \"zebra\" is no key of it; there are allow, groups, settings",
            ),
        ] {
            let error = SettingsFile::parse("settings.yaml", text).unwrap_err();
            let sentence = format!("the settings file settings.yaml: {fault}");
            assert_eq!(error.to_string(), sentence, "{text}");
        }
        let zebra = SettingsFile::parse("settings.yaml", "zebra: 1").unwrap_err();
        assert!(zebra.to_string().contains("there are transport, host"));
    }

    #[test]
    fn what_is_wrong_is_said_in_words_of_settings() {
        for (text, fault) in [
            ("port: abc", "line 1: port takes a number from 0 to 65535"),
            (
                "page: true\nport: 70000",
                "line 2: port takes a number from 0 to 65535",
            ),
            (
                "transport: [stdio]",
                "line 1: transport takes stdio or http",
            ),
            (
                "transport: pigeon",
                "unknown variant `pigeon`, expected one of stdio, http at line 1, column 12; \
                 transport takes stdio or http",
            ),
            (
                "port: 1\npage: true\nport: 2",
                "line 3: port stands there twice: write it once",
            ),
            (
                "- port",
                "line 1: each setting is a line of its own, such as `port: 8000`",
            ),
            (
                "port = 8000",
                "line 1: each setting is a line of its own, such as `port: 8000`",
            ),
        ] {
            let error = SettingsFile::parse("settings.yaml", text).unwrap_err();
            let sentence = format!("the settings file settings.yaml: {fault}");
            assert_eq!(error.to_string(), sentence, "{text}");
        }
    }

    #[test]
    fn a_secret_in_the_file_is_in_no_debug_output_and_in_no_error() {
        let text = "connectors:\n  prodmcp:\n    settings: { PRODMCP_TOKEN: pat_planted }\n";
        let file = SettingsFile::parse("settings.yaml", text).unwrap();
        assert!(!format!("{file:?}").contains("pat_planted"));
        let error = SettingsFile::parse("settings.yaml", &format!("{text}    alow: [write]\n"))
            .unwrap_err();
        assert!(!error.to_string().contains("pat_planted"), "{error}");
    }
}

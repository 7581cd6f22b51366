//! The environment that the program keeps, and what else the served connectors decide of it before
//! it starts. A server that has secrets in its environment starts itself again without them, so
//! that neither `/proc` nor a child shows them; where a connector wants it (`scrub_environment`),
//! with the variables that it needs and no others. Opens no backend and compiles no connector:
//! what is asked of one is what its file declares.

use std::ffi::{OsStr, OsString};

use footbridge_connector::{
    Connector, Decides, Declaration, DeclaredSetting, Kind, is_needed_variable,
};
#[cfg(unix)]
use secrecy::ExposeSecret as _;
use secrecy::SecretString;

use crate::cli::{Command, CommonOptions};
use crate::connectors;
#[cfg(unix)]
use crate::environment::handed_over::Pipe;
use crate::exit::Trouble;
use crate::settings::Settings;

/// Variables that are kept beside those that any program needs: ours under other names, and those
/// of the runtime.
const KEPT: [&str; 4] = [
    "PORT",
    "ACTION_PROXY_API_KEY",
    "RUST_BACKTRACE",
    "PROGRAMDATA",
];
/// The beginning of variables of ours.
const KEPT_PREFIX: &str = "FOOTBRIDGE_";
/// The end of a variable that names the file of a secret.
const FILE_SUFFIX: &str = "_FILE";

/// The program's own secrets.
const SECRETS: [&str; 4] = [
    "FOOTBRIDGE_TOKEN",
    "FOOTBRIDGE_APPROVER_TOKEN",
    "ACTION_PROXY_API_KEY",
    "MCP_TOKEN",
];

/// Words of a file that wants something before the program starts; others are not looked into.
const WORDS: [&str; 2] = ["scrub_environment", "log_level"];

/// Variables with their values.
type EnvironmentVariables = Vec<(OsString, OsString)>;
/// The declarations of connectors, each with the name it is served by.
type NamedDeclarations = Vec<(String, Declaration)>;

/// Drops what the served connectors want dropped, by starting the program again in the same
/// process; returns when there is nothing to drop, with the log level that a setting of theirs
/// gives.
///
/// # Errors
/// When the program cannot be started again. Nothing was dropped then, so going on would break a
/// promise.
pub(crate) fn drop_unneeded(command: &Command) -> Result<Option<&'static str>, Trouble> {
    let Some((wanted, options)) = command.opens() else {
        return Ok(None);
    };
    // who only asks something is gone before anybody looks
    let stays = matches!(command, Command::Serve(_));
    // What is wrong with the connectors or the settings is said by the command.
    let Ok(Some((settings, served))) = declarations(wanted, options, stays) else {
        return Ok(None);
    };
    let declared = || served.iter().flat_map(|(_, file)| file.settings.iter());
    let (remaining, dropped) = match wants_scrub(served.iter().flat_map(|(_, file)| &file.kinds)) {
        true => sorted(
            std::env::vars_os(),
            &declared()
                .map(|setting| setting.name.as_str())
                .collect::<Vec<_>>(),
        ),
        false => (std::env::vars_os().collect(), 0),
    };
    let (remaining, secrets) = if stays {
        without_secrets(remaining, &secret_names(declared()))
    } else {
        (remaining, Vec::new())
    };
    if dropped > 0 || !secrets.is_empty() {
        start_again(remaining, secrets, dropped > 0)?;
    }
    Ok(served
        .iter()
        .find_map(|(name, file)| level(&settings, name, file)))
}

/// Refuses to go on with an environment that a served connector wants scrubbed, and that is not.
pub(crate) fn check<'c>(
    served: impl Iterator<Item = &'c Connector> + Clone,
) -> Result<(), Trouble> {
    let names = || {
        let settings = served.clone().flat_map(Connector::setting_rules);
        settings
            .map(|setting| setting.name.as_str())
            .collect::<Vec<_>>()
    };
    if cfg!(not(unix))
        || !wants_scrub(served.clone().flat_map(Connector::kinds))
        || sorted(std::env::vars_os(), &names()).1 == 0
    {
        return Ok(());
    }
    Err(Trouble::failed(
        "the environment has variables that the connector wants dropped, and they were not: write the kind as scrub_environment",
    ))
}

/// What the connectors that are opened declare, each with its name, when one of them may want
/// something; of all of them, as the settings of each are kept. One that stays may have secrets in
/// its environment. None when a file has faults that hide what it declares.
fn declarations(
    mut wanted: Vec<String>,
    options: &CommonOptions,
    stays: bool,
) -> Result<Option<(Settings, NamedDeclarations)>, Trouble> {
    let settings = Settings::new(options.clone())?;
    let connectors = settings.connectors()?;
    if wanted.is_empty() {
        wanted.push(connectors::DEFAULT.to_owned());
    }
    let files = wanted
        .iter()
        .map(|name_or_path| connectors.find(name_or_path))
        .collect::<Result<Vec<_>, _>>()?;
    let variables: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    let may_be_settings = variables
        .iter()
        .filter(|name| stays && !is_needed_variable(name) && !name.starts_with(KEPT_PREFIX));
    let words: Vec<&str> = WORDS
        .into_iter()
        .chain(may_be_settings.map(String::as_str))
        .collect();
    if !files
        .iter()
        .any(|file| words.iter().any(|word| file.text.contains(word)))
    {
        return Ok(Some((settings, Vec::new())));
    }
    let declared = files
        .iter()
        .map(connectors::ConnectorFile::declaration)
        .collect::<Option<_>>();
    Ok(declared.map(|declared| (settings, declared)))
}

fn wants_scrub<'k>(mut kinds: impl Iterator<Item = &'k Kind>) -> bool {
    kinds.any(|kind| *kind == Kind::ScrubEnvironment)
}

/// The names of the secrets among these, and of those of the program.
fn secret_names<'s>(settings: impl Iterator<Item = &'s DeclaredSetting>) -> Vec<&'s str> {
    settings
        .filter(|setting| setting.secret)
        .map(|setting| setting.name.as_str())
        .chain(SECRETS)
        .collect()
}

/// The variables apart from secrets, and the secrets. One that is no text stays, to be refused by
/// its name; an empty one says nothing.
fn without_secrets(
    variables: EnvironmentVariables,
    secrets: &[&str],
) -> (EnvironmentVariables, Vec<(String, SecretString)>) {
    let (mut remaining, mut taken) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        match (
            name.to_str().filter(|name| secrets.contains(name)),
            value.to_str().filter(|value| !value.is_empty()),
        ) {
            (Some(name), Some(value)) => taken.push((name.to_owned(), SecretString::from(value))),
            _ => remaining.push((name, value)),
        }
    }
    (remaining, taken)
}

/// How much is logged, by the word of the backend's own server; a word that is none is refused with
/// the other settings.
fn level(settings: &Settings, name: &str, file: &Declaration) -> Option<&'static str> {
    let setting = file
        .settings
        .iter()
        .find(|setting| setting.decides == Some(Decides::LogLevel))?;
    let word = settings
        .of_connector(name, &setting.name)
        .ok()
        .flatten()
        .or_else(|| setting.default.clone())?;
    match word.trim().to_ascii_uppercase().as_str() {
        "DEBUG" => Some("debug"),
        "INFO" => Some("info"),
        "WARNING" => Some("warn"),
        "ERROR" | "CRITICAL" => Some("error"),
        _ => None,
    }
}

fn sorted(
    variables: impl Iterator<Item = (OsString, OsString)>,
    settings: &[&str],
) -> (EnvironmentVariables, usize) {
    let (remaining, dropped): (Vec<_>, Vec<_>) =
        variables.partition(|(name, _)| is_kept(name, settings));
    (remaining, dropped.len())
}

fn is_kept(name: &OsStr, settings: &[&str]) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let setting_name = name.strip_suffix(FILE_SUFFIX).unwrap_or(name);
    let is_setting = settings
        .iter()
        .any(|setting| *setting == name || *setting == setting_name);
    let is_ours = KEPT.iter().any(|known| {
        if cfg!(windows) {
            known.eq_ignore_ascii_case(name)
        } else {
            *known == name
        }
    });
    // the way to a keyring
    let is_of_bus =
        cfg!(feature = "keyring") && matches!(name, "DBUS_SESSION_BUS_ADDRESS" | "XDG_RUNTIME_DIR");
    is_setting || is_ours || is_of_bus || name.starts_with(KEPT_PREFIX) || is_needed_variable(name)
}

/// Starts again with these variables alone, and is handed the secrets. Where that cannot be and
/// nobody was promised it, all stays as it is.
#[cfg(unix)]
fn start_again(
    mut variables: EnvironmentVariables,
    secrets: Vec<(String, SecretString)>,
    is_promised: bool,
) -> Result<(), Trouble> {
    let pipe = Pipe::of(secrets.iter().map(|(name, secret)| (name.as_str(), secret)));
    match &pipe {
        Some(pipe) if !secrets.is_empty() => {
            let (name, number) = pipe.variable();
            variables.push((name.into(), number.into()));
        }
        None if !is_promised => return Ok(()),
        // they stay in the environment, as its own settings always may
        _ => variables.extend(
            secrets
                .iter()
                .map(|(name, secret)| (name.into(), secret.expose_secret().into())),
        ),
    }
    match again(variables) {
        Err(_) if !is_promised => Ok(()),
        outcome => outcome,
    }
}

#[cfg(unix)]
fn again(variables: EnvironmentVariables) -> Result<(), Trouble> {
    use std::os::unix::process::CommandExt;

    let program = std::env::current_exe().map_err(|error| {
        Trouble::failed(format!(
            "cannot drop variables of the environment: the program does not find itself: {error}"
        ))
    })?;
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(own_name) = arguments.next() {
        command.arg0(own_name);
    }
    let error = command.args(arguments).env_clear().envs(variables).exec();
    Err(Trouble::failed(format!(
        "cannot drop variables of the environment: the program did not start again: {error}"
    )))
}

/// Other systems cannot replace a process; what the program starts is given a list of its own
/// there, as everywhere.
#[cfg(not(unix))]
fn start_again(
    _variables: EnvironmentVariables,
    _secrets: Vec<(String, SecretString)>,
    is_promised: bool,
) -> Result<(), Trouble> {
    if is_promised {
        tracing::warn!(
            "variables of the environment are kept: this system cannot start a program again in its own process"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{KEPT, is_kept, sorted, without_secrets};

    #[test]
    fn what_is_neither_needed_nor_a_setting_is_dropped() {
        let settings = ["PTM_API_TOKEN"];
        for name in [
            "PATH",
            "LC_ALL",
            "FOOTBRIDGE_LOG",
            "PTM_API_TOKEN",
            "PTM_API_TOKEN_FILE",
            "https_proxy",
        ] {
            assert!(is_kept(name.as_ref(), &settings), "{name}");
        }
        for name in [
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "PTM_API_TOKEN2",
            "LC",
            "MY_PATH",
            "LD_PRELOAD",
            "path",
            "TAIGA_PASSWORD",
        ] {
            assert!(!is_kept(name.as_ref(), &settings), "{name}");
        }
    }

    #[test]
    fn secrets_are_taken_out_by_their_names() {
        let all = [
            ("A", "planted"),
            ("B", "1"),
            ("FOOTBRIDGE_TOKEN", "planted too"),
            ("C", ""),
            ("A2", "x"),
        ];
        let all = all
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let (kept, secrets) = without_secrets(all, &["A", "C", "FOOTBRIDGE_TOKEN"]);
        assert_eq!(
            kept.iter()
                .filter_map(|(name, _)| name.to_str())
                .collect::<Vec<_>>(),
            ["B", "C", "A2"]
        );
        assert_eq!(
            secrets
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>(),
            ["A", "FOOTBRIDGE_TOKEN"]
        );
    }

    #[test]
    fn a_sorted_environment_has_nothing_left_to_drop() {
        let all = KEPT
            .iter()
            .chain(&["PATH", "LC_ALL", "GITHUB_TOKEN", "A"])
            .map(|name| ((*name).into(), "x".into()));
        let (kept, dropped) = sorted(all, &["A"]);
        assert_eq!((kept.len(), dropped), (KEPT.len() + 3, 1));
        assert_eq!(sorted(kept.into_iter(), &["A"]).1, 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_dropped() {
        use std::os::unix::ffi::OsStrExt;
        assert!(!is_kept(std::ffi::OsStr::from_bytes(b"PATH\xff"), &[]));
    }
}

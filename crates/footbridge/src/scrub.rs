//! The environment that the program keeps, and what else the served connectors decide of it before it starts. Where one wants it
//! (`scrub_environment`), the program starts itself again with the variables that it needs and no others, so that neither `/proc` nor a
//! child shows more. Opens no backend.

use std::ffi::{OsStr, OsString};

use footbridge_connector::{Connector, Decides, Kind, is_needed_variable};

use crate::cli::{Command, CommonOptions};
use crate::connectors;
use crate::exit::Trouble;
use crate::settings::Settings;

/// Variables that are kept beside those that any program needs: ours under other names, and those of the runtime.
const KEPT: [&str; 4] = ["PORT", "ACTION_PROXY_API_KEY", "RUST_BACKTRACE", "PROGRAMDATA"];
/// What variables of ours begin with.
const KEPT_PREFIX: &str = "FOOTBRIDGE_";
/// What the variable ends with that names the file of a secret.
const FILE_SUFFIX: &str = "_FILE";

/// What a file says that wants something before the program starts; others are not compiled for it.
const WORDS: [&str; 2] = ["scrub_environment", "log_level"];

/// Drops what the served connectors want dropped, by starting the program again in the same process; returns when there is nothing to
/// drop, with the log level that a setting of theirs gives.
///
/// # Errors
/// When the program cannot be started again. Nothing was dropped then, so going on would break a promise.
pub(crate) fn settle(command: &Command) -> Result<Option<&'static str>, Trouble> {
    let Some((wanted, options)) = command.opens() else { return Ok(None) };
    // What is wrong with the connectors or the settings is said by the command.
    let Ok((settings, served)) = served(wanted, options) else { return Ok(None) };
    if wants_scrub(served.iter().map(|(_, connector)| connector)) {
        let (kept, dropped) = sorted(std::env::vars_os(), &names(served.iter().map(|(_, connector)| connector)));
        if dropped > 0 {
            start_again(kept)?;
        }
    }
    Ok(served.iter().find_map(|(name, connector)| level(&settings, name, connector)))
}

/// Refuses to go on with an environment that a served connector wants scrubbed, and that is not.
pub(crate) fn check<'c>(served: impl Iterator<Item = &'c Connector> + Clone) -> Result<(), Trouble> {
    if cfg!(not(unix)) || !wants_scrub(served.clone()) || sorted(std::env::vars_os(), &names(served)).1 == 0 {
        return Ok(());
    }
    Err(Trouble::failed(
        "the environment has variables that the connector wants dropped, and they were not: write the kind as scrub_environment",
    ))
}

/// The connectors that are opened, when one of them may want something; all of them, as the settings of each are kept.
fn served(mut wanted: Vec<String>, options: &CommonOptions) -> Result<(Settings, Vec<(String, Connector)>), Trouble> {
    let settings = Settings::new(options.clone())?;
    let connectors = settings.connectors()?;
    if wanted.is_empty() {
        wanted.push(connectors::DEFAULT.to_owned());
    }
    let files = wanted.iter().map(|one| connectors.find(one)).collect::<Result<Vec<_>, _>>()?;
    if !files.iter().any(|file| WORDS.iter().any(|word| file.text.contains(word))) {
        return Ok((settings, Vec::new()));
    }
    let compiled = files.iter().map(connectors::ConnectorFile::compile).collect::<Result<_, _>>()?;
    Ok((settings, compiled))
}

fn wants_scrub<'c>(mut served: impl Iterator<Item = &'c Connector>) -> bool {
    served.any(|connector| connector.kinds().contains(&Kind::ScrubEnvironment))
}

fn names<'c>(served: impl Iterator<Item = &'c Connector>) -> Vec<&'c str> {
    served.flat_map(|connector| connector.setting_rules().iter().map(|rule| rule.name.as_str())).collect()
}

/// How much is logged, by the word of the backend's own server; a word that is none is refused with the other settings.
fn level(settings: &Settings, name: &str, connector: &Connector) -> Option<&'static str> {
    let rule = connector.setting_rules().iter().find(|rule| rule.decides == Some(Decides::LogLevel))?;
    let said = settings.of_connector(name, &rule.name).ok().flatten().or_else(|| rule.default.clone())?;
    match said.trim().to_ascii_uppercase().as_str() {
        "DEBUG" => Some("debug"),
        "INFO" => Some("info"),
        "WARNING" => Some("warn"),
        "ERROR" | "CRITICAL" => Some("error"),
        _ => None,
    }
}

fn sorted(variables: impl Iterator<Item = (OsString, OsString)>, settings: &[&str]) -> (Vec<(OsString, OsString)>, usize) {
    let (kept, dropped): (Vec<_>, Vec<_>) = variables.partition(|(name, _)| is_kept(name, settings));
    (kept, dropped.len())
}

fn is_kept(name: &OsStr, settings: &[&str]) -> bool {
    let Some(name) = name.to_str() else { return false };
    let own = name.strip_suffix(FILE_SUFFIX).unwrap_or(name);
    let is_setting = settings.iter().any(|setting| *setting == name || *setting == own);
    let is_ours = KEPT.iter().any(|kept| if cfg!(windows) { kept.eq_ignore_ascii_case(name) } else { *kept == name });
    is_setting || is_ours || name.starts_with(KEPT_PREFIX) || is_needed_variable(name)
}

#[cfg(unix)]
fn start_again(kept: Vec<(OsString, OsString)>) -> Result<(), Trouble> {
    use std::os::unix::process::CommandExt;

    let program = std::env::current_exe().map_err(|error| {
        Trouble::failed(format!("cannot drop variables of the environment: the program does not find itself: {error}"))
    })?;
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(own_name) = arguments.next() {
        command.arg0(own_name);
    }
    let error = command.args(arguments).env_clear().envs(kept).exec();
    Err(Trouble::failed(format!("cannot drop variables of the environment: the program did not start again: {error}")))
}

/// Other systems cannot replace a process; what the program starts is given a list of its own there, as everywhere.
#[cfg(not(unix))]
fn start_again(_kept: Vec<(OsString, OsString)>) -> Result<(), Trouble> {
    tracing::warn!("variables of the environment are kept: this system cannot start a program again in its own process");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{KEPT, is_kept, sorted};

    #[test]
    fn what_is_neither_needed_nor_a_setting_is_dropped() {
        let settings = ["PTM_API_TOKEN"];
        for name in ["PATH", "LC_ALL", "FOOTBRIDGE_LOG", "PTM_API_TOKEN", "PTM_API_TOKEN_FILE", "https_proxy"] {
            assert!(is_kept(name.as_ref(), &settings), "{name}");
        }
        for name in
            ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PTM_API_TOKEN2", "LC", "MY_PATH", "LD_PRELOAD", "path", "TAIGA_PASSWORD"]
        {
            assert!(!is_kept(name.as_ref(), &settings), "{name}");
        }
    }

    #[test]
    fn a_sorted_environment_has_nothing_left_to_drop() {
        let all = KEPT.iter().chain(&["PATH", "LC_ALL", "GITHUB_TOKEN", "A"]).map(|name| ((*name).into(), "x".into()));
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

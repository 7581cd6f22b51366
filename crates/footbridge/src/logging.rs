//! The log: lines on stderr or at the end of a file, filtered by `FOOTBRIDGE_LOG`, coloured on a
//! terminal only, as text or as JSON. Results and protocol never pass through here.

use std::fs::{File, OpenOptions};
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::environment::variable;
use crate::exit::Trouble;

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

const VARIABLE: &str = "FOOTBRIDGE_LOG";
const DEFAULT: &str = "warn";

/// Starts the log. A filter that cannot be read is said and replaced by the default, which is
/// `level` where a connector's setting gives one.
///
/// # Errors
/// When the file cannot be written. The log goes to stderr then.
pub(crate) fn start(
    level: Option<&'static str>,
    format: Option<LogFormat>,
    file: Option<&Path>,
) -> Result<(), Trouble> {
    let default = level.unwrap_or(DEFAULT);
    let wanted = variable(VARIABLE).ok().flatten();
    let filter = wanted.as_deref().map(EnvFilter::try_new).transpose();
    let (filter, refused) = match filter {
        Ok(filter) => (filter.unwrap_or_else(|| EnvFilter::new(default)), None),
        Err(error) => (EnvFilter::new(default), Some(error)),
    };
    let is_coloured = file.is_none() && std::io::stderr().is_terminal();
    let (writer, outcome) = match file.map(open).transpose() {
        Ok(Some(file)) => (BoxMakeWriter::new(Mutex::new(file)), Ok(())),
        Ok(None) => (BoxMakeWriter::new(std::io::stderr), Ok(())),
        Err(trouble) => (BoxMakeWriter::new(std::io::stderr), Err(trouble)),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(is_coloured)
        .with_target(false);
    match format {
        Some(LogFormat::Json) => log.json().flatten_event(true).with_ansi(false).init(),
        Some(LogFormat::Text) | None => log.init(),
    }
    if let Some(error) = refused {
        tracing::warn!(%error, "{VARIABLE} is no log filter such as info or footbridge=debug; using {default}");
    }
    // A panic is our bug: one line, without the values that a panic message may repeat.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(%place, "a bug in footbridge; please report it");
    }));
    outcome
}

/// The end of the file, which is made for its owner alone where there is none.
fn open(path: &Path) -> Result<File, Trouble> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| {
        Trouble::usage(format!(
            "the log file {} cannot be written: {error}",
            path.display()
        ))
    })
}

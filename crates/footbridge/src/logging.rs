//! The log: lines on stderr, filtered by `FOOTBRIDGE_LOG`, coloured on a terminal only. Results and
//! protocol never pass through here.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::environment::variable;

const VARIABLE: &str = "FOOTBRIDGE_LOG";
const DEFAULT: &str = "warn";

/// Starts the log. A filter that cannot be read is said and replaced by the default, which is
/// `level` where a connector's setting gives one.
pub(crate) fn start(level: Option<&'static str>) {
    let default = level.unwrap_or(DEFAULT);
    let wanted = variable(VARIABLE).ok().flatten();
    let filter = wanted.as_deref().map(EnvFilter::try_new).transpose();
    let (filter, refused) = match filter {
        Ok(filter) => (filter.unwrap_or_else(|| EnvFilter::new(default)), None),
        Err(error) => (EnvFilter::new(default), Some(error)),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
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
}

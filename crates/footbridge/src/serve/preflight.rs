//! What connectors ask before they are served: a refusal ends the program with the exit code that the connector file gives it.

use crate::exit::Trouble;
use crate::opened::Opened;
use crate::terminal;

/// Runs every check of every connector. Beside others, a backend that is only down does not keep the rest from being served, unless
/// `require_all`; one that refuses always does.
pub(super) async fn run(opened: &Opened, require_all: bool) -> Result<(), Trouble> {
    let is_alone = opened.served.len() == 1;
    for served in &opened.served {
        let failure = match served.backend.preflight().await {
            Ok(warnings) => {
                for warning in warnings {
                    terminal::say(format_args!("footbridge: warning: {}: {warning}", served.name));
                }
                continue;
            }
            Err(failure) => failure,
        };
        if failure.is_down && !is_alone && !require_all {
            terminal::say(format_args!(
                "footbridge: warning: {} is down, so its calls fail until it is back: {failure}",
                served.name
            ));
            continue;
        }
        let code = if is_alone { failure.exit } else { 1 };
        return Err(Trouble::with_code(code, format!("{}: {failure}", served.name)));
    }
    Ok(())
}

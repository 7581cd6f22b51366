//! The one place that prints: results to stdout, everything else to stderr. Never used for stdout while stdio is served.

use std::fmt::Display;
use std::io::{self, Write};

use crate::exit::Trouble;

/// A command's result.
///
/// # Errors
/// When stdout takes no more, except that a reader which has seen enough is no error.
pub(crate) fn print(text: impl Display) -> Result<(), Trouble> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Trouble::failed(format!("could not write the result: {error}")))
        }
        _ => Ok(()),
    }
}

/// Something for the person at the terminal.
pub(crate) fn say(text: impl Display) {
    // Without a stderr there is nobody to tell.
    let _said = writeln!(io::stderr(), "{text}");
}

/// Why the program ends, in one line.
pub(crate) fn complain(trouble: &Trouble) {
    let text = trouble.to_string();
    say(format_args!("footbridge: {}", text.lines().collect::<Vec<_>>().join("; ")));
}

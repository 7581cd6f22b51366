//! The terminal, the one place that prints: results to stdout, everything else to stderr. Never
//! used for stdout while stdio is served.

mod progress_line;
mod questions;

use std::fmt::Display;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write};

use crate::exit::Trouble;
pub(crate) use progress_line::ProgressLine;
pub(crate) use questions::{TerminalAnswer, TerminalQuestions};

/// Bytes of an answer to a question.
const MAX_ANSWER: u64 = 100;

/// A command's result.
///
/// # Errors
/// When stdout takes no more, except that a reader which has seen enough is no error.
pub(crate) fn print(text: impl Display) -> Result<(), Trouble> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Trouble::failed(format!(
            "could not write the result: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Whether results may have colours: a person looks at them and has not said otherwise.
pub(crate) fn is_coloured() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// How many columns the terminal has to which results go; none where it is none, or does not say.
pub(crate) fn width() -> Option<usize> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }
    #[cfg(not(unix))]
    None
}

/// What a stranger says, as it may be shown on a terminal: without control characters, which could
/// move its cursor.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || *c == '\n' || *c == '\t')
        .collect()
}

/// Whether the person at the terminal agrees; no answer is a no.
///
/// # Errors
/// When the terminal cannot be read.
pub(crate) fn agrees(question: impl Display) -> Result<bool, Trouble> {
    let mut stderr = io::stderr();
    let _asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(MAX_ANSWER)
        .read_line(&mut line)
        .map_err(|error| Trouble::failed(format!("could not read the answer: {error}")))?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// The word before what went well; green where results have colours.
pub(crate) fn ok() -> &'static str {
    if is_coloured() {
        "\u{1b}[32mok\u{1b}[0m"
    } else {
        "ok"
    }
}

/// Whether a person is there to answer.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Something for the person at the terminal.
pub(crate) fn say(text: impl Display) {
    // Without a stderr there is nobody to tell.
    let _said = writeln!(io::stderr(), "{text}");
}

/// Why the program ends: each problem in a line of its own.
pub(crate) fn complain(trouble: &Trouble) {
    for problem in trouble.to_string().lines().filter(|line| !line.is_empty()) {
        say(format_args!("{}: {problem}", trouble.label()));
    }
}

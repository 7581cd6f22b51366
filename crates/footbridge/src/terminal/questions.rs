//! Questions for whoever starts a command: hidden where that is wanted, answered at the terminal or
//! from the lines of stdin, and ended by the end of input or by an interruption, which leaves the
//! terminal as it was.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use secrecy::SecretString;
#[cfg(unix)]
use tokio::signal::unix::Signal as Interrupts;
#[cfg(windows)]
use tokio::signal::windows::CtrlC as Interrupts;

use crate::exit::Trouble;

/// Bytes of an answer.
const MAX_ANSWER: u64 = 64 << 10;

/// What came of a question.
pub(crate) enum TerminalAnswer {
    Given(SecretString),
    /// The input ended, or somebody interrupted it.
    End,
}

/// Whoever answers.
pub(crate) struct TerminalQuestions {
    is_person: bool,
    /// What Ctrl-C comes by, from before the first question to the end: none that comes between
    /// two questions is lost.
    interrupts: Option<Interrupts>,
}

/// Without them Ctrl-C ends the program at once, as it does any other.
fn interrupts() -> Option<Interrupts> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        signal(SignalKind::interrupt()).ok()
    }
    #[cfg(windows)]
    tokio::signal::windows::ctrl_c().ok()
}

impl TerminalQuestions {
    pub(crate) fn new() -> Self {
        let is_person = io::stdin().is_terminal();
        Self {
            is_person,
            interrupts: is_person.then(interrupts).flatten(),
        }
    }

    /// Whether somebody sits there, who sees the questions.
    pub(crate) fn is_person(&self) -> bool {
        self.is_person
    }

    /// Waits until the person presses Ctrl-C.
    pub(crate) async fn interruption(&mut self) {
        match &mut self.interrupts {
            Some(interrupts) => drop(interrupts.recv().await),
            None => std::future::pending().await,
        }
    }

    /// The next line of stdin.
    pub(crate) fn line(&mut self) -> Result<TerminalAnswer, Trouble> {
        read_line()
    }

    /// A question whose answer nobody sees.
    pub(crate) async fn hidden(&mut self, question: &str) -> Result<TerminalAnswer, Trouble> {
        if !self.is_person {
            ask(question)?;
            return read_line();
        }
        let question = question.to_owned();
        self.waited(move || match rpassword::prompt_password(question) {
            Ok(answer) => Ok(TerminalAnswer::Given(SecretString::from(answer))),
            // Ctrl-D, and Ctrl-C, which comes as a signal too
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(TerminalAnswer::End)
            }
            Err(error) => Err(unreadable(error)),
        })
        .await
    }

    /// A question whose answer is seen.
    pub(crate) async fn open(&mut self, question: &str) -> Result<TerminalAnswer, Trouble> {
        ask(question)?;
        if !self.is_person {
            return read_line();
        }
        self.waited(read_line).await
    }

    /// An answer that somebody takes time for, or Ctrl-C.
    async fn waited(
        &mut self,
        answer: impl FnOnce() -> Result<TerminalAnswer, Trouble> + Send + 'static,
    ) -> Result<TerminalAnswer, Trouble> {
        let terminal = SavedTerminal::of_stdin();
        let answer = tokio::task::spawn_blocking(answer);
        tokio::select! {
            answer = answer => answer.unwrap_or(Ok(TerminalAnswer::End)),
            () = self.interruption() => {
                terminal.restore();
                Ok(TerminalAnswer::End)
            }
        }
    }
}

fn ask(question: &str) -> Result<(), Trouble> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(question.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Trouble::failed(format!("could not ask: {error}")))
}

fn read_line() -> Result<TerminalAnswer, Trouble> {
    let mut line = String::new();
    let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut line);
    match read.map_err(unreadable)? {
        0 => Ok(TerminalAnswer::End),
        _ => Ok(TerminalAnswer::Given(SecretString::from(
            line.trim_end_matches(['\r', '\n']).to_owned(),
        ))),
    }
}

fn unreadable(error: io::Error) -> Trouble {
    Trouble::failed(format!("could not read the answer: {error}"))
}

/// How the terminal was before a question that hides its answer.
struct SavedTerminal {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl SavedTerminal {
    fn of_stdin() -> Self {
        Self {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }

    fn restore(&self) {
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            use rustix::termios::{OptionalActions, tcsetattr};

            // a terminal that is gone needs nothing
            let _restored = tcsetattr(io::stdin(), OptionalActions::Now, modes);
        }
    }
}

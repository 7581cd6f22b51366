//! The questions of a login: hidden where that is wanted, answered at the terminal or from the lines
//! of stdin, and ended by the end of input or by an interruption, which leaves the terminal as it
//! was.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use footbridge_connector::Connector;
use secrecy::SecretString;

use crate::exit::Trouble;
use crate::terminal;

/// Bytes of an answer.
const MAX_ANSWER: u64 = 16 << 10;

/// What came of a question.
pub(super) enum PromptAnswer {
    Given(SecretString),
    /// The input ended, or somebody interrupted it.
    End,
}

/// Whoever answers.
pub(super) struct LoginQuestions {
    is_person: bool,
}

impl LoginQuestions {
    pub(super) fn new() -> Self {
        Self {
            is_person: io::stdin().is_terminal(),
        }
    }

    /// The next line of stdin.
    pub(super) fn line(&mut self) -> Result<PromptAnswer, Trouble> {
        read_line()
    }

    /// A question whose answer nobody sees.
    pub(super) async fn hidden(&mut self, question: &str) -> Result<PromptAnswer, Trouble> {
        if !self.is_person {
            ask(question)?;
            return read_line();
        }
        let question = question.to_owned();
        waited(move || match rpassword::prompt_password(question) {
            Ok(answer) => Ok(PromptAnswer::Given(SecretString::from(answer))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(PromptAnswer::End),
            Err(error) => Err(unreadable(error)),
        })
        .await
    }

    /// A question whose answer is seen.
    pub(super) async fn open(&mut self, question: &str) -> Result<PromptAnswer, Trouble> {
        ask(question)?;
        if !self.is_person {
            return read_line();
        }
        waited(read_line).await
    }
}

/// An answer that somebody takes time for, or SIGINT.
async fn waited(
    answer: impl FnOnce() -> Result<PromptAnswer, Trouble> + Send + 'static,
) -> Result<PromptAnswer, Trouble> {
    let terminal = SavedTerminal::of_stdin();
    let answer = tokio::task::spawn_blocking(answer);
    tokio::select! {
        answer = answer => answer.unwrap_or(Ok(PromptAnswer::End)),
        _ = tokio::signal::ctrl_c() => {
            terminal.restore();
            Ok(PromptAnswer::End)
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

fn read_line() -> Result<PromptAnswer, Trouble> {
    let mut line = String::new();
    let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut line);
    match read.map_err(unreadable)? {
        0 => Ok(PromptAnswer::End),
        _ => Ok(PromptAnswer::Given(SecretString::from(
            line.trim_end_matches(['\r', '\n']).to_owned(),
        ))),
    }
}

fn unreadable(error: io::Error) -> Trouble {
    Trouble::failed(format!("could not read the answer: {error}"))
}

/// What a setting is called when somebody is asked for it.
pub(super) fn label(connector: &Connector, setting: &str) -> String {
    let mut rules = connector.setting_rules().iter();
    let rule = rules.find(|rule| rule.name == setting);
    let description = rule.and_then(|rule| rule.description.as_deref());
    let description = description.map(|text| text.trim_end_matches('.').trim());
    terminal::harmless(
        description
            .filter(|text| !text.is_empty())
            .unwrap_or(setting),
    )
}

/// A label within a sentence.
pub(super) fn lower(label: &str) -> String {
    let mut letters = label.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    let is_word = !letters.as_str().starts_with(char::is_uppercase);
    match first.filter(|_| is_word) {
        Some(first) => first + letters.as_str(),
        None => label.to_owned(),
    }
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

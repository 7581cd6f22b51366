//! The end of the program: the exit codes, and the lines that say why it failed.

use std::fmt;
use std::process::ExitCode;
use std::sync::OnceLock;

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0
    Done,
    /// 1
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// A code that a connector file gives to a check before it is served.
    Code(u8),
    /// 130: SIGINT.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Code(code) => code,
            Exit::Interrupted => 130,
        })
    }
}

/// What mistakes in the settings of a backend begin with, where it is not what all do.
static CONFIGURATION_LABEL: OnceLock<&str> = OnceLock::new();

/// Labels mistakes in the settings of a backend, for programs that look for that label.
pub(crate) fn label_configuration(label: &'static str) {
    let _is_first = CONFIGURATION_LABEL.set(label);
}

/// The reason why a command could not be carried out, for the person who gave it.
#[derive(Debug)]
pub(crate) struct Trouble {
    exit: Exit,
    /// The settings of a backend are to blame.
    is_configuration: bool,
    message: String,
}

impl Trouble {
    /// The command or the settings are wrong.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Usage,
            is_configuration: false,
            message: message.to_string(),
        }
    }

    /// The settings of a backend are missing or wrong.
    pub(crate) fn configuration(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Usage,
            is_configuration: true,
            message: message.to_string(),
        }
    }

    /// Command and settings are right; something else was in the way.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Failed,
            is_configuration: false,
            message: message.to_string(),
        }
    }

    /// Command and settings are right, and a backend refused; the code is its connector's.
    pub(crate) fn with_code(code: u8, message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Code(code),
            is_configuration: false,
            message: message.to_string(),
        }
    }

    /// What each of its lines begins with.
    pub(crate) fn label(&self) -> &'static str {
        let of_configuration = CONFIGURATION_LABEL.get().filter(|_| self.is_configuration);
        of_configuration.copied().unwrap_or("footbridge")
    }

    /// Whether the settings of a backend are to blame.
    pub(crate) fn is_configuration(&self) -> bool {
        self.is_configuration
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

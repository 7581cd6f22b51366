//! The end of the program: the exit codes, and the one line that says why it failed.

use std::fmt;
use std::process::ExitCode;

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

    /// What its line begins with.
    pub(crate) fn label(&self) -> &'static str {
        if self.is_configuration {
            "Configuration error"
        } else {
            "footbridge"
        }
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

/// Shows what the command line's reader has to say: help and version end well, mistakes do not.
pub(crate) fn of_command_line(error: &clap::Error) -> ExitCode {
    shown(error).into()
}

/// The same, for a command line within a command.
pub(crate) fn shown(error: &clap::Error) -> Exit {
    // Nobody is left to tell when the terminal is gone.
    let _shown = error.print();
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

//! The program listening over HTTP, with everything it logs at the finest level; ended with the
//! test.

use std::process::Command;

use super::process::{Home, Running};

pub(crate) struct Listening {
    running: Running,
    /// `http://127.0.0.1:1234`.
    pub(crate) url: String,
    _home: Home,
}

impl Listening {
    /// Serves `connector` with nothing but these variables.
    pub(crate) fn start<'s>(
        connector: &str,
        arguments: &[&str],
        variables: impl IntoIterator<Item = (&'s str, String)>,
    ) -> Self {
        let home = Home::new();
        let mut command = home.command(&["serve", connector]);
        command
            .args(arguments)
            .env("FOOTBRIDGE_LOG", "trace")
            .envs(variables);
        Self::of(home, command)
    }

    /// A command that serves, in that home.
    pub(crate) fn of(home: Home, mut command: Command) -> Self {
        let (running, url) = Running::start_http(&mut command);
        Self {
            running,
            url,
            _home: home,
        }
    }

    /// The most memory it ever had.
    pub(crate) fn most_memory_mib(&self) -> u64 {
        self.running.most_memory_mib()
    }

    /// Kills it; everything it logged.
    pub(crate) fn stop(self) -> String {
        self.running.kill().stderr
    }
}

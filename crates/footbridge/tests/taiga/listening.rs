//! The program listening over HTTP, with everything it logs; ended with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;

use crate::served::PROGRAM;

pub(crate) struct Listening {
    child: Child,
    /// `http://127.0.0.1:1234`.
    pub(crate) url: String,
    reading: Option<JoinHandle<String>>,
    _home: TempDir,
}

impl Listening {
    /// Serves `connector` with nothing but these variables, at the finest log level.
    pub(crate) fn start<'s>(connector: &str, arguments: &[&str], variables: impl IntoIterator<Item = (&'s str, String)>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["serve", connector, "--transport", "http", "--port", "0"]).args(arguments);
        command.env_clear().env("HOME", home.path()).env("FOOTBRIDGE_LOG", "trace").envs(variables);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = String::new();
        let url = lines.by_ref().find_map(|line| {
            said.extend([line.as_str(), "\n"]);
            let is_address = |word: &&str| word.starts_with("http://127.0.0.1:") && word.ends_with("/mcp");
            line.split_whitespace().find(is_address).map(|url| url.trim_end_matches("/mcp").to_owned())
        });
        let url = url.unwrap_or_else(|| panic!("the program never said where it listens:\n{said}"));
        // What it says later must not fill the pipe.
        let reading = std::thread::spawn(move || {
            for line in lines {
                said.extend([line.as_str(), "\n"]);
            }
            said
        });
        Self { child, url, reading: Some(reading), _home: home }
    }

    /// The most memory it ever had.
    pub(crate) fn most_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Ends it; everything it logged.
    pub(crate) fn stop(mut self) -> String {
        self.child.kill().unwrap();
        self.reading.take().unwrap().join().unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

//! Starting the program in a home of its own, and everything it says and is told.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::wire::Wire;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_footbridge");

/// Long enough for a loaded machine; whoever waits longer waits in vain.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A user's home: data and settings are below it, and nothing of the real user is seen.
pub(crate) struct Home(TempDir);

/// Files in memory, where a machine has such a place. A disk may take a tenth of a second for each
/// write that must not be lost, as it does behind a build, and what runs at its end is given five
/// seconds by the program.
const MEMORY: &str = "/dev/shm";

impl Home {
    pub(crate) fn new() -> Self {
        Self(
            tempfile::tempdir_in(MEMORY)
                .or_else(|_| tempfile::tempdir())
                .unwrap(),
        )
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the board is kept when nothing is said.
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join(".local/share/footbridge")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("footbridge.db")
    }

    /// Writes a file below the home and gives its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program with an environment that holds this home alone; no stdin.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.other_program(PROGRAM, arguments)
    }

    /// Another program in the same environment, which may start ours.
    pub(crate) fn other_program(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Running::start(&mut self.command(arguments)).ended()
    }

    /// Runs a command that must do what it says, and gives its stdout.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// A personal access token of an account, by the command that makes one.
    pub(crate) fn token(&self, account: &str) -> String {
        self.succeed(&["token", "create", "test", "--account", account])
            .trim()
            .to_owned()
    }
}

/// How it ended and all it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The one line in which the program says why it will not go on: nothing else on stderr,
    /// nothing on stdout.
    #[track_caller]
    pub(crate) fn complaint(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        let said = self.stderr.strip_prefix("footbridge: ");
        said.unwrap_or_else(|| panic!("{self:?}")).trim_end()
    }
}

/// The program while it runs. Killed with the test.
pub(crate) struct Running {
    child: Child,
    pub(crate) input: Option<ChildStdin>,
    output: Lines,
    errors: Lines,
    wire: Box<Wire>,
}

impl Running {
    /// Starts it; stdin is what the command says.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = Lines::of(child.stdout.take().unwrap());
        let errors = Lines::of(child.stderr.take().unwrap());
        Self {
            child,
            input,
            output,
            errors,
            wire: Box::default(),
        }
    }

    /// Starts it with a pipe as its stdin. Until that is closed, the program ends for reasons of
    /// its own alone, however long they take.
    pub(crate) fn start_piped(command: &mut Command) -> Self {
        Self::start(command.stdin(Stdio::piped()))
    }

    /// Starts it as an HTTP server on a free port and waits until it says where.
    pub(crate) fn start_http(command: &mut Command) -> (Self, String) {
        let mut running = Self::start(command.args(["--transport", "http", "--port", "0"]));
        let base = running.address();
        (running, base)
    }

    /// Waits for the address that it says it listens on, such as `http://127.0.0.1:1234`.
    pub(crate) fn address(&mut self) -> String {
        let line = self.error_line(|line| line.trim_start().starts_with("MCP "));
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .strip_suffix("/mcp")
            .unwrap()
            .to_owned()
    }

    /// Waits for a line on stderr.
    pub(crate) fn error_line(&mut self, is_wanted: impl Fn(&str) -> bool) -> String {
        loop {
            match self.errors.next() {
                Some(line) if is_wanted(&line) => return line,
                Some(_) => {}
                None => panic!(
                    "it ended without the line that was waited for; it said:\n{}",
                    self.errors.said
                ),
            }
        }
    }

    /// All that was read from stderr so far.
    pub(crate) fn said(&self) -> &str {
        &self.errors.said
    }

    /// What its stdin holds although this did not send it.
    pub(crate) fn is_told(&mut self, lines: impl AsRef<[u8]>) {
        self.wire.sent_lines(lines.as_ref());
    }

    pub(crate) fn send(&mut self, line: impl AsRef<[u8]>) {
        self.wire.sent_lines(line.as_ref());
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_ref()).unwrap();
        input.write_all(b"\n").unwrap();
    }

    /// The next line on stdout; none at its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let line = self.output.next()?;
        self.hold(&line);
        Some(line)
    }

    /// A message is held to the schema; other lines are not of MCP.
    fn hold(&mut self, line: &str) {
        if let Ok(message) = serde_json::from_str::<Value>(line)
            && message
                .as_array()
                .map_or(Some(&message), |batch| batch.first())
                .is_some_and(|one| one.get("jsonrpc").is_some())
        {
            self.wire.received(&message);
        }
    }

    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, which must come by itself.
    pub(crate) fn ended(mut self) -> Ended {
        while self.line().is_some() {}
        while self.errors.next().is_some() {}
        let (stdout, stderr) = (
            std::mem::take(&mut self.output.said),
            std::mem::take(&mut self.errors.said),
        );
        // No test that reads through pipes gives a terminal, so nothing may be drawn or coloured.
        for said in [&stdout, &stderr] {
            assert!(
                !said.contains('\u{1b}'),
                "drawn where no terminal is: {said:?}"
            );
        }
        Ended {
            code: self.child.wait().unwrap().code(),
            stdout,
            stderr,
        }
    }

    /// Ends it with SIGTERM and waits.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.ended()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it ever had.
    pub(crate) fn most_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        line.split_whitespace()
            .next()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            / 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A process whose streams a test holds itself. Killed with the test.
pub(crate) struct Spawned(Child);

impl Spawned {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Its stdin, for the test to hold.
    pub(crate) fn take_input(&mut self) -> ChildStdin {
        self.0.stdin.take().unwrap()
    }

    /// Waits until it closes its stderr and is gone; gives the code and what it said there.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let mut errors = Lines::of(self.0.stderr.take().unwrap());
        while errors.next().is_some() {}
        (
            self.0.wait().unwrap().code(),
            std::mem::take(&mut errors.said),
        )
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// The lines of a stream, read by a thread, waited for no longer than the deadline.
struct Lines {
    lines: Receiver<Vec<u8>>,
    said: String,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|count| count > 0)
            {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self {
            lines,
            said: String::new(),
        }
    }

    fn next(&mut self) -> Option<String> {
        let started = Instant::now();
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => {
                let line = String::from_utf8(line).expect("what the program says is UTF-8");
                self.said.push_str(&line);
                Some(line.trim_end_matches('\n').to_owned())
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!(
                "nothing was said within {:?}; before:\n{}",
                started.elapsed(),
                self.said
            ),
        }
    }
}

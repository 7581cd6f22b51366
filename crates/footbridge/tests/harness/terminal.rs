//! The program at a terminal of its own, as a person has it: what is typed, what is shown, and
//! whether it shows what is typed.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::process::{DEADLINE, Home, PROGRAM};

/// How long nothing is shown before the program is looked at again: its end shows nothing.
const LOOK: Duration = Duration::from_millis(20);

/// A terminal that nobody looks at yet.
pub(crate) struct Terminal {
    ours: File,
    theirs: OwnedFd,
}

impl Terminal {
    /// One with this many columns.
    pub(crate) fn new(columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 50,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&theirs, size).unwrap();
        Self {
            ours: File::from(ours),
            theirs,
        }
    }

    /// The side that a program is given.
    pub(crate) fn side(&self) -> OwnedFd {
        self.theirs.try_clone().unwrap()
    }

    /// All that is shown until every program has closed its side.
    pub(crate) fn shown(self) -> String {
        drop(self.theirs);
        let mut shown = Vec::new();
        // the other side is closed, which a terminal says with an error
        let _closed = (&self.ours).read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    }
}

/// The program with that terminal as all it has: stdin, stdout, stderr, and what Ctrl-C comes from.
pub(crate) struct AtTerminal {
    child: Child,
    ours: File,
    theirs: OwnedFd,
    pieces: Receiver<Vec<u8>>,
    shown: String,
}

impl AtTerminal {
    /// Starts the program in a home.
    pub(crate) fn start(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let words: Vec<&str> = ["--ctty", PROGRAM]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let mut command = home.other_program("setsid", &words);
        command.env("TERM", "xterm").envs(variables.iter().copied());
        Self::of(&mut command)
    }

    /// Starts a command that takes the terminal for its own.
    pub(crate) fn of(command: &mut Command) -> Self {
        let Terminal { ours, theirs } = Terminal::new(100);
        let side = || theirs.try_clone().unwrap();
        let child = command
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        let (sender, pieces) = channel();
        let mut reader = ours.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count) = reader.read(&mut piece) {
                if count == 0 || sender.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            ours,
            theirs,
            pieces,
            shown: String::new(),
        }
    }

    /// Waits until this is shown.
    #[track_caller]
    pub(crate) fn until(&mut self, needle: &str) {
        while !self.shown.contains(needle) {
            match self.pieces.recv_timeout(DEADLINE) {
                Ok(piece) => self.shown.push_str(&String::from_utf8_lossy(&piece)),
                Err(_) => panic!("{needle:?} is not shown; this is: {:?}", self.shown),
            }
        }
    }

    /// Waits for a question whose answer is not shown.
    #[track_caller]
    pub(crate) fn until_hidden(&mut self, question: &str) {
        self.until(question);
        let started = Instant::now();
        while self.echoes() {
            assert!(started.elapsed() < DEADLINE, "what is typed would be shown");
            std::thread::yield_now();
        }
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.theirs).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Types it, as it is.
    pub(crate) fn types(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for its end. Gives the code, all that was shown, and whether the terminal is as it was.
    pub(crate) fn ended(mut self) -> (Option<i32>, String, bool) {
        let started = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            let is_late = started.elapsed() > DEADLINE;
            assert!(!is_late, "it does not end; this is shown: {:?}", self.shown);
            if let Ok(piece) = self.pieces.recv_timeout(LOOK) {
                self.shown.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        let is_as_it_was = self.echoes();
        // what it wrote last is there by now, and a mark behind it says where that ends
        let mark = "\u{4}the end\u{4}";
        File::from(self.theirs.try_clone().unwrap())
            .write_all(mark.as_bytes())
            .unwrap();
        self.until(mark);
        let shown = self.shown.replace(mark, "").replace("\r\n", "\n");
        (code, shown, is_as_it_was)
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

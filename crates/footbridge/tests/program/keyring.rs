//! Logins in the system's keyring: a real one, GNOME's, on a bus of its own. Only a build with the
//! feature `keyring` has these tests: `./check keyring`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::process::{Ended, Home, Running};
use crate::harness::session::Session;

/// A board of somebody's.
struct OtherBoard {
    home: Home,
    _running: Running,
    base: String,
}

fn other_board() -> OtherBoard {
    let home = Home::new();
    home.succeed(&["account", "add", "ana", "--email", "ana@example.org"]);
    let (running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    OtherBoard {
        home,
        _running: running,
        base,
    }
}

/// A bus with a keyring on it, for as long as it lives; unlocked, or as it is after a start.
struct Desktop {
    bus: Running,
    address: String,
}

impl Desktop {
    fn start(home: &Home, is_unlocked: bool) -> Self {
        let unlock = match is_unlocked {
            true => "printf 'pass\\n' | gnome-keyring-daemon --unlock --components=secrets",
            false => "gnome-keyring-daemon --start --components=secrets",
        };
        let script = format!("{unlock} >/dev/null 2>&1; echo \"$DBUS_SESSION_BUS_ADDRESS\"; cat");
        let mut command =
            home.other_program("dbus-run-session", &["--", "bash", "-c", script.as_str()]);
        let runtime = home.path().join("run");
        std::fs::create_dir_all(&runtime).unwrap();
        command.env("XDG_RUNTIME_DIR", &runtime);
        let mut bus = Running::start_piped(&mut command);
        let address = bus
            .line()
            .expect("dbus-run-session and gnome-keyring-daemon");
        Self { bus, address }
    }

    fn command(&self, home: &Home, base: &str, arguments: &[&str]) -> Command {
        let mut command = home.command(arguments);
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("PRODMCP_BASE_URL", base);
        command
    }

    fn run(&self, home: &Home, base: &str, arguments: &[&str]) -> Ended {
        Running::start(&mut self.command(home, base, arguments)).ended()
    }

    /// Logs in with a token on stdin.
    fn log_in(&self, home: &Home, base: &str, token: &str, further: &[&str]) -> Ended {
        let arguments: Vec<&str> = ["login", "--token", "-"]
            .into_iter()
            .chain(further.iter().copied())
            .collect();
        let mut running = Running::start_piped(&mut self.command(home, base, &arguments));
        running.send(token);
        running.close_input();
        running.ended()
    }

    /// How many items the keyring has of us, as another program sees it.
    fn items(&self, home: &Home) -> usize {
        let mut command = home.other_program(
            "secret-tool",
            &["search", "--all", "--unlock", "service", "footbridge"],
        );
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        let said = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        said.matches("\nsecret = ").count()
    }

    fn stop(mut self) {
        self.bus.close_input();
        self.bus.ended();
    }
}

fn kept(home: &Home) -> PathBuf {
    home.data().join("credentials/prodmcp.json")
}

/// Every file below the home, but for the keyring's own and those of the board.
fn files_with(home: &Home, secret: &str) -> Vec<PathBuf> {
    let mut folders = vec![home.path().to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                if bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes())
                {
                    found.push(path);
                }
            }
        }
    }
    found
}

#[test]
fn a_login_is_in_the_keyring_and_in_no_file() {
    let board = other_board();
    let (home, token) = (Home::new(), board.home.token("ana"));
    let desktop = Desktop::start(&home, true);
    let ended = desktop.log_in(&home, &board.base, &token, &[]);
    assert_eq!(
        (ended.code, ended.stderr.trim()),
        (Some(0), "ok signed in as ana@example.org"),
        "{ended:?}"
    );
    assert_eq!(files_with(&home, &token), Vec::<PathBuf>::new());
    let text = std::fs::read_to_string(kept(&home)).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let credential = &value["credentials"][0];
    assert_eq!(credential["origin"], json!(board.base));
    assert!(credential["keyring"].is_string(), "{text}");
    assert!(credential.get("token").is_none(), "{text}");
    assert_eq!(desktop.items(&home), 1);

    let who = desktop.run(&home, &board.base, &["whoami"]);
    assert!(who.stdout.contains("ana@example.org"), "{who:?}");
    let doctor = desktop.run(&home, &board.base, &["doctor", "prodmcp"]);
    assert!(
        doctor.stdout.contains("in the system's keyring"),
        "{doctor:?}"
    );
    // a client that starts it, with the few variables that clients hand on
    let mut command = desktop.command(&home, &board.base, &["serve", "prodmcp"]);
    let mut session = Session::start(&mut command);
    session.call("board_list", json!({})).unwrap();
    assert_eq!(session.finish().stderr, "");

    // another login replaces it, a refused one does not, and none leaves an item behind
    let refused = desktop.log_in(&home, &board.base, "pat_planted-and-wrong", &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(desktop.run(&home, &board.base, &["whoami"]).code, Some(0));
    let other = board.home.token("local");
    assert_eq!(
        desktop.log_in(&home, &board.base, &other, &[]).code,
        Some(0)
    );
    assert_eq!(desktop.items(&home), 1);
    // it goes to the file where somebody wants that, and the item is taken out
    let in_file = desktop.log_in(&home, &board.base, &token, &["--keep-in", "file"]);
    assert_eq!(in_file.code, Some(0), "{in_file:?}");
    assert_eq!(files_with(&home, &token), [kept(&home)]);
    assert_eq!(desktop.items(&home), 0);
    desktop.log_in(&home, &board.base, &token, &["--keep-in", "keyring"]);
    assert_eq!(files_with(&home, &token), Vec::<PathBuf>::new());
    let out = desktop.run(&home, &board.base, &["logout"]);
    assert_eq!((out.code, out.stderr.trim()), (Some(0), "ok signed out"));
    assert_eq!(desktop.items(&home), 0);
    desktop.stop();
}

#[test]
fn a_keyring_that_is_locked_or_absent_is_said_and_the_file_takes_the_login() {
    let board = other_board();
    let token = board.home.token("ana");
    let home = Home::new();
    let locked = Desktop::start(&home, false);
    let none = Desktop {
        bus: Running::start_piped(&mut home.other_program("cat", &[])),
        address: format!("unix:path={}", home.path().join("no-bus").display()),
    };
    for (desktop, why) in [(&locked, "locked"), (&none, "there is none")] {
        // nowhere else, where somebody named the place; what was there before stays
        let ended = desktop.log_in(&home, &board.base, &token, &["--keep-in", "keyring"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for part in ["the login is good, but", why, "what was kept before stays"] {
            assert!(ended.stderr.contains(part), "{part}: {ended:?}");
        }
        assert!(!kept(&home).exists());
        let ended = desktop.log_in(&home, &board.base, &token, &[]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for part in [why, "for you alone", kept(&home).to_str().unwrap()] {
            assert!(ended.stderr.contains(part), "{part}: {ended:?}");
        }
        assert_eq!(files_with(&home, &token), [kept(&home)]);
        assert_eq!(desktop.run(&home, &board.base, &["whoami"]).code, Some(0));
        assert_eq!(desktop.run(&home, &board.base, &["logout"]).code, Some(0));
        std::fs::remove_file(kept(&home)).unwrap();
    }
    none.stop();
    locked.stop();
}

#[test]
fn a_keyring_that_is_gone_is_told_to_the_client_with_what_mends_it() {
    let board = other_board();
    let token = board.home.token("ana");
    let home = Home::new();
    let desktop = Desktop::start(&home, true);
    assert_eq!(
        desktop.log_in(&home, &board.base, &token, &[]).code,
        Some(0)
    );
    desktop.stop();
    let mut command = home.command(&["serve", "prodmcp"]);
    command.env("PRODMCP_BASE_URL", &board.base).env(
        "DBUS_SESSION_BUS_ADDRESS",
        format!("unix:path={}", home.path().join("no-bus").display()),
    );
    let mut session = Session::start(&mut command);
    let said = session.call("board_list", json!({})).unwrap_err();
    for part in ["is in the system's keyring", "footbridge login prodmcp"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // the login is kept anew, in the file, and the next call works
    let mut login = home.command(&["login", "--token", "-", "--keep-in", "file"]);
    login.env("PRODMCP_BASE_URL", &board.base);
    let mut running = Running::start_piped(&mut login);
    running.send(&token);
    running.close_input();
    let ended = running.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    session.call("board_list", json!({})).unwrap();
    session.finish();
}

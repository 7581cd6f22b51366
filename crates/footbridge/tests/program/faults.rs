//! Faults under the store, met by the whole program: a disk that is full, failing or read-only at
//! any call of a write, files that go away. What was acknowledged is there, what was refused is
//! not, and writes go on when the fault is over.
#![allow(clippy::print_stderr, reason = "a test that is left out says so")]

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http};

const SOURCE: &str = include_str!("../harness/failing_disk.c");
const FAULTS: [(&str, i32); 3] = [("ENOSPC", 28), ("EIO", 5), ("EROFS", 30)];
/// What is said of a change that was not made, and of one that may have been.
const UNCHANGED: &str = "nothing was changed";
const UNKNOWN: &str = "not known";

/// The calls that the program makes on its files, and which of them fail.
pub(super) struct FailingDisk {
    library: PathBuf,
    control: File,
    control_path: PathBuf,
}

impl FailingDisk {
    /// None, with a word, where no C compiler is.
    pub(super) fn built(home: &Home) -> Option<FailingDisk> {
        let source = home.file("failing_disk.c", SOURCE);
        let library = home.path().join("failing_disk.so");
        let compiled = Command::new("gcc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(&source)
            .arg("-ldl")
            .output();
        match compiled {
            Ok(done) if done.status.success() => {}
            Ok(done) => panic!("{}", String::from_utf8_lossy(&done.stderr)),
            Err(error) => {
                eprintln!("skipped: there is no gcc ({error})");
                return None;
            }
        }
        let control_path = home.file("control", [0; 16]);
        let control = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&control_path)
            .unwrap();
        Some(FailingDisk {
            library,
            control,
            control_path,
        })
    }

    pub(super) fn under(&self, command: &mut Command, data: &Path) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAILING_CONTROL", &self.control_path)
            .env("FAILING_PATH", data);
    }

    pub(super) fn calls(&self) -> i32 {
        let mut number = [0; 4];
        self.control.read_exact_at(&mut number, 0).unwrap();
        i32::from_ne_bytes(number)
    }

    /// So many calls fail from the one that is this far from now.
    pub(super) fn fail(&self, from_now: i32, count: i32, errno: i32) {
        self.set(0);
        self.control
            .write_all_at(&[count.to_ne_bytes(), errno.to_ne_bytes()].concat(), 8)
            .unwrap();
        self.set(self.calls() + from_now);
    }

    pub(super) fn mend(&self) {
        self.set(0);
    }

    fn set(&self, first: i32) {
        self.control.write_all_at(&first.to_ne_bytes(), 4).unwrap();
    }
}

/// What became of the cards that were asked for.
#[derive(Default)]
struct Told {
    acknowledged: BTreeSet<String>,
    refused: BTreeSet<String>,
    undecided: usize,
}

impl Told {
    fn create(&mut self, base: &str, title: &str) -> bool {
        let created = call_over_http(
            base,
            "card_create",
            &json!({ "title": title, "description": "text ".repeat(100), "tags": ["t"] }),
        );
        match created {
            Ok(_) => self.acknowledged.insert(title.to_owned()),
            Err(why) => {
                assert_ne!(
                    why.contains(UNCHANGED),
                    why.contains(UNKNOWN),
                    "one true sentence: {why}"
                );
                assert!(!why.contains("a defect in Footbridge"), "{why}");
                if why.contains(UNCHANGED) {
                    self.refused.insert(title.to_owned());
                } else {
                    self.undecided += 1;
                }
                false
            }
        }
    }

    fn is_kept(&self, titles: &[String]) {
        let kept: BTreeSet<_> = titles.iter().cloned().collect();
        assert_eq!(kept.len(), titles.len(), "a card is there twice");
        let lost: Vec<_> = self.acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "acknowledged, and not there: {lost:?}");
        let made: Vec<_> = self.refused.intersection(&kept).collect();
        assert!(made.is_empty(), "refused, and there: {made:?}");
    }
}

fn titles(home: &Home) -> Vec<String> {
    Session::start(&mut home.command(&["serve"])).titles()
}

#[test]
fn a_fault_at_any_call_of_a_write_is_told_as_it_is_and_over_when_it_is_over() {
    let home = Home::new();
    let Some(disk) = FailingDisk::built(&home) else {
        return;
    };
    let mut command = home.command(&["serve"]);
    disk.under(&mut command, &home.data());
    let (running, base) = Running::start_http(&mut command);
    let mut told = Told::default();
    assert!(told.create(&base, "first"));
    for (name, errno) in FAULTS {
        let mut failed = 0;
        for call in 1.. {
            disk.fail(call, 1, errno);
            let before = disk.calls();
            let is_made = told.create(&base, &format!("{name} at call {call}"));
            let was_reached = disk.calls() >= before + call;
            disk.mend();
            failed += usize::from(!is_made);
            assert!(
                told.create(&base, &format!("after {name} at call {call}")),
                "writes go on"
            );
            if !was_reached {
                break;
            }
        }
        assert!(failed >= 3, "{name}: {failed} writes failed");
        assert_eq!(http::get(&base, "/readyz").send().status, 200);
    }
    assert_eq!(
        told.undecided, 0,
        "a fault that is over at once leaves no doubt"
    );
    // One that lasts: the last step of a write cannot be settled. The calls before the flush are
    // those of every write.
    for (name, errno) in FAULTS {
        let before = disk.calls();
        assert!(told.create(&base, &format!("whole before {name}")));
        let calls = disk.calls() - before;
        for call in 1..=calls {
            disk.fail(call, i32::MAX, errno);
            let is_made = told.create(&base, &format!("{name} from call {call} on"));
            let ready = http::get(&base, "/readyz").send();
            disk.mend();
            // a card that is made and acknowledged may leave its record without its end
            assert!(
                ready.status == 503 || (is_made && ready.status == 200),
                "{name} from call {call} on: {}",
                ready.body
            );
            assert!(
                told.create(&base, &format!("after {name} from call {call} on")),
                "writes go on"
            );
            assert_eq!(http::get(&base, "/readyz").send().status, 200);
        }
    }
    assert!(
        told.undecided > 0,
        "nobody knows what a disk keeps that fails to flush and fails on"
    );
    running.kill();
    told.is_kept(&titles(&home));
}

/// A file system of this size, as long as it lives.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// None, with a word, where mounting is not allowed.
    fn mounted(path: &'a Path, size: &str) -> Option<SmallDisk<'a>> {
        std::fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=700"),
                "tmpfs",
            ])
            .arg(path)
            .output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(SmallDisk(path));
        }
        eprintln!("skipped: nothing may be mounted here");
        None
    }

    fn becomes(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(
            Command::new("mount")
                .args(["-o", &options])
                .arg(self.0)
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0).status();
        assert!(std::thread::panicking() || unmounted.unwrap().success());
    }
}

#[test]
fn after_a_full_disk_writes_go_on_when_there_is_room() {
    let home = Home::new();
    let data = home.path().join("disk");
    let Some(disk) = SmallDisk::mounted(&data, "3m") else {
        return;
    };
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "--data", data.to_str().unwrap()]));
    let card = json!({ "title": "card", "description": "x".repeat(4000) });
    let mut made = 0;
    let refusal = loop {
        match call_over_http(&base, "card_create", &card) {
            Ok(_) => made += 1,
            Err(why) => break why,
        }
        assert!(made < 2000, "the disk never filled");
    };
    assert!(
        refusal.contains("is full") && refusal.contains(UNCHANGED) && !refusal.contains(UNKNOWN),
        "{refusal}"
    );
    let ready = http::get(&base, "/readyz").send();
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("is full"), "{}", ready.body);
    assert_eq!(http::get(&base, "/healthz").send().status, 200);
    assert!(
        call_over_http(&base, "card_list", &json!({})).is_ok(),
        "what is there can be read"
    );

    disk.becomes("size=64m");
    for _ in 0..3 {
        call_over_http(&base, "card_create", &card).unwrap();
        made += 1;
    }
    assert_eq!(http::get(&base, "/readyz").send().status, 200);

    assert_eq!(running.stop().code, Some(0));
    let mut session =
        Session::start(&mut home.command(&["serve", "--data", data.to_str().unwrap()]));
    assert_eq!(session.titles().len(), made);
    session.finish();
}

#[test]
fn a_removed_database_takes_no_more_writes() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    call_over_http(&base, "card_create", &json!({ "title": "kept" })).unwrap();
    let aside = home.path().join("aside.db");
    std::fs::rename(home.database(), &aside).unwrap();
    let refusal = call_over_http(&base, "card_create", &json!({ "title": "lost" })).unwrap_err();
    assert!(
        refusal.contains("removed or replaced")
            && refusal.contains(UNCHANGED)
            && !refusal.contains(UNKNOWN),
        "{refusal}"
    );
    let ready = http::get(&base, "/readyz").send();
    assert_eq!(
        (ready.status, ready.body.contains("removed or replaced")),
        (503, true),
        "{}",
        ready.body
    );
    // Another file in its place, and the first one back: nothing is lost.
    std::fs::write(home.database(), "").unwrap();
    assert!(call_over_http(&base, "card_create", &json!({ "title": "lost" })).is_err());
    std::fs::rename(&aside, home.database()).unwrap();
    call_over_http(&base, "card_create", &json!({ "title": "kept too" })).unwrap();
    running.kill();
    assert_eq!(titles(&home), ["kept", "kept too"]);
}

#[tokio::test]
async fn a_busy_database_says_that_nothing_was_changed_and_nothing_else() {
    use sqlx::{ConnectOptions as _, Executor as _};
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let mut other = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(home.database())
        .connect()
        .await
        .unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let refusal = call_over_http(&base, "card_create", &json!({ "title": "late" })).unwrap_err();
    assert!(
        refusal.contains("busy with other writes")
            && refusal.contains(UNCHANGED)
            && !refusal.contains(UNKNOWN),
        "{refusal}"
    );
    other.execute("COMMIT").await.unwrap();
    call_over_http(&base, "card_create", &json!({ "title": "in time" })).unwrap();
}

#[test]
fn files_that_others_may_change_or_read_are_told() {
    let home = Home::new();
    home.succeed(&["account", "list"]);
    let quiet = home.run(&["account", "list"]);
    assert_eq!(quiet.stderr, "");
    std::fs::set_permissions(home.data(), Permissions::from_mode(0o777)).unwrap();
    std::fs::set_permissions(home.database(), Permissions::from_mode(0o666)).unwrap();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    assert_eq!(http::get(&base, "/readyz").send().status, 200);
    let said = running.stop().stderr;
    for (path, mode, private) in [(home.data(), "777", "700"), (home.database(), "666", "600")] {
        let path = path.display();
        assert!(
            said.contains(&format!("{path} is open to other users of this machine (mode {mode}): chmod {private} {path}")),
            "{said}"
        );
        assert_eq!(
            said.matches(&format!("chmod {private}")).count(),
            1,
            "{said}"
        );
    }
}

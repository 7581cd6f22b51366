//! What the machine may do to the program: no room, no permission, a damaged or newer database, a
//! taken port. Each is one line and exit code 1 at the start, and a clear answer later.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::{Command, Stdio};

use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};

use crate::harness::http;
use crate::harness::process::{Ended, Home, PROGRAM, Running, Spawned};
use crate::harness::session::{REVISION, Session, initialize};

fn serve_in(home: &Home, data: &str) -> Ended {
    home.run(&["serve", "--data", data])
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let home = Home::new();
    let file = home.file("file", "");
    let below_a_file = file.join("data");
    for data in [
        below_a_file.to_str().unwrap(),
        file.to_str().unwrap(),
        "/proc/footbridge",
        "/dev/null/data",
    ] {
        let ended = serve_in(&home, data);
        let complaint = ended.complaint(1);
        assert!(
            complaint.contains(data) && complaint.contains("name another directory"),
            "{complaint}"
        );
    }
}

#[test]
fn a_database_that_cannot_be_written() {
    let home = Home::new();
    // A directory in the place of the file stops even the superuser.
    std::fs::create_dir_all(home.database()).unwrap();
    for arguments in [
        &["serve"][..],
        &["call", "whoami"],
        &["account", "list"],
        &["token", "create", "x"],
    ] {
        let ended = home.run(arguments);
        let complaint = ended.complaint(1);
        assert!(
            complaint.contains(home.database().to_str().unwrap()) && complaint.contains("writable"),
            "{complaint}"
        );
    }
}

#[test]
fn a_list_of_tools_makes_no_database() {
    let home = Home::new();
    let listed = home.succeed(&["tools", "--allow", "write,destroy"]);
    assert!(
        listed.lines().any(|line| line.starts_with("card_create")),
        "{listed}"
    );
    assert!(!home.data().exists(), "only a list was asked for");
    // nor does it need one that can be read
    home.file(".local/share/footbridge/footbridge.db", "garbage");
    assert_eq!(home.succeed(&["tools", "--allow", "write,destroy"]), listed);
}

#[test]
fn a_file_that_is_no_database() {
    let home = Home::new();
    let garbage: Vec<u8> = (0..100_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    home.file(".local/share/footbridge/footbridge.db", &garbage);
    for arguments in [&["serve"][..], &["call", "whoami"], &["token", "list"]] {
        let ended = home.run(arguments);
        let complaint = ended.complaint(1);
        assert!(
            complaint.contains("damaged") && complaint.contains("restore it from a copy"),
            "{complaint}"
        );
    }
    assert_eq!(
        std::fs::read(home.database()).unwrap(),
        garbage,
        "what it cannot read it leaves alone"
    );
}

#[test]
fn a_damaged_database() {
    for offset in [0, 20, 100, 4096, 8192] {
        let home = Home::new();
        Session::start(&mut home.command(&["serve"])).finish();
        let mut file = OpenOptions::new()
            .write(true)
            .open(home.database())
            .unwrap();
        file.seek(SeekFrom::Start(offset)).unwrap();
        file.write_all(&[0xa5; 3000]).unwrap();
        let ended = home.run(&["serve"]);
        assert!(
            ended.complaint(1).contains("damaged"),
            "{offset}: {ended:?}"
        );
    }
}

#[test]
fn a_database_of_a_newer_footbridge() {
    let home = Home::new();
    home.succeed(&["account", "list"]);
    let url = format!("sqlite://{}", home.database().display());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let row = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9000, 'later', TRUE, x'00', 0)";
        sqlx::query(row).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    for arguments in [&["serve"][..], &["account", "list"]] {
        let ended = home.run(arguments);
        let complaint = ended.complaint(1);
        assert!(
            complaint.contains("schema 9000") && complaint.contains("newer Footbridge"),
            "{complaint}"
        );
    }
}

#[test]
fn a_taken_port() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let port = base.rsplit(':').next().unwrap();
    let ended = home.run(&["serve", "--port", port]);
    let complaint = ended.complaint(1);
    assert!(
        complaint.contains(&format!("port {port} on 127.0.0.1 is taken"))
            && complaint.contains("--port"),
        "{complaint}"
    );
}

/// Runs a shell script in which `$0` is the program and `$1` a directory on a disk of 1 MiB of its
/// own.
fn on_a_small_disk(home: &Home, script: &str) -> Option<Command> {
    let namespaces = [&["--user", "--map-root-user", "--mount"][..], &["--mount"]];
    let disk = home.path().join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mount = "mount -t tmpfs -o size=1m tmpfs \"$1\"";
    let command = |namespace: &[&str], script: &str| {
        let mut command = home.other_program("unshare", namespace);
        command.args(["sh", "-c", script, PROGRAM]).arg(&disk);
        command
    };
    let may = |namespace: &&&[&str]| {
        let tried = command(namespace, mount)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        tried.is_ok_and(|status| status.success())
    };
    let namespace = namespaces.iter().find(may)?;
    Some(command(namespace, &format!("{mount} && {script}")))
}

/// Where a disk cannot be mounted, a limit on the size of files stands in for it: the same writes
/// fail.
fn with_small_files(home: &Home, script: &str) -> Command {
    let disk = home.path().join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mut command = home.other_program(
        "sh",
        &[
            "-c",
            &format!("trap '' XFSZ; ulimit -f 1200; {script}"),
            PROGRAM,
        ],
    );
    command.arg(&disk);
    command
}

/// Fills the disk with cards until one is refused, then shows that nothing else is.
fn fill(command: &mut Command) -> String {
    const ENOUGH: usize = 2000;
    let mut session = Session::start(command);
    let card = json!({ "title": "large", "description": "x".repeat(4000), "again": true });
    let mut kept = 0;
    let refusal = loop {
        assert!(kept < ENOUGH, "the disk never was full");
        match session.call("card_create", card.clone()) {
            Ok(_) => kept += 1,
            Err(refusal) => break refusal,
        }
    };
    assert!(kept > 0);
    assert_eq!(
        session.titles().len(),
        kept,
        "what was acknowledged is there, what was refused is not"
    );
    session.call("whoami", json!({})).unwrap();
    let ended = session.finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    refusal
}

#[test]
fn a_disk_that_becomes_full() {
    let home = Home::new();
    let serve = "exec \"$0\" serve --data \"$1\"";
    if let Some(mut command) = on_a_small_disk(&home, serve) {
        let refusal = fill(&mut command);
        assert!(
            refusal.contains("full") && refusal.contains("nothing was changed"),
            "{refusal}"
        );
    }
    let refusal = fill(&mut with_small_files(&home, serve));
    assert!(
        refusal.contains("database") && refusal.contains("disk"),
        "{refusal}"
    );
}

#[test]
fn a_disk_that_is_full_from_the_start() {
    let home = Home::new();
    let serve = "cat /dev/zero >\"$1/filler\" 2>/dev/null; exec \"$0\" serve --data \"$1/data\"";
    if let Some(mut command) = on_a_small_disk(&home, serve) {
        let ended = Running::start(&mut command).ended();
        assert!(ended.complaint(1).contains("full"), "{ended:?}");
    }
    let mut command = home.other_program(
        "sh",
        &[
            "-c",
            "trap '' XFSZ; ulimit -f 1; exec \"$0\" serve",
            PROGRAM,
        ],
    );
    let ended = Running::start(&mut command).ended();
    assert!(
        ended
            .complaint(1)
            .contains(home.database().to_str().unwrap()),
        "{ended:?}"
    );
}

#[test]
fn stdout_that_takes_nothing() {
    let home = Home::new();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = Spawned::start(
        home.command(&["tools", "--json"])
            .stdout(full())
            .stderr(Stdio::piped()),
    );
    let (code, stderr) = child.ended();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.starts_with("footbridge: could not write the result") && stderr.lines().count() == 1,
        "{stderr}"
    );

    // Over stdio there is nobody left to serve.
    let mut child = Spawned::start(
        home.command(&["serve"])
            .stdin(Stdio::piped())
            .stdout(full())
            .stderr(Stdio::piped()),
    );
    let mut input = child.take_input();
    writeln!(input, "{}", initialize(REVISION)).unwrap();
    let (code, stderr) = child.ended();
    assert!(code.is_some() && !stderr.contains("panicked"), "{stderr}");
    drop(input);
}

#[test]
fn a_database_that_goes_bad_while_it_is_served() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    assert_eq!(http::get(&base, "/readyz").send().status, 200);
    // The shared index too, so that nothing is answered from what was read before.
    for (file, bytes) in [
        ("footbridge.db", 100_000),
        ("footbridge.db-wal", 100_000),
        ("footbridge.db-shm", 136),
    ] {
        let mut file = OpenOptions::new()
            .write(true)
            .open(home.data().join(file))
            .unwrap();
        file.write_all(&vec![0xa5; bytes]).unwrap();
    }
    let ready = http::get(&base, "/readyz").send();
    assert_eq!(ready.status, 503, "{ready:?}");
    assert_eq!(
        http::get(&base, "/healthz").send().status,
        200,
        "the process lives"
    );
    let refusal =
        crate::harness::session::call_over_http(&base, "card_list", &json!({})).unwrap_err();
    assert!(refusal.contains("database"), "{refusal}");
    let ended = running.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("a bug in footbridge"), "{ended:?}");
}

//! Undoing under bad conditions: a full disk, two at once, records that are too large, a backend
//! that says yes and does nothing, a clock that jumps. Each is a sentence, and the backend is as it
//! was.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::faults::FailingDisk;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http};
use crate::harness::stand_in::Standing;

const FILE: &str = r#"
format: 1
connector: things
title: Things
instructions: None.
settings: { THINGS_USER: { default: ada, description: Whose. }, THINGS_KEY: { required: true, secret: true, description: Key. } }
upstream: { base: "BASE", headers: { Authorization: "Bearer {settings.THINGS_KEY}" } }
records:
  thing:
    get: "/things/{id}"
    patch: "/things/{id}"
    create: { post: /things }
    delete: "/things/{id}"
    name: .title
    fields: [title, note]
  bag: { get: "/things/{id}", patch: "/things/{id}", fields: .values }
tools:
  - name: make
    title: Make
    description: Make a thing.
    effect: write
    input: { title: { type: string, description: Title., required: true } }
    steps: [{ post: /things, body: '$args' }]
    makes: thing
  - name: change
    title: Change
    description: Change a thing.
    effect: write
    input:
      id: { type: string, description: Id., required: true }
      title: { type: string, description: Title. }
      note: { type: string, description: Note. }
    before: { get: "/things/{id}" }
    steps: [{ patch: "/things/{id}", body: '$args | del(.id)' }]
    result: '{done: true}'
    changes: { thing: $args.id }
  - name: fill
    title: Fill
    description: Put a value into a thing.
    effect: write
    input:
      id: { type: string, description: Id., required: true }
      value: { type: string, description: Value., required: true }
    before: { get: "/things/{id}" }
    steps: [{ patch: "/things/{id}", body: '{values: ($before.values + {own: $args.value})}' }]
    result: '{done: true}'
    changes: { bag: $args.id }
  - name: drop
    title: Drop
    description: Drop a thing.
    effect: destroy
    input: { id: { type: string, description: Id., required: true } }
    steps: [{ delete: "/things/{id}", answer: none }]
    result: '{dropped: true}'
    deletes: { thing: $args.id }
"#;

#[derive(Debug, Default)]
struct Things {
    things: BTreeMap<String, Value>,
    made: usize,
    /// Requests that write.
    writes: usize,
    /// It says yes to all of them and does nothing.
    is_idle: bool,
}

type StandIn = Standing<Things>;

async fn serve(State(world): State<Arc<Mutex<Things>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut world = world.lock().unwrap();
    let id = head.uri.path().rsplit('/').next().unwrap().to_owned();
    let is_idle = world.is_idle;
    world.writes += usize::from(head.method != Method::GET);
    let answer = match head.method {
        Method::POST => {
            world.made += 1;
            let id = format!("t{}", world.made);
            let mut thing = json!({ "title": "", "note": "", "values": {} });
            put(&mut thing, &body);
            thing["id"] = json!(id);
            if !is_idle {
                world.things.insert(id, thing.clone());
            }
            Some(thing)
        }
        Method::PATCH => world.things.get_mut(&id).map(|thing| {
            if !is_idle {
                put(thing, &body);
            }
            thing.clone()
        }),
        Method::DELETE if is_idle => Some(json!({})),
        Method::DELETE => world.things.remove(&id).map(|_| json!({})),
        _ => world.things.get(&id).cloned(),
    };
    match answer {
        Some(answer) => answer.to_string().into_response(),
        None => (StatusCode::NOT_FOUND, "{}").into_response(),
    }
}

fn put(thing: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().unwrap() {
        thing[name] = value.clone();
    }
}

/// A backend with one thing, and a file that describes it.
async fn things(home: &Home) -> (StandIn, PathBuf) {
    let world = Things::default();
    let stand_in = StandIn::serve(world, |world| {
        Router::new().fallback(serve).with_state(world)
    });
    let stand_in = stand_in.await;
    let thing = json!({ "id": "a", "title": "One", "note": "", "values": {} });
    stand_in.world().things.insert("a".to_owned(), thing);
    let file = home.file("things.yaml", FILE.replace("BASE", &stand_in.url));
    (stand_in, file)
}

fn with_key(command: &mut Command) -> &mut Command {
    command.env("THINGS_KEY", "k".repeat(20))
}

fn session(home: &Home, file: &std::path::Path) -> Session {
    let file = file.to_str().unwrap();
    let mut command = home.command(&["serve", file, "--allow", "write,destroy"]);
    Session::start(with_key(&mut command))
}

/// The plan of an undo, then how it ended.
fn undo(session: &mut Session, id: u64) -> (Value, Result<Value, String>) {
    let plan = session
        .call("changes_undo", json!({ "ids": [id] }))
        .unwrap();
    let arguments = json!({ "ids": [id], "digest": plan["digest"] });
    (plan, session.call("changes_undo", arguments))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_cannot_be_recorded_sends_nothing() {
    let home = Home::new();
    let Some(disk) = FailingDisk::built(&home) else {
        return;
    };
    let (stand_in, file) = things(&home).await;
    let mut command = home.command(&["serve", file.to_str().unwrap(), "--allow", "write,destroy"]);
    disk.under(&mut command, &home.data());
    let (running, base) = Running::start_http(with_key(&mut command));
    call_over_http(&base, "change", &json!({ "id": "a", "title": "Two" })).unwrap();
    let plan = call_over_http(&base, "changes_undo", &json!({ "ids": [1] })).unwrap();
    let writes = stand_in.world().writes;

    disk.fail(1, i32::MAX, 28);
    let arguments = json!({ "ids": [1], "digest": plan["digest"] });
    let why = call_over_http(&base, "changes_undo", &arguments).unwrap_err();
    disk.mend();
    assert!(
        why.contains("nothing was sent") && why.contains("full"),
        "{why}"
    );
    assert_eq!(stand_in.world().writes, writes);
    assert_eq!(stand_in.world().things["a"]["title"], "Two");

    // with room again the same undo is done
    call_over_http(&base, "changes_undo", &arguments).unwrap();
    assert_eq!(stand_in.world().things["a"]["title"], "One");
    running.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_undo_the_same_at_once_do_it_once() {
    const AT_ONCE: usize = 8;
    let home = Home::new();
    let (stand_in, file) = things(&home).await;
    let mut command = home.command(&["serve", file.to_str().unwrap(), "--allow", "write,destroy"]);
    let (running, base) = Running::start_http(with_key(&mut command));
    let (base, mut undone) = (base.as_str(), 0);
    for round in 0..5_u64 {
        let id = stand_in.world().things.keys().next().unwrap().clone();
        call_over_http(base, "drop", &json!({ "id": id })).unwrap();
        let listed = call_over_http(base, "changes_list", &json!({ "tool": "drop" })).unwrap();
        let change = &listed["items"][0]["id"];
        let plan = call_over_http(base, "changes_undo", &json!({ "ids": [change] })).unwrap();
        let arguments = json!({ "ids": [change], "digest": plan["digest"] });
        let ends: Vec<Result<Value, String>> = std::thread::scope(|scope| {
            let undoers: Vec<_> = (0..AT_ONCE)
                .map(|_| scope.spawn(|| call_over_http(base, "changes_undo", &arguments)))
                .collect();
            let ends = undoers.into_iter().map(|undoer| undoer.join().unwrap());
            ends.collect()
        });
        for why in ends.iter().filter_map(|end| end.as_ref().err()) {
            assert!(
                why.contains("plan again") || why.contains("another plan"),
                "round {round}: {why}"
            );
        }
        undone += ends.iter().filter(|end| end.is_ok()).count();
        let things = stand_in.world().things.clone();
        assert_eq!(things.len(), 1, "round {round}: {things:?}");
        assert_eq!(things.values().next().unwrap()["title"], "One");
    }
    assert!(undone >= 5);
    running.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_too_large_is_changed_and_said_not_to_be_undone() {
    let home = Home::new();
    let (stand_in, file) = things(&home).await;
    let many: BTreeMap<String, usize> = (0..10_000).map(|n| (format!("key {n}"), n)).collect();
    let long = "é".repeat(5 << 19);
    let mut agent = session(&home, &file);
    for (number, field, value, tool, arguments, why) in [
        (
            1,
            "values",
            json!(many),
            "fill",
            json!({ "id": "a", "value": "x" }),
            "fields, and at most 1000 are kept",
        ),
        (
            2,
            "note",
            json!(long),
            "change",
            json!({ "id": "a", "title": "Two" }),
            "KiB of values, and at most 256 are kept",
        ),
    ] {
        stand_in.world().things.get_mut("a").unwrap()[field] = value;
        agent.call(tool, arguments).unwrap();
        let before = stand_in.world().things["a"].clone();
        let shown = agent.call("changes_show", json!({ "id": number })).unwrap();
        let kept = &shown["records"][0];
        assert!(kept["not_kept"].as_str().unwrap().contains(why), "{kept}");
        assert!(kept.get("before").is_none() && shown.to_string().len() < 2_000);
        let (plan, end) = undo(&mut agent, number);
        let left = plan["left"][0]["because"].as_str().unwrap();
        assert!(left.contains(why), "{plan}");
        assert_eq!(end.unwrap()["undone"], json!([]));
        assert_eq!(stand_in.world().things["a"], before);
    }
    agent.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_says_yes_and_does_nothing_is_told() {
    let home = Home::new();
    let (stand_in, file) = things(&home).await;
    let mut agent = session(&home, &file);
    agent
        .call("change", json!({ "id": "a", "title": "Two" }))
        .unwrap();
    agent.call("make", json!({ "title": "Made" })).unwrap();
    agent.call("drop", json!({ "id": "t1" })).unwrap();
    stand_in.world().is_idle = true;
    let before = stand_in.world().things.clone();

    let answer = agent.request(
        "tools/call",
        &json!({ "name": "change", "arguments": { "id": "a", "note": "New" } }),
    );
    let receipt = answer["result"]["content"][1]["text"].as_str().unwrap();
    assert!(receipt.contains("note"), "{receipt}");
    let (_, end) = undo(&mut agent, 1);
    assert_eq!(end.unwrap()["undone"][0]["ignored"], json!(["title"]));
    // what it says that it made is not there
    let (_, end) = undo(&mut agent, 3);
    let why = end.unwrap_err();
    assert!(why.contains("is not there"), "{why}");
    assert_eq!(stand_in.world().things, before);
    agent.finish();

    let file = file.to_str().unwrap();
    let arguments = [
        "changes", "undo", "1", "--yes", "--allow", "write", "--file", file,
    ];
    let ended = Running::start(with_key(&mut home.command(&arguments))).ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("the backend left title as it was"),
        "{ended:?}"
    );

    stand_in.world().is_idle = false;
    let made = call_and_make(&home, file);
    stand_in.world().is_idle = true;
    let arguments = [
        "changes",
        "undo",
        &made,
        "--yes",
        "--allow",
        "write,destroy",
        "--file",
        file,
    ];
    let ended = Running::start(with_key(&mut home.command(&arguments))).ended();
    assert!(
        ended.code == Some(1) && ended.stdout.contains("it is still there"),
        "{ended:?}"
    );
}

/// Makes a thing by the command; the number of its change.
fn call_and_make(home: &Home, file: &str) -> String {
    let arguments = [
        "call",
        "make",
        "title=Later",
        "-c",
        file,
        "--allow",
        "write",
    ];
    let ended = Running::start(with_key(&mut home.command(&arguments))).ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let listed = home.succeed(&["changes", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    listed["changes"][0]["id"].to_string()
}

/// The clock of a process, put off by so many seconds.
struct JumpingClock(PathBuf);

impl JumpingClock {
    /// None, with a word, where no C compiler is.
    fn built(home: &Home) -> Option<Self> {
        let source = home.file(
            "jumping_clock.c",
            include_str!("../harness/jumping_clock.c"),
        );
        let library = home.path().join("jumping_clock.so");
        let compiled = Command::new("gcc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(&source)
            .arg("-ldl")
            .output();
        match compiled {
            Ok(done) => assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            ),
            Err(_) => return None,
        }
        home.file("offset", [0; 8]);
        Some(Self(library))
    }

    fn under(&self, command: &mut Command, home: &Home) {
        command
            .env("LD_PRELOAD", &self.0)
            .env("JUMPING_CLOCK", home.path().join("offset"));
    }

    fn jump(home: &Home, seconds: i64) {
        // in place, as the file is mapped
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(home.path().join("offset"));
        file.unwrap()
            .write_all_at(&seconds.to_ne_bytes(), 0)
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_undone_in_their_order_though_the_clock_jumps() {
    const YEAR: i64 = 365 * 24 * 60 * 60;
    let home = Home::new();
    let Some(clock) = JumpingClock::built(&home) else {
        return;
    };
    let (stand_in, file) = things(&home).await;
    let file = file.to_str().unwrap();
    let mut command = home.command(&["serve", file, "--allow", "write,destroy"]);
    clock.under(with_key(&mut command), &home);
    let mut agent = Session::start(&mut command);
    for (offset, title) in [(YEAR, "Two"), (-YEAR, "Three"), (0, "Four")] {
        JumpingClock::jump(&home, offset);
        agent
            .call("change", json!({ "id": "a", "title": title }))
            .unwrap();
    }
    let listed = agent.call("changes_list", json!({})).unwrap();
    // a list is in the order of time, an undo in that of the changes
    let rows = listed["items"].as_array().unwrap().iter();
    let years: Vec<i64> = rows
        .map(|row| {
            let at = row["at"].as_str().unwrap();
            at.split('-').next().unwrap().parse().unwrap()
        })
        .collect();
    assert_eq!(
        [years[0] - years[1], years[1] - years[2]],
        [1, 1],
        "{listed}"
    );
    let arguments = json!({ "ids": [1, 2, 3] });
    let plan = agent.call("changes_undo", arguments).unwrap();
    JumpingClock::jump(&home, -2 * YEAR);
    let arguments = json!({ "ids": [1, 2, 3], "digest": plan["digest"] });
    let end = agent.call("changes_undo", arguments).unwrap();
    assert_eq!(end["undone"][0]["changes"], json!([3, 2, 1]), "{end}");
    assert_eq!(stand_in.world().things["a"]["title"], "One");
    JumpingClock::jump(&home, 2 * YEAR);
    let (_, end) = undo(&mut agent, 4);
    end.unwrap();
    assert_eq!(stand_in.world().things["a"]["title"], "Four");
    agent.finish();
}

/// Undoing or approving where it was made, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_with_another_file_account_or_address_is_left() {
    let home = Home::new();
    let (stand_in, file) = things(&home).await;
    let path = file.to_str().unwrap().to_owned();
    let mut agent = session(&home, &file);
    let change = |title: &str| json!({ "id": "a", "title": title });
    agent.call("change", change("Two")).unwrap();
    agent.finish();
    let mut serve = home.command(&["serve", &path, "--allow", "propose"]);
    let mut agent = Session::start(with_key(&mut serve));
    agent.call("change", change("Three")).unwrap();
    agent.finish();
    let text = std::fs::read_to_string(&file).unwrap();
    let with = ["--yes", "--file", &path];
    let refused = |arguments: &[&str], user: &str| {
        let mut command = home.command(&[arguments, &with].concat());
        let ended = Running::start(with_key(command.env("THINGS_USER", user))).ended();
        ended.stdout + &ended.stderr
    };
    let undo = ["changes", "undo", "1", "--allow", "write"];
    let approve = ["changes", "approve", "2"];
    // another account
    for arguments in [&undo[..], &approve] {
        let why = refused(arguments, "bob");
        assert!(why.contains("with other settings than those of"), "{why}");
    }
    // another address
    let elsewhere = text.replace(&stand_in.url, "http://127.0.0.1:9");
    std::fs::write(&file, elsewhere).unwrap();
    for arguments in [&undo[..], &approve] {
        let why = refused(arguments, "ada");
        assert!(why.contains("with other settings than those of"), "{why}");
    }
    // its records and its tool have other names
    let renamed = text.replace("name: change", "name: alter");
    let renamed = renamed
        .replace("  thing:\n", "  item:\n")
        .replace("thing:", "item:");
    let renamed = renamed.replace("makes: thing", "makes: item");
    std::fs::write(
        &file,
        renamed.replace("changes: { thing:", "changes: { item:"),
    )
    .unwrap();
    let why = refused(&undo, "ada");
    assert!(why.contains("has no record `thing` any more"), "{why}");
    let why = refused(&approve, "ada");
    assert!(why.contains("things has no tool change any more"), "{why}");
    // as it was, all of it goes on
    std::fs::write(&file, text).unwrap();
    assert_eq!(stand_in.world().things["a"]["title"], "Two");
    let undo = ["changes", "undo", "1", "2", "--allow", "write"];
    for arguments in [&approve[..], &undo] {
        let mut command = home.command(&[arguments, &with].concat());
        let ended = Running::start(with_key(&mut command)).ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(stand_in.world().things["a"]["title"], "One");
}

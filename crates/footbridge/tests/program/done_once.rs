//! A write is done once: a create that comes twice by mistake is held back, and a call under a key
//! whose answer never came is looked for before it is made again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http};

fn board(home: &Home) -> Session {
    Session::start(&mut home.command(&["serve", "board", "--allow", "write,destroy"]))
}

#[test]
fn an_identical_create_is_not_sent_unless_it_is_meant_twice() {
    let home = Home::new();
    let mut agent = board(&home);
    let card = || json!({ "title": "One", "status": "todo" });
    let first = agent.call("card_create", card()).unwrap();
    let again = agent.call("card_create", card()).unwrap_err();
    assert!(
        again.contains("the same create as change 1") && again.contains("\"again\": true"),
        "{again}"
    );
    // in another order it is the same
    let turned = json!({ "status": "todo", "title": "One" });
    assert!(agent.call("card_create", turned).is_err());
    let mut meant = card();
    meant["again"] = json!(true);
    agent.call("card_create", meant).unwrap();
    assert!(agent.call("card_create", card()).is_err());
    let meta = json!({ "footbridge/again": true });
    let parameters = json!({ "name": "card_create", "arguments": card(), "_meta": meta });
    let answer = agent.request("tools/call", &parameters);
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    // another write between, an update twice, and keys
    let update = || json!({ "id": first["id"], "title": "Two" });
    agent.call("card_update", update()).unwrap();
    agent.call("card_update", update()).unwrap();
    agent.call("card_create", card()).unwrap();
    for key in ["a", "b"] {
        let meta = json!({ "footbridge/idempotency_key": key });
        let parameters = json!({ "name": "card_create", "arguments": card(), "_meta": meta });
        let answer = agent.request("tools/call", &parameters);
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
    // one that was refused may be tried again
    let wrong = || json!({ "title": "x", "board_id": "01900000-0000-7000-8000-000000000000" });
    let refused = agent.call("card_create", wrong()).unwrap_err();
    assert_eq!(agent.call("card_create", wrong()).unwrap_err(), refused);
    let listed = agent.tools();
    let create = listed
        .iter()
        .find(|tool| tool["name"] == "card_create")
        .unwrap();
    assert!(create["inputSchema"]["properties"].get("again").is_none());
    let update = agent.call("card_update", json!({ "id": first["id"], "again": true }));
    assert!(
        update.unwrap_err().contains("again"),
        "no other tool takes it"
    );
    assert_eq!(agent.titles().len(), 6);
    agent.finish();
}

#[test]
fn programs_people_and_calls_without_a_session_are_not_asked() {
    let home = Home::new();
    let token = home.token("local");
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write"]));
    let card = json!({ "title": "One" });
    for _ in 0..2 {
        home.succeed(&["call", "card_create", "title=One"]);
        call_over_http(&base, "card_create", &card).unwrap();
        let made = http::post(&base, "/xapi2/data/card", &card)
            .bearer(&token)
            .send();
        assert_eq!(made.status, 201);
    }
    running.stop();
}

/// What the backend does with the next request that writes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Answers,
    /// Carries it out and goes away.
    Applies,
    /// Goes away, and carries it out a moment later.
    AppliesLater,
    /// Goes away before it does anything.
    Drops,
    /// Answers well and does nothing.
    Ignores,
}

#[derive(Debug)]
struct World {
    title: String,
    fate: Fate,
    is_readable: bool,
    writes: usize,
}

type SharedWorld = Arc<Mutex<World>>;

/// A backend with one thing.
fn backend() -> (String, SharedWorld) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let world = Arc::new(Mutex::new(World {
        title: "One".to_owned(),
        fate: Fate::Answers,
        is_readable: true,
        writes: 0,
    }));
    let shared = Arc::clone(&world);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            reader.read_line(&mut line).unwrap();
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if header.trim().is_empty() {
                    break;
                }
            }
            let mut body = Vec::new();
            reader.take(length).read_to_end(&mut body).unwrap();
            let mut world = shared.lock().unwrap();
            let mut status = "200 OK";
            if line.starts_with("PATCH") {
                world.writes += 1;
                let sent: Value = serde_json::from_slice(&body).unwrap();
                let title = sent["title"].as_str().unwrap().to_owned();
                let fate = world.fate;
                match fate {
                    Fate::Answers | Fate::Applies => world.title = title,
                    Fate::AppliesLater => apply_later(&shared, title),
                    Fate::Drops | Fate::Ignores => {}
                }
                if !matches!(fate, Fate::Answers | Fate::Ignores) {
                    continue;
                }
            } else if !world.is_readable {
                status = "500 Oh";
            }
            let body = json!({ "id": "1", "title": world.title }).to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            connection
                .write_all(format!("{head}{body}").as_bytes())
                .unwrap();
        }
    });
    (base, world)
}

/// Carries a write out after the time that a busy backend may take.
fn apply_later(world: &SharedWorld, title: String) {
    let world = Arc::clone(world);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        world.lock().unwrap().title = title;
    });
}

const REST: &str = r#"
records:
  thing: { get: "/things/{id}", patch: "/things/{id}", name: .title, fields: [title] }
tools:
  - name: rename
    title: Rename
    description: Rename.
    effect: write
    input:
      id: { type: string, description: Id., required: true }
      title: { type: string, description: Title., required: true }
    steps:
      - { patch: "/things/{id}", body: { title: $args.title } }
    changes: { thing: $args.id }
"#;

fn keyed(session: &mut Session, key: &str, title: &str) -> (bool, String) {
    let meta = json!({ "footbridge/idempotency_key": key });
    let arguments = json!({ "id": "1", "title": title });
    let parameters = json!({ "name": "rename", "arguments": arguments, "_meta": meta });
    let answer = session.request("tools/call", &parameters);
    let text = answer["result"]["content"][0]["text"].as_str();
    let text = text.unwrap_or_else(|| panic!("{answer}")).to_owned();
    (answer["result"]["isError"] == true, text)
}

#[test]
fn a_call_whose_answer_never_came_is_looked_for_when_its_key_comes_again() {
    let home = Home::new();
    let (base, world) = backend();
    let file = format!(
        "format: 1\nconnector: things\ntitle: Things\ninstructions: Things.\nupstream: {{ base: \"{base}\" }}\n{REST}"
    );
    let path = home.file("things.yaml", file);
    let mut agent =
        Session::start(&mut home.command(&["serve", path.to_str().unwrap(), "--allow", "write"]));
    let fate = |fate: Fate| world.lock().unwrap().fate = fate;
    let writes = || world.lock().unwrap().writes;

    // it happened: answered as done, and not sent again
    fate(Fate::Applies);
    let (failed, why) = keyed(&mut agent, "a", "Two");
    assert!(failed, "{why}");
    fate(Fate::Answers);
    let (_, found) = keyed(&mut agent, "a", "Two");
    assert!(
        found.contains("found carried out") || found.contains("carried out already"),
        "{found}"
    );
    assert_eq!(keyed(&mut agent, "a", "Two").1, found);
    assert_eq!(writes(), 1);

    // the backend was still at work on it: waited for, and not sent again
    fate(Fate::AppliesLater);
    assert!(keyed(&mut agent, "later", "Later").0);
    fate(Fate::Answers);
    let (failed, found) = keyed(&mut agent, "later", "Later");
    assert!(!failed && found.contains("carried out"), "{found}");
    assert_eq!(writes(), 2);

    // it did not: sent now
    fate(Fate::Drops);
    assert!(keyed(&mut agent, "b", "Three").0);
    fate(Fate::Answers);
    let (failed, done) = keyed(&mut agent, "b", "Three");
    assert!(!failed && writes() == 4, "{done}");
    assert_eq!(world.lock().unwrap().title, "Three");

    // it cannot be read, or is neither: it says so, and sends nothing
    fate(Fate::Drops);
    assert!(keyed(&mut agent, "c", "Four").0);
    world.lock().unwrap().is_readable = false;
    let (failed, why) = keyed(&mut agent, "c", "Four");
    assert!(
        failed && why.contains("It was looked for just now"),
        "{why}"
    );
    world.lock().unwrap().is_readable = true;
    world.lock().unwrap().title = "Person's".to_owned();
    let (failed, why) = keyed(&mut agent, "c", "Four");
    assert!(
        failed && why.contains("neither as before nor as after"),
        "{why}"
    );
    assert_eq!(writes(), 5);

    // a backend that answers 200 and does nothing is named by the receipt
    fate(Fate::Ignores);
    let parameters = json!({ "name": "rename", "arguments": { "id": "1", "title": "Five" } });
    let answer = agent.request("tools/call", &parameters);
    assert!(
        answer.to_string().contains("the backend ignored title"),
        "{answer}"
    );
    agent.finish();
}

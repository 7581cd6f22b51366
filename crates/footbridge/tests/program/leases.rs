//! A record that an agent claimed is written by nobody else over MCP; whoever cannot be held is
//! told. Of many who claim from one list each gets another record.

use std::collections::BTreeSet;

use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

use crate::harness::client;
use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, Session, call_over_http, outcome};

fn listening(home: &Home, arguments: &[&str]) -> (Running, String) {
    Running::start_http(home.command(&["serve", "board"]).args(arguments))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

/// A call whose `_meta` has the token.
fn call_with_meta(base: &str, token: &str, tool: &str, arguments: &Value) -> Result<Value, String> {
    let parameters =
        json!({ "name": tool, "arguments": arguments, "_meta": { "footbridge/lease": token } });
    let message =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters });
    let response = http::post(base, "/mcp", &message)
        .header("mcp-protocol-version", REVISION)
        .send();
    outcome(&response.json())
}

#[test]
fn what_is_claimed_is_written_by_its_holder_alone() {
    let home = Home::new();
    let (running, base) = listening(&home, &[]);
    let call = |tool: &str, arguments: Value| call_over_http(&base, tool, &arguments);
    let card = call("card_create", json!({ "title": "One" })).unwrap();
    let id = text(&card, "id").to_owned();
    let record = format!("card:{id}");
    let update = |title: &str| json!({ "id": id, "title": title });
    let with = |title: &str, token: &str| json!({ "id": id, "title": title, "lease": token });

    let claim = json!({ "record": record, "as": "codex-2", "note": "half\ndone" });
    let claimed = call("claim", claim).unwrap();
    let token = text(&claimed, "lease").to_owned();
    assert!(text(&claimed, "name").contains("One"), "{claimed}");
    assert!(text(&claimed, "until").ends_with(" UTC"), "{claimed}");

    let why = call("card_update", update("Two")).unwrap_err();
    assert!(
        why.contains("is leased by codex-2 until ")
            && why.contains("Nothing was sent")
            && why.contains("`lease`")
            && why.contains("footbridge/lease"),
        "{why}"
    );
    let why = call("card_delete", json!({ "id": id })).unwrap_err();
    assert!(why.contains("closed"), "the gate comes first: {why}");
    let why = call("claim", json!({ "record": record })).unwrap_err();
    assert!(why.contains("is leased by codex-2"), "{why}");
    assert_eq!(
        call("card_get", json!({ "id": id })).unwrap()["title"],
        "One"
    );

    call("card_update", with("Two", &token)).unwrap();
    call_with_meta(&base, &token, "card_update", &update("Three")).unwrap();
    let renewed = json!({ "record": record, "lease": token, "minutes": 60 });
    call("claim", renewed).unwrap();
    let why = call("card_update", with("Four", "lea_guessed")).unwrap_err();
    assert!(why.contains("ended"), "{why}");

    // people and programs are told, and go on
    let told = home.run(&["call", "card_update", &format!("id={id}"), "title=Mine"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.contains("is leased by codex-2"), "{told:?}");
    let bearer = home.token("local");
    let path = format!("/xapi2/data/card/{id}");
    let patched = http::post(&base, &path, &json!({ "title": "Program" }))
        .method("PATCH")
        .bearer(&bearer)
        .send();
    assert_eq!(patched.status, 200, "{patched:?}");
    let header = patched.header("footbridge-lease").unwrap_or_default();
    assert!(header.contains("is leased by codex-2 until"), "{patched:?}");

    let read = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": "footbridge://leases" } });
    let read = http::post(&base, "/mcp", &read).header("mcp-protocol-version", REVISION);
    let held = read.send().json()["result"]["contents"][0]["text"].clone();
    let held: Value = serde_json::from_str(held.as_str().unwrap()).unwrap();
    assert_eq!(held["leases"][0]["record"], record, "{held}");
    assert!(!held.to_string().contains(&token), "{held}");

    // the operator sees it, and ends it
    let listed = home.succeed(&["leases", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["leases"][0]["record"], record);
    assert_eq!(listed["leases"][0]["holder"], "codex-2");
    let table = home.succeed(&["leases"]);
    assert!(
        table.contains(&record) && table.contains("half done"),
        "{table}"
    );
    assert!(!table.contains(&token) && !listed.to_string().contains(&token));
    home.succeed(&["leases", "end", &record]);
    assert_eq!(home.run(&["leases", "end", &record]).code, Some(1));
    assert_eq!(home.run(&["leases", "end", "card"]).code, Some(2));

    // its token is refused, whoever has the record by now
    let fenced = |title: &str| call("card_update", with(title, &token)).unwrap_err();
    assert!(fenced("Five").contains("The lease of this token ended"));
    let next = call("claim", json!({ "record": record, "as": "claude" })).unwrap();
    assert!(
        text(&next["hand_over"], "note").contains("half\ndone"),
        "{next}"
    );
    assert_eq!(next["hand_over"]["by"], "codex-2");
    assert!(fenced("Six").contains("The lease of this token ended"));
    let token = text(&next, "lease").to_owned();
    call("release", json!({ "lease": token, "note": "all done" })).unwrap();
    running.stop();
    let audited: Vec<String> = home
        .succeed(&["audit", "export"])
        .lines()
        .filter(|line| line.contains("codex-2") || line.contains("claude"))
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            let detail: Value = serde_json::from_str(text(&row, "detail")).unwrap();
            let state = detail["state"].as_str().or(detail["by"].as_str());
            state.unwrap_or_default().to_owned()
        })
        .collect();
    for state in ["claimed", "renewed", "ended", "released", "lease"] {
        assert!(
            audited.iter().any(|found| found == state),
            "{state} in {audited:?}"
        );
    }
    let (running, base) = listening(&home, &[]);
    let call = |tool: &str, arguments: Value| call_over_http(&base, tool, &arguments);
    call("card_update", update("Seven")).unwrap();
    assert!(call("release", json!({ "lease": token })).is_err());
    drop(running);
}

#[test]
fn a_claim_that_makes_no_sense_is_refused_in_a_sentence() {
    let home = Home::new();
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    for (arguments, needle) in [
        (json!({ "record": "card" }), "KIND:ID"),
        (json!({ "record": "story:1" }), "there are: board, card"),
        (json!({ "record": "card:1" }), "There is no card 1 on board"),
        (
            json!({ "record": "card:1", "connector": "taiga" }),
            "There is no connector",
        ),
        (json!({ "record": "card:1", "minutes": 1441 }), "1440"),
        (
            json!({ "record": "card:1", "lease": "lea_x" }),
            "is of no lease",
        ),
    ] {
        let why = agent.call("claim", arguments.clone()).unwrap_err();
        assert!(why.contains(needle), "{arguments}: {why}");
    }
    for (arguments, needle) in [
        (
            json!({ "tool": "card_update", "kind": "card" }),
            "lists nothing",
        ),
        (json!({ "tool": "cards", "kind": "card" }), "has no tool"),
        (
            json!({ "tool": "whoami", "kind": "card" }),
            "no list of records",
        ),
        (
            json!({ "tool": "card_list", "kind": "card" }),
            "nothing to claim",
        ),
        (
            json!({ "tool": "card_list", "kind": "card", "arguments": { "colour": 1 } }),
            "colour",
        ),
    ] {
        let why = agent.call("claim_next", arguments.clone()).unwrap_err();
        assert!(why.contains(needle), "{arguments}: {why}");
    }
    assert!(agent.call("release", json!({ "lease": "lea_x" })).is_err());
    let listed = agent.tools().iter().any(|tool| tool["name"] == "claim");
    assert!(!listed, "they are listed when their group is named");
    agent.finish();

    let mut agent = Session::start(
        home.command(&["serve", "board", "--groups", "leases", "--allow", "read"])
            .env("FOOTBRIDGE_LEASE_MINUTES", "5"),
    );
    let names: Vec<String> = agent
        .tools()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    for name in ["claim", "claim_next", "release"] {
        assert!(names.iter().any(|listed| listed == name), "{names:?}");
    }
    let why = agent
        .call("claim", json!({ "record": "card:1" }))
        .unwrap_err();
    assert!(why.contains("--allow write"), "{why}");
    agent.finish();
}

#[test]
fn a_lease_is_no_longer_than_the_operator_lets_it_be_and_there_are_so_many() {
    let home = Home::new();
    let mut agent = Session::start(
        home.command(&["serve", "board"])
            .env("FOOTBRIDGE_LEASE_MINUTES", "5")
            .env("FOOTBRIDGE_LEASES_PER_CALLER", "1"),
    );
    let made = |agent: &mut Session, title: &str| {
        let card = agent
            .call("card_create", json!({ "title": title }))
            .unwrap();
        format!("card:{}", text(&card, "id"))
    };
    let (one, other) = (made(&mut agent, "One"), made(&mut agent, "Other"));
    let why = agent.call("claim", json!({ "record": one })).unwrap_err();
    assert!(why.contains("at most 5 minutes"), "{why}");
    agent
        .call("claim", json!({ "record": one, "minutes": 5 }))
        .unwrap();
    let why = agent
        .call("claim", json!({ "record": other, "minutes": 5 }))
        .unwrap_err();
    assert!(why.contains("1 records are claimed"), "{why}");
    agent.finish();
}

struct Agent(RunningService<RoleClient, ()>);

impl Agent {
    async fn connect(base: &str) -> Self {
        Self(().serve(client::streamable_http(base)).await.unwrap())
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, String> {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object")
        };
        let parameters = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = self.0.peer().call_tool(parameters).await.unwrap();
        outcome(&json!({ "result": serde_json::to_value(result).unwrap() }))
    }

    /// Works on the queue until it is empty: claims, finishes, releases. The cards that it had.
    async fn work(&self, name: String) -> Vec<String> {
        let claim = json!({
            "tool": "card_list",
            "kind": "card",
            "arguments": { "filter": { "status": "todo" }, "sort": "position" },
            "as": name,
        });
        let mut cards = Vec::new();
        loop {
            match self.call("claim_next", claim.clone()).await {
                Ok(claimed) => {
                    let record = text(&claimed, "record");
                    let id = record.strip_prefix("card:").unwrap().to_owned();
                    let lease = text(&claimed, "lease");
                    let done = json!({ "id": id, "status": "done", "lease": lease });
                    self.call("card_update", done).await.unwrap();
                    self.call("release", json!({ "lease": lease }))
                        .await
                        .unwrap();
                    cards.push(id);
                }
                Err(why) if why.contains("nothing to claim") => return cards,
                // the last ones are in the hands of others
                Err(why) => assert!(why.contains("All that the list shows is claimed"), "{why}"),
            }
        }
    }
}

/// What is claimed from is read for whoever claims, as if they listed it themselves.
#[test]
fn a_list_that_is_claimed_from_is_read_as_its_caller() {
    let home = Home::new();
    home.succeed(&["call", "card_create", "title=One"]);
    let mut command = home.command(&["serve", "board", "--allow", "write"]);
    command.env("FOOTBRIDGE_AUDIT_READS", "true");
    let mut agent = Session::start(&mut command);
    let next = json!({ "tool": "card_list", "kind": "card" });
    let claimed = agent.call("claim_next", next).unwrap();
    assert!(text(&claimed, "record").starts_with("card:"), "{claimed}");
    agent.finish();
    let rows = crate::audit::rows(&home).into_iter();
    let reads: Vec<String> = rows
        .map(|mut row| row["detail"].take())
        .filter(|detail| detail["effect"] == "read")
        .map(|detail| text(&detail, "door").to_owned())
        .collect();
    assert_eq!(reads, ["stdio"]);
}

/// Each card is worked on once, though all of them read the same list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_who_claim_from_one_queue_of_a_thousand_get_each_card_once() {
    let home = Home::new();
    let (running, base) = listening(&home, &[]);
    let mut agents = Vec::new();
    for _ in 0..20 {
        agents.push(Agent::connect(&base).await);
    }
    let fill = agents.iter().enumerate().map(async |(number, agent)| {
        for card in 0..50 {
            let position = number * 50 + card;
            let card = json!({ "title": "x", "status": "todo", "position": position });
            agent.call("card_create", card).await.unwrap();
        }
    });
    futures_util::future::join_all(fill).await;
    let work = agents
        .iter()
        .enumerate()
        .map(|(number, agent)| agent.work(format!("agent {number}")));
    let worked: Vec<Vec<String>> = futures_util::future::join_all(work).await;
    let all: Vec<&String> = worked.iter().flatten().collect();
    assert_eq!(all.len(), 1000);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 1000);
    assert!(worked.iter().all(|cards| !cards.is_empty()), "all had some");
    let left = agents[0]
        .call("card_list", json!({ "filter": { "status": "todo" } }))
        .await;
    assert_eq!(left.unwrap()["items"], json!([]));
    for agent in agents {
        agent.0.cancel().await.unwrap();
    }
    let leases: Value = serde_json::from_str(&home.succeed(&["leases", "list", "--json"])).unwrap();
    assert_eq!(leases, json!({ "leases": [] }));
    drop(running);
}

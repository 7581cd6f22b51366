//! Under `--allow propose` a write is kept, shown with its difference, and carried out when a person
//! approves it; whoever cannot wait is refused.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http};

fn board(home: &Home, allow: &str) -> Session {
    Session::start(&mut home.command(&["serve", "board", "--allow", allow]))
}

fn made(home: &Home) -> String {
    let card = home.succeed(&["call", "card_create", "title=One", "status=todo"]);
    let card: Value = serde_json::from_str(&card).unwrap();
    card["id"].as_str().unwrap().to_owned()
}

fn state(home: &Home, id: &str) -> Value {
    let shown = home.succeed(&["changes", "show", id, "--json"]);
    serde_json::from_str::<Value>(&shown).unwrap()["state"].clone()
}

#[test]
fn a_write_waits_with_its_difference_until_a_person_approves_it() {
    let home = Home::new();
    let id = made(&home);
    let mut agent = board(&home, "propose");
    let answer = agent
        .call("card_update", json!({ "id": id, "title": "Two" }))
        .unwrap();
    let text = answer.as_str().unwrap();
    assert!(
        text.starts_with("Nothing was changed yet: this is proposed as change 2")
            && text.contains("title: One -> Two"),
        "{text}"
    );
    let new = json!({ "title": "Three" });
    let new = agent.call("card_create", new).unwrap();
    let last = new.as_str().unwrap().lines().skip(1);
    assert_eq!(
        last.collect::<Vec<_>>(),
        ["makes a new card", "  title: absent -> Three"]
    );
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(card["title"], "One");
    let listed = agent
        .call("changes_list", json!({ "state": "proposed" }))
        .unwrap();
    assert_eq!(listed["items"][0]["id"], 3);
    assert_eq!(listed["items"][1]["id"], 2);

    let unseen = home.run(&["changes", "approve", "2"]);
    assert_eq!(unseen.code, Some(2), "{unseen:?}");
    home.succeed(&["changes", "approve", "2", "--yes"]);
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(card["title"], "Two");
    assert_eq!(state(&home, "2"), "done");
    let again = home.run(&["changes", "approve", "2", "--yes"]);
    assert!(again.complaint(1).contains("change 2 is done"), "{again:?}");
    home.succeed(&["changes", "undo", "2", "--yes"]);
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(card["title"], "One");
    agent.finish();
}

#[test]
fn what_people_changed_since_is_shown_and_not_overwritten() {
    let home = Home::new();
    let id = made(&home);
    let mut agent = board(&home, "propose");
    agent
        .call("card_update", json!({ "id": id, "title": "Agent's" }))
        .unwrap();
    home.succeed(&["call", "card_update", &format!("id={id}"), "title=Person's"]);
    let refused = home.run(&["changes", "approve", "2", "--yes"]);
    let why = refused.complaint(1);
    assert!(
        why.contains("it was \"One\", it is to be \"Agent's\", and it is \"Person's\" now"),
        "{why}"
    );
    assert_eq!(state(&home, "2"), "proposed");
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(card["title"], "Person's");

    // another field is no conflict
    agent
        .call("card_update", json!({ "id": id, "status": "doing" }))
        .unwrap();
    home.succeed(&["changes", "approve", "4", "--yes"]);
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(
        (&card["title"], &card["status"]),
        (&json!("Person's"), &json!("doing"))
    );
    agent.finish();
}

#[test]
fn a_declined_proposal_is_never_carried_out() {
    let home = Home::new();
    let mut agent = board(&home, "propose");
    agent
        .call("card_create", json!({ "title": "New" }))
        .unwrap();
    home.succeed(&["changes", "decline", "1", "--reason", "not now"]);
    assert_eq!(state(&home, "1"), "withdrawn");
    for command in ["approve", "decline"] {
        let arguments = match command {
            "approve" => vec!["changes", "approve", "1", "--yes"],
            _ => vec!["changes", "decline", "1"],
        };
        let refused = home.run(&arguments);
        assert!(refused.complaint(1).contains("withdrawn"), "{refused:?}");
    }
    assert_eq!(agent.titles(), Vec::<String>::new());
    agent.finish();
}

#[test]
fn writing_at_once_and_deleting_by_proposal_stand_side_by_side() {
    let home = Home::new();
    let mut agent = board(&home, "write,propose");
    let card = agent
        .call("card_create", json!({ "title": "One" }))
        .unwrap();
    let answer = agent
        .call("card_delete", json!({ "id": card["id"] }))
        .unwrap();
    assert!(
        answer.as_str().unwrap().contains("deletes card"),
        "{answer}"
    );
    assert_eq!(agent.titles(), ["One"]);
    home.succeed(&["changes", "approve", "2", "--yes"]);
    assert_eq!(agent.titles(), Vec::<String>::new());
    agent.finish();
}

#[test]
fn programs_and_the_board_s_own_door_are_refused() {
    let home = Home::new();
    let token = home.token("local");
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "propose"]));
    let refused = http::post(&base, "/xapi2/data/card", &json!({ "title": "x" }))
        .bearer(&token)
        .send();
    assert_eq!(refused.status, 403, "{}", refused.body);
    let proposed = call_over_http(&base, "card_create", &json!({ "title": "x" })).unwrap();
    assert!(
        proposed.as_str().unwrap().contains("proposed as change 1"),
        "{proposed}"
    );
    let listed = call_over_http(&base, "card_list", &json!({})).unwrap();
    assert_eq!(listed["items"], json!([]));
    running.stop();

    let words = "write,destroy,card_delete=propose";
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", words]));
    let put = |method: &str, path: &str| {
        let request = http::post(&base, path, &json!({ "title": "x" }));
        request.method(method).bearer(&token).send()
    };
    let card = put("POST", "/xapi2/data/card").json();
    let path = format!("/xapi2/data/card/{}", card["id"].as_str().unwrap());
    let refused = put("DELETE", &path);
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.body.contains("what card_delete does is closed"));
    running.stop();
}

//! Two processes on one data directory: both work, and each sees what the other wrote.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http, outcome, tool_call};

#[test]
fn each_reads_what_the_other_wrote() {
    let home = Home::new();
    let mut one = Session::start(&mut home.command(&["serve"]));
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let mut titles = Vec::new();
    for number in 0..20 {
        let title = format!("card {number}");
        let arguments = json!({ "title": title });
        let card = if number % 2 == 0 {
            one.call("card_create", arguments).unwrap()
        } else {
            call_over_http(&base, "card_create", &arguments).unwrap()
        };
        let id = json!({ "id": card["id"] });
        assert_eq!(one.call("card_get", id.clone()).unwrap(), card);
        assert_eq!(call_over_http(&base, "card_get", &id).unwrap(), card);
        titles.push(title);
    }
    let seen: BTreeSet<_> = one.titles().into_iter().collect();
    assert_eq!(seen, titles.into_iter().collect());
}

#[test]
fn many_writes_of_both_at_once_are_all_there() {
    // Few enough for the five seconds that a write waits for its turn.
    const WRITES: u64 = 20;
    let home = Home::new();
    let mut both = [0, 1].map(|_| Running::start_piped(&mut home.command(&["serve"])));
    for id in 0..WRITES {
        for (name, running) in both.iter_mut().enumerate() {
            running.send(
                tool_call(
                    id,
                    "card_create",
                    &json!({ "title": format!("{name}/{id}") }),
                )
                .to_string(),
            );
        }
    }
    for mut running in both {
        for _ in 0..WRITES {
            outcome(&serde_json::from_str(&running.line().unwrap()).unwrap()).unwrap();
        }
        running.close_input();
        let ended = running.ended();
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{ended:?}"
        );
        assert_eq!(ended.stdout.lines().count() as u64, WRITES);
    }
    let titles = Session::start(&mut home.command(&["serve"])).titles();
    let expected: BTreeSet<_> = (0..WRITES)
        .flat_map(|id| [format!("0/{id}"), format!("1/{id}")])
        .collect();
    assert_eq!(
        (titles.len(), titles.into_iter().collect::<BTreeSet<_>>()),
        (expected.len(), expected)
    );
}

#[test]
fn several_that_start_at_once_on_nothing_all_start() {
    let home = Home::new();
    let mut all: Vec<_> = (0..6)
        .map(|_| Running::start_piped(&mut home.command(&["serve"])))
        .collect();
    for running in &mut all {
        running.send(tool_call(1, "whoami", &json!({})).to_string());
    }
    for mut running in all {
        running.close_input();
        let ended = running.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    }
}

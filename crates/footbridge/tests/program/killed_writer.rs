//! `kill -9` in the middle of a write load: what was acknowledged is there after the restart, and nothing is there twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http, outcome, tool_call, try_call_over_http};

const ROUNDS: u64 = 4;
/// Fewer than may be under way on one connection.
const WRITES: u64 = 250;

/// Every title that is kept, after a check that none is there twice and that the cards can still be written.
fn kept(home: &Home) -> BTreeSet<String> {
    let mut session = Session::start(&mut home.command(&["serve", "--allow", "write,destroy"]));
    let titles = session.titles();
    let kept: BTreeSet<_> = titles.iter().cloned().collect();
    assert_eq!(kept.len(), titles.len(), "a card is there twice");
    let probe = session.call("card_create", json!({ "title": "probe" })).unwrap();
    session.call("card_delete", json!({ "id": probe["id"] })).unwrap();
    kept
}

#[test]
fn over_stdio() {
    let home = Home::new();
    let mut acknowledged = BTreeSet::new();
    let mut sent = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut running = Running::start_piped(&mut home.command(&["serve"]));
        for id in 0..WRITES {
            let title = format!("{round}/{id}");
            running.send(tool_call(id, "card_create", &json!({ "title": title })).to_string());
            sent.insert(title);
        }
        // Killed while the rest is still being written; every round a little later.
        let before: Vec<_> = (0..=10 * round).map(|_| running.line().unwrap()).collect();
        let said = running.kill().stdout;
        let whole = said.lines().filter(|line| line.ends_with('}')).map(str::to_owned);
        let answers: BTreeSet<String> = before.into_iter().chain(whole).collect();
        assert!((answers.len() as u64) < WRITES, "killed too late to show anything");
        for answer in answers {
            // The last line may be cut in two.
            let Ok(answer) = serde_json::from_str::<Value>(&answer) else { continue };
            acknowledged.insert(outcome(&answer).unwrap()["title"].as_str().unwrap().to_owned());
        }
    }
    let kept = kept(&home);
    assert!(acknowledged.len() as u64 >= ROUNDS);
    assert!(acknowledged.is_subset(&kept), "lost: {:?}", acknowledged.difference(&kept).collect::<Vec<_>>());
    assert!(kept.is_subset(&sent), "nobody sent: {:?}", kept.difference(&sent).collect::<Vec<_>>());
}

#[test]
fn over_http() {
    let home = Home::new();
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let (running, base) = Running::start_http(&mut home.command(&["serve"]));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let base = base.clone();
                std::thread::spawn(move || {
                    let mut own = Vec::new();
                    loop {
                        let title = format!("{round}/{writer}/{}", own.len());
                        let arguments = json!({ "title": title });
                        // A writer ends when the server is gone.
                        let Some(answer) = try_call_over_http(&base, "card_create", &arguments) else { break };
                        assert_eq!(answer.unwrap()["title"], title);
                        own.push(title);
                    }
                    own
                })
            })
            .collect();
        // The load runs: three cards of this round are seen by another reader.
        while {
            let cards = call_over_http(&base, "card_list", &json!({ "q": format!("{round}/"), "limit": 3 })).unwrap();
            cards["items"].as_array().unwrap().len() < 3
        } {}
        running.kill();
        for writer in writers {
            acknowledged.extend(writer.join().unwrap());
        }
    }
    let kept = kept(&home);
    assert!(acknowledged.len() as u64 >= ROUNDS, "{acknowledged:?}");
    assert!(acknowledged.is_subset(&kept), "lost: {:?}", acknowledged.difference(&kept).collect::<Vec<_>>());
}

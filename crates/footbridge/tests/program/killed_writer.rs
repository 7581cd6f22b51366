//! `kill -9` in the middle of a write load: what was acknowledged is there after the restart, and
//! nothing is there twice.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use crate::harness::process::{DEADLINE, Home, Running};
use crate::harness::session::{Session, call_over_http, outcome, tool_call, try_call_over_http};
use crate::harness::stand_in::Reserved;

const ROUNDS: u64 = 4;
/// Writes that are under way all the time; fewer than may be on one connection.
const UNDER_WAY: u64 = 100;

/// Every title that is kept, after a check that none is there twice and that the cards can still be
/// written.
fn kept(home: &Home) -> BTreeSet<String> {
    let mut session = Session::start(&mut home.command(&["serve", "--allow", "write,destroy"]));
    let titles = session.titles();
    let kept: BTreeSet<_> = titles.iter().cloned().collect();
    assert_eq!(kept.len(), titles.len(), "a card is there twice");
    let probe = session
        .call("card_create", json!({ "title": "probe" }))
        .unwrap();
    session
        .call("card_delete", json!({ "id": probe["id"] }))
        .unwrap();
    kept
}

#[test]
fn over_stdio() {
    let home = Home::new();
    let mut acknowledged = BTreeSet::new();
    let mut sent = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut running = Running::start_piped(&mut home.command(&["serve"]));
        let mut id = 0;
        let mut send = |running: &mut Running| {
            let title = format!("{round}/{id}");
            running.send(tool_call(id, "card_create", &json!({ "title": title })).to_string());
            sent.insert(title);
            id += 1;
        };
        for _ in 0..UNDER_WAY {
            send(&mut running);
        }
        // Killed while as many are under way as ever: each answer was followed by another call;
        // every round a little later.
        let mut answers = BTreeSet::new();
        for _ in 0..=10 * round {
            answers.insert(running.line().unwrap());
            send(&mut running);
        }
        let said = running.kill().stdout;
        answers.extend(
            said.lines()
                .filter(|line| line.ends_with('}'))
                .map(str::to_owned),
        );
        for answer in answers {
            // The last line may be cut in two.
            let Ok(answer) = serde_json::from_str::<Value>(&answer) else {
                continue;
            };
            acknowledged.insert(
                outcome(&answer).unwrap()["title"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
    let kept = kept(&home);
    assert!(acknowledged.len() as u64 >= ROUNDS);
    assert!(
        acknowledged.is_subset(&kept),
        "lost: {:?}",
        acknowledged.difference(&kept).collect::<Vec<_>>()
    );
    assert!(
        kept.is_subset(&sent),
        "nobody sent: {:?}",
        kept.difference(&sent).collect::<Vec<_>>()
    );
}

#[test]
fn over_http() {
    let home = Home::new();
    let mut acknowledged = BTreeSet::new();
    // Writers go on knocking after the server is gone: nobody else must open.
    let place = Reserved::new();
    let (base, port) = (place.url(), place.port().to_string());
    for round in 0..ROUNDS {
        let mut running = Running::start(&mut home.command(&["serve", "--port", &port]));
        assert_eq!(running.address(), base);
        let (told, answers) = channel();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (base, told) = (base.clone(), told.clone());
                std::thread::spawn(move || {
                    for number in 0.. {
                        let title = format!("{round}/{writer}/{number}");
                        let arguments = json!({ "title": title });
                        // A writer ends when the server is gone.
                        let Some(answer) = try_call_over_http(&base, "card_create", &arguments)
                        else {
                            break;
                        };
                        assert_eq!(answer.unwrap()["title"], title);
                        told.send(title).unwrap();
                    }
                })
            })
            .collect();
        drop(told);
        // The load runs, and what was acknowledged is seen by a reader.
        let first = answers.recv_timeout(DEADLINE).unwrap();
        let cards = call_over_http(&base, "card_list", &json!({ "q": first, "limit": 1 })).unwrap();
        assert_eq!(cards["items"][0]["title"], first);
        acknowledged.extend([first]);
        acknowledged.extend((0..10 * round).map(|_| answers.recv_timeout(DEADLINE).unwrap()));
        running.kill();
        for writer in writers {
            writer.join().unwrap();
        }
        acknowledged.extend(answers);
    }
    let kept = kept(&home);
    assert!(acknowledged.len() as u64 >= ROUNDS, "{acknowledged:?}");
    assert!(
        acknowledged.is_subset(&kept),
        "lost: {:?}",
        acknowledged.difference(&kept).collect::<Vec<_>>()
    );
}

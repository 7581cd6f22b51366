//! The questions that are asked of a board: the calls by default tools, and what the answers cost a
//! model. `docs/questions-board.md` is made from here; `INSTA_UPDATE=always` writes it anew.

use serde_json::{Value, json};

use crate::harness::questions::{Asked, QuestionPage, one};
use crate::harness::served::{Served, Via};

fn questions() -> Vec<Asked> {
    // ids and times are others each day, so the answers are made of what is not
    let of = |tool: &str, args: Value, filter: &str| json!({ "calls": [{ "as": "c", "tool": tool, "args": args }], "filter": filter });
    let cards = |question, filter: Value| {
        let args = json!({ "filter": filter, "all": true });
        let shown = "[$c.items[] | {title, assignee, due_date}]";
        one(question, "query", of("card_list", args, shown))
    };
    let composed =
        |filter: &str, sort: &str| of("card_list", json!({ "sort": sort, "all": true }), filter);
    vec![
        one(
            "Which boards are there?",
            "query",
            of("board_list", json!({}), "[$c.items[].name] | sort"),
        ),
        cards("What is being done?", json!({ "status": "doing" })),
        cards("What is critical?", json!({ "priority": "critical" })),
        cards("What has Ana?", json!({ "assignee": "Ana" })),
        one(
            "Where is the card about this?",
            "query",
            of(
                "card_list",
                json!({ "q": "invoice 7" }),
                "[$c.items[] | {title, status, assignee}]",
            ),
        ),
        one(
            "What is late?",
            "query",
            composed(
                "[$c.items[] | select(.due_date != null and .due_date < \"2026-12-05\" and .status != \"done\") | {title, assignee, due_date}]",
                "due_date",
            ),
        ),
        one(
            "How many cards has each column?",
            "query",
            composed(
                "$c.items | group_by(.status) | map({status: .[0].status, cards: length})",
                "status",
            ),
        ),
        one(
            "What has nobody?",
            "query",
            composed(
                "[$c.items[] | select(.assignee == null) | .title]",
                "position",
            ),
        ),
        one(
            "Who has how much?",
            "query",
            composed(
                "[$c.items[] | select(.assignee != null)] | group_by(.assignee) | map({assignee: .[0].assignee, cards: length})",
                "position",
            ),
        ),
        (
            "When will it be finished?",
            Err("A board forecasts nothing; TruePPM does."),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_questions_of_who_works_a_board_take_a_call_and_some_hundred_tokens() {
    let served = Served::by(Via::Stdio, &["board"], [], |_| {}).await;
    for (name, columns) in [
        ("Office", ["todo", "doing", "done"]),
        ("Home", ["todo", "doing", "done"]),
    ] {
        let columns: Vec<Value> = columns
            .iter()
            .map(|key| json!({ "key": key, "title": key }))
            .collect();
        served
            .succeed("board_create", json!({ "name": name, "columns": columns }))
            .await;
    }
    let boards = served.succeed("board_list", json!({})).await;
    for number in 0..24_usize {
        let mut card = json!({
            "title": format!("Pay invoice {number}"),
            "board_id": boards["items"][number % 2]["id"],
            "status": (["todo", "doing", "done"])[number % 3],
            "priority": (["low", "high", "critical"])[number % 3],
            "due_date": format!("2026-12-{:02}", number + 1),
        });
        if number % 4 != 0 {
            card["assignee"] = json!((["Ana", "Ben"])[number % 2]);
        }
        served.succeed("card_create", card).await;
    }
    let page = QuestionPage {
        file: "questions-board.md",
        title: "What is asked of a board",
        place: "on two boards of 24 cards",
        words: &[],
    };
    page.hold(&served, questions()).await;
    served.end().await;
}

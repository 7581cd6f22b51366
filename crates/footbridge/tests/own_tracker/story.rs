//! What a user of Burrow does: names, whole lists, changes and conflicts, notes, refusals, the
//! actions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::served::{ACTION_KEY, Served};
use crate::stand_in::{KEY, StandIn};

fn fenced(text: &str) -> Value {
    json!(format!("<untrusted-content>{text}</untrusted-content>"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_by_names_from_its_making_to_its_end() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, KEY).await;
    assert_eq!(served.tools().await.len(), 8);
    let new = json!({ "space": "web shop", "title": "Basket forgets", "assignee": "me", "labels": ["bug"] });
    let ticket = served.succeed("burrow_ticket_create", new).await;
    let key = ticket["key"].clone();
    assert_eq!(
        (&ticket["title"], &ticket["assignee"], &ticket["labels"]),
        (
            &fenced("Basket forgets"),
            &json!("Inês Prado"),
            &json!(["bug"])
        )
    );
    served
        .succeed(
            "burrow_note_add",
            json!({ "key": key, "text": "Seen on Monday" }),
        )
        .await;
    let doing = served
        .succeed(
            "burrow_ticket_update",
            json!({ "key": key, "state": "doing", "assignee": null }),
        )
        .await;
    assert_eq!(
        (&doing["state"], doing.get("assignee"), &doing["rev"]),
        (&json!("doing"), None, &json!(2))
    );
    let one = served
        .succeed("burrow_ticket_get", json!({ "key": key }))
        .await;
    assert_eq!(
        (&one["notes"][0]["text"], &one["notes"][0]["by"]),
        (&fenced("Seen on Monday"), &json!("Inês Prado"))
    );

    // Somebody else changes another field in between, then the same one; then we name the revision.
    stand_in.world().meddle = Some(("labels", json!([{ "name": "theirs" }])));
    let merged = served
        .succeed(
            "burrow_ticket_update",
            json!({ "key": key, "title": "Basket forgets all" }),
        )
        .await;
    assert_eq!(
        (&merged["title"], &merged["labels"]),
        (&fenced("Basket forgets all"), &json!(["theirs"]))
    );
    stand_in.world().meddle = Some(("title", json!("Theirs")));
    served
        .refuse(
            "burrow_ticket_update",
            json!({ "key": key, "title": "Ours" }),
            &["Changed meanwhile: title"],
        )
        .await;
    served
        .refuse(
            "burrow_ticket_update",
            json!({ "key": key, "title": "Ours", "rev": 1 }),
            &["latest version is 5"],
        )
        .await;

    assert_eq!(
        served
            .confirmed("burrow_ticket_delete", json!({ "key": key }))
            .await,
        json!({ "deleted": key })
    );
    let gone = ["404", "There is no ticket", "List the tickets of the space"];
    served
        .refuse("burrow_ticket_get", json!({ "key": key }), &gone)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_whole_page_by_page() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, KEY).await;
    for number in 0..120 {
        let assignee = if number % 2 == 0 {
            json!("kofi")
        } else {
            Value::Null
        };
        let new = json!({ "space": "OPS", "title": format!("T{number}"), "assignee": assignee });
        served.succeed("burrow_ticket_create", new).await;
    }
    let mut arguments = json!({ "space": "ops", "limit": 50 });
    let mut keys = Vec::new();
    loop {
        let page = served
            .succeed("burrow_tickets_list", arguments.clone())
            .await;
        assert_eq!(page["total_count"], 120);
        keys.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|ticket| ticket["key"].as_str().unwrap().to_owned()),
        );
        match page.get("next_cursor") {
            Some(cursor) if keys.len() <= 120 => arguments["cursor"] = cursor.clone(),
            _ => break,
        }
    }
    assert_eq!(
        (keys.len(), keys.into_iter().collect::<BTreeSet<_>>().len()),
        (120, 120),
        "each once"
    );
    let his = served
        .succeed(
            "burrow_tickets_list",
            json!({ "space": "OPS", "assignee": "kofi", "limit": 100 }),
        )
        .await;
    assert_eq!(his["items"].as_array().unwrap().len(), 60);
    served
        .refuse(
            "burrow_tickets_list",
            json!({ "space": "OPS", "assignee": "Kofi Owusu" }),
            &["more than one person", "id kofi)", "id kofi2)"],
        )
        .await;
    served
        .refuse(
            "burrow_tickets_list",
            json!({ "space": "Webshop" }),
            &["no space called", "Web shop (id WEB)"],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_waits_are_those_of_this_backend() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, KEY).await;
    let blank = json!({ "space": "WEB", "title": "   " });
    served
        .refuse(
            "burrow_ticket_create",
            blank,
            &["422", "Some fields are wrong. title: must not be blank"],
        )
        .await;
    for key in ["../self", "WEB-1/notes", "WEB-1?x", "%2e%2e"] {
        served
            .refuse("burrow_ticket_get", json!({ "key": key }), &["key"])
            .await;
    }
    let asked = stand_in.world().seen.len();
    stand_in.world().throttle = 1;
    served
        .succeed("burrow_tickets_list", json!({ "space": "WEB" }))
        .await;
    assert!(
        stand_in.world().seen.len() > asked + 1,
        "it was waited for, and asked again"
    );
    let stranger = Served::start(&stand_in, "planted-and-wrong").await;
    stranger
        .refuse(
            "burrow_tickets_list",
            json!({ "space": "WEB" }),
            &["401", "This key is not known", "BURROW_KEY"],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_actions_are_those_of_the_file() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, KEY).await;
    let ticket = served
        .succeed(
            "burrow_ticket_create",
            json!({ "space": "WEB", "title": "By action" }),
        )
        .await;
    let http = crate::harness::client::http();
    let body = json!({ "key": ticket["key"] }).to_string();
    let close = http
        .post(format!("{}/actions/close_ticket", served.url()))
        .header("x-api-key", ACTION_KEY)
        .body(body);
    let closed = close.send().await.unwrap().text().await.unwrap();
    assert_eq!(closed, json!({ "closed": ticket["key"] }).to_string());
    let list = http
        .get(format!(
            "{}/actions/tickets?space=Web+shop&state=done",
            served.url()
        ))
        .header("x-api-key", ACTION_KEY);
    let list: Value =
        serde_json::from_str(&list.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(
        list,
        json!({ "tickets": [{ "key": ticket["key"], "title": "By action", "state": "done" }] })
    );
}

//! `query` over a Taiga: several reads in one call, by names and by what an earlier one gave, the
//! same rows as the calls alone, fenced where others wrote them, and nothing written.

use serde_json::{Value, json};

use crate::served::{Served, Via, items, settings};
use crate::stand_in::StandIn;

/// A stranger's words without the marks around them.
fn inside(text: &str) -> Value {
    let inside = text
        .strip_prefix("<untrusted-content>")
        .and_then(|rest| rest.strip_suffix("</untrusted-content>"))
        .unwrap_or_else(|| panic!("no fence: {text}"));
    serde_json::from_str(inside).unwrap()
}

fn read(name: &str, tool: &str, args: &Value) -> Value {
    json!({ "as": name, "tool": tool, "args": args })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lists_and_what_hangs_on_the_first_are_one_call() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = Served::over(via, "write,destroy", settings(&stand_in)).await;
        let stories = json!({ "project_id": { "$from": "p", "path": ".items[0].id" } });
        let calls = json!([
            read(
                "p",
                "taiga_projects_list",
                &json!({ "search": "example 1" })
            ),
            read("s", "taiga_stories_list", &stories),
            read(
                "t",
                "taiga_tasks_list",
                &json!({ "project_id": "project example 1" })
            ),
        ]);
        let filter = "{stories: $s.total_count, open: [$s.items[] | select(.status == \"In progress\")] | length,\n\
                      tasks: ($t.items | length)}";
        let counted = served
            .succeed("query", json!({ "calls": calls, "filter": filter }))
            .await;
        assert_eq!(counted["open"], 7, "{counted}");
        let text = served.text("query", json!({ "calls": calls })).await;
        let whole = inside(&text);
        for (name, tool, arguments) in [
            ("s", "taiga_stories_list", json!({ "project_id": 1 })),
            ("t", "taiga_tasks_list", json!({ "project_id": 1 })),
        ] {
            let alone = served.succeed(tool, arguments).await;
            let ids = |page: &Value| -> Vec<Value> {
                items(page).iter().map(|row| row["id"].clone()).collect()
            };
            assert_eq!(ids(&whole[name]), ids(&alone), "{name}");
            assert!(!whole[name].to_string().contains("untrusted-content"));
        }
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_and_what_is_wrong_is_told_before_anything_is_asked() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write,destroy").await;
    let sent = || {
        let world = stand_in.world();
        let lines = world.seen.sent.iter().map(|sent| sent.line.clone());
        lines.collect::<Vec<_>>()
    };
    served.text("taiga_projects_list", json!({})).await;
    let before = sent().len();
    let delete = json!({ "calls": [
        read("a", "taiga_projects_list", &json!({})),
        read("b", "taiga_stories_delete", &json!({ "user_story_id": 1 })),
    ] });
    served
        .refuse("query", delete, &["b: taiga_stories_delete changes things"])
        .await;
    let wrong = json!({ "calls": [read("a", "taiga_projects_list", &json!({}))], "filter": ".[" });
    served.refuse("query", wrong, &["filter, line 1: "]).await;
    assert_eq!(sent().len(), before, "nothing was asked");
    let closed = stand_in.world().seen.sent.len();
    let unknown = json!({ "calls": [read("a", "taiga_stories_list", &json!({ "project_id": "no such project" }))] });
    served.refuse("query", unknown, &["a: "]).await;
    let lines = sent();
    assert!(
        lines[closed..].iter().all(|line| line.starts_with("GET ")),
        "{lines:?}"
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_left_out_is_told_and_a_shape_says_what_rows_have() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "read").await;
    let some = json!({ "calls": [
        read("s", "taiga_stories_list", &json!({ "project_id": 1, "limit": 2 })),
    ], "filter": "$s.items | length" });
    assert_eq!(served.text("query", some).await, "2");
    let shape = served
        .succeed(
            "taiga_stories_list",
            json!({ "project_id": 1, "fields": ["shape"] }),
        )
        .await;
    assert!(shape["row"]["subject"].is_string(), "{shape}");
    served.end().await;
}

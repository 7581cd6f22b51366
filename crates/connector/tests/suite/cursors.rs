//! Cursors and what a list tells of its end: what was read comes, and a cursor leads nowhere but on.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::fake::{Fake, Seen, call};
use crate::scripted::{Answer, HEAD, Scripted, ids, number, ok};

/// One tool over one way of paging.
fn file(base: &str, paging: &str) -> String {
    format!(
        "{HEAD}upstream: {{ base: \"{base}\", paging: {{ pages: {{ {paging} }} }} }}\n\
         tools:\n  - {{ name: t, title: T, description: D, effect: read, \
         input: {{ all: {{ type: boolean, description: A }} }}, \
         steps: [{{ get: /rows, pages: pages }}] }}\n"
    )
}

/// A model over pages of this many rows.
fn model(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Scripted {
    let file = format!(
        "{HEAD}upstream:\n  base: http://localhost/api\n  paging:\n    list: {{ kind: after, after: after, size: size, offset: offset, rows: .rows, more: .more, identity: .id, cap: 5000 }}\nmodels:\n  thing: {{ path: /things, ops: [list], fields: {{ name: {{ type: string }} }} }}\n"
    );
    Scripted::new(&file, script)
}

/// The bytes of a cursor after its digest.
fn opened(cursor: &Value) -> (Vec<u8>, String) {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str().unwrap()).unwrap();
    let (head, text) = bytes.split_at(9);
    (head.to_vec(), String::from_utf8(text.to_vec()).unwrap())
}

fn sealed(mut head: Vec<u8>, text: &str) -> String {
    head.extend_from_slice(text.as_bytes());
    URL_SAFE_NO_PAD.encode(head)
}

/// Whoever makes up a cursor, or changes one, reaches nothing that a next page could not name.
#[tokio::test]
async fn a_cursor_that_was_made_up_leads_to_no_other_address() {
    for (base, elsewhere) in [
        ("http://localhost", "@other.example/rows"),
        ("http://localhost", ".other.example/rows"),
        ("http://localhost/api", "/../secret"),
        ("http://localhost/api", "/%2e%2e/secret"),
        ("http://localhost/api", "s/secret"),
    ] {
        let paging = "kind: link, next: .next, rows: .rows";
        let scripted = Scripted::new(&file(base, paging), |seen| {
            let next = (!seen.path.contains("at=")).then_some("?at=2");
            ok(json!({"rows": [{"id": 1}, {"id": 2}], "next": next}))
        });
        let page = scripted.call("t", json!({"limit": 2})).await.unwrap();
        let (head, text) = opened(&page["next_cursor"]);
        assert!(text.ends_with("/rows?at=2"), "{text}");
        let again = sealed(head.clone(), &text);
        scripted.call("t", json!({"cursor": again})).await.unwrap();
        let asked = scripted.lines().len();
        let forged = sealed(head, elsewhere);
        let refusal = scripted.refusal("t", json!({"cursor": forged})).await;
        assert!(
            refusal.starts_with("`cursor` is not one of ours"),
            "{refusal}"
        );
        assert_eq!(scripted.lines().len(), asked, "nothing was sent");
    }
    // a page without a number
    let scripted = Scripted::new(
        &file(
            "http://localhost",
            "kind: page, page: page, size: size, rows: .rows",
        ),
        |_| ok(json!({"rows": [{"id": 1}, {"id": 2}, {"id": 3}]})),
    );
    let page = scripted.call("t", json!({"limit": 2})).await.unwrap();
    let (head, text) = opened(&page["next_cursor"]);
    let forged = sealed(head, &format!("{text}&all=true"));
    let refusal = scripted.refusal("t", json!({"cursor": forged})).await;
    assert!(
        refusal.starts_with("`cursor` is not one of ours"),
        "{refusal}"
    );
}

/// A model's cursor is a row, whatever the size of the pages, and as short as it can be.
#[tokio::test]
async fn a_models_cursor_is_the_row_before_it() {
    for page_rows in [None, Some(30)] {
        let fake = Fake {
            page_rows,
            ..Fake::with_cards(40)
        };
        let board = fake.board();
        let page = call(&board, "card_list", json!({"limit": 7}))
            .await
            .unwrap();
        let (_, text) = opened(&page["next_cursor"]);
        assert_eq!(text, "id-00007", "{page_rows:?}");
        let rest = json!({"limit": 50, "cursor": page["next_cursor"]});
        let rest = call(&board, "card_list", rest).await.unwrap();
        assert_eq!(rest["items"].as_array().unwrap().len(), 33, "{page_rows:?}");
    }
}

#[tokio::test]
async fn a_later_page_that_is_no_list_leaves_what_came() {
    let scripted = model(|seen| match number(seen, "after") {
        None => ok(json!({"rows": [{"id": 1, "data": {"name": "x"}}], "more": true})),
        Some(_) => ok(json!({"rows": "none"})),
    });
    let all = scripted.call("thing_list", json!({"all": true})).await;
    let all = all.unwrap();
    assert_eq!((ids(&all), &all["truncated"]), (vec![1], &json!(true)));
    let note = all["note"].as_str().unwrap();
    assert!(note.contains("A later page failed: X answered something that is not a list"));
    assert!(all["next_cursor"].is_string());
    // a next page elsewhere
    let paging = "kind: link, next: .next, rows: .rows";
    let scripted = Scripted::new(&file("http://localhost/api", paging), |seen| {
        let at = number(seen, "at").unwrap_or(0);
        let next = ["?at=1", "http://other.example/else/where"][at];
        ok(json!({"rows": [{"id": at}], "next": next}))
    });
    let page = scripted.call("t", json!({})).await.unwrap();
    assert_eq!((ids(&page), &page["truncated"]), (vec![0], &json!(true)));
    assert!(page["note"].as_str().unwrap().contains("never followed"));
}

/// Rows that two pages share are counted once on each side.
#[tokio::test]
async fn a_row_that_moved_to_the_next_page_is_not_said_to_be_missing() {
    let paging = "kind: page, page: page, size: size, rows: .rows, total: .total, identity: .id";
    let scripted = Scripted::new(&file("http://localhost", paging), |seen| {
        let rows = match number(seen, "page").unwrap() {
            1 => json!([{"id": 1}, {"id": 2}]),
            2 => json!([{"id": 2}, {"id": 3}]),
            _ => json!([]),
        };
        ok(json!({"rows": rows, "total": 3}))
    });
    let page = scripted.call("t", json!({"all": true})).await.unwrap();
    assert_eq!(
        page,
        json!({"items": [{"id": 1}, {"id": 2}, {"id": 3}], "total_count": 3})
    );
}

/// A backend that ignores where a page starts, asked from a cursor on.
#[tokio::test]
async fn rows_that_were_given_are_not_given_again_after_their_cursor() {
    let same = |_: &Seen| ok(json!({"rows": [{"id": 1}, {"id": 2}], "more": true}));
    let paging = "kind: after, after: after, size: size, rows: .rows";
    let step = Scripted::new(&file("http://localhost", paging), same);
    for (scripted, tool) in [(model(same), "thing_list"), (step, "t")] {
        let page = scripted.call(tool, json!({"limit": 2})).await.unwrap();
        let arguments = json!({"limit": 2, "cursor": page["next_cursor"]});
        let again = scripted.call(tool, arguments).await.unwrap();
        assert_eq!((ids(&page), ids(&again)), (vec![1, 2], vec![]), "{tool}");
        assert!(again["note"].as_str().unwrap().contains("again"), "{again}");
        assert!(again.get("next_cursor").is_none(), "{again}");
    }
}

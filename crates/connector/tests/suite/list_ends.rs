//! What is told of a list that a backend leaves unfinished: rows that come again, totals that change,
//! pages that name themselves.

use serde_json::{Value, json};

use crate::fake::Seen;
use crate::lists::{Tells, World};
use crate::scripted::{Answer, Scripted, ids, number, ok};

#[tokio::test]
async fn a_backend_that_ignores_the_position_is_left_with_a_note() {
    for (kind, tells) in [
        ("offset", Tells::Nothing),
        ("page", Tells::Nothing),
        ("after", Tells::Nothing),
        ("offset", Tells::Total),
    ] {
        let rows: Vec<Value> = (1..=7).map(|id| json!({"id": id, "text": "x"})).collect();
        let total = if tells == Tells::Total { 70 } else { 7 };
        let scripted = Scripted::new(&World::new(kind, tells, 7, 7).file(), move |_| {
            ok(json!({"rows": rows, "total": total}))
        });
        let page = scripted.call("rows", json!({"all": true})).await.unwrap();
        assert_eq!(
            (ids(&page).len(), &page["truncated"]),
            (7, &json!(true)),
            "{kind}"
        );
        assert!(page["note"].as_str().unwrap().contains("again"), "{page}");
        assert_eq!(scripted.lines().len(), 2, "{kind}");
        assert_eq!(
            page.get("total_count").cloned(),
            (tells == Tells::Total).then(|| json!(70)),
            "{kind}"
        );
        // by cursor it ends too
        let (mut cursor, mut pages) = (Value::Null, 0);
        loop {
            let page = scripted
                .call("rows", json!({"limit": 7, "cursor": cursor}))
                .await
                .unwrap();
            cursor = page["next_cursor"].clone();
            pages += 1;
            if cursor.is_null() {
                assert_eq!((&page["truncated"], pages), (&json!(true), 2), "{kind}");
                break;
            }
            assert!(pages < 5, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_row_is_a_repetition_where_every_value_is_the_same_or_the_file_says_what_tells_rows_apart()
 {
    let pages = |seen: &Seen| match number(seen, "page").unwrap() {
        1 => {
            ok(json!({"rows": [{"id": 1, "at": "a"}, {"id": 2, "at": "a"}, {"id": 2, "at": "a"}]}))
        }
        2 => {
            ok(json!({"rows": [{"id": 2, "at": "a"}, {"id": 1, "at": "b"}, {"id": 3, "at": "b"}]}))
        }
        _ => ok(json!({"rows": []})),
    };
    let file = World::new("page", Tells::Nothing, 0, 1).file();
    let found = Scripted::new(&file, pages)
        .call("rows", json!({}))
        .await
        .unwrap();
    assert_eq!(
        (ids(&found), &found["total_count"]),
        (vec![1, 2, 2, 1, 3], &json!(5))
    );
    let found = Scripted::new(
        &file.replace("rows: .rows", "rows: .rows, identity: .id"),
        pages,
    )
    .call("rows", json!({}))
    .await
    .unwrap();
    assert_eq!(
        (ids(&found), &found["total_count"]),
        (vec![1, 2, 2, 3], &json!(4))
    );
}

#[tokio::test]
async fn what_a_backend_counted_and_did_not_give_is_told() {
    for (kind, tells) in [
        ("page", Tells::Total),
        ("offset", Tells::Total),
        ("after", Tells::Total),
    ] {
        for past in [false, true] {
            let world = World {
                refuses_past_the_end: past,
                ..World::new(kind, tells, 25, 10)
            };
            let scripted = Scripted::new(&world.file(), {
                let world = world.clone();
                move |seen| {
                    let Answer(status, headers, body) = world.answer(seen);
                    Answer(
                        status,
                        headers,
                        body.replace("\"total\":25", "\"total\":40"),
                    )
                }
            });
            let page = scripted.call("rows", json!({"all": true})).await.unwrap();
            assert_eq!(
                (ids(&page).len(), &page["truncated"], &page["total_count"]),
                (25, &json!(true), &json!(40)),
                "{kind}"
            );
            let note = page["note"].as_str().unwrap();
            assert!(note.contains("40") && note.contains("25"), "{note}");
            assert!(scripted.lines().len() <= 9, "{:?}", scripted.lines());
            // a walk by cursor ends as well
            let (mut cursor, mut found) = (Value::Null, 0);
            for turn in 0.. {
                assert!(turn < 20, "{kind}");
                let page = scripted
                    .call("rows", json!({"limit": 10, "cursor": cursor}))
                    .await
                    .unwrap();
                found += ids(&page).len();
                cursor = page["next_cursor"].clone();
                if cursor.is_null() {
                    break;
                }
            }
            assert_eq!(found, 25, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_total_that_changes_on_the_way_is_the_last_one() {
    let scripted = Scripted::new(&World::new("page", Tells::Total, 0, 1).file(), |seen| {
        let page = number(seen, "page").unwrap();
        let rows: Vec<Value> = (1..=30).map(|n| json!({"id": page * 100 + n})).collect();
        ok(
            json!({"rows": if page > 3 { vec![] } else { rows }, "total": if page == 1 { 300 } else { 90 }}),
        )
    });
    let page = scripted.call("rows", json!({"limit": 250})).await.unwrap();
    assert_eq!(
        (
            ids(&page).len(),
            &page["total_count"],
            page.get("truncated")
        ),
        (90, &json!(90), None)
    );
    assert_eq!(scripted.lines().len(), 3);
}

#[tokio::test]
async fn a_next_page_that_comes_again_is_left_with_a_note() {
    let scripted = Scripted::new(&World::new("link", Tells::Next, 0, 1).file(), |seen| {
        let at = number(seen, "at").unwrap_or(0);
        ok(json!({"rows": [{"id": at + 1}], "next": format!("/api/rows?at={}", (at + 1) % 3)}))
    });
    let page = scripted.call("rows", json!({})).await.unwrap();
    assert_eq!(
        (ids(&page), &page["truncated"]),
        (vec![1, 2, 3], &json!(true))
    );
    assert!(page["note"].is_string() && scripted.lines().len() < 12);
}

#[tokio::test]
async fn a_list_that_ends_at_its_size_says_so_and_goes_on() {
    let scripted = Scripted::new(&World::new("page", Tells::Total, 0, 1).file(), |seen| {
        let (page, size) = (
            number(seen, "page").unwrap(),
            number(seen, "size").unwrap().min(100),
        );
        let rows: Vec<Value> = ((page - 1) * size + 1..=(page * size).min(620))
            .map(|n| json!({"id": n, "text": "y".repeat(300)}))
            .collect();
        ok(json!({"rows": rows, "total": 620}))
    });
    let page = scripted.call("rows", json!({"limit": 620})).await.unwrap();
    let length = page.to_string().len();
    assert!(length <= 41 << 10 && length > 35 << 10, "{length}");
    assert_eq!(
        (&page["truncated"], &page["total_count"]),
        (&json!(true), &json!(620))
    );
    assert!(
        page["note"].as_str().unwrap().contains("there are more"),
        "{}",
        page["note"]
    );
    let (mut found, mut cursor) = (ids(&page), page["next_cursor"].clone());
    while !cursor.is_null() {
        let page = scripted
            .call("rows", json!({"limit": 620, "cursor": cursor}))
            .await
            .unwrap();
        found.extend(ids(&page));
        cursor = page["next_cursor"].clone();
    }
    assert_eq!(found, (1..=620).collect::<Vec<u64>>());
}

#[test]
fn what_tells_rows_apart_is_a_plain_path() {
    for wrong in [".", ".id | tostring", "$today"] {
        let file = World::new("page", Tells::Nothing, 0, 1)
            .file()
            .replace("rows: .rows", &format!("rows: .rows, identity: '{wrong}'"));
        let problems = footbridge_connector::compile("x.yaml", &file)
            .unwrap_err()
            .to_string();
        assert!(
            problems.contains("upstream.paging.pages.identity")
                && problems.contains("names joined by dots"),
            "{problems}"
        );
    }
}
